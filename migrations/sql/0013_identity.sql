-- Who may come in: organizations and their standing, people, memberships, what a key is for, logins of an issuer, passwords.

-- GB 32100-2015, 4.6: weights 3^(i-1) mod 31; with its own weight of 1, the check character makes the sum a multiple of 31.
create function credit_code_holds(code text) returns boolean
language sql immutable strict parallel safe
return code ~ '^[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$' and (
    select sum((position(substr(code, place::integer, 1) in '0123456789ABCDEFGHJKLMNPQRTUWXY') - 1) * weight) % 31 = 0
    from unnest(array[1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28, 1]) with ordinality as weights (weight, place)
);

alter table organization drop constraint organization_credit_code_check;
-- Codes were taken unchecked before. A wrong one is no identification; it goes, and the event keeps what was written.
with wrong as (
    select id, credit_code from organization where not credit_code_holds(credit_code)
), cleared as (
    update organization set credit_code = null, version = version + 1, updated_at = now()
    from wrong where organization.id = wrong.id
)
insert into event (request_id, subject_kind, subject_id, action, data)
select 'migration', 'organization', id, 'clear_credit_code', jsonb_build_object('credit_code', credit_code) from wrong;
-- Seals the events: their table is altered below, and cannot be while they wait for the commit.
set constraints all immediate;
alter table organization add constraint organization_credit_code_check check (credit_code_holds(credit_code));

alter table organization
    add column state text not null default 'registered' check (state in ('registered', 'verified', 'suspended')),
    -- Stays through a suspension: it says what restoring leads back to.
    add column verified_at timestamptz,
    add column suspended_at timestamptz;
-- Whoever was let in before verification was a step of its own was let in by an operator.
update organization set state = 'verified', verified_at = created_at;
alter table organization
    add constraint organization_verified check (state <> 'verified' or verified_at is not null),
    add constraint organization_suspended check ((state = 'suspended') = (suspended_at is not null));

create table person (
    id uuid primary key default uuidv7(),
    name text not null check (length(name) <= 100),
    email text check (length(email) <= 254),
    phone text check (length(phone) <= 40),
    state text not null default 'active' check (state in ('active', 'erased')),
    -- Whether a first login may be linked by the e-mail: only while it is the one that an operator wrote down.
    email_vouched boolean not null default false,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    erased_at timestamptz,
    constraint person_erased check (
        (state = 'erased') = (erased_at is not null)
        and (state = 'active' or (name = '' and email is null and phone is null))
    ),
    constraint person_active_has_name check (state = 'erased' or (length(name) > 0 and email is not null))
);
create unique index person_email on person (lower(email));
comment on table person is 'People who act. Erasing empties the row and keeps its id, which events and memberships refer to';

create table membership (
    id uuid primary key default uuidv7(),
    person_id uuid not null references person,
    organization_id uuid not null references organization,
    roles text[] not null check (
        cardinality(roles) > 0
        and roles <@ array['enterprise', 'provider', 'broker', 'operator', 'authority', 'administrator']
    ),
    scopes text[] not null check (cardinality(scopes) > 0 and scopes <@ array['read', 'write', 'admin']),
    valid_from timestamptz not null default now(),
    valid_until timestamptz check (valid_until > valid_from),
    ended_at timestamptz,
    version integer not null default 1,
    -- Who granted it: a person, or a machine client's key; both null for the service itself.
    granted_by_person uuid references person,
    granted_by_key uuid references api_key,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint membership_of_key unique (id, person_id, organization_id)
);
-- A person belongs to an organization once at a time; ended memberships stay as its history.
create unique index membership_open on membership (person_id, organization_id) where ended_at is null;
create index membership_by_organization on membership (organization_id, id);

alter table api_key
    add column scopes text[] not null default '{read,write,admin}'
        check (cardinality(scopes) > 0 and scopes <@ array['read', 'write', 'admin']),
    add column person_id uuid,
    add column membership_id uuid,
    -- The key that took over at a rotation; a key is rotated once.
    add column replaced_by uuid unique references api_key,
    add constraint api_key_belongs check ((person_id is null) = (membership_id is null)),
    -- A person's key is of the organization that the membership is in.
    add constraint api_key_membership foreign key (membership_id, person_id, organization_id)
        references membership (id, person_id, organization_id);
-- Keys of before could do everything that their roles allow, and still can; a new key has to say what it is for.
alter table api_key alter column scopes drop default;
create index api_key_by_membership on api_key (membership_id) where membership_id is not null;
create index api_key_by_person on api_key (person_id) where person_id is not null;

create table person_identity (
    id uuid primary key default uuidv7(),
    person_id uuid not null references person,
    issuer text not null check (length(issuer) between 1 and 500),
    subject text not null check (length(subject) between 1 and 255),
    created_at timestamptz not null default now(),
    last_login_at timestamptz,
    -- A login stands for one person.
    constraint person_identity_login unique (issuer, subject)
);
create index person_identity_by_person on person_identity (person_id);

create table person_password (
    person_id uuid primary key references person,
    -- Argon2id in its encoded form (RFC 9106), which carries its parameters and salt.
    hash text not null check (hash like '$argon2id$%'),
    failures integer not null default 0 check (failures >= 0),
    locked_until timestamptz,
    changed_at timestamptz not null default now()
);

-- A login of an issuer acts without a key: the event names the person, within `data`, so that whatever binds `data` binds it.
alter table event add column person_id uuid generated always as ((data ->> 'by_person')::uuid) stored references person;
create index event_by_person on event (person_id, id) where person_id is not null;

grant select, insert, update on person, membership to duijie_app;
grant select, insert, update, delete on person_identity, person_password to duijie_app;
