-- Needs that are talked about already are docking from now on, each with its event; what the index holds of them stays.
with docked as (
    update listing set state = 'docking', version = version + 1, updated_at = now()
    where kind = 'need' and state = 'published' and exists (
        select from docking_case
        where need_id = listing.id and docking_case.state in ('consented', 'consulting', 'negotiating', 'contracted', 'following')
    )
    returning id, version
), carried as (
    update listing_matching set indexed_version = docked.version
    from docked where listing_id = docked.id and indexed_version = docked.version - 1
)
insert into event (request_id, subject_kind, subject_id, action, from_state, to_state)
select 'migration', 'need', id, 'dock', 'published', 'docking' from docked;
