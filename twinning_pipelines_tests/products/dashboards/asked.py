"""Panels by their questions, and what Postgres answers to them."""

from typing import Any

import sqlalchemy as sa

from twinning_pipelines.products.dashboards.vocabulary import Panel, Sql
from twinning_pipelines_tests.products.dashboards import grafana
from twinning_pipelines_tests.products.dashboards.conftest import DASHBOARDS
from twinning_pipelines_tests.products.dashboards.grafana import Looked


def panel_of(name: str, question: str) -> Panel:
    """The panel of a dashboard that asks this."""
    return next(p for d in DASHBOARDS if d.name == name for p in d.panels if p.question == question)


def asked(connection: sa.Connection, query: object, looked: Looked) -> tuple[list[str], list[sa.Row[Any]]]:
    """The names of the columns, and the rows."""
    assert isinstance(query, Sql)
    # Straight to the driver, without parameters: a percent sign and a colon are just that.
    result = connection.execution_options(no_parameters=True).exec_driver_sql(grafana.sql(query.text, looked))
    return list(result.keys()), list(result.all())
