-- The matching index has no policies, so the role that reaches it reaches nothing else, and the application's does not
-- reach it: for as long as it ranks it becomes this one, and fetches what was found as itself, under the caller's rights.
grant usage on schema public to duijie_ranking;
grant usage on schema matching to duijie_ranking;
grant select, insert, update, delete on all tables in schema matching to duijie_ranking;
grant usage on all sequences in schema matching to duijie_ranking;
revoke all on all tables in schema matching from duijie_app;
revoke all on all sequences in schema matching from duijie_app;
revoke all on schema matching from duijie_app;
