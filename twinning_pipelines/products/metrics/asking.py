"""Rounds of asking: all parts at once, each on its own, at most one round in some seconds; slow parts more seldom.

A part that raises, or does not answer in time, is marked as failed and its gauges are absent; the others come. What has
not answered yet is not asked again until it does, so that a far side that hangs holds one thread and not many.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct, field

from twinning_pipelines.errors import TwinningError
from twinning_pipelines.products.metrics.gauges import Measured

Question = Callable[[], Iterable[Measured]]

KEEP_SECONDS = 10.0
# What walks through every receipt, and through large tables to find what changes by the day.
ROWS_SECONDS, SELDOM_SECONDS = 60.0, 300.0
# Prometheus itself waits for ten seconds unless told otherwise.
PATIENCE_SECONDS = 8.0
_LATE = "no answer in time"

log = logging.getLogger(__name__)


class Part(Struct, frozen=True):
    """One part of a round. keep_seconds: how long its answer holds; one that failed holds for a single round."""

    question: Question
    keep_seconds: float = KEEP_SECONDS


class _Asked(Struct):
    """One part when it was last asked. at: by the clock of the rounds."""

    part: str
    question: Question
    at: float
    began: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0
    measured: tuple[Measured, ...] = ()
    problem: str | None = _LATE
    thread: threading.Thread | None = None

    def start(self) -> None:
        # A thread that hangs must not keep the process from ending.
        self.thread = threading.Thread(target=self._answer, name=f"metrics of {self.part}", daemon=True)
        self.thread.start()

    def is_running(self) -> bool:
        return self.thread is not None and self.thread.is_alive()

    def holds(self, since: float) -> bool:
        """Was it answered, and asked later than that?"""
        return self.problem is None and self.at > since

    def _answer(self) -> None:
        try:
            measured = tuple(self.question())
        except TwinningError as trouble:
            self.problem = str(trouble)
        except Exception as trouble:  # noqa: BLE001  (whatever goes wrong with a part must not cost the others)
            # Its text may quote an address or a row.
            self.problem = type(trouble).__name__
        else:
            self.measured, self.problem = measured, None
        self.seconds = time.perf_counter() - self.began


class Rounds:
    """Asks the parts, and keeps their answers for `keep_seconds`. Whoever asks meanwhile waits and gets the same."""

    def __init__(
        self,
        parts: Mapping[str, Part],
        *,
        keep_seconds: float = KEEP_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._parts = parts
        self._keep, self._patience, self._clock = keep_seconds, patience_seconds, clock
        self._lock = threading.Lock()
        self._asked: dict[str, _Asked] = {}
        self._failing: dict[str, str] = {}
        self._newest: tuple[Measured, ...] = ()
        self._made_at: float | None = None

    def measured(self) -> tuple[Measured, ...]:
        """The values of a round that is at most `keep_seconds` old."""
        with self._lock:
            if self._made_at is None or self._clock() - self._made_at >= self._keep:
                self._newest = self._round()
                self._made_at = self._clock()
            return self._newest

    def _round(self) -> tuple[Measured, ...]:
        deadline = time.perf_counter() + self._patience
        now = self._clock()
        for name, part in self._parts.items():
            before = self._asked.get(name)
            if before is not None and (before.is_running() or before.holds(now - part.keep_seconds)):
                continue
            self._asked[name] = _Asked(name, part.question, now)
            self._asked[name].start()
        found: list[Measured] = []
        for name, asked in self._asked.items():
            assert asked.thread is not None
            asked.thread.join(max(deadline - time.perf_counter(), 0))
            is_late = asked.is_running()
            seconds = time.perf_counter() - asked.began if is_late else asked.seconds
            problem = _LATE if is_late else asked.problem
            found += [] if problem else asked.measured
            found.append(Measured("twinning_collect_seconds", seconds, (name,)))
            found.append(Measured("twinning_collect_failed", float(problem is not None), (name,)))
            self._tell(name, problem)
        return tuple(found)

    def _tell(self, part: str, problem: str | None) -> None:
        """Says in the log when a part begins to fail, fails otherwise, or answers again."""
        if problem is not None and self._failing.get(part) != problem:
            log.warning("metrics: the part %s can't be had: %s", part, problem)
        if problem is None and part in self._failing:
            log.warning("metrics: the part %s answers again", part)
        if problem is None:
            self._failing.pop(part, None)
        else:
            self._failing[part] = problem
