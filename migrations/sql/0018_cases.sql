-- Cases (对接): what follows when a broker accepted a pair, and who may read and write it. Each policy has its reason in front.

create table docking_case (
    id uuid primary key default uuidv7(),
    recommendation_id uuid not null references recommendation,
    need_id uuid not null references listing,
    outcome_id uuid not null references listing,
    -- As at the opening: a case stays with those who were asked.
    need_organization_id uuid not null references organization,
    outcome_organization_id uuid not null references organization,
    -- Null where no organization accepted the pair, but the service itself: any broker handles it.
    broker_organization_id uuid references organization,
    state text not null default 'invited' check (
        state in ('invited', 'consented', 'consulting', 'negotiating', 'contracted', 'following', 'closed', 'lapsed')
    ),
    closed_as text check (closed_as in ('won', 'lost', 'undone')),
    code text check (code ~ '^[a-z_]{2,40}$'),
    -- Regions of both sides as at the opening, and the partner pairs that they are, as 'from:to:program'.
    need_region text references region,
    outcome_region text references region,
    partner_pairs text[] not null default '{}',
    mode text,
    terms jsonb not null default '{}',
    -- The number of the newest message.
    messages integer not null default 0,
    -- Of all files together, in bytes; those that one does not see count too.
    stored_bytes bigint not null default 0,
    version integer not null default 1,
    opened_at timestamptz not null,
    state_since timestamptz not null,
    updated_at timestamptz not null,
    contracted_at timestamptz,
    closed_at timestamptz,
    constraint docking_case_closed check ((state = 'closed') = (closed_as is not null and code is not null and closed_at is not null)),
    constraint docking_case_contracted check (state not in ('contracted', 'following') or contracted_at is not null)
);
comment on table docking_case is '对接: an accepted pair on its way to a contract';
-- One active case per pair: what is closed or lapsed stays on record beside it.
create unique index docking_case_active on docking_case (need_id, outcome_id) where state not in ('closed', 'lapsed');
create index docking_case_of_recommendation on docking_case (recommendation_id, id);
create index docking_case_of_need_side on docking_case (need_organization_id, id);
create index docking_case_of_outcome_side on docking_case (outcome_organization_id, id);
create index docking_case_of_broker on docking_case (broker_organization_id, id);
create index docking_case_of_partners on docking_case using gin (partner_pairs) where partner_pairs <> '{}';

create table case_wait (
    id uuid primary key default uuidv7(),
    case_id uuid not null references docking_case on delete cascade,
    party text not null check (party in ('need', 'outcome', 'broker')),
    what text not null check (what in ('invitation', 'question', 'consult', 'reply', 'contract', 'follow', 'close')),
    -- Of a question to the broker: which side asks.
    about text check (about in ('need', 'outcome')),
    asked_at timestamptz not null,
    -- When the present term began: with the question, or when it was extended.
    begun_at timestamptz not null,
    due_at timestamptz not null,
    days integer not null check (days between 1 and 365),
    -- Whether a day on the way has no published calendar yet, so that Mondays to Fridays were counted.
    provisional boolean not null,
    reminders integer not null default 0,
    escalated_at timestamptz,
    -- When the clock has to look at it again; null: never.
    next_at timestamptz,
    ended_at timestamptz,
    -- Whether the party itself ended it by doing what it was awaited for.
    answered boolean not null default false,
    constraint case_wait_answer check (not answered or ended_at is not null),
    constraint case_wait_question check ((what = 'question') = (about is not null))
);
comment on table case_wait is 'Who is awaited in a case, for what and until when';
-- A party is awaited for one thing at a time, and the broker for the questions of both sides.
create unique index case_wait_open on case_wait (case_id, party, coalesce(about, '')) where ended_at is null;
create index case_wait_next on case_wait (next_at) where ended_at is null;
create index case_wait_of_case on case_wait (case_id, id);

