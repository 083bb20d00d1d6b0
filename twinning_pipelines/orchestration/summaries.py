"""The daily summary of everybody, with a week's behind its Sunday and a month's behind its last day; and the proof of them all.

A partition is a day by the clock at home. Whose day is not over when it is asked for gets the day before instead, if it is
not written yet: nobody's day is left out, and no half day is told.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import sqlalchemy as sa
from msgspec import Struct, field

from twinning_pipelines.engines.chat import ChatEngine
from twinning_pipelines.errors import TwinningError, WrongUsage
from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines.marts.telling.told import Kind
from twinning_pipelines.orchestration.facts import FIRST_DAY
from twinning_pipelines.orchestration.inbox_sensor import is_busy
from twinning_pipelines.orchestration.keys import DAILY_FACTS, FRESH_FACTS
from twinning_pipelines.orchestration.results import Materialised, materialised
from twinning_pipelines.orchestration.run_home import RunHome
from twinning_pipelines.products.summary.kept import all_kept, kept_days
from twinning_pipelines.products.summary.page import page_path, write_page
from twinning_pipelines.products.summary.summary import Maker, Summary
from twinning_pipelines.products.summary.verifying import Verdict, verify

if TYPE_CHECKING:
    # What `define_asset_job` makes has no public name.
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

SUMMARY = dg.AssetKey("daily_summary")
JOB = "summaries"
# After the night's facts; early enough for breakfast.
MORNING = "20 5 * * *"
ModelOf = Callable[[Home], ChatEngine | None]
_KINDS: tuple[Kind, ...] = ("day", "week", "month")


class Told(Struct):
    """What a run has written; without anybody's values. unreadable: people whose goals can't be read."""

    paths: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    slowest: float = 0.0
    figures: int = 0
    silent: int = 0
    unreadable: int = 0

    def add(self, summary: Summary) -> None:
        """Counts one summary; a day of which nothing is known is none."""
        if not summary.kept.facts:
            self.silent += 1
            return
        self.paths[summary.kept.path] += 1
        self.kinds[summary.kept.kind] += 1
        self.seconds += summary.kept.seconds
        self.slowest = max(self.slowest, summary.kept.seconds)
        self.figures += len(summary.verdict.figures)

    def metadata(self) -> dict[str, dg.MetadataValue]:
        """For the page of the asset."""
        counts = {
            **{f"path {path}": self.paths[path] for path in ("model", "retry", "template")},
            **{f"written, {kind}": self.kinds[kind] for kind in _KINDS},
            "figures told": self.figures,
            "days without facts": self.silent,
            "people whose goals can't be read": self.unreadable,
        }
        seconds = {"seconds": self.seconds, "seconds, the slowest": self.slowest}
        return {name: dg.MetadataValue.int(n) for name, n in counts.items()} | {
            name: dg.MetadataValue.float(round(n, 2)) for name, n in seconds.items()
        }


def summary_asset(zone: str, model_of: ModelOf) -> dg.AssetsDefinition:
    """The asset `daily_summary`. model_of: the language model of a home, if it has one."""
    with warnings.catch_warnings():
        # Backfill policies are beta, and Dagster's version is pinned: no need to say so at every start.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return _summary_asset(zone, model_of)


def _summary_asset(zone: str, model_of: ModelOf) -> dg.AssetsDefinition:
    @dg.asset(
        key=SUMMARY,
        group_name="products",
        kinds={"postgres", "html"},
        deps=[DAILY_FACTS, FRESH_FACTS],
        partitions_def=dg.DailyPartitionsDefinition(FIRST_DAY, timezone=zone, end_offset=1),
        backfill_policy=dg.BackfillPolicy.single_run(),
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=2), warn_window=timedelta(hours=26)),
        description=(
            "Each person's day in words, every figure rendered by code from a stored fact; the week's behind a Sunday, the "
            "month's behind its last day. Pages lie in `exports/summary/<person>/`; `twinning summary` shows them.\n\n"
            "With a language model at home it writes the words; without one, or where it breaks a rule twice, they are "
            "written by rule."
        ),
    )
    def daily_summary(context: dg.AssetExecutionContext, home: dg.ResourceParam[RunHome]) -> Materialised:
        days = [date.fromisoformat(key) for key in context.partition_keys]
        try:
            model, said = model_of(home.home), None
        except TwinningError as trouble:
            # A wrong setting must not cost anybody their morning page.
            model, said = None, f"can't be used: {trouble}"
        told = tell_days(home.opened, days, model)
        used = said or ("none is configured" if model is None else f"{model.name}, {model.model}")
        return materialised(told.metadata() | {"language model": dg.MetadataValue.text(used)})

    return daily_summary


def tell_days(home: OpenHome, days: Sequence[date], model: ChatEngine | None) -> Told:
    """Writes and stores the summaries of some days of everybody, and their pages."""
    maker = Maker(home.engine, home.home.sources, home.home.settings.home, model)
    told = Told()
    with home.engine.connect() as connection:
        people = connection.execute(sa.text("select name, local_day(id, now()) from person order by id")).tuples().all()
        written = {name: kept_days(connection, name) for name, _ in people}
    for name, today in people:
        try:
            for kind, day in _periods(days, today, written[name]):
                summary = maker.summary(name, kind, day, again=True)
                told.add(summary)
                if summary.kept.facts:
                    write_page(page_path(home.home.exports, name, kind, day), summary)
        except WrongUsage:
            told.unreadable += 1
    return told


def _periods(days: Sequence[date], today: date, written: set[date]) -> Iterator[tuple[Kind, date]]:
    """What of the asked days is over for somebody whose today this is, with the weeks and months that end with them."""
    yesterday = today - timedelta(days=1)
    over = {day for day in days if day < today}
    if len(over) < len(days) and yesterday not in written:
        over.add(yesterday)
    for day in sorted(over):
        yield "day", day
        if day.weekday() == 6:
            yield "week", day
        if (day + timedelta(days=1)).day == 1:
            yield "month", day


def figures_check() -> dg.AssetChecksDefinition:
    """`every_figure_is_verified`."""

    @dg.asset_check(
        asset=SUMMARY,
        name="every_figure_is_verified",
        description=(
            "Each sentence of each stored summary is what code makes of its stored facts, and each quote stands in the "
            "journal. Facts that a newer file tells otherwise are counted as restated: write those days again if you like."
        ),
    )
    def every_figure_is_verified(home: dg.ResourceParam[RunHome]) -> dg.AssetCheckResult:
        with home.opened.engine.connect() as connection:
            verdicts = [verify(connection, each) for kind in _KINDS for each in all_kept(connection, kind)]
        return verified(verdicts)

    return every_figure_is_verified


def verified(verdicts: Sequence[Verdict]) -> dg.AssetCheckResult:
    """The verdict on all summaries, without names or values."""
    broken = sum(not each.is_sound for each in verdicts)
    restated = sum(bool(each.restated) for each in verdicts)
    said = None
    if broken:
        said = "a text does not say what its facts say; `twinning summary --write` writes it again"
    elif restated:
        said = "newer files tell some days otherwise; a backfill of this asset writes them again"
    return dg.AssetCheckResult(
        passed=not broken,
        severity=dg.AssetCheckSeverity.ERROR,
        description=said,
        metadata={
            "summaries": len(verdicts),
            "figures": sum(len(each.figures) for each in verdicts),
            "figures verified": sum(each.verified for each in verdicts),
            "summaries that are wrong": broken,
            "summaries with restated facts": restated,
            "figures restated": sum(len(each.restated) for each in verdicts),
        },
    )


def summaries_job(check: dg.AssetChecksDefinition) -> "UnresolvedAssetJobDefinition":
    """The job `summaries`."""
    return dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(SUMMARY) | dg.AssetSelection.checks(check),
        description="Yesterday in words, for everybody; and every figure of every stored summary looked at again.",
    )


def summaries_schedule(zone: str) -> dg.ScheduleDefinition:
    """Each morning, after the night's facts."""

    @dg.schedule(
        name="morning_summaries",
        job_name=JOB,
        cron_schedule=MORNING,
        execution_timezone=zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Writes yesterday's summaries.",
    )
    def morning(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if is_busy(context.instance, JOB):
            return dg.SkipReason(f"a run of {JOB} is under way")
        yesterday = context.scheduled_execution_time.date() - timedelta(days=1)
        return dg.RunRequest(partition_key=yesterday.isoformat())

    return morning


def summary_parts(zone: str, model_of: ModelOf) -> dict[str, list[Any]]:
    """All of the above as arguments of Definitions: assets, asset_checks, jobs, schedules."""
    check = figures_check()
    return {
        "assets": [summary_asset(zone, model_of)],
        "asset_checks": [check],
        "jobs": [summaries_job(check)],
        "schedules": [summaries_schedule(zone)],
    }
