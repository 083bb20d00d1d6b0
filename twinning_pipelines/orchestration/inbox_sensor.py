"""The sensor that makes a drop fast: it looks at sizes and times only, and asks for a run when whole files wait.

No run keys: a key is spent for ever, even when its run failed. What is loaded stands in the ledger; the cursor only
keeps one heap of files from being asked for at every tick.
"""

import hashlib
import time
from collections.abc import Iterable

import dagster as dg
from msgspec import Struct

from twinning_pipelines.ingest.inbox import Dropped, is_stable, scan
from twinning_pipelines.orchestration.run_home import ReadHome

INTERVAL_SECONDS = 10
BUSY = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


class Verdict(Struct, frozen=True):
    """What a tick decides. `cursor`: what the next tick shall compare with. Without a run `reason` says why."""

    run: bool
    cursor: str
    reason: str = ""


def decide(dropped: Iterable[Dropped], cursor: str | None, *, now_ns: int, still_seconds: float, busy: bool) -> Verdict:
    """Asks for a run when the whole files of the inbox are others than those that a run was asked for last."""
    whole, unfinished = list[Dropped](), 0
    for each in dropped:
        if is_stable(each, now_ns=now_ns, still_seconds=still_seconds):
            whole.append(each)
        else:
            unfinished += 1
    known = cursor or ""
    if not whole:
        # The heap is gone: the very same files, dropped again, are a new one.
        reason = f"{unfinished} files are still being written" if unfinished else "the inbox is empty"
        return Verdict(run=False, cursor="", reason=reason)
    snapshot = _snapshot(whole)
    if snapshot == known:
        return Verdict(run=False, cursor=known, reason=f"a run was asked for these {len(whole)} files already")
    if busy:
        return Verdict(run=False, cursor=known, reason=f"{len(whole)} files wait for the run that is under way")
    return Verdict(run=True, cursor=snapshot)


def is_busy(instance: dg.DagsterInstance, job_name: str) -> bool:
    """Is a run of the job waiting or under way?"""
    return instance.get_runs_count(dg.RunsFilter(job_name=job_name, statuses=list(BUSY))) > 0


def inbox_sensor(read: ReadHome, job_name: str) -> dg.SensorDefinition:
    """The sensor `inbox_sensor`."""

    @dg.sensor(
        name="inbox_sensor",
        job_name=job_name,
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts an ingest as soon as a whole file lies in the inbox.",
    )
    def sense(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        home = read()
        verdict = decide(
            scan(home.inbox),
            context.cursor,
            now_ns=time.time_ns(),
            still_seconds=home.settings.still_seconds,
            busy=is_busy(context.instance, job_name),
        )
        context.update_cursor(verdict.cursor)
        return dg.RunRequest() if verdict.run else dg.SkipReason(verdict.reason)

    return sense


def _snapshot(whole: Iterable[Dropped]) -> str:
    digest = hashlib.sha256()
    for each in whole:
        digest.update(f"{each.path}\0{each.size}\0{each.modified_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
