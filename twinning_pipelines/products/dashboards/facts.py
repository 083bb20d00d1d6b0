"""Panels that any fact of the catalogue may have: its title, unit and meaning come from there."""

from twinning_pipelines.marts.facts import FACT_BY_NAME
from twinning_pipelines.products.dashboards import palette
from twinning_pipelines.products.dashboards.asking import USUAL, explained, fact_against_usual
from twinning_pipelines.products.dashboards.visuals import Bars, Lines, Stat
from twinning_pipelines.products.dashboards.vocabulary import Column, Installation, Link, Panel

_USUAL_LINE = Column("Usual", colour=palette.ORANGE, dashed=True)


def day_link() -> Link:
    """From a point in time to the dashboard of its day: the stretch is centred on the midnight at which the day begins."""
    return Link(
        "This day", "/d/twinning-today?var-person=${person:percentencode}&time=${__value.time}&time.window=172799998"
    )


def asset_link(installation: Installation, asset: str, title: str) -> Link:
    """To the asset in Dagster that makes what a panel shows."""
    return Link(title, f"{installation.dagster.rstrip('/')}/assets/{asset}")


def figure(name: str, question: str, *, wide: int = 4, high: int = 4) -> Panel:
    """The newest value of a fact in the stretch, its course behind it, and what is usual."""
    fact = FACT_BY_NAME[name]
    return Panel(
        question,
        f"{explained(fact)} Beside it what is usual: {USUAL}.",
        Stat(),
        (fact_against_usual(name),),
        fact.unit,
        columns=(Column(fact.title, colour=palette.BLUE), Column("Usual", colour=palette.GREY)),
        wide=wide,
        high=high,
    )


def course(name: str, question: str, installation: Installation, *, bars: bool = False, wide: int = 12) -> Panel:
    """A fact by day with what is usual as a dashed line; from a day to its dashboard."""
    fact = FACT_BY_NAME[name]
    return Panel(
        question,
        f"{explained(fact)} The dashed line is what is usual: {USUAL}.",
        Bars() if bars else Lines(),
        (fact_against_usual(name),),
        fact.unit,
        columns=(Column(fact.title, colour=palette.BLUE, link=day_link()), _USUAL_LINE),
        links=(asset_link(installation, "daily_facts", "How it is made (Dagster)"),),
        wide=wide,
    )


RANKED = tuple(Column(f"/^{place} /", colour=colour) for place, colour in enumerate(palette.RANKED, start=1))
