"""Amounts and days as banks print them, beyond plain numbers and dates: `+ £1,100.00`, `12.50 CR`, `EUR 3`, `2019.04.19.`."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from twinning_pipelines.formats.cells import currency_of
from twinning_pipelines.formats.dates import DateStyle
from twinning_pipelines.formats.numbers import NumberStyle
from twinning_pipelines.sources.finance.bank_csv import headings

_SHOWN = 60
_WORDS = r"[^\W\d_]+(?:\.[^\W\d_]+)*\.?"
_LONGEST = 60
_FRONT = re.compile(rf"([+\-\u2212\u2013]?)\s*({_WORDS})\s*(?=[-+(\d.,$€£¥])")
_BACK = re.compile(rf"\s*({_WORDS})$")
# Marks that turn the direction of writing; they say nothing about the figure.
_UNSEEN = str.maketrans("", "", "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LONGEST_WORD = 6
_CODE = re.compile(r"(?<![^\W\d_])[A-Z]{3}(?![^\W\d_])")
_PLAIN_FRONTS, _PLAIN_SECONDS = frozenset("0123456789+-"), frozenset(("", *"0123456789.,"))
# Signs that no two currencies share.
_ONE_CURRENCY = "€£₹₪₺฿"
_ISO_4217 = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
    COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS
    INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU
    MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK
    SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF
    XPF YER ZAR ZMW
"""
_CURRENCIES = frozenset(_ISO_4217.split())
_COLONS = re.compile(r"(\d{4}):(\d{1,2}):(\d{1,2})")
_DAY_FIRST, _MONTH_FIRST = DateStyle("DMY"), DateStyle("MDY")


class Figure(NamedTuple):
    """A printed amount: the number with its sign, and the sign that it says aloud: `+`, `-` or none."""

    value: Decimal
    said: str


def bare_figure(cell: str) -> tuple[str, str]:
    """The number of a cell without currency words, and `+` or `-` where it is called credit or debit beside it."""
    if cell[-1:].isdigit() and (cell[0].isdigit() or cell[0] in "+-"):
        return cell, ""
    if len(cell) > _LONGEST:
        return cell, ""
    text = cell.translate(_UNSEEN).strip()
    said = ""
    if found := _BACK.search(text):
        said = _direction(found[1], headings.CREDITED_BEHIND, headings.DEBITED_BEHIND)
        if said or len(found[1]) <= _LONGEST_WORD:
            text = text[: found.start()]
    if found := _FRONT.match(text):
        said = said or _direction(found[2], headings.CREDITED, headings.DEBITED)
        text = found[1] + text[found.end() :]
    return text, said


def _direction(word: str, credited: frozenset[str], debited: frozenset[str]) -> str:
    folded = word.casefold()
    return "+" if folded in credited else "-" if folded in debited else ""


def currency_in(cell: str) -> str:
    """The currency that stands beside an amount, as an ISO 4217 code; empty for none, and for signs that several share."""
    if cell[-1:].isdigit() and cell[:1] in _PLAIN_FRONTS and cell[1:2] in _PLAIN_SECONDS:
        return ""
    found = {word for word in _CODE.findall(cell) if word in _CURRENCIES}
    found |= {currency_of(sign) for sign in _ONE_CURRENCY if sign in cell}
    return found.pop() if len(found) == 1 else ""


def is_currency(cell: str) -> bool:
    """Is it the code of a currency, and nothing else?"""
    return cell in _CURRENCIES


def figure(cell: str, style: NumberStyle) -> Figure:
    """The amount of a cell. Raises ValueError."""
    text, said = bare_figure(cell)
    try:
        value = style.read(text)
    except ValueError:
        raise ValueError(f"not a number: {cell[:_SHOWN]!r}") from None
    if said:
        return Figure(abs(value) if said == "+" else -abs(value), said)
    return Figure(value, "-" if value < 0 else "+" if text.lstrip().startswith("+") or text.endswith("+") else "")


def bare_day(cell: str) -> str:
    """A date without a point at its end, and with dashes for the colons of `2012:03:01`."""
    text = cell.rstrip(".")
    return _COLONS.sub(r"\1-\2-\3", text, count=1) if ":" in text else text


def day_reader(style: DateStyle, pattern: str) -> Callable[[str], date]:
    """How the days of a file are read, each text once. pattern: of strptime, where the mapping has one."""
    known: dict[str, date] = {}

    def read(cell: str) -> date:
        found = known.get(cell)
        if found is None:
            found = known[cell] = _by_pattern(cell, pattern) if pattern else _by_style(cell, style)
        return found

    return read


def _by_pattern(cell: str, pattern: str) -> date:
    try:
        return datetime.strptime(cell, pattern).date()  # noqa: DTZ007  (a bank's day has no zone)
    except ValueError:
        raise ValueError(f"not a date as {pattern}: {cell[:_SHOWN]!r}") from None


def _by_style(cell: str, style: DateStyle) -> date:
    text = bare_day(cell)
    if style.ambiguous:
        try:
            one, other = _DAY_FIRST.read(text), _MONTH_FIRST.read(text)
        except ValueError:
            return style.read(text)
        if one != other:
            raise ValueError(f"{cell[:_SHOWN]} may be day-first or month-first: set `dates` in a mapping to DMY or MDY")
    return style.read(text)
