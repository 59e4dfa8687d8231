-- The business tables. Enumerations are text with a check; the codes are explained in seeds/taxonomy/codes.json.

create table field (
    code text primary key,
    position integer not null,
    label_zh text not null,
    label_en text not null,
    label_ar text,
    field_group text not null,
    sections text[] not null,
    keywords jsonb not null default '{}'
);
comment on table field is '重点方向: focus fields, first filled with those of the Ningxia plan 2021-2025';

create table industry (
    code text primary key check (code ~ '^[A-T]$'),
    label_zh text not null,
    label_en text not null
);
comment on table industry is 'Sections of GB/T 4754-2017';

create table region (
    code text primary key check (code ~ '^[0-9]{6}$'),
    name_zh text not null,
    name_en text not null,
    level text not null check (level in ('province', 'prefecture', 'county')),
    parent text references region,
    -- Null where the east-west classification does not apply (Hong Kong, Macao, Taiwan).
    class text check (class in ('east', 'central', 'west', 'northeast'))
);
comment on table region is '行政区划: divisions of GB/T 2260 with their class in regional statistics';

create table partner_pair (
    from_region text not null references region,
    to_region text not null references region,
    program text not null,
    note_zh text not null default '',
    source text not null default '',
    primary key (from_region, to_region, program)
);
comment on table partner_pair is '结对: partner provinces and cities of east-west cooperation; operators may change them';

create table code (
    list text not null,
    code text not null,
    position integer not null,
    label_zh text not null,
    label_en text not null,
    label_ar text,
    description_zh text,
    description_en text,
    primary key (list, code)
);
comment on table code is 'Labels of the small code lists (modes, maturity, decline codes, ...)';

