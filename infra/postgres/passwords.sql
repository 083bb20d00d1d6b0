do $$
declare
    one record;
begin
    for one in select * from given loop
        execute format('alter role %I password %L', one.role, one.password);
    end loop;
end
$$;
drop table given;

select format('alter role %I nosuperuser nocreatedb nocreaterole noreplication nobypassrls', role)
from unnest(array['twinning', 'dagster', 'firefly', 'nextcloud', 'authelia', 'grafana', 'exporter']) as role
\gexec

alter role grafana set default_transaction_read_only = on;
alter role grafana set statement_timeout = '60s';
alter role grafana connection limit 20;
alter role exporter set default_transaction_read_only = on;
alter role exporter connection limit 5;
grant pg_monitor to exporter;
