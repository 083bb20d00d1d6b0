"""The numbers for Prometheus are what the ledger, the queues and Dagster say; each part fails on its own."""

import os
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from twinning_pipelines.definitions import build_defs
from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines.marts.freshness import status_of
from twinning_pipelines.orchestration import figures, metrics
from twinning_pipelines.orchestration.firefly import parked_count
from twinning_pipelines.orchestration.keys import INBOX, source_key
from twinning_pipelines.orchestration.metrics import Known, Watch, our_definitions
from twinning_pipelines.products.metrics.gauges import GAUGES, OTHER_JOB, ROUND
from twinning_pipelines.products.news.told import standings
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.sessions import SLEEP_STAGE
from twinning_pipelines.settings import Settings, settings_of_environment
from twinning_pipelines.sources.finance import ofx_statement
from twinning_pipelines_tests.infra.programs import needs
from twinning_pipelines_tests.orchestration.drops import (
    count,
    drop,
    drop_health,
    drop_hours,
    drop_statement,
    materialise,
)
from twinning_pipelines_tests.orchestration.watched import (
    OF_DAGSTER,
    OF_DATABASE,
    Values,
    exposition,
    failed,
    look,
    of_the_ledger,
    watching,
)


def test_every_gauge_is_there_once_with_its_meaning_even_in_an_empty_home(watch: Watch) -> None:
    lines = exposition(watch).splitlines()
    for word in ("HELP", "TYPE"):
        assert [line.split()[2] for line in lines if line.startswith(f"# {word}")] == [each.name for each in GAUGES]
    assert all(line.endswith(" gauge") for line in lines if line.startswith("# TYPE"))
    values = look(watch)
    assert failed(values) == set()
    for name in (
        "twinning_samples",
        "twinning_bookings",
        "twinning_archive_bytes",
        "twinning_run_queue_oldest_seconds",
    ):
        assert values[name] == {(): 0}
    assert values["twinning_database_bytes"][()] > 1_000_000
    assert values["twinning_files"] == values["twinning_file_rows"] == values["twinning_summaries"] == {}
    assert values["twinning_outbox_pending"] == {("news",): 0}
    assert set(values["twinning_runs_active"].values()) == {0}
    assert {part for (part,) in values["twinning_collect_seconds"]} == {each.part for each in GAUGES} - {ROUND}


def test_the_exposition_is_what_the_checker_of_prometheus_wants(
    home: Home, watch: Watch, instance: dg.DagsterInstance
) -> None:
    promtool = needs("promtool")
    drop_statement(home, 'a"d\\a/march.ofx', broken=1)
    materialise(home, instance, [INBOX, source_key(ofx_statement.SOURCE)])
    told = subprocess.run(
        [promtool, "check", "metrics"], input=exposition(watch), capture_output=True, text=True, check=False, timeout=60
    )
    # It takes every name that ends so for a time; here days are what is counted.
    assert told.stdout + told.stderr == 'twinning_stale_days use base unit "seconds" instead of "days"\n'
    assert ('a"d\\a', "finance.ofx", "loaded") in look(watch)["twinning_files"]


def test_the_rows_are_those_of_the_receipts(home: Home, opened: OpenHome, watch: Watch) -> None:
    paths = [
        drop_statement(home, "ada/march.ofx", broken=2),
        drop_statement(home, "ben/march.ofx"),
        drop_hours(home),
        drop_health(home, broken=3),
    ]
    expected: Values = {}
    for path in paths:
        person = path.relative_to(home.inbox).parts[0]
        receipt = opened.ingest(path, person, called=path.name)
        assert receipt.problem is None
        for table, counts in receipt.counts.items():
            expected[person, str(receipt.source), table, "accepted"] = counts.accepted
            expected[person, str(receipt.source), table, "rejected"] = counts.rejected
    values = look(watch)
    assert failed(values) == set()
    assert values["twinning_file_rows"] == expected
    assert sum(value for labels, value in expected.items() if labels[-1] == "rejected") == 5
    assert values["twinning_files"] == {
        ("ada", "finance.ofx", "loaded"): 1,
        ("ada", "health.apple_health", "loaded"): 1,
        ("ada", "time.toggl", "loaded"): 1,
        ("ben", "finance.ofx", "loaded"): 1,
    }
    assert values["twinning_bookings"] == {(): count(opened, "booking where gone_since is null")}
    with opened.engine.connect() as connection:
        for source in home.sources:
            kept = sum(figures.quarantined(connection, source.name).values())
            assert values["twinning_rejected_rows_open"][source.name,] == kept
        samples = sum(figures.table_figures(connection, record).rows for record in (SAMPLE, SLEEP_STAGE))
    assert values["twinning_samples"] == {(): samples}
    assert samples > 100