create table case_message (
    id uuid primary key default uuidv7(),
    case_id uuid not null references docking_case on delete cascade,
    number integer not null check (number >= 1),
    -- Who reads it: both sides and the broker, one side and the broker, or the broker alone.
    channel text not null check (channel in ('shared', 'need', 'outcome', 'broker')),
    party text not null check (party in ('need', 'outcome', 'broker')),
    body text not null check (length(body) <= 10000),
    organization_id uuid references organization,
    key_id uuid references api_key,
    person_id uuid references person,
    sent_at timestamptz not null,
    -- Messages of a case are numbered one by one, so that a read mark is one number.
    constraint case_message_number unique (case_id, number)
);
comment on table case_message is 'What was said in a case, and who reads it';

create table case_attachment (
    message_id uuid primary key references case_message on delete cascade,
    case_id uuid not null references docking_case on delete cascade,
    name text not null check (length(name) between 1 and 200),
    media_type text not null,
    size integer not null check (size > 0),
    digest bytea not null check (length(digest) = 32),
    content bytea not null check (length(content) = size)
);
comment on table case_attachment is 'Files of messages: in the database, so that backup, deletion and policies hold for them too';
create index case_attachment_of_case on case_attachment (case_id);

create table case_read_mark (
    case_id uuid not null references docking_case on delete cascade,
    -- The key or the person of a login that read.
    caller uuid not null,
    party text not null check (party in ('need', 'outcome', 'broker')),
    number integer not null check (number >= 0),
    at timestamptz not null,
    primary key (case_id, caller)
);
comment on table case_read_mark is 'Up to which message somebody has read a case';

create table case_meeting (
    id uuid primary key default uuidv7(),
    case_id uuid not null references docking_case on delete cascade,
    title text not null check (length(title) between 1 and 200),
    place text not null default '',
    agenda text not null default '',
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    cancelled boolean not null default false,
    version integer not null default 1,
    updated_at timestamptz not null,
    constraint case_meeting_order check (ends_at > starts_at)
);
create index case_meeting_of_case on case_meeting (case_id, starts_at);

create table case_milestone (
    id uuid primary key default uuidv7(),
    case_id uuid not null references docking_case on delete cascade,
    title text not null check (length(title) between 1 and 200),
    due_on date not null,
    done_on date,
    version integer not null default 1,
    updated_at timestamptz not null
);
create index case_milestone_of_case on case_milestone (case_id, due_on);

create table follow_up (
    id uuid primary key default uuidv7(),
    case_id uuid not null references docking_case on delete cascade,
    side text not null check (side in ('need', 'outcome')),
    months integer not null check (months between 1 and 120),
    asked_at timestamptz not null,
    due_at timestamptz not null,
    provisional boolean not null,
    reminders integer not null default 0,
    next_at timestamptz,
    answered_at timestamptz,
    used boolean,
    paid boolean,
    amount numeric(18, 2) check (amount >= 0),
    currency text not null default 'CNY' check (currency ~ '^[A-Z]{3}$'),
    note text not null default '' check (length(note) <= 2000),
    -- Each side is asked once at each interval.
    constraint follow_up_once unique (case_id, side, months),
    constraint follow_up_answer check ((answered_at is null) = (used is null) and (answered_at is null) = (paid is null)),
    constraint follow_up_amount check (amount is null or paid)
);
comment on table follow_up is '跟踪: whether the result is used and whether it paid, asked of each side at intervals';
create index follow_up_next on follow_up (next_at) where answered_at is null;

create table partner_operator (
    id uuid primary key default uuidv7(),
    from_region text not null,
    to_region text not null,
    program text not null,
    organization_id uuid not null references organization,
    assigned_at timestamptz not null,
    ended_at timestamptz,
    foreign key (from_region, to_region, program) references partner_pair
);
comment on table partner_operator is 'Which organization sees the cases of a partner pair';
-- A pair has one operator at a time.
create unique index partner_operator_open on partner_operator (from_region, to_region, program) where ended_at is null;
create index partner_operator_of_organization on partner_operator (organization_id) where ended_at is null;

grant select, insert on docking_case, case_wait, case_message, case_attachment, case_read_mark, case_meeting, case_milestone,
    follow_up, partner_operator to duijie_app;
-- Whose case it is stays as it was opened.
grant update (state, closed_as, code, mode, terms, messages, stored_bytes, version, state_since, updated_at, contracted_at, closed_at)
    on docking_case to duijie_app;
