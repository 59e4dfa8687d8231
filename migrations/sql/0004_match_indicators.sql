-- The figures of a listing (技术指标), read from its text once, when it is indexed.
alter table match_profile
    -- Rows of values in the order of the fields of an indicator.
    add column indicators jsonb not null default '[]',
    -- The version of the code that read them; 0 for profiles of before, which the worker writes anew.
    add column indicator_parser smallint not null default 0;
-- Looked for at every housekeeping, and nearly always found empty.
create index match_profile_indicator_parser on match_profile (indicator_parser, id);
