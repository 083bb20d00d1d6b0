"""Failed runs are told to a person: job, run and steps, never a message, for messages quote what was read."""

from collections.abc import Collection
from dataclasses import dataclass

import dagster as dg

from twinning_pipelines.orchestration.run_home import ReadHome
from twinning_pipelines.products.notify import notify

WILL_RETRY = "dagster/will_retry"
BY_HAND = "__ASSET_JOB"
_FINISHED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE)


@dataclass(frozen=True, slots=True)
class News:
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
        description="Tells the Apprise URLs of TWINNING_NOTIFY_URLS of a failed run, once for as long as it fails alike.",
    )
    def tell(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        run = context.dagster_run
        urls = read().settings.notify_urls.split()
        if not urls:
            return dg.SkipReason("TWINNING_NOTIFY_URLS names nobody to tell")
        if run.tags.get(WILL_RETRY) == "true":
            return dg.SkipReason("the run is tried again")
        failed = failed_steps(context.instance, run.run_id)
        news = news_of(run.job_name, run.run_id, failed, _failed_before(context.instance, run))
        if news is None:
            return dg.SkipReason("the run before failed at the same steps, and was told")
        notify(urls, news.title, news.body)
        return None

    return tell


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
