-- The review queue: pairs that wait for a broker, in the order in which they are worth looking at.

-- The divisions that a region lies in, itself among them.
create function region_chain(of_region text) returns setof text language sql stable parallel safe
begin atomic
    with recursive place as (
        select code, parent from region where code = of_region
        union all
        select region.code, region.parent from region join place on region.code = place.parent
    )
    select code from place;
end;
-- 2: partner regions, or within such; 1: one lies in the east and the other in the west; else 0.
create function region_partnership(one text, other text) returns smallint language sql stable parallel safe
begin atomic
    select case
        when exists (
            select from partner_pair
            where (from_region in (select region_chain(one)) and to_region in (select region_chain(other)))
               or (from_region in (select region_chain(other)) and to_region in (select region_chain(one)))
        ) then 2
        when exists (
            select from region as here, region as there
            where here.code = one and there.code = other
              and (here.class, there.class) in (('east', 'west'), ('west', 'east'))
        ) then 1
        else 0
    end::smallint;
end;

-- One row for each pair in the state `proposed`, kept by the triggers below. A table of its own, narrow, with all that the
-- queue chooses and orders by: the pairs themselves are wide rows that are rewritten at each ranking, and a lease is no
-- change of a pair.
create table review_item (
    recommendation_id uuid primary key references recommendation on delete cascade,
    need_id uuid not null,
    outcome_id uuid not null,
    score double precision not null,
    probability double precision not null,
    -- How often the need's better pairs halve this one: the first pair of a need counts whole, the next two half, the next
    -- four a quarter. In steps, so that a pair that comes or goes moves a handful of others and not all behind it.
    halvings smallint not null default 0 check (halvings between 0 and 10),
    gain double precision not null generated always as (probability / (1 << halvings)) stored,
    -- Of the need; empty where it has none.
    field text not null,
    need_region text,
    outcome_region text,
    need_organization uuid not null,
    outcome_organization uuid not null,
    partnership smallint not null check (partnership between 0 and 2),
    -- Who works on it: the person, or the key of a machine client; with the broker that it counts for, and until when.
    leased_to uuid,
    leased_organization uuid references organization,
    leased_person uuid references person,
    leased_until timestamptz,
    constraint review_item_lease check (num_nulls(leased_to, leased_organization, leased_until) in (0, 3))
);
comment on table review_item is 'The review queue: pairs that wait for a decision, with their expected gain and leases';
-- The queue is a walk along the first of these; the others serve brokers who are limited, and partner regions.
create index review_item_by_gain on review_item (gain desc, recommendation_id desc);
create index review_item_by_field on review_item (field, gain desc, recommendation_id desc);
create index review_item_by_partnership on review_item (partnership, gain desc, recommendation_id desc);
create index review_item_by_need on review_item (need_id, gain desc, recommendation_id desc);
-- With the field, for who works in one field of one city would else walk along a large part of the queue.
create index review_item_by_need_region on review_item (need_region, field);
create index review_item_by_outcome_region on review_item (outcome_region, field);
create index review_item_by_need_organization on review_item (need_organization);
create index review_item_by_outcome_organization on review_item (outcome_organization);
create index review_item_leased on review_item (leased_to) where leased_to is not null;
create index review_item_leased_by_broker on review_item (leased_organization, leased_person) where leased_to is not null;

-- Needs whose pairs came, went or changed, and whose halvings are to be counted anew. Rows are only added, so that nobody
-- waits for anybody; a need may stand here more than once.
create table review_unsettled (
    id bigint generated always as identity primary key,
    need_id uuid not null
);
comment on table review_unsettled is 'Needs whose places in the review queue are to be counted anew';

-- What has been decided of a need or an outcome is found by these.
create index recommendation_decided_of_need on recommendation (need_id, state) where state in ('accepted', 'declined', 'snoozed');
create index recommendation_decided_of_outcome on recommendation (outcome_id, state)
    where state in ('accepted', 'declined', 'snoozed');

