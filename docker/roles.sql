-- The three roles of least rights, for a PostgreSQL of your own. Run once by a superuser, inside the database of Duijie:
--   POSTGRES_OWNER_PASSWORD=... POSTGRES_APP_PASSWORD=... psql -v ON_ERROR_STOP=1 -d duijie -f docker/roles.sql
-- docker-compose.yml runs it when its database is made. An unset password ends it with a syntax error.
\getenv owner_password POSTGRES_OWNER_PASSWORD
\getenv app_password POSTGRES_APP_PASSWORD

begin;
-- Owns the database and its tables; connects to migrate, and at no other time.
create role duijie_owner login nosuperuser nocreatedb nocreaterole nobypassrls password :'owner_password';
-- Connects for requests and jobs: reads and writes rows, changes no table.
create role duijie_app login nosuperuser nocreatedb nocreaterole nobypassrls password :'app_password';
-- What the application becomes while it works on the matching index: reaches that, and no business table.
create role duijie_ranking nologin nosuperuser nocreatedb nocreaterole nobypassrls;
grant duijie_ranking to duijie_app with inherit false, set true;
-- Commands that migrate first then work as duijie_app, also on the owner's connection.
grant duijie_app to duijie_owner;
alter database :"DBNAME" owner to duijie_owner;
create extension if not exists vector;
commit;
