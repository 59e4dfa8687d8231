create table contract (
    id uuid primary key,
    state text not null default 'draft'
        check (state in ('draft', 'signed', 'filed', 'registered', 'rejected', 'settled', 'changed', 'cancelled')),
    version integer not null default 1,
    -- Who entered it; that is a party, or staff on behalf of the parties.
    organization_id uuid not null references organization,
    key_id uuid references api_key,
    person_id uuid references person,
    -- Where it comes from: an accepted pair, a case, or a stated reason why it is entered here.
    recommendation_id uuid references recommendation,
    case_id uuid references docking_case,
    origin_reason text,
    -- As the parties signed them; what changes afterwards stands in contract_change, and is laid over these.
    terms jsonb not null,
    -- What lists and figures ask of the terms as they are now.
    type text not null check (type in ('development', 'transfer', 'license', 'consulting', 'service')),
    name text not null check (name <> ''),
    field text references field,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    turnover numeric(18, 2) not null check (turnover >= 0),
    technology_value numeric(18, 2) not null,
    ends_on date,
    received numeric(18, 2) not null default 0 check (received >= 0),
    -- The day of the earliest payment that is still owed.
    next_due_on date,
    signed_on date,
    filed_at timestamptz,
    registered_on date,
    registration_number text,
    closed_at timestamptz,
    close_reason text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint contract_has_an_origin check (num_nonnulls(recommendation_id, case_id, origin_reason) = 1),
    constraint contract_signed_has_its_day check (state in ('draft', 'cancelled') or signed_on is not null),
    constraint contract_registered_has_its_day check (state not in ('registered', 'changed') or registered_on is not null),
    -- More is not taken off than there is, once there is something.
    constraint contract_adds_up check (turnover = 0 or (technology_value >= 0 and technology_value <= turnover))
);
comment on table contract is '技术合同: what two sides agreed on, and how far it has come';
-- One draft is made of a pair at a time.
create unique index contract_draft_of_pair on contract (recommendation_id) where state = 'draft';
-- A registration number stands for one contract; a changed one keeps its number.
create unique index contract_number on contract (registration_number) where registration_number is not null;
create index contract_by_state on contract (state, id);
create index contract_by_registration on contract (registered_on, id) where registered_on is not null;
create index contract_by_due on contract (next_due_on, id) where next_due_on is not null;

create table contract_party (
    contract_id uuid not null references contract,
    position integer not null,
    role text not null check (role in ('buyer', 'seller', 'intermediary')),
    organization_id uuid references organization,
    -- As the party was called when the contract was entered; that stays, whatever becomes of the organization.
    name text not null check (name <> ''),
    credit_code text,
    "foreign" boolean not null default false,
    region text references region,
    confirmed_at timestamptz,
    primary key (contract_id, position)
);
create index contract_party_by_organization on contract_party (organization_id, contract_id) where organization_id is not null;

create table contract_change (
    id uuid primary key default uuidv7(),
    contract_id uuid not null references contract,
    kind text not null check (kind in ('change', 'cancellation')),
    old jsonb not null,
    new jsonb not null,
    reason text not null check (reason <> ''),
    effective_on date not null,
    signed_on date,
    organization_id uuid not null references organization,
    key_id uuid references api_key,
    person_id uuid references person,
    at timestamptz not null default now(),
    -- It holds from when the other side confirmed it, or staff who saw the signed paper entered it.
    confirmed_at timestamptz,
    -- Another was proposed in its place before it was confirmed.
    superseded_at timestamptz,
    constraint contract_change_ends_once check (confirmed_at is null or superseded_at is null)
);
comment on table contract_change is '合同变更与解除: what was, what is instead, why, from when on';
create index contract_change_by_contract on contract_change (contract_id, id);
-- One change at a time waits to be confirmed, so that each begins where the one before it ended.
create unique index contract_change_waiting on contract_change (contract_id) where confirmed_at is null and superseded_at is null;

create table contract_filing (
    id uuid primary key default uuidv7(),
    contract_id uuid not null references contract,
    organization_id uuid not null references organization,
    key_id uuid references api_key,
    person_id uuid references person,
    filed_at timestamptz not null default now(),
    -- What was filed, line by line.
    draft jsonb not null,
    decided_at timestamptz,
    decision text check (decision in ('registered', 'rejected', 'withdrawn')),
    number text,
    registered_on date,
    office text,
    reason text,
    constraint contract_filing_decided check ((decided_at is null) = (decision is null)),
    constraint contract_filing_registered check (
        decision is distinct from 'registered' or num_nonnulls(number, registered_on, office) = 3
    ),
    constraint contract_filing_rejected check (decision is distinct from 'rejected' or reason is not null)
);
comment on table contract_filing is '认定登记: each filing with what became of it';
create index contract_filing_by_contract on contract_filing (contract_id, id);
-- A contract is before one office at a time.
create unique index contract_filing_open on contract_filing (contract_id) where decided_at is null;

