"""Which tellings are one booking: of one account, in one currency, whatever files and formats tell of it.

The answer follows from what is told, never from the order in which it arrived:

1. Within one source a row that newer files leave out, and another that takes its place, are one: banks change their ids
   and their words. A day counts only where one of the two files covers the days to both sides of it, for exports are cut
   in mid-day.
   A list that a person keeps by hand leaves out what was taken out or corrected.
2. A batch that one file tells as a whole and another in parts is its parts.
3. Two sources that tell the same amount on the same day tell one booking, twin by twin; then, where both cover both
   days, within five days. What may be one booking or two stays two, and is named a doubt.
4. What is pending becomes the booking that follows within eight days, or expires.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct, field

from twinning_pipelines.marts.books.hand_kept import superseded
from twinning_pipelines.marts.books.successors import successors_of
from twinning_pipelines.marts.books.tellings import Coverage, Span, Telling, likeness

# Of several tellings of a booking the first is shown: formats that say more go first.
SOURCES = ("finance.camt", "finance.ofx", "finance.mt940", "finance.ibkr_flex", "finance.simplefin")
_SHIFT = timedelta(days=5)
_PENDING = timedelta(days=8)
_ALIKE = 0.5


class Booking(Struct):
    """The tellings of one booking, the one to show first. expired: it was announced and never booked."""

    tellings: list[Telling]
    expired: bool = False

    @property
    def shown(self) -> Telling:
        """The telling whose words count."""
        return self.tellings[0]

    @property
    def pending(self) -> bool:
        """Has nobody booked it yet?"""
        return all(each.pending for each in self.tellings)

    def is_told_by(self, source: str) -> bool:
        """Does a row of that source tell it?"""
        return any(each.source == source for each in self.tellings)


class Matched(Struct, frozen=True):
    """What the tellings of one account in one currency come to. doubts: pairs of tellings that may be one booking."""

    bookings: list[Booking]
    doubts: list[tuple[Telling, Telling]]


def match(tellings: Sequence[Telling], spans: Mapping[int, Span]) -> Matched:
    """Puts together what is one booking. spans: the first and last day that each file tells of this account, by rank."""
    by_source: dict[str, list[Telling]] = defaultdict(list)
    for telling in sorted(tellings, key=_order):
        by_source[telling.source].append(telling)
    matched = _Matching({source: Coverage(rows, spans) for source, rows in by_source.items()})
    announced: list[Booking] = []
    for source in sorted(by_source, key=_preference):
        own = _within_source(by_source[source], matched.coverage[source])
        booked = [each for each in own if not each.pending]
        matched.doubts += _doubts_within(booked, matched.coverage[source])
        matched.add(source, booked)
        announced += [each for each in own if each.pending]
    matched.settle_pending(announced)
    return Matched(matched.bookings, matched.doubts)


def _order(telling: Telling) -> tuple[object, ...]:
    return telling.day, telling.amount, telling.bank_id, sorted(telling.words), telling.files, telling.id


def _preference(source: str) -> tuple[int, str]:
    return (SOURCES.index(source) if source in SOURCES else len(SOURCES), source)


def _within_source(rows: Sequence[Telling], coverage: Coverage) -> list[Booking]:
    """The bookings that one source tells: rows that took each other's place are one, a whole batch goes with its parts."""
    successors = successors_of(rows, coverage)
    gone = superseded(rows, coverage, successors)
    bookings: dict[int, Booking] = {}
    for row in rows:
        if row.id not in successors and row.id not in gone and not row.revokes:
            bookings[row.id] = Booking([row])
    by_id = {row.id: row for row in rows}
    for row in rows:
        last, seen = row.id, {row.id}
        while last in successors and successors[last] not in seen:
            last = successors[last]
            seen.add(last)
        if last != row.id and last in bookings:
            bookings[last].tellings.append(by_id[row.id])
    found = list(bookings.values())
    for each in found:
        each.tellings[1:] = sorted(each.tellings[1:], key=lambda old: (old.pending, [-rank for rank in old.files]))
    return _without_whole_batches(found)


