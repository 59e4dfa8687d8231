-- Which encoder the service uses where DUIJIE_MODEL does not say: the newest row; before any, the model of the wheel.

create table encoder_choice (
    id bigint primary key generated always as identity,
    -- Events name their subject by a uuid.
    subject_id uuid not null default uuidv7(),
    -- As DUIJIE_MODEL takes it: bundled, or tuned:NAME.
    source text not null,
    action text not null check (action in ('train', 'activate', 'rollback')),
    -- What a rollback goes back to; null for the model of the wheel.
    before bigint references encoder_choice,
    -- Figures of the comparison with the encoder that was in use then.
    report jsonb not null default '{}',
    key_id uuid references api_key,
    at timestamptz not null default now()
);
comment on table encoder_choice is 'Every choice of the encoder, in order';

-- Append-only: what was chosen when stays.
grant select, insert on encoder_choice to duijie_app;
