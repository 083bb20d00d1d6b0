"""From the header of a bank's CSV to a mapping: proposed by the words that stand there, everything else left open."""

import re
from collections.abc import Mapping as Words
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from twinning_pipelines.formats.cells import currency_of
from twinning_pipelines.formats.delimited import header_lines, normalised
from twinning_pipelines.formats.text import without_accents
from twinning_pipelines.sources.finance.bank_csv import headings
from twinning_pipelines.sources.finance.bank_csv.mapping import (
    ACCOUNT,
    ACCOUNT_IF_ONE,
    AMOUNT,
    BALANCE,
    BOOKED,
    COLUMNS,
    CREDIT,
    DEBIT,
    MONEY,
    OPEN,
    PROPOSED,
    Mapping,
    Recognition,
)

_BRACKET = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]\s*$")
_CODE_BEHIND = re.compile(r"\s([A-Z]{3})$")
_CODE = re.compile(r"[A-Z]{3}")

# Signs that stand in headings and mean one currency; others are known to `currency_of`.
_IN_HEADINGS = {"円": "JPY", "zł": "PLN", "Kč": "CZK", "Ft": "HUF"}
_WANTED: tuple[tuple[str, Sequence[str]], ...] = (
    (BOOKED, headings.BOOKED), (AMOUNT, headings.AMOUNT), (DEBIT, headings.DEBIT), (CREDIT, headings.CREDIT),
    (ACCOUNT, headings.ACCOUNT), (ACCOUNT_IF_ONE, headings.ACCOUNT_IF_ONE), *headings.OTHERS.items(),
)  # fmt: skip


def proposal_of(text: str) -> Mapping | None:
    """The first line that can be the header of a list of bookings, read; None when there is none."""
    for _, cells in header_lines(text):
        columns = _columns(cells)
        if columns is not None:
            words = tuple(dict.fromkeys(columns.values()))
            return Mapping.model_validate(
                {
                    "name": PROPOSED,
                    "recognised_by": Recognition(header=words),
                    "columns": columns,
                    "sign": OPEN if AMOUNT in columns else COLUMNS,
                    "currency": _currency(columns) or OPEN,
                    "why": {field: f"the heading {heading!r}" for field, heading in columns.items()},
                }
            )
    return None


def is_central_european(proposal: Mapping) -> bool:
    """Are some of its headings words of a language that Windows-1252 can't write?"""
    return any(isinstance(place, str) and bare(place) in headings.CENTRAL for _, place in proposal.places())


def other_list(text: str) -> str:
    """What a table lists whose header says that it lists no bookings: holdings, trades, …; empty if nothing says so."""
    for _, cells in header_lines(text):
        found = {bare(cell) for cell in cells}
        kind = _kind(found)
        if kind and not (kind == "accounts" and found & set(headings.BOOKED)):
            return kind
    return ""


def _kind(found: AbstractSet[str]) -> str:
    return next((kind for kind, sets in headings.OTHER_LISTS if any(words <= found for words in sets)), "")


def bare(heading: str) -> str:
    """A heading as it is compared: without case and accents, without a bracket or a currency at its end."""
    text = heading.replace("\ufeff", "").strip().strip('"').lstrip("#")
    text = _BRACKET.sub("", text) or text
    return without_accents(normalised(_CODE_BEHIND.sub("", text)))


def _columns(cells: Sequence[str]) -> dict[str, str] | None:
    """Fields and their headings; None where day, money or words are missing, or something else than bookings is listed."""
    by_word: dict[str, list[str]] = {}
    for heading in cells:
        if word := bare(heading):
            by_word.setdefault(word, []).append(heading.replace("\ufeff", "").strip())
    if headings.NO_BOOKINGS & by_word.keys() or _kind(by_word.keys()) not in ("", "accounts"):
        return None
    columns: dict[str, str] = {}
    for field, words in _WANTED:
        taken = set(columns.values())
        free = (each for word in words for each in by_word.get(word, ()) if each not in taken)
        if (found := next(free, None)) is not None:
            columns[field] = found
    # Of one way to tell money only: two columns, one for each direction, else one.
    has_both = DEBIT in columns and CREDIT in columns
    if AMOUNT not in columns and CREDIT in columns and not has_both:
        # Its cells have to show a sign, like those of any single column.
        columns[AMOUNT] = columns[CREDIT]
    for field in (AMOUNT, "divisor") if has_both else (DEBIT, CREDIT):
        columns.pop(field, None)
    has_money = has_both or AMOUNT in columns
    says_something = {"payee", "memo", BALANCE, "reference", "category"} & columns.keys()
    return columns if BOOKED in columns and has_money and says_something else None


def _currency(columns: Words[str, str]) -> str:
    for name in MONEY:
        heading = columns.get(name, "")
        for found in (_BRACKET.search(heading), _CODE_BEHIND.search(heading)):
            if found and (code := _IN_HEADINGS.get(found[1].strip(), currency_of(found[1]))) and _CODE.fullmatch(code):
                return code
    return ""
