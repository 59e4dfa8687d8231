-- Refinement (凝练): who took a need in hand, what its organization was asked, and which text it agreed to.

create table refinement (
    id uuid primary key default uuidv7(),
    listing_id uuid not null references listing,
    organization_id uuid not null references organization,
    key_id uuid references api_key,
    person_id uuid references person,
    begun_at timestamptz not null,
    ended_at timestamptz,
    constraint refinement_ends_after_it_began check (ended_at >= begun_at)
);
comment on table refinement is 'A time in which a broker refines a need: a round, from taking it in hand to publishing or returning it';
-- One round at a time.
create unique index refinement_open on refinement (listing_id) where ended_at is null;
create index refinement_by_listing on refinement (listing_id, id);
create index refinement_by_organization on refinement (organization_id) where ended_at is null;

create table listing_question (
    id uuid primary key default uuidv7(),
    listing_id uuid not null references listing,
    -- The field of the content that it is about, if one.
    field text,
    question text not null check (question <> ''),
    organization_id uuid not null references organization,
    key_id uuid references api_key,
    person_id uuid references person,
    asked_at timestamptz not null,
    answer text check (answer <> ''),
    answered_at timestamptz,
    answered_by_key uuid references api_key,
    answered_by_person uuid references person,
    constraint listing_question_answered_with_text check ((answer is null) = (answered_at is null))
);
comment on table listing_question is 'What a reviewer asks the organization of a listing before it is published, and its answer';
create index listing_question_by_listing on listing_question (listing_id, id);

create table listing_agreement (
    listing_id uuid not null,
    revision integer not null,
    organization_id uuid not null references organization,
    key_id uuid references api_key,
    person_id uuid references person,
    agreed_at timestamptz not null,
    primary key (listing_id, revision),
    foreign key (listing_id, revision) references listing_revision (listing_id, version)
);
comment on table listing_agreement is 'That an organization agreed to a text that somebody else wrote for it';

grant select, insert, update (ended_at) on refinement to duijie_app;
grant select, insert, update (answer, answered_at, answered_by_key, answered_by_person) on listing_question to duijie_app;
grant select, insert on listing_agreement to duijie_app;

alter table refinement enable row level security;
-- Its organization and staff see who works on a listing, and since when.
create policy refinement_of_its_own_and_staff on refinement for select
    using ((select acting_staff()) or owns_listing(listing_id));
-- Reviewers take a listing in hand in their own name.
create policy refinement_begun_by_a_reviewer on refinement for insert
    with check (
        (select acting_reviewer()) and organization_id = (select acting_organization())
        and key_id is not distinct from (select acting_key()) and person_id is not distinct from (select acting_person())
    );
-- A round ends with the step that ends it, which is a reviewer's, the owner's (withdrawal) or the service's (expiry).
create policy refinement_ended_with_its_step on refinement for update
    using (ended_at is null and ((select acting_reviewer()) or owns_listing(listing_id)))
    with check (ended_at is not null);

alter table listing_question enable row level security;
create policy listing_question_of_its_own_and_staff on listing_question for select
    using ((select acting_staff()) or owns_listing(listing_id));
-- Reviewers ask in their own name, and nobody asks and answers at once.
create policy listing_question_asked_by_a_reviewer on listing_question for insert
    with check (
        (select acting_reviewer()) and organization_id = (select acting_organization()) and answer is null
        and key_id is not distinct from (select acting_key()) and person_id is not distinct from (select acting_person())
    );
-- The listing's organization answers, once, in its own name.
create policy listing_question_answered_by_the_owner on listing_question for update
    using (answer is null and owns_listing(listing_id))
    with check (
        answer is not null and answered_by_key is not distinct from (select acting_key())
        and answered_by_person is not distinct from (select acting_person())
    );

alter table listing_agreement enable row level security;
create policy listing_agreement_of_its_own_and_staff on listing_agreement for select
    using ((select acting_staff()) or owns_listing(listing_id));
-- An organization agrees for itself: no broker agrees in its name.
create policy listing_agreement_given_by_the_owner on listing_agreement for insert
    with check (
        (select acting()) and organization_id = (select acting_organization()) and owns_listing(listing_id)
        and key_id is not distinct from (select acting_key()) and person_id is not distinct from (select acting_person())
    );
