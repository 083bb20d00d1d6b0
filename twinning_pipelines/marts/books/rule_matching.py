"""Which rules fit which bookings, all bookings at once."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from twinning_pipelines.marts.books.phrases import Bools, Stopwatch, Texts, TooSlow, bare
from twinning_pipelines.marts.books.rulebook import Condition, Rule

Places = npt.NDArray[np.int64]
# What all regular expressions of a rulebook may take together, seconds; those that come later are left aside.
_PATIENCE = 10.0


class Told(Struct, frozen=True):
    """A booking as files tell it, with the name of its account."""

    booked_on: date
    account: str
    amount: Decimal
    currency: str
    payee: str
    memo: str
    category: str


class Decided(Struct, frozen=True):
    """Which rule decides what, for each booking: places in the rulebook, -1 for none.

    what: category or transfer_to; tags: every rule that adds tags, with the bookings that it fits; slow: rules that were
    left aside because their regular expressions took too long.
    """

    what: Places
    payee: Places
    tags: list[tuple[int, Bools]]
    slow: tuple[int, ...]


def decide(rules: Sequence[Rule], bookings: Sequence[Told], patience: float = _PATIENCE) -> Decided:
    """Lets the first rule that fits say what a booking is; tags of all that fit add up."""
    what, payee = (np.full(len(bookings), -1, np.int64) for _ in range(2))
    tags: list[tuple[int, Bools]] = []
    slow: list[int] = []
    fit = _Fit(bookings, patience)
    for place, rule in enumerate(rules):
        try:
            fits = fit.rule(rule)
        except TooSlow:
            slow.append(place)
            continue
        if rule.category or rule.transfer_to:
            what[fits & (what < 0)] = place
        if rule.payee:
            payee[fits & (payee < 0)] = place
        if rule.tags:
            tags.append((place, fits))
    return Decided(what, payee, tags, tuple(slow))


class _Fit:
    """The columns of bookings, each made once when a condition first asks for it."""

    def __init__(self, bookings: Sequence[Told], patience: float) -> None:
        self._bookings = bookings
        self._stopwatch = Stopwatch(patience)
        self._texts: dict[str, Texts] = {}

    def rule(self, rule: Rule) -> Bools:
        """Which bookings a rule fits. Raises TooSlow."""
        fits = self._condition(rule.when)
        return fits & ~self._condition(rule.unless) if rule.unless is not None else fits

    def _condition(self, condition: Condition) -> Bools:
        fits = np.ones(len(self._bookings), np.bool_)
        for holds in self._figures(condition):
            fits &= np.fromiter(map(holds, self._bookings), np.bool_, len(self._bookings))
        for name in ("text", "payee", "memo", "category"):
            phrases = getattr(condition, name)
            if phrases is not None:
                fits &= self._text(name).hold(phrases)
        return fits

    def _figures(self, condition: Condition) -> list[Callable[[Told], bool]]:
        found: list[Callable[[Told], bool]] = []
        if condition.account is not None:
            names = set(map(bare, condition.account))
            known = {each: bare(each) in names for each in {booking.account for booking in self._bookings}}
            found.append(lambda each: known[each.account])
        if (amount := condition.amount) is not None:
            found.append(lambda each: amount.holds(each.amount))
        if (currency := condition.currency) is not None:
            found.append(lambda each: each.currency in currency)
        if (days := condition.day) is not None:
            found.append(lambda each: each.booked_on.day in days)
        if (since := condition.since) is not None:
            found.append(lambda each: each.booked_on >= since)
        if (until := condition.until) is not None:
            found.append(lambda each: each.booked_on <= until)
        return found

    def _text(self, name: str) -> Texts:
        if name not in self._texts:
            if name == "text":
                # A line break is no letter: words of the payee never run into those of the memo.
                texts = [f"{each.payee}\n{each.memo}" for each in self._bookings]
            else:
                texts = [getattr(each, name) for each in self._bookings]
            self._texts[name] = Texts(texts, self._stopwatch)
        return self._texts[name]
