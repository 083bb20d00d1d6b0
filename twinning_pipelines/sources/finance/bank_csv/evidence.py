"""What a file itself decides of a mapping that leaves it open: number marks, date order, and which money came or went.

Nothing is guessed: each decision has its reason, the cell that proves it, and what no cell proves stays open.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

from msgspec import Struct, field

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats import dates
from twinning_pipelines.formats.dates import DateStyle
from twinning_pipelines.formats.numbers import NumberStyle
from twinning_pipelines.original import Original
from twinning_pipelines.sources.finance.bank_csv import headings, number_marks, signs
from twinning_pipelines.sources.finance.bank_csv.figures import bare_day, currency_in, is_currency
from twinning_pipelines.sources.finance.bank_csv.mapping import (
    ACCOUNT_IF_ONE,
    AMOUNT,
    BALANCE,
    BOOKED,
    COLUMNS,
    CREDIT,
    CURRENCY,
    DEBIT,
    DIRECTION,
    FEE,
    MEMO,
    MONEY,
    OPEN,
    ORDERS,
    PAYEE,
    PAYER,
    WORDS,
    Mapping,
    Name,
)
from twinning_pipelines.sources.finance.bank_csv.proposal import bare
from twinning_pipelines.sources.finance.bank_csv.signs import Decided
from twinning_pipelines.sources.finance.bank_csv.statement import Statement, iban_in

_FIGURES: tuple[Name, ...] = (AMOUNT, DEBIT, CREDIT, FEE, BALANCE, "original_amount")
_DAYS: tuple[Name, ...] = (BOOKED, "valued_on")
_CARD_WORDS: tuple[Name, ...] = (PAYEE, MEMO, "kind", "category")
_NAMED_DAY = re.compile(r"(?<!\d)(20\d\d)-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])(?!\d)")
# Orders to pay later stand in some exports.
_AHEAD = timedelta(days=31)
# No bank exports more at a time in days so short.
_STATEMENT = timedelta(days=800)
_EITHER: tuple[dates.Order, ...] = ("DMY", "MDY")
_MOST_WORDS = 40
_SHORT = re.compile(r"\d\d[-/.]\d\d[-/.]\d\d", re.ASCII)
_NUMERIC = re.compile(r"\d{1,4}[-/.' ]+\d{1,4}[-/.' ]+\d{2,4}(?!\d)")
# 1111/11/11 is no day, while 22.2.22 is one.
_MASKED_DAY = re.compile(r"(?=.*(?<!\d)(\d)\1\1\1(?!\d))\D*(?:\1\D*)+")


class Evidence(Struct):
    """The cells of a file that prove something; of equal ones the first. money: line, amount and balance of each row.

    of_a_card: by line what its words say of a card: `paid` or `bought`. accounts: what stands in the column that may name
    the account; '' where a row names none.
    """

    days: dict[str, None] = field(default_factory=dict)
    figures: dict[str, None] = field(default_factory=dict)
    amounts: dict[str, None] = field(default_factory=dict)
    debits: dict[str, None] = field(default_factory=dict)
    credits: dict[str, None] = field(default_factory=dict)
    money: list[tuple[int, str, str]] = field(default_factory=list)
    of_a_card: dict[int, str] = field(default_factory=dict)
    directions: dict[int, set[str]] = field(default_factory=dict)
    accounts: dict[str, None] = field(default_factory=dict)
    currencies: dict[str, None] = field(default_factory=dict)
    perhaps_currencies: dict[int, set[str]] = field(default_factory=dict)


class Settled(Struct, frozen=True):
    """A mapping with all that its file decides, and the styles in which its cells are read.

    debits_signed: have most debits a minus of their own? credits_signed: have most credits one, as a card's issuer sees them?
    account: of the whole file, where no column names one. doubt: what a person should look at, '' where all is proved.
    undecided: a figure that reads otherwise with the other decimal mark, where nothing decides which it is.
    """

    mapping: Mapping
    numbers: NumberStyle
    dates: DateStyle
    debits_signed: bool
    credits_signed: bool
    account: str
    doubt: str = ""
    undecided: str = ""

    @property
    def pattern(self) -> str:
        """The strptime pattern of its days; empty where an order is enough."""
        return self.mapping.dates if "%" in self.mapping.dates else ""


def evidence_of(statement: Statement) -> Evidence:
    """One walk over the file."""
    found = Evidence()
    found.directions = {place: set() for place in _direction_places(statement)}
    found.perhaps_currencies = {
        place: set() for place, each in enumerate(statement.headings) if bare(each) in headings.CURRENCY_OR_DAY
    }
    # Which columns go into which heap; a cell that is known already costs one look.
    heaps = [
        (place, heap)
        for fields, heap in (
            (_DAYS, found.days),
            (_FIGURES, found.figures),
            (MONEY, found.amounts),
            ((DEBIT,), found.debits),
            ((CREDIT,), found.credits),
            ((CURRENCY,), found.currencies),
        )
        for field in fields
        for place in statement.places.get(field, ())
    ]
    heaps += [(place, found.accounts) for place in statement.places.get(ACCOUNT_IF_ONE, ())]
    has_amount = AMOUNT in statement.places
    card_words = [field for field in _CARD_WORDS if field in statement.places]
    for entry in statement.entries():
        cells = entry.line.cells
        if entry.aside or entry.line.damage:
            continue
        count = len(cells)
        for place, heap in heaps:
            heap[cells[place] if place < count else ""] = None
        if has_amount:
            balance = statement.cell(cells, BALANCE)
            found.money.append((entry.line.at, statement.cell(cells, AMOUNT), balance))
            if said := headings.said_of_a_card([statement.cell(cells, field) for field in card_words]):
                found.of_a_card[entry.line.at] = said
        for place, words in found.directions.items():
            if len(words) < _MOST_WORDS:
                words.add(cells[place].casefold() if place < count else "")
        for place, codes in found.perhaps_currencies.items():
            if len(codes) < _MOST_WORDS:
                codes.add(cells[place] if place < count else "")
    for heap in (found.days, found.figures, found.amounts, found.debits, found.credits):
        heap.pop("", None)
    return found


def settled(statement: Statement, evidence: Evidence, clock: Clock, original: Original) -> Settled:
    """Everything that the file decides; what it leaves open stays `?`. Raises UnreadableFile for a masked file."""
    _refuse_masked(evidence)
    mapping = statement.mapping
    style, said = _number_style(statement, evidence)
    changes: dict[str, Any] = {"delimiter": statement.sheet.delimiter}
    why = dict(mapping.why)
    if said:
        changes["decimal"], why["decimal"] = style.decimal, said
    day_style, said = _date_style(mapping, evidence, clock, original)
    if said:
        changes["dates"], why["dates"] = day_style.order, said
    doubt = ""
    if mapping.sign in (OPEN, COLUMNS):
        sign = _sign(statement, evidence, style)
        changes["sign"], doubt = sign.rule, sign.doubt
        if sign.reason:
            why["sign"] = sign.reason
        if (place := sign.place) is not None:
            name = statement.headings[place] if mapping.has_header else place + 1
            changes["columns"] = {**mapping.columns, DIRECTION: (name,)}
            changes |= _direction_words(evidence.directions[place])
    if mapping.currency == OPEN and CURRENCY not in statement.places:
        if (place := _currency_place(statement, evidence)) is not None:
            heading = statement.headings[place]
            changes["columns"] = {**mapping.columns, **changes.get("columns", {}), CURRENCY: (heading,)}
        elif code := _currency_beside(evidence):
            changes["currency"], why["currency"] = code, f"{code} stands beside the amounts"
    changes["why"] = why
    return Settled(
        mapping.but(**changes), style, day_style, signs.mostly_minus(evidence.debits, style),
        signs.mostly_minus(evidence.credits, style), _account(statement, evidence), doubt,
        number_marks.either(evidence.figures) if style.ambiguous else "",
    )  # fmt: skip


def _refuse_masked(evidence: Evidence) -> None:
    digits = {match[1] if (match := _MASKED_DAY.fullmatch(cell)) else "" for cell in evidence.days}
    if len(digits) == 1 and "" not in digits:
        raise UnreadableFile(f"a table whose days are all made of the digit {digits.pop()}: masked, not of bookings")


def _number_style(statement: Statement, evidence: Evidence) -> tuple[NumberStyle, str]:
    mapping = statement.mapping
    if mapping.decimal != OPEN:
        return NumberStyle(mapping.decimal), ""
    codes = evidence.currencies.keys() - {""} if mapping.currency == OPEN else {mapping.currency}
    if not codes and (place := _currency_place(statement, evidence)) is not None:
        codes = evidence.perhaps_currencies[place]
    codes = codes or set(map(currency_in, evidence.amounts)) - {""}
    return number_marks.style_of(statement, evidence.figures, evidence.amounts, evidence.money, codes)


def _date_style(mapping: Mapping, evidence: Evidence, clock: Clock, original: Original) -> tuple[DateStyle, str]:
    said = next((order for order in ORDERS if order == mapping.dates), None)
    if said is not None:
        return DateStyle(said), ""
    days = [bare_day(cell) for cell in evidence.days]
    style, made = dates.decide(days), _made_on(original)
    if mapping.dates == OPEN and _begin_with_the_year(days, style, made):
        return DateStyle("YMD"), "in any other order they would lie years apart"
    if "%" in mapping.dates or not style.ambiguous:
        # A year in front or a month by its name needs no order.
        needs_order = _is_numeric(style.evidence) and not style.evidence[:4].isdigit()
        return style, f"{style.evidence!r} proves it" if needs_order else ""
    return _order_left_open(days, style, made, clock)


def _order_left_open(days: Sequence[str], style: DateStyle, made: date, clock: Clock) -> tuple[DateStyle, str]:
    """The order of days of which none proves it. made: when the file was."""
    if all("." in day for day in days if _is_numeric(day)):
        return DateStyle("DMY"), "dates with points have the day first"
    possible = [order for order in _EITHER if _lies_before(days, order, made)]
    if len(possible) == 1 and not any(
        _lies_before(days, order, made + _AHEAD) for order in _EITHER if order not in possible
    ):
        return DateStyle(possible[0]), f"in any other order days would lie behind {made}, when the file was made"
    if clock.date_order:
        return dates.decide(days, clock.date_order), "TWINNING_DATE_ORDER"
    return style, ""


def _begin_with_the_year(days: Sequence[str], style: DateStyle, made: date) -> bool:
    """26/01/31, 26/02/28: of the time before the file was made, while the 26th of some months of 2028 and 2031 is not."""
    numeric = [day for day in days if _SHORT.fullmatch(day)]
    if len(numeric) < len(days) or len(days) < 2 or style.order == "YMD":
        return False
    try:
        by_style, by_year = ([each.read(day) for day in days] for each in (style, DateStyle("YMD")))
    except ValueError:
        return False
    is_recent = made - _STATEMENT <= min(by_year) and max(by_year) <= made + _AHEAD
    return is_recent and max(by_style) - min(by_style) > _STATEMENT


def _is_numeric(day: str) -> bool:
    return _NUMERIC.match(day) is not None


def _made_on(original: Original) -> date:
    """The newest day in the file's name, else when the file was last changed."""
    named: list[date] = []
    for year, month, day in _NAMED_DAY.findall(original.name):
        with suppress(ValueError):
            named.append(date(int(year), int(month), int(day)))
    return max(named) if named else original.modified_at.date()


