"""The printed tables: costs, their ratio to those of a peer, and whether a goal was reached."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twinning_pipelines_tests.bench.measure import Cost

PEAK_GOAL_MB = 300


@dataclass(frozen=True, slots=True)
class Goal:
    """So many times the CPU seconds of a peer, at most."""

    times: float
    peer: str


def median_of(costs: Sequence[Cost]) -> Cost:
    """The medians of each figure by itself."""
    return Cost(*(statistics.median(getattr(cost, name) for cost in costs) for name in ("cpu", "wall", "peak_mib")))


def print_costs(title: str, costs: Mapping[str, Cost], goals: Mapping[str, Goal], rows: int) -> None:
    """One line for each cost; those with a goal say whether it and that of memory were reached."""
    width = max(map(len, costs)) + 2
    print(f"{title}\n  {'':<{width}}   CPU s    rows/CPU s    wall s   peak MB")
    for name, cost in costs.items():
        print(
            f"  {name:<{width}}{cost.cpu:8.2f}  {rows / cost.cpu:12,.0f}  {cost.wall:8.1f}  {_mb(cost):8.0f}"
            + _verdict(cost, costs, goals.get(name))
        )
    print()


def _verdict(cost: Cost, costs: Mapping[str, Cost], goal: Goal | None) -> str:
    if goal is None:
        return ""
    memory = f"peak goal {PEAK_GOAL_MB} MB {_word(_mb(cost) < PEAK_GOAL_MB)}"
    if goal.peer not in costs:
        return f"   {memory}; {goal.peer} was not measured"
    ratio = cost.cpu / costs[goal.peer].cpu
    return f"   {ratio:.3f} x {goal.peer}, goal {goal.times:.2f} {_word(ratio <= goal.times)}; {memory}"


def _mb(cost: Cost) -> float:
    return cost.peak_mib * 2**20 / 1e6


def _word(is_reached: bool) -> str:
    return "reached" if is_reached else "MISSED"
