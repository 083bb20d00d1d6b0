"""What every panel of every dashboard takes, over five people and five years, against goals.

Medians of five, after one to warm up, fetched to the last row, one panel after the other, as Grafana's role; a dashboard is
the sum of its panels, although Grafana asks several at once. Each panel is asked over the dashboard's own stretch of time, and
over all five years. InfluxDB is a real 1.6.7, where it is here.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from twinning_pipelines.home import Home
from twinning_pipelines.products.dashboards.every import every_dashboard
from twinning_pipelines.products.dashboards.vocabulary import Dashboard, InfluxQl, Installation, Panel, Query, Sql
from twinning_pipelines.settings import Settings
from twinning_pipelines_tests.infra.programs import program
from twinning_pipelines_tests.products.dashboards import five_years, grafana
from twinning_pipelines_tests.products.dashboards.grafana import Looked
from twinning_pipelines_tests.products.dashboards.projected import Projection, projected
from twinning_pipelines_tests.products.dashboards.reading_role import as_reader

POSTGRES_S, INFLUXDB_S, DASHBOARD_S = 1.0, 2.0, 3.0
TIMES = 5
EVENING = datetime(2025, 12, 17, 22, 30, tzinfo=UTC)
WHOLE = "now-5y"


def run(folder: Path) -> None:
    """Loads the household and prints seconds per panel and per dashboard."""
    folder.chmod(0o755)
    with ExitStack() as stack:
        home = stack.enter_context(Home(Settings(home=folder / "home", zone="Europe/Zurich", currency="CHF")).opened())
        started = time.monotonic()
        five_years.load(home, folder, density=five_years.DENSE)
        with home.engine.connect() as connection:
            samples = connection.execute(sa.text("select sum(n) from sample_chunk")).scalar_one()
        print(
            f"Dashboards over {samples:,} samples of five people and five years, loaded in {time.monotonic() - started:.0f} s"
        )
        reader = stack.enter_context(as_reader(home.engine))
        influxd = program("influxd")
        projection = None
        if influxd is not None:
            (folder / "influxd").mkdir()
            projection = stack.enter_context(projected(home.engine, influxd, folder / "influxd", since="2020-12-01"))
        connection = stack.enter_context(reader.connect())
        slowest = [(_dashboard(dashboard, connection, projection), dashboard.name) for dashboard in _asked()]
    seconds, name = max(slowest)
    print(f"  slowest dashboard: {name}, {seconds:.3f} s; goal {DASHBOARD_S:.0f} s {_word(seconds <= DASHBOARD_S)}\n")


def _asked() -> list[Dashboard]:
    every = every_dashboard(Installation("http://127.0.0.1:3001"))
    return [each for each in every if any(isinstance(q, Sql | InfluxQl) for p in each.panels for q in p.queries)]


def _dashboard(dashboard: Dashboard, connection: sa.Connection, projection: Projection | None) -> float:
    """Prints the panels of one; answers the sum of its own stretch."""
    looked = Looked("ada", EVENING, EVENING)
    print(f"  {dashboard.title}: {dashboard.since}, and all five years")
    sums = [0.0, 0.0]
    for panel, query in _queries(dashboard, with_influx=projection is not None):
        goal = POSTGRES_S if isinstance(query, Sql) else INFLUXDB_S
        rows, seconds = [], []
        for place, since in enumerate((dashboard.since, WHOLE)):
            found, taken = _timed(partial(_ask, query, looked.since(since), connection, projection))
            rows.append(found)
            seconds.append(taken)
            sums[place] += taken
        print(
            f"    {panel.question:<55}{rows[0]:7,} rows {seconds[0]:7.3f} s {rows[1]:9,} rows {seconds[1]:7.3f} s   "
            f"goal {goal:.0f} s {_word(max(seconds) <= goal)}"
        )
    own, whole = sums
    print(
        f"    {'the whole dashboard':<55}{'':12} {own:7.3f} s {'':14} {whole:7.3f} s   "
        f"goal {DASHBOARD_S:.0f} s {_word(max(sums) <= DASHBOARD_S)}"
    )
    return max(sums)


def _queries(dashboard: Dashboard, *, with_influx: bool) -> Iterator[tuple[Panel, Query]]:
    for panel in dashboard.panels:
        for query in panel.queries:
            if isinstance(query, Sql) or (with_influx and isinstance(query, InfluxQl)):
                yield panel, query


def _ask(query: Query, looked: Looked, connection: sa.Connection, projection: Projection | None) -> int:
    if isinstance(query, Sql):
        text = grafana.sql(query.text, looked)
        found: Sequence[object] = connection.execution_options(no_parameters=True).exec_driver_sql(text).all()
        return len(found)
    assert isinstance(query, InfluxQl)
    assert projection is not None
    return sum(len(series.rows) for series in projection.ask(grafana.influxql(query.text, looked)))


def _timed(ask: Callable[[], int]) -> tuple[int, float]:
    """How many rows, and the median of the seconds."""
    rows, taken = ask(), []
    for _ in range(TIMES):
        started = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - started)
    return rows, statistics.median(taken)


def _word(is_reached: bool) -> str:
    return "reached" if is_reached else "MISSED"
