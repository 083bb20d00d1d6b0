"""What goes together with what in a person's own days, told only where it would be hard to have by chance.

Series of days are cleaned of weekday means, a slow trend and freak days. Each pair of different domains is correlated on
the days that both know, the same day and up to three days apart. Neighbouring days resemble each other, so n days are not
n observations: the effective number is smaller, and the t test and the interval use it. Of all tests together the
Benjamini-Hochberg procedure keeps those whose share of false ones is below 5 %.
"""

from collections.abc import Sequence
from math import lgamma

import numpy as np
import numpy.typing as npt
from msgspec import Struct

Numbers = npt.NDArray[np.float64]

LAGS = (0, 1, 2, 3)
FEWEST_DAYS, FEWEST_EFFECTIVE, LEAST_EFFECTIVE = 28, 15.0, 4.0
FALSE_SHARE = 0.05
# A slow trend: a line, and a wave for every so many days.
_DAYS_PER_WAVE = 60
_MOST_ECHOES = 90
# Days further out than so many robust deviations are drawn in.
_FREAK = 4.0
_NORMAL_97_5 = 1.959963984540054


class Series(Struct, frozen=True):
    """One fact, a value for each day of a stretch; NaN where nothing is known. Facts of one domain are not compared."""

    name: str
    domain: str
    values: Numbers


class Insight(Struct, frozen=True):
    """How one fact goes together with another that comes `lag_days` later.

    n: days that both know. low, high: the 95 % interval of r. q: the share of false ones at which it would still hold.
    """

    first: str
    second: str
    lag_days: int
    n: int
    n_effective: float
    r: float
    low: float
    high: float
    p: float
    q: float

    @property
    def holds(self) -> bool:
        """Would it be hard to have by chance, among all that was tested?"""
        return self.q < FALSE_SHARE


class Findings(Struct, frozen=True):
    """All that was tested, the surest first. too_short: pairs and lags of which too few days tell anything."""

    tested: tuple[Insight, ...]
    too_short: int

    @property
    def holding(self) -> tuple[Insight, ...]:
        """Those that hold."""
        return tuple(each for each in self.tested if each.holds)


class Tests(Struct, frozen=True):
    """Correlations as columns, one place for each pair and lag: indices of the two series, and what was counted."""

    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    lag: npt.NDArray[np.int64]
    n: npt.NDArray[np.int64]
    n_effective: Numbers
    r: Numbers

    def where(self, mask: npt.NDArray[np.bool_]) -> "Tests":
        """Some of them."""
        return Tests(*(getattr(self, name)[mask] for name in ("first", "second", "lag", "n", "n_effective", "r")))


def find(series: Sequence[Series], first_weekday: int, lags: Sequence[int] = LAGS) -> Findings:
    """Tests every pair of different domains at every lag. first_weekday: that of the first day, Monday is 0."""
    if len(series) < 2:
        return Findings((), 0)
    cleaned = np.stack([clean(each.values, first_weekday) for each in series])
    every = correlations(cleaned, [each.domain for each in series], lags)
    # Both depend on how long and how smooth the series are, not on how they go together: nothing is picked.
    tests = every.where((every.n >= FEWEST_DAYS) & (every.n_effective >= FEWEST_EFFECTIVE))
    p = p_values(tests.r, tests.n_effective)
    q = false_shares(p)
    low, high = intervals(tests.r, tests.n_effective)
    found = [
        Insight(
            series[tests.first[place]].name,
            series[tests.second[place]].name,
            int(tests.lag[place]),
            int(tests.n[place]),
            float(tests.n_effective[place]),
            float(tests.r[place]),
            float(low[place]),
            float(high[place]),
            float(p[place]),
            float(q[place]),
        )
        for place in np.argsort(p, kind="stable")
    ]
    return Findings(tuple(found), len(every.r) - len(found))


def clean(values: Numbers, first_weekday: int) -> Numbers:
    """A series without its weekday means, its slow trend and its freak days; all NaN where it is too short or constant."""
    known = np.flatnonzero(~np.isnan(values))
    nothing = np.full(len(values), np.nan)
    if len(known) < FEWEST_DAYS:
        return nothing
    first, last = known[0], known[-1]
    span = known - first
    length = last - first + 1
    design = np.concatenate([_weekdays(known + first_weekday), _trend(span, length)], axis=1)
    if len(known) <= 2 * design.shape[1]:
        return nothing
    # A freak day would bend the means of its weekday: the wildest are drawn in before, and all of them after.
    rest = _without(_drawn_in(_without_medians(values[known], design[:, :7]), 2 * _FREAK), design)
    rest = _without(_drawn_in(rest, _FREAK), design)
    if rest.std() <= 1e-9 * max(1.0, np.abs(values[known]).max()):
        return nothing
    nothing[known] = rest
    return nothing


