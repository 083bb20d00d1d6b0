"""Grafana's role in a database: it may log in and read every table, and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from twinning_pipelines.stores.postgres.database import connect

ROLE = "grafana"
_MAKE = (
    f"do $$ begin if not exists (select 1 from pg_roles where rolname = '{ROLE}') then create role {ROLE} login; end if; end $$",
    f"alter role {ROLE} set default_transaction_read_only = on",
    f"alter role {ROLE} set statement_timeout = '15s'",
    f"grant usage on schema public to {ROLE}",
    f"grant select on all tables in schema public to {ROLE}",
)


@contextmanager
def as_reader(owner: sa.Engine) -> Iterator[sa.Engine]:
    """An engine of the role on the owner's database, with the rights that the stack gives it."""
    with owner.begin() as connection:
        for statement in _MAKE:
            connection.execute(sa.text(statement))
    engine = connect(owner.url.set(username=ROLE).render_as_string(hide_password=False))
    yield engine
    engine.dispose()
