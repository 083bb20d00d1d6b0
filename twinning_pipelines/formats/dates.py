"""Date texts to days, in an order that is decided once per file from all its date texts.

`12/31/98`, `31.12.1998`, `6/ 4'18`, `12/21' 7`, `2/10'2020`, `26 Jan 2026`, `26-févr.-26`, `2026-01-26`, `20260126`; a
time of day behind the date is let go. A text proves an order when the others can't read it: `13/02` proves day first,
`99/12/31` year first. Named months and years of four digits in front need no order. Month names: Unicode CLDR, in
English, German, French, Spanish, Italian, Dutch and Portuguese. Years of two digits: 69-99 are 19xx, as in POSIX.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache
from typing import Literal, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
from msgspec import Struct

from twinning_pipelines.formats.arrays import FEWEST_FOR_COLUMNS
from twinning_pipelines.formats.date_columns import Mask, Numbers, days_of, is_within, numbers_of

Order = Literal["MDY", "DMY", "YMD"]
_ORDERS: tuple[Order, ...] = ("MDY", "DMY", "YMD")
Number = TypeVar("Number", int, Numbers)

_LONGEST = 60
_PIVOT = 69
_MONTH, _DAY = 12, 31

_NAMES = """
jan january januar jänner janv janvier ene enero gen gennaio januari janeiro
feb february februar fev févr février febrero febbraio februari fevereiro
mar march mrz märz mars marzo maart mrt março
apr april avr avril abr abril aprile
may mai mayo mag maggio mei maio
jun june juni juin junio giu giugno junho
jul july juli juil juillet julio lug luglio julho
aug august août ago agosto augustus
sep sept september septembre septiembre set settembre setembro
oct october okt oktober octobre octubre ott ottobre out outubro
nov november novembre noviembre novembro
dec december dez dezember déc décembre dic diciembre dicembre dezembro
"""

# Quicken pads with blanks and writes an apostrophe before years from 2000 on: ` 1/ 2'26`, `12/21' 7`.
_GAP = r"(?:\s*[-/.']\s*|\s+)"
_TIME = r"(?:(?:T|,?\s+)\d{1,2}[:.h]\d{2}.*)?"
_NUMERIC = re.compile(rf"(\d{{4}}|\d{{1,2}}){_GAP}(\d{{1,2}}){_GAP}(\d{{4}}|\d{{1,2}}){_TIME}", re.ASCII)
_COMPACT = re.compile(rf"(\d{{2}})(\d{{2}})(\d{{2}})(\d{{2}}){_TIME}", re.ASCII)
_NAMED = re.compile(rf"(\d{{1,2}})[\s./-]*([^\W\d_]+)[\s.,/'-]*(\d{{4}}|\d{{2}}){_TIME}")
_NAMED_FIRST = re.compile(rf"([^\W\d_]+)[\s.-]*(\d{{1,2}})(?:st|nd|rd|th)?[\s,./'-]+(\d{{4}}|\d{{2}}){_TIME}")


def _folded(name: str) -> str:
    """A month's name without case and accents."""
    return "".join(filter(str.isalpha, unicodedata.normalize("NFKD", name.casefold())))


_MONTHS = {_folded(name): number for number, line in enumerate(_NAMES.split("\n")) for name in line.split()}


class _Numbers(NamedTuple):
    """The three numbers of a date in the order of the text, and whether the third may be a year of two digits."""

    first: int
    second: int
    third: int
    short: bool


class DateStyle(Struct, frozen=True):
    """How one file writes dates.

    order: of day, month and year. ambiguous: nothing proves it, and some text (`01/02/2026`) reads differently in
    another. evidence: a text that proves the order, or the hint; contrary: a text that proves another one.
    """

    order: Order = "MDY"
    ambiguous: bool = False
    evidence: str = ""
    contrary: str = ""

    def read(self, text: str) -> date:
        """The day. Raises ValueError: "not a date: 'x'", "month 13: '13/02/2026'", "day 30: '30.02.2026'"."""
        found = _found(text)
        if found is None:
            raise ValueError(f"not a date: {text[:_LONGEST]!r}")
        if isinstance(found, _Numbers):
            if self.order == "YMD" and not found.short:
                raise ValueError(f"not a date: {text[:_LONGEST]!r}")
            year, month, day = _ordered(*found, self.order)
        else:
            year, month, day = found
        return _day_of(year, month, day, text)

    def column(self, texts: pa.StringArray) -> pa.Date32Array | None:
        """The days of many texts without nulls.

        None where they are not all written alike, or one is no day: then they are to be read one by one.
        """
        numbers = numbers_of(texts)
        if numbers is None or (self.order == "YMD" and not numbers.short):
            return None
        return days_of(*_ordered(*numbers, self.order))


class _Proofs(NamedTuple):
    """What the texts of a file prove.

    times: how often each order is proved; first: the first text that proves it, in the order of the texts. open_text: one
    that reads differently in another order, plain_text: one that needs none; '' where there is none.
    """

    times: dict[Order, int]
    first: dict[Order, str]
    open_text: str = ""
    plain_text: str = ""