def _lies_before(days: Sequence[str], order: dates.Order, latest: date) -> bool:
    """Is no day behind it? Days that the order can't read say nothing."""
    style = DateStyle(order)
    for day in days:
        try:
            if style.read(day) > latest:
                return False
        except ValueError:
            continue
    return True


def _direction_places(statement: Statement) -> list[int]:
    if DIRECTION in statement.places:
        return [statement.places[DIRECTION][0]]
    return [place for place, heading in enumerate(statement.headings) if bare(heading) in headings.DIRECTION]


def _currency_place(statement: Statement, evidence: Evidence) -> int | None:
    """The column that no field has taken, and whose every cell is the code of a currency."""
    taken = {place for places in statement.places.values() for place in places}
    for place, codes in evidence.perhaps_currencies.items():
        if place not in taken and codes and all(map(is_currency, codes)):
            return place
    return None


def _currency_beside(evidence: Evidence) -> str:
    """The one currency that stands beside the amounts."""
    found = set(map(currency_in, evidence.amounts)) - {""}
    return found.pop() if len(found) == 1 else ""


def _tells_direction(words: set[str]) -> bool:
    return bool(words) and words <= headings.OUT | headings.IN


def _direction_words(found: set[str]) -> dict[str, object]:
    return {"out": tuple(sorted(found & headings.OUT)), "into": tuple(sorted(found & headings.IN))}


