"""Who hears of a failed run, of which, and what is kept from them."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from twinning_pipelines.definitions import build_defs
from twinning_pipelines.errors import FarSideUnavailable, WrongUsage
from twinning_pipelines.home import Home
from twinning_pipelines.orchestration.failures import failed_steps, news_of
from twinning_pipelines.products.notify import notify
from twinning_pipelines.settings import Settings
from twinning_pipelines_tests.far_sides.scripted_server import Instead, Reply, Request, ScriptedServer

# Apprise asks Python 3.11 and 3.12 for a module that 3.13 has no more, and does without it there.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


class Pager(ScriptedServer):
    """Takes notifications as Apprise's json:// sends them."""

    def answer(self, request: Request) -> Reply:
        return Reply.of(200, {})

    @property
    def heard(self) -> list[str]:
        return [request.body.decode() for request, _ in self.exchanges]


@pytest.fixture
def pager() -> Iterator[Pager]:
    with Pager() as pager:
        yield pager


def _apprise(pager: Pager) -> str:
    return pager.url.replace("http://", "json://")


def test_a_failure_is_news_until_it_repeats_itself() -> None:
    news = news_of("ingest", "4711", {"b", "a"}, set())
    assert news is not None
    assert news.title == "Twinning: ingest failed"
    assert news.body == "run 4711\nfailed steps: a, b"
    assert news_of("ingest", "4712", {"a", "b"}, {"a", "b"}) is None
    assert news_of("ingest", "4712", {"a"}, {"a", "b"}) is not None
    assert news_of("ingest", "4712", set(), set()) is not None
    by_hand = news_of("__ASSET_JOB", "4713", {"a"}, set())
    assert by_hand is not None
    assert "by hand" in by_hand.title


def test_every_url_is_told_and_none_is_quoted(pager: Pager) -> None:
    notify([_apprise(pager)], "title", "body")
    assert '"title": "title"' in pager.heard[0]
    with pytest.raises(WrongUsage) as wrong:
        notify([_apprise(pager), "nonsense://user:secret@x"], "title", "body")
    assert "secret" not in str(wrong.value)
    pager.script.append(Instead(Reply(500)))
    with pytest.raises(FarSideUnavailable):
        notify([_apprise(pager)], "title", "body")


@dg.op
def spills() -> None:
    raise RuntimeError("row of zacharias: 4711 francs to the casino")


@dg.op
def works() -> None:
    """Does nothing."""


@dg.job(name="ingest")
def bad_job() -> None:
    spills()


@dg.job(name="ingest")
def good_job() -> None:
    works()


def _run(job: dg.JobDefinition, instance: dg.DagsterInstance, **tags: str) -> dg.ExecuteInProcessResult:
    return job.execute_in_process(
        instance=instance, raise_on_error=False, tags={name.replace("__", "/"): value for name, value in tags.items()}
    )


def _told(home: Home, instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> object:
    sensor = build_defs(home).get_repository_def().get_sensor_def("notify_of_failures")
    failure = next(event for event in result.all_events if event.is_failure)
    context = dg.build_run_status_sensor_context(
        "notify_of_failures", failure, instance, result.dagster_run
    ).for_run_failure()
    return sensor(context)


def test_a_failed_run_is_told_without_its_message(tmp_path: Path, pager: Pager, instance: dg.DagsterInstance) -> None:
    home = Home(Settings(home=tmp_path, notify_urls=_apprise(pager)))
    first = _run(bad_job, instance)
    assert failed_steps(instance, first.run_id) == {"spills"}
    assert _told(home, instance, first) is None
    (heard,) = pager.heard
    assert first.run_id in heard
    assert "spills" in heard
    assert "zacharias" not in heard
    assert "casino" not in heard

    second = _run(bad_job, instance)
    assert isinstance(_told(home, instance, second), dg.SkipReason)
    _run(good_job, instance)
    third = _run(bad_job, instance)
    assert _told(home, instance, third) is None
    assert len(pager.heard) == 2


def test_nobody_is_told_of_a_run_that_is_tried_again(
    tmp_path: Path, pager: Pager, instance: dg.DagsterInstance
) -> None:
    result = _run(bad_job, instance, dagster__will_retry="true")
    home = Home(Settings(home=tmp_path, notify_urls=_apprise(pager)))
    assert isinstance(_told(home, instance, result), dg.SkipReason)
    assert not pager.heard


def test_without_urls_the_sensor_says_why_it_is_silent(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    skipped = _told(Home(Settings(home=tmp_path)), instance, _run(bad_job, instance))
    assert isinstance(skipped, dg.SkipReason)
    assert "TWINNING_NOTIFY_URLS" in str(skipped.skip_message)