create table contract_receipt (
    id uuid primary key default uuidv7(),
    contract_id uuid not null references contract,
    organization_id uuid not null references organization,
    key_id uuid references api_key,
    person_id uuid references person,
    at timestamptz not null default now(),
    received_on date not null,
    amount numeric(18, 2) not null check (amount <> 0),
    -- What was entered wrongly is reversed by a receipt of the opposite amount.
    reverses uuid references contract_receipt,
    note text,
    constraint contract_receipt_reversal_is_negative check ((amount < 0) = (reverses is not null))
);
create index contract_receipt_by_contract on contract_receipt (contract_id, id);
-- A receipt is reversed once.
create unique index contract_receipt_reversed on contract_receipt (reverses) where reverses is not null;

create table subsidy_rule (
    id uuid primary key default uuidv7(),
    code text not null check (code ~ '^[a-z][a-z0-9_]{1,63}$'),
    name_zh text not null check (name_zh <> ''),
    name_en text not null check (name_en <> ''),
    recipient text not null check (recipient in ('buyer', 'seller', 'intermediary')),
    basis text not null check (basis in ('turnover', 'technology_value')),
    rate numeric(7, 6) not null check (rate > 0 and rate <= 1),
    threshold numeric(18, 2) not null default 0 check (threshold >= 0),
    cap numeric(18, 2) check (cap > 0),
    currency text not null default 'CNY' check (currency ~ '^[A-Z]{3}$'),
    -- Prefix of the codes of GB/T 2260 that the recipient is in; empty: everywhere.
    region text not null default '' check (region ~ '^([0-9]{2}|[0-9]{4}|[0-9]{6})?$'),
    types text[] not null default '{}'
        check (types <@ array['development', 'transfer', 'license', 'consulting', 'service']),
    valid_from date not null,
    -- Its last day; the day before the first one where it never came to hold.
    valid_until date check (valid_until >= valid_from - 1),
    source text not null check (source <> ''),
    example boolean not null default false,
    key_id uuid references api_key,
    created_at timestamptz not null default now()
);
comment on table subsidy_rule is '奖补规则: versions of what the market gives for registered contracts';
-- Versions of a rule follow each other; two do not begin on one day.
create unique index subsidy_rule_version on subsidy_rule (code, valid_from);

-- Invented, to show what a rule says; an operator ends it and enters those of the own market.
insert into subsidy_rule (code, name_zh, name_en, recipient, basis, rate, threshold, cap, region, types, valid_from, source, example)
values
    ('example_buyer', '示例：买方奖补', 'Example: for buyers', 'buyer', 'technology_value', 0.05, 100000, 500000, '',
     '{development,transfer,license}', '2026-01-01', '示例规则，非任何地方政策 / an invented example, no policy of any place', true),
    ('example_seller', '示例：卖方奖补', 'Example: for sellers', 'seller', 'technology_value', 0.02, 50000, 200000, '',
     '{}', '2026-01-01', '示例规则，非任何地方政策 / an invented example, no policy of any place', true),
    ('example_broker', '示例：中介方奖补', 'Example: for intermediaries', 'intermediary', 'turnover', 0.01, 0, 100000, '',
     '{}', '2026-01-01', '示例规则，非任何地方政策 / an invented example, no policy of any place', true);

-- What was signed stays as it was signed.
create function contract_is_kept() returns trigger language plpgsql as $$
begin
    if old.state <> 'draft' and (new.terms, new.currency, new.type) is distinct from (old.terms, old.currency, old.type) then
        raise insufficient_privilege using message = 'contract is append-only once signed: a change is a record of its own';
    end if;
    return new;
end $$;
create trigger contract_is_kept before update on contract for each row execute function contract_is_kept();

grant select, insert, update on contract to duijie_app;
grant select, insert, delete on contract_party to duijie_app;
grant update (confirmed_at) on contract_party to duijie_app;
-- Records stay as they were made; all that happens to them is that they are decided.
grant select, insert on contract_change, contract_filing, contract_receipt, subsidy_rule to duijie_app;
grant update (confirmed_at, superseded_at) on contract_change to duijie_app;
grant update (decided_at, decision, number, registered_on, office, reason) on contract_filing to duijie_app;
grant update (valid_until) on subsidy_rule to duijie_app;

-- Whether the acting organization is one of a contract's parties. Past the policies, and yes or no only.
create function party_to_contract(one uuid) returns boolean
    language plpgsql stable parallel safe security definer set search_path = public as $$
begin
    return exists (select from contract_party where contract_id = one and organization_id = acting_organization());
