"""What `twinning metrics` asks: Dagster about runs, checks and daemons here, everybody else in `products.metrics`.

Dagster is asked through its instance alone; which jobs and checks there are say our own definitions.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar

import dagster as dg
import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.home import Home, migrated
from twinning_pipelines.ingest.inbox import is_partial, scan
from twinning_pipelines.orchestration.inbox_sensor import BUSY
from twinning_pipelines.products.metrics import ledger
from twinning_pipelines.products.metrics.asking import ROWS_SECONDS, SELDOM_SECONDS, Part, Question
from twinning_pipelines.products.metrics.gauges import OTHER_JOB, Measured
from twinning_pipelines.products.metrics.outboxes import FIREFLY, INFLUXDB, outboxes

if TYPE_CHECKING:
    # What the storage answers has no public name.
    from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord

# Dagster finds our definitions by this name as well; they stand above this room.
DEFINITIONS = "twinning_pipelines.definitions"
SEVERITIES = ("warn", "error")

_FINISHED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
_ACTIVE = (dg.DagsterRunStatus.NOT_STARTED, *BUSY)

T = TypeVar("T")
OpenInstance = Callable[[], AbstractContextManager[dg.DagsterInstance]]


class Known(Struct, frozen=True):
    """What our definitions define: jobs by name, and asset checks."""

    jobs: tuple[str, ...]
    checks: tuple[dg.AssetCheckKey, ...]

    @classmethod
    def of(cls, defs: dg.Definitions) -> "Known":
        """What stands in some definitions."""
        checks = sorted(defs.resolve_asset_graph().asset_check_keys, key=str)
        return cls(tuple(sorted(defs.get_repository_def().job_names)), tuple(checks))


def our_definitions() -> dg.Definitions:
    """The definitions as Dagster loads them."""
    defs = import_module(DEFINITIONS).defs
    assert isinstance(defs, dg.Definitions)
    return defs


class _Lasting(Generic[T]):
    """Made at the first wish and kept, whichever thread has it; where making fails, the next wish tries again."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make, self._lock = make, threading.Lock()
        self._made: T | None = None

    def get(self) -> T:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made


class Watch:
    """The parts of a round, with the database and Dagster's instance that they ask: opened when first needed, then kept."""

    def __init__(
        self,
        home: Home,
        *,
        instance: OpenInstance = dg.DagsterInstance.get,
        definitions: Callable[[], dg.Definitions] = our_definitions,
    ) -> None:
        self._home, self._closing = home, ExitStack()
        self._engine = _Lasting(self._open)
        self._instance = _Lasting(lambda: self._closing.enter_context(instance()))
        self._known = _Lasting(lambda: Known.of(definitions()))

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *trouble: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._closing.close()

    def _open(self) -> sa.Engine:
        """The database; its folders need not be there, nor writable, where it is a server of its own."""
        url = self._home.settings.database_url
        if url is None:
            return self._closing.enter_context(self._home.opened()).engine
        return self._closing.enter_context(migrated(url.get_secret_value()))

    def prepare(self) -> None:
        """Loads our definitions ahead of the first question; if they can't be, the parts that need them will say so."""
        with suppress(Exception):
            self._known.get()

    def parts(self) -> Mapping[str, Part]:
        """Every part by its name. Each can be asked in a thread of its own."""
        sources, settings = self._home.sources, self._home.settings
        far_sides = {INFLUXDB: settings.influx_url, FIREFLY: settings.firefly_url}
        return {
            "build": Part(lambda: [build(), *ledger.expectations(sources)]),
            "ledger": Part(self._looking(lambda connection: ledger.ledger(connection, sources))),
            "rows": Part(self._looking(ledger.rows), ROWS_SECONDS),
            "days": Part(self._looking(ledger.days)),
            "summaries": Part(self._looking(ledger.summaries)),
            "outboxes": Part(self._looking(lambda connection: outboxes(connection, far_sides))),
            "inbox": Part(lambda: inbox(self._home.inbox, time.time())),
            "runs": Part(lambda: runs(self._instance.get(), self._known.get().jobs, datetime.now(UTC))),
            "checks": Part(lambda: checks(self._instance.get(), self._known.get().checks)),
            "daemons": Part(lambda: daemons(self._instance.get())),
            "sizes": Part(self._looking(ledger.sizes), SELDOM_SECONDS),
        }

    def _looking(self, ask: Callable[[sa.Connection], Iterable[Measured]]) -> Question:
        def answer() -> Iterator[Measured]:
            with ledger.looking(self._engine.get()) as connection:
                yield from ask(connection)

        return answer


def build() -> Measured:
    """Which version this is."""
    return Measured("twinning_build_info", 1, (version("twinning"),))


def inbox(folder: Path, now: float) -> Iterator[Measured]:
    """What lies in each person's inbox, and since when. now: seconds since 1970.

    A file's own time may be years old, for sync programs carry it along; when it came here tells the inode.
    """
    # As opening the home makes it; where a volume is missing this fails, and is told.
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    people = [each for each in folder.iterdir() if each.is_dir() and not each.is_symlink() and not is_partial(each)]
    came: dict[str, list[float]] = {each.name: [] for each in people}
    for dropped in scan(folder):
        try:
            came.setdefault(dropped.person, []).append(dropped.path.stat().st_ctime)
        except FileNotFoundError:
            continue  # taken this very moment
    for name, moments in sorted(came.items()):
        # A folder may bear a name that is no UTF-8.
        person = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        yield Measured("twinning_inbox_files", len(moments), (person,))
        yield Measured("twinning_inbox_oldest_seconds", max(now - min(moments, default=now), 0.0), (person,))


