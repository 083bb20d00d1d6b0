"""Insights of a person's stored days: which series are taken, what is kept, how it is worded."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pytest
import sqlalchemy as sa

from twinning_pipelines.marts.insights import Findings, Insight
from twinning_pipelines.marts.kept_insights import (
    counted,
    insights_of,
    refresh_insights,
    series_of,
    title_of,
    without_events,
    worded,
)
from twinning_pipelines_tests.days_of_facts import PersonWithDays

TODAY = date(2026, 11, 27)
FIRST, LAST = TODAY - timedelta(days=365), TODAY - timedelta(days=1)


@pytest.fixture
def ada(engine: sa.Engine) -> PersonWithDays:
    return PersonWithDays(engine, "ada", TODAY)


def linked(days: int = 200) -> tuple[Sequence[float], Sequence[float]]:
    """Hours of sleep, and of work that is less the day after a short night."""
    rng = np.random.default_rng(11)
    sleep = 7 + rng.standard_normal(days)
    work = 6 + 0.8 * (np.r_[7.0, sleep[:-1]] - 7) + 0.5 * rng.standard_normal(days)
    return list(sleep), list(work)


def test_a_true_link_is_found_kept_and_worded(engine: sa.Engine, ada: PersonWithDays) -> None:
    sleep, work = linked()
    ada.tell("sleep", "h", sleep)
    ada.tell("hours", "h", work)
    ada.tell("steps", "count", list(np.random.default_rng(2).standard_normal(200) * 900 + 8000))
    with engine.begin() as connection:
        findings = refresh_insights(connection, ada.id, TODAY)
        kept = insights_of(connection, ada.id)
    assert list(findings.tested) == kept
    assert len(kept) == 14
    (best,) = findings.holding
    assert (best.first, best.second, best.lag_days) == ("sleep", "hours", 1)
    assert best.r > 0.6
    said = worded(best)
    assert said.startswith("A day of higher sleep goes together with higher hours tracked the next day: r = 0.")
    assert f"of {best.n} days that are worth {best.n_effective:.0f}" in said
    assert "because" not in said
    assert "cause" not in said
    assert counted(findings) == (
        "14 pairs and lags were tested: 1 hold, 13 may well be chance; of 0 more too few days are known"
    )


def test_of_earlier_weeks_what_held_is_kept(engine: sa.Engine, ada: PersonWithDays) -> None:
    sleep, work = linked()
    ada.tell("sleep", "h", sleep)
    ada.tell("hours", "h", work)
    with engine.begin() as connection:
        for day in (TODAY - timedelta(days=7), TODAY, TODAY):
            refresh_insights(connection, ada.id, day)
        found = connection.execute(
            sa.text("select made_on, count(*), count(*) filter (where holds) from insight group by 1 order by 1")
        ).all()
    assert [tuple(row) for row in found] == [(TODAY - timedelta(days=7), 1, 1), (TODAY, 7, 1)]


def test_which_series_are_taken(engine: sa.Engine, ada: PersonWithDays) -> None:
    ada.tell("spend", "EUR", [5.0] * 10)
    ada.tell("spend", "CHF", [7.0] * 12)
    ada.tell("balance", "EUR", [7.0] * 12)
    ada.tell("invoices_open", "EUR", [7.0] * 12)
    ada.tell("spend_by_category", "EUR", [7.0] * 12, part="Food")
    ada.tell("expenses", "EUR", [7.0] * 12)
    ada.roll_up("steps", [100.0] * 9)
    ada.roll_up("dietary_caffeine", [80.0] * 9)
    ada.roll_up("walking_speed", [1.0] * 9)
    ada.roll_up("something of an app", [1.0] * 9, registered=False)
    with engine.connect() as connection:
        series = {each.name: each for each in series_of(connection, ada.id, FIRST, LAST)}
    assert {name: each.domain for name, each in series.items()} == {
        "spend": "finance",
        "expenses": "finance",
        "dietary_caffeine": "nutrition",
        "walking_speed": "health",
    }
    spend = series["spend"].values
    assert len(spend) == 365
    assert (float(np.nansum(spend)), int(np.isnan(spend).sum())) == (84.0, 353)
    # The newest day is yesterday; today is not over.
    assert spend[-1] == 7


def test_pauses_between_events_are_none_of_them_unless_they_are_long() -> None:
    nan = np.nan
    told = without_events(np.array([nan, 3, nan, nan, 5, *[nan] * 14, 2, nan]))
    assert list(told[1:5]) == [3, 0, 0, 5]
    assert np.isnan(told[5:19]).all()
    assert np.isnan(told[[0, -1]]).all()


def test_words() -> None:
    insight = Insight("heart_rate_variability", "spend", 2, 120, 61.4, -0.412, -0.6, -0.18, 1e-3, 0.01)
    assert worded(insight) == (
        "A day of higher heart rate variability goes together with lower spending 2 days later: r = -0.41 (-0.60 to -0.18), "
        "of 120 days that are worth 61"
    )
    assert title_of("sleep_rem") == "REM sleep"
    assert title_of("dietary_caffeine") == "caffeine"
    assert title_of("unheard of") == "unheard of"
    assert counted(Findings((), 3)).startswith("0 pairs and lags were tested: 0 hold")


def test_nobody_without_days_has_insights(engine: sa.Engine, ada: PersonWithDays) -> None:
    with engine.begin() as connection:
        assert refresh_insights(connection, ada.id) == Findings((), 0)
        assert insights_of(connection, ada.id) == []
