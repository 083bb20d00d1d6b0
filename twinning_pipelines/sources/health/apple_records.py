"""Apple's Records, as printed columns, to batches of samples and sleep stages.

An engine finds the Records of an export and hands them over as `Records`; everything that gives them a meaning is here,
so that two engines which find the same columns make the same rows.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.record import INSTANT, WORD, Record
from twinning_pipelines.records.sessions import SLEEP_STAGE
from twinning_pipelines.source import Batch, Rejection
from twinning_pipelines.sources.health.apple_moments import Mask, Numbers, moments_of
from twinning_pipelines.sources.health.apple_types import (
    NUMBER,
    STAGE_OF,
    UNREGISTERED,
    How,
    Reading,
    Word,
    reading_of,
    short_value,
    shown,
    word_of,
    zone_of,
)

_RECORDS = (SAMPLE, SLEEP_STAGE)
_MICROSECONDS_PER_MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class Records:
    """Top-level Records in file order, attributes as printed; null where a Record lacks the attribute.

    `at` is the line of each start tag; `zones` has the HKTimeZone of those that state one, by index; `raw` gives the
    text of one Record with its children.
    """

    at: Numbers
    kinds: pa.StringArray
    origins: pa.StringArray
    units: pa.StringArray
    starts: pa.StringArray
    ends: pa.StringArray
    values: pa.StringArray
    zones: Mapping[int, str]
    raw: Callable[[int], str]


@dataclass(slots=True)
class Oddities:
    """What a person should hear about the whole file: names and how often they occurred."""

    unregistered: Counter[str] = field(default_factory=Counter)
    zones: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)


# Rows that can't be read, and the reason of one of them by its index.
_Complaint = tuple[Mask, Callable[[int], str]]


def batches(records: Records, oddities: Oddities) -> Iterator[Batch]:
    """The samples and the sleep stages among some Records, as one batch of each; what can't be read is rejected."""
    typed = _Typed(records)
    rejections = typed.rejections()
    for name, count in typed.unregistered():
        oddities.unregistered[name] += count
    for record in _RECORDS:
        mine = typed.rows_of(record)
        refused = tuple(each for each in rejections if each.record == record.name)
        if len(mine) or refused:
            columns = _columns(typed, record, mine, oddities)
            rows = pa.RecordBatch.from_arrays([columns[name] for name in record.schema.names], schema=record.schema)
            yield Batch(record, rows, _raw_of(records, mine), refused)


def _raw_of(records: Records, mine: Numbers) -> Callable[[int], str]:
    return lambda index: records.raw(int(mine[index]))


def _columns(typed: "_Typed", record: Record, mine: Numbers, oddities: Oddities) -> dict[str, pa.Array]:
    columns: dict[str, pa.Array] = {
        "at": pa.array(typed.records.at[mine]),
        "origin": _taken(_cleaned(typed.records.origins), mine),
        "started_at": _instants(typed.starts[mine]),
        "ended_at": _instants(typed.ends[mine]),
    }
    if record is SLEEP_STAGE:
        columns["stage"] = pa.array([typed.stages[index] for index in mine.tolist()], pa.string())
        columns["zone"] = pa.array(_zones(typed.records.zones, mine, oddities), pa.string())
    else:
        columns["metric"] = (
            pa.array([each.metric for each in typed.readings], pa.string())
            .take(pa.array(typed.which[mine]))
            .dictionary_encode()
        )
        columns["origin"] = columns["origin"].dictionary_encode()
        columns["value"] = pa.array(typed.numbers[mine])
        columns["label"] = _labels(typed.labels, mine).dictionary_encode()
        columns["detail"] = pa.nulls(len(mine), WORD.arrow)
    return columns


def _taken(column: pa.Array, mine: Numbers) -> pa.Array:
    return column if len(mine) == len(column) else column.take(pa.array(mine))


def _instants(microseconds: Numbers) -> pa.Array:
    return pa.array(microseconds).view(INSTANT.arrow)


def _cleaned(origins: pa.StringArray) -> pa.StringArray:
    """Source names in one Unicode form and without blanks around them; each distinct one is looked at once."""
    coded = origins.dictionary_encode()
    names = [unicodedata.normalize("NFC", name).strip() for name in coded.dictionary.to_pylist()]
    return pa.array(names, pa.string()).take(coded.indices)


def _labels(labels: Mapping[int, str], mine: Numbers) -> pa.StringArray:
    if not labels:
        return pa.nulls(len(mine), pa.string())
    return pa.array([labels.get(index) for index in mine.tolist()], pa.string())


def _zones(zones: Mapping[int, str], mine: Numbers, oddities: Oddities) -> list[str | None]:
    found: list[str | None] = []
    for index in mine.tolist():
        text = zones.get(index)
        zone = None if text is None else zone_of(text)
        if text is not None and zone is None:
            oddities.zones[shown(text)] += 1
        found.append(zone)
    return found


