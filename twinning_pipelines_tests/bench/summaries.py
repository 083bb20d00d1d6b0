"""What a summary costs without a model: two years of one person's days, read, judged, written, stored and proven again.

Seconds of the wall clock, medians of five; the goal is two seconds for a day.
"""

import statistics
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from twinning_pipelines.home import Home
from twinning_pipelines.orchestration.summaries import tell_days
from twinning_pipelines.products.summary.kept import all_kept
from twinning_pipelines.products.summary.page import page_of
from twinning_pipelines.products.summary.summary import Maker
from twinning_pipelines.products.summary.verifying import verify
from twinning_pipelines.settings import Settings
from twinning_pipelines_tests.bench import many_samples

GOAL_SECONDS = 2.0
TIMES, YEARS = 5, 2
WHO = many_samples.PEOPLE[0]


def run(folder: Path, samples: int) -> None:
    """Loads two years of one person and prints what their summaries cost."""
    wanted = {"YEARS": YEARS, "PEOPLE": (WHO,), "LAST": date(many_samples.FIRST_YEAR + YEARS - 1, 12, 31)}
    before = {name: getattr(many_samples, name) for name in wanted}
    vars(many_samples).update(wanted)
    try:
        _measure(folder, samples)
    finally:
        vars(many_samples).update(before)


def _measure(folder: Path, samples: int) -> None:
    home = Home(Settings(home=folder / "summaries", zone="Europe/Zurich"))
    with home.opened() as opened:
        loaded = many_samples.load(opened, folder, samples)
        print(f"Summaries of {YEARS} years of one person, {loaded:,} samples; written by rule")
        maker = Maker(opened.engine, home.sources, home.settings.home)
        last = many_samples.LAST
        _say("a day", lambda: maker.summary(WHO, "day", last, again=True), GOAL_SECONDS)
        _say("a week", lambda: maker.summary(WHO, "week", last - timedelta(days=(last.weekday() + 1) % 7), again=True))
        _say("a month", lambda: maker.summary(WHO, "month", last, again=True))
        _say("a day that is stored, proven again", lambda: maker.summary(WHO, "day", last))
        _say("its page", lambda: page_of(maker.summary(WHO, "day", last)))
        days = [last - timedelta(days=back) for back in range(30)]
        _say("thirty days with their reviews and pages", lambda: tell_days(opened, days, None), times=1)
        with opened.engine.connect() as connection:
            _say(
                "every stored figure looked at again",
                lambda: [verify(connection, each) for each in all_kept(connection, "day")],
            )
    print()


def _say(what: str, ask: Callable[[], object], goal: float | None = None, times: int = TIMES) -> None:
    taken = []
    for _ in range(times):
        started = time.monotonic()
        ask()
        taken.append(time.monotonic() - started)
    median = statistics.median(taken)
    verdict = "" if goal is None else f"   goal {goal:.0f} s {'reached' if median < goal else 'MISSED'}"
    print(f"  {what:<42}{median:8.3f} s{verdict}")
