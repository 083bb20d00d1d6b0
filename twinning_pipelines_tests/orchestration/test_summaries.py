"""The morning's summaries: whose day is told, which reviews come with it, what is proven, and that no value leaks."""

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg
import pytest

from twinning_pipelines.errors import FarSideUnavailable
from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines.orchestration.keys import DAILY_FACTS
from twinning_pipelines.orchestration.run_home import home_resource
from twinning_pipelines.orchestration.summaries import (
    SUMMARY,
    figures_check,
    summaries_job,
    summaries_schedule,
    summary_asset,
    tell_days,
    verified,
)
from twinning_pipelines.products.summary.verifying import Verdict
from twinning_pipelines_tests.products.summary.person_days import PersonDays, every_day
from twinning_pipelines_tests.products.summary.told_facts import Answers, reply_of

ZONE = "Europe/Zurich"
SATURDAY, SUNDAY = date(2026, 2, 28), date(2026, 3, 1)
FILL = [9_000, 8_000, 8_500, 9_500] * 20


@pytest.fixture
def ada(opened: OpenHome) -> PersonDays:
    ada = PersonDays(opened.engine, "ada")
    ada.tell("steps", every_day(SUNDAY, [*FILL, 77_031]), "count")
    return ada


@pytest.fixture
def instance(tmp_path: object) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def _materialise(home: Home, instance: dg.DagsterInstance, first: str, last: str) -> dg.ExecuteInProcessResult:
    check = figures_check()
    defs = dg.Definitions(
        assets=[summary_asset(ZONE, lambda _: None)],
        asset_checks=[check],
        jobs=[summaries_job(check)],
        resources={"home": home_resource(lambda: home)},
        executor=dg.in_process_executor,
    )
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    return defs.resolve_job_def("summaries").execute_in_process(instance=instance, tags=tags, raise_on_error=True)


def test_a_backfill_writes_days_weeks_and_months_with_their_pages(
    home: Home, ada: PersonDays, instance: dg.DagsterInstance
) -> None:
    result = _materialise(home, instance, "2026-02-27", "2026-03-01")
    stored = ada.do("select json_agg(kind || ' ' || day order by day, kind) from summary")
    assert stored == ["day 2026-02-27", "day 2026-02-28", "month 2026-02-28", "day 2026-03-01", "week 2026-03-01"]
    pages = sorted(path.name for path in (home.exports / "summary" / "ada").iterdir())
    assert pages == [
        "2026-02-27.html",
        "2026-02-28.html",
        "2026-03-01.html",
        "month-2026-02.html",
        "week-2026-03-01.html",
    ]
    events = [each for each in result.get_asset_materialization_events() if each.asset_key == SUMMARY]
    figures = {name: value.value for name, value in events[0].materialization.metadata.items()}
    assert (figures["path template"], figures["written, day"], figures["written, week"], figures["written, month"]) == (
        5,
        3,
        1,
        1,
    )
    assert "77" not in str({name: value for name, value in figures.items() if not name.startswith("seconds")})
    (check,) = result.get_asset_check_evaluations()
    assert check.passed
    assert check.metadata["summaries"].value == 5
    assert check.metadata["figures"].value == check.metadata["figures verified"].value == 5
    assert "77,031" not in str(check)
    assert "'ada'" not in str(check)


def test_what_newer_files_tell_otherwise_is_reported_and_what_is_wrong_fails(
    home: Home, ada: PersonDays, instance: dg.DagsterInstance
) -> None:
    _materialise(home, instance, "2026-03-01", "2026-03-01")
    ada.do("update daily_fact set value = 5 where day = :day", day=SUNDAY)
    ada.do("update summary set text = text || ' 99' where kind = 'week'")
    check = figures_check()
    defs = dg.Definitions(
        assets=[summary_asset(ZONE, lambda _: None)],
        asset_checks=[check],
        resources={"home": home_resource(lambda: home)},
    )
    job = dg.define_asset_job("look", selection=dg.AssetSelection.checks(check))
    looked = (
        dg.Definitions.merge(defs, dg.Definitions(jobs=[job]))
        .resolve_job_def("look")
        .execute_in_process(instance=instance)
    )
    (found,) = looked.get_asset_check_evaluations()
    assert not found.passed
    assert (
        found.metadata["summaries that are wrong"].value,
        found.metadata["summaries with restated facts"].value,
    ) == (1, 2)


def test_whose_day_is_not_over_gets_the_day_before_once(opened: OpenHome, ada: PersonDays) -> None:
    today = ada.do("select local_day(:id, now())", id=ada.id)
    yesterday = today - timedelta(days=1)
    ada.tell("steps", {yesterday: 9_000, today: 10}, "count")
    assert tell_days(opened, [today], None).kinds["day"] == 1
    assert ada.do("select array_agg(day) from summary where kind = 'day'") == [yesterday]
    assert tell_days(opened, [today], None).kinds["day"] == 0


def test_a_model_that_fails_and_goals_that_make_no_sense_are_counted(opened: OpenHome, ada: PersonDays) -> None:
    ben = PersonDays(opened.engine, "ben")
    ben.tell("steps", {SATURDAY: 9_000}, "count")
    goals = opened.home.settings.home / "goals"
    goals.mkdir(parents=True)
    (goals / "ben.yaml").write_text("goals: [{}]", encoding="utf-8")
    good = reply_of(("health", [("You did {steps}.", ["steps"])]))
    told = tell_days(opened, [SATURDAY - timedelta(days=1), SATURDAY], Answers([good, FarSideUnavailable("x"), good]))
    assert dict(told.paths) == {"model": 2, "template": 1}
    assert told.unreadable == 1


def test_verdicts_are_counted_without_names() -> None:
    result = verified([Verdict(("sleep", "spend"), (), ("spend",)), Verdict(("sleep",), (), ())])
    assert result.passed
    assert "newer files" in str(result.description)
    assert result.metadata["figures verified"].value == 2
    assert not verified([Verdict(("sleep",), (), (), quotes_hold=False)]).passed


def test_each_morning_yesterday_is_asked_for(tmp_path: object) -> None:
    schedule = summaries_schedule(ZONE)
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("20 5 * * *", ZONE)
    assert summary_asset(ZONE, lambda _: None).asset_deps[SUMMARY] >= {DAILY_FACTS}
