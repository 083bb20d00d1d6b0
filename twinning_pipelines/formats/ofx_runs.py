"""Bookings that stand one behind another in an OFX file, each read by one expression instead of tag by tag.

The walker of `ofx_markup` reads a booking, which shows what the bookings around it look like; as many behind it as look
like one that it has read so are taken together, as a `Run`. All that looks otherwise stays with the walker: a booking
without its closing tag, with an aggregate inside, a name twice, a name that our table does not know.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from msgspec import Struct, field

from twinning_pipelines.formats.ofx_document import BOOKING, Run
from twinning_pipelines.formats.ofx_tags import LEAVES

# Only here: a booking in an INVBANKTRAN is given what stands beside it.
LIST = "BANKTRANLIST"
_MAX_LOOKS = 16

_OPENING = re.compile(rf"<({BOOKING})>\s*+", re.ASCII | re.IGNORECASE)
_BLANKS = re.compile(r"\s*", re.ASCII)
_VALUE = re.compile(r"<([A-Za-z][\w.]*+)>[^<]*+(</\1>\s*+)?", re.ASCII)


class _Look(NamedTuple):
    """The names of a booking in their order, and the expression that reads such a booking and the blanks behind it."""

    names: tuple[str, ...]
    expression: re.Pattern[str]


class Looks(Struct):
    """What the bookings of one file look like, as far as it was read. clean: resolves the entities in a value."""

    clean: Callable[[str], str]
    known: list[_Look] = field(default_factory=list)

    def learn(self, raw: str) -> None:
        """Notes the look of a booking that the walker has read, if it is a plain one."""
        if len(self.known) < _MAX_LOOKS and (look := _look_of(raw)) and look not in self.known:
            self.known.append(look)

    def run(self, text: str, begin: int, line: int) -> Run | None:
        """The plain bookings behind an offset, which stands in this line; None where there is none."""
        looks: list[int] = []
        rows: list[tuple[str, ...]] = []
        offsets: list[int] = []
        lines: list[int] = []
        blanks = _BLANKS.match(text, begin)
        look, counted, at = 0, begin, blanks.end() if blanks else begin
        while self.known:
            # Most look like the one before.
            match = self.known[look].expression.match(text, at)
            if match is None:
                look, match = self._first_fitting(text, at)
            if match is None:
                break
            line += text.count("\n", counted, at)
            counted = at
            offsets.append(at)
            lines.append(line)
            looks.append(look)
            rows.append(match.groups())
            at = match.end()
        if not rows:
            return None
        if text.find("&", begin, at) >= 0:
            rows = [tuple(self.clean(value) if "&" in value else value for value in row) for row in rows]
        return Run(text, (*offsets, at), lines, tuple(each.names for each in self.known), looks, rows)

    def _first_fitting(self, text: str, at: int) -> tuple[int, re.Match[str] | None]:
        for look, each in enumerate(self.known):
            if match := each.expression.match(text, at):
                return look, match
        return 0, None


def _look_of(raw: str) -> _Look | None:
    opening = _OPENING.match(raw)
    if opening is None:
        return None
    names: list[str] = []
    parts = [f"<{opening[1]}>"]
    at = opening.end()
    while value := _VALUE.match(raw, at):
        name, is_closed = value[1], value[2] is not None
        if name.upper() not in LEAVES or name.upper() in names:
            return None
        names.append(name.upper())
        parts.append(rf"<{re.escape(name)}>([^<]*+)" + (f"</{re.escape(name)}>" if is_closed else ""))
        at = value.end()
    if raw[at:] != f"</{opening[1]}>":
        return None
    # Behind a value that is not closed the blanks are its own.
    return _Look(tuple(names), re.compile(r"\s*+".join([*parts, f"</{opening[1]}>", ""]), re.ASCII))
