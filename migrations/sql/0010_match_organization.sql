-- How organizations have answered what they were asked: read with the profiles, written by the service as it counts.
create table match_organization (
    organization uuid primary key,
    answered integer not null check (answered >= 0),
    overdue integer not null check (overdue >= 0),
    -- Over the answered and the overdue; null while there is neither.
    median_hours real check (median_hours >= 0),
    counted_at timestamptz not null,
    constraint match_organization_median check ((median_hours is null) = (answered + overdue = 0))
);
-- Housekeeping looks for what was counted longest ago.
create index match_organization_counted_at on match_organization (counted_at);