def decide(texts: Iterable[str], hint: str = "", default: Order = "MDY") -> DateStyle:
    """The style of a file from its date texts; blanks and texts that are no dates say nothing.

    texts: each as often as it is told, or a Counter of them. hint: what the file says (`!Option:MDY`): it holds unless
    texts prove another order and none proves the hint's. Without it the majority of the proofs decides, and the default
    where there is none.
    """
    told = texts if isinstance(texts, Counter) else Counter(iter(texts))
    times, first, open_text, plain_text = _proofs_of(told)
    hinted = next((order for order in _ORDERS if order == hint.strip().upper()), None)
    order = hinted or default
    if times[order] == 0 or (hinted is None and max(times.values()) > times[order]):
        order = max(times, key=times.__getitem__) if first else order
    if not first and not open_text and plain_text and not hinted:
        return DateStyle("YMD" if plain_text[:4].isdigit() else order, evidence=plain_text)
    evidence = first.get(order) or (hint if order == hinted else "")
    contrary = next((text for other, text in first.items() if other != order), "")
    return DateStyle(order, bool(open_text) and not evidence, evidence, contrary)


def _proofs_of(told: Counter[str]) -> _Proofs:
    texts, often = list(told), np.fromiter(told.values(), np.int64)
    plain_text = ""
    alike = numbers_of(texts) if len(texts) >= FEWEST_FOR_COLUMNS else None
    if alike:
        proving, is_open = _readings(*alike)
    else:
        found = [_found(text) for text in texts]
        plain_text = next((text for text, each in zip(texts, found, strict=True) if type(each) is tuple), "")
        places = [place for place, each in enumerate(found) if isinstance(each, _Numbers)]
        texts, often = [texts[place] for place in places], often[places]
        one, two, three, short = np.array([found[place] for place in places], np.int64).reshape(-1, 4).T
        proving, is_open = _readings(one, two, three, short > 0)
    begun = sorted((int(mask.argmax()), order) for order, mask in proving.items() if mask.any())
    return _Proofs(
        {order: int(often[mask].sum()) for order, mask in proving.items()},
        {order: texts[place] for place, order in begun},
        texts[np.flatnonzero(is_open)[-1]] if is_open.any() else "",
        plain_text,
    )


def _readings(one: Numbers, two: Numbers, three: Numbers, short: Mask | bool) -> tuple[dict[Order, Mask], Mask]:
    """Which dates can be read in one order alone, and which read differently in two.

    A short year in front counts only where nothing else fits: it is rare.
    """
    month_first = is_within(one, _MONTH) & is_within(two, _DAY)
    day_first = is_within(one, _DAY) & is_within(two, _MONTH)
    year_first = is_within(two, _MONTH) & is_within(three, _DAY) & short
    proving: dict[Order, Mask] = {
        "MDY": month_first & ~day_first,
        "DMY": day_first & ~month_first,
        "YMD": year_first & ~month_first & ~day_first,
    }
    return proving, month_first & day_first & (one != two)


def decide_as(order: str, texts: Callable[[], Iterable[str]]) -> DateStyle:
    """The style that the texts of a file prove; what they leave open is in this order, the person's own, if there is one."""
    style = decide(texts())
    return decide(texts(), order) if style.ambiguous and order else style


@lru_cache(maxsize=8_192)
def _found(text: str) -> tuple[int, int, int] | _Numbers | None:
    """Year, month and day where they need no order, else the three numbers; None for a text that is no date.

    No order is needed for a year of four digits in front, or a month by its name.
    """
    stripped = text.strip()
    if len(stripped) > _LONGEST:
        return None
    if match := _NUMERIC.fullmatch(stripped):
        one, two, three = match.groups()
        if len(one) == len("2026"):
            return (int(one), int(two), int(three)) if len(three) <= len("31") else None
        return _Numbers(int(one), int(two), int(three), len(three) < len("2026"))
    if match := _COMPACT.fullmatch(stripped):
        century, years, month, day = match.groups()
        if century in ("19", "20") and 1 <= int(month) <= _MONTH:
            return int(century + years), int(month), int(day)
        return _Numbers(int(century), int(years), int(month + day), short=False)
    return _named(stripped)


def _named(text: str) -> tuple[int, int, int] | None:
    if match := _NAMED.fullmatch(text):
        day, name, year = match.groups()
    elif match := _NAMED_FIRST.fullmatch(text):
        name, day, year = match.groups()
    else:
        return None
    month = _MONTHS.get(_folded(name))
    return None if month is None else (_full_year(int(year), len(year) < len("2026")), month, int(day))


def _ordered(one: Number, two: Number, three: Number, short: bool, order: Order) -> tuple[Number, Number, Number]:
    """Year, month and day of the three numbers of a text, or of many, in an order."""
    if order == "MDY":
        return _full_year(three, short), one, two
    if order == "DMY":
        return _full_year(three, short), two, one
    return _full_year(one, short=True), two, three


def _full_year(year: Number, short: bool) -> Number:
    return year + 1900 + 100 * (year < _PIVOT) if short else year


def _day_of(year: int, month: int, day: int, text: str) -> date:
    if not 1 <= month <= _MONTH:
        raise ValueError(f"month {month}: {text.strip()!r}")
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueError(f"{'day' if year else 'year'} {day if year else year}: {text.strip()!r}") from None