-- Keeps one row in the queue for each proposed pair, whoever proposes, decides, withdraws or ranks anew.
create function review_follow() returns trigger language plpgsql security definer set search_path = public as $$
begin
    delete from review_item using changed where recommendation_id = changed.id and changed.state <> 'proposed';
    with opened as (
        select changed.id, changed.need_id, changed.outcome_id, changed.score, changed.probability,
               coalesce(need.field, '') as field, need.region as need_region, outcome.region as outcome_region,
               need.organization_id as need_organization, outcome.organization_id as outcome_organization
        from changed
        join listing as need on need.id = changed.need_id
        join listing as outcome on outcome.id = changed.outcome_id
        where changed.state = 'proposed'
    ), places as materialized (
        -- Many pairs share two regions, and what is between them takes a while to find.
        select need_region, outcome_region, region_partnership(need_region, outcome_region) as partnership
        from (select distinct need_region, outcome_region from opened) as pair
    )
    insert into review_item (
        recommendation_id, need_id, outcome_id, score, probability, field, need_region, outcome_region,
        need_organization, outcome_organization, partnership
    )
    select id, need_id, outcome_id, score, probability, field, opened.need_region, opened.outcome_region,
           need_organization, outcome_organization, partnership
    from opened
    join places on places.need_region is not distinct from opened.need_region
               and places.outcome_region is not distinct from opened.outcome_region
    order by need_id, outcome_id
    on conflict (recommendation_id) do update
    set score = excluded.score, probability = excluded.probability, field = excluded.field,
        need_region = excluded.need_region, outcome_region = excluded.outcome_region,
        need_organization = excluded.need_organization, outcome_organization = excluded.outcome_organization,
        partnership = excluded.partnership
    where (review_item.score, review_item.probability, review_item.field, review_item.need_region, review_item.outcome_region,
           review_item.need_organization, review_item.outcome_organization, review_item.partnership)
          is distinct from
          (excluded.score, excluded.probability, excluded.field, excluded.need_region, excluded.outcome_region,
           excluded.need_organization, excluded.outcome_organization, excluded.partnership);
    insert into review_unsettled (need_id) select distinct need_id from changed;
    return null;
end $$;
create trigger recommendation_enters_review after insert on recommendation
    referencing new table as changed for each statement execute function review_follow();
create trigger recommendation_follows_review after update on recommendation
    referencing new table as changed for each statement execute function review_follow();

-- Counts the places of some needs anew: accepted pairs first, then the open ones by score. It waits for nobody, so that
-- whoever settles at the end of a transaction cannot stand in a circle with others: a row that somebody holds keeps its
-- gain, and its need is counted again when that one's change is done. Gives how many entries it worked off.
create function settle_review(most integer) returns integer language plpgsql security definer set search_path = public as $$
declare
    wanted uuid[];
begin
    with taken as (
        delete from review_unsettled
        where id in (select id from review_unsettled order by id limit most for update skip locked)
        returning need_id
    )
    select array_agg(need_id) into wanted from taken;
    if wanted is null then
        return 0;
    end if;
    with placed as materialized (
        select recommendation_id, review_item.halvings as before, width_bucket(
            accepted + row_number() over (partition by need_id order by score desc, recommendation_id desc),
            array[2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]::bigint[]
        )::smallint as halvings
        from (
            select need.id as need_id, (
                select count(*) from recommendation where recommendation.need_id = need.id and state = 'accepted'
            ) as accepted
            from (select distinct unnest(wanted) as id) as need
        ) as need
        join review_item using (need_id)
    ), free as materialized (
        select recommendation_id from review_item
        where recommendation_id in (select recommendation_id from placed where halvings <> before)
        for no key update skip locked
    )
    update review_item set halvings = placed.halvings
    from placed join free using (recommendation_id)
    where review_item.recommendation_id = placed.recommendation_id;
    return cardinality(wanted);
end $$;

-- What is open already.
insert into review_item (
    recommendation_id, need_id, outcome_id, score, probability, field, need_region, outcome_region,
    need_organization, outcome_organization, partnership
)
select recommendation.id, need_id, outcome_id, score, probability, coalesce(need.field, ''), need.region, outcome.region,
       need.organization_id, outcome.organization_id, region_partnership(need.region, outcome.region)
