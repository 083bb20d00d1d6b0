"""Who hears of a failed run, of which, and what is kept from them."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from twinning_pipelines.definitions import build_defs
from twinning_pipelines.errors import FarSideUnavailable
from twinning_pipelines.home import Home
from twinning_pipelines.orchestration.failures import failed_steps, news_of
from twinning_pipelines.settings import Secret, Settings
from twinning_pipelines_tests.far_sides.hook_receiver import SECRET, HookReceiver, Pager
from twinning_pipelines_tests.far_sides.scripted_server import Instead, Reply

# Apprise asks Python 3.11 and 3.12 for a module that 3.13 has no more, and does without it there.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
def pager() -> Iterator[Pager]:
    with Pager() as pager:
        yield pager


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


def _with(home: Home, *urls: str, database_url: str | None = None) -> Home:
    settings = Settings(
        home=home.settings.home,
        database_url=Secret(database_url) if database_url else home.settings.database_url,
        zone=home.settings.zone,
        notify_urls=Secret(" ".join(urls)),
    )
    return Home(settings, home.sources)


def test_a_failed_run_is_told_without_its_message(home: Home, pager: Pager, instance: dg.DagsterInstance) -> None:
    home = _with(home, pager.at("json"))
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
    assert _told(home, instance, third) is None
    assert len(pager.heard) == 2


def test_a_url_that_does_not_answer_is_tried_again_and_keeps_no_other_from_hearing(
    home: Home, engine: sa.Engine, pager: Pager, instance: dg.DagsterInstance
) -> None:
    home = _with(home, "nonsense://user:planted@x", "json://127.0.0.1:9/planted", pager.at("json"))
    assert _told(home, instance, _run(bad_job, instance)) is None
    assert len(pager.heard) == 1
    with engine.connect() as connection:
        found = connection.execute(sa.text("select target, state from news_delivery order by target")).all()
    assert [tuple(row) for row in found] == [
        ("notify-url-1", "dead"),
        ("notify-url-2", "pending"),
        ("notify-url-3", "delivered"),
    ]


def test_a_target_of_the_file_hears_as_well(home: Home, instance: dg.DagsterInstance) -> None:
    with HookReceiver() as hub:
        home.settings.home.mkdir(parents=True)
        path = home.settings.home / "news.yaml"
        path.write_text(f"targets: [{{name: hub, webhook: {{url: '{hub.address}', secret: {SECRET}}}}}]")
        path.chmod(0o600)
        assert _told(home, instance, _run(bad_job, instance)) is None
        (told,) = hub.taken.values()
        assert (told["kind"], told["person"], told["title"]) == ("run_failed", None, "Twinning: ingest failed")


def test_without_a_database_the_news_go_out_straight(home: Home, pager: Pager, instance: dg.DagsterInstance) -> None:
    nowhere = "postgresql://nobody:planted@127.0.0.1:9/none"
    home = _with(home, pager.at("json"), database_url=nowhere)
    assert _told(home, instance, _run(bad_job, instance)) is None
    assert len(pager.heard) == 1
    pager.script.append(Instead(Reply(500)))
    _run(good_job, instance)
    with pytest.raises(FarSideUnavailable) as nobody:
        _told(home, instance, _run(bad_job, instance))
    assert "planted" not in str(nobody.value)
    assert nobody.value.__context__ is None


def test_nobody_is_told_of_a_run_that_is_tried_again(home: Home, pager: Pager, instance: dg.DagsterInstance) -> None:
    result = _run(bad_job, instance, dagster__will_retry="true")
    assert isinstance(_told(_with(home, pager.at("json")), instance, result), dg.SkipReason)
    assert not pager.heard


def test_without_targets_the_sensor_says_why_it_is_silent(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    skipped = _told(Home(Settings(home=tmp_path)), instance, _run(bad_job, instance))
    assert isinstance(skipped, dg.SkipReason)
    assert "TWINNING_NOTIFY_URLS" in str(skipped.skip_message)