grant update (begun_at, due_at, days, provisional, reminders, escalated_at, next_at, ended_at, answered) on case_wait to duijie_app;
grant update (number, at, party) on case_read_mark to duijie_app;
grant update (title, place, agenda, starts_at, ends_at, cancelled, version, updated_at) on case_meeting to duijie_app;
grant update (title, due_on, done_on, version, updated_at) on case_milestone to duijie_app;
grant update (due_at, provisional, reminders, next_at, answered_at, used, paid, amount, currency, note) on follow_up to duijie_app;
grant update (ended_at) on partner_operator to duijie_app;

-- The partner pairs that the acting organization operates, as cases name them.
create function acting_partner_pairs() returns text[]
    language sql stable parallel safe security definer set search_path = public
    begin atomic
        select coalesce(array_agg(from_region || ':' || to_region || ':' || program), '{}')
        from partner_operator where organization_id = acting_organization() and ended_at is null;
    end;
-- Whether a case is one's own to work on: its two sides, and reviewers. Looks past the policies, and answers yes or no.
create function takes_part_in_case(one uuid) returns boolean
    language plpgsql stable parallel safe security definer set search_path = public as $$
begin
    return exists (
        select from docking_case where id = one
          and (acting_reviewer() or acting_organization() in (need_organization_id, outcome_organization_id))
    );
end $$;
-- Whether the acting organization has a side of a case.
create function has_side_of_case(one uuid, side text) returns boolean
    language plpgsql stable parallel safe security definer set search_path = public as $$
begin
    return exists (
        select from docking_case where id = one
          and acting_organization() = case side when 'need' then need_organization_id else outcome_organization_id end
    );
end $$;
-- Whether the actor reads a channel of a case. What is said is for those who take part: of the staff the broker's own
-- organization, and operators, to whom a case goes that the broker leaves; notes of the broker are the broker's.
create function reads_channel(one uuid, channel text) returns boolean
    language plpgsql stable parallel safe security definer set search_path = public as $$
begin
    return exists (
        select from docking_case where id = one and (
            acting_as('administrator', 'system')
            or (acting_as('broker') and (broker_organization_id is null or broker_organization_id = acting_organization()))
            or (channel <> 'broker' and acting_as('operator'))
            or (channel in ('shared', 'need') and need_organization_id = acting_organization())
            or (channel in ('shared', 'outcome') and outcome_organization_id = acting_organization())
        )
    );
end $$;
-- This one looks with the actor's own eyes.
create function sees_case(one uuid) returns boolean language plpgsql stable parallel safe as $$
begin
    return exists (select from public.docking_case where id = one);
end $$;

alter table docking_case enable row level security;
-- A case is for its two sides, for staff, and for the operator of a partner pair that the two regions are.
create policy docking_case_of_its_sides_staff_and_partner_operators on docking_case for select
    using (
        (select acting_staff())
        or need_organization_id = (select acting_organization()) or outcome_organization_id = (select acting_organization())
        or (partner_pairs <> '{}' and partner_pairs && (select acting_partner_pairs()))
    );
-- Whoever accepts a pair opens its case, in the name of the own organization.
create policy docking_case_opened_by_who_accepts on docking_case for insert
    with check (
        (select acting_as('broker', 'administrator', 'system'))
        and broker_organization_id is not distinct from (select acting_organization())
    );
create policy docking_case_continued_by_its_sides_and_reviewers on docking_case for update
    using (
        (select acting_reviewer())
        or need_organization_id = (select acting_organization()) or outcome_organization_id = (select acting_organization())
    );

alter table case_wait enable row level security;
-- Whoever sees a case sees who is awaited.
create policy case_wait_with_its_case on case_wait for select using (sees_case(case_id));
create policy case_wait_begun_by_who_takes_part on case_wait for insert with check (takes_part_in_case(case_id));
create policy case_wait_ended_by_who_takes_part on case_wait for update using (takes_part_in_case(case_id));

alter table case_message enable row level security;
-- Each side reads what is for both and what is between itself and the broker.
create policy case_message_of_its_channel on case_message for select using (reads_channel(case_id, channel));
-- Nobody speaks in another's name.
create policy case_message_sent_by_who_acts on case_message for insert
    with check (
        reads_channel(case_id, channel)
        and key_id is not distinct from (select acting_key()) and person_id is not distinct from (select acting_person())
        and organization_id is not distinct from (select acting_organization())
    );

