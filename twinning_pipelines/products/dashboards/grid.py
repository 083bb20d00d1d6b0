"""Where panels stand in Grafana's grid: from left to right, a new line where the width is used up."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from twinning_pipelines.products.dashboards.vocabulary import Panel, Section

WIDTH = 24


class Place(Struct, frozen=True):
    """A corner and a size, in cells."""

    x: int
    y: int
    w: int
    h: int


def places(sections: Sequence[Section]) -> Iterator[tuple[Section, Place, list[tuple[Panel, Place]]]]:
    """Each section with the place of its heading and those of its panels. Raises ValueError for a panel too wide."""
    y = 0
    for section in sections:
        heading = Place(0, y, WIDTH, 1)
        placed, y = _lines(section.panels, y + 1)
        yield section, heading, placed


def _lines(panels: Sequence[Panel], y: int) -> tuple[list[tuple[Panel, Place]], int]:
    placed: list[tuple[Panel, Place]] = []
    x = tallest = 0
    for panel in panels:
        if not 1 <= panel.wide <= WIDTH:
            raise ValueError(f"{panel.question} is {panel.wide} columns wide; there are {WIDTH}")
        if x + panel.wide > WIDTH:
            x, y, tallest = 0, y + tallest, 0
        placed.append((panel, Place(x, y, panel.wide, panel.high)))
        x, tallest = x + panel.wide, max(tallest, panel.high)
    return placed, y + tallest
