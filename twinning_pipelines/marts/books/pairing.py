"""Which two bookings of own accounts are one movement of money: pure arithmetic, whatever the order of the bookings.

A pair is certain where both legs have no other candidate, or where what they say singles it out. What remains open is
proposed, each leg at most once, the nearest first.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from twinning_pipelines.marts.books.dated_rates import DatedRates

# Of bookings of one amount, those nearest in time are compared.
_NEAREST = 30
_FX_NEAREST = 200

# How much speaks for a pair: the other account's number, its name where a file or a rule gives one, words, nothing;
# below that something speaks against it.
NUMBER, NAME, WORDS, NOTHING, AGAINST = 3, 2, 1, 0, -1
_SAID = {
    NUMBER: "one names the other's account number",
    NAME: "one is said to go to or come from the other account",
    WORDS: "it is called a transfer, or names the other account",
    NOTHING: "",
    AGAINST: "one names somebody else's account, or is said to be something else",
}
Strength = Callable[["Leg", "Leg"], int | None]


class Leg(Struct, frozen=True):
    """One booking that may be half of a transfer. key: what tells it apart, whoever counts."""

    id: int
    key: str
    day: date
    account_id: int
    amount: Decimal
    currency: str


class Pair(Struct, frozen=True):
    """Two bookings, money out and money in, and why they are taken for one movement."""

    out_id: int
    in_id: int
    state: Literal["proposed", "confirmed"]
    why: str


class _Candidate(Struct, frozen=True):
    out: Leg
    into: Leg
    strength: int
    # How far the amounts are apart as a share, where the currencies differ.
    deviation: Decimal | None = None

    @property
    def days(self) -> int:
        return abs((self.into.day - self.out.day).days)

    def order(self) -> tuple[int, int, Decimal, str, str]:
        return (-self.strength, self.days, self.deviation or Decimal(0), self.out.key, self.into.key)

    def why(self, also: str = "") -> str:
        if self.deviation is None:
            amounts = "same amount"
        else:
            amounts = (
                f"{self.out.currency} to {self.into.currency} within {self.deviation * 100:.1f} % of the day's rate"
            )
        apart = "same day" if not self.days else f"{self.days} day{'s' * (self.days > 1)} apart"
        return ", ".join(filter(None, (amounts, apart, _SAID[self.strength], also)))


def pair(
    legs: Sequence[Leg],
    rejected: Collection[tuple[int, int]],
    strength: Strength,
    rates: DatedRates,
    *,
    days: int = 4,
    tolerance: Decimal = Decimal("0.03"),
) -> list[Pair]:
    """Pairs legs, money out with money in, on different accounts and at most `days` apart.

    strength: what speaks for a pair of legs, None where they can't be one. rejected: pairs that the person has refused.
    tolerance: how far amounts of two currencies may be off the day's rate, as a share.
    """
    outs = sorted((leg for leg in legs if leg.amount < 0), key=lambda leg: (leg.day, leg.key))
    ins = sorted((leg for leg in legs if leg.amount > 0), key=lambda leg: (leg.day, leg.key))
    refused = set(rejected)
    candidates = []
    for out, into, deviation in (*_equal(outs, ins, days), *_exchanged(outs, ins, days, tolerance, rates)):
        if (out.id, into.id) not in refused and (found := strength(out, into)) is not None:
            candidates.append(_Candidate(out, into, found, deviation))
    certain, open_ones = _settled([each for each in candidates if each.deviation is None and each.strength >= NOTHING])
    taken = {leg for each in certain for leg in (each.out_id, each.in_id)}
    doubtful = [each for each in candidates if each.deviation is not None or each.strength == AGAINST]
    return certain + list(_proposed([*open_ones, *doubtful], taken))


def _near(ins: Sequence[Leg], ordinals: Sequence[int], day: date, days: int, most: int) -> Sequence[Leg]:
    middle = day.toordinal()
    place = bisect_left(ordinals, middle)
    first = max(bisect_left(ordinals, middle - days), place - most)
    last = min(bisect_right(ordinals, middle + days), place + most)
    return ins[first:last]


def _equal(outs: Sequence[Leg], ins: Sequence[Leg], days: int) -> Iterator[tuple[Leg, Leg, None]]:
    """Pairs of one amount in one currency."""
    by_amount: dict[tuple[str, Decimal], list[Leg]] = defaultdict(list)
    for leg in ins:
        by_amount[leg.currency, leg.amount].append(leg)
    ordinals = {key: [leg.day.toordinal() for leg in some] for key, some in by_amount.items()}
    for out in outs:
        key = (out.currency, -out.amount)
        if key in by_amount:
            for into in _near(by_amount[key], ordinals[key], out.day, days, _NEAREST):
                if into.account_id != out.account_id:
                    yield out, into, None


def _exchanged(
    outs: Sequence[Leg], ins: Sequence[Leg], days: int, tolerance: Decimal, rates: DatedRates
) -> Iterator[tuple[Leg, Leg, Decimal]]:
    """Pairs whose amounts are the same at the rate of the day on which the money left."""
    by_currency: dict[str, list[Leg]] = defaultdict(list)
    for leg in ins:
        by_currency[leg.currency].append(leg)
    ordinals = {currency: [leg.day.toordinal() for leg in some] for currency, some in by_currency.items()}
    known: dict[tuple[str, str, date], Decimal | None] = {}
    for out in outs:
        for currency, some in by_currency.items():
            if currency == out.currency:
                continue
            asked = (out.currency, currency, out.day)
            if asked not in known:
                known[asked] = rates.rate(*asked)
            rate = known[asked]
            if rate is None:
                continue
            expected = -out.amount * rate
            low, high = expected * (1 - tolerance), expected * (1 + tolerance)
            for into in _near(some, ordinals[currency], out.day, days, _FX_NEAREST):
                if low <= into.amount <= high and into.account_id != out.account_id:
                    yield out, into, abs(into.amount - expected) / expected


def _settled(candidates: Sequence[_Candidate]) -> tuple[list[Pair], list[_Candidate]]:
    """What is certain, the best told first; and what remains open."""
    certain: list[Pair] = []
    rest = list(candidates)
    for level in (NUMBER, NAME, WORDS, NOTHING):
        while True:
            strong = [each for each in rest if each.strength >= level]
            outs, ins = _counted(strong)
            single = [each for each in strong if outs[each.out.id] == ins[each.into.id] == 1]
            if not single:
                break
            certain += [Pair(each.out.id, each.into.id, "confirmed", each.why()) for each in single]
            rest = _without(rest, {leg for each in single for leg in (each.out.id, each.into.id)})
        twins = list(_twins([each for each in rest if each.strength >= level]))
        certain += twins
        rest = _without(rest, {leg for each in twins for leg in (each.out_id, each.in_id)})
    return certain, rest


def _counted(candidates: Sequence[_Candidate]) -> tuple[dict[int, int], dict[int, int]]:
    outs: dict[int, int] = defaultdict(int)
    ins: dict[int, int] = defaultdict(int)
    for each in candidates:
        outs[each.out.id] += 1
        ins[each.into.id] += 1
    return outs, ins


def _without(candidates: Sequence[_Candidate], taken: set[int]) -> list[_Candidate]:
    return [each for each in candidates if each.out.id not in taken and each.into.id not in taken]


def _twins(candidates: Sequence[_Candidate]) -> Iterator[Pair]:
    """As many equal bookings on one side as on the other, each side on one account and day: which is whose is all the same."""
    partners: dict[int, set[int]] = defaultdict(set)
    legs: dict[int, Leg] = {}
    found = {(each.out.id, each.into.id): each for each in candidates}
    for (out_id, in_id), each in found.items():
        partners[out_id].add(in_id)
        partners[in_id].add(out_id)
        legs[out_id], legs[in_id] = each.out, each.into
    seen: set[int] = set()
    for out_id in sorted({each.out.id for each in candidates}, key=lambda each: legs[each].key):
        if out_id in seen:
            continue
        ins = partners[out_id]
        outs = partners[min(ins)]
        seen |= outs
        alike = all(partners[each] == ins for each in outs) and all(partners[each] == outs for each in ins)
        if alike and len(outs) == len(ins) and _one_place(legs, outs) and _one_place(legs, ins):
            for out, into in zip(*(sorted(side, key=lambda each: legs[each].key) for side in (outs, ins)), strict=True):
                yield Pair(out, into, "confirmed", found[out, into].why("equal bookings on both sides"))


def _one_place(legs: dict[int, Leg], some: Collection[int]) -> bool:
    return len({(legs[each].account_id, legs[each].day) for each in some}) == 1


def _proposed(candidates: Sequence[_Candidate], taken: set[int]) -> Iterator[Pair]:
    used = set(taken)
    for each in sorted(candidates, key=_Candidate.order):
        if each.out.id not in used and each.into.id not in used:
            used |= {each.out.id, each.into.id}
            yield Pair(each.out.id, each.into.id, "proposed", each.why())