alter table case_attachment enable row level security;
-- A file is read with its message, and sent with it.
create policy case_attachment_with_its_message on case_attachment for select
    using (exists (select from case_message where case_message.id = message_id));
create policy case_attachment_sent_with_its_message on case_attachment for insert
    with check (exists (
        select from case_message
        where case_message.id = message_id and case_message.case_id = case_attachment.case_id
          and case_message.organization_id is not distinct from (select acting_organization())
    ));

alter table case_read_mark enable row level security;
-- Those who read a case's thread know how far the others have read.
create policy case_read_mark_with_its_thread on case_read_mark for select using (reads_channel(case_id, 'shared'));
create policy case_read_mark_of_who_reads on case_read_mark for insert
    with check (caller = coalesce((select acting_key()), (select acting_person())) and reads_channel(case_id, 'shared'));
create policy case_read_mark_moved_by_who_reads on case_read_mark for update
    using (caller = coalesce((select acting_key()), (select acting_person())));

-- Meetings and milestones are for those who read what is said to both sides.
alter table case_meeting enable row level security;
create policy case_meeting_of_who_takes_part on case_meeting for select using (reads_channel(case_id, 'shared'));
create policy case_meeting_called_by_who_takes_part on case_meeting for insert with check (reads_channel(case_id, 'shared'));
create policy case_meeting_moved_by_who_takes_part on case_meeting for update using (reads_channel(case_id, 'shared'));
alter table case_milestone enable row level security;
create policy case_milestone_of_who_takes_part on case_milestone for select using (reads_channel(case_id, 'shared'));
create policy case_milestone_set_by_who_takes_part on case_milestone for insert with check (reads_channel(case_id, 'shared'));
create policy case_milestone_moved_by_who_takes_part on case_milestone for update using (reads_channel(case_id, 'shared'));

alter table follow_up enable row level security;
-- What a side earned by it is that side's and staff's to know.
create policy follow_up_of_its_side_and_staff on follow_up for select
    using ((select acting_staff()) or has_side_of_case(case_id, side));
create policy follow_up_planned_by_reviewers on follow_up for insert with check ((select acting_reviewer()));
-- A side answers for itself; the service reminds.
create policy follow_up_answered_by_its_side on follow_up for update
    using ((select acting_as('system')) or has_side_of_case(case_id, side));

alter table partner_operator enable row level security;
-- Who operates a partner pair is known on the market, and decided by operators.
create policy partner_operator_seen on partner_operator for select using ((select acting()));
create policy partner_operator_assigned_by_operators on partner_operator for insert with check ((select acting_operator()));
create policy partner_operator_ended_by_operators on partner_operator for update using ((select acting_operator()));

-- An invitation is a question to an organization, as a return of its listing is. Its subject is the wait that it began.
alter table organization_response drop constraint organization_response_kind_check;
alter table organization_response add constraint organization_response_kind_check check (kind in ('revision', 'invitation'));
-- One side's no ends what the other side was asked, which it may neither see nor change otherwise.
create function end_invitations(of_case uuid, at timestamptz) returns void
    language sql volatile security definer set search_path = public
    begin atomic
        update organization_response set ended_at = greatest(asked_at, at)
        where kind = 'invitation' and ended_at is null and takes_part_in_case(of_case)
          and subject_id in (select id from case_wait where case_id = of_case);
    end;
-- How soon an organization answers invitations, told only from enough of them, and never from fewer than three.
create function invitation_answers(of_organization uuid, since timestamptz, at_least integer, out answered bigint, out median_hours double precision)
    language sql stable parallel safe security definer set search_path = public
    begin atomic
        select case when count(*) >= greatest(at_least, 3) then count(*) end,
               case when count(*) >= greatest(at_least, 3) then
                   percentile_cont(0.5) within group (order by extract(epoch from ended_at - asked_at)::double precision) / 3600
               end
        from organization_response
        where organization_id = of_organization and kind = 'invitation' and answered and asked_at >= since;
    end;
