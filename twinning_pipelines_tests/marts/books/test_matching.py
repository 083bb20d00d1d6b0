"""What is one booking and what is two: each rule by itself, and laws for anything at all."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from twinning_pipelines.marts.books.matching import Matched, match
from twinning_pipelines.marts.books.tellings import Span, Telling

OFX, CAMT, CSV, QIF, SIMPLEFIN = "finance.ofx", "finance.camt", "finance.bank_csv", "finance.qif", "finance.simplefin"
FIRST = date(2026, 3, 1)
_NUMBERS = count(1)


def told(
    source: str, day: int, amount: str, words: str = "corner cafe", *, files: Sequence[int] = (1,), **more: object
) -> Telling:
    return Telling(
        id=next(_NUMBERS),
        source=source,
        day=FIRST + timedelta(days=day),
        amount=Decimal(amount),
        words=frozenset(words.split()),
        files=tuple(files),
        **more,  # type: ignore[arg-type]
    )


def matched(*tellings: Telling, **spans: tuple[int, int]) -> Matched:
    """spans: the days that a file tells beside those of the tellings, as `f3=(0, 31)`."""
    known: dict[int, Span] = {}
    for each in tellings:
        for rank in each.files:
            first, last = known.get(rank, (each.day, each.day))
            known[rank] = (min(first, each.day), max(last, each.day))
    for name, (begin, end) in spans.items():
        known[int(name[1:])] = (FIRST + timedelta(days=begin), FIRST + timedelta(days=end))
    return match(tellings, known)


def shapes(result: Matched) -> list[list[str]]:
    """Each booking by the sources that tell it."""
    return sorted([each.source for each in one.tellings] for one in result.bookings)


def test_twins_of_one_source_stay_two() -> None:
    assert len(matched(told(QIF, 3, "-3.50"), told(QIF, 3, "-3.50")).bookings) == 2


def test_two_formats_tell_each_twin_once() -> None:
    result = matched(
        *(told(OFX, 3, "-3.50", bank_id=f"N{n}") for n in range(2)),
        *(told(CSV, 3, "-3.50", files=[2]) for _ in range(3)),
    )
    assert shapes(result) == [[CSV], [OFX, CSV], [OFX, CSV]]


def test_words_decide_which_of_two_is_meant() -> None:
    cafe, tram = told(OFX, 3, "-4.20", "corner cafe"), told(OFX, 3, "-4.20", "tram ticket")
    line = told(CSV, 3, "-4.20", "tram ticket zone", files=[2])
    result = matched(cafe, tram, line)
    assert [[each.id for each in one.tellings] for one in result.bookings] == [[cafe.id], [tram.id, line.id]]


def test_exports_cut_on_one_day_with_nothing_in_common_stay_two_and_are_a_doubt() -> None:
    result = matched(told(OFX, 3, "-4.20", "corner cafe"), told(CSV, 3, "-4.20", "tram ticket", files=[2]))
    assert shapes(result) == [[CSV], [OFX]]
    assert len(result.doubts) == 1
    whole = matched(told(OFX, 3, "-4.20", "corner cafe"), told(CSV, 3, "-4.20", "tram ticket", files=[2]), f1=(0, 9))
    assert shapes(whole) == [[OFX, CSV]]


def test_a_day_of_value_is_the_booking_two_days_before_where_both_tell_of_both_days() -> None:
    rows = [told(OFX, day, "-9.90", "streaming") for day in (3, 10)]
    lines = [told(CSV, day, "-9.90", "video club", files=[2]) for day in (5, 12)]
    assert shapes(matched(*rows, *lines, f1=(0, 20), f2=(0, 20))) == [[OFX, CSV], [OFX, CSV]]
    # Where the OFX ends before the second line nothing says that it is the first row.
    apart = matched(rows[0], lines[1], f1=(0, 4), f2=(11, 20))
    assert shapes(apart) == [[CSV], [OFX]]


def test_one_of_two_that_are_as_near_is_a_doubt() -> None:
    result = matched(
        *(told(OFX, day, "-9.90") for day in (3, 5)), told(CSV, 4, "-9.90", files=[2]), f1=(0, 9), f2=(0, 9)
    )
    assert len(result.bookings) == 3
    assert result.doubts


def test_a_bank_that_changes_its_ids_tells_nothing_new() -> None:
    old = [told(OFX, 3, "-3.50", bank_id=f"A{n}", files=[1]) for n in range(2)]
    new = [told(OFX, 3, "-3.50", bank_id=f"B{n}", files=[2]) for n in range(2)]
    result = matched(*old, *new, f1=(0, 9), f2=(0, 9))
    assert len(result.bookings) == 2
    assert all(one.shown in new for one in result.bookings)
    # At the edge of the newer file too, for the older one tells all that there was on that day.
    assert len(matched(*old, *new, f1=(0, 9), f2=(3, 9)).bookings) == 2
    # At the edge of both the old ones may simply lie before the cut.
    assert len(matched(*old, *new, f1=(0, 3), f2=(3, 9)).bookings) == 4


def test_twins_in_other_words_are_told_once_and_those_most_alike_go_together() -> None:
    old = [told(CSV, 3, "-3.50", words, files=[1]) for words in ("corner cafe", "tram ticket")]
    new = [told(CSV, 3, "-3.50", words, files=[2]) for words in ("purchase tram ticket", "purchase corner cafe")]
    result = matched(*old, *new, f1=(0, 9), f2=(0, 20))
    assert sorted([each.id for each in one.tellings] for one in result.bookings) == [
        [new[0].id, old[1].id], [new[1].id, old[0].id],
    ]  # fmt: skip


def test_a_bank_that_changes_its_words_with_each_file_tells_nothing_new() -> None:
    rows = [told(CSV, 3, "-3.50", f"cafe {rank} {n}", files=[rank]) for rank in (1, 2, 3) for n in range(2)]
    assert len(matched(*rows, f1=(0, 9), f2=(0, 12), f3=(3, 20)).bookings) == 2


def test_of_more_rows_in_other_words_the_rest_is_new_and_of_fewer_none() -> None:
    two, three = ([told(CSV, 3, "-3.50", f"{name} {n}", files=[rank]) for n in range(count)]
                  for name, count, rank in (("cafe", 2, 1), ("shop", 3, 2)))  # fmt: skip
    assert len(matched(*two, *three, f1=(0, 9), f2=(0, 20)).bookings) == 3
    # Of the three that the older file tells the newer one, which begins on their day, tells two.
    three, two = ([told(CSV, 3, "-3.50", f"{name} {n}", files=[rank]) for n in range(count)]
                  for name, count, rank in (("shop", 3, 1), ("cafe", 2, 2)))  # fmt: skip
    assert len(matched(*three, *two, f1=(0, 9), f2=(3, 20)).bookings) == 3
    # Nothing is known of a day that neither tells as a whole, nor of more than the older one tells.
    assert len(matched(*three, *two, f1=(0, 3), f2=(3, 20)).bookings) == 5


def test_what_two_kinds_of_export_tell_of_the_day_on_which_both_end_is_named_a_doubt() -> None:
    old, new = ([told(CSV, 9, "-3.50", f"{kind} {n}", files=[rank]) for n in range(2)]
                for kind, rank in (("cafe", 1), ("purchase", 2)))  # fmt: skip
    result = matched(*old, *new, f1=(0, 9), f2=(4, 9))
    assert len(result.bookings) == 4
    assert result.doubts == list(zip(old, new, strict=True))
    # Numbers of the bank's own say that they are two; so does a file that tells both.
    numbered = [told(CSV, 9, "-3.50", kind, files=[rank], bank_id=kind) for rank, kind in ((1, "cafe"), (2, "tram"))]
    assert not matched(*numbered, f1=(0, 9), f2=(4, 9)).doubts
    assert not matched(told(CSV, 9, "-3.50", "cafe"), told(CSV, 9, "-3.50", "tram"), f1=(0, 9)).doubts


def test_one_file_that_tells_both_means_two() -> None:
    rows = [told(OFX, 3, "-3.50", bank_id="A", files=[1, 2]), told(OFX, 3, "-3.50", bank_id="B", files=[2])]
    assert len(matched(*rows, f1=(0, 9), f2=(0, 9)).bookings) == 2


def test_a_bank_that_rewrites_its_words_or_the_day_of_an_id() -> None:
    reworded = matched(told(QIF, 3, "-3.50", "cafe"), told(QIF, 3, "-3.50", "corner cafe berlin", files=[2]), f2=(0, 9))
    assert shapes(reworded) == [[QIF, QIF]]
    moved = matched(told(OFX, 3, "-3.50", bank_id="A"), told(OFX, 4, "-3.70", bank_id="A", files=[2]), f2=(0, 9))
    assert [one.shown.amount for one in moved.bookings] == [Decimal("-3.70")]
    # An id that a bank gives out again far away from the first is another booking.
    again = matched(told(OFX, 3, "-3.50", bank_id="A"), told(OFX, 40, "-8.00", bank_id="A", files=[2]), f2=(30, 60))
    assert len(again.bookings) == 2


def test_corrections_replace_and_revoke() -> None:
    wrong, right = told(OFX, 3, "-35.00", bank_id="A"), told(OFX, 4, "-3.50", bank_id="B", corrects="A", files=[2])
    assert [one.shown for one in matched(wrong, right).bookings] == [right]
    assert matched(wrong, told(OFX, 4, "-35.00", bank_id="C", corrects="A", revokes=True, files=[2])).bookings == []


def test_ids_that_are_numbers_of_rows_move_and_bookings_stay() -> None:
    first = [told(OFX, 4, "-10", "coffee", bank_id="1"), told(OFX, 8, "-900", "rent", bank_id="2")]
    second = [
        told(OFX, day, amount, words, bank_id=number, files=[2])
        for day, amount, words, number in ((1, "-7", "bread", "1"), (4, "-10", "coffee", "2"), (8, "-900", "rent", "3"))
    ]
    result = matched(*first, *second, f2=(0, 20))
    assert sorted(sorted(each.words for each in one.tellings) for one in result.bookings) == sorted(
        [[frozenset({"bread"})], [frozenset({"coffee"})] * 2, [frozenset({"rent"})] * 2]
    )


def test_a_booking_that_is_corrected_twice_is_not_lost() -> None:
    rows = [
        told(OFX, 3, "-35.00", bank_id="X"),
        *(told(OFX, 3, "-3.50", bank_id="X", corrects="X", files=[n]) for n in (2, 3)),
    ]
    assert len(matched(*rows).bookings) == 1


def test_a_batch_told_as_a_whole_and_in_parts_is_its_parts() -> None:
    whole = told(CAMT, 3, "-30.00", "sepa batch", bank_id="B1")
    parts = [
        told(CAMT, 3, amount, name, bank_id="B1", batch="B1", files=[2])
        for amount, name in (("-10.00", "ada"), ("-20.00", "ben"))
    ]
    line = told(CSV, 3, "-30.00", "sammler", files=[3])
    result = matched(whole, *parts, line)
    assert sorted(one.shown.amount for one in result.bookings) == [Decimal("-20.00"), Decimal("-10.00")]
    assert sum(len(one.tellings) for one in result.bookings) == 4


def test_what_was_announced_becomes_what_was_booked() -> None:
    announced = told(SIMPLEFIN, 3, "-12.00", "shell 0815", bank_id="P1", pending=True, files=[1])
    booked = told(SIMPLEFIN, 6, "-12.00", "shell station", bank_id="T9", files=[2])
    result = matched(announced, booked)
    assert [(one.shown, one.pending) for one in result.bookings] == [(booked, False)]
    tip = matched(announced, told(SIMPLEFIN, 6, "-14.00", "shell", bank_id="P1", files=[2]))
    assert [one.shown.amount for one in tip.bookings] == [Decimal("-14.00")]
    both = matched(announced, told(SIMPLEFIN, 3, "-12.00", "shell", bank_id="T9", files=[1]))
    assert len(both.bookings) == 2


def test_what_is_announced_waits_eight_days_and_expires() -> None:
    announced = told(SIMPLEFIN, 3, "-12.00", bank_id="P1", pending=True, files=[1])
    later = told(SIMPLEFIN, 9, "-1.00", bank_id="T1", files=[2])
    (waiting,) = (one for one in matched(announced, later).bookings if one.pending)
    assert not waiting.expired
    (gone,) = (one for one in matched(announced, later, f2=(0, 20)).bookings if one.pending)
    assert gone.expired


@st.composite
def _households(draw: st.DrawFn) -> list[Telling]:
    """Rows of three sources that tell of the same few days and amounts, so that nearly everything meets."""
    tellings = []
    for source, ranks in ((OFX, (1, 2, 3)), (CSV, (4, 5)), (QIF, (6,))):
        for _ in range(draw(st.integers(0, 6))):
            files = draw(st.lists(st.sampled_from(ranks), min_size=1, unique=True))
            bank_id = draw(st.sampled_from(("", "A", "B", "C"))) if source == OFX else ""
            tellings.append(
                told(
                    source, draw(st.integers(0, 8)), draw(st.sampled_from(("-3.50", "-9.00", "5.00"))),
                    draw(st.sampled_from(("cafe", "tram ticket", "cafe tram"))), files=sorted(files), bank_id=bank_id,
                    pending=source == OFX and draw(st.integers(0, 5)) == 0,
                )
            )  # fmt: skip
    return tellings


@settings(max_examples=300, deadline=None)
@given(_households(), st.randoms(use_true_random=False))
def test_every_telling_is_told_once_and_order_does_not_matter(tellings: list[Telling], chance: object) -> None:
    result = matched(*tellings)
    ids = [each.id for one in result.bookings for each in one.tellings]
    assert sorted(ids) == sorted(each.id for each in tellings)
    turned = list(tellings)
    chance.shuffle(turned)  # type: ignore[attr-defined]
    again = matched(*turned)
    assert {frozenset(each.id for each in one.tellings) for one in again.bookings} == {
        frozenset(each.id for each in one.tellings) for one in result.bookings
    }


@settings(max_examples=200, deadline=None)
@given(_households())
def test_one_booking_never_takes_two_rows_that_one_file_tells(tellings: list[Telling]) -> None:
    for one in matched(*tellings).bookings:
        booked = [each for each in one.tellings if not each.pending]
        ranks = [rank for each in booked for rank in each.files]
        assert len(ranks) == len(set(ranks))