end $$;
-- Which contracts those are: computed once a statement, where a list would ask for each of its rows.
create function own_contract() returns setof uuid
    language sql stable parallel safe security definer set search_path = public
    begin atomic
        select contract_id from contract_party where organization_id = acting_organization();
    end;
-- Whether a contract is a draft that the acting organization entered.
create function drafts_contract(one uuid) returns boolean
    language plpgsql stable parallel safe security definer set search_path = public as $$
begin
    return exists (
        select from contract where id = one and state = 'draft' and organization_id = acting_organization()
    );
end $$;
create function contract_is_draft(one uuid) returns boolean
    language plpgsql stable parallel safe security definer set search_path = public as $$
begin
    return exists (select from contract where id = one and state = 'draft');
end $$;

alter table contract enable row level security;
-- A contract is for its parties and staff; to everybody else there is none.
create policy contract_of_its_parties_and_staff on contract for select
    using ((select acting_staff()) or id in (select own_contract()));
-- Whoever enters a contract does so in the own name.
create policy contract_entered_by_who_acts on contract for insert
    with check (
        (select acting()) and organization_id = (select acting_organization())
        and key_id is not distinct from (select acting_key()) and person_id is not distinct from (select acting_person())
    );
-- An authority looks on.
create policy contract_continued_by_its_parties_and_reviewers on contract for update
    using ((select acting_reviewer()) or party_to_contract(id));

alter table contract_party enable row level security;
create policy contract_party_with_its_contract on contract_party for select
    using ((select acting_staff()) or contract_id in (select own_contract()));
-- Parties are written while the contract is a draft. None is entered as having confirmed.
create policy contract_party_of_a_draft on contract_party for insert
    with check (
        confirmed_at is null and contract_is_draft(contract_id)
        and ((select acting_reviewer()) or party_to_contract(contract_id) or drafts_contract(contract_id))
    );
-- A party confirms for itself; staff take confirmations back when the draft changes.
create policy contract_party_confirms on contract_party for update
    using (organization_id = (select acting_organization()));
create policy contract_party_replaced_in_a_draft on contract_party for delete
    using (contract_is_draft(contract_id) and ((select acting_reviewer()) or party_to_contract(contract_id)));

alter table contract_change enable row level security;
create policy contract_change_with_its_contract on contract_change for select
    using ((select acting_staff()) or party_to_contract(contract_id));
-- Nobody changes a contract in another's name, nor confirms in the same breath unless that is its work.
create policy contract_change_of_who_acts on contract_change for insert
    with check (
        organization_id = (select acting_organization())
        and key_id is not distinct from (select acting_key()) and person_id is not distinct from (select acting_person())
        and ((select acting_reviewer()) or party_to_contract(contract_id))
    );
-- What waits is confirmed or replaced; what was confirmed stays.
create policy contract_change_decided on contract_change for update
    using (
        confirmed_at is null and superseded_at is null
        and ((select acting_reviewer()) or party_to_contract(contract_id))
    )
    with check ((select acting_reviewer()) or party_to_contract(contract_id));

alter table contract_filing enable row level security;
create policy contract_filing_with_its_contract on contract_filing for select
    using ((select acting_staff()) or party_to_contract(contract_id));
create policy contract_filing_of_who_acts on contract_filing for insert
    with check (
        decided_at is null and organization_id = (select acting_organization())
        and key_id is not distinct from (select acting_key()) and person_id is not distinct from (select acting_person())
        and ((select acting_reviewer()) or party_to_contract(contract_id))
    );
-- Operators enter what the registering office decided.
create policy contract_filing_decided_by_operators on contract_filing for update
    using (decided_at is null and (select acting_operator()))
    with check ((select acting_operator()));
-- A party that cancels its contract takes the filing back, and can do nothing else with it.
create policy contract_filing_withdrawn_by_a_party on contract_filing for update
    using (decided_at is null and party_to_contract(contract_id))
    with check (decision = 'withdrawn');

alter table contract_receipt enable row level security;
create policy contract_receipt_with_its_contract on contract_receipt for select
    using ((select acting_staff()) or party_to_contract(contract_id));
create policy contract_receipt_of_who_acts on contract_receipt for insert
    with check (
        organization_id = (select acting_organization())
        and key_id is not distinct from (select acting_key()) and person_id is not distinct from (select acting_person())
        and ((select acting_reviewer()) or party_to_contract(contract_id))
    );

alter table subsidy_rule enable row level security;
-- What the market gives is for everybody to know, and for operators to set.
create policy subsidy_rule_read on subsidy_rule for select using ((select acting()));
create policy subsidy_rule_set_by_operators on subsidy_rule for insert
    with check ((select acting_operator()) and key_id is not distinct from (select acting_key()));
create policy subsidy_rule_ended_by_operators on subsidy_rule for update using ((select acting_operator()));