create table organization (
    id uuid primary key default uuidv7(),
    external_id text unique,
    name text not null check (length(name) between 2 and 200),
    name_en text,
    kind text not null check (kind in ('enterprise', 'university', 'institute', 'new_rd', 'hospital', 'intermediary', 'market', 'authority')),
    credit_code text unique check (credit_code ~ '^[0-9A-Z]{18}$'),
    region text references region,
    website text,
    introduction text not null default '',
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index organization_by_name on organization (lower(name));

create table api_key (
    id uuid primary key default uuidv7(),
    organization_id uuid not null references organization,
    label text not null,
    -- SHA-256 of the key. The key is random, so a slow hash would protect nothing more.
    digest bytea not null unique check (length(digest) = 32),
    roles text[] not null check (
        cardinality(roles) > 0
        and roles <@ array['enterprise', 'provider', 'broker', 'operator', 'authority', 'administrator']
    ),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz not null default now()
);
create index api_key_by_organization on api_key (organization_id);

-- Needs and outcomes share a table because they share their life: state, revisions, lists, filters, matching.
-- What only one of them has is null for the other, and the checks at the end keep it so.
create table listing (
    id uuid primary key default uuidv7(),
    kind text not null check (kind in ('need', 'outcome')),
    organization_id uuid not null references organization,
    external_id text,
    state text not null,
    version integer not null default 1,
    title text not null check (length(title) between 1 and 200),
    description text not null default '',
    indicators text[] not null default '{}',
    keywords text[] not null default '{}',
    field text references field,
    industry text references industry,
    region text references region,
    modes text[] not null default '{}',
    -- TRL 1-9: of a need the least it can take up, of an outcome the level reached.
    maturity smallint check (maturity between 1 and 9),
    -- Of a need its budget, of an outcome its asking price, in `currency`.
    price_min numeric(18, 2) check (price_min >= 0),
    price_max numeric(18, 2) check (price_max >= price_min),
    currency text not null default 'CNY' check (currency ~ '^[A-Z]{3}$'),
    price_negotiable boolean not null default false,
    expires_on date,
    contact_name text,
    contact_phone text,
    contact_email text,
    language text not null default 'zh' check (language in ('zh', 'en', 'ar')),
    -- Lower-case character pairs of title, keywords and description: finds any substring by index.
    grams text[] not null default '{}',

    background text,
    goals text,
    foundation text,
    partner_requirements text,
    partner_regions text[],
    needed_by date,

    innovations text,
    applications text,
    prospects text,
    outcome_type text check (outcome_type in ('basic', 'applied', 'soft')),
    stage text check (stage in ('initial', 'middle', 'mature')),
    registration_number text,
    funding_source text check (
        funding_source in ('national', 'ministry', 'provincial', 'municipal', 'enterprise', 'self', 'international', 'other')
    ),
    funding_project text,
    publicly_funded boolean,
    awards text[],
    completed_on date,
    team text,

    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    submitted_at timestamptz,
    published_at timestamptz,
    closed_at timestamptz,

    constraint listing_kind unique (id, kind),
    constraint listing_state check (
        case kind
            when 'need' then state in ('draft', 'submitted', 'refining', 'published', 'docking', 'fulfilled', 'withdrawn', 'expired')
            else state in ('draft', 'submitted', 'verified', 'published', 'transferred', 'withdrawn', 'expired')
        end
    ),
    constraint listing_need_has_no_outcome_fields check (
        kind = 'outcome' or num_nonnulls(
            innovations, applications, prospects, outcome_type, stage, registration_number, funding_source,
            funding_project, publicly_funded, awards, completed_on, team
        ) = 0
    ),
    constraint listing_outcome_has_no_need_fields check (
        kind = 'need' or num_nonnulls(background, goals, foundation, partner_requirements, partner_regions, needed_by) = 0
    )
);
-- An import that runs twice finds its rows by this, whatever happened in between.
create unique index listing_external_id on listing (organization_id, kind, external_id) where external_id is not null;
-- uuidv7 keys grow with time, so the newest page is a backward scan of these.
create index listing_by_kind on listing (kind, id);
create index listing_by_state on listing (kind, state, id);
create index listing_by_organization on listing (organization_id, kind, id);
create index listing_by_field on listing (kind, field, id) where state = 'published';
create index listing_grams on listing using gin (grams);
create index listing_due on listing (expires_on) where state in ('submitted', 'refining', 'verified', 'published');

create table ip_right (
    listing_id uuid not null references listing on delete cascade,
    position integer not null,
    kind text not null check (
        kind in ('invention_patent', 'utility_model', 'design_patent', 'software_copyright', 'plant_variety', 'standard', 'trade_secret', 'other')
    ),
    number text,
    title text,
    status text check (status in ('granted', 'pending', 'expired')),
    primary key (listing_id, position)
);

create table listing_revision (
    listing_id uuid not null references listing,
    version integer not null,
    content jsonb not null,
    reason text,
    key_id uuid references api_key,
    organization_id uuid references organization,
    at timestamptz not null default now(),
    primary key (listing_id, version)
);
comment on table listing_revision is 'Every content that a listing ever had: original, refined, published';

create view need with (security_invoker) as select * from listing where kind = 'need';
create view outcome with (security_invoker) as select * from listing where kind = 'outcome';

create table event (
    id uuid primary key default uuidv7(),
    at timestamptz not null default now(),
    key_id uuid references api_key,
    organization_id uuid references organization,
    request_id text not null default '',
    subject_kind text not null,
    subject_id uuid not null,
    action text not null,
    from_state text,
    to_state text,
    data jsonb not null default '{}'
);
create index event_by_subject on event (subject_kind, subject_id, id);

create table ranking_model (
    version text primary key,
    definition jsonb not null,
    created_at timestamptz not null default now(),
    activated_at timestamptz
);
-- One model ranks at a time.
create table active_ranking_model (
    single boolean primary key default true check (single),
    version text not null references ranking_model
);

create table recommendation (
    id uuid primary key default uuidv7(),
    need_id uuid not null,
    need_kind text not null generated always as ('need') stored,
    outcome_id uuid not null,
    outcome_kind text not null generated always as ('outcome') stored,
    state text not null default 'proposed' check (state in ('proposed', 'accepted', 'declined', 'snoozed', 'superseded')),
    score double precision not null,
    probability double precision not null check (probability between 0 and 1),
    level text not null check (level in ('strong', 'fair', 'weak', 'none')),
    conflicts text[] not null default '{}',
    explanation jsonb not null,
    model_version text not null,
    version integer not null default 1,
    snoozed_until timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    foreign key (need_id, need_kind) references listing (id, kind),
    foreign key (outcome_id, outcome_kind) references listing (id, kind),
    -- A pair is recommended once, whichever side it was found from.
    constraint recommendation_pair unique (need_id, outcome_id)
);
-- Ranked lists are read in this order, page by page, from either side.
create index recommendation_of_need on recommendation (need_id, score desc, id desc);
create index recommendation_of_outcome on recommendation (outcome_id, score desc, id desc);

create table decision (
    id uuid primary key default uuidv7(),
    recommendation_id uuid not null references recommendation,
    key_id uuid references api_key,
    organization_id uuid references organization,
    action text not null check (action in ('accept', 'decline', 'snooze')),
    code text check (
        code in ('too_early', 'unclear_advantage', 'unclear_path', 'vague', 'indicators_unmet', 'price_mismatch', 'mode_mismatch',
                 'region_or_qualification', 'already_solved', 'duplicate', 'other')
    ),
    note text,
    snoozed_until timestamptz,
    -- What the broker had before the eyes: these three make the decision a training row.
    rank integer not null check (rank >= 1),
    model_version text not null,
    features jsonb not null,
    decided_at timestamptz not null default now(),
    constraint decision_code check ((action = 'decline') = (code is not null)),
    constraint decision_snooze check ((action = 'snooze') = (snoozed_until is not null)),
    constraint decision_other_has_text check (code is distinct from 'other' or length(note) > 0)
);
create index decision_by_recommendation on decision (recommendation_id, id);

create table import_run (
    id uuid primary key default uuidv7(),
    kind text not null check (kind in ('need', 'outcome', 'organization')),
    organization_id uuid references organization,
    key_id uuid references api_key,
    file_name text not null,
    dry_run boolean not null,
    state text not null default 'running' check (state in ('running', 'finished', 'failed')),
    rows_total integer not null default 0,
    rows_created integer not null default 0,
    rows_changed integer not null default 0,
    rows_unchanged integer not null default 0,
    rows_refused integer not null default 0,
    started_at timestamptz not null default now(),
    finished_at timestamptz
);
create table import_row (
    run_id uuid not null references import_run on delete cascade,
    line integer not null,
    position integer not null,
    external_id text,
    field text not null,
    rule text not null,
    message_zh text not null,
    message_en text not null,
    value text not null default '',
    primary key (run_id, line, position)
);
comment on table import_row is 'What was wrong with which cell of an import: the report';

create table setting (
    name text primary key,
    value text not null
);
comment on table setting is 'What the service notes about the database itself, such as the digest of the loaded seeds';

grant usage on schema public to duijie_app;
grant select on setting to duijie_app;
grant select on field, industry, region, partner_pair, code, need, outcome to duijie_app;
grant select, insert, update on organization, api_key, listing, recommendation, import_run, ranking_model, active_ranking_model
    to duijie_app;
-- Append-only: what happened stays.
grant select, insert on listing_revision, event, decision, import_row to duijie_app;
grant select, insert, delete on ip_right to duijie_app;

-- Which version of a listing the index and the stored matches stand for; the worker's account of its own work.
create table listing_matching (
    listing_id uuid primary key references listing,
    indexed_version integer not null,
    indexed_at timestamptz not null default now(),
    ranked_at timestamptz,
    ranking_model text,
    embedding_model bigint,
    pairs integer not null default 0
);
grant select, insert, update, delete on listing_matching to duijie_app;

-- The health check reads which migration is the present one.
grant select on alembic_version to duijie_app;