def _doubts_within(bookings: Iterable[Booking], coverage: Coverage) -> Iterator[tuple[Telling, Telling]]:
    """What files that were cut on one day tell of it with the same amount: one booking in other words, or two."""
    alike: dict[tuple[date, Decimal], list[Booking]] = defaultdict(list)
    for each in bookings:
        if not any(map(coverage.is_of_a_whole_day, each.tellings)):
            alike[each.shown.day, each.shown.amount].append(each)
    for some in alike.values():
        alone: list[Booking] = []
        for fresh in sorted(some, key=lambda each: each.shown.files[0]):
            old = next((each for each in alone if _may_be_same(each, fresh)), None)
            if old is None:
                alone.append(fresh)
            else:
                alone.remove(old)
                yield old.shown, fresh.shown


def _may_be_same(old: Booking, fresh: Booking) -> bool:
    """No file tells both, and the bank has not numbered them as two."""
    in_old, in_fresh = ({rank for row in each.tellings for rank in row.files} for each in (old, fresh))
    return in_old.isdisjoint(in_fresh) and not (old.shown.bank_id and fresh.shown.bank_id)


def _without_whole_batches(bookings: list[Booking]) -> list[Booking]:
    """A whole batch becomes one more telling of the first of its parts."""
    batches = _batches(bookings)
    kept: list[Booking] = []
    for each in bookings:
        row = each.shown
        parts = [] if row.batch else [batches.get((row.day, name), []) for name in (row.bank_id, row.reference) if name]
        whole_of = next(
            (some for some in parts if sum(part.shown.amount for part in some) == row.amount and some), None
        )
        if whole_of is None:
            kept.append(each)
        else:
            whole_of[0].tellings += each.tellings
    return kept


def _batches(bookings: Iterable[Booking]) -> dict[tuple[date, str], list[Booking]]:
    batches: dict[tuple[date, str], list[Booking]] = defaultdict(list)
    for each in bookings:
        if each.shown.batch:
            batches[each.shown.day, each.shown.batch].append(each)
    return batches


