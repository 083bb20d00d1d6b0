"""Every panel answers: on a real Postgres as Grafana's role, on a real InfluxDB, in what Prometheus itself can read.

The household of five people and five years is loaded once. No panel escapes: the tests are made of the dashboards.
"""

import re
import shlex
import subprocess
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from twinning_pipelines.marts.books.balances import balance_gaps, balance_steps
from twinning_pipelines.marts.books.budgets import budget_use
from twinning_pipelines.marts.rings import ring_days
from twinning_pipelines.products.dashboards.asking import shell_word
from twinning_pipelines.products.dashboards.rendering import PEOPLE
from twinning_pipelines.products.dashboards.vocabulary import Column, Dashboard, InfluxQl, Panel, PromQl, Sql
from twinning_pipelines.products.metrics.gauges import GAUGES
from twinning_pipelines_tests.infra.programs import needs
from twinning_pipelines_tests.products.dashboards import five_years, grafana
from twinning_pipelines_tests.products.dashboards.asked import asked, panel_of
from twinning_pipelines_tests.products.dashboards.conftest import DASHBOARDS
from twinning_pipelines_tests.products.dashboards.exporters import metrics_in
from twinning_pipelines_tests.products.dashboards.grafana import Looked
from twinning_pipelines_tests.products.dashboards.projected import Projection, projected

# Whoever asks first waits for the load of the household.
pytestmark = pytest.mark.timeout(600)

EVERY = [(dashboard, panel, query) for dashboard in DASHBOARDS for panel in dashboard.panels for query in panel.queries]
ASKED_OF_POSTGRES = [
    pytest.param(*each, id=f"{each[0].name}: {each[1].question}") for each in EVERY if isinstance(each[2], Sql)
]
ASKED_OF_INFLUXDB = [
    pytest.param(*each, id=f"{each[0].name}: {each[1].question}") for each in EVERY if isinstance(each[2], InfluxQl)
]
NUMBERS = (int, float, Decimal, bool)
LONGEST = "now-5y"


def _asked(reader: sa.Engine, query: object, looked: Looked) -> tuple[list[str], list[sa.Row[Any]]]:
    with reader.connect() as connection:
        return asked(connection, query, looked)


def test_every_panel_is_asked_by_one_of_these_tests() -> None:
    stores = [type(query) for _, _, query in EVERY]
    assert len(ASKED_OF_POSTGRES) == stores.count(Sql) > 90
    assert len(ASKED_OF_INFLUXDB) == stores.count(InfluxQl) > 5
    assert stores.count(PromQl) > 35
    assert len(EVERY) == stores.count(Sql) + stores.count(InfluxQl) + stores.count(PromQl)


@pytest.mark.parametrize(("dashboard", "panel", "query"), ASKED_OF_POSTGRES)
def test_a_panel_has_rows_of_the_shape_that_it_draws(
    reader: sa.Engine, looked: Looked, dashboard: Dashboard, panel: Panel, query: Sql
) -> None:
    names, rows = _asked(reader, query, looked.since(dashboard.since))
    assert rows, "a dead panel"
    assert len(set(names)) == len(names)
    if query.shape == "series" or panel.visual.plugin == "state-timeline":
        _is_a_series(names, rows, is_state=panel.visual.plugin == "state-timeline")
        # Grafana makes series of numbers alone: words over time are rows.
        assert (query.shape == "series") == (panel.visual.plugin != "state-timeline")
    elif panel.visual.plugin in ("bargauge", "piechart") or (panel.visual.plugin == "stat" and panel.unit != "none"):
        numbers = [place for place, name in enumerate(names) if name != "metric"]
        assert any(isinstance(rows[0][place], NUMBERS) for place in numbers)
    # Grafana takes a date for the midnight of London, and shows the day before in America: days are texts.
    assert not [each for row in rows for each in row if type(each) is date]
    met = {column.name: _is_met(column, names, rows) for column in panel.columns}
    # What may be absent from anybody's life (a sale, a second currency) is named by an expression.
    assert not [name for name, is_met in met.items() if not is_met and not name.startswith("/")]
    assert any(met.values()) or not met


def _is_a_series(names: list[str], rows: list[sa.Row[Any]], *, is_state: bool) -> None:
    assert names[0] == "time"
    times = [row[0] for row in rows]
    assert all(isinstance(each, datetime) and each.tzinfo is not None for each in times)
    assert times == sorted(times)
    if is_state:
        return
    if "metric" in names:
        assert names == ["time", "metric", "value"]
        assert all(isinstance(row[1], str) and isinstance(row[2], NUMBERS) for row in rows)
        assert len({(row[0], row[1]) for row in rows}) == len(rows)
    else:
        assert len(set(times)) == len(times)
        assert all(isinstance(each, NUMBERS) or each is None for row in rows for each in row[1:])
        assert all(any(row[place] is not None for row in rows) for place in range(1, len(names)))


