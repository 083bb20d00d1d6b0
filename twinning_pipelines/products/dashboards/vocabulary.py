"""What a dashboard is made of: questions, each with a query that answers it, a unit and a look.

Nothing here knows Grafana's JSON; `rendering` does. A panel may hold several queries, all of one kind of store.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from msgspec import Struct, field

from twinning_pipelines.products.dashboards.visuals import Visual

NOTHING_TOLD = "Nothing is told of this."


class Sql(Struct, frozen=True):
    """A query of Postgres, with Grafana's macros. shape: `series` begins with the column `time`, oldest first."""

    text: str
    shape: Literal["series", "table"] = "series"


class InfluxQl(Struct, frozen=True):
    """A query of the dense series in InfluxDB. alias: what a series is called, `$tag_origin` for its device."""

    text: str
    alias: str


class PromQl(Struct, frozen=True):
    """An expression of Prometheus. legend: what a series is called; now: asked of this moment only, one row each."""

    text: str
    legend: str = ""
    now: bool = False


Query = Sql | InfluxQl | PromQl


class Link(Struct, frozen=True):
    """A way on from here: to another dashboard, or to Dagster."""

    title: str
    url: str


class Column(Struct, frozen=True):
    """How one series or column differs from the rest of its panel.

    name: its name, or between slashes an expression that names fit. unit: ours. words: values with the colour
    of each, and what is shown instead of it. bar: drawn as a bar in its cell, up to `high`. wraps: long text is broken.
    """

    name: str
    unit: str | None = None
    colour: str | None = None
    width: int | None = None
    decimals: int | None = None
    steps: tuple[tuple[float | None, str], ...] = ()
    words: tuple[tuple[str, ...], ...] = ()
    link: Link | None = None
    bar: bool = False
    wraps: bool = False
    dashed: bool = False
    bars: bool = False
    right: bool = False
    high: float | None = None
    low: float | None = None


class Panel(Struct, frozen=True):
    """One question and its answer.

    says: what the number is and where it comes from. unit: one of ours, `none` where it has none. steps: from which value
    which colour, the first from anywhere (None). nothing: what is said where nothing was found. at_most_days: longer
    stretches of time are not answered. wide, high: in Grafana's grid of 24 columns.
    """

    question: str
    says: str
    visual: Visual
    queries: tuple[Query, ...]
    unit: str
    columns: tuple[Column, ...] = ()
    steps: tuple[tuple[float | None, str], ...] = ()
    links: tuple[Link, ...] = ()
    nothing: str = NOTHING_TOLD
    decimals: int | None = None
    least: float | None = None
    most: float | None = None
    colour: str | None = None
    at_most_days: int | None = None
    wide: int = 8
    high: int = 8


class Section(Struct, frozen=True):
    """Panels under one heading, from left to right."""

    title: str
    panels: tuple[Panel, ...]


class Dashboard(Struct, frozen=True):
    """One page. since: how far back it looks unless asked otherwise, as Grafana writes it. of_a_person: may be chosen."""

    name: str
    title: str
    says: str
    since: str
    sections: tuple[Section, ...]
    of_a_person: bool = True
    refresh: str = "5m"

    @property
    def uid(self) -> str:
        """Its address: never changes."""
        return f"twinning-{self.name}"

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All of them, in order."""
        return tuple(panel for section in self.sections for panel in section.panels)


class Installation(Struct, frozen=True):
    """What dashboards have to know of where they are shown.

    dagster: where a browser finds Dagster. expected: by source how long its silence is normal.
    """

    dagster: str
    expected: Mapping[str, timedelta] = field(default_factory=dict)
