"""What Dagster is shown: the inventory follows from the sources and records, and loading it touches nothing."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.instance.ref import InstanceRef

from twinning_pipelines.definitions import build_defs, defs
from twinning_pipelines.home import Home
from twinning_pipelines.orchestration.collecting import COLLECTED
from twinning_pipelines.orchestration.insights import INSIGHTS
from twinning_pipelines.orchestration.keys import (
    BOOKINGS,
    DAILY_FACTS,
    FIREFLY,
    FRESH_FACTS,
    INBOX,
    INFLUX,
    ROLLUP,
    source_key,
    table_key,
)
from twinning_pipelines.orchestration.news import NEWS
from twinning_pipelines.orchestration.summaries import SUMMARY
from twinning_pipelines.orchestration.voice import JOURNAL
from twinning_pipelines.records import RECORDS
from twinning_pipelines.settings import Settings
from twinning_pipelines.sources import SOURCES

ROOT = Path(__file__).parents[2]

# Whatever would reach out of the process raises, where it happens. Reading files is what importing is.
_HERMETIC = """
import os, sys
def watch(event, args):
    if event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "urllib.")):
        if event not in ("socket.__new__", "socket.gethostname"):
            raise RuntimeError(f"{event} {args}")
    elif event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.chmod", "os.utime",
                   "shutil.copyfile", "shutil.rmtree", "tempfile.mkstemp", "tempfile.mkdtemp", "sqlite3.connect"):
        raise RuntimeError(f"{event} {args}")
    elif event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        if args[0] != os.devnull:
            raise RuntimeError(f"open to write: {args[0]}")
sys.addaudithook(watch)
import twinning_pipelines
from twinning_pipelines.definitions import defs
for each in (twinning_pipelines.defs, defs):
    each.get_repository_def().load_all_definitions()
