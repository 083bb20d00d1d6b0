"""Rollups in the database: what is stored is what explains it, whichever days are counted together."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
import sqlalchemy as sa

from twinning_pipelines.marts.rollups import refresh_rollups, shares_of
from twinning_pipelines.stores.postgres.store import PostgresStore
from twinning_pipelines_tests.marts.conftest import Rows, Tell


def _rows(seed: int) -> Rows:
    """Forty days of steps, heart rates and weights from four devices, some of them day totals and some of a week."""
    chance = Random(seed)
    rows: Rows = []
    for _ in range(600):
        metric = chance.choice(("steps", "steps", "heart_rate", "body_mass"))
        began = datetime(2026, 3, 10, tzinfo=UTC) + timedelta(minutes=chance.randrange(40 * 1440))
        length = chance.choice((0, 1, 15, 60, 600, 1440, 7 * 1440)) if metric == "steps" else 0
        value = {
            "steps": chance.randrange(900),
            "heart_rate": chance.randrange(45, 180),
            "body_mass": chance.randrange(60, 70),
        }
        rows.append(
            ("sample", {
                "metric": metric, "origin": chance.choice(("Watch", "iPhone", "old iPhone", "Pedometer")),
                "started_at": began.isoformat(), "ended_at": (began + timedelta(minutes=length)).isoformat(),
                "value": float(value[metric]),
            })
        )  # fmt: skip
    return rows


def _rollups(connection: sa.Connection) -> dict[tuple[str, date], tuple[float, int]]:
    statement = "select m.name, d.day, d.value, d.n from daily_rollup d join metric m on m.id = d.metric_id"
    return {(name, day): (value, n) for name, day, value, n in connection.execute(sa.text(statement))}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_rollup_is_the_sum_of_its_shares(tell: Tell, engine: sa.Engine, store: PostgresStore, seed: int) -> None:
    tell(_rows(seed))
    store.settle_in("ada", "America/New_York", datetime(2026, 3, 20, 14, tzinfo=UTC))
    store.settle_in("ada", "Europe/Zurich", datetime(2026, 4, 2, 22, tzinfo=UTC))
    with engine.connect() as connection:
        rollups = _rollups(connection)
        assert len(rollups) > 100
        for (metric, day), (value, n) in rollups.items():
            amounts = [float(share.amount) for share in shares_of(connection, 1, metric, day)]
            assert len(amounts) == n, (metric, day)
            if metric == "steps":
                assert sum(amounts) == pytest.approx(value, rel=1e-9, abs=1e-9), day
            elif metric == "heart_rate":
                assert sum(amounts) / n == pytest.approx(value), day
            else:
                assert value in amounts


def test_days_are_counted_alike_alone_and_together(tell: Tell, engine: sa.Engine) -> None:
    tell(_rows(4))
    with engine.begin() as connection:
        together = _rollups(connection)
        stale = "insert into stale_rollup (person_id, metric_id, first, last) values (1, :metric, :day, :day)"
        ids = dict(connection.execute(sa.text("select name, id from metric")).tuples().all())
        for metric, day in together:
            connection.execute(sa.text(stale), {"metric": ids[metric], "day": day})
            refresh_rollups(connection, 1)
        alone = _rollups(connection)
    assert alone.keys() == together.keys()
    for key, (value, n) in together.items():
        assert alone[key][0] == pytest.approx(value, rel=1e-9, abs=1e-9), key
        assert alone[key][1] == n, key


def test_samples_that_come_later_change_the_days_before_and_after(tell: Tell, engine: sa.Engine) -> None:
    def steps(origin: str, began: str, ended: str, value: float) -> Rows:
        return [
            ("sample", {"metric": "steps", "origin": origin, "started_at": began, "ended_at": ended, "value": value})
        ]

    tell(steps("iPhone", "2026-03-02T22:30:00Z", "2026-03-02T23:30:00Z", 100))
    tell(steps("Watch", "2026-03-02T23:00:00Z", "2026-03-02T23:15:00Z", 7))
    with engine.connect() as connection:
        # Half an hour of the phone before midnight; after it, the quarter of an hour that the watch left.
        assert _rollups(connection) == {("steps", date(2026, 3, 2)): (50, 1), ("steps", date(2026, 3, 3)): (32, 2)}