def _is_met(column: Column, names: list[str], rows: list[sa.Row[Any]]) -> bool:
    """Does any series or column bear the name?"""
    series = {str(row[names.index("metric")]) for row in rows} if "metric" in names else set()
    if not column.name.startswith("/"):
        return column.name in {*names, *series}
    expression = re.compile(column.name.strip("/"))
    return (
        any(expression.search(name) for name in {*names, *series}) or re.fullmatch(r"/\^\d /", column.name) is not None
    )


@pytest.mark.parametrize(("dashboard", "panel", "query"), ASKED_OF_POSTGRES)
def test_a_panel_answers_over_all_five_years(
    reader: sa.Engine, looked: Looked, dashboard: Dashboard, panel: Panel, query: Sql
) -> None:
    _, rows = _asked(reader, query, looked.since(LONGEST))
    assert rows or panel.at_most_days is not None


@pytest.mark.parametrize("person", ["nobody", "o'neil", "x' or 'a' = 'a", "a\\' or true --", "$1", "%s", ":person"])
def test_a_name_is_never_more_than_a_name(reader: sa.Engine, looked: Looked, person: str) -> None:
    stranger = Looked(person, looked.first, looked.last).since("now-30d")
    for dashboard, panel, query in EVERY:
        if isinstance(query, Sql) and dashboard.name in ("today", "money"):
            _, rows = _asked(reader, query, stranger)
            counts = [each for row in rows for each in row if isinstance(each, int | float | Decimal)]
            assert not any(counts) or panel.question == "What was worth a word?", panel.question


@pytest.mark.parametrize("person", ["$__timeFrom()", "ada$__timeTo()", "$__timeFilter(x) or true --"])
def test_a_macro_in_a_name_is_refused(reader: sa.Engine, looked: Looked, person: str) -> None:
    # Grafana expands macros even inside quotes: what comes out is no SQL, and so no answer.
    query = panel_of("health", "How much do I walk?").queries[0]
    with pytest.raises(sa.exc.ProgrammingError, match="syntax error"):
        _asked(reader, query, Looked(person, looked.first, looked.last).since("now-30d"))


def test_each_of_the_five_has_answers(reader: sa.Engine, looked: Looked) -> None:
    steps = panel_of("health", "How much do I walk?").queries[0]
    answers = {}
    for person in five_years.PEOPLE:
        _, rows = _asked(reader, steps, Looked(person, looked.first, looked.last).since("now-90d"))
        answers[person] = [row[1] for row in rows]
    assert all(len(values) > 80 for values in answers.values())
    assert len({tuple(values) for values in answers.values()}) == len(five_years.PEOPLE)


def test_days_begin_where_the_person_lives(reader: sa.Engine, looked: Looked) -> None:
    _, rows = _asked(reader, panel_of("health", "How much do I walk?").queries[0], looked.since("now-90d"))
    clocks = {row[0].astimezone(five_years.ZONE).strftime("%H:%M") for row in rows}
    assert clocks == {"00:00"}
    # Over the change of the clocks in October, too.
    assert {row[0].utcoffset() for row in rows} != {None}


def test_the_role_may_read_and_nothing_else(reader: sa.Engine) -> None:
    for statement in ("delete from news", "create table mine (x int)", "insert into person (name) values ('eve2')"):
        with reader.connect() as connection, pytest.raises(sa.exc.DBAPIError, match=r"read-only|permission denied"):
            connection.execute(sa.text(statement))
        with reader.connect() as connection:
            # A role can undo its own settings, so rights alone must be enough.
            connection.execute(sa.text("set transaction read write"))
            with pytest.raises(sa.exc.DBAPIError, match="permission denied"):
                connection.execute(sa.text(statement))


def test_whoever_is_logged_in_comes_first(reader: sa.Engine, looked: Looked) -> None:
    with reader.connect() as connection:
        for login, order in (("dan", ["dan", "ada", "ben", "cleo", "eve"]), ("stranger", list(five_years.PEOPLE))):
            asked = grafana.sql(PEOPLE, Looked("", looked.first, looked.last, login))
            assert connection.exec_driver_sql(asked).scalars().all() == order


