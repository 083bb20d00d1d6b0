select format('create database %I owner %I', wanted.name, wanted.name)
from unnest(array['twinning', 'dagster', 'firefly', 'nextcloud', 'authelia']) as wanted (name)
where not exists (select from pg_database where datname = wanted.name)
\gexec

-- By default everybody may connect to every database; here only its owner, and who is named.
select format('alter database %I owner to %I', name, name)
from unnest(array['twinning', 'dagster', 'firefly', 'nextcloud', 'authelia']) as name
\gexec
select format('revoke all on database %I from public', datname)
from pg_database
where datname in ('twinning', 'dagster', 'firefly', 'nextcloud', 'authelia', 'postgres', 'template1')
\gexec
grant connect on database twinning to grafana;
grant connect on database postgres to exporter;
