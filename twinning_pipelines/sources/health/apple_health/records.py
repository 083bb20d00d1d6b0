"""Apple's Records, as coded columns, to batches of samples and sleep stages.

Everything that gives a Record a meaning is here, so that two engines which find the same columns make the same rows.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct, field

from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.record import INSTANT, Record
from twinning_pipelines.records.sessions import SLEEP_STAGE
from twinning_pipelines.source import Batch, Devices, Rejection
from twinning_pipelines.sources.health.apple_health.columns import Records
from twinning_pipelines.sources.health.apple_health.inside import Inside
from twinning_pipelines.sources.health.apple_health.moments import Mask, Numbers
from twinning_pipelines.sources.health.apple_health.words import (
    NUMBER,
    STAGE_OF,
    UNREGISTERED,
    How,
    Reading,
    reading_of,
    short_value,
    shown,
    word_of,
    zone_of,
)

_RECORDS = (SAMPLE, SLEEP_STAGE)
_MICROSECONDS_PER_MINUTE = 60_000_000
_NAMED = re.compile(r"(?<![a-z])(watch|iphone)(?![a-z])", re.IGNORECASE | re.ASCII)
_DEVICE_OF = {"watch": "watch", "iphone": "phone"}
_DEVICES = ("watch", "phone", "other")


class Oddities(Struct):
    """What a person should hear about the whole file: names and how often they occurred.

    left_asleep: what stands in sleep stages beside their zone, by key; left_asleep_names: the same by element.
    devices: what recorded under a name, by its own word; origins: all names.
    """

    unregistered: Counter[str] = field(default_factory=Counter)
    zones: Counter[str] = field(default_factory=Counter)
    left_asleep: Counter[str] = field(default_factory=Counter)
    left_asleep_names: Counter[str] = field(default_factory=Counter)
    devices: dict[str, str] = field(default_factory=dict)
    origins: set[str] = field(default_factory=set)


def devices_of(oddities: Oddities) -> Devices:
    """What recorded under each name: a watch, a phone, or something else; by the name where no device is told."""
    named = {name: _NAMED.findall(name) for name in oddities.origins}
    guesses = {name: _DEVICE_OF[found[0].lower()] if found else "other" for name, found in named.items()}
    return Devices(dict(sorted((guesses | oddities.devices).items())))


# Rows that can't be read, and the reason of one of them by its index.
_Complaint = tuple[Mask, Callable[[int], str]]


def batches(records: Records, oddities: Oddities) -> Iterator[Batch]:
    """The samples and the sleep stages among some Records, as one batch of each; what can't be read is rejected."""
    typed = _Typed(records)
    for name, count in typed.unregistered():
        oddities.unregistered[name] += count
    _note_devices(records, oddities)
    for record in _RECORDS:
        mine = typed.rows_of(record)
        refused = tuple(each for each in typed.rejections if each.record == record.name)
        if len(mine) or refused:
            columns = _columns(typed, record, mine, oddities)
            rows = pa.RecordBatch.from_arrays([columns[name] for name in record.schema.names], schema=record.schema)
            yield Batch(record, rows, _raw_of(records, mine), refused)


def _note_devices(records: Records, oddities: Oddities) -> None:
    for code in np.flatnonzero(np.bincount(records.which)).tolist():
        head = records.heads[code]
        if head.origin is not None:
            name = cleaned(head.origin)
            oddities.origins.add(name)
            if head.device is not None:
                before = oddities.devices.get(name, head.device)
                oddities.devices[name] = min(before, head.device, key=_DEVICES.index)


def _raw_of(records: Records, mine: Numbers) -> Callable[[int], str]:
    return lambda index: records.raw(int(mine[index]))


def _columns(typed: "_Typed", record: Record, mine: Numbers, oddities: Oddities) -> dict[str, pa.Array]:
    records = typed.records
    which, within = records.which[mine], records.within[mine]
    origins = [None if head.origin is None else cleaned(head.origin) for head in records.heads]
    columns: dict[str, pa.Array] = {
        "at": pa.array(records.at[mine]),
        "origin": _words(origins, which),
        "started_at": _instants(records.starts.instants[mine]),
        "ended_at": _instants(records.ends.instants[mine]),
    }
    if record is SLEEP_STAGE:
        columns["origin"] = columns["origin"].dictionary_decode()
        columns["stage"] = _words(typed.stages.words, typed.stages.codes[mine]).dictionary_decode()
        columns["zone"] = _zones(records.insides, within, oddities).dictionary_decode()
    else:
        columns["metric"] = _words([each.metric for each in typed.readings], which)
        columns["value"] = pa.array(typed.numbers[mine])
        columns["label"] = _words(typed.labels.words, typed.labels.codes[mine])
        columns["detail"] = _details(records, mine)
    return columns