@pytest.mark.parametrize(
    "name", ["ada", "o'neil", "''", "a b", "$(reboot)", "`id`", "back\\slash", 'two "words"', "a\nb", "; ls"]
)
def test_a_name_stays_one_word_of_the_command_that_goes_on(reader: sa.Engine, name: str) -> None:
    command = f"select 'twinning explain ' || {shell_word('cast(:name as text)')} || ' --day 2025-12-17'"
    with reader.connect() as connection:
        told = connection.execute(sa.text(command), {"name": name}).scalar_one()
    assert shlex.split(told) == ["twinning", "explain", name, "--day", "2025-12-17"]


def test_what_is_usual_is_the_median_of_the_days_before(reader: sa.Engine, looked: Looked) -> None:
    query = panel_of("health", "How much do I walk?").queries[0]
    _, month = _asked(reader, query, looked.since("now-30d"))
    _, quarter = _asked(reader, query, looked.since("now-90d"))
    last = {row[0]: row for row in quarter}
    before = sorted(float(row[1]) for row in quarter[-29:-1])
    assert quarter[-1][2] == pytest.approx((before[13] + before[14]) / 2)
    assert [row[2] for row in month] == [last[row[0]][2] for row in month]


def test_gaps_between_statements_are_those_of_the_checks(
    household: sa.Engine, reader: sa.Engine, looked: Looked
) -> None:
    _, rows = _asked(reader, panel_of("quality", "Where do they not?").queries[0], looked.since("now-1y"))
    with household.connect() as connection:
        gaps = [each for each in balance_gaps(connection) if each.person == "ada"]
        steps = balance_steps(connection)
    shown = {(row[0], row[1], row[2], row[5]) for row in rows if row[5] != 0}
    assert shown == {
        (each.account, each.since.isoformat(), each.until.isoformat(), float(each.missing)) for each in gaps
    }
    assert len(rows) * len(five_years.PEOPLE) == steps


def test_agreement_with_the_rings_is_that_of_the_checks(
    household: sa.Engine, reader: sa.Engine, looked: Looked
) -> None:
    query = panel_of("quality", "Do our days agree with Apple's rings?").queries[0]
    _, rows = _asked(reader, query, looked.since("now-90d"))
    with household.connect() as connection:
        days = [
            each for each in ring_days(connection) if each.person == "ada" and each.day.strftime("%Y-%m") == "2025-10"
        ]
    october = {row[1]: row[2] for row in rows if row[0].astimezone(five_years.ZONE).month == 10}
    for ring in ("move", "exercise", "stand"):
        agreed = [each.agrees for each in days if each.ring == ring]
        assert october[ring] == pytest.approx(sum(agreed) / len(agreed))


def test_budgets_are_used_as_the_command_says(household: sa.Engine, reader: sa.Engine, looked: Looked) -> None:
    _, rows = _asked(reader, panel_of("money", "How much of each budget is used?").queries[0], looked.since("now-1y"))
    day = looked.last.astimezone(five_years.ZONE).date()
    with household.connect() as connection:
        person = connection.execute(sa.text("select id from person where name = 'ada'")).scalar_one()
        booked = connection.execute(
            sa.text("select max(booked_on) from booking where person_id = :p and booked_on < '2026-01-01'"),
            {"p": person},
        ).scalar_one()
        used = {each.budget: each for each in budget_use(connection, person, day)}
    assert booked > day, "the month goes on after the chosen day, so the panel counts a part of it"
    _, whole = _asked(
        reader, panel_of("money", "How much of each budget is used?").queries[0],
        Looked("ada", looked.first, looked.last.replace(day=31)).since("now-1y"),
    )  # fmt: skip
    assert {row[0] for row in rows} == set(used)
    for row in whole:
        assert row[1] == pytest.approx(float(used[str(row[0])].spent), abs=0.05)
        assert row[2] == float(used[str(row[0])].budgeted)


# ------------------------------------------------------------------------------ InfluxDB


@pytest.fixture(scope="module")
def projection(household: sa.Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Projection]:
    with projected(household, needs("influxd"), tmp_path_factory.mktemp("influxd"), since="2024-12-01") as found:
        yield found


