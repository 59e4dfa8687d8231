"""Protections in the migrated schema: policies, row-level security itself, triggers, unique indexes."""

from collections.abc import AsyncIterator

import asyncpg

from proof.mutation.mutants import Mutant

POLICIES = """
select tablename, policyname, cmd from pg_policies where schemaname = 'public' order by tablename, policyname
"""
SECURED = """
select relname from pg_class where relnamespace = 'public'::regnamespace and relrowsecurity order by relname
"""
TRIGGERS = """
select tgname, relname from pg_trigger join pg_class on pg_class.oid = tgrelid
where relnamespace = 'public'::regnamespace and not tgisinternal and relname not like 'pgqueuer%'
order by relname, tgname
"""
# A primary key made of the row's own random number protects nothing that could happen twice.
UNIQUE = """
select index.relname as name, owner.relname as "table", conname
from pg_index
join pg_class index on index.oid = indexrelid
join pg_class owner on owner.oid = indrelid
left join pg_constraint on conindid = indexrelid and contype in ('p', 'u')
where owner.relnamespace = 'public'::regnamespace and indisunique and owner.relname not like 'pgqueuer%'
  and owner.relname not in ('alembic_version', 'code', 'field', 'industry', 'partner_pair', 'region', 'setting')
  and not (indisprimary and indnkeyatts = 1 and exists (
      select from pg_attribute
      where attrelid = indrelid and attnum = indkey[0] and atthasdef
  ))
order by owner.relname, index.relname
"""
OPEN = {
    "SELECT": "using (true)",
    "DELETE": "using (true)",
    "INSERT": "with check (true)",
    "UPDATE": "using (true) with check (true)",
    "ALL": "using (true) with check (true)",
}


async def find(connection: "asyncpg.Connection[asyncpg.Record]") -> AsyncIterator[Mutant]:
    """Every policy without its restriction, and gone; every secured table, trigger and unique index without that."""
    for table, policy, command in await connection.fetch(POLICIES):
        yield Mutant(f"policy:{table}.{policy}:open", f'alter policy "{policy}" on "{table}" {OPEN[command]}')
        yield Mutant(f"policy:{table}.{policy}:gone", f'drop policy "{policy}" on "{table}"')
    for (table,) in await connection.fetch(SECURED):
        yield Mutant(f"table:{table}:unsecured", f'alter table "{table}" disable row level security')
    for trigger, table in await connection.fetch(TRIGGERS):
        yield Mutant(f"trigger:{table}.{trigger}:gone", f'drop trigger "{trigger}" on "{table}"')
    for name, table, constraint in await connection.fetch(UNIQUE):
        gone = f'alter table "{table}" drop constraint "{name}" cascade' if constraint else f'drop index "{name}"'
        yield Mutant(f"unique:{table}.{name}:gone", gone)
