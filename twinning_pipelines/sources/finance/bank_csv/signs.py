"""Which amounts of a bank's CSV came and which went, where one column tells both: by signs, balances, and words of cards."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from twinning_pipelines.formats.numbers import NumberStyle
from twinning_pipelines.sources.finance.bank_csv import headings
from twinning_pipelines.sources.finance.bank_csv.figures import Figure, figure
from twinning_pipelines.sources.finance.bank_csv.mapping import MONEY_IN, MONEY_OUT, OPEN, SIGNED

# Line, amount, and the cell of the balance.
Amount: TypeAlias = tuple[int, Figure, str]


class Decided(NamedTuple):
    """The rule by which a file's amounts came or went, and its reason; `?` where nothing decides.

    doubt: what a person should look at, '' where all is proved. place: the column of the words, if it is a rule of words.
    """

    rule: str
    reason: str = ""
    doubt: str = ""
    place: int | None = None


def amounts_of(money: Iterable[tuple[int, str, str]], style: NumberStyle) -> list[Amount]:
    """Line, amount and the cell of the balance of each row whose amount can be read."""
    return [(at, found, balance) for at, cell, balance in money if (found := _figure(cell, style))]


def sign_of(amounts: Sequence[Amount], of_a_card: Mapping[int, str], style: NumberStyle) -> Decided:
    """What the amounts of one column decide. of_a_card: what lines say of a card."""
    proved = _proved_by_balances([(found.value, _figure(balance, style)) for _, found, balance in amounts])
    minus = next((at for at, found, _ in amounts if found.value < 0), None)
    if minus is not None:
        if proved:
            return Decided(SIGNED if proved == MONEY_IN else MONEY_OUT, "the balances prove it")
        return _sign_by_minus(minus, amounts, of_a_card)
    return _sign_without_minus(amounts, proved)


def _sign_by_minus(minus: int, amounts: Sequence[Amount], of_a_card: Mapping[int, str]) -> Decided:
    """A card's issuer may print a minus before payments; then most amounts have none. minus: the first line with one."""
    came = sum(found.value > 0 for _, found, _ in amounts)
    reason = _minus_is_of_payments(amounts, of_a_card)
    if reason and came * 2 >= len(amounts):
        return Decided(MONEY_OUT, reason)
    is_open_to_doubt = reason or came * 2 > len(amounts)
    return Decided(SIGNED, f"line {minus} has a minus", _doubt(came, len(amounts)) if is_open_to_doubt else "")


def _doubt(came: int, count: int) -> str:
    return (
        f"{came} of {count} amounts have no minus and are read as money that came; if they are what a card bought, "
        "set `sign` to `money out` in a mapping"
    )


def _sign_without_minus(amounts: Sequence[Amount], proved: str) -> Decided:
    plus = next((at for at, found, _ in amounts if found.said == "+"), None)
    if plus is not None and all(found.said == "+" for _, found, _ in amounts):
        return Decided(SIGNED, "every amount has a plus")
    if plus is not None:
        return Decided(MONEY_OUT, f"line {plus} says that money came; the amounts that say nothing went")
    if proved:
        return Decided(proved, "the balances prove it")
    return Decided(OPEN if any(found.value for _, found, _ in amounts) else SIGNED)


def _minus_is_of_payments(amounts: Sequence[Amount], of_a_card: Mapping[int, str]) -> str:
    """The line that shows that a card's issuer prints a minus before what came to it; empty where none does, or one denies it."""
    reason = ""
    for at, found, _ in amounts:
        said = of_a_card.get(at)
        if said and found.value:
            if (found.value < 0) != (said == headings.PAID):
                return ""
            reason = (
                reason or f"line {at}: a card was {said}, and the amount has {'a' if found.value < 0 else 'no'} minus"
            )
    return reason


def _figure(cell: str, style: NumberStyle) -> Figure | None:
    try:
        return figure(cell, style) if cell else None
    except ValueError:
        return None


def balances_follow(money: Iterable[tuple[int, str, str]], style: NumberStyle) -> bool:
    """Does each balance follow from the one before, with numbers read so?"""
    return bool(
        _proved_by_balances([(found.value, _figure(rest, style)) for _, found, rest in amounts_of(money, style)])
    )


def _proved_by_balances(rows: Sequence[tuple[Decimal, Figure | None]]) -> str:
    known = [(amount, balance.value) for amount, balance in rows if balance]
    if len(known) < 2 or len(known) < len(rows) or not any(amount for amount, _ in known):
        return ""
    found: set[str] = set()
    for ordered in (known, known[::-1]):
        steps = [(later[0], later[1] - earlier[1]) for earlier, later in pairwise(ordered)]
        if all(amount == step for amount, step in steps):
            found.add(MONEY_IN)
        if all(amount == -step for amount, step in steps):
            found.add(MONEY_OUT)
    # Equal amounts read upwards are what their opposites are downwards.
    return found.pop() if len(found) == 1 else ""


def mostly_minus(cells: Iterable[str], style: NumberStyle) -> bool:
    """Have the figures a minus of their own? One without it among them is taken back, as is one with it among others."""
    found = [each.value for cell in cells if (each := _figure(cell, style)) and each.value]
    return sum(value < 0 for value in found) * 2 > len(found)