class _Matching(Struct):
    """Bookings so far, as source after source is added."""

    coverage: Mapping[str, Coverage]
    bookings: list[Booking] = field(default_factory=list)
    doubts: list[tuple[Telling, Telling]] = field(default_factory=list)

    def add(self, source: str, told: list[Booking]) -> None:
        """Joins what a source tells to the bookings that others tell, and takes the rest as new."""
        rest = told
        if self.bookings:
            rest = self._join_same_day(source, rest)
            rest = self._join_batches(source, rest)
            rest = self._join_shifted(source, rest)
        self.bookings += rest

    def _join_same_day(self, source: str, told: list[Booking]) -> list[Booking]:
        open_ones: dict[tuple[date, Decimal], list[Booking]] = defaultdict(list)
        for known in self.bookings:
            for day in {each.day for each in known.tellings}:
                open_ones[day, known.shown.amount].append(known)
        new: dict[tuple[date, Decimal], list[Booking]] = defaultdict(list)
        for each in told:
            new[each.shown.day, each.shown.amount].append(each)
        rest: list[Booking] = []
        for key, some in new.items():
            free = [known for known in open_ones.get(key, []) if not known.is_told_by(source)]
            rest += self._pair(source, free, some)
        return rest

    def _pair(self, source: str, known: list[Booking], told: list[Booking]) -> list[Booking]:
        """Pairs bookings of one day and amount, those with the most alike words first; answers those left over."""
        pairs = sorted(
            (-likeness(k.shown.words, t.shown.words), i, j) for i, k in enumerate(known) for j, t in enumerate(told)
        )
        used_known: set[int] = set()
        used_told: set[int] = set()
        for unlike, i, j in pairs:
            if i in used_known or j in used_told:
                continue
            if unlike == 0 and self._is_cut(source, known[i], told[j]):
                self.doubts.append((known[i].shown, told[j].shown))
                continue
            used_known.add(i)
            used_told.add(j)
            known[i].tellings += told[j].tellings
        return [each for j, each in enumerate(told) if j not in used_told]

    def _is_cut(self, source: str, known: Booking, told: Booking) -> bool:
        """Two exports cut in mid-day may each hold another booking of the day: words that share nothing say so."""
        if not (known.shown.words and told.shown.words):
            return False
        day = told.shown.day
        return not self.coverage[source].holds_whole(day) and not self.coverage[known.shown.source].holds_whole(day)

    def _join_batches(self, source: str, told: list[Booking]) -> list[Booking]:
        """A row that is the sum of a batch which another source tells in parts goes with the parts."""
        sums: dict[tuple[date, Decimal], list[Booking]] = {}
        for (day, _), parts in _batches(self.bookings).items():
            if not any(part.is_told_by(source) for part in parts):
                sums[day, sum((part.shown.amount for part in parts), Decimal(0))] = parts
        rest: list[Booking] = []
        for each in told:
            found = sums.pop((each.shown.day, each.shown.amount), None)
            if found:
                found[0].tellings += each.tellings
            else:
                rest.append(each)
        return rest

    def _join_shifted(self, source: str, told: list[Booking]) -> list[Booking]:
        """The same amount some days apart, where both sources tell of both days, or the words are alike."""
        known: dict[Decimal, list[Booking]] = defaultdict(list)
        wanted = {each.shown.amount for each in told}
        for each in self.bookings:
            if each.shown.amount in wanted and not each.is_told_by(source):
                known[each.shown.amount].append(each)
        new: dict[Decimal, list[Booking]] = defaultdict(list)
        for each in told:
            new[each.shown.amount].append(each)
        rest: list[Booking] = []
        for amount, some in new.items():
            for there, here in self._clusters(source, known.get(amount, []), some):
                if len(there) == len(here):
                    for old, fresh in zip(there, here, strict=True):
                        old.tellings += fresh.tellings
                    continue
                rest += here
                self.doubts += [(old.shown, fresh.shown) for old, fresh in zip(there, here, strict=False)]
        return rest

    def _clusters(
        self, source: str, known: list[Booking], told: list[Booking]
    ) -> list[tuple[list[Booking], list[Booking]]]:
        """Bookings that may be each other, in order of day: groups which nothing links with the rest."""
        known, told = (sorted(some, key=lambda each: each.shown.day) for some in (known, told))
        links = {
            j: [i for i, old in enumerate(known) if self._may_be(source, old, fresh)] for j, fresh in enumerate(told)
        }
        clusters: list[tuple[set[int], list[int]]] = []
        for j, reachable in links.items():
            near, here = set(reachable), [j]
            for linked in [each for each in clusters if each[0] & near]:
                clusters.remove(linked)
                near, here = linked[0] | near, [*linked[1], *here]
            clusters.append((near, sorted(here)))
        return [([known[i] for i in sorted(there)], [told[j] for j in here]) for there, here in clusters]

    def _may_be(self, source: str, known: Booking, told: Booking) -> bool:
        old, fresh = known.shown, told.shown
        if old.day == fresh.day or abs(old.day - fresh.day) > _SHIFT:
            return False
        both = self.coverage[source].holds(old.day) and self.coverage[old.source].holds(fresh.day)
        return both or likeness(old.words, fresh.words) >= _ALIKE

    def settle_pending(self, announced: list[Booking]) -> None:
        """Each announced one becomes a telling of what was booked for it, waits, or has expired."""
        booked: dict[Decimal, list[Booking]] = defaultdict(list)
        for each in self.bookings:
            booked[each.shown.amount].append(each)
        claimed: set[int] = set()
        for each in sorted(announced, key=lambda some: _order(some.shown)):
            heirs = [
                one for one in booked[each.shown.amount] if one.shown.id not in claimed and _may_follow(one, each.shown)
            ]
            if heirs:
                heir = min(heirs, key=lambda one: (one.shown.day, -likeness(one.shown.words, each.shown.words)))
                claimed.add(heir.shown.id)
                heir.tellings += each.tellings
            else:
                each.expired = self._has_expired(each.shown)
                self.bookings.append(each)

    def _has_expired(self, telling: Telling) -> bool:
        coverage = self.coverage[telling.source]
        return coverage.newest not in telling.files and coverage.last > telling.day + _PENDING


def _may_follow(booked: Booking, announced: Telling) -> bool:
    """Was it booked within eight days after it was announced, and does no file tell of both?"""
    in_time = announced.day <= booked.shown.day <= announced.day + _PENDING
    own = (each for each in booked.tellings if each.source == announced.source)
    return in_time and all(not each.pending and set(each.files).isdisjoint(announced.files) for each in own)
