"""What each whole export has told of each table, as one number: so that the same told again costs nothing."""

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.stores.postgres.rows import NEWER, Telling


class Told(Struct, frozen=True):
    """How many rows of a table a file has, and their digest."""

    record: str
    n: int
    digest: int

    @property
    def values(self) -> dict[str, object]:
        """As parameters of a statement; Postgres's integers have a sign."""
        return {"record": self.record, "n": self.n, "digest": self.digest - (self.digest >> 63 << 64)}


def repeats(connection: sa.Connection, telling: Telling, told: Told) -> bool:
    """Does this file say of a table just what the newest one has said? Then it covers the same time, and that is all."""
    values = told.values | {"file": telling.file_id, "person": telling.person_id, "source": telling.source}
    newest = connection.execute(sa.text(_NEWEST), values).scalar()
    if newest is None:
        return False
    if newest != telling.file_id:
        for statement in (_KEEP, _COVER, _COVER_SERIES):
            connection.execute(sa.text(statement), values | {"newest": newest})
    return True


def keep(connection: sa.Connection, telling: Telling, told: Told) -> None:
    """Notes what the file has told of a table."""
    connection.execute(sa.text(_KEEP), told.values | {"file": telling.file_id})


_NEWEST = f"""
    select file_id from (
        select t.file_id, t.n, t.digest, {NEWER.format("f")} as is_newer
        from telling t join intake_file f on f.id = t.file_id
        where f.person_id = :person and f.source = :source and t.record = :record
        order by f.as_of desc, f.sha256 desc limit 1
    ) newest
    where n = :n and digest = :digest and not is_newer"""

_KEEP = """
    insert into telling (file_id, record, n, digest) values (:file, :record, :n, :digest)
    on conflict (file_id, record) do update set n = excluded.n, digest = excluded.digest"""

_COVER = """
    insert into coverage (file_id, record, scope, first, last)
    select :file, record, scope, first, last from coverage where file_id = :newest and record = :record
    on conflict (file_id, record, scope) do update set first = excluded.first, last = excluded.last"""

_COVER_SERIES = """
    insert into series_coverage (file_id, metric_id, origin_id, first, last)
    select :file, c.metric_id, c.origin_id, c.first, c.last
    from series_coverage c join metric m on m.id = c.metric_id
    where c.file_id = :newest and case :record
        when 'sample' then m.name <> 'sleep_stage' when 'sleep_stage' then m.name = 'sleep_stage' else false end
    on conflict (file_id, metric_id, origin_id) do update set first = excluded.first, last = excluded.last"""