def _weekdays(days: npt.NDArray[np.int64]) -> Numbers:
    told: Numbers = (days[:, None] % 7 == np.arange(7)).astype(float)
    return told


def _trend(days: npt.NDArray[np.int64], length: int) -> Numbers:
    where = (days + 0.5) / length
    waves = np.arange(1, length // _DAYS_PER_WAVE + 1)
    return np.concatenate([where[:, None], np.cos(np.pi * where[:, None] * waves)], axis=1)


def _without_medians(values: Numbers, weekdays: Numbers) -> Numbers:
    rest = values.copy()
    for day in weekdays.T > 0:
        if day.any():
            rest[day] -= np.median(values[day])
    return rest


def _without(values: Numbers, design: Numbers) -> Numbers:
    fitted, *_ = np.linalg.lstsq(design, values, rcond=None)
    rest: Numbers = values - design @ fitted
    return rest


def _drawn_in(values: Numbers, times: float) -> Numbers:
    """Values no further from their middle than so many robust deviations."""
    middle = np.median(values)
    deviation = 1.4826 * np.median(np.abs(values - middle))
    if deviation <= 0:
        return values
    drawn: Numbers = np.clip(values, middle - times * deviation, middle + times * deviation)
    return drawn


def correlations(cleaned: Numbers, domains: Sequence[str], lags: Sequence[int] = LAGS) -> Tests:
    """Correlates the rows of `cleaned` (series x days): each pair of different domains, and both orders where there is a lag."""
    known = ~np.isnan(cleaned)
    filled = np.where(known, cleaned, 0.0)
    echoes = _echoes(filled, known)
    place_of = {domain: place for place, domain in enumerate(dict.fromkeys(domains))}
    kinds = np.array([place_of[domain] for domain in domains])
    differ = kinds[:, None] != kinds[None, :]
    each = _spent(known)
    # A pair pays for the one whose cleaning took more.
    spent = np.maximum(each[:, None], each[None, :])
    parts = []
    for lag in lags:
        wanted = np.triu(differ) if lag == 0 else differ
        first, second = np.nonzero(wanted)
        n, r = _at_lag(filled, known, lag)
        n_lag, r_lag = n[first, second], r[first, second]
        n_effective = _effective(n_lag, spent[first, second], echoes[first], echoes[second])
        parts.append((first, second, np.full(len(first), lag), n_lag, n_effective, r_lag))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Tests(*columns)


def _spent(known: npt.NDArray[np.bool_]) -> Numbers:
    """How many days' worth of freedom the weekday means and the trend took of each row."""
    days = known.shape[1]
    first, last = known.argmax(axis=1), days - 1 - known[:, ::-1].argmax(axis=1)
    waves = (last - first + 1) // _DAYS_PER_WAVE
    spent: Numbers = (7 + waves).astype(float)
    return spent


def _at_lag(filled: Numbers, known: npt.NDArray[np.bool_], lag: int) -> tuple[npt.NDArray[np.int64], Numbers]:
    """Common days and correlation of every row with every row that comes `lag` days later."""
    days = filled.shape[1] - lag
    x, y = filled[:, :days], filled[:, lag:]
    in_x, in_y = known[:, :days].astype(float), known[:, lag:].astype(float)
    n = in_x @ in_y.T
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_x, mean_y = (x @ in_y.T) / n, (in_x @ y.T) / n
        spread_x = (x**2 @ in_y.T) / n - mean_x**2
        spread_y = (in_x @ (y**2).T) / n - mean_y**2
        r = ((x @ y.T) / n - mean_x * mean_y) / np.sqrt(spread_x * spread_y)
    return n.astype(np.int64), np.clip(np.nan_to_num(r), -1.0, 1.0)


def _echoes(filled: Numbers, known: npt.NDArray[np.bool_]) -> Numbers:
    """How each row resembles itself 1, 2, … days later, up to a quarter of all days: series x lags."""
    days = filled.shape[1]
    most = max(min(_MOST_ECHOES, days // 4), 1)
    count = np.maximum(known.sum(axis=1), 1)
    spread = np.maximum((filled**2).sum(axis=1) / count, 1e-300)
    echoes = np.zeros((len(filled), most))
    for lag in range(1, most + 1):
        both = (known[:, lag:] & known[:, : days - lag]).sum(axis=1)
        products = (filled[:, lag:] * filled[:, : days - lag]).sum(axis=1)
        # Few pairs of days say little: divided by no less than a fifth of the days, what they say tends to nothing.
        echoes[:, lag - 1] = products / np.maximum(both, 0.2 * count) / spread
    return np.clip(echoes, -1.0, 1.0)


def _effective(n: npt.NDArray[np.int64], spent: Numbers, first: Numbers, second: Numbers) -> Numbers:
    """How many independent days so many days are worth; never more than there are. spent: what cleaning took of them.

    The smallest of three: as if a day remembered the day before alone, n (1 - r1 r2) / (1 + r1 r2); with the echoes of
    more days for as long as they go the same way; and with all echoes, which sees cycles of weeks.
    """
    product = first * second
    days = np.maximum(n - spent, 1.0)
    at_one = product[:, 0]
    lags = np.arange(1, product.shape[1] + 1)
    weighed = product * np.maximum(1 - lags[None, :] / np.maximum(n[:, None], 1), 0.0)
    same_way = np.logical_and.accumulate(product > 0, axis=1)
    inflations = (
        (1 + at_one) / (1 - at_one + 1e-12),
        1 + 2 * (weighed * same_way).sum(axis=1),
        1 + 2 * weighed.sum(axis=1),
    )
    worst = np.maximum.reduce([*inflations, np.ones_like(days)])
    effective: Numbers = np.maximum(days / worst, LEAST_EFFECTIVE)
    return effective


def p_values(r: Numbers, n: Numbers) -> Numbers:
    """Two-sided p of correlations of n independent days, by Student's t with n - 2 degrees of freedom."""
    # With t² = r² df / (1 - r²) the tail of t is the incomplete beta function at df / (df + t²) = 1 - r².
    return incomplete_beta((n - 2) / 2, 0.5, 1 - r**2)


def intervals(r: Numbers, n: Numbers) -> tuple[Numbers, Numbers]:
    """Fisher's 95 % interval of correlations of n independent days; the whole range for three or fewer."""
    centre = np.arctanh(np.clip(r, -1 + 1e-15, 1 - 1e-15))
    half = np.where(n > 3, _NORMAL_97_5 / np.sqrt(np.maximum(n - 3, 1e-9)), np.inf)
    return np.tanh(centre - half), np.tanh(centre + half)


def false_shares(p: Numbers) -> Numbers:
    """Benjamini and Hochberg's q of each p among all."""
    m = len(p)
    if m == 0:
        return p
    order = np.argsort(p)
    raised = p[order] * m / np.arange(1, m + 1)
    lowest = np.minimum.accumulate(raised[::-1])[::-1]
    q = np.empty(m)
    q[order] = np.minimum(lowest, 1.0)
    return q


def incomplete_beta(a: Numbers, b: float, x: Numbers) -> Numbers:
    """The regularised incomplete beta function I_x(a, b), by its continued fraction."""
    x = np.clip(x, 0.0, 1.0)
    a_all, b_all = np.broadcast_arrays(a, x)[0].astype(float), np.full(len(x), b)
    # The fraction converges fast below the mean of the distribution; beyond, the other tail is taken.
    swapped = x > (a_all + 1) / (a_all + b_all + 2)
    p, q = np.where(swapped, b_all, a_all), np.where(swapped, a_all, b_all)
    z = np.where(swapped, 1 - x, x)
    logs = np.array([lgamma(s + t) - lgamma(s) - lgamma(t) for s, t in zip(p, q, strict=True)])
    with np.errstate(divide="ignore"):
        front = np.exp(logs + p * np.log(z) + q * np.log1p(-z)) / p
    tail = front * _beta_fraction(p, q, z)
    share: Numbers = np.clip(np.where(swapped, 1 - tail, tail), 0.0, 1.0)
    return share


def _beta_fraction(a: Numbers, b: Numbers, x: Numbers) -> Numbers:
    """Lentz's evaluation of the continued fraction."""
    tiny = 1e-300
    c = np.ones_like(x)
    d = 1 / np.where(np.abs(1 - (a + b) * x / (a + 1)) < tiny, tiny, 1 - (a + b) * x / (a + 1))
    value = d.copy()
    for m in range(1, 300):
        for top in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + top * d
            d = 1 / np.where(np.abs(d) < tiny, tiny, d)
            c = 1 + top / c
            c = np.where(np.abs(c) < tiny, tiny, c)
            value = value * d * c
        if np.all(np.abs(d * c - 1) < 1e-14):
            break
    return value