def test_a_file_that_is_dropped_twice_changes_nothing(home: Home, opened: OpenHome, watch: Watch) -> None:
    path = drop_statement(home, broken=1)
    opened.ingest(path, "ada", called="once")
    once = of_the_ledger(look(watch))
    assert once["twinning_archive_bytes"] == {(): path.stat().st_size}
    opened.ingest(path, "ada", called="twice")
    assert of_the_ledger(look(watch)) == once
    # Another person's same file is theirs, and lies in the archive once.
    opened.ingest(path, "ben", called="theirs")
    both = of_the_ledger(look(watch))
    assert both["twinning_archive_bytes"] == once["twinning_archive_bytes"]
    assert {labels[1:]: value for labels, value in both["twinning_file_rows"].items() if labels[0] == "ben"} == {
        labels[1:]: value for labels, value in once["twinning_file_rows"].items()
    }


def test_a_file_of_nobody_has_no_source(home: Home, watch: Watch, instance: dg.DagsterInstance) -> None:
    drop(home, "ada/noise.bin", "nobody knows me")
    drop_statement(home)
    materialise(home, instance, [INBOX, source_key(ofx_statement.SOURCE)])
    assert look(watch)["twinning_files"] == {("ada", "none", "unrouted"): 1, ("ada", "finance.ofx", "loaded"): 1}


def test_what_status_says_is_said_here(projected: Home, instance: dg.DagsterInstance) -> None:
    paths = [drop_health(projected), drop_statement(projected, broken=1)]
    with projected.opened() as opened, watching(projected, instance) as watch:
        for path in paths:
            opened.ingest(path, "ada", called=path.name)
        with opened.engine.begin() as connection:
            connection.execute(sa.text("insert into stale_day select id, current_date + 5 from person"))
        values = look(watch)
        with opened.engine.connect() as connection:
            status = status_of(connection, projected.sources)
    assert status.influx_outbox > 0
    assert values["twinning_outbox_pending"]["influxdb",] == status.influx_outbox
    assert values["twinning_outbox_dead"]["influxdb",] == status.influx_dead_letters
    assert ("influxdb",) not in values["twinning_outbox_oldest_seconds"]
    assert sum(values["twinning_stale_days"].values()) == status.stale_days > 0
    assert sum(values["twinning_rejected_rows_open"].values()) == status.rejected_rows == 1
    assert values["twinning_last_file_timestamp_seconds"] == {
        (each.person, each.source): pytest.approx(each.as_of.timestamp()) for each in status.freshness
    }
    expected = {source.name: source.expect_every for source in projected.sources if source.expect_every}
    assert {name: timedelta(seconds=n) for (name,), n in values["twinning_expected_every_seconds"].items()} == expected


FIREFLY = """
    insert into firefly_outbox (person_id, server, external_id, booking_ids, state, changed_at)
    select p.id, 'http://firefly:8080', state || n, '{1}', state, now() - n * interval '1 hour'
    from person p, generate_series(1, 3) n, unnest(array['pending', 'sending', 'retry', 'done', 'refused', 'withdrawn']) state"""
