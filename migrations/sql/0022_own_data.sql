-- What a person may have a copy of besides its own row, and what goes with the person.

-- The consents that a person gave, for its own export, whatever organization it acts for at the moment.
create function own_consents() returns setof jsonb
    language sql stable security definer set search_path = public
    begin atomic
        select jsonb_build_object(
            'id', id, 'recommendation_id', recommendation_id, 'side', side, 'organization_id', organization_id,
            'purpose', purpose, 'given_at', given_at, 'withdrawn_at', withdrawn_at
        )
        from consent where person_id = acting_person() order by id;
    end;
create index consent_by_person on consent (person_id, id) where person_id is not null;

-- How a person chose to be told; none where it chose nothing.
create function own_notice_preferences() returns setof jsonb
    language sql stable security definer set search_path = public
    begin atomic
        select jsonb_build_object('language', language, 'categories', categories, 'updated_at', updated_at)
        from notice_preference where person_id = acting_person();
    end;

-- With a person goes how it chose to be told. A consent is its organization's and stays, for the other side relies on it;
-- where its purpose names the person or says how to reach it, that is taken out.
create function own_data_forget() returns trigger language plpgsql security definer set search_path = public as $$
begin
    delete from notice_preference where person_id = new.id;
    update consent
    set purpose = replace(replace(replace(purpose, old.name, '…'), coalesce(old.email, ''), '…'), coalesce(old.phone, ''), '…')
    where person_id = new.id;
    return null;
end $$;
create trigger person_erased_with_own_data after update of state on person
    for each row when (new.state = 'erased') execute function own_data_forget();