from recommendation
join listing as need on need.id = need_id
join listing as outcome on outcome.id = outcome_id
where recommendation.state = 'proposed';
insert into review_unsettled (need_id) select distinct need_id from review_item;
select settle_review(2147483647);

-- Rows come and go with the pairs, by the functions above. A broker takes and gives back, and changes nothing else.
grant select on review_item to duijie_app;
grant update (leased_to, leased_organization, leased_person, leased_until) on review_item to duijie_app;

alter table review_item enable row level security;
-- The queue is for those whose work reviewing is.
create policy review_item_for_staff on review_item for select using ((select acting_staff()));
-- Whoever may decide takes pairs in its own name only, and gives them back.
create policy review_item_leased_by_brokers on review_item for update
    using ((select acting_as('broker', 'administrator', 'system')))
    with check (
        leased_to is null
        or (leased_to in ((select acting_person()), (select acting_key()))
            and leased_organization = (select acting_organization())
            and leased_person is not distinct from (select acting_person()))
    );

alter table review_unsettled enable row level security;
-- The functions above write it; the service may look at how much waits.
grant select on review_unsettled to duijie_app;
create policy review_unsettled_for_the_service on review_unsettled for select using ((select acting_as('system')));

-- Decisions: who of an organization decided, what the provider is told, and when one was taken back.
alter table decision
    add column person_id uuid references person,
    add column to_provider text check (length(to_provider) between 1 and 1000),
    add column undone_at timestamptz,
    add column undone_by_key uuid references api_key,
    add column undone_by_person uuid references person,
    add constraint decision_told_when_declined check (to_provider is null or action = 'decline'),
    add constraint decision_undone_later check (undone_at >= decided_at),
    add constraint decision_undone_by_somebody check (undone_at is not null or num_nonnulls(undone_by_key, undone_by_person) = 0);
create index decision_by_broker on decision (organization_id, person_id, decided_at);
-- A decision stays as it was made; all that can happen to it is that it is undone.
grant update (undone_at, undone_by_key, undone_by_person) on decision to duijie_app;

drop policy decision_of_who_acts on decision;
-- Nobody decides in another's name.
create policy decision_of_who_acts on decision for insert
    with check (
        (select acting_as('broker', 'administrator', 'system')) and key_id is not distinct from (select acting_key())
        and organization_id is not distinct from (select acting_organization())
        and person_id is not distinct from (select acting_person()) and undone_at is null
    );
-- What was decided is undone in the own name, and once.
create policy decision_undone_by_who_acts on decision for update
    using ((select acting_as('broker', 'administrator', 'system')) and undone_at is null)
    with check (
        undone_at is not null and undone_by_key is not distinct from (select acting_key())
        and undone_by_person is not distinct from (select acting_person())
    );

-- What a provider learns of declines of its own outcomes: which one, why, when, and what the broker wrote for it. The need,
-- whose it is and what the broker noted stay behind.
create function declines_of_own(since timestamptz, until timestamptz)
    returns table (outcome_id uuid, code text, told text, decided_at timestamptz)
    language sql stable security definer set search_path = public
    begin atomic
        select recommendation.outcome_id, decision.code, decision.to_provider, decision.decided_at
        from listing
        join recommendation on recommendation.outcome_id = listing.id
        join decision on decision.recommendation_id = recommendation.id
        where listing.organization_id = acting_organization() and listing.kind = 'outcome'
          and recommendation.state in ('accepted', 'declined', 'snoozed')
          and decision.action = 'decline' and decision.undone_at is null
          and decision.decided_at >= since and decision.decided_at < until;
    end;

