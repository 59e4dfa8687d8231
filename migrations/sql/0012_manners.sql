-- One row for each Idempotency-Key of a caller. It is written at the beginning of the request's own transaction and
-- completed at its end, so that an effect and its answer are there together or not at all.
create table idempotency_key (
    -- The API key that asked, or the person of a login: two keys of one organization may use the same Idempotency-Key.
    caller uuid not null,
    key text not null check (length(key) between 1 and 255),
    method text not null,
    path text not null,
    -- SHA-256 of what was asked: query and body.
    digest bytea not null check (length(digest) = 32),
    -- Null only until the transaction that wrote the row ends; refusals are never stored.
    status smallint check (status between 200 and 399),
    headers jsonb not null default '{}',
    body bytea,
    created_at timestamptz not null,
    primary key (caller, key)
);
-- What housekeeping looks for.
create index idempotency_key_by_age on idempotency_key (created_at);
comment on table idempotency_key is 'Answers that are given again for 24 hours; without secrets that are shown once';

alter table idempotency_key enable row level security;
-- A stored answer holds what its caller may see, and nobody else.
create policy of_its_caller on idempotency_key to duijie_app
    using (caller::text in (current_setting('duijie.key', true), current_setting('duijie.person', true)))
    with check (caller::text in (current_setting('duijie.key', true), current_setting('duijie.person', true)));
-- Housekeeping needs to find what is old, and to remove it.
create policy housekeeping_reads on idempotency_key for select to duijie_app
    using (current_setting('duijie.roles', true) = 'system');
-- It locks what it removes, and changes nothing.
create policy housekeeping_locks on idempotency_key for update to duijie_app
    using (current_setting('duijie.roles', true) = 'system') with check (false);
create policy housekeeping_removes on idempotency_key for delete to duijie_app
    using (current_setting('duijie.roles', true) = 'system');
grant select, insert, update, delete on idempotency_key to duijie_app;

-- A bucket each of an API key and of an organization. Unlogged: a crash of the server forgives what was used, and
-- counting a request costs no write to the log.
create unlogged table rate_limit (
    -- "key:<id>" or "organization:<id>".
    subject text primary key,
    -- When the bucket is full again (GCRA's theoretical arrival time).
    full_at timestamptz not null
) with (fillfactor = 50);
comment on table rate_limit is 'Rate limits over every process of the service';
grant select, insert, update, delete on rate_limit to duijie_app;
