-- Who is told of what: an outbox filled with each event, notifications, mail and webhooks. docs/adr/0021-notices.md says why.

-- Events that nobody has been told of yet. A row leaves in the transaction that writes down who is told.
create table outbox (
    -- No reference: events are truncated and pruned by rules of their own, which name no other table.
    event_id uuid primary key,
    subject_id uuid not null,
    -- How often working it out has failed, and when it is tried again.
    attempts integer not null default 0,
    next_at timestamptz not null default '-infinity'
);
-- The earliest of a subject goes first; the others of that subject wait for it.
create index outbox_by_subject on outbox (subject_id, event_id);
comment on table outbox is 'Events on their way to notifications and webhooks';

-- In the database and not in the function that records events, because bulk statements insert events without it.
create function leave_in_outbox() returns trigger
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    insert into public.outbox (event_id, subject_id) values (new.id, new.subject_id);
    return null;
end
$$;
revoke execute on function leave_in_outbox() from public;
create trigger event_is_told after insert on event for each row execute function leave_in_outbox();

create table mail (
    id uuid primary key default uuidv7(),
    organization_id uuid references organization,
    person_id uuid references person,
    recipient_id uuid not null generated always as (coalesce(organization_id, person_id)) stored,
    kind text not null check (kind in ('at_once', 'daily', 'weekly')),
    -- Of a digest: when its day or week ended.
    period_end timestamptz,
    state text not null default 'pending' check (
        state in (
            'pending', -- -> sent, bounced, failed, skipped
            'sent',
            'bounced', -- the mail server refused it for good
            'failed', -- the mail server was out of reach for three days
            'skipped' -- there is no address any more
        )
    ),
    attempts integer not null default 0,
    next_at timestamptz not null,
    leased_until timestamptz,
    -- The mail server's code and enhanced status alone: its text may repeat the address.
    reply text check (length(reply) <= 40),
    created_at timestamptz not null,
    sent_at timestamptz,
    constraint mail_has_one_recipient check (num_nonnulls(organization_id, person_id) = 1),
    constraint mail_digest_has_period check ((kind = 'at_once') = (period_end is null)),
    constraint mail_sent check ((state = 'sent') = (sent_at is not null))
);
-- One digest for each recipient and period, however many workers make it.
create unique index mail_digest_once on mail (recipient_id, kind, period_end) where kind <> 'at_once';
create index mail_due on mail (next_at) where state = 'pending';
create index mail_by_recipient on mail (recipient_id, id);
comment on table mail is 'E-mails to be sent and sent, without address and text: both are looked up when one is sent';

create table notification (
    id uuid primary key default uuidv7(),
    -- No reference: an event that is pruned leaves what was told of it.
    event_id uuid not null,
    organization_id uuid references organization,
    person_id uuid references person,
    recipient_id uuid not null generated always as (coalesce(organization_id, person_id)) stored,
    -- Within an organization only for those who carry the role.
    for_role text check (for_role in ('broker', 'operator')),
    category text not null check (category in ('listing', 'match', 'case', 'contract', 'review', 'account')),
    subject_kind text not null,
    subject_id uuid not null,
    action text not null,
    text_zh text not null,
    text_en text not null,
    in_app boolean not null,
    -- How it goes out by mail, as the recipient preferred it when it was told.
    mailing text not null check (mailing in ('at_once', 'daily', 'weekly', 'off')),
    mail_id uuid references mail on delete set null,
    at timestamptz not null,
    created_at timestamptz not null,
    read_at timestamptz,
    constraint notification_has_one_recipient check (num_nonnulls(organization_id, person_id) = 1),
    -- Nobody is told twice of one event, however often the outbox is worked through.
    constraint notification_once unique nulls not distinct (event_id, recipient_id, for_role)
);
create index notification_by_recipient on notification (recipient_id, id) where in_app;
create index notification_unread on notification (recipient_id, id) where in_app and read_at is null;
create index notification_for_digest on notification (mailing, created_at) where mail_id is null and mailing in ('daily', 'weekly');
create index notification_by_mail on notification (mail_id) where mail_id is not null;
create index notification_by_age on notification (created_at);
comment on table notification is 'What an organization or a person was told: titles only, as far as the recipient may know them';

