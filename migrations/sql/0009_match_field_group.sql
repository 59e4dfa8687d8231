-- The group that the taxonomy puts a listing's field in: fields of one group are nearer than those of two.
alter table match_profile add column field_group text;