def runs(instance: dg.DagsterInstance, jobs: Iterable[str], now: datetime) -> Iterator[Measured]:
    """Runs by job and status, how the newest of each job went, and what waits."""
    known = tuple(jobs)
    yield from _finished(instance, known)
    active = instance.get_run_records(dg.RunsFilter(statuses=list(_ACTIVE)))
    by_job = Counter((_job(each.dagster_run.job_name, known), _word(each.dagster_run.status)) for each in active)
    for labels, n in sorted(by_job.items()):
        yield Measured("twinning_runs", n, labels)
    by_status = Counter(_word(each.dagster_run.status) for each in active)
    for status in map(_word, _ACTIVE):
        yield Measured("twinning_runs_active", by_status[status], (status,))
    queued = [each.create_timestamp for each in active if each.dagster_run.status is dg.DagsterRunStatus.QUEUED]
    oldest = (now - min(queued, default=now)).total_seconds()
    yield Measured("twinning_run_queue_oldest_seconds", max(oldest, 0.0))


def _finished(instance: dg.DagsterInstance, jobs: tuple[str, ...]) -> Iterator[Measured]:
    """Counted by the storage: reading thousands of runs takes seconds."""
    ran = set[str]()
    for status in _FINISHED:
        rest = instance.get_runs_count(dg.RunsFilter(statuses=[status]))
        for job in jobs:
            # Where none is left there is nobody to ask about.
            n = instance.get_runs_count(dg.RunsFilter(job_name=job, statuses=[status])) if rest else 0
            rest -= n
            ran |= {job} if n else set()
            yield Measured("twinning_runs", n, (job, _word(status)))
        if rest > 0:
            yield Measured("twinning_runs", rest, (OTHER_JOB, _word(status)))
    for job in sorted(ran):
        yield from _newest(instance, job)


def _newest(instance: dg.DagsterInstance, job: str) -> Iterator[Measured]:
    success = newest = _newest_run(instance, job, _FINISHED)
    # A run that was cancelled in the queue has never begun.
    if newest is not None and newest.start_time is not None and newest.end_time is not None:
        yield Measured("twinning_run_last_seconds", newest.end_time - newest.start_time, (job,))
    if newest is not None and newest.dagster_run.status is not dg.DagsterRunStatus.SUCCESS:
        success = _newest_run(instance, job, [dg.DagsterRunStatus.SUCCESS])
    if success is not None and success.end_time is not None:
        yield Measured("twinning_run_last_success_timestamp_seconds", success.end_time, (job,))


def _newest_run(instance: dg.DagsterInstance, job: str, statuses: Iterable[dg.DagsterRunStatus]) -> dg.RunRecord | None:
    found = instance.get_run_records(dg.RunsFilter(job_name=job, statuses=list(statuses)), limit=1)
    return found[0] if found else None


def _job(name: str, known: tuple[str, ...]) -> str:
    return name if name in known else OTHER_JOB


def _word(status: dg.DagsterRunStatus) -> str:
    return status.value.lower()


def checks(instance: dg.DagsterInstance, keys: Iterable[dg.AssetCheckKey]) -> Iterator[Measured]:
    """The newest verdict on each check. One that is being made, or was skipped, still stands by the one before."""
    counts = Counter({(severity, state): 0 for severity in SEVERITIES for state in ("passed", "failed")})
    for key, record in sorted(_verdicts(instance, list(keys)).items(), key=lambda each: str(each[0])):
        verdict = record.evaluation
        if verdict is None:
            continue
        severity = verdict.severity.value.lower()
        counts[severity, "passed" if verdict.passed else "failed"] += 1
        if not verdict.passed:
            yield Measured("twinning_failed_check", 1, (key.name, key.asset_key.to_user_string(), severity))
    for labels, n in sorted(counts.items()):
        yield Measured("twinning_asset_checks", n, labels)


def _verdicts(
    instance: dg.DagsterInstance, keys: list[dg.AssetCheckKey]
) -> "dict[dg.AssetCheckKey, AssetCheckExecutionRecord]":
    storage = instance.event_log_storage
    newest = dict(storage.get_latest_asset_check_execution_by_key(keys))
    open_ones = [key for key, record in newest.items() if record.event is None or not _is_verdict(record)]
    for key, summary in storage.get_asset_check_summary_records(open_ones).items():
        if (done := summary.last_completed_check_execution_record) is not None:
            newest[key] = done
        else:
            del newest[key]
    return newest


def _is_verdict(record: "AssetCheckExecutionRecord") -> bool:
    event = record.event.dagster_event if record.event else None
    return event is not None and event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION


def daemons(instance: dg.DagsterInstance) -> Iterator[Measured]:
    """When each daemon last gave a sign."""
    for daemon, heartbeat in sorted(instance.get_daemon_heartbeats().items()):
        yield Measured("twinning_daemon_heartbeat_timestamp_seconds", heartbeat.timestamp, (daemon,))
