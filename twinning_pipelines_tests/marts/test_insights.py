"""Insights: the arithmetic against what is known of it, silence in noise, and true links that are found."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinning_pipelines.marts.insights import (
    FEWEST_DAYS,
    LEAST_EFFECTIVE,
    Series,
    clean,
    correlations,
    false_shares,
    find,
    incomplete_beta,
    intervals,
    p_values,
)
from twinning_pipelines_tests.bench.insights import NOISES, found_in, found_links, remembering

SEEDS = range(100, 110)


def _t_tail(t: float, df: float) -> float:
    """Two-sided tail of Student's t by plain integration of its density."""
    points = np.linspace(0, t, 200_001)
    scale = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi)
    density = scale * (1 + points**2 / df) ** (-(df + 1) / 2)
    return 1 - 2 * float(np.trapezoid(density, points))


@given(st.floats(0.01, 0.95), st.floats(5, 400))
@settings(max_examples=60, deadline=None)
def test_p_is_the_tail_of_t(r: float, n: float) -> None:
    t = r * math.sqrt((n - 2) / (1 - r * r))
    (p,) = p_values(np.array([r]), np.array([n]))
    assert p == pytest.approx(_t_tail(t, n - 2), abs=1e-7)
    (mirrored,) = p_values(np.array([-r]), np.array([n]))
    assert mirrored == p


def test_p_at_its_ends() -> None:
    p = p_values(np.array([0.0, 1.0, -1.0]), np.array([30.0, 30.0, 4.0]))
    assert p[0] == pytest.approx(1)
    assert p[1] == 0
    assert p[2] == 0


# Of such x what is left to one is exact.
@given(st.floats(0.5, 200), st.integers(0, 2**20).map(lambda part: part / 2**20))
@settings(max_examples=60)
def test_the_beta_function_of_one_and_its_law(a: float, x: float) -> None:
    (direct,) = incomplete_beta(np.array([a]), 1.0, np.array([x]))
    assert direct == pytest.approx(x**a, abs=1e-10)
    (other,) = incomplete_beta(np.array([1.0]), a, np.array([1 - x]))
    assert direct + other == pytest.approx(1, abs=1e-10)


def test_fisher_s_interval() -> None:
    low, high = intervals(np.array([0.5, -0.5, 1.0]), np.array([28.0, 28.0, 3.0]))
    assert (low[0], high[0]) == (pytest.approx(0.156, abs=1e-3), pytest.approx(0.736, abs=1e-3))
    assert (low[1], high[1]) == (-high[0], -low[0])
    assert (low[2], high[2]) == (-1, 1)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_benjamini_and_hochberg_s_procedure(values: list[float]) -> None:
    p = np.array(values)
    q = false_shares(p)
    # The step-up procedure itself: the largest k with p(k) <= k/m * alpha, and all below.
    for alpha in (0.01, 0.05, 0.5):
        ordered = np.sort(p)
        passing = [k for k in range(1, len(p) + 1) if ordered[k - 1] <= k / len(p) * alpha]
        limit = ordered[passing[-1] - 1] if passing else -1
        near = np.abs(q - alpha) < 1e-9
        assert np.array_equal((q <= alpha) | near, (p <= limit) | near)
    assert (q >= p - 1e-12).all()


@given(st.integers(60, 400), st.integers(0, 6), st.lists(st.floats(-50, 50), min_size=7, max_size=7), st.floats(-3, 3))
@settings(max_examples=30, deadline=None)
def test_weekdays_and_a_trend_leave_nothing_behind(days: int, weekday: int, means: list[float], slope: float) -> None:
    rng = np.random.default_rng(days)
    noise = rng.standard_normal(days)
    day = np.arange(days)
    dressed = noise + np.array(means)[(day + weekday) % 7] + slope * day
    assert clean(dressed, weekday) == pytest.approx(clean(noise, weekday), abs=0.6)
    quiet = clean(dressed - noise, weekday)
    assert np.isnan(quiet).all() or np.abs(quiet).max() < 1e-3


