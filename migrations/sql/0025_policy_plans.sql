-- Policies ask these functions row by row. A statement that is planned anew each time (a search with its many filters, the
-- review queue) says so for its whole transaction, and each call then planned the function's own statement anew as well,
-- which took ten times as long as running it. Nor does their plan depend on whom they are asked about.
alter function suspended_organization() set plan_cache_mode = force_generic_plan;
alter function offers_outcomes(uuid) set plan_cache_mode = force_generic_plan;
alter function has_member(uuid, uuid) set plan_cache_mode = force_generic_plan;
alter function owns_listing(uuid[]) set plan_cache_mode = force_generic_plan;
alter function consented_organization() set plan_cache_mode = force_generic_plan;
alter function is_own_broker(uuid) set plan_cache_mode = force_generic_plan;
alter function is_acting_broker(uuid) set plan_cache_mode = force_generic_plan;
alter function acting_partner_pairs() set plan_cache_mode = force_generic_plan;
alter function takes_part_in_case(uuid) set plan_cache_mode = force_generic_plan;
alter function has_side_of_case(uuid, text) set plan_cache_mode = force_generic_plan;
alter function reads_channel(uuid, text) set plan_cache_mode = force_generic_plan;
alter function party_to_contract(uuid) set plan_cache_mode = force_generic_plan;
alter function own_contract() set plan_cache_mode = force_generic_plan;
alter function drafts_contract(uuid) set plan_cache_mode = force_generic_plan;
alter function contract_is_draft(uuid) set plan_cache_mode = force_generic_plan;

-- An organization with many needs and no outcome was read through to its last listing to learn that it offers none.
create index listing_offered on listing (organization_id) where kind = 'outcome' and state in ('published', 'transferred');
