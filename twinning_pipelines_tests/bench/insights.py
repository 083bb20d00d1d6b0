"""How often insights are found where there are none, and how often a true one is found.

Noise metrics over 90 days and more, all pairs: what plain p values, Benjamini-Hochberg alone, effective days alone and
both together would tell; then both with lags of up to three days. And true links, planted among noise.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from twinning_pipelines.marts.insights import (
    FALSE_SHARE,
    FEWEST_EFFECTIVE,
    Numbers,
    Series,
    clean,
    correlations,
    false_shares,
    find,
    p_values,
)

METRICS = 30
Noise = Callable[[np.random.Generator, int, int], Numbers]


def remembering(share: float) -> Noise:
    """Noise of which each day remembers a share of the day before."""

    def made(rng: np.random.Generator, rows: int, days: int) -> Numbers:
        new = rng.standard_normal((rows, days + 200))
        told = np.zeros_like(new)
        for day in range(1, days + 200):
            told[:, day] = share * told[:, day - 1] + new[:, day]
        return told[:, 200:]

    return made


def wandering(rng: np.random.Generator, rows: int, days: int) -> Numbers:
    """Noise that goes on from where it was, as a balance does."""
    told: Numbers = np.cumsum(rng.standard_normal((rows, days)), axis=1)
    return told


def weekly_means(rng: np.random.Generator, rows: int, days: int) -> Numbers:
    """Means over seven days, as an app may give them."""
    new = rng.standard_normal((rows, days + 6))
    told: Numbers = np.stack([new[:, place : place + days] for place in range(7)]).mean(axis=0)
    return told


def cycling(rng: np.random.Generator, rows: int, days: int) -> Numbers:
    """Noise with a cycle of 20 to 40 days in each row."""
    length, begin = rng.uniform(20, 40, (rows, 1)), rng.random((rows, 1))
    return remembering(0.5)(rng, rows, days) + 1.5 * np.sin(2 * np.pi * (np.arange(days) / length + begin))


NOISES: Mapping[str, Noise] = {
    "white noise": remembering(0.0),
    "AR 0.5": remembering(0.5),
    "AR 0.8": remembering(0.8),
    "AR 0.95": remembering(0.95),
    "random walk": wandering,
    "means of 7 days": weekly_means,
    "cycles of weeks": cycling,
}


@dataclass(frozen=True, slots=True)
class Found:
    """How many of noise's pairs each way of judging would tell of; means over the seeds. wrong_runs: the share of seeds
    in which anything at all holds."""

    plain: float
    ranked: float
    effective: float
    both: float
    with_lags: float
    wrong_runs: float


def found_in(noise: Noise, days: int, seeds: range) -> Found:
    """Judges noise in every way."""
    rows = []
    for seed in seeds:
        values = noise(np.random.default_rng(seed), METRICS, days)
        named = [str(place) for place in range(METRICS)]
        tests = correlations(np.stack([clean(each, 0) for each in values]), named, (0,))
        plain, careful = p_values(tests.r, tests.n.astype(float)), p_values(tests.r, tests.n_effective)
        enough = tests.n_effective >= FEWEST_EFFECTIVE
        series = [Series(name, name, each) for name, each in zip(named, values, strict=True)]
        both, lagged = len(find(series, 0, (0,)).holding), len(find(series, 0).holding)
        rows.append(
            (
                int((plain < 0.05).sum()),
                int((false_shares(plain) < FALSE_SHARE).sum()),
                int((careful[enough] < 0.05).sum()),
                both,
                lagged,
                int(lagged > 0),
            )
        )
    return Found(*np.array(rows, float).mean(axis=0))


def found_links(r: float, share: float, days: int, lag: int, seeds: range) -> float:
    """The share of seeds in which a true link of strength r is found, planted among noise that remembers so much."""
    noise, found = remembering(share), 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        values = noise(rng, METRICS, days + lag)
        values[1] = r * values[0] + np.sqrt(1 - r**2) * noise(rng, 1, days + lag)[0]
        # The second row comes so many days later.
        shown = [row[:days] if place == 1 else row[lag:] for place, row in enumerate(values)]
        findings = find([Series(str(place), str(place), row) for place, row in enumerate(shown)], 0)
        found += ("0", "1", lag) in {(each.first, each.second, each.lag_days) for each in findings.holding}
    return found / len(seeds)


def run(seeds: int = 20) -> None:
    """Prints both tables."""
    some = range(seeds)
    pairs = METRICS * (METRICS - 1) // 2
    print(f"Insights in noise: {METRICS} metrics, {pairs} pairs, mean of {seeds} seeds; none of them is true")
    head = ("p < 0.05", "BH alone", "eff. days", "both", f"both, {pairs * 7:,} lags", "seeds with any")
    print(f"  {'':<24}" + "".join(f"{each:>18}" for each in head))
    for days in (90, 365):
        for name, noise in NOISES.items():
            told = found_in(noise, days, some)
            figures = (told.plain, told.ranked, told.effective, told.both, told.with_lags)
            row = "".join(f"{each:18.1f}" for each in figures) + f"{told.wrong_runs:17.0%} "
            print(f"  {name + f', {days} days':<24}{row}")
    print(f"\nTrue links among {METRICS} such metrics, all lags tested: how often one is found (same day, next day)")
    for days in (90, 180, 365):
        for share in (0.0, 0.5, 0.8):
            links = ", ".join(
                f"r {r}: {found_links(r, share, days, 0, some):.0%} {found_links(r, share, days, 1, some):.0%}"
                for r in (0.3, 0.4, 0.6)
            )
            print(f"  {days} days, AR {share}: {links}")
    print()
