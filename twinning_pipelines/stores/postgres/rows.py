"""How the rows of one file are merged into their table.

A fact is known by person, source, identity and its occurrence among equals of one file. The newest file that states a
fact tells it: newest by the export's own date, else by the file's time, never by the order of arrival, so files may
come in any order. Where an export is the whole truth for its time, what a newer one leaves out is marked absent.
"""

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.receipt import Changes, Reading
from twinning_pipelines.records.record import DAY, Record
from twinning_pipelines.stores.postgres.copying import copy

_SEPARATOR = "chr(31)"

# Does a file tell facts later than the one being loaded? Ties in time are broken by content, never by arrival.
NEWER = "({0}.as_of, {0}.sha256) > (select as_of, sha256 from intake_file where id = :file)"


_FIRST_MONEY = """coalesce(least(
    (select min(booked_on) from transaction where person_id = :person),
    (select min(traded_on) from trade where person_id = :person),
    (select min(held_on) from holding where person_id = :person)), current_date)"""


class Telling(Struct, frozen=True):
    """One file as it tells facts: whose, through which source, and how it ranks in time."""

    file_id: int
    person_id: int
    source: str
    whole: bool


def merge_rows(connection: sa.Connection, record: Record, telling: Telling, reading: Reading) -> Changes:
    """Merges the accepted rows of one record and marks the days they touch. Runs in the caller's transaction."""
    merge = _Merge(record, telling.whole)
    values = {"person": telling.person_id, "source": telling.source, "file": telling.file_id, "whole": telling.whole}

    def run(statement: str) -> sa.CursorResult[tuple[object, ...]]:
        return connection.execute(sa.text(statement), values)

    run(merge.create_stage)
    copy(connection, merge.stage, reading_columns(record), reading.accepted(record))
    run(merge.judge)
    run(merge.list_absent)
    verdicts = {
        str(verdict): int(str(count)) for verdict, count in run("select verdict, count(*) from verdict group by 1")
    }
    absent = run("select count(*) from missing where was_present").scalar_one()
    run(merge.mark_days)
    run(merge.insert_new)
    run(merge.update_edited)
    if telling.whole:
        run(merge.mark_absent)
        run(merge.cover)
    else:
        run(merge.confirm_same)
    if record.sighted:
        run(merge.forget_sightings)
        run(merge.keep_sightings)
        run(merge.retract)
    run(f"drop table verdict, missing, {merge.stage}")
    same = sum(verdicts.get(verdict, 0) for verdict in ("same", "older", "late"))
    return Changes(verdicts.get("new", 0), verdicts.get("edited", 0), same, int(str(absent)))


def reading_columns(record: Record) -> list[str]:
    """The columns of a batch of this record."""
    return [name for name in record.schema.names if isinstance(name, str)]