def test_what_can_not_be_cleaned_is_unknown() -> None:
    for values in (np.full(90, 5.0), np.full(90, np.nan), np.r_[np.arange(FEWEST_DAYS - 1.0), np.full(60, np.nan)]):
        assert np.isnan(clean(values, 0)).all()


def test_one_freak_day_makes_no_link() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.standard_normal((2, 120))
    first[60] = second[60] = 500.0
    findings = find([Series("a", "x", first), Series("b", "y", second)], 0, (0,))
    assert abs(findings.tested[0].r) < 0.3
    assert not findings.holding


def test_correlations_are_numpy_s_own_on_common_days() -> None:
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((4, 100))
    rows[rng.random(rows.shape) < 0.3] = np.nan
    tests = correlations(rows, ["a", "b", "c", "a"], (0, 2))
    assert len(tests.r) == (6 - 1) + (12 - 2)
    for place in range(len(tests.r)):
        lag = int(tests.lag[place])
        x, y = rows[tests.first[place], : 100 - lag], rows[tests.second[place], lag:]
        both = ~np.isnan(x) & ~np.isnan(y)
        assert tests.n[place] == both.sum()
        assert tests.r[place] == pytest.approx(np.corrcoef(x[both], y[both])[0, 1], abs=1e-9)


def test_days_that_resemble_each_other_are_worth_fewer() -> None:
    worth = []
    for share in (0.0, 0.5, 0.8):
        rows = remembering(share)(np.random.default_rng(5), 12, 400)
        tests = correlations(np.stack([clean(row, 0) for row in rows]), [str(n) for n in range(12)], (0,))
        assert (tests.n_effective <= tests.n).all()
        assert (tests.n_effective >= LEAST_EFFECTIVE).all()
        worth.append(float(np.median(tests.n_effective)))
        # The formula for a day that remembers the day before.
        assert worth[-1] == pytest.approx(400 * (1 - share**2) / (1 + share**2), rel=0.25)
    assert worth[0] > worth[1] > worth[2]


@pytest.mark.parametrize("days", [90, 180])
@pytest.mark.parametrize("name", NOISES)
def test_nothing_holds_in_noise(name: str, days: int) -> None:
    told = found_in(NOISES[name], days, SEEDS)
    assert told.plain >= 15
    assert told.effective < 0.07 * 435
    assert told.both <= 0.3
    assert told.with_lags <= 0.4
    assert told.wrong_runs <= 0.2


def test_plain_p_values_would_tell_a_third_of_smooth_noise() -> None:
    told = found_in(NOISES["AR 0.8"], 90, SEEDS)
    assert told.plain > 80
    assert told.ranked > 10
    assert told.both == 0


@pytest.mark.parametrize("lag", [0, 1, 3])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_true_link_of_half_a_year_is_found(share: float, lag: int) -> None:
    assert found_links(0.6, share, 180, lag, SEEDS) >= 0.9


def test_facts_of_one_domain_are_not_compared_and_the_order_of_days_is_told() -> None:
    rng = np.random.default_rng(8)
    spend = rng.standard_normal(200)
    sleep = np.r_[0.0, -spend[:-1]] + 0.3 * rng.standard_normal(200)
    findings = find(
        [Series("sleep", "health", sleep), Series("spend", "finance", spend), Series("deep", "health", sleep)], 2
    )
    assert {(each.first, each.second) for each in findings.tested} == {
        *(("sleep", "spend"), ("spend", "sleep"), ("spend", "deep"), ("deep", "spend")),
    }
    assert len(findings.tested) + findings.too_short == 2 * 7
    best = findings.holding[0]
    assert ({best.first, *{"spend"}}, best.lag_days, best.r < -0.8) == ({"spend"}, 1, True)
    assert best.low < best.r < best.high
    assert best.q >= best.p


def test_too_few_days_tell_nothing() -> None:
    rng = np.random.default_rng(8)
    short = np.full(200, np.nan)
    short[:40] = rng.standard_normal(40)
    late = np.full(200, np.nan)
    late[20:] = rng.standard_normal(180)
    findings = find([Series("a", "x", short), Series("b", "y", late)], 0)
    assert (findings.tested, findings.too_short) == ((), 7)
    assert find([], 0).tested == ()
