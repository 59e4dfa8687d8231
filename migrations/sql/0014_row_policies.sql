-- Who may read and write which rows: every policy with the reason in front of it. Those of stored answers stand in
-- 0012_manners.sql, those of consents in 0015_tiers.sql;
-- what an actor is told when it may not is decided in the rooms, and these are the lock behind that door.
--
-- An actor is set for each transaction (service/kit/db.py). Where none is set every function below is false or null, and
-- no row is seen. Connections of the service begin as the doorkeeper, who reads what tells a caller's key from a wrong
-- one, and nothing else.

create function acting_key() returns uuid language sql stable parallel safe
    return nullif(current_setting('duijie.key', true), '')::uuid;
create function acting_organization() returns uuid language sql stable parallel safe
    return nullif(current_setting('duijie.organization', true), '')::uuid;
create function acting_person() returns uuid language sql stable parallel safe
    return nullif(current_setting('duijie.person', true), '')::uuid;
create function acting_request() returns text language sql stable parallel safe
    return coalesce(current_setting('duijie.request', true), '');
create function acting_as(variadic roles text[]) returns boolean language sql stable parallel safe
    return coalesce(string_to_array(current_setting('duijie.roles', true), ',') && roles, false);
comment on function acting_as is 'Whether the present actor has one of the roles';
-- Reviewing and reporting is their work, so they see every organization's rows.
create function acting_staff() returns boolean language sql stable parallel safe
    return acting_as('broker', 'operator', 'authority', 'administrator', 'system');
-- Those of them who write in the name of others; an authority only reads.
create function acting_reviewer() returns boolean language sql stable parallel safe
    return acting_as('broker', 'operator', 'administrator', 'system');
create function acting_operator() returns boolean language sql stable parallel safe
    return acting_as('operator', 'administrator', 'system');
-- Any caller with a valid key; not the doorkeeper.
create function acting() returns boolean language sql stable parallel safe
    return acting_as('enterprise', 'provider', 'broker', 'operator', 'authority', 'administrator', 'system');

-- What a suspended organization published is out of sight meanwhile. The policy of listings needs to know which they
-- are, and its caller need not see them: this tells their ids, and nothing else.
create function suspended_organization() returns setof uuid
    language sql stable parallel safe security definer set search_path = public
    begin atomic
        select id from organization where state = 'suspended';
    end;
create index organization_suspended on organization (id) where state = 'suspended';

-- What policies ask of other tables they ask by functions: a sub-select would carry the other table's policies into the
-- plan of each statement, and planning cost more than reading. These three look past the policies, and answer yes or no.
-- Its cost is stated higher than it is, so that a list asks once for each organization and not once for each listing.
create function offers_outcomes(of_organization uuid) returns boolean
    language plpgsql stable parallel safe security definer set search_path = public cost 1000 as $$
begin
    return exists (
        select from listing
        where organization_id = of_organization and kind = 'outcome' and state in ('published', 'transferred')
    );
end $$;
-- Whether a person is or was a member of an organization.
create function has_member(of_organization uuid, member uuid) returns boolean
    language plpgsql stable parallel safe security definer set search_path = public as $$
begin
    return member is not null and of_organization is not null
        and exists (select from membership where organization_id = of_organization and person_id = member);
end $$;
-- Whether one of some listings is the actor's organization's own.
create function owns_listing(variadic listings uuid[]) returns boolean
    language plpgsql stable parallel safe security definer set search_path = public as $$
begin
    return exists (select from listing where id = any (listings) and organization_id = acting_organization());
end $$;
-- This one looks with the actor's own eyes.
create function sees_listing(one uuid) returns boolean language plpgsql stable parallel safe as $$
begin
    return exists (select from public.listing where id = one);
end $$;

-- In the policies the functions stand in sub-selects, so that they are computed once a statement and not once a row.