class _Merge:
    """The statements that merge one record; every name in them comes from our own tables, every value is bound."""

    def __init__(self, record: Record, whole: bool) -> None:
        self.record = record
        self.whole = whole
        self.stage = f"stage_{record.name}"
        self.table = f'"{record.name}"'
        self.fields = [each.name for each in record.fields]
        self.payload = [name for name in self.fields if name not in record.identity]

    def window(self, alias: str) -> str:
        """The field that places a row in time, as an instant; a list that knows no time is covered as a whole or not at all."""
        if self.record.window is None:
            return "timestamptz 'epoch'" if self.whole else "null::timestamptz"
        return f'{alias}."{self.record.window}"::timestamptz'

    def scope(self, alias: str) -> str:
        """The fields within which a file's window holds, as one text."""
        names = ", ".join(f'{alias}."{name}"' for name in self.record.scope)
        return f"concat_ws({_SEPARATOR}, {names})" if names else "''"

    @property
    def create_stage(self) -> str:
        columns = ", ".join(f'"{each.name}" {each.kind.sql}' for each in self.record.fields)
        return f"create temp table {self.stage} (at bigint not null, {columns}) on commit drop"

    @property
    def judge(self) -> str:
        """Beside each staged row: the known row of the same fact, and what the file changes in it.

        `superseded` is the date of the newest file that knows better: for a whole export any newer one that covers the
        row's time, else the newer file that told the known row.
        """
        identity = ", ".join(f'"{name}"' for name in self.record.identity)
        same_fact = " and ".join(f'k."{name}" = i."{name}"' for name in self.record.identity)
        return f"""
            create temp table verdict on commit drop as
            with incoming as (
                select s.*, row_number() over (partition by {identity} order by at) as occurrence from {self.stage} s
            ),
            matched as (
                select i.*, k.id as known, {self._superseded} as superseded,
                    k.absent_since is null and {self._equal("k", "i")} as equal
                from incoming i
                left join {self.table} k on k.person_id = :person and k.source = :source and {same_fact}
                    and k.occurrence = i.occurrence
            )
            select *, case
                when known is null and superseded is null then 'new'
                when known is null and :whole then 'late'
                when known is null then 'new'
                when superseded is not null then 'older'
                when equal then 'same'
                else 'edited'
            end as verdict
            from matched"""

    @property
    def _superseded(self) -> str:
        if self.whole:
            return self._newer_cover("i")
        # A row that its newest file has taken back is told by nobody: any file may tell it again.
        return f"""(
            select f.as_of from intake_file f
            where f.id = k.file_id and k.absent_since is null and {NEWER.format("f")})"""

    def _newer_cover(self, alias: str) -> str:
        return f"""(
            select max(f.as_of) from coverage c join intake_file f on f.id = c.file_id
            where f.person_id = :person and f.source = :source and c.record = '{self.record.name}'
                and c.scope = {self.scope(alias)} and {self.window(alias)} between c.first and c.last
                and {NEWER.format("f")})"""

    def _equal(self, left: str, right: str) -> str:
        if not self.payload:
            return "true"
        lefts = ", ".join(f'{left}."{name}"' for name in self.payload)
        rights = ", ".join(f'{right}."{name}"' for name in self.payload)
        return f"row({lefts}) is not distinct from row({rights})"

    @property
    def list_absent(self) -> str:
        """Known rows of the time that the file covers which it does not mention, unless a newer file covers it too."""
        fresh = f"{self._newer_cover('t')} is null" if self.whole else "true"
        # The hash of `not in` costs the same whatever the planner believes of a table that was made a moment ago.
        return f"""
            create temp table missing on commit drop as
            with span as (
                select {self.scope("s")} as scope,
                    min({self.window("s")}) as first, max({self.window("s")}) as last
                from {self.stage} s group by 1
            ),
            unmentioned as materialized (
                select t.* from {self.table} t
                join span on span.scope = {self.scope("t")}
                where t.person_id = :person and t.source = :source
                    and {self.window("t")} between span.first and span.last
                    and t.id not in (select known from verdict where known is not null)
            )
            select t.id, t.absent_since is null as was_present from unmentioned t where {fresh}"""

    @property
    def mark_days(self) -> str:
        """Every local day that a changed row lies on, before and after the change, must be counted afresh."""
        return f"""
            insert into stale_day (person_id, day)
            select distinct cast(:person as smallint), day::date
            from (select {self._joined} from (
                select {self._span("v")} from verdict v{self._clocks("v")} where v.verdict in ('new', 'edited')
                union all
                select {self._span("t")} from {self.table} t{self._clocks("t")}
                where t.id in (
                    select known from verdict where verdict = 'edited'
                    union all select id from missing where was_present)
            ) as row (first, last)) as span (first, last),
            generate_series(first, least(last, current_date + 1), interval '1 day') as day
            on conflict do nothing"""

    @property
    def _joined(self) -> str:
        """What lasts reaches today from its first day on: one stretch says as much as a stretch for each row."""
        if self.record.ambient:
            # Without a changed row there is no day: `greatest` alone would pass a null over.
            return f"case when min(first) is not null then greatest(min(first), {_FIRST_MONEY}) end, max(last)"
        return "min(first), max(last)" if self.record.lasting else "first, last"

    def _span(self, alias: str) -> str:
        if self.record.window is None:
            return "null::date, null::date"
        first = self._day(alias, self.record.window)
        if self.record.lasting:
            return f"{first}, current_date + 1"
        if self.record.until is None:
            return f"{first}, {first}"
        return f"{first}, greatest({first}, {self._day(alias, self.record.until)})"

    def _day(self, alias: str, name: str) -> str:
        column = f'{alias}."{name}"'
        return column if self.record.field(name).kind is DAY else f"({column} at time zone {name}_clock.zone)::date"

    def _clocks(self, alias: str) -> str:
        """The zone of each instant that `_span` needs: a join, because a function call for each row costs far more."""
        return "".join(
            f"""
                left join person_clock {name}_clock on {name}_clock.person_id = :person
                    and {alias}."{name}" >= {name}_clock.since and {alias}."{name}" < {name}_clock.until"""
            for name in (self.record.window, None if self.record.lasting else self.record.until)
            if name is not None and self.record.field(name).kind is not DAY
        )

    @property
    def insert_new(self) -> str:
        """A row that a newer whole export has already left out arrives as absent."""
        names = ", ".join(f'"{name}"' for name in self.fields)
        return f"""
            insert into {self.table} (person_id, source, file_id, at, occurrence, absent_since, {names})
            select :person, :source, :file, at, occurrence, case verdict when 'late' then superseded end, {names}
            from verdict where verdict in ('new', 'late') order by at"""

    @property
    def update_edited(self) -> str:
        values = ", ".join(f'"{name}" = v."{name}"' for name in self.payload)
        return f"""
            update {self.table} t set file_id = :file, at = v.at, absent_since = null{"," if values else ""} {values}
            from verdict v where v.known = t.id and v.verdict = 'edited'"""

    @property
    def confirm_same(self) -> str:
        """The newest file that states a fact is named as its origin; for whole exports their coverage says as much."""
        return f"""
            update {self.table} t set file_id = :file, at = v.at
            from verdict v where v.known = t.id and v.verdict = 'same' and t.file_id <> :file"""

    @property
    def forget_sightings(self) -> str:
        return f"delete from {self.record.name}_sighting where file_id = :file"

    @property
    def keep_sightings(self) -> str:
        """Every row of the file; those that are new have an id by now."""
        same_fact = " and ".join(f't."{name}" = v."{name}"' for name in self.record.identity)
        return f"""
            insert into {self.record.name}_sighting (file_id, {self.record.name}_id, at)
            select :file, coalesce(v.known, t.id), v.at
            from verdict v
            left join {self.table} t on v.known is null and t.person_id = :person and t.source = :source and {same_fact}
                and t.occurrence = v.occurrence"""

    @property
    def retract(self) -> str:
        """What this file told when it was read before, and no file tells any longer, is absent."""
        return f"""
            with gone as (
                update {self.table} t set absent_since = f.as_of
                from intake_file f
                where f.id = :file and t.file_id = :file and t.absent_since is null
                    and not exists (select 1 from {self.record.name}_sighting s where s.{self.record.name}_id = t.id)
                returning t.*
            )
            insert into stale_day (person_id, day)
            select distinct cast(:person as smallint), day::date
            from (select {self._span("t")} from gone t{self._clocks("t")}) as span (first, last),
            generate_series(first, least(last, current_date + 1), interval '1 day') as day
            on conflict do nothing"""

    @property
    def cover(self) -> str:
        return f"""
            insert into coverage (file_id, record, scope, first, last)
            select :file, '{self.record.name}', {self.scope("s")}, min({self.window("s")}), max({self.window("s")})
            from {self.stage} s group by 3
            on conflict (file_id, record, scope) do update set first = excluded.first, last = excluded.last"""

    @property
    def mark_absent(self) -> str:
        return f"""
            update {self.table} t set absent_since = (select as_of from intake_file where id = :file)
            from missing m where m.id = t.id"""
