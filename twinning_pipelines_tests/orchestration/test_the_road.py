"""The whole road under Dagster: dropped files end in tables, facts and InfluxDB, and nothing personal in the event log."""

from datetime import date
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from twinning_pipelines.definitions import build_defs
from twinning_pipelines.errors import FarSideUnavailable
from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines.orchestration.keys import DAILY_FACTS, FRESH_FACTS, INBOX, INFLUX, source_key, table_key
from twinning_pipelines.orchestration.projection import AGAIN, push
from twinning_pipelines.settings import Secret, Settings
from twinning_pipelines.sources.finance import ofx_statement
from twinning_pipelines.sources.health import apple_health
from twinning_pipelines.sources.time import toggl
from twinning_pipelines_tests.far_sides.influx_v2 import FakeInflux
from twinning_pipelines_tests.far_sides.scripted_server import Instead, Reply
from twinning_pipelines_tests.orchestration.drops import (
    count,
    drop,
    drop_health,
    drop_hours,
    drop_statement,
    everything,
    figures,
    materialise,
    verdicts,
)

OFX, APPLE = source_key(ofx_statement.SOURCE), source_key(apple_health.SOURCE)


def test_dropped_files_become_rows_and_facts_and_a_second_run_changes_nothing(
    home: Home, opened: OpenHome, instance: dg.DagsterInstance
) -> None:
    drop_statement(home, broken=1)
    drop_hours(home)
    drop_health(home)
    first = materialise(home, instance)
    assert first.success
    assert not [path for path in home.inbox.rglob("*") if path.is_file()]
    inbox, ofx = figures(first, INBOX), figures(first, OFX)
    assert (inbox["routed"], inbox["put aside"], inbox["waiting"]) == (3, 0, 0)
    assert ofx["files"] == 1
    assert ofx["read"] == int(str(ofx["accepted"])) + 1
    assert ofx["new"] == ofx["accepted"] == count(opened, "transaction")
    assert figures(first, table_key("transaction"))["dagster/row_count"] == count(opened, "transaction")
    assert figures(first, table_key("sample"))["dagster/row_count"] == count(opened, "sample") > 0
    assert count(opened, "daily_fact") > 31
    before = everything(opened)

    drop_statement(home, broken=1)
    drop_hours(home)
    again = materialise(home, instance)
    assert again.success
    assert figures(again, OFX)["files"] == 0
    assert figures(again, FRESH_FACTS)["days counted"] == 0
    assert everything(opened) == before


def test_a_file_that_came_twice_with_other_bytes_is_the_same(
    home: Home, opened: OpenHome, instance: dg.DagsterInstance
) -> None:
    path = drop_statement(home)
    text = path.read_text(encoding="utf-8")
    materialise(home, instance)
    drop(home, "ada/again.ofx", text.replace("\n", "\r\n", 1))
    again = figures(materialise(home, instance), OFX)
    assert (again["files"], again["new"], again["same"]) == (1, 0, count(opened, "transaction"))


def test_nothing_personal_stands_in_the_event_log(home: Home, instance: dg.DagsterInstance) -> None:
    drop_statement(home, "zacharias/geheimbank.ofx", broken=3)
    drop(home, "zacharias/geheimnis.bin", "nobody reads this: geheimwort\n")
    drop(
        home,
        "zacharias/geheim-hours.csv",
        "Project,Client,Description,Start date,Start time,End date,End time,Duration\n"
        "Geheimprojekt,Geheimkunde,geheim,2026-03-02,09:00:00,2026-03-02,11:30:00,02:30:00\n"
        "Geheimprojekt,Geheimkunde,geheim,2026-03-02,99:00:00,2026-03-02,11:30:00,02:30:00\n",
    )
    result = materialise(home, instance)
    logged = "\n".join(str(entry) for entry in instance.all_logs(result.run_id)).lower()
    with home.opened() as opened, opened.engine.connect() as connection:
        payees = set(connection.execute(sa.text("select payee from transaction where payee <> ''")).scalars())
    assert len(payees) > 3
    assert "transaction" in logged
    assert not [word for word in ("zacharias", "geheim", *(payee.lower() for payee in payees)) if word in logged]


def test_a_file_that_nobody_recognises_is_put_aside_and_shown(home: Home, instance: dg.DagsterInstance) -> None:
    drop(home, "ben/mystery.bin", "what is this\n")
    result = materialise(home, instance)
    assert result.success
    assert figures(result, INBOX)["put aside"] == 1
    check = verdicts(result)["inbox", "inbox_is_empty_of_trouble"]
    assert (check.passed, check.severity, check.metadata["files"].value) == (False, dg.AssetCheckSeverity.WARN, 1)
    for path in (home.quarantine / "ben").iterdir():
        path.unlink()
    assert verdicts(materialise(home, instance))["inbox", "inbox_is_empty_of_trouble"].passed


def test_good_series_reach_influxdb(
    projected: Home, opened: OpenHome, influx: FakeInflux, instance: dg.DagsterInstance
) -> None:
    drop_health(projected)
    result = materialise(projected, instance)
    assert result.success
    assert figures(result, INFLUX)["points"] == count(opened, "sample") == len(influx.points)
    assert figures(materialise(projected, instance), INFLUX)["points"] == 0