def _instants(microseconds: Numbers) -> pa.Array:
    return pa.array(microseconds).view(INSTANT.arrow)


@lru_cache(maxsize=4_096)
def cleaned(name: str) -> str:
    """A source's name in one Unicode form and without blanks around it."""
    return unicodedata.normalize("NFC", name).strip()


def _words(words: Sequence[str | None], codes: Numbers) -> pa.DictionaryArray:
    """The word of each code, each distinct word once in the dictionary; null for None and for code -1."""
    present = np.flatnonzero(np.bincount(codes + 1, minlength=len(words) + 1)[1:])
    distinct: dict[str, int] = {}
    places = np.full(len(words) + 1, -1, np.int32)
    for code in present.tolist():
        word = words[code]
        if word is not None:
            places[code] = distinct.setdefault(word, len(distinct))
    indices = places[codes]
    return pa.DictionaryArray.from_arrays(pa.array(indices, mask=indices < 0), pa.array(list(distinct), pa.string()))


def _details(records: Records, mine: Numbers) -> pa.DictionaryArray:
    details = [each.detail for each in records.insides]
    codes = records.within[mine]
    timed = np.array([each.beats is not None for each in records.insides] + [False], np.bool_)[codes]
    if timed.any():
        codes = codes.copy()
        for place in np.flatnonzero(timed).tolist():
            inside, row = records.insides[codes[place]], mine[place]
            codes[place] = len(details)
            details.append(inside.detail_between(int(records.starts.instants[row]), int(records.ends.instants[row])))
    return _words(details, codes)


def _zones(insides: Sequence[Inside], within: Numbers, oddities: Oddities) -> pa.DictionaryArray:
    counts = np.bincount(within + 1, minlength=len(insides) + 1)[1:].tolist()
    zones: list[str | None] = []
    for inside, count in zip(insides, counts, strict=True):
        zones.append(zone_of(inside.zone) if count and inside.zone is not None else None)
        if count:
            if inside.zone is not None and zones[-1] is None:
                oddities.zones[shown(inside.zone)] += count
            keys, names = inside.unzoned
            _multiply(keys, count, oddities.left_asleep)
            _multiply(names, count, oddities.left_asleep_names)
    return _words(zones, within)


def _multiply(names: Counter[str], times: int, into: Counter[str]) -> None:
    for name, count in names.items():
        into[name] += count * times


class _Coded:
    """A word for some of the rows; code -1 for the others."""

    def __init__(self, rows: int) -> None:
        self.words: list[str | None] = []
        self.codes: Numbers = np.full(rows, -1, np.int64)

    def enter(self, mine: Numbers, words: Sequence[str | None], codes: Numbers) -> None:
        """The words of the rows `mine`, once for all."""
        self.words = list(words)
        self.codes[mine] = codes


