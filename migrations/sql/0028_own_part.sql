-- What policies had left to the rooms: in whose part one speaks, who confirms a change, whose endpoint is called and with what.

drop policy case_message_sent_by_who_acts on case_message;
-- Nobody speaks in another's name, nor in another's part: a side in its own, reviewers in the broker's.
create policy case_message_sent_by_who_acts on case_message for insert
    with check (
        reads_channel(case_id, channel)
        and case party when 'broker' then (select acting_reviewer()) else has_side_of_case(case_id, party) end
        and key_id is not distinct from (select acting_key()) and person_id is not distinct from (select acting_person())
        and organization_id is not distinct from (select acting_organization())
    );

-- Whether the acting organization is buyer or seller of a contract; an intermediary looks on. Past the policies, and yes or no only.
create function side_of_contract(one uuid) returns boolean
    language plpgsql stable parallel safe security definer set search_path = public set plan_cache_mode = force_generic_plan as $$
begin
    return exists (
        select from contract_party
        where contract_id = one and role <> 'intermediary' and organization_id = acting_organization()
    );
end $$;
-- Whether there is another side that is an organization of the service, which would have to confirm.
create function other_side_of_contract(one uuid) returns boolean
    language plpgsql stable parallel safe security definer set search_path = public set plan_cache_mode = force_generic_plan as $$
begin
    return exists (
        select from contract_party
        where contract_id = one and role <> 'intermediary' and organization_id <> acting_organization()
    );
end $$;

drop policy contract_change_of_who_acts on contract_change;
-- Nobody changes a contract in another's name, nor confirms in the same breath while there is another side to do so, unless
-- that is its work. A contract can be cancelled by one party.
create policy contract_change_of_who_acts on contract_change for insert
    with check (
        organization_id = (select acting_organization())
        and key_id is not distinct from (select acting_key()) and person_id is not distinct from (select acting_person())
        and (
            (select acting_reviewer())
            or (party_to_contract(contract_id)
                and (confirmed_at is null or kind = 'cancellation' or not other_side_of_contract(contract_id)))
        )
    );
drop policy contract_change_decided on contract_change;
-- What waits is confirmed or replaced; what was confirmed stays. A change is confirmed by the side that did not propose it.
create policy contract_change_decided on contract_change for update
    using (
        confirmed_at is null and superseded_at is null
        and ((select acting_reviewer()) or party_to_contract(contract_id))
    )
    with check (
        (select acting_reviewer())
        or (party_to_contract(contract_id)
            and (confirmed_at is null
                 or (organization_id <> (select acting_organization()) and side_of_contract(contract_id))))
    );

drop policy webhook_delivery_made_by_its_organization on webhook_delivery;
-- Whoever has an endpoint tests it. To another's endpoint, under whose secret it would be signed, nobody sends anything.
create policy webhook_delivery_made_by_its_organization on webhook_delivery for insert
    with check (
        (select acting_as('system'))
        or (organization_id = (select acting_organization()) and exists (select from webhook where webhook.id = webhook_id))
    );
-- What is signed and sent stays as it was made; all that happens to a delivery is that it is tried.
revoke update on webhook_delivery from duijie_app;
grant update (state, attempts, tries, next_at, leased_until, last_status, last_error, delivered_at)
    on webhook_delivery to duijie_app;

-- As before, the longest first: a name that is part of the address would break it, and the rest of it would stay.
create or replace function own_data_forget() returns trigger language plpgsql security definer set search_path = public as $$
begin
    delete from notice_preference where person_id = new.id;
    update consent
    set purpose = replace(replace(replace(purpose, coalesce(old.email, ''), '…'), coalesce(old.phone, ''), '…'), old.name, '…')
    where person_id = new.id;
    return null;
end $$;