alter table organization enable row level security;
-- An organization reads itself, and staff read all. The doorkeeper asks whether the organization of a key is suspended, and
-- which one a login may act for. A person reads where it is or was a member. Whoever offers outcomes does so under its
-- name; those who post needs stay unknown to other market participants.
create policy organization_seen on organization for select
    using (
        id = (select acting_organization())
        or (select acting_as('door', 'broker', 'operator', 'authority', 'administrator', 'system'))
        or ((select acting_person()) is not null and has_member(id, (select acting_person())))
        or ((select acting()) and state <> 'suspended' and offers_outcomes(id))
    );
create policy organization_registered_by_operators on organization for insert
    with check ((select acting_operator()));
create policy organization_changed_by_itself_and_operators on organization for update
    using (id = (select acting_organization()) or (select acting_operator()));

alter table api_key enable row level security;
-- The doorkeeper finds keys by their digest. Otherwise keys are seen by their own organization, their person and operators.
create policy api_key_seen on api_key for select
    using (
        (select acting_as('door', 'operator', 'administrator', 'system'))
        or organization_id = (select acting_organization()) or person_id = (select acting_person())
    );
-- The doorkeeper notes when a key was used.
create policy api_key_used_at_the_door on api_key for update using ((select acting_as('door')));
-- Erasing oneself ends one's keys.
create policy api_key_ended_by_its_person on api_key for update using (person_id = (select acting_person()));
-- Keys are made by their own organization and by operators.
create policy api_key_made_by_its_own_and_operators on api_key for insert
    with check (organization_id = (select acting_organization()) or (select acting_operator()));
-- An organization ends its own keys, an administrator any.
create policy api_key_ended_by_its_own_and_administrators on api_key for update
    using (organization_id = (select acting_organization()) or (select acting_as('administrator', 'system')));
-- With a membership that an operator ends its keys end.
create policy api_key_ended_with_its_membership on api_key for update
    using (membership_id is not null and (select acting_operator()));

alter table person enable row level security;
-- Personal data are for the person itself, for operators, and for those whom it is a member with. The doorkeeper finds whom
-- a login stands for. Whoever notes a person sees the row until the transaction ends, to make a member of it: now() is
-- when it began.
create policy person_seen on person for select
    using (
        id = (select acting_person()) or (select acting_as('door', 'operator', 'administrator', 'system'))
        or has_member((select acting_organization()), id) or ((select acting()) and created_at = now())
    );
create policy person_noted on person for insert with check ((select acting()));
create policy person_corrected_by_itself_and_operators on person for update
    using (id = (select acting_person()) or (select acting_operator()));
-- At the door a person is locked while its first login is linked, and not changed.
create policy person_locked_at_the_door on person for update using ((select acting_as('door'))) with check (false);

alter table membership enable row level security;
-- Who acts for an organization is known to it, to the person, to operators and at the door.
create policy membership_seen on membership for select
    using (
        person_id = (select acting_person()) or organization_id = (select acting_organization())
        or (select acting_as('door', 'operator', 'administrator', 'system'))
    );
create policy membership_made_by_its_organization_and_operators on membership for insert
    with check (organization_id = (select acting_organization()) or (select acting_operator()));
-- Erasing oneself ends one's memberships.
create policy membership_changed_by_its_person_organization_and_operators on membership for update
    using (
        person_id = (select acting_person()) or organization_id = (select acting_organization()) or (select acting_operator())
    );

alter table person_identity enable row level security;
-- A login opens all that its person may do: administrators link it, and the doorkeeper where the settings let it.
create policy person_identity_seen on person_identity for select
    using (person_id = (select acting_person()) or (select acting_as('door', 'administrator', 'system')));
create policy person_identity_linked_at_the_door_and_by_administrators on person_identity for insert
    with check ((select acting_as('administrator', 'system', 'door')));
create policy person_identity_used_at_the_door on person_identity for update using ((select acting_as('door')));
create policy person_identity_unlinked_by_its_person_and_administrators on person_identity for delete
    using (person_id = (select acting_person()) or (select acting_as('administrator', 'system')));

alter table person_password enable row level security;
-- A person learns since when it has a password, and takes it along when it goes; the service sets and checks it.
create policy person_password_of_its_person_and_the_service on person_password for select
    using (person_id = (select acting_person()) or (select acting_as('administrator', 'system')));
