-- Of a case there is one draft at a time, as of a pair.
create unique index contract_draft_of_case on contract (case_id) where state = 'draft';
