"""Apple's Records as an engine hands them over: columns, coded where many Records share a value, nothing judged yet."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from msgspec import Struct

from twinning_pipelines.sources.health.apple_health.inside import Inside
from twinning_pipelines.sources.health.apple_health.moments import Moments, Numbers

_MODEL = re.compile(r"(?:^|, )(?:model|hardware):\s*(Watch|iPhone)")


class Head(NamedTuple):
    """What many Records share, as printed, None where an attribute is missing. device: watch, phone, other; None if unsaid."""

    kind: str | None
    origin: str | None
    unit: str | None
    device: str | None

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Head":
        """From the attributes of a Record."""
        device = given.get("device")
        said = None if device is None else device_of(device)
        return cls(given.get("type"), given.get("sourceName"), given.get("unit"), said)


@lru_cache(maxsize=4_096)
def device_of(text: str) -> str:
    """`<<HKDevice: 0x30f3a1b20>, name:Apple Watch, …, model:Watch, hardware:Watch7,4, …>` is a watch."""
    models = set(_MODEL.findall(text))
    return "watch" if "Watch" in models else "phone" if "iPhone" in models else "other"


class Records(Struct, frozen=True):
    """Top-level Records in file order.

    at: the line of each start tag. which: its entry in `heads`. values: as printed, null where there is none. within: its
    entry in `insides`, -1 where nothing stands inside. raw: the text of one Record with all that stands inside.
    """

    at: Numbers
    heads: Sequence[Head]
    which: Numbers
    starts: Moments
    ends: Moments
    values: pa.StringArray
    insides: Sequence[Inside]
    within: Numbers
    raw: Callable[[int], str]

    def taken(self, order: Numbers) -> "Records":
        """Some of these Records, in another order."""
        return Records(
            at=self.at[order],
            heads=self.heads,
            which=self.which[order],
            starts=self.starts.taken(order),
            ends=self.ends.taken(order),
            values=self.values.take(pa.array(order)),
            insides=self.insides,
            within=self.within[order],
            raw=lambda index: self.raw(int(order[index])),
        )


def joined(parts: Sequence[Records]) -> Records:
    """Records after Records."""
    ends = np.cumsum([len(part.at) for part in parts])

    def raw(index: int) -> str:
        place = int(np.searchsorted(ends, index, side="right"))
        return parts[place].raw(index - (int(ends[place - 1]) if place else 0))

    heads = np.cumsum([0, *(len(part.heads) for part in parts)]).tolist()
    insides = np.cumsum([0, *(len(part.insides) for part in parts)]).tolist()
    return Records(
        at=np.concatenate([part.at for part in parts]),
        heads=list(chain.from_iterable(part.heads for part in parts)),
        which=np.concatenate([part.which + before for part, before in zip(parts, heads, strict=False)]),
        starts=Moments.joined([part.starts for part in parts]),
        ends=Moments.joined([part.ends for part in parts]),
        values=pa.concat_arrays([part.values for part in parts]),
        insides=list(chain.from_iterable(part.insides for part in parts)),
        within=np.concatenate(
            [np.where(part.within < 0, -1, part.within + before) for part, before in zip(parts, insides, strict=False)]
        ),
        raw=raw,
    )
