"""The step `news` and its check under Dagster: it tells, it never fails a run, and it keeps every secret."""

import logging
from collections.abc import Iterator

import dagster as dg
import pytest
import sqlalchemy as sa

from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines.orchestration.news import NEWS, arrive_check, news_asset
from twinning_pipelines.orchestration.run_home import home_resource
from twinning_pipelines_tests.far_sides.hook_receiver import SECRET, HookReceiver, Pager
from twinning_pipelines_tests.far_sides.scripted_server import Instead, Reply
from twinning_pipelines_tests.orchestration.drops import drop, figures, verdicts

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
def hub() -> Iterator[HookReceiver]:
    with HookReceiver() as hub:
        yield hub


@pytest.fixture
def pager() -> Iterator[Pager]:
    with Pager() as pager:
        yield pager


def run(home: Home, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    defs = dg.Definitions(
        assets=[news_asset([])],
        asset_checks=[arrive_check()],
        resources={"home": home_resource(lambda: home)},
        executor=dg.in_process_executor,
    )
    return defs.resolve_implicit_global_asset_job_def().execute_in_process(instance=instance, raise_on_error=False)


def configure(home: Home, text: str, mode: int = 0o600) -> None:
    home.settings.home.mkdir(parents=True, exist_ok=True)
    path = home.settings.home / "news.yaml"
    path.write_text(text)
    path.chmod(mode)


def targets(hub: HookReceiver, pager: Pager) -> str:
    return (
        f"targets:\n- {{name: hub, person: zacharias, webhook: {{url: '{hub.address}', secret: {SECRET}}}}}\n"
        f"- {{name: phone, person: zacharias, details: false, apprise: '{pager.at('gotify', '/planted-token')}'}}\n"
    )


def spoil(opened: OpenHome) -> None:
    """A file that nobody can read."""
    path = drop(opened.home, "zacharias/casino.bin", "4711 francs")
    receipt = opened.ingest(path, "zacharias", called="casino.bin")
    assert receipt.problem is not None


def test_it_tells_once_and_the_check_counts_dead_letters(
    home: Home, opened: OpenHome, hub: HookReceiver, pager: Pager, instance: dg.DagsterInstance
) -> None:
    configure(home, targets(hub, pager))
    spoil(opened)
    hub.script.append(Instead(Reply(404)))
    result = run(home, instance)
    assert result.success
    told = figures(result, NEWS)
    assert (told["new"], told["delivered"], told["dead"]) == (1, 1, 1)
    assert "casino" not in pager.heard[0]
    check = verdicts(result)["news", "news_arrive"]
    assert (check.passed, check.severity, check.blocking) == (False, dg.AssetCheckSeverity.WARN, False)
    assert check.metadata["dead letters of hub"].value == 1
    again = run(home, instance)
    assert (figures(again, NEWS)["new"], len(pager.heard)) == (0, 1)


def test_a_home_without_targets_keeps_what_is_new(home: Home, opened: OpenHome, instance: dg.DagsterInstance) -> None:
    spoil(opened)
    result = run(home, instance)
    assert (figures(result, NEWS)["new"], verdicts(result)["news", "news_arrive"].passed) == (1, True)


def test_a_wrong_file_and_a_broken_table_fail_no_run(
    home: Home, opened: OpenHome, hub: HookReceiver, pager: Pager, instance: dg.DagsterInstance
) -> None:
    spoil(opened)
    configure(home, targets(hub, pager), 0o644)
    result = run(home, instance)
    assert result.success
    check = verdicts(result)["news", "news_arrive"]
    assert not check.passed
    assert "chmod 600" in str(check.description)
    assert hub.exchanges == []
    with opened.engine.begin() as connection:
        connection.execute(sa.text("alter table summary rename to summary_away"))
    result = run(home, instance)
    assert result.success
    assert str(figures(result, NEWS)["state"]).startswith("nothing could be told: ProgrammingError")


def test_no_secret_and_nobody_s_name_stands_in_the_event_log(
    home: Home,
    opened: OpenHome,
    hub: HookReceiver,
    pager: Pager,
    instance: dg.DagsterInstance,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    configure(home, targets(hub, pager))
    spoil(opened)
    secrets = (SECRET, "quite-secret-path", "planted-token", pager.url, hub.url)
    hub.script.append(Instead(Reply(500, " ".join(secrets).encode())))
    pager.script.append(Instead(Reply(500, " ".join(secrets).encode())))
    with caplog.at_level(logging.DEBUG):
        ids = [run(home, instance).run_id]
        configure(home, targets(hub, pager) + f"- planted-token: {SECRET}\n")
        ids.append(run(home, instance).run_id)
    records = "\n".join(str(entry) for run_id in ids for entry in instance.all_logs(run_id))
    logs = "\n".join(f"{record.getMessage()} {record.args!r} {record.exc_text}" for record in caplog.records)
    told = records + logs + "".join(capfd.readouterr())
    assert "news.yaml: line 4: " in told
    assert [word for word in (*secrets, "zacharias", "casino") if word in told] == []
