"""`docs/dashboards.md`: what each dashboard is for, and its questions with what their answers are."""

from collections.abc import Sequence

from twinning_pipelines.products.dashboards.vocabulary import Dashboard, InfluxQl, PromQl, Query

_HEAD = """# Dashboards

Grafana shows what the facts say. The dashboards are code (`twinning_pipelines/products/dashboards/`), and so is this list of
their questions; a test keeps the two equal.

    twinning dashboards --to DIR      # writes a JSON file for each; Grafana's file provider reads them

In the stack a one-shot service does so, and Grafana opens *Today*. Every dashboard of a person begins with whoever is logged
in under their own name; another person is chosen at the top. Whoever may open Grafana sees everybody in the house.

- **Days are the person's own.** A day is drawn at the instant at which it began where the person lived.
- **Usual** is the median of the 28 days before, where ten of them are known: the same yardstick as in the daily summary.
- **Money keeps its currency.** Each series says its own by its code, and different currencies are never added up.
- **From a number to its lines.** Where a row has one, the column *Explained by* is the command that goes on; a click on a
  day leads to the page of that day, and panels lead to the asset in Dagster that makes them.
- **Colours** are those of Okabe and Ito: blue is good, orange wants a look, vermilion is bad.

Facts are asked of Postgres, by a role that may only read; dense series of InfluxDB, in InfluxQL; the house itself of
Prometheus, which the profile `monitoring` brings. `python -m twinning_pipelines_tests.bench dashboards` prints what every
panel takes.
"""


def dashboards_page(dashboards: Sequence[Dashboard]) -> str:
    """The whole page."""
    return _HEAD + "".join(map(_chapter, dashboards))


def _chapter(dashboard: Dashboard) -> str:
    lines = [
        "",
        f"## {dashboard.title}",
        "",
        f"{dashboard.says} It looks back to `{dashboard.since}` unless asked otherwise.",
    ]
    for section in dashboard.sections:
        lines += [
            "",
            f"### {dashboard.title}: {section.title}",
            "",
            "| question | answer | asked of |",
            "|---|---|---|",
        ]
        lines += [
            f"| {panel.question} | {panel.says.replace('|', chr(92) + '|')} | {_store(panel.queries[0])} |"
            for panel in section.panels
        ]
    return "\n".join(lines) + "\n"


def _store(query: Query) -> str:
    if isinstance(query, PromQl):
        return "Prometheus"
    return "InfluxDB" if isinstance(query, InfluxQl) else "Postgres"
