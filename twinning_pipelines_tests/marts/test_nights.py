"""Nights in the database: the table, the facts and their explanation are one computation, and follow what is told anew."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
import sqlalchemy as sa

from twinning_pipelines.marts.daily_facts import Evidence, evidence_of, facts_of, find_fact, refresh_facts
from twinning_pipelines.marts.facts import FACTS
from twinning_pipelines.stores.postgres.store import PostgresStore
from twinning_pipelines_tests.marts.conftest import Rows, Tell

NIGHT_FACTS = [fact.name for fact in FACTS if fact.total == "night"]


def _stage(stage: str, begin: str, end: str, origin: str = "Ada's Apple Watch") -> tuple[str, Mapping[str, object]]:
    """A stretch on `day hour:minute` of March 2026 in Zürich, which is an hour ahead of UTC until the 29th."""
    began, ended = (f"2026-03-{int(text.split()[0]):02}T{text.split()[1]}:00+01:00" for text in (begin, end))
    return "sleep_stage", {"stage": stage, "origin": origin, "started_at": began, "ended_at": ended}


NIGHT: Rows = [
    _stage("in_bed", "7 22:15", "8 07:00", "Ada's iPhone"),
    _stage("awake", "7 22:30", "7 22:45"), _stage("core", "7 22:45", "8 01:00"), _stage("deep", "8 01:00", "8 02:00"),
    _stage("rem", "8 02:00", "8 03:30"), _stage("core", "8 03:30", "8 06:30"),
    _stage("asleep", "7 22:00", "8 07:30", "Ada's iPhone"),
    _stage("asleep", "8 13:00", "8 13:30", "Ada's iPhone"),
]  # fmt: skip


def _facts(engine: sa.Engine, day: int, person: str = "ada") -> dict[str, float]:
    """The facts of the nights of a day of March 2026, in hours, after counting what is stale."""
    with engine.begin() as connection:
        refresh_facts(connection)
        told = facts_of(connection, person, date(2026, 3, day))
        return {fact.fact: float(fact.value) for fact in told if fact.fact in NIGHT_FACTS}


def _evidence(engine: sa.Engine, fact: str, day: date) -> list[Evidence]:
    with engine.connect() as connection:
        return evidence_of(connection, find_fact(fact)[0], "", "ada", day)


def test_a_night_of_two_devices_by_hand(tell: Tell, engine: sa.Engine) -> None:
    tell(NIGHT)
    # The watch: core 2:15 + 3:00, deep 1:00, REM 1:30, awake 0:15. In bed by the phone from 22:15 to 07:00.
    # The phone alone saw the nap of half an hour.
    assert _facts(engine, 8) == pytest.approx({
        "sleep": 8.25, "time_in_bed": 9.25, "sleep_deep": 1, "sleep_rem": 1.5, "sleep_core": 5.25, "sleep_awake": 0.25, "naps": 0.5,
    })  # fmt: skip
    assert _facts(engine, 7) == {}
    with engine.connect() as connection:
        nights = connection.execute(sa.text("select * from night order by day, number")).mappings().all()
    night, nap = nights
    assert {name: night[name] for name in ("day", "number", "kind", "origin", "source", "n")} == {
        "day": date(2026, 3, 8), "number": 1, "kind": "night", "origin": "Ada's Apple Watch", "source": "health.told", "n": 6,
    }  # fmt: skip
    assert night["started_at"] == datetime(2026, 3, 7, 21, 15, tzinfo=UTC)
    assert night["ended_at"] == datetime(2026, 3, 8, 6, tzinfo=UTC)
    minutes = [night[f"{field}_min"] for field in ("in_bed", "asleep", "core", "deep", "rem", "awake")]
    assert minutes == [525, 465, 315, 60, 90, 15]
    assert (nap["number"], nap["kind"], nap["asleep_min"], nap["in_bed_min"], nap["n"]) == (2, "nap", 30, 30, 1)
    assert [nap[f"{field}_min"] for field in ("core", "deep", "rem", "awake")] == [None] * 4


def test_the_rows_behind_a_night_say_which_stage_and_where(tell: Tell, engine: sa.Engine) -> None:
    tell(NIGHT)
    _facts(engine, 8)
    day = date(2026, 3, 8)
    assert [(float(row.amount), row.label, row.record, row.at) for row in _evidence(engine, "sleep", day)] == [
        (3.0, "core, Ada's Apple Watch", "sleep_stage", 6), (2.25, "core, Ada's Apple Watch", "sleep_stage", 3),
        (1.5, "rem, Ada's Apple Watch", "sleep_stage", 5), (1.0, "deep, Ada's Apple Watch", "sleep_stage", 4),
        (0.5, "asleep, Ada's iPhone", "sleep_stage", 8),
    ]  # fmt: skip
    assert [(float(row.amount), row.at) for row in _evidence(engine, "naps", day)] == [(0.5, 8)]
    # The phone's hours in bed count but for those in which the watch knows better: 15 minutes before, 30 after.
    (in_bed,) = [row for row in _evidence(engine, "time_in_bed", day) if row.at == 1]
    assert float(in_bed.amount) == pytest.approx(0.75)


def test_what_is_told_of_one_evening_changes_the_nights_beside_it(tell: Tell, engine: sa.Engine) -> None:
    tell([_stage("core", "8 00:30", "8 06:00")])
    assert _facts(engine, 8)["sleep"] == 5.5
    # Only the seventh is touched by this stretch; the night is the eighth's.
    tell([_stage("deep", "7 22:30", "7 23:30")])
    assert _facts(engine, 8)["sleep"] == 6.5
    assert _facts(engine, 7) == {}


def test_a_sleep_that_moves_to_another_day_leaves_nothing_behind(tell: Tell, engine: sa.Engine) -> None:
    tell([_stage("core", "7 20:00", "7 23:50")])
    assert _facts(engine, 7)["sleep"] == pytest.approx(3 + 5 / 6)
    tell([_stage("core", "8 00:10", "8 06:00")])
    assert _facts(engine, 7) == {}
    assert _facts(engine, 8)["sleep"] == pytest.approx(3 + 5 / 6 + 5 + 5 / 6)
    with engine.connect() as connection:
        assert connection.execute(sa.text("select count(*) from night")).scalar_one() == 1


def test_days_are_computed_alike_alone_and_together(tell: Tell, engine: sa.Engine) -> None:
    chance = Random(5)
    rows: Rows = []
    for _ in range(260):
        began = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(60 * 1440))
        ended = began + timedelta(minutes=chance.randrange(1, 200))
        values = {
            "stage": chance.choice(("in_bed", "awake", "asleep", "core", "deep", "rem")),
            "origin": chance.choice(("Watch", "iPhone", "Pillow")), "started_at": began.isoformat(), "ended_at": ended.isoformat(),
        }  # fmt: skip
        rows.append(("sleep_stage", values))
    tell(rows)
    with engine.begin() as connection:
        refresh_facts(connection)
        days = list(connection.execute(sa.text("select distinct day from night order by day")).scalars())
        together = [facts_of(connection, "ada", day) for day in days]
        tables = connection.execute(sa.text("select * from night order by day, number")).all()
        for told in together:
            for fact in told:
                shares = evidence_of(connection, find_fact(fact.fact)[0], "", "ada", fact.day)
                assert float(sum(row.amount for row in shares)) == pytest.approx(float(fact.value))
                assert len(shares) == fact.n, fact
        for day in days:
            refresh_facts(connection, [day])
        assert [facts_of(connection, "ada", day) for day in days] == together
        assert connection.execute(sa.text("select * from night order by day, number")).all() == tables


def test_a_summary_is_explained_by_its_own_row(tell: Tell, engine: sa.Engine) -> None:
    tell([
        ("sleep_session", {
            "origin": "Oura", "started_at": "2026-03-07T22:45:00+01:00", "ended_at": "2026-03-08T07:00:00+01:00",
            "asleep_min": 432.0, "in_bed_min": 480.0, "awake_min": 36.0, "deep_min": 90.0,
        }),
    ])  # fmt: skip
    assert _facts(engine, 8) == pytest.approx({"sleep": 7.2, "time_in_bed": 8, "sleep_deep": 1.5, "sleep_awake": 0.6})
    (row,) = _evidence(engine, "sleep", date(2026, 3, 8))
    assert (float(row.amount), row.label, row.record, row.at) == (7.2, "summary, Oura", "sleep_session", 1)


def test_moving_house_moves_the_day_of_a_night(tell: Tell, engine: sa.Engine, store: PostgresStore) -> None:
    tell([_stage("core", "8 00:30", "8 05:30")])
    assert _facts(engine, 8)["sleep"] == 5
    # 05:30 in Zürich is 23:30 of the evening before in New York.
    store.settle_in("ada", "America/New_York", None)
    assert _facts(engine, 8) == {}
    assert _facts(engine, 7)["sleep"] == 5


def test_people_sleep_for_themselves(tell: Tell, engine: sa.Engine) -> None:
    tell(NIGHT)
    tell([_stage("core", "7 23:00", "8 05:00")], person="bea")
    assert _facts(engine, 8, "bea") == {"sleep": 6, "time_in_bed": 6, "sleep_core": 6}
    assert _facts(engine, 8)["sleep"] == 8.25


def test_the_same_night_through_two_sources_counts_once(tell: Tell, engine: sa.Engine) -> None:
    for source in ("health.told", "health.told_again"):
        tell(NIGHT, source=source)
    assert _facts(engine, 8)["sleep"] == 8.25