print(len(defs.resolve_asset_graph().get_all_asset_keys()))
"""


def _python(code: str, **environment: str) -> str:
    """What a fresh interpreter prints. -B: bytecode would be written to disk."""
    command = [sys.executable, "-B", "-c", code]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=ROOT, env=environment)
    assert told.returncode == 0, told.stderr
    return told.stdout


def test_loading_with_an_empty_environment_touches_nothing() -> None:
    assert int(_python(_HERMETIC)) == len(defs.resolve_asset_graph().get_all_asset_keys())


def test_loading_survives_a_wrong_setting_and_a_run_says_which() -> None:
    code = (
        "from twinning_pipelines.definitions import defs\n"
        "from twinning_pipelines.orchestration.keys import INBOX\n"
        "defs.get_repository_def().load_all_definitions()\n"
        "result = defs.resolve_implicit_global_asset_job_def().execute_in_process(\n"
        "    asset_selection=[INBOX], raise_on_error=False)\n"
        "failed = [each for each in result.all_events if each.is_step_failure]\n"
        "print(failed[0].event_specific_data.error.to_string())"
    )
    said = _python(code, TWINNING_ZONE="Europe/Atlantis", HOME="/nowhere")
    assert "TWINNING_ZONE" in said
    assert "Europe/Atlantis" in said


def test_the_package_and_the_command_line_do_not_import_dagster() -> None:
    code = (
        "import sys, twinning_pipelines, twinning_pipelines.cli\n"
        "print('dagster' in sys.modules, 'defs' in dir(twinning_pipelines))"
    )
    assert _python(code).split() == ["False", "True"]


def test_every_source_and_every_table_is_an_asset() -> None:
    wanted = {
        BOOKINGS, COLLECTED, JOURNAL, INBOX, ROLLUP, FRESH_FACTS, DAILY_FACTS, SUMMARY, INFLUX, FIREFLY, NEWS, INSIGHTS,
        *(source_key(source) for source in SOURCES),
        *(table_key(record.name) for record in RECORDS),
    }  # fmt: skip
    assert defs.resolve_asset_graph().get_all_asset_keys() == wanted
    assert build_defs(partitioned=False).resolve_asset_graph().get_all_asset_keys() == wanted - {DAILY_FACTS, SUMMARY}


def test_every_source_and_every_table_is_checked() -> None:
    graph = defs.resolve_asset_graph()
    wanted = {
        (COLLECTED, "collectors_answer"),
        (INBOX, "inbox_is_empty_of_trouble"),
        (BOOKINGS, "balances_add_up"),
        (JOURNAL, "recordings_are_heard"),
        (BOOKINGS, "rulebook_is_readable"),
        (ROLLUP, "rings_agree"),
        (INFLUX, "no_dead_letters"),
        (FIREFLY, "firefly_agrees"),
        (FIREFLY, "nothing_refused"),
        (SUMMARY, "every_figure_is_verified"),
        (NEWS, "news_arrive"),
        *((source_key(source), name) for source in SOURCES for name in ("few_rejections", "quarantine_is_empty")),
        *((source_key(source), "arrives_in_time") for source in SOURCES if source.expect_every),
        *((table_key(record.name), "rows_have_provenance") for record in RECORDS),
    }
    assert {(key.asset_key, key.name) for key in graph.asset_check_keys} == wanted
    blocking = {key.name for key in graph.asset_check_keys if graph.get_check_spec(key).blocking}
    assert blocking == {"few_rejections", "rows_have_provenance"}


def test_every_asset_says_what_it_is_and_where_it_belongs() -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.kinds, key
        assert node.group_name != "default", key
    for source in SOURCES:
        node = graph.get(source_key(source))
        assert node.group_name == source.domain
        assert node.child_keys == {table_key(record.name) for record in source.records}
        assert node.freshness_policy is not None
    for record in RECORDS:
        schema = graph.get(table_key(record.name)).metadata["dagster/column_schema"]
        assert isinstance(schema, dg.TableSchema)
        assert [column.name for column in schema.columns][: len(record.fields)] == [each.name for each in record.fields]
        assert all(column.description for column in schema.columns)


def test_every_sensor_and_schedule_runs_by_default_in_the_home_zone(tmp_path: Path) -> None:
    made = build_defs(Home(Settings(home=tmp_path, zone="Asia/Kolkata")))
    repository = made.get_repository_def()
    assert {each.name for each in repository.sensor_defs} == {"inbox_sensor", "notify_of_failures", "follow_tables"}
    assert all(each.default_status is dg.DefaultSensorStatus.RUNNING for each in repository.sensor_defs)
    assert len(repository.schedule_defs) == 6
    for schedule in repository.schedule_defs:
        assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
        assert schedule.execution_timezone == "Asia/Kolkata"
        minute, hour, *_ = str(schedule.cron_schedule).split()
        assert minute not in ("0", "*")
        assert hour not in ("2", "3")
    partitions = made.resolve_asset_graph().get(DAILY_FACTS).partitions_def
    assert isinstance(partitions, dg.DailyPartitionsDefinition)
    assert partitions.timezone == "Asia/Kolkata"


def test_workspace_and_pyproject_name_the_same_module() -> None:
    (entry,) = yaml.safe_load((ROOT / "workspace.yaml").read_text(encoding="utf-8"))["load_from"]
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    module = entry["python_module"]
    assert module["module_name"] == tool["dagster"]["module_name"]
    assert module["location_name"] == tool["dagster"]["code_location_name"]
    assert module["module_name"] == tool["dg"]["project"]["code_location_target_module"]


def test_dagster_takes_its_settings(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_max_runtime_seconds == 7200
        assert instance.run_retries_enabled
        assert not instance.run_retries_retry_on_asset_or_op_failure
        assert instance.freshness_enabled


def test_the_containers_differ_by_where_things_are_kept_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (
        yaml.safe_load((ROOT / name).read_text(encoding="utf-8")) for name in ("dagster.yaml", "docker/dagster.yaml")
    )
    place = other.pop("storage")["postgres"]
    files = [other.pop(kept)["config"]["base_dir"] for kept in ("local_artifact_storage", "compute_logs")]
    assert one == other
    # No password: libpq finds it in PGPASSFILE, which the entry point of the image writes.
    assert place == {"postgres_url": {"env": "DAGSTER_POSTGRES_URL"}}
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", "postgresql+psycopg2://dagster@postgres:5432/dagster")
    reference = InstanceRef.from_dir(str(ROOT / "docker"))
    assert reference.storage_data is not None
    assert reference.storage_data.class_name == "DagsterPostgresStorage"
    # DAGSTER_HOME is read-only in the image; what is written goes to the one volume, where Dagster itself would put it.
    volume = Path(files[0])
    defaults = InstanceRef.config_defaults(str(volume))
    for written, default in (
        (reference.local_artifact_storage_data, defaults["local_artifact_storage"]),
        (reference.compute_logs_data, defaults["compute_logs"]),
    ):
        assert default is not None
        assert (written.class_name, written.config_dict) == (default.class_name, default.config_dict)
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
    assert f" {volume} " in dockerfile
    assert f"DAGSTER_HOME={volume}" not in dockerfile


def test_the_containers_load_the_same_location_over_grpc() -> None:
    (local,), (remote,) = (
        yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))["load_from"]
        for name in ("workspace.yaml", "docker/workspace.yaml")
    )
    assert remote["grpc_server"]["location_name"] == local["python_module"]["location_name"]
    assert remote["grpc_server"]["port"] == 4000


@pytest.mark.timeout(300)
def test_the_documented_commands_run(tmp_path: Path, database_url: str) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TWINNING_HOME": str(tmp_path / "home"),
        "TWINNING_DATABASE_URL": database_url,
        "PYTHONPATH": str(ROOT),
        # Every path of the machine leads through this folder, so nothing is left behind beside it.
        "DAGSTER_HOME": str(tmp_path),
    }
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    dagster = Path(sys.executable).with_name("dagster")
    daily = [
        "-m",
        "twinning_pipelines.definitions",
        "--select",
        "daily_facts",
        "--partition-range",
        "2026-03-01...2026-03-03",
    ]
    for arguments in (["--select", "*", "-m", "twinning_pipelines"], daily):
        told = subprocess.run(
            [dagster, "asset", "materialize", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True,
            check=False, timeout=200,
        )  # fmt: skip
        assert told.returncode == 0, told.stderr[-3000:]
