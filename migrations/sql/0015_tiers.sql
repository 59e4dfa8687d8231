alter table listing
    -- Others than the counterpart of an accepted pair see the abstract in place of the text.
    add column confidential boolean not null default false,
    add column abstract text;
-- A draft may be marked before its abstract is written, and an unfinished one be given up.
alter table listing add constraint listing_confidential_has_abstract check (
    not confidential or state in ('draft', 'withdrawn', 'expired') or coalesce(abstract, '') <> ''
);
create or replace view need with (security_invoker) as select * from listing where kind = 'need';
create or replace view outcome with (security_invoker) as select * from listing where kind = 'outcome';

create table consent (
    id uuid primary key default uuidv7(),
    recommendation_id uuid not null references recommendation,
    side text not null check (side in ('need', 'outcome')),
    organization_id uuid not null references organization,
    -- Who gave it: a machine client has a key and no person, a login a person and no key.
    key_id uuid references api_key,
    person_id uuid references person,
    purpose text not null check (purpose <> ''),
    given_at timestamptz not null default now(),
    withdrawn_at timestamptz,
    withdrawn_by_key uuid references api_key,
    withdrawn_by_person uuid references person,
    constraint consent_ends_after_it_began check (withdrawn_at >= given_at)
);
comment on table consent is 'That one side of an accepted pair lets the other know it: who, when, for what, until when';
-- A side consents once at a time.
create unique index consent_open on consent (recommendation_id, side) where withdrawn_at is null;
create index consent_by_recommendation on consent (recommendation_id, id);
create index consent_by_organization on consent (organization_id, recommendation_id) where withdrawn_at is null;

-- A consent stays as it was given; all that can happen to it is that it ends.
grant select, insert on consent to duijie_app;
grant update (withdrawn_at, withdrawn_by_key, withdrawn_by_person) on consent to duijie_app;

alter table consent enable row level security;
-- Both sides of a pair and staff know who consented to what: with the pair they see its consents.
create policy consent_with_its_recommendation on consent for select
    using (exists (select from recommendation where recommendation.id = recommendation_id));
-- A side consents in its own name only, for its own listing, once a broker accepted the pair.
create policy consent_given_by_its_side on consent for insert
    with check (
        (select acting()) and withdrawn_at is null
        and organization_id = (select acting_organization())
        and key_id is not distinct from (select acting_key())
        and person_id is not distinct from (select acting_person())
        and exists (
            select from recommendation
            join listing on listing.id = case side when 'need' then need_id else outcome_id end
            where recommendation.id = recommendation_id and recommendation.state = 'accepted'
              and listing.organization_id = (select acting_organization())
        )
    );
-- Whoever gave a consent ends it, in the own name; what has ended does not begin again.
create policy consent_withdrawn_by_its_side on consent for update
    using (organization_id = (select acting_organization()) and withdrawn_at is null)
    with check (
        withdrawn_at is not null
        and withdrawn_by_key is not distinct from (select acting_key())
        and withdrawn_by_person is not distinct from (select acting_person())
    );

-- With whom the acting organization has both consents open. The policy of organizations needs to know, and would come
-- back to itself by way of the pairs: this tells ids of those who consented to the caller, and nothing else.
create function consented_organization() returns setof uuid
    language sql stable parallel safe security definer set search_path = public
    begin atomic
        select theirs.organization_id
        from consent as own
        join consent as theirs on theirs.recommendation_id = own.recommendation_id and theirs.side <> own.side
        join recommendation on recommendation.id = own.recommendation_id and recommendation.state = 'accepted'
        where own.organization_id = acting_organization() and own.withdrawn_at is null and theirs.withdrawn_at is null;
    end;
-- Those who consented to each other know each other.
create policy organization_that_consented on organization for select
    using (id in (select consented_organization()));

-- What was quoted of a listing before it became confidential goes out of the reasons of its pairs, decided ones too,
-- which its organization may change in no other way.
create function forget_reasons(of_listing uuid) returns void
    language sql volatile security definer set search_path = public
    begin atomic
        update recommendation
        set updated_at = now(), explanation = jsonb_set(explanation, '{signals}', (
            -- The readings stay: they teach the ranking and quote nothing.
            select coalesce(jsonb_agg(part || '{"evidence": []}' order by place), '[]')
            from jsonb_array_elements(explanation -> 'signals') with ordinality as signal (part, place)
        ))
        where (need_id = of_listing or outcome_id = of_listing)
          and (acting_reviewer() or exists (
              select from listing where listing.id = of_listing and listing.organization_id = acting_organization()
          ));
    end;
