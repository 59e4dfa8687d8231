-- Which contracts a broker's figures count: operators register them, brokers introduce the pairs that they come from.
-- Counted as the market's figures of contracts count: registered once, and not cancelled since.
create index contract_of_case on contract (case_id) where case_id is not null;
create index contract_of_pair on contract (recommendation_id) where recommendation_id is not null;

create or replace function broker_figures(of_broker uuid, since timestamptz, until timestamptz)
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
              and event.action = 'publish'
        ), contracted as (
            -- Of any pair that the broker introduced, whenever: the contract may come more than a period later.
            select distinct contract.id
            from who join decision on decision.organization_id = who.organization_id
             and decision.person_id is not distinct from who.person_id
             and decision.action = 'accept' and decision.undone_at is null
            left join docking_case on docking_case.recommendation_id = decision.recommendation_id
            join contract on contract.case_id = docking_case.id or contract.recommendation_id = decision.recommendation_id
            where contract.state in ('registered', 'changed', 'filed', 'rejected', 'settled')
              and contract.registered_on >= (since at time zone 'Asia/Shanghai')::date
              and contract.registered_on <= (until at time zone 'Asia/Shanghai')::date
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
            (select count(*) from contracted),
            (select percentile_cont(0.5) within group (order by hours) from begun);
    end;
