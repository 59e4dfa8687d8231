-- The matching index: what every market participant may be matched on, and nothing else. No name has a schema, so that
-- the same statements make the service's index and the scratch index of an evaluation.

create table match_profile (
    id uuid not null,
    kind text not null check (kind in ('need', 'outcome')),
    organization uuid,
    title text not null,
    language text not null,
    field text,
    industry text,
    region text,
    region_class text,
    partner_regions text[] not null default '{}',
    modes text[] not null default '{}',
    maturity smallint,
    price_min numeric,
    price_max numeric,
    currency text not null default 'CNY',
    needed_by date,
    published_on date,
    keywords text[] not null default '{}',
    sections text[] not null,
    passages text[] not null,
    passage_weights real[] not null,
    primary key (kind, id)
) partition by list (kind);
create table match_profile_need partition of match_profile for values in ('need');
create table match_profile_outcome partition of match_profile for values in ('outcome');
-- The filters of a scope: its size decides the route, and a narrow one is read by these.
create index match_profile_field on match_profile (kind, field, id);
create index match_profile_region_class on match_profile (kind, region_class, id);
create index match_profile_modes on match_profile using gin (modes);

create table embedding_model (
    id bigint primary key generated always as identity,
    -- What DUIJIE_MODEL said, so that an older model can be opened again while a newer one is being filled in.
    source text not null,
    name text not null,
    checksum text not null unique,
    dimensions integer not null check (dimensions between 1 and 4000),
    -- building -> active -> retired
    state text not null default 'building' check (state in ('building', 'active', 'retired')),
    created_at timestamptz not null default now()
);
create unique index embedding_model_one_active on embedding_model ((true)) where state = 'active';

-- Vectors live apart from states and counters: updating a row rewrites its entry in the graph index.
create table match_vector (
    profile_id uuid not null,
    kind text not null check (kind in ('need', 'outcome')),
    model_id bigint not null references embedding_model on delete cascade,
    embedding halfvec not null,
    primary key (model_id, kind, profile_id),
    foreign key (kind, profile_id) references match_profile (kind, id) on delete cascade
);

create table match_passage (
    profile_id uuid not null,
    kind text not null check (kind in ('need', 'outcome')),
    model_id bigint not null references embedding_model on delete cascade,
    -- Passage vectors one after another, little-endian float16: read whole or not at all.
    vectors bytea not null,
    primary key (model_id, kind, profile_id),
    foreign key (kind, profile_id) references match_profile (kind, id) on delete cascade
);
-- Float16 vectors do not compress; trying costs time at every write.
alter table match_passage alter column vectors set storage external;

create table match_lexicon (
    single boolean primary key default true check (single),
    tokenizer integer not null,
    -- The length that BM25 measures against. Fixed, since the weights in match_lexeme were computed with it.
    average_length real not null check (average_length > 0),
    needs integer not null default 0,
    outcomes integer not null default 0
);

create table match_vocabulary (
    id integer primary key generated always as identity,
    term text not null unique,
    needs integer not null default 0,
    outcomes integer not null default 0
);

create table match_lexeme (
    profile_id uuid not null,
    kind text not null check (kind in ('need', 'outcome')),
    weights sparsevec(1000000000) not null,
    primary key (kind, profile_id),
    foreign key (kind, profile_id) references match_profile (kind, id) on delete cascade
);