create policy person_password_set_by_the_service on person_password for insert with check ((select acting_as('system')));
create policy person_password_counted_by_the_service on person_password for update using ((select acting_as('system')));
create policy person_password_gone_with_its_person on person_password for delete
    using (person_id = (select acting_person()) or (select acting_as('administrator', 'system')));

alter table listing enable row level security;
-- Published listings are the market's; before and after that they are their organization's and the reviewers'.
create policy listing_published_of_its_own_and_staff on listing for select
    using (
        ((select acting()) and state in ('published', 'docking', 'fulfilled', 'transferred')
            and organization_id not in (select suspended_organization()))
        or organization_id = (select acting_organization())
        or (select acting_staff())
    );
create policy listing_posted_by_its_own_and_reviewers on listing for insert
    with check (organization_id = (select acting_organization()) or (select acting_reviewer()));
create policy listing_changed_by_its_own_and_reviewers on listing for update
    using (organization_id = (select acting_organization()) or (select acting_reviewer()));

alter table ip_right enable row level security;
-- Rights are seen with their outcome, and written with it.
create policy ip_right_with_its_listing on ip_right for select
    using (sees_listing(listing_id));
create policy ip_right_written_by_its_own_and_reviewers on ip_right for insert
    with check ((select acting_reviewer()) or owns_listing(listing_id));
create policy ip_right_taken_off_by_its_own_and_reviewers on ip_right for delete
    using ((select acting_reviewer()) or owns_listing(listing_id));

alter table listing_revision enable row level security;
-- What a listing said before is for its organization and staff: a published text may have been a confidential one.
create policy listing_revision_of_its_own_and_staff on listing_revision for select
    using ((select acting_staff()) or owns_listing(listing_id));
-- Nobody keeps a revision in another's name.
create policy listing_revision_kept_by_who_acts on listing_revision for insert
    with check (
        (select acting()) and key_id is not distinct from (select acting_key())
        and ((select acting_reviewer()) or owns_listing(listing_id))
    );

alter table event enable row level security;
-- The trail is for those who answer for the market; an organization and a person read what they did themselves.
create policy event_of_its_own_and_overseers on event for select
    using (organization_id = (select acting_organization()) or person_id = (select acting_person()) or (select acting_as('operator', 'authority', 'administrator', 'system')));
-- Nobody leaves an event in another's name.
create policy event_left_by_who_acts on event for insert
    with check (
        ((select acting()) or (select acting_person()) is not null) and key_id is not distinct from (select acting_key())
        and organization_id is not distinct from (select acting_organization())
        and person_id is not distinct from (select acting_person())
    );
-- At the door a login is linked to its person.
create policy event_left_at_the_door on event for insert
    with check ((select acting_as('door')) and key_id is null and organization_id is null and subject_kind = 'person' and action = 'link');

-- The chain is verified by those who answer for the market, and by them as a whole: part of a chain proves nothing.
alter table event_seal enable row level security;
create policy event_seal_for_overseers on event_seal for select
    using ((select acting_as('operator', 'authority', 'administrator', 'system')));
alter table event_checkpoint enable row level security;
create policy event_checkpoint_for_overseers on event_checkpoint for select
    using ((select acting_as('operator', 'authority', 'administrator', 'system')));

alter table recommendation enable row level security;
-- A pair is for its two sides and staff.
create policy recommendation_of_its_sides_and_staff on recommendation for select
    using ((select acting_staff()) or owns_listing(need_id, outcome_id));
-- Pairs are found by the service itself.
create policy recommendation_found_by_the_service on recommendation for insert
    with check ((select acting_as('system')));
-- Brokers decide on pairs, and the service ranks them anew.
create policy recommendation_decided_by_brokers on recommendation for update
    using ((select acting_as('broker', 'operator', 'administrator', 'system')));
-- Whoever withdraws a listing takes its undecided pairs off the lists, and can do nothing else with them.
create policy recommendation_left_by_its_sides on recommendation for update
    using (state in ('proposed', 'snoozed') and owns_listing(need_id, outcome_id))
    with check (state = 'superseded');

