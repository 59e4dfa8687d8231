-- Of a pair one contract is under way at a time, whichever way it was entered, unless whoever enters it says that it is another one.

alter table contract
    -- The pair that it is about: the one that it names, or that of the case that it names.
    add column pair_id uuid references recommendation,
    -- Whether it was entered as another one beside one that was under way.
    add column further boolean not null default false;
update contract set pair_id = coalesce(
    recommendation_id, (select docking_case.recommendation_id from docking_case where docking_case.id = case_id)
);
-- What stands side by side already stays so: the first counts as the pair's, the others as further ones.
update contract set further = true
where state not in ('settled', 'cancelled') and exists (
    select from contract as earlier
    where earlier.pair_id = contract.pair_id and earlier.id < contract.id and earlier.state not in ('settled', 'cancelled')
);
-- Whichever way a contract is entered, its pair is known by the row itself. Looks past the policies, and sets one column.
create function contract_names_its_pair() returns trigger
    language plpgsql security definer set search_path = public as $$
begin
    new.pair_id := coalesce(new.recommendation_id, (select recommendation_id from docking_case where id = new.case_id));
    return new;
end $$;
create trigger contract_names_its_pair before insert on contract for each row execute function contract_names_its_pair();
alter table contract add constraint contract_of_a_pair_or_of_none check ((pair_id is null) = (origin_reason is not null));
-- Of two that are entered at once one is first.
create unique index contract_under_way on contract (pair_id) where not further and state not in ('settled', 'cancelled');
create index contract_of_pair_id on contract (pair_id) where pair_id is not null;