NEWS = """
    with n as (
        insert into news (kind, subject, title, body, made_at)
        select 'k', n::text, 't', 'b', now() - n * interval '1 minute' from generate_series(1, 9) n returning id, subject)
    insert into news_delivery (news_id, target, delivery, state)
    select id, target, gen_random_uuid(), (array['pending', 'delivered', 'dead'])[1 + subject::int % 3]
    from n, unnest(array['hub', 'phone']) target"""


def test_the_queues_of_firefly_and_news(home: Home, opened: OpenHome, instance: dg.DagsterInstance) -> None:
    settings = Settings(
        home=home.settings.home, database_url=home.settings.database_url, firefly_url="http://firefly:8080"
    )
    with_firefly = Home(settings, home.sources)
    with opened.engine.begin() as connection:
        connection.execute(sa.text("insert into person (name) values ('ada')"))
        for statement in (FIREFLY, NEWS):
            connection.execute(sa.text(statement))
    with watching(with_firefly, instance) as watch:
        values = look(watch)
    with opened.engine.connect() as connection:
        assert values["twinning_outbox_dead"]["firefly",] == parked_count(connection, "http://firefly:8080") == 3
        queues = standings(connection)
    assert values["twinning_outbox_pending"] == {("firefly",): 9, ("news",): sum(each.pending for each in queues)}
    assert values["twinning_outbox_dead"]["news",] == sum(each.dead for each in queues) == 6
    assert values["twinning_outbox_oldest_seconds"]["firefly",] == pytest.approx(3 * 3600, abs=60)
    assert values["twinning_outbox_oldest_seconds"]["news",] == pytest.approx(9 * 60, abs=60)


def test_summaries_by_the_way_they_were_written(opened: OpenHome, watch: Watch) -> None:
    statement = """
        insert into summary (person_id, kind, day, path, headline, text, sentences, facts, seconds, made_at)
        select p.id, kind, day, path, '', '', '[]', '[]', 1, made
        from person p, (values ('day', date '2026-03-01', 'model', timestamptz '2026-03-02 05:00Z'),
            ('day', '2026-03-02', 'model', '2026-03-03 05:00Z'), ('week', '2026-03-01', 'template', '2026-03-04 05:00Z'))
            as v (kind, day, path, made)"""
    with opened.engine.begin() as connection:
        connection.execute(sa.text("insert into person (name) values ('ada')"))
        connection.execute(sa.text(statement))
    values = look(watch)
    assert values["twinning_summaries"] == {("ada", "model"): 2, ("ada", "template"): 1}
    assert values["twinning_summary_timestamp_seconds"] == {
        ("ada", "model"): datetime(2026, 3, 3, 5, tzinfo=UTC).timestamp(),
        ("ada", "template"): datetime(2026, 3, 4, 5, tzinfo=UTC).timestamp(),
    }


def test_the_inbox_tells_how_long_a_file_has_lain_there_not_how_old_it_is(tmp_path: Path) -> None:
    for name in ("ada/old.csv", "ada/sub/new.csv", "ada/.hidden", "ada/half.csv.part"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "ben").mkdir()
    (tmp_path / "beside.txt").write_text("x")
    years_ago = (datetime(2001, 1, 1, tzinfo=UTC).timestamp(),) * 2
    os.utime(tmp_path / "ada" / "old.csv", years_ago)
    now = time.time() + 100
    found = {(each.name, each.labels): each.value for each in metrics.inbox(tmp_path, now)}
    assert found == {
        ("twinning_inbox_files", ("ada",)): 2,
        ("twinning_inbox_oldest_seconds", ("ada",)): pytest.approx(100, abs=30),
        ("twinning_inbox_files", ("ben",)): 0,
        ("twinning_inbox_oldest_seconds", ("ben",)): 0,
    }


def test_a_folder_whose_name_is_no_text_is_told_like_any_other(tmp_path: Path, watch: Watch, home: Home) -> None:
    for name in (b"b\xe9n", b"b\xe8n"):
        folder = home.inbox / os.fsdecode(name)
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text("x")
    values = look(watch)
    assert values["twinning_inbox_files"] == {("b\\xe9n",): 1, ("b\\xe8n",): 1}


