"""An ingest killed at any moment, then run again, ends in the same tables as one that was left alone."""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from twinning_pipelines.demo import finance, nutrition, work
from twinning_pipelines.home import Home
from twinning_pipelines.records import RECORDS
from twinning_pipelines.stores.postgres.database import connect

_OTHERS = """
    select count(*) from pg_stat_activity
    where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid()"""
FIRST, LAST = date(2026, 1, 1), date(2026, 6, 30)


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    finance.write_statement(folder / "statement.ofx", seed=1, first=FIRST, last=LAST, broken=2)
    finance.write_register(folder / "card.qif", seed=1, first=FIRST, last=LAST, broken=1)
    work.write_toggl(folder / "toggl.csv", seed=1, first=FIRST, last=LAST, broken=2)
    work.write_timewarrior(folder / "timew.json", seed=1, first=FIRST, last=LAST, broken=0)
    nutrition.write_meals(folder / "meals.csv", seed=1, first=FIRST, last=LAST, broken=1)
    return folder


def _ingest(home: Home, exports: Path) -> "subprocess.Popen[bytes]":
    url = home.settings.database_url
    environment = os.environ | {
        "TWINNING_HOME": str(home.settings.home),
        "TWINNING_DATABASE_URL": url.get_secret_value() if url else "",
        "TWINNING_CURRENCY": "CHF",
    }
    command = [sys.executable, "-m", "twinning_pipelines.cli", "ingest", str(exports), "--json"]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )


def _tables(engine: sa.Engine) -> dict[str, list[tuple[object, ...]]]:
    """What is stored, by value: surrogate keys are left out, files are named by their content."""
    tables = {}
    with engine.connect() as connection:
        for record in RECORDS:
            if record.series:
                continue
            names = ", ".join(f't."{each.name}"::text' for each in record.fields)
            statement = f"""
                select f.sha256, t.at, t.occurrence, t.absent_since, {names}
                from "{record.name}" t join intake_file f on f.id = t.file_id"""
            tables[record.name] = sorted(map(tuple, connection.execute(sa.text(statement))), key=repr)
        for query in (
            "select sha256, status, receipt::text from intake_file",
            "select f.sha256, r.at, r.reason from rejection r join intake_file f on f.id = r.file_id",
            "select day, fact, part, unit, value, n from daily_fact",
            """select f.sha256, s.stage, s.origin, s.started_at, s.ended_at, s.zone, s.at
                from sleep_stage s join intake_file f on f.id = s.file_id""",
            """select f.sha256, m.name, o.name, s.started_at, s.ended_at, s.value, s.label, s.detail::text, s.at, s.place
                from sample s join metric m on m.id = s.metric_id join origin o on o.id = s.origin_id
                join intake_file f on f.id = s.file_id""",
        ):
            tables[query] = sorted(map(tuple, connection.execute(sa.text(query))), key=repr)
    return tables


def _run_to_the_end(home: Home, exports: Path) -> float:
    started = time.monotonic()
    process = _ingest(home, exports)
    _, complaint = process.communicate(timeout=240)
    assert process.returncode == 0, complaint.decode()
    return time.monotonic() - started


def test_killed_anywhere_and_run_again_ends_the_same(
    home: Home, exports: Path, engine: sa.Engine, postgres: sa.URL
) -> None:
    seconds = _run_to_the_end(home, exports)
    wanted = _tables(engine)
    assert sum(map(len, wanted.values())) > 500
    chance = random.Random(20261122)
    for moment in sorted(chance.uniform(0.3, 0.98) * seconds for _ in range(4)):
        _forget(engine)
        process = _ingest(home, exports)
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)
        _wait_for_the_dead(engine)
        _run_to_the_end(home, exports)
        assert _tables(engine) == wanted, f"killed after {moment:.2f} s of {seconds:.2f} s"


def _forget(engine: sa.Engine) -> None:
    """Back to an empty database; the archive stays, as it would after a kill."""
    names = ", ".join(f'"{record.name}"' for record in RECORDS if not record.series)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                f"truncate {names}, sample_chunk, intake_file, daily_fact, stale_day, daily_rollup, coverage, "
                "series_coverage, telling, account, stale_books cascade"
            )
        )


def _wait_for_the_dead(engine: sa.Engine) -> None:
    """Postgres notices a killed client when it next writes to it: wait until its transaction is gone."""
    probe = connect(engine.url.render_as_string(hide_password=False))
    with probe.connect() as connection:
        for _ in range(100):
            if connection.execute(sa.text(_OTHERS)).scalar_one() == 0:
                break
            connection.rollback()
            time.sleep(0.1)
    probe.dispose()