create table notice_preference (
    id uuid primary key default uuidv7(),
    organization_id uuid references organization,
    person_id uuid references person,
    recipient_id uuid not null generated always as (coalesce(organization_id, person_id)) stored
        constraint notice_preference_once unique,
    language text not null check (language in ('zh', 'en')),
    -- Where an organization's mail goes; a person's goes to the person's own address.
    email text check (length(email) <= 254),
    -- By category: {"in_app": true, "mail": "daily"}; a category that is missing has its default.
    categories jsonb not null default '{}',
    version integer not null default 2,
    updated_at timestamptz not null default now(),
    constraint notice_preference_has_one_recipient check (num_nonnulls(organization_id, person_id) = 1),
    constraint notice_preference_person_has_an_address check (person_id is null or email is null)
);

create table webhook (
    id uuid primary key default uuidv7(),
    organization_id uuid not null references organization,
    url text not null check (length(url) <= 2000),
    description text not null default '' check (length(description) <= 200),
    -- Empty: every type.
    types text[] not null default '{}',
    -- Whether a delivery waits until the earlier ones of its subject are delivered or given up.
    ordered boolean not null default false,
    state text not null default 'enabled' check (state in ('enabled', 'disabled')),
    disabled_reason text check (disabled_reason in ('asked', 'gone', 'failing')),
    -- AES-256-GCM: 12 bytes of nonce, ciphertext with tag. The key is not in the database.
    secret bytea not null check (length(secret) > 28),
    old_secret bytea check (length(old_secret) > 28),
    old_until timestamptz,
    -- Since when nothing got through.
    failing_since timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint webhook_old_secret_ends check ((old_secret is null) = (old_until is null)),
    constraint webhook_disabled_for_a_reason check ((state = 'disabled') = (disabled_reason is not null))
);
create index webhook_by_organization on webhook (organization_id, id);
comment on table webhook is 'Where an organization wants to be called';

create table webhook_delivery (
    -- Also the webhook-id that the receiver sees, the same in each attempt and replay.
    id uuid primary key default uuidv7(),
    webhook_id uuid not null references webhook on delete cascade,
    organization_id uuid not null references organization,
    -- Null for a test.
    event_id uuid,
    subject_id uuid not null,
    type text not null,
    -- As it is signed and sent, byte for byte.
    body text not null check (length(body) <= 20000),
    state text not null default 'pending' check (
        state in (
            'pending', -- -> delivered, dead
            'delivered', -- -> pending by a replay
            'dead' -- given up; -> pending by a replay
        )
    ),
    -- Of all attempts, and of those since it was made or replayed.
    attempts integer not null default 0,
    tries integer not null default 0,
    next_at timestamptz not null,
    leased_until timestamptz,
    last_status integer,
    last_error text check (length(last_error) <= 200),
    created_at timestamptz not null,
    delivered_at timestamptz,
    constraint webhook_delivery_delivered check (state <> 'delivered' or delivered_at is not null),
    -- One delivery of an event to each endpoint, however often the outbox is worked through.
    constraint webhook_delivery_once unique (webhook_id, event_id)
);
create index webhook_delivery_due on webhook_delivery (webhook_id, next_at, id) where state = 'pending';
-- What an ordered endpoint asks: is there an earlier one of the subject?
create index webhook_delivery_by_subject on webhook_delivery (webhook_id, subject_id, id) where state = 'pending';
create index webhook_delivery_log on webhook_delivery (webhook_id, id);
create index webhook_delivery_by_age on webhook_delivery (created_at);

create table webhook_attempt (
    delivery_id uuid not null references webhook_delivery on delete cascade,
    number integer not null check (number > 0),
    organization_id uuid not null references organization,
    at timestamptz not null,
    milliseconds integer not null check (milliseconds >= 0),
    -- Null where no answer came.
    status integer,
    error text check (length(error) <= 200),
    primary key (delivery_id, number)
);
comment on table webhook_attempt is 'Each call of an endpoint, and what came of it; never what was answered';