def test_what_waits_for_another_firefly_waits_for_nobody(
    home: Home, opened: OpenHome, instance: dg.DagsterInstance
) -> None:
    settings = replace(home.settings, firefly_url="http://elsewhere:8080/")
    with opened.engine.begin() as connection:
        connection.execute(sa.text("insert into person (name) values ('ada')"))
        connection.execute(sa.text(FIREFLY))
    with watching(Home(settings, home.sources), instance) as watch:
        values = look(watch)
    assert values["twinning_outbox_pending"]["firefly",] == values["twinning_outbox_dead"]["firefly",] == 0
    assert values["twinning_outbox_oldest_seconds"]["firefly",] == 0


def test_a_database_of_a_newer_version_leaves_no_connection_behind(
    home: Home, opened: OpenHome, engine: sa.Engine, instance: dg.DagsterInstance
) -> None:
    with opened.engine.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    count = sa.text(
        "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    )
    with watching(home, instance) as watch:
        for _ in range(3):
            assert failed(look(watch)) == OF_DATABASE
        with engine.connect() as connection:
            assert int(connection.execute(count).scalar_one()) <= 2


def test_without_dagster_the_others_come(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    drop_statement(home)
    with Watch(home, definitions=lambda: build_defs(home)) as watch:
        values = look(watch)
    assert failed(values) == OF_DAGSTER
    assert values["twinning_runs"] == values["twinning_asset_checks"] == {}
    assert values["twinning_inbox_files"] == {("ada",): 1}
    assert values["twinning_stale_days"] == {}
    assert values["twinning_database_bytes"]


def test_without_a_database_the_others_come(
    home: Home, engine: sa.Engine, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINNING_HOME", str(home.settings.home))
    url = engine.url.set(query={"host": "/nowhere"}).render_as_string(hide_password=False)
    monkeypatch.setenv("TWINNING_DATABASE_URL", url)
    lost = Home(settings_of_environment(), home.sources)
    drop_statement(home)
    with watching(lost, instance) as watch:
        values = look(watch)
    assert failed(values) == OF_DATABASE
    assert values["twinning_files"] == values["twinning_samples"] == {}
    assert values["twinning_inbox_files"] == {("ada",): 1}
    assert values["twinning_runs"]["ingest", "success"] == 0


def test_a_database_that_goes_away_and_comes_back(
    home: Home, opened: OpenHome, engine: sa.Engine, instance: dg.DagsterInstance
) -> None:
    opened.ingest(drop_statement(home), "ada", called="x")
    name = engine.url.database
    elsewhere = sa.create_engine(engine.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with watching(home, instance) as watch:
        before = of_the_ledger(look(watch))
        with elsewhere.connect() as server:
            close = "select pg_terminate_backend(pid) from pg_stat_activity where datname = :name"
            server.execute(sa.text(f"alter database {name} with allow_connections false"))
            server.execute(sa.text(close), {"name": name})
            assert failed(look(watch)) == OF_DATABASE
            server.execute(sa.text(f"alter database {name} with allow_connections true"))
        again = look(watch)
    elsewhere.dispose()
    assert failed(again) == set()
    assert of_the_ledger(again) == before


def test_what_counts_can_only_read(opened: OpenHome) -> None:
    from twinning_pipelines.products.metrics.ledger import looking

    with looking(opened.engine) as connection, pytest.raises(sa.exc.InternalError, match="read-only"):
        connection.execute(sa.text("insert into person (name) values ('eve')"))


def test_our_own_definitions_are_known() -> None:
    known = Known.of(our_definitions())
    assert {"ingest", "nightly", "housekeeping", "collect", "summaries"} <= set(known.jobs)
    assert OTHER_JOB not in known.jobs
    assert dg.AssetCheckKey(dg.AssetKey("bookings"), "balances_add_up") in known.checks