class _Typed:
    """Some Records with a meaning. `readings` are parallel to their heads.

    rejections: the Records that can't be read, each with the first thing that is wrong with it.
    """

    def __init__(self, records: Records) -> None:
        self.records = records
        self.readings = [_reading_of(head.kind, head.unit) for head in records.heads]
        rows = len(records.at)
        self.numbers: npt.NDArray[np.float64] = np.full(rows, np.nan)
        self.labels, self.stages = _Coded(rows), _Coded(rows)
        self._wordless: dict[int, str] = {}
        self._read_numbers()
        self._read_minutes()
        self._read_words()
        self._read_stages()
        # They know this object: kept by it, they would keep a block of text until garbage is collected.
        complaints = self._complain()
        self._good: Mask = ~np.logical_or.reduce([mask for mask, _ in complaints])
        self.rejections = list(map(partial(self._rejection, complaints), np.flatnonzero(~self._good).tolist()))

    def rows_of(self, record: Record) -> Numbers:
        """The indexes of the readable Records that belong to a table."""
        belongs = np.array([each.record is record for each in self.readings], np.bool_)
        return np.flatnonzero(belongs[self.records.which] & self._good)

    def unregistered(self) -> Iterator[tuple[str, int]]:
        """The types among the readable Records that nobody registered, with their counts."""
        counts = np.bincount(self.records.which[self._good], minlength=len(self.readings))
        for reading, count in zip(self.readings, counts.tolist(), strict=True):
            if count and reading.metric.startswith(UNREGISTERED):
                yield reading.metric, count

    def _rejection(self, complaints: Sequence[_Complaint], index: int) -> Rejection:
        reason = next(says(index) for mask, says in complaints if mask[index])
        record = self.readings[self.records.which[index]].record
        return Rejection(int(self.records.at[index]), record.name, reason, self.records.raw(index))

    def _complain(self) -> tuple[_Complaint, ...]:
        records, readings, which = self.records, self.readings, self.records.which
        refused = np.array([each.refusal is not None for each in readings], np.bool_)
        unnamed = np.array([head.origin is None for head in records.heads], np.bool_)
        wordless = np.zeros(len(which), np.bool_)
        wordless[list(self._wordless)] = True
        return (
            (refused[which], lambda index: readings[which[index]].refusal or ""),
            (unnamed[which], lambda _: "sourceName: missing"),
            (~records.starts.ok, lambda index: _not_a("startDate", records.starts.misprints[index], "moment")),
            (~records.ends.ok, lambda index: _not_a("endDate", records.ends.misprints[index], "moment")),
            (wordless, lambda index: self._wordless[index]),
            (
                self._where("number") & ~np.isfinite(self.numbers),
                lambda index: _not_a("value", records.values[index].as_py(), "number"),
            ),
        )

    def _where(self, how: How) -> Mask:
        mask: Mask = np.array([each.how == how for each in self.readings], np.bool_)[self.records.which]
        return mask

    def _read_numbers(self) -> None:
        mine = np.flatnonzero(self._where("number"))
        which = self.records.which[mine]
        factors = np.array([each.conversion.factor for each in self.readings])[which]
        offsets = np.array([each.conversion.offset for each in self.readings])[which]
        self.numbers[mine] = _floats(_taken(self.records.values, mine)) * factors + offsets

    def _read_minutes(self) -> None:
        mine = self._where("minutes")
        lasted = self.records.ends.instants[mine] - self.records.starts.instants[mine]
        self.numbers[mine] = lasted / _MICROSECONDS_PER_MINUTE

    def _read_words(self) -> None:
        mine, pairs, codes = self._values("word")
        words = [word_of(reading.name, value) for reading, value in pairs]
        self.numbers[mine] = np.array([word.number for word in words], np.float64)[codes]
        self.labels.enter(mine, [word.label for word in words], codes)
        self._refuse(mine, [word.refusal for word in words], codes)

    def _read_stages(self) -> None:
        mine, pairs, codes = self._values("stage")
        stages = [STAGE_OF.get(short_value(reading.name, value or "")) for reading, value in pairs]
        self.stages.enter(mine, stages, codes)
        wrong = [
            _not_a("value", value, "sleep stage") if stage is None else None
            for stage, (_, value) in zip(stages, pairs, strict=True)
        ]
        self._refuse(mine, wrong, codes)

    def _refuse(self, mine: Numbers, reasons: Sequence[str | None], codes: Numbers) -> None:
        for code, reason in enumerate(reasons):
            if reason is not None:
                self._wordless.update(dict.fromkeys(mine[codes == code].tolist(), reason))

    def _values(self, how: How) -> tuple[Numbers, list[tuple[Reading, str | None]], Numbers]:
        """The rows that are read so, the distinct pairs of reading and value among them, and the pair of each row."""
        mine = np.flatnonzero(self._where(how))
        coded = _taken(self.records.values, mine).dictionary_encode(null_encoding="encode")
        values = coded.dictionary.to_pylist()
        codes = self.records.which[mine] * len(values) + coded.indices.to_numpy()
        present, places = np.unique(codes, return_inverse=True)
        pairs = [(self.readings[code // len(values)], values[code % len(values)]) for code in present.tolist()]
        return mine, pairs, places


_reading_of = lru_cache(maxsize=4_096)(reading_of)


def _taken(column: pa.Array, mine: Numbers) -> pa.Array:
    return column if len(mine) == len(column) else column.take(pa.array(mine))


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


def _not_a(attribute: str, text: str | None, thing: str) -> str:
    return f"{attribute}: missing" if text is None else f"{attribute}: not a {thing}: {shown(text)}"