@pytest.mark.parametrize(("dashboard", "panel", "query"), ASKED_OF_INFLUXDB)
def test_a_panel_has_points_in_influxdb(
    projection: Projection, looked: Looked, dashboard: Dashboard, panel: Panel, query: InfluxQl
) -> None:
    for since in (dashboard.since, "now-1y"):
        answer = projection.ask(grafana.influxql(query.text, looked.since(since)))
        assert answer, f"a dead panel over {since}"
        for series in answer:
            times = [int(str(row[0])) for row in series.rows]
            assert times == sorted(set(times))
            assert all(isinstance(row[1], NUMBERS) for row in series.rows)
            assert series.columns[0] == "time"
        if "$tag_origin" in query.alias:
            assert {"origin"} == {name for series in answer for name in series.tags}
        for column in panel.columns:
            assert any(column.name in series.columns for series in answer)


def test_devices_are_told_apart(projection: Projection, looked: Looked) -> None:
    query = panel_of("health", "When do I walk, and which device sees it?").queries[0]
    answer = projection.ask(grafana.influxql(query.text, looked.since("now-90d")))
    assert {series.tags["origin"] for series in answer} == {five_years.WATCH, five_years.PHONE}


@pytest.mark.parametrize("person", ["nobody", "a.a", "/", 'ada$/ or "person" =~ /.*', "ad[a]", "a|ada", ".*", "ada\\"])
def test_a_name_is_never_more_than_a_name_in_influxdb(projection: Projection, looked: Looked, person: str) -> None:
    query = panel_of("health", "When do I walk, and which device sees it?").queries[0]
    stranger = Looked(person, looked.first, looked.last).since("now-90d")
    assert projection.ask(grafana.influxql(query.text, stranger)) == []


# ------------------------------------------------------------------------------ Prometheus


def test_prometheus_reads_every_expression(tmp_path: Path) -> None:
    promtool = needs("promtool")
    rules = [
        {"record": f"dashboard:panel:{place}", "expr": grafana.promql(query.text)}
        for place, query in enumerate(query for _, _, query in EVERY if isinstance(query, PromQl))
    ]
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    told = subprocess.run(
        [promtool, "check", "rules", str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert told.returncode == 0, told.stderr
    assert f"{len(rules)} rules found" in told.stdout + told.stderr


# What every series of the test bears, and what the labels of our own gauges say in it.
_LABELS = {
    "job": "nightly", "instance": "here", "service": "grafana", "path": "public", "datname": "twinning", "device": "disk",
    "set": "daily", "alertstate": "firing", "status": "failure", "state": "failed",
}  # fmt: skip


def test_no_panel_of_prometheus_is_dead(tmp_path: Path) -> None:
    promtool = needs("promtool")
    ours = {gauge.name: gauge.labels for gauge in GAUGES}
    asked = [query.text for _, _, query in EVERY if isinstance(query, PromQl)]
    names = sorted(set().union(*map(metrics_in, asked)))
    series = [
        {"series": f"{name}{{{_labelled(ours.get(name, tuple(_LABELS)))}}}", "values": "1+0x200"} for name in names
    ]
    # How many series it gives is not told: that it gives any is one.
    tests = [
        {
            "expr": f"count({grafana.promql(text)}) > bool 0",
            "eval_time": "2h",
            "exp_samples": [{"labels": "{}", "value": 1}],
        }
        for text in asked
    ]
    path = tmp_path / "dead.yml"
    group = {"interval": "1m", "input_series": series, "promql_expr_test": tests}
    path.write_text(yaml.safe_dump({"rule_files": [], "evaluation_interval": "1m", "tests": [group]}), encoding="utf-8")
    told = subprocess.run(
        [promtool, "test", "rules", str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert told.returncode == 0, told.stdout + told.stderr


def _labelled(names: tuple[str, ...]) -> str:
    return ", ".join(f'{name}="{_LABELS.get(name, "some")}"' for name in names)


# ------------------------------------------------------------------------------ the expander of these tests


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("select $__timeFrom()", "select '2025-12-17T22:30:00Z'"),
        (
            "x where $__timeFilter(n.made_at)",
            "x where n.made_at BETWEEN '2025-12-17T22:30:00Z' AND '2025-12-17T22:30:00Z'",
        ),
        ("name = ${person:sqlstring}", "name = 'o''neil'"),
    ],
)
def test_macros_become_what_grafana_makes_of_them(looked: Looked, text: str, becomes: str) -> None:
    assert grafana.sql(text, Looked("o'neil", looked.first, looked.last)) == becomes


@pytest.mark.parametrize("text", ["$__timeFrim()", "$person", "$__timeFilter(x", "'\\d$'"])
def test_what_is_not_understood_is_not_sent(looked: Looked, text: str) -> None:
    with pytest.raises(ValueError, match=r"unknown macro|not expanded"):
        grafana.sql(text, looked)