-- Brokers: a person as a member of an organization, or the organization itself, which machine clients act for.
create table broker (
    id uuid primary key default uuidv7(),
    organization_id uuid not null references organization,
    person_id uuid references person,
    -- The name that the broker is to be known by; empty once its person is erased.
    name text not null check (length(name) <= 100),
    introduction text not null default '',
    fields text[] not null default '{}',
    regions text[] not null default '{}',
    organizations uuid[] not null default '{}',
    languages text[] not null default '{zh}' check (languages <@ array['zh', 'en', 'ar']),
    -- Needs and cases at a time.
    capacity integer not null default 10 check (capacity between 0 and 1000),
    available boolean not null default true,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on table broker is '技术经理人: what a broker is good at, and how much it takes on';
-- One profile for each person in an organization, and one for the organization itself.
create unique index broker_once on broker (organization_id, person_id) nulls not distinct;
create index broker_by_person on broker (person_id) where person_id is not null;

create table broker_qualification (
    broker_id uuid not null references broker on delete cascade,
    position integer not null,
    title text not null check (length(title) between 1 and 200),
    issuer text not null check (length(issuer) between 1 and 200),
    number text check (length(number) between 1 and 100),
    issued_on date,
    valid_until date check (valid_until >= issued_on),
    primary key (broker_id, position)
);

create table broker_assignment (
    id uuid primary key default uuidv7(),
    need_id uuid not null references listing,
    broker_id uuid not null references broker,
    assigned_at timestamptz not null,
    ended_at timestamptz check (ended_at >= assigned_at)
);
comment on table broker_assignment is 'Which broker an operator gave a need to; former ones stay as its history';
-- A need is one broker's at a time.
create unique index broker_assignment_open on broker_assignment (need_id) where ended_at is null;
create index broker_assignment_of_broker on broker_assignment (broker_id, need_id) where ended_at is null;

grant select, insert, update on broker to duijie_app;
grant select, insert, delete on broker_qualification to duijie_app;
grant select, insert, update (ended_at) on broker_assignment to duijie_app;

alter table broker enable row level security;
-- Members choose by whom they are helped, so every caller knows the brokers.
create policy broker_known on broker for select using ((select acting()));
-- A profile is its broker's own to write.
create policy broker_made_by_itself on broker for insert
    with check (
        (select acting_as('broker', 'system')) and organization_id = (select acting_organization())
        and person_id is not distinct from (select acting_person())
    );
create policy broker_changed_by_itself on broker for update
    using (
        (select acting_as('broker', 'system')) and organization_id = (select acting_organization())
        and person_id is not distinct from (select acting_person())
    );

-- Whether a profile is the acting broker's own. As a function, for a sub-select would carry the policies of brokers along.
create function is_own_broker(of_broker uuid) returns boolean
    language plpgsql stable parallel safe security definer set search_path = public as $$
begin
    return exists (
        select from broker
        where id = of_broker and organization_id = acting_organization() and person_id is not distinct from acting_person()
    );
end $$;

alter table broker_qualification enable row level security;
-- They are shown with the profile.
create policy broker_qualification_known on broker_qualification for select using ((select acting()));
create policy broker_qualification_stated_by_its_broker on broker_qualification for insert
    with check ((select acting_as('broker', 'system')) and is_own_broker(broker_id));
create policy broker_qualification_taken_off_by_its_broker on broker_qualification for delete
    using ((select acting_as('broker', 'system')) and is_own_broker(broker_id));

alter table broker_assignment enable row level security;
-- Who works on what is known to those whose work it is.
create policy broker_assignment_for_staff on broker_assignment for select using ((select acting_staff()));
-- Operators give out the work, and take it back.
create policy broker_assignment_made_by_operators on broker_assignment for insert with check ((select acting_operator()));
create policy broker_assignment_ended_by_operators on broker_assignment for update using ((select acting_operator()));

-- With a person its profiles are emptied; what was assigned stays on record under the profile's id.
create function broker_forget() returns trigger language plpgsql security definer set search_path = public as $$
begin
    delete from broker_qualification using broker where broker.id = broker_id and broker.person_id = new.id;
    update broker set name = '', introduction = '', available = false, version = version + 1, updated_at = now()
    where person_id = new.id;
    return null;
end $$;
create trigger person_erased_as_broker after update of state on person
    for each row when (new.state = 'erased') execute function broker_forget();

-- What a person said of itself as a broker, for its own export, whatever organization it acts for at the moment.
create function own_broker_profiles() returns setof jsonb
    language sql stable security definer set search_path = public
    begin atomic
        select to_jsonb(broker) || jsonb_build_object('qualifications', (
            select coalesce(jsonb_agg(to_jsonb(broker_qualification) - 'broker_id' order by position), '[]')
            from broker_qualification where broker_id = broker.id
        ))
        from broker where person_id = acting_person() order by id;
    end;

-- Figures of a broker's work in a period, from decisions and events that others may not read; it tells numbers alone.
-- Each is defined in service/brokers/figures.py.
create function broker_figures(of_broker uuid, since timestamptz, until timestamptz)
    returns table (refined bigint, reviewed bigint, introduced bigint, consented bigint, contracted bigint,
                   response_hours double precision)
    language sql stable security definer set search_path = public
    begin atomic
        with who as (
            select id, organization_id, person_id from broker where id = of_broker
        ), made as (
            select decision.recommendation_id, decision.action
            from who join decision on decision.organization_id = who.organization_id
             and decision.person_id is not distinct from who.person_id
            where decision.undone_at is null and decision.decided_at >= since and decision.decided_at < until
        ), left_events as (
            select event.subject_kind, event.subject_id, event.action, event.from_state
            from who join event on event.organization_id = who.organization_id
             and event.person_id is not distinct from who.person_id
            where event.at >= since and event.at < until
              and event.action in ('publish', 'register')
        ), begun as (
            select extract(epoch from first.at - broker_assignment.assigned_at) / 3600 as hours
            from who
            join broker_assignment on broker_assignment.broker_id = who.id
             and broker_assignment.assigned_at >= since and broker_assignment.assigned_at < until
            cross join lateral (
                select min(step.at) as at from (
                    select event.at from event
                    where event.subject_kind = 'need' and event.subject_id = broker_assignment.need_id
                      and event.organization_id = who.organization_id
                      and event.person_id is not distinct from who.person_id and event.at >= broker_assignment.assigned_at
                    union all
                    select decision.decided_at from recommendation
                    join decision on decision.recommendation_id = recommendation.id
                    where recommendation.need_id = broker_assignment.need_id
                      and recommendation.state in ('accepted', 'declined', 'snoozed')
                      and decision.organization_id = who.organization_id
                      and decision.person_id is not distinct from who.person_id
                      and decision.decided_at >= broker_assignment.assigned_at
                ) as step
            ) as first
            where first.at is not null
        )
        select
            (select count(distinct subject_id) from left_events
             where subject_kind = 'need' and action = 'publish' and from_state = 'refining'),
            (select count(distinct recommendation_id) from made where action in ('accept', 'decline')),
            (select count(distinct recommendation_id) from made where action = 'accept'),
            (select count(distinct recommendation_id) from made
             where action = 'accept' and (
                 select count(distinct side) from consent where consent.recommendation_id = made.recommendation_id
             ) = 2),
            (select count(distinct subject_id) from left_events where subject_kind = 'contract' and action = 'register'),
            (select percentile_cont(0.5) within group (order by hours) from begun);
    end;
-- The few kinds of step that a broker's figures are counted from.
create index event_of_broker on event (organization_id, person_id, action, at) where action in ('refine', 'publish', 'register');

-- How many needs a broker began to refine that are still being refined.
create function broker_refining(of_broker uuid) returns bigint
    language sql stable security definer set search_path = public
    begin atomic
        select count(*) from broker
        join event on event.organization_id = broker.organization_id and event.person_id is not distinct from broker.person_id
        join listing on listing.id = event.subject_id and listing.state = 'refining'
        where broker.id = of_broker and event.subject_kind = 'need' and event.action = 'refine'
          and not exists (
              select from event as later
              where later.subject_kind = 'need' and later.subject_id = event.subject_id and later.id > event.id
                and later.to_state is not null
          );
    end;
