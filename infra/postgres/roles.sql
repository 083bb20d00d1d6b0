-- What exists afterwards: one role for each part of the stack. Nobody else makes roles here.
set client_min_messages = warning;
-- A failed statement is told without its words, for the words of one below hold a password.
set log_error_verbosity = terse;
set log_min_error_statement = panic;
set log_statement = none;
set log_min_duration_statement = -1;
set track_activities = off;
set password_encryption = 'scram-sha-256';

select pg_advisory_lock(hashtextextended('twinning roles', 0));

create temporary table given (role name primary key, password text not null);

select format('create role %I login', wanted.role)
from unnest(array['twinning', 'dagster', 'firefly', 'nextcloud', 'authelia', 'grafana', 'exporter']) as wanted (role)
where not exists (select from pg_roles where rolname = wanted.role)
\gexec

