"""What stands inside a Record: metadata, the single beats of a heart rate variability, and whatever Apple adds next.

A sample keeps all of it as its detail. A sleep stage has a column for its zone alone.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache

from msgspec import Struct, field

from twinning_pipelines.formats.xml_element import Told, told_by
from twinning_pipelines.sources.health.apple_health.words import NUMBER

METADATA = "MetadataEntry"
ZONE_KEY = "HKTimeZone"
_LIST, _BEAT = "HeartRateVariabilityMetadataList", "InstantaneousBeatsPerMinute"
_SECOND = 1_000_000
# All zones are whole quarters of an hour apart, and nobody's variability is measured for that long.
_QUARTER = 15 * 60 * _SECOND
# `7:47:41.86 PM`, `00:20:37,80`, `19.47.41,86`, in the digits of any script.
_CLOCK = re.compile(r"\D*\d{1,2}[:.](\d\d)[:.](\d\d)(?:[.,٫](\d{1,6}))?\D*")

# Texts as Apple prints them most often, whose letters mean themselves: they need no parser.
_ENTRY = re.compile(r' *<MetadataEntry key="([ -~]*?)" value="([ -~]*?)"/>\n')
_RATE = re.compile(r'   <InstantaneousBeatsPerMinute bpm="([\d.,]+)" time="([\d:., \u202fAPMapm]+)"/>\n', re.ASCII)
_ENTRIES = re.compile(rb'(?: *<MetadataEntry key="[ !#-%\'-;=-~]*" value="[ !#-%\'-;=-~]*"/>\n)+')
_RATES = re.compile(
    rb"  <HeartRateVariabilityMetadataList>\n"
    rb'(?:   <InstantaneousBeatsPerMinute bpm="[\d.,]+" time="(?:[\d:., APMapm]|\xe2\x80\xaf)+"/>\n)*'
    rb"  </HeartRateVariabilityMetadataList>\n"
)


class Inside(Struct, dict=True):
    """The elements inside of one Record, or of many that hold the same.

    names: how often each occurs. kept: metadata by key, attributes of other elements by name; a list where there may be
    several. beats: rate and clock of each, as printed; None without a list of them.
    """

    names: Counter[str] = field(default_factory=Counter)
    kept: dict[str, object] = field(default_factory=dict)
    beats: Sequence[tuple[str, str]] | None = None

    @cached_property
    def detail(self) -> str | None:
        """The detail of a Record without beats, as one JSON object with sorted keys; None when there is nothing in it."""
        return _json(self.kept) if self.kept else None

    def detail_between(self, started: int, ended: int) -> str | None:
        """The detail of a Record that began and ended then, in microseconds since 1970."""
        if self.beats is None:
            return self.detail
        beats = [f"[{_rate(rate)},{_seconds(clock, started, ended)}]" for rate, clock in self.beats]
        others = self.kept.get("beats", [])
        beats.extend(map(_json, others if isinstance(others, list) else [others]))
        printed = {key: _json(value) for key, value in self.kept.items()} | {"beats": f"[{','.join(beats)}]"}
        return "{" + ",".join(f"{_json(key)}:{printed[key]}" for key in sorted(printed)) + "}"

    @cached_property
    def zone(self) -> str | None:
        """The HKTimeZone, as printed."""
        return self._zones[-1] if self._zones else None

    @cached_property
    def _zones(self) -> list[str]:
        found = self.kept.get(ZONE_KEY, [])
        return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, str)]

    @cached_property
    def unzoned(self) -> tuple[Counter[str], Counter[str]]:
        """What there is beside zones: by key of metadata or name of another element, and by element."""
        keys = Counter({key: len(each) if isinstance(each, list) else 1 for key, each in self.kept.items()})
        keys += Counter({"beats": len(self.beats or ()), ZONE_KEY: 0})
        keys -= Counter({ZONE_KEY: len(self._zones)})
        return keys, self.names - Counter({METADATA: len(self._zones)})


def inside_of(elements: Iterable[Told]) -> Inside:
    """What some elements inside of a Record say; the depth of its children is 1."""
    inside = Inside()
    beats: list[tuple[str, str]] = []
    for depth, name, given in elements:
        inside.names[name] += 1
        if depth == 1 and name == METADATA and given.keys() == {"key", "value"}:
            _keep(inside.kept, given["key"], given["value"])
        elif depth == 1 and name == _LIST and not given:
            inside.beats = beats
        elif inside.beats is not None and name == _BEAT and given.keys() == {"bpm", "time"}:
            beats.append((given["bpm"], given["time"]))
        else:
            inside.kept[name] = [*_listed(inside.kept.get(name, [])), given]
    return inside


def read_inside(text: bytes, deepest: int) -> Inside | None:
    """What the text between a start tag and an end tag says; None when it is not well-formed or too deep."""
    if _ENTRIES.fullmatch(text):
        entries = _ENTRY.findall(text.decode("ascii"))
        inside = Inside(Counter({METADATA: len(entries)}))
        for key, value in entries:
            _keep(inside.kept, key, value)
        return inside
    if _RATES.fullmatch(text):
        beats = _RATE.findall(text.decode())
        return Inside(Counter({_LIST: 1, _BEAT: len(beats)} if beats else {_LIST: 1}), beats=beats)
    told = told_by(b"<Record>" + text + b"</Record>", deepest)
    return None if told is None else inside_of(told[1:])


def _keep(kept: dict[str, object], key: str, value: str) -> None:
    """A key that is repeated has a list."""
    kept[key] = [*_listed(kept[key]), value] if key in kept else value


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


@lru_cache(maxsize=4_096)
def _rate(printed: str) -> str:
    """A number where it is one, a comma may stand for the point; as JSON."""
    text = printed.replace(",", ".")
    if not NUMBER.fullmatch(text) or abs(float(text)) == float("inf"):
        return _json(printed)
    return str(int(text) if text.isdigit() else float(text))


def _seconds(printed: str, started: int, ended: int) -> str:
    """Seconds after the start of a clock that has neither date nor zone, by its place in the quarter of an hour; as JSON.

    The text as it is where it is no clock, or does not fall between start and end; both are printed in whole seconds.
    """
    match = _CLOCK.fullmatch(printed)
    if match is None or ended - started >= _QUARTER:
        return _json(printed)
    minutes, seconds, fraction = int(match[1]), int(match[2]), int((match[3] or "").ljust(6, "0"))
    after = ((minutes * 60 + seconds) * _SECOND + fraction - started) % _QUARTER
    falls_inside = minutes < 60 and seconds < 60 and after < ended - started + _SECOND
    return repr(after / _SECOND) if falls_inside else _json(printed)


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
