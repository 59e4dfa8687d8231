-- Brokers' work: whose a case is and that it can change hands, what a round of refinement came to, and the figures of both.

-- The person of the broker's organization who accepted the pair, or to whom the case was handed; null: the organization itself.
alter table docking_case
    add column broker_person_id uuid references person,
    -- When both sides had consented for the first time; it stays when one of them withdraws.
    add column consented_at timestamptz,
    add constraint docking_case_person_of_an_organization check (broker_person_id is null or broker_organization_id is not null);
update docking_case
set broker_person_id = (
        select person_id from decision
        where decision.recommendation_id = docking_case.recommendation_id and action = 'accept'
          and decision.organization_id = broker_organization_id
        order by id desc limit 1
    ),
    consented_at = coalesce(
        (select min(at) from event where subject_kind = 'case' and subject_id = docking_case.id and to_state = 'consented'),
        contracted_at
    );
create index docking_case_in_hand on docking_case (broker_organization_id, broker_person_id) where state not in ('closed', 'lapsed');
create index docking_case_consented on docking_case (broker_organization_id, broker_person_id, consented_at)
    where consented_at is not null;
grant update (broker_organization_id, broker_person_id, consented_at) on docking_case to duijie_app;

-- Both sides and every broker may change a case, but whose it is only its own broker may, and operators.
create function case_is_handed_over() returns trigger language plpgsql as $$
begin
    if not (
        acting_operator()
        or (acting_as('broker') and (old.broker_organization_id is null or old.broker_organization_id = acting_organization()))
    ) then
        raise insufficient_privilege using message = 'a case is handed over by its broker or by operators';
    end if;
    return new;
end $$;
create trigger case_is_handed_over before update of broker_organization_id, broker_person_id on docking_case
    for each row when (
        (old.broker_organization_id, old.broker_person_id) is distinct from (new.broker_organization_id, new.broker_person_id)
    ) execute function case_is_handed_over();

-- Whether a round of refinement ended with the publication of its text.
alter table refinement
    add column published boolean not null default false,
    add constraint refinement_published_at_its_end check (not published or ended_at is not null);
update refinement
set published = coalesce((
    select event.action = 'publish' from event
    where event.subject_kind in ('need', 'outcome') and event.subject_id = listing_id and event.from_state = 'refining'
      and event.to_state <> 'refining' and event.at >= begun_at
    order by event.id limit 1
), false)
where ended_at is not null;
grant update (published) on refinement to duijie_app;
create index refinement_published on refinement (organization_id, person_id, ended_at) where published;

-- Whether a profile is that of somebody who can act as a broker today: a member with the role, or for the profile of an
-- organization any key or member of it with the role. Looks past the policies, and answers yes or no.
create function is_acting_broker(of_broker uuid) returns boolean
    language plpgsql stable parallel safe security definer set search_path = public as $$
begin
    return exists (
        select from broker join organization on organization.id = broker.organization_id
        where broker.id = of_broker and organization.state <> 'suspended' and (
            exists (
                select from membership
                where membership.organization_id = broker.organization_id and 'broker' = any (roles)
                  and (broker.person_id is null or membership.person_id = broker.person_id)
                  and ended_at is null and (valid_until is null or valid_until > now())
            ) or broker.person_id is null and exists (
                select from api_key
                where api_key.organization_id = broker.organization_id and 'broker' = any (roles) and api_key.person_id is null
                  and revoked_at is null and (expires_at is null or expires_at > now())
            )
        )
    );
end $$;

-- Figures of a broker's work in a period, from rows that others may not read; it tells numbers alone.
-- Each is defined in service/brokers/figures.py. Contracts are counted by broker_contracts.
drop function broker_figures(uuid, timestamptz, timestamptz);
drop function broker_refining(uuid);
drop index event_of_broker;
create function broker_figures(of_broker uuid, since timestamptz, until timestamptz)
    returns table (refined bigint, reviewed bigint, introduced bigint, consented bigint, response_hours double precision)
    language sql stable security definer set search_path = public
    begin atomic
        with who as (
            select id, organization_id, person_id from broker where id = of_broker
        ), made as (
            select decision.recommendation_id, decision.action
            from who join decision on decision.organization_id = who.organization_id
             and decision.person_id is not distinct from who.person_id
            where decision.undone_at is null and decision.decided_at >= since and decision.decided_at < until
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
            (select count(*) from who
             join refinement on refinement.organization_id = who.organization_id
              and refinement.person_id is not distinct from who.person_id
             where refinement.published and refinement.ended_at >= since and refinement.ended_at < until),
            (select count(distinct recommendation_id) from made where action in ('accept', 'decline')),
            (select count(distinct recommendation_id) from made where action = 'accept'),
            (select count(*) from who
             join docking_case on broker_organization_id = who.organization_id
              and broker_person_id is not distinct from who.person_id
             where consented_at >= since and consented_at < until),
            (select percentile_cont(0.5) within group (order by hours) from begun);
    end;

-- Registered contracts of some brokers in a period of days, by the broker's place in the arguments and by currency: those from
-- the broker's cases, and from pairs that it accepted. How many there are everybody may know; the amounts are for staff, since
-- the sum of one contract is that contract's.
create index contract_of_case on contract (case_id) where case_id is not null;
create index contract_of_pair on contract (recommendation_id) where recommendation_id is not null;
create function broker_contracts(organizations uuid[], persons uuid[], after_day date, until_day date)
    returns table (place bigint, currency text, contracts bigint, turnover numeric, technology_value numeric)
    language sql stable security definer set search_path = public
    begin atomic
        select given.place, contract.currency, count(*),
               case when acting_staff() then sum(contract.turnover) end,
               case when acting_staff() then sum(contract.technology_value) end
        from unnest(organizations, persons) with ordinality as given (organization_id, person_id, place)
        cross join lateral (
            select contract.id from docking_case join contract on contract.case_id = docking_case.id
            where docking_case.broker_organization_id = given.organization_id
              and docking_case.broker_person_id is not distinct from given.person_id
            union
            select contract.id from decision join contract on contract.recommendation_id = decision.recommendation_id
            where decision.organization_id = given.organization_id and decision.person_id is not distinct from given.person_id
              and decision.action = 'accept' and decision.undone_at is null
        ) as own
        join contract on contract.id = own.id
        where contract.registered_on > after_day and contract.registered_on <= until_day
          and contract.state in ('registered', 'changed', 'filed', 'rejected', 'settled')
        group by given.place, contract.currency;
    end;
