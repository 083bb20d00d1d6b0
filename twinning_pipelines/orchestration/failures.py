"""Failed runs are told to a person: job, run and steps, never a message, for messages quote what was read.

The news go the way of all others, through the queue. Where the database is what failed, they go out straight.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import uuid4

import dagster as dg
import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.errors import FarSideUnavailable, TwinningError
from twinning_pipelines.home import Home
from twinning_pipelines.orchestration.news import audience_at, round_at
from twinning_pipelines.orchestration.run_home import ReadHome
from twinning_pipelines.products.news.channels import Parcel
from twinning_pipelines.products.news.targets import Audience
from twinning_pipelines.products.news.telling import Happening

WILL_RETRY = "dagster/will_retry"
BY_HAND = "__ASSET_JOB"
KIND = "run_failed"
# A sensor's tick has a minute for everything.
_SECONDS_PER_TICK = 20.0
_FINISHED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE)


class News(Struct, frozen=True):
    """What is told of a failed run."""

    title: str
    body: str


def news_of(job: str, run_id: str, failed: Collection[str], failed_before: Collection[str]) -> News | None:
    """None when the run before failed at the very same steps: a check that stays red would be told every hour."""
    if failed and set(failed) == set(failed_before):
        return None
    name = "a run by hand" if job.startswith(BY_HAND) else job
    steps = ", ".join(sorted(failed)) or "none: it broke off before or between its steps"
    return News(f"Twinning: {name} failed", f"run {run_id}\nfailed steps: {steps}")


def failure_sensor(read: ReadHome) -> dg.SensorDefinition:
    """The sensor `notify_of_failures`."""

    @dg.run_failure_sensor(
        name="notify_of_failures",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Tells the URLs of TWINNING_NOTIFY_URLS and the targets of `news.yaml` that want it of a failed run, once for as "
            "long as it fails alike, and makes the round of news that the run did not come to."
        ),
    )
    def tell(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        run = context.dagster_run
        if run.tags.get(WILL_RETRY) == "true":
            return dg.SkipReason("the run is tried again")
        home = read()
        audience = audience_at(home)
        if not audience.targets:
            return dg.SkipReason("neither TWINNING_NOTIFY_URLS nor news.yaml names anybody to tell")
        failed = failed_steps(context.instance, run.run_id)
        news = news_of(run.job_name, run.run_id, failed, _failed_before(context.instance, run))
        hand_out(home, audience, run.run_id, news)
        return None if news else dg.SkipReason("the run before failed at the same steps, and was told")

    return tell


def hand_out(home: Home, audience: Audience, run_id: str, news: News | None) -> None:
    """A round of news with this one. Raises FarSideUnavailable when neither the queue nor anybody could be reached."""
    also = [Happening(None, KIND, run_id, news.title, news.body)] if news else []
    try:
        with home.opened() as opened:
            round_at(opened, also, _SECONDS_PER_TICK)
    except (TwinningError, sa.exc.SQLAlchemyError, OSError):
        reached = news is None or _straight(audience, news)
    else:
        reached = True
    if not reached:
        # Outside of the handler: what a database says may quote its address.
        raise FarSideUnavailable("the news of a failed run reached nobody")


def _straight(audience: Audience, news: News) -> bool:
    """Past the queue, to all who want it; answers whether anybody was reached."""
    now = datetime.now(UTC)
    wanting = [target for target in audience.targets if target.wants(KIND, None)]
    reached = [
        target.channel.send(
            Parcel(uuid4(), 0, KIND, None, news.title, news.body if target.details else None, now, audience.link)
        )
        for target in wanting
    ]
    return not wanting or any(each.state == "delivered" for each in reached)


def failed_steps(instance: dg.DagsterInstance, run_id: str) -> set[str]:
    """The steps of a run that failed."""
    stats = instance.get_run_step_stats(run_id)
    return {each.step_key for each in stats if each.status is not None and each.status.value == "FAILURE"}


def _failed_before(instance: dg.DagsterInstance, run: dg.DagsterRun) -> set[str]:
    """The failed steps of the run of the same job that ended before; none for runs by hand."""
    if run.job_name.startswith(BY_HAND):
        return set()
    record = instance.get_run_record_by_id(run.run_id)
    before = dg.RunsFilter(
        job_name=run.job_name,
        statuses=list(_FINISHED),
        created_before=record.create_timestamp if record else None,
    )
    earlier = [each for each in instance.get_runs(before, limit=2) if each.run_id != run.run_id]
    return failed_steps(instance, earlier[0].run_id) if earlier else set()
