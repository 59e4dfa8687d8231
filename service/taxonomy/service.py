"""Rows of fields, industries and code lists."""

from itertools import groupby
from typing import Any

from service.kit.db import Connection
from service.taxonomy.schemas import Entry, Field, Industry

UPSERT_FIELDS = """
insert into field (code, position, label_zh, label_en, label_ar, field_group, sections, keywords)
select code, position, label_zh, label_en, label_ar, "group", industries, keywords
from jsonb_to_recordset($1) as seed (
    code text, position integer, label_zh text, label_en text, label_ar text, "group" text, industries text[], keywords jsonb
)
on conflict (code) do update
set position = excluded.position, label_zh = excluded.label_zh, label_en = excluded.label_en, label_ar = excluded.label_ar,
    field_group = excluded.field_group, sections = excluded.sections, keywords = excluded.keywords
"""


async def upsert_fields(connection: Connection, seeds: list[dict[str, Any]]) -> None:
    """Write the focus fields; entries of the same code are replaced."""
    await connection.execute(UPSERT_FIELDS, seeds)


UPSERT_INDUSTRIES = """
insert into industry (code, label_zh, label_en)
select code, label_zh, label_en
from jsonb_to_recordset($1) as seed (code text, label_zh text, label_en text)
on conflict (code) do update set label_zh = excluded.label_zh, label_en = excluded.label_en
"""


async def upsert_industries(connection: Connection, seeds: list[dict[str, Any]]) -> None:
    """Write the industry sections."""
    await connection.execute(UPSERT_INDUSTRIES, seeds)


UPSERT_CODES = """
insert into code (list, code, position, label_zh, label_en, label_ar, description_zh, description_en)
select $1, code, position, label_zh, label_en, label_ar, description_zh, description_en
from jsonb_to_recordset($2) as seed (
    code text, position integer, label_zh text, label_en text, label_ar text, description_zh text, description_en text
)
on conflict (list, code) do update
set position = excluded.position, label_zh = excluded.label_zh, label_en = excluded.label_en, label_ar = excluded.label_ar,
    description_zh = excluded.description_zh, description_en = excluded.description_en
"""


async def upsert_codes(connection: Connection, list_name: str, seeds: list[dict[str, Any]]) -> None:
    """Write one small code list."""
    await connection.execute(UPSERT_CODES, list_name, seeds)


LIST_FIELDS = "select * from field order by position, code"


async def list_fields(connection: Connection) -> list[Field]:
    """The focus fields in the plan's order."""
    return [Field.model_validate(dict(row)) for row in await connection.fetch(LIST_FIELDS)]


LIST_INDUSTRIES = "select * from industry order by code"


async def list_industries(connection: Connection) -> list[Industry]:
    """The industry sections."""
    return [Industry.model_validate(dict(row)) for row in await connection.fetch(LIST_INDUSTRIES)]


LIST_CODES = "select * from code order by list, position, code"


async def list_codes(connection: Connection) -> dict[str, list[Entry]]:
    """Every small code list."""
    rows = await connection.fetch(LIST_CODES)
    return {
        name: [Entry.model_validate(dict(row)) for row in entries]
        for name, entries in groupby(rows, key=lambda row: str(row["list"]))
    }
