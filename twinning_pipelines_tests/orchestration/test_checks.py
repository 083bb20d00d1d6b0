"""Each warning is proven on a planted fault."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import sqlalchemy as sa

from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines.marts.freshness import Freshness
from twinning_pipelines.orchestration.checks import arrival
from twinning_pipelines.orchestration.figures import Share, judged
from twinning_pipelines.orchestration.keys import INBOX, source_key
from twinning_pipelines.receipt import Counts, Receipt
from twinning_pipelines.sources.finance import ofx_statement
from twinning_pipelines_tests.orchestration.drops import drop_statement, materialise, verdicts

OFX = ofx_statement.SOURCE


def _silent_for(days: int, person: str = "ada") -> Freshness:
    return Freshness(person, OFX.name, 1, datetime.now(UTC) - timedelta(days=days), OFX.expect_every)


def test_silence_is_told_without_names() -> None:
    late = arrival([_silent_for(3), _silent_for(40, "zacharias")])
    assert not late.passed
    assert late.severity is dg.AssetCheckSeverity.WARN
    assert late.metadata["people overdue"].value == 1
    assert late.metadata["longest silence, days"].value == 40
    assert "zacharias" not in str(late)
    assert arrival([_silent_for(3)]).passed
    assert arrival([]).passed


def test_an_old_statement_is_overdue_and_a_new_one_is_not(
    home: Home, opened: OpenHome, instance: dg.DagsterInstance
) -> None:
    drop_statement(home)
    materialise(home, instance, [INBOX, source_key(OFX)])
    for days, in_time in ((40, False), (20, True)):
        with opened.engine.begin() as connection:
            connection.execute(sa.text("update intake_file set as_of = now() - :age"), {"age": timedelta(days=days)})
        found = verdicts(materialise(home, instance, [source_key(OFX)]))
        assert found["finance/ofx", "arrives_in_time"].passed is in_time


def test_rejected_rows_wait_in_quarantine_until_they_are_read(home: Home, instance: dg.DagsterInstance) -> None:
    drop_statement(home, broken=2)
    check = verdicts(materialise(home, instance))["finance/ofx", "quarantine_is_empty"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check.metadata["rows of transaction"].value == 2


def test_a_missing_booking_opens_a_gap(home: Home, opened: OpenHome, instance: dg.DagsterInstance) -> None:
    drop_statement(home)
    assert verdicts(materialise(home, instance))["bookings", "balances_add_up"].passed
    with opened.engine.begin() as connection:
        connection.execute(
            sa.text(
                "insert into claim (file_id, kind, subject, day, value, unit, at) "
                "select file_id, kind, subject, day + 5, value + 1, unit, at from claim where kind = 'closing_balance'"
            )
        )
    check = verdicts(materialise(home, instance))["bookings", "balances_add_up"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert (check.metadata["stretches with a gap"].value, check.metadata["accounts"].value) == (1, 1)


def test_a_refused_point_is_seen(home: Home, opened: OpenHome, instance: dg.DagsterInstance) -> None:
    assert verdicts(materialise(home, instance))["influx_projection", "no_dead_letters"].passed
    with opened.engine.begin() as connection:
        connection.execute(sa.text("insert into person (name) values ('ada')"))
        connection.execute(
            sa.text("insert into metric (name, unit, total, registered) values ('odd', 'count', 'sum', false)")
        )
        connection.execute(
            sa.text(
                "insert into influx_dead_letter (person_id, metric_id, day, line, status, reason) select p.id, m.id, "
                "'2026-03-01', 'line', 422, 'type conflict' from person p, metric m where m.name = 'odd'"
            )
        )
    assert not verdicts(materialise(home, instance))["influx_projection", "no_dead_letters"].passed


def test_a_source_is_judged_by_what_was_just_read_or_else_by_the_last_files(
    home: Home, opened: OpenHome, instance: dg.DagsterInstance
) -> None:
    receipts = [Receipt("a", OFX.name, {"transaction": Counts(9, 1)}), Receipt("b", OFX.name, problem="empty")]
    with opened.engine.connect() as connection:
        assert judged(connection, OFX.name, receipts) == [Share(10, 1)]
        assert judged(connection, OFX.name, []) == []
    drop_statement(home, broken=1)
    materialise(home, instance)
    with opened.engine.connect() as connection:
        (share,) = judged(connection, OFX.name, [])
    assert share.rejected == 1
    assert 0 < share.rejected_share < 0.05
    assert Share(0, 0).rejected_share == 0
