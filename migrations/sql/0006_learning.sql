-- Ranking models learned from decisions: where each comes from, what it was judged by, and which was active when.

alter table ranking_model
    -- Events name their subject by a uuid; people name a model by its version.
    add column id uuid not null default uuidv7() unique,
    add column origin text not null default 'shipped' check (origin in ('shipped', 'decisions')),
    -- The model whose weights this one was drawn to.
    add column parent text references ranking_model,
    add column labels integer not null default 0 check (labels >= 0),
    add column needs integer not null default 0 check (needs >= 0),
    -- Figures of the comparison with the model that was active then.
    add column report jsonb not null default '{}';

create table ranking_activation (
    id uuid primary key default uuidv7(),
    version text not null references ranking_model,
    action text not null check (action in ('install', 'train', 'activate', 'rollback')),
    -- Whether somebody chose the model: the code's own next default does not replace one that was chosen.
    chosen boolean not null,
    -- What a rollback goes back to; null for the first.
    before uuid references ranking_activation,
    key_id uuid references api_key,
    at timestamptz not null default now()
);
comment on table ranking_activation is 'Every change of the active ranking model, in order';

alter table active_ranking_model add column activation_id uuid references ranking_activation;

-- A model that came with the code was chosen by nobody, any other by somebody.
with present as (
    insert into ranking_activation (version, action, chosen)
    select version, case when version like 'default-%' then 'install' else 'activate' end, version not like 'default-%'
    from active_ranking_model
    returning id
)
update active_ranking_model set activation_id = present.id from present;
alter table active_ranking_model alter column activation_id set not null;

-- Append-only: what was active when stays.
grant select, insert on ranking_activation to duijie_app;