def _sign(statement: Statement, evidence: Evidence, style: NumberStyle) -> Decided:
    if DEBIT in statement.places:
        return Decided(COLUMNS, "one column for money that went, one for money that came")
    telling = [place for place in evidence.directions if _tells_direction(evidence.directions[place])]
    categories = [place for place in telling if bare(statement.headings[place]) == "category"]
    amounts = signs.amounts_of(evidence.money, style)
    has_minus = any(found.value < 0 for _, found, _ in amounts)
    # A refund among the expenses has a sign of its own.
    for place in [each for each in telling if each not in categories] or ([] if has_minus else categories):
        words = " or ".join(sorted(evidence.directions[place]))
        return Decided(WORDS, f"every row says {words} under {statement.headings[place]!r}", place=place)
    return signs.sign_of(amounts, evidence.of_a_card, style)


def _account(statement: Statement, evidence: Evidence) -> str:
    """The one account of the file, if it names one outside of a column of its own."""
    if statement.mapping.account != OPEN:
        return statement.mapping.account
    if above := iban_in(statement.sheet.preamble):
        return above
    if len(evidence.accounts) == 1 and not _is_of_the_other_side(statement):
        return next(iter(evidence.accounts))
    return ""


def _is_of_the_other_side(statement: Statement) -> bool:
    """Does the column that may name the account belong to the payee: behind his name, or in front of his bank?"""
    place = statement.places[ACCOUNT_IF_ONE][0]
    payees = (*statement.places.get(PAYEE, ()), *statement.places.get(PAYER, ()))
    behind = statement.headings[place + 1 : place + 2]
    return place - 1 in payees or any(bare(each) in headings.BANK_CODE for each in behind)
