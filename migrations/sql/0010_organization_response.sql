-- Every question that was put to an organization, and when and how it ended.

create table organization_response (
    id uuid primary key default uuidv7(),
    organization_id uuid not null references organization,
    -- revision: a listing was returned for changes, and is to be submitted again.
    kind text not null check (kind in ('revision')),
    -- The listing.
    subject_id uuid not null,
    asked_at timestamptz not null,
    -- Null while the question is open.
    ended_at timestamptz check (ended_at >= asked_at),
    -- Whether the organization itself ended it by its answer.
    answered boolean not null default false,
    constraint organization_response_answer check (not answered or ended_at is not null)
);
comment on table organization_response is 'Questions to organizations: what their responsiveness is counted from';
-- A subject asks its organization one question of a kind at a time.
create unique index organization_response_open on organization_response (kind, subject_id) where ended_at is null;
create index organization_response_of_organization on organization_response (organization_id, asked_at);

-- What was asked, and when, stays as it was.
grant select, insert, update (ended_at, answered) on organization_response to duijie_app;

-- What was returned before is in the log of events.
insert into organization_response (organization_id, kind, subject_id, asked_at, ended_at, answered)
select listing.organization_id, 'revision', listing.id, asked.at, ending.at,
       coalesce(ending.action = 'submit' and ending.organization_id = listing.organization_id, false)
from event asked
join listing on listing.id = asked.subject_id
left join lateral (
    select greatest(at, asked.at) as at, action, organization_id from event
    where subject_kind = asked.subject_kind and subject_id = asked.subject_id and id > asked.id and action in ('submit', 'withdraw')
    order by id
    limit 1
) ending on true
where asked.subject_kind in ('need', 'outcome') and asked.action = 'return'
  and asked.organization_id is distinct from listing.organization_id;
