"""What is news: laws of the arithmetic."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.marts.telling.judging import Point, judge, judge_period
from twinning_pipelines.marts.telling.told import Record, Streak

LAST = date(2026, 11, 26)


def points(*values: float, last: date = LAST, step: int = 1) -> list[Point]:
    n = len(values)
    return [
        Point(last - timedelta(days=(n - 1 - place) * step), Decimal(str(value))) for place, value in enumerate(values)
    ]


WAVE = [8_000 + 900 * (day % 5) for day in range(100)]


def test_a_flow_is_measured_against_the_same_weekday() -> None:
    judged = judge(points(*WAVE, 20_000), "flow", lows=True)
    stick = judged.yardstick
    assert stick is not None
    assert (stick.against, stick.n, stick.of, judged.why) == ("weekday", 12, 12, "change")
    same = sorted(each.value for each in points(*WAVE, 0)[:-1] if each.day.weekday() == 3)[-12:]
    assert min(same) <= stick.middle <= max(same)
    assert judged.record == Record("high", 100, whole=True)


def test_a_level_is_measured_against_the_last_28_days() -> None:
    judged = judge(points(*[50, 51, 52] * 20, 58), "level", lows=True)
    stick = judged.yardstick
    assert stick is not None
    assert (stick.against, stick.middle, stick.n, stick.of) == ("days", Decimal(51), 28, 28)
    assert judged.news > 3


def test_with_few_days_only_the_last_one_is_told_of() -> None:
    stick = judge(points(80, 81), "level", lows=True).yardstick
    assert stick is not None
    assert (stick.against, stick.middle, stick.n) == ("last", Decimal(80), 1)
    assert judge(points(80), "level", lows=True).yardstick is None
    old = [Point(LAST - timedelta(days=90), Decimal(80)), Point(LAST, Decimal(81))]
    assert judge(old, "level", lows=True).yardstick is None


def test_what_is_as_usual_is_no_news() -> None:
    judged = judge(points(*WAVE, 9_800), "flow", lows=True)
    assert judged.why == "usual"
    assert judged.news < 0.2


def test_something_rare_is_told_of_by_how_long_ago_the_last_was() -> None:
    rare = [Point(LAST - timedelta(days=30 * n), Decimal(5_000)) for n in range(6, 0, -1)]
    judged = judge([*rare, Point(LAST, Decimal(5_000))], "flow", lows=False)
    assert (judged.why, judged.gap, judged.yardstick) == ("event", 30, None)
    soon = judge([*rare, Point(LAST - timedelta(days=1), Decimal(1)), Point(LAST, Decimal(5_000))], "flow", lows=False)
    assert soon.gap == 1
    assert soon.news < judged.news


def test_days_in_a_row_are_a_streak() -> None:
    rows = [40 if n % 9 == 0 or n > 56 else 0 for n in range(60)]
    trained = [each for each in points(*rows) if each.value]
    assert judge(trained, "flow", lows=False).streak == Streak(None, 3)
    high = judge(points(*[52, 51, 50] * 20, 53, 53, 53, 53, 53, 53), "level", lows=True)
    assert high.streak == Streak("high", 6)


def test_a_stock_is_told_when_it_moves() -> None:
    assert judge(points(100, 100), "stock", lows=True).why == "usual"
    moved = judge(points(100, 130, 100, 135), "stock", lows=True)
    assert moved.why == "moved"
    assert moved.yardstick is not None
    assert moved.yardstick.middle == 100
    gone = judge([Point(LAST - timedelta(days=3), Decimal(1)), Point(LAST, Decimal(5))], "stock", lows=True)
    assert gone.yardstick is None


def test_a_period_is_measured_against_the_one_before() -> None:
    judged = judge_period(points(*[10, 12] * 5, 30, step=7), "flow", lows=True)
    assert judged.yardstick is not None
    assert (judged.yardstick.against, judged.yardstick.middle, judged.why) == ("before", Decimal(12), "change")
    assert judged.record == Record("high", 11, whole=True)
    assert judge_period(points(10), "flow", lows=True).yardstick is None


_values = st.lists(st.integers(0, 1000).map(float), min_size=1, max_size=120)


@given(_values, st.sampled_from(["flow", "level", "stock"]), st.booleans())
def test_a_record_is_one(values: list[float], measure: str, lows: bool) -> None:
    some = points(*values)
    judged = judge(some, measure, lows=lows)  # type: ignore[arg-type]
    if judged.record is not None:
        before = [each for each in some[:-1] if (LAST - each.day).days < judged.record.span]
        now = some[-1].value
        assert (
            all(each.value < now for each in before)
            if judged.record.side == "high"
            else all(each.value > now for each in before)
        )
        assert judged.record.side == "high" or lows or measure == "stock"


@given(_values, st.integers(2, 50), st.sampled_from(["flow", "level"]))
def test_news_does_not_depend_on_the_unit(values: list[float], scale: int, measure: str) -> None:
    plain = judge(points(*(value + 1 for value in values)), measure, lows=True)  # type: ignore[arg-type]
    scaled = judge(points(*((value + 1) * scale for value in values)), measure, lows=True)  # type: ignore[arg-type]
    assert (plain.why, plain.record, plain.streak, plain.gap) == (scaled.why, scaled.record, scaled.streak, scaled.gap)
    assert abs(plain.news - scaled.news) < 1e-6
