-- An organization in few words, as others read of it beside what it posts, asks and does. The state is there for those who
-- judge by it. Whoever asks sees the organizations that they would see in the table: its policies decide, hence the invoker.
create view organization_brief with (security_invoker) as
select id, state, jsonb_build_object('id', id, 'name', name, 'kind', kind, 'region', region) as brief from organization;

grant select on organization_brief to duijie_app;