alter table decision enable row level security;
-- What a broker noted on a pair is for those whose work reviewing is.
create policy decision_for_staff on decision for select using ((select acting_staff()));
create policy decision_of_who_acts on decision for insert
    with check (
        (select acting_as('broker', 'administrator', 'system')) and key_id is not distinct from (select acting_key())
        and organization_id is not distinct from (select acting_organization())
    );

alter table organization_response enable row level security;
-- What an organization was asked, and how soon it answered, is for itself and staff.
create policy organization_response_of_its_own_and_staff on organization_response for select
    using (organization_id = (select acting_organization()) or (select acting_staff()));
create policy organization_response_asked_by_reviewers on organization_response for insert
    with check ((select acting_reviewer()));
create policy organization_response_ended_by_its_own_and_reviewers on organization_response for update
    using (organization_id = (select acting_organization()) or (select acting_reviewer()));

alter table import_run enable row level security;
-- An import and its report are for the organization that sent it, and for operators.
create policy import_run_of_its_own_and_operators on import_run for select
    using (organization_id = (select acting_organization()) or (select acting_operator()));
create policy import_run_begun_by_who_acts on import_run for insert
    with check (
        (select acting()) and key_id is not distinct from (select acting_key())
        and organization_id is not distinct from (select acting_organization())
    );
create policy import_run_continued_by_its_own on import_run for update
    using (
        (select acting()) and key_id is not distinct from (select acting_key())
        and organization_id is not distinct from (select acting_organization())
    );

alter table import_row enable row level security;
create policy import_row_with_its_run on import_row for select
    using (exists (select from import_run where import_run.id = run_id));
create policy import_row_reported_by_its_own on import_row for insert
    with check (exists (
        select from import_run
        where import_run.id = run_id and import_run.key_id is not distinct from (select acting_key())
          and import_run.organization_id is not distinct from (select acting_organization())
    ));

alter table listing_matching enable row level security;
-- Since when a listing is ranked, whoever sees the listing may know.
create policy listing_matching_with_its_listing on listing_matching for select
    using (sees_listing(listing_id));
create policy listing_matching_kept_by_the_service on listing_matching for insert
    with check ((select acting_as('system')));
create policy listing_matching_continued_by_the_service on listing_matching for update
    using ((select acting_as('system')));
-- A listing that is withdrawn is matched no more.
create policy listing_matching_forgotten_with_its_listing on listing_matching for delete
    using ((select acting_reviewer()) or owns_listing(listing_id));

-- Ranking models hold no business of anybody's: every caller may know by which one it is ranked.
alter table ranking_model enable row level security;
create policy ranking_model_read on ranking_model for select using ((select acting()));
create policy ranking_model_kept_by_the_service on ranking_model for insert with check ((select acting_as('system')));
create policy ranking_model_continued_by_the_service on ranking_model for update using ((select acting_as('system')));
alter table active_ranking_model enable row level security;
create policy active_ranking_model_read on active_ranking_model for select using ((select acting()));
create policy active_ranking_model_chosen_by_the_service on active_ranking_model for insert with check ((select acting_as('system')));
create policy active_ranking_model_changed_by_the_service on active_ranking_model for update using ((select acting_as('system')));
alter table ranking_activation enable row level security;
create policy ranking_activation_of_the_service on ranking_activation for select using ((select acting_as('system', 'administrator')));
create policy ranking_activation_noted_by_the_service on ranking_activation for insert with check ((select acting_as('system')));
alter table encoder_choice enable row level security;
create policy encoder_choice_of_the_service on encoder_choice for select using ((select acting_as('system', 'administrator')));
create policy encoder_choice_noted_by_the_service on encoder_choice for insert with check ((select acting_as('system')));

-- `@>` on arrays is not leakproof, so behind a policy it would be checked row by row. This finds by the index and tells
-- nothing but ids; whoever asks then sees those rows that the policies allow.
create function listing_with_grams(of_kind text, wanted text[]) returns setof uuid
    language sql stable parallel safe security definer set search_path = public
    begin atomic
        select id from listing where kind = of_kind and grams @> wanted;
    end;