grant select, update, delete on outbox to duijie_app;
grant select, insert, delete on mail, notification to duijie_app;
grant update (state, attempts, next_at, leased_until, reply, sent_at) on mail to duijie_app;
grant update (read_at, mail_id) on notification to duijie_app;
grant select, insert, update on notice_preference to duijie_app;
grant select, insert, update, delete on webhook, webhook_delivery to duijie_app;
grant select, insert on webhook_attempt to duijie_app;

alter table outbox enable row level security;
-- Working out who is told is the service's own business; the trigger that fills it belongs to the owner.
create policy outbox_worked_through_by_the_service on outbox for select using ((select acting_as('system')));
create policy outbox_put_off_by_the_service on outbox for update using ((select acting_as('system')));
create policy outbox_emptied_by_the_service on outbox for delete using ((select acting_as('system')));

alter table mail enable row level security;
-- A recipient sees whether mail got through. Only the service makes and sends it.
create policy mail_of_its_recipient on mail for select
    using (
        organization_id = (select acting_organization()) or person_id = (select acting_person()) or (select acting_as('system'))
    );
create policy mail_made_by_the_service on mail for insert with check ((select acting_as('system')));
create policy mail_sent_by_the_service on mail for update using ((select acting_as('system')));
create policy mail_forgotten_by_the_service on mail for delete using ((select acting_as('system')));

alter table notification enable row level security;
-- What an organization is told is for all who act for it, unless it is for a role; what a person is told is the person's.
create policy notification_of_its_recipient on notification for select
    using (
        (organization_id = (select acting_organization()) and (for_role is null or acting_as(for_role, 'administrator')))
        or person_id = (select acting_person()) or (select acting_as('system'))
    );
create policy notification_told_by_the_service on notification for insert with check ((select acting_as('system')));
-- Reading marks it, and nothing else of it can be changed.
create policy notification_read_by_its_recipient on notification for update
    using (
        (organization_id = (select acting_organization()) and (for_role is null or acting_as(for_role, 'administrator')))
        or person_id = (select acting_person()) or (select acting_as('system'))
    );
create policy notification_forgotten_by_the_service on notification for delete using ((select acting_as('system')));

alter table notice_preference enable row level security;
-- Everybody chooses for itself.
create policy notice_preference_of_its_recipient on notice_preference for select
    using (
        organization_id = (select acting_organization()) or person_id = (select acting_person()) or (select acting_as('system'))
    );
create policy notice_preference_chosen_by_its_recipient on notice_preference for insert
    with check (organization_id = (select acting_organization()) or person_id = (select acting_person()));
create policy notice_preference_changed_by_its_recipient on notice_preference for update
    using (organization_id = (select acting_organization()) or person_id = (select acting_person()));

alter table webhook enable row level security;
-- An endpoint is its organization's alone, operators included among the others; the service calls it, and ends it when it is gone.
create policy webhook_of_its_organization on webhook for select
    using (organization_id = (select acting_organization()) or (select acting_as('system')));
create policy webhook_named_by_its_organization on webhook for insert with check (organization_id = (select acting_organization()));
create policy webhook_changed_by_its_organization on webhook for update
    using (organization_id = (select acting_organization()) or (select acting_as('system')));
create policy webhook_removed_by_its_organization on webhook for delete using (organization_id = (select acting_organization()));

alter table webhook_delivery enable row level security;
create policy webhook_delivery_of_its_organization on webhook_delivery for select
    using (organization_id = (select acting_organization()) or (select acting_as('system')));
-- Whoever has an endpoint tests it, and has deliveries sent again.
create policy webhook_delivery_made_by_its_organization on webhook_delivery for insert
    with check (organization_id = (select acting_organization()) or (select acting_as('system')));
create policy webhook_delivery_sent_again_by_its_organization on webhook_delivery for update
    using (organization_id = (select acting_organization()) or (select acting_as('system')));
create policy webhook_delivery_forgotten_by_the_service on webhook_delivery for delete using ((select acting_as('system')));

alter table webhook_attempt enable row level security;
create policy webhook_attempt_of_its_organization on webhook_attempt for select
    using (organization_id = (select acting_organization()) or (select acting_as('system')));
create policy webhook_attempt_noted_by_the_service on webhook_attempt for insert with check ((select acting_as('system')));