def test_bad_data_stops_before_the_outside_world(
    projected: Home, opened: OpenHome, influx: FakeInflux, instance: dg.DagsterInstance
) -> None:
    drop_health(projected, broken=100)
    drop_hours(projected)
    result = materialise(projected, instance)
    assert not result.success
    check = verdicts(result)[APPLE.to_user_string(), "few_rejections"]
    assert (check.passed, check.blocking, check.severity) == (False, True, dg.AssetCheckSeverity.ERROR)
    assert count(opened, "sample") > 0
    assert not influx.exchanges
    made = {event.asset_key for event in result.get_asset_materialization_events()}
    assert APPLE in made
    assert table_key("time_entry") in made
    assert not made & {INFLUX, table_key("sample")}
    assert (source_key(toggl.SOURCE).to_user_string(), "arrives_in_time") in verdicts(result)
    # Without a new file the verdict stands; a corrected export lifts it.
    assert not verdicts(materialise(projected, instance))[APPLE.to_user_string(), "few_rejections"].passed
    drop_health(projected, "ada/corrected.zip")
    assert materialise(projected, instance).success
    assert influx.points


def test_rows_that_nobody_can_explain_stop_what_follows(
    home: Home, opened: OpenHome, instance: dg.DagsterInstance
) -> None:
    drop_statement(home)
    drop_health(home)
    assert materialise(home, instance).success
    with opened.engine.begin() as connection:
        lost = "update sample_chunk set file_ids = array_fill(4711, array[n]) where ctid = (select min(ctid) from sample_chunk)"
        orphans = connection.execute(sa.text(f"{lost} returning n")).scalar_one()
        connection.execute(sa.text("insert into person (name) values ('ben')"))
        connection.execute(sa.text("update transaction set person_id = (select id from person where name = 'ben')"))
    result = materialise(home, instance)
    assert not result.success
    found = verdicts(result)
    assert found["table/sample", "rows_have_provenance"].metadata["rows of unknown origin"].value == orphans
    assert not found["table/transaction", "rows_have_provenance"].passed
    assert found["table/time_entry", "rows_have_provenance"].passed
    assert INFLUX not in {event.asset_key for event in result.get_asset_materialization_events()}


def test_what_follows_its_tables_waits_for_their_checks(
    home: Home, opened: OpenHome, instance: dg.DagsterInstance
) -> None:
    drop_health(home)
    assert materialise(home, instance).success
    defs = build_defs(home)
    state = dg.evaluate_automation_conditions(defs, instance)
    materialise(home, instance, [table_key("sample")])
    state = dg.evaluate_automation_conditions(defs, instance, cursor=state.cursor)
    assert state.get_requested_partitions(INFLUX) == {None}
    with opened.engine.begin() as connection:
        connection.execute(sa.text("update sample_chunk set file_ids = array_fill(4711, array[n])"))
    materialise(home, instance, [table_key("sample")])
    state = dg.evaluate_automation_conditions(defs, instance, cursor=state.cursor)
    assert state.total_requested == 0


def test_a_home_without_influxdb_says_so(home: Home, instance: dg.DagsterInstance) -> None:
    result = materialise(home, instance)
    assert result.success
    assert str(figures(result, INFLUX)["state"]).startswith("not configured")


def test_only_silence_is_tried_again(projected: Home, influx: FakeInflux) -> None:
    assert AGAIN.max_retries == 3
    with projected.opened() as opened:
        influx.script.append(Instead(Reply.of(503, {"name": "influxdb", "message": "starting", "status": "fail"})))
        with pytest.raises(FarSideUnavailable):
            push(opened)
        influx.tokens.clear()
        with pytest.raises(dg.Failure) as refused:
            push(opened)
        assert not refused.value.allow_retries
        wrong = Home(
            Settings(home=projected.settings.home, influx_url="http://user:secret@nowhere:1", influx_token=Secret("t"))
        )
        with pytest.raises(dg.Failure) as bug:
            push(OpenHome(wrong, opened.engine))
        assert not bug.value.allow_retries
        assert "secret" not in str(bug.value.description)


def test_facts_of_chosen_days_are_counted_in_one_run(
    home: Home, opened: OpenHome, instance: dg.DagsterInstance
) -> None:
    drop_hours(home)
    materialise(home, instance)
    stored = everything(opened)["daily_fact"]
    with opened.engine.begin() as connection:
        connection.execute(sa.text("delete from daily_fact where day between '2026-03-01' and '2026-03-31'"))
    job = build_defs(home).resolve_implicit_global_asset_job_def()
    days = {"dagster/asset_partition_range_start": "2026-03-01", "dagster/asset_partition_range_end": "2026-03-31"}
    result = job.execute_in_process(instance=instance, asset_selection=[DAILY_FACTS], tags=days)
    assert result.success
    assert everything(opened)["daily_fact"] == stored
    assert len(instance.get_materialized_partitions(DAILY_FACTS)) == 31


def test_today_has_a_partition(home: Home) -> None:
    partitions = build_defs(home).resolve_asset_graph().get(DAILY_FACTS).partitions_def
    assert partitions is not None
    today = dg.DailyPartitionsDefinition(
        "2020-01-01", timezone=home.settings.zone, end_offset=1
    ).get_last_partition_key()
    assert partitions.get_last_partition_key() == today
    assert date.fromisoformat(str(today)) >= date(2026, 1, 1)


def test_a_file_that_a_sweep_left_without_a_source_is_not_lost(
    home: Home, opened: OpenHome, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    path = drop_statement(home)
    materialise(home, instance, [INBOX])
    assert not path.exists()
    with opened.engine.begin() as connection:
        connection.execute(sa.text("update intake_file set source = null"))
    result = materialise(home, instance)
    assert figures(result, INBOX)["left over"] == 1
    assert count(opened, "transaction") > 0
