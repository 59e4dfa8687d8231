-- The audit trail: events that nobody rewrites, each sealed into a chain at commit. docs/adr/0013-audit.md says why.

-- Where the request came from, as a class and never as an address: an event cannot be erased.
alter table event
    add column address_class text not null default coalesce(nullif(current_setting('duijie.address', true), ''), 'unknown')
        constraint event_address_class check (address_class in ('loopback', 'private', 'public', 'unknown'));
-- The sealed form of an instant is a number of microseconds, which infinity has not.
alter table event add constraint event_at_is_finite check (isfinite(at));
-- Lists of one organization, and of a span of time; pruning walks the second.
create index event_by_organization on event (organization_id, id);
create index event_by_time on event (at);

create table event_seal (
    -- Without gaps from 1: a missing number is a missing event.
    position bigint primary key check (position > 0),
    event_id uuid not null unique references event,
    -- SHA-256 of the event's canonical form.
    digest bytea not null check (length(digest) = 32),
    -- SHA-256 of the hash before (32 zero bytes before the first), the position (8 bytes, big-endian) and the digest.
    hash bytea not null check (length(hash) = 32)
);
comment on table event_seal is 'The chain: each event in the order of commit, bound to all that were before';

create table event_checkpoint (
    position bigint primary key check (position > 0),
    hash bytea not null check (length(hash) = 32),
    pruned_at timestamptz not null default now()
);
comment on table event_checkpoint is 'Up to where events were removed after their time; the chain goes on from this hash';

-- One field of the canonical form: its length in bytes, a colon, the bytes of its UTF-8, a comma; null is "-,".
create function event_field(value text) returns bytea
    language sql immutable parallel safe
    return case
        when value is null then convert_to('-,', 'UTF8')
        else convert_to(octet_length(convert_to(value, 'UTF8')) || ':', 'UTF8') || convert_to(value, 'UTF8')
             || convert_to(',', 'UTF8')
    end;

-- The canonical form holds text that no session setting changes: uuid in lower case, microseconds since 1970-01-01 UTC,
-- and `data` as the database writes a jsonb. service/events/chain.py writes the same in Python.
create function event_digest(entry event) returns bytea
    language sql stable parallel safe
    return sha256(
        event_field('duijie-event-1')
        || event_field(entry.id::text)
        || event_field(trim_scale(extract(epoch from entry.at) * 1000000)::text)
        || event_field(entry.key_id::text)
        || event_field(entry.organization_id::text)
        || event_field(entry.request_id)
        || event_field(entry.address_class)
        || event_field(entry.subject_kind)
        || event_field(entry.subject_id::text)
        || event_field(entry.action)
        || event_field(entry.from_state)
        || event_field(entry.to_state)
        || event_field(entry.data::text)
    );

-- Seals one event. Runs at commit, so that only commits wait for one another and a rollback takes no position.
-- The lock is held until the commit has happened; its number spells "audit". Each statement after it sees what the
-- holder before has committed (read committed; under a stricter isolation the primary key refuses a stale position).
create function seal_event() returns trigger
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    last_position bigint;
    last_hash bytea;
    own_digest bytea := public.event_digest(new);
begin
    perform pg_advisory_xact_lock(418581342580);
    select position, hash into last_position, last_hash from public.event_seal order by position desc limit 1;
    if not found then
        -- Nothing yet, or everything was pruned.
        select position, hash into last_position, last_hash from public.event_checkpoint order by position desc limit 1;
    end if;
    last_position := coalesce(last_position, 0) + 1;
    last_hash := coalesce(last_hash, decode(repeat('00', 32), 'hex'));
    insert into public.event_seal (position, event_id, digest, hash)
    values (last_position, new.id, own_digest, sha256(last_hash || int8send(last_position) || own_digest));
    return null;
end
$$;
revoke execute on function seal_event() from public;

-- What happened stays, for the owner too. Pruning is the one way out: seals up to a checkpoint, then events without a
-- seal (the foreign key sees to that order) that are older than six months at their longest, 184 days.
create function keep_event() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'DELETE' then
        if tg_table_name = 'event' then
            if old.at < now() - interval '184 days' then
                return old;
            end if;
        elsif tg_table_name = 'event_seal' then
            if old.position <= (select max(position) from public.event_checkpoint) then
                return old;
            end if;
        end if;
    end if;
    raise exception '% is append-only: % refused', tg_table_name, lower(tg_op)
        using errcode = 'insufficient_privilege',
              hint = 'Old events leave by `duijie audit prune`; nothing else changes or removes them.';
end
$$;

do $$
declare
    name text;
begin
    foreach name in array array['event', 'event_seal', 'event_checkpoint'] loop
        execute format(
            'create trigger %1$s_is_kept before update or delete on %1$I for each row execute function keep_event()', name
        );
        execute format(
            'create trigger %1$s_is_not_truncated before truncate on %1$I for each statement execute function keep_event()',
            name
        );
    end loop;
end $$;

-- Those that are there already, in the order of their keys, which grow with time.
do $$
declare
    entry event;
    place bigint := 0;
    previous bytea := decode(repeat('00', 32), 'hex');
    own_digest bytea;
begin
    for entry in select * from event order by id loop
        place := place + 1;
        own_digest := event_digest(entry);
        previous := sha256(previous || int8send(place) || own_digest);
        insert into event_seal (position, event_id, digest, hash) values (place, entry.id, own_digest, previous);
    end loop;
end $$;

create constraint trigger event_is_sealed
    after insert on event
    deferrable initially deferred
    for each row execute function seal_event();

-- Seals are read by the application and written by the trigger alone. Nor does the application choose when an event was.
grant select on event_seal, event_checkpoint to duijie_app;
revoke insert on event from duijie_app;
grant insert (key_id, organization_id, request_id, address_class, subject_kind, subject_id, action, from_state, to_state, data)
    on event to duijie_app;
