\connect dagster
revoke all on schema public from public;
\connect firefly
revoke all on schema public from public;
\connect nextcloud
revoke all on schema public from public;
\connect authelia
revoke all on schema public from public;
\connect twinning
revoke all on schema public from public;

-- Grafana reads all tables and views of twinning, those of today and those that a later version makes.
grant usage on schema public to grafana;
grant select on all tables in schema public to grafana;
alter default privileges for role twinning in schema public grant select on tables to grafana;
