"""From the header of a bank's CSV to what its columns mean: proposed by the words that stand there."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twinning_pipelines.formats.delimited import header_lines, normalised
from twinning_pipelines.sources.finance.bank_csv import headings

_BRACKET = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]\s*$")
_CODE_BEHIND = re.compile(r"\s([A-Z]{3})$")
_CODE = re.compile(r"[A-Z]{3}")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")

BOOKED, AMOUNT, DEBIT, CREDIT, DIRECTION, ACCOUNT, ACCOUNT_IF_ONE = (
    "booked_on", "amount", "debit", "credit", "direction", "account", "account if one",
)  # fmt: skip
_MONEY = (AMOUNT, DEBIT, CREDIT)
_WANTED: tuple[tuple[str, Sequence[str]], ...] = (
    (BOOKED, headings.BOOKED), (AMOUNT, headings.AMOUNT), (DEBIT, headings.DEBIT), (CREDIT, headings.CREDIT),
    (ACCOUNT, headings.ACCOUNT), (ACCOUNT_IF_ONE, headings.ACCOUNT_IF_ONE), *headings.OTHERS.items(),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Proposal:
    """Which heading of a file fills which field, as the file writes it.

    Fields are those of a transaction, and: debit and credit, direction (does money leave?), `account if one`.
    currency: what the headings say themselves, the EUR of `Amount (EUR)`. preamble: the text above the header.
    """

    columns: Mapping[str, str]
    currency: str
    preamble: str

    @property
    def marks(self) -> tuple[str, ...]:
        """The headings by which the header is found again."""
        return tuple(self.columns[name] for name in (BOOKED, *_MONEY) if name in self.columns)

    @property
    def iban(self) -> str:
        """The account that the lines above the header name; empty without one."""
        found = _IBAN.search(self.preamble)
        return found[0].replace(" ", "") if found else ""


def proposal_of(text: str) -> Proposal | None:
    """The first line that can be the header of a list of bookings, read; None when there is none."""
    for preamble, cells in header_lines(text):
        columns = _columns(cells)
        if columns is not None:
            return Proposal(columns, _currency(columns), preamble)
    return None


def bare(heading: str) -> str:
    """A heading as it is compared: without case and accents, without a bracket or a currency at its end."""
    text = heading.replace("\ufeff", "").strip().strip('"')
    text = _BRACKET.sub("", text) or text
    text = normalised(_CODE_BEHIND.sub("", text))
    return "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))


def _columns(cells: Sequence[str]) -> dict[str, str] | None:
    """Fields and their headings; None where day, money or words are missing, or something else than bookings is listed."""
    by_word: dict[str, list[str]] = {}
    for heading in cells:
        if word := bare(heading):
            by_word.setdefault(word, []).append(heading.strip())
    if headings.NO_BOOKINGS & by_word.keys():
        return None
    columns: dict[str, str] = {}
    for field, words in _WANTED:
        taken = set(columns.values())
        free = (each for word in words for each in by_word.get(word, ()) if each not in taken)
        if (found := next(free, None)) is not None:
            columns[field] = found
    # Of one way to tell money only: two columns, one for each direction, else one.
    has_both = DEBIT in columns and CREDIT in columns
    for field in (AMOUNT,) if has_both else (DEBIT, CREDIT):
        columns.pop(field, None)
    has_money = has_both or AMOUNT in columns
    says_something = {"payee", "memo", "balance", "reference"} & columns.keys()
    return columns if BOOKED in columns and has_money and says_something else None


def _currency(columns: Mapping[str, str]) -> str:
    for name in _MONEY:
        heading = columns.get(name, "")
        for found in (_BRACKET.search(heading), _CODE_BEHIND.search(heading)):
            if found and _CODE.fullmatch(found[1].strip().upper()):
                return found[1].strip().upper()
    return ""