class _Typed:
    """Some Records with a meaning. `which` leads from a row to its entry in `readings`."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.readings, self.which = _readings(records)
        self.starts, self._starts_ok = moments_of(records.starts)
        self.ends, self._ends_ok = moments_of(records.ends)
        self.numbers: npt.NDArray[np.float64] = np.full(len(records.at), np.nan)
        self.labels: dict[int, str] = {}
        self.stages: dict[int, str] = {}
        self._wordless: dict[int, str] = {}
        self._read_numbers()
        self._read_minutes()
        self._read_words()
        self._read_stages()
        self._complaints = self._complain()
        self._good: Mask = ~np.logical_or.reduce([mask for mask, _ in self._complaints])

    def rows_of(self, record: Record) -> Numbers:
        """The indexes of the readable Records that belong to a table."""
        belongs = np.array([each.record is record for each in self.readings], np.bool_)
        return np.flatnonzero(belongs[self.which] & self._good)

    def unregistered(self) -> Iterator[tuple[str, int]]:
        """The types among the readable Records that nobody registered, with their counts."""
        counts = np.bincount(self.which[self._good], minlength=len(self.readings))
        for reading, count in zip(self.readings, counts.tolist(), strict=True):
            if count and reading.metric.startswith(UNREGISTERED):
                yield reading.metric, count

    def rejections(self) -> list[Rejection]:
        """The Records that can't be read, each with the first thing that is wrong with it."""
        found: list[Rejection] = []
        for index in np.flatnonzero(~self._good).tolist():
            reason = next(says(index) for mask, says in self._complaints if mask[index])
            record = self.readings[self.which[index]].record
            found.append(Rejection(int(self.records.at[index]), record.name, reason, self.records.raw(index)))
        return found

    def _complain(self) -> tuple[_Complaint, ...]:
        records, readings, which = self.records, self.readings, self.which
        refused = np.array([each.refusal is not None for each in readings], np.bool_)
        wordless = np.zeros(len(which), np.bool_)
        wordless[list(self._wordless)] = True
        return (
            (refused[which], lambda index: readings[which[index]].refusal or ""),
            (_missing(records.origins), lambda _: "sourceName: missing"),
            (~self._starts_ok, lambda index: _not_a("startDate", records.starts, index, "moment")),
            (~self._ends_ok, lambda index: _not_a("endDate", records.ends, index, "moment")),
            (wordless, lambda index: self._wordless[index]),
            (
                self._where("number") & ~np.isfinite(self.numbers),
                lambda index: _not_a("value", records.values, index, "number"),
            ),
        )

    def _where(self, how: How) -> Mask:
        mask: Mask = np.array([each.how == how for each in self.readings], np.bool_)[self.which]
        return mask

    def _read_numbers(self) -> None:
        mine = np.flatnonzero(self._where("number"))
        factors = np.array([each.conversion.factor for each in self.readings])[self.which[mine]]
        offsets = np.array([each.conversion.offset for each in self.readings])[self.which[mine]]
        self.numbers[mine] = _floats(_taken(self.records.values, mine)) * factors + offsets

    def _read_minutes(self) -> None:
        mine = self._where("minutes")
        self.numbers[mine] = (self.ends[mine] - self.starts[mine]) / _MICROSECONDS_PER_MINUTE

    def _read_words(self) -> None:
        words: dict[tuple[int, str | None], Word] = {}
        for index, value in self._values("word"):
            key = (int(self.which[index]), value)
            word = words.get(key)
            if word is None:
                word = words[key] = word_of(self.readings[key[0]].name, value)
            self.numbers[index] = word.number
            if word.label is not None:
                self.labels[index] = word.label
            if word.refusal is not None:
                self._wordless[index] = word.refusal

    def _read_stages(self) -> None:
        for index, value in self._values("stage"):
            name = self.readings[self.which[index]].name
            stage = STAGE_OF.get(short_value(name, value or ""))
            if stage is None:
                self._wordless[index] = _not_a("value", self.records.values, index, "sleep stage")
            else:
                self.stages[index] = stage

    def _values(self, how: How) -> Iterator[tuple[int, str | None]]:
        mine = np.flatnonzero(self._where(how))
        return zip(mine.tolist(), _taken(self.records.values, mine).to_pylist(), strict=True)


def _readings(records: Records) -> tuple[list[Reading], Numbers]:
    """How each Record is read: the distinct readings, and for each Record the index of its own."""
    kinds = records.kinds.dictionary_encode(null_encoding="encode")
    units = records.units.dictionary_encode(null_encoding="encode")
    kind_names, unit_names = kinds.dictionary.to_pylist(), units.dictionary.to_pylist()
    codes = kinds.indices.to_numpy().astype(np.int64) * len(unit_names) + units.indices.to_numpy()
    present, which = np.unique(codes, return_inverse=True)
    readings = [reading_of(kind_names[code // len(unit_names)], unit_names[code % len(unit_names)]) for code in present]
    return readings, which


def _floats(texts: pa.StringArray) -> npt.NDArray[np.float64]:
    """The numbers of a column; NaN where a text is none."""
    try:
        found = pc.cast(texts, pa.float64())
    except pa.ArrowInvalid:
        found = pa.array(
            [float(text) if text and NUMBER.fullmatch(text) else None for text in texts.to_pylist()], pa.float64()
        )
    numbers: npt.NDArray[np.float64] = pc.fill_null(found, np.nan).to_numpy(zero_copy_only=False)
    return numbers


def _missing(texts: pa.StringArray) -> Mask:
    mask: Mask = pc.is_null(texts).to_numpy(zero_copy_only=False)
    return mask


def _not_a(attribute: str, texts: pa.StringArray, index: int, thing: str) -> str:
    text = texts[index].as_py()
    return f"{attribute}: missing" if text is None else f"{attribute}: not a {thing}: {shown(text)}"
