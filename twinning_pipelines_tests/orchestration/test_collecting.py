"""The asset `collected` and its check under Dagster: nobody stops another, and no secret stands in any record."""

import logging
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from twinning_pipelines.collectors.logbook import Page, alone
from twinning_pipelines.collectors.round import Places, Standing
from twinning_pipelines.home import Home
from twinning_pipelines.orchestration.collecting import (
    COLLECT,
    COLLECTED,
    answers_check,
    collect_job,
    collect_schedule,
    collected_asset,
    verdict,
)
from twinning_pipelines.orchestration.run_home import home_resource
from twinning_pipelines_tests.far_sides.flex_service import FakeFlex
from twinning_pipelines_tests.far_sides.scripted_server import Instead, Reply
from twinning_pipelines_tests.far_sides.simplefin_bridge import FakeBridge
from twinning_pipelines_tests.orchestration.drops import figures, verdicts


@pytest.fixture
def bridge() -> Iterator[FakeBridge]:
    with FakeBridge() as server:
        server.add_account("A")
        yield server


@pytest.fixture
def flex() -> Iterator[FakeFlex]:
    with FakeFlex() as server:
        yield server


def definitions(home: Home) -> dg.Definitions:
    check = answers_check()
    return dg.Definitions(
        assets=[collected_asset()],
        asset_checks=[check],
        jobs=[collect_job(check)],
        schedules=[collect_schedule(home.settings.zone)],
        resources={"home": home_resource(lambda: home)},
        executor=dg.in_process_executor,
    )


def run(home: Home, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return definitions(home).resolve_job_def(COLLECT).execute_in_process(instance=instance, raise_on_error=False)


def configure(home: Home, bridge: FakeBridge, flex: FakeFlex) -> Places:
    places = Places.in_home(home.settings.home)
    places.secrets.parent.mkdir(parents=True, exist_ok=True)
    places.secrets.write_text(
        f"- person: zacharias\n  simplefin: {{access_url: '{bridge.access_url}'}}\n"
        f"- person: ben\n  ibkr_flex: {{token: '{flex.token}', query: '{flex.query}', address: '{flex.address}'}}\n"
    )
    places.secrets.chmod(0o600)
    return places


def test_a_home_without_collectors_has_nothing_to_do(home: Home, instance: dg.DagsterInstance) -> None:
    result = run(home, instance)
    assert result.success
    assert figures(result, COLLECTED)["collectors"] == 0
    assert verdicts(result)["collected", "collectors_answer"].passed
    assert not Places.in_home(home.settings.home).inbox.exists()


def test_one_that_fails_is_told_by_the_check_and_does_not_stop_the_other(
    home: Home, instance: dg.DagsterInstance, bridge: FakeBridge, flex: FakeFlex
) -> None:
    places = configure(home, bridge, flex)
    bridge.messages = [("con.auth", "Log in to <b>Larch</b> again", "CON-1")]
    flex.codes.append("1012")
    result = run(home, instance)
    assert result.success
    told = figures(result, COLLECTED)
    assert (told["collectors"], told["collected"], told["failed"], told["files"]) == (2, 1, 1, 1)
    check = verdicts(result)["collected", "collectors_answer"]
    assert (check.passed, check.severity, check.blocking) == (False, dg.AssetCheckSeverity.WARN, False)
    table = check.metadata["what they say"]
    assert isinstance(table, dg.TableMetadataValue)
    one, other = (record.data for record in table.records)
    assert one == {
        "collector": "simplefin",
        "last problem": "",
        "provider says": "con.auth: Log in to ‹b›Larch‹/b› again",
    }
    assert (other["collector"], "1012 Token has expired." in str(other["last problem"])) == ("ibkr_flex", True)
    assert len(list(places.inbox.rglob("*.json"))) == 1


def test_no_secret_and_nobody_s_name_stands_in_the_event_log(
    home: Home,
    instance: dg.DagsterInstance,
    bridge: FakeBridge,
    flex: FakeFlex,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    configure(home, bridge, flex)
    secrets = [*bridge.secrets, flex.token]
    bridge.messages = [("gen.", " ".join(bridge.secrets), "")]
    bridge.script.extend([None, None, Instead(Reply(500, " ".join(bridge.secrets).encode()))])
    flex.script.append(Instead(Reply(200, flex.token.encode())))
    with caplog.at_level(logging.DEBUG):
        result = run(home, instance)
    assert result.success
    records = "\n".join(str(entry) for entry in instance.all_logs(result.run_id))
    logs = "\n".join(f"{record.getMessage()} {record.args!r}" for record in caplog.records)
    told = records + logs + "".join(capfd.readouterr())
    assert "no statement" in told or "is the format of the query XML?" in told
    assert not [word for word in (*secrets, "zacharias") if word in told]


def test_a_wrong_file_of_secrets_fails_the_run_without_quoting_it(
    home: Home, instance: dg.DagsterInstance, bridge: FakeBridge, flex: FakeFlex
) -> None:
    places = configure(home, bridge, flex)
    places.secrets.chmod(0o644)
    result = run(home, instance)
    assert not result.success
    records = "\n".join(str(entry) for entry in instance.all_logs(result.run_id))
    assert "chmod 600" in records
    places.secrets.chmod(0o600)
    places.secrets.write_text(places.secrets.read_text() + f"  - broken: {flex.token}\n")
    records += "\n".join(str(entry) for entry in instance.all_logs(run(home, instance).run_id))
    assert "must be a YAML list" in records
    assert not [secret for secret in (*bridge.secrets, flex.token) if secret in records]


def test_a_round_that_somebody_makes_by_hand_is_not_disturbed(
    home: Home, instance: dg.DagsterInstance, bridge: FakeBridge, flex: FakeFlex
) -> None:
    places = configure(home, bridge, flex)
    with alone(places.lock):
        result = run(home, instance)
    assert result.success
    assert figures(result, COLLECTED)["collectors"] == 0
    assert not bridge.exchanges


def test_the_verdict_names_kinds_only() -> None:
    page = Page(problem="no answer")
    told = verdict([Standing("zacharias", "simplefin", page, None, 1), Standing("ben", "ibkr_flex", Page(), None, 0)])
    assert (told.passed, told.metadata["with a problem"].value) == (False, 1)
    assert "zacharias" not in str(told)
    assert verdict([]).passed


def test_it_is_collected_twice_a_day_and_not_stacked(home: Home, tmp_path: Path) -> None:
    repository = definitions(home).get_repository_def()
    (schedule,) = repository.schedule_defs
    assert schedule.execution_timezone == home.settings.zone
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    minute, hours, *_ = str(schedule.cron_schedule).split()
    assert minute not in {"17", "40", "25", "0"}
    assert len(hours.split(",")) == 2
    # On disk: a schedule opens its instance by reference.
    (tmp_path / "dagster").mkdir()
    with (
        dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance,
        dg.build_schedule_context(instance=instance, repository_def=repository) as context,
    ):
        assert schedule.evaluate_tick(context).run_requests
        instance.add_run(dg.DagsterRun(COLLECT, status=dg.DagsterRunStatus.STARTED))
        assert "under way" in str(schedule.evaluate_tick(context).skip_message)
