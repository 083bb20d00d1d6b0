"""`twinning summary`: which day, week or month is meant, what is printed, and the page."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.home import Home
from twinning_pipelines.verbs.summary import end_before, end_of, summary
from twinning_pipelines_tests.products.summary.person_days import PersonDays, every_day

DAY = date(2026, 3, 12)


@pytest.fixture
def ada(engine: sa.Engine, home: Home, monkeypatch: pytest.MonkeyPatch) -> PersonDays:
    url = home.settings.database_url
    assert url is not None
    monkeypatch.setenv("TWINNING_HOME", str(home.settings.home))
    monkeypatch.setenv("TWINNING_DATABASE_URL", url.get_secret_value())
    return PersonDays(engine)


def _run(*words: str) -> Result:
    return CliRunner().invoke(summary, list(words), catch_exceptions=False)


def _document(*words: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_run(*words, "--json").stdout)
    return document


@pytest.mark.parametrize(
    ("day", "week", "month"),
    [
        ("2026-03-12", "2026-03-15", "2026-03-31"),
        ("2026-03-15", "2026-03-15", "2026-03-31"),
        ("2024-02-29", "2024-03-03", "2024-02-29"),
    ],
)
def test_weeks_end_on_sundays_and_months_on_their_last_day(day: str, week: str, month: str) -> None:
    asked = date.fromisoformat(day)
    assert (str(end_of("day", asked)), str(end_of("week", asked)), str(end_of("month", asked))) == (day, week, month)
    assert end_before("week", asked) < asked
    assert end_of("week", end_before("week", asked)) == end_before("week", asked)
    assert end_of("month", end_before("month", asked)) == end_before("month", asked)


def test_without_a_day_the_newest_and_the_last_whole_week_are_meant(ada: PersonDays) -> None:
    ada.tell("steps", every_day(DAY, [9_000, 8_000] * 45), "count")
    assert _document()["day"] == "2026-03-12"
    week, month = _document("--week"), _document("--month")
    assert (week["kind"], week["day"]) == ("week", "2026-03-08")
    assert (month["kind"], month["day"]) == ("month", "2026-02-28")
    assert _document("--week", "--day", "2026-03-02")["day"] == "2026-03-08"


def test_it_is_written_once_unless_asked_again(ada: PersonDays) -> None:
    ada.tell("steps", every_day(DAY, [9_000, 8_000] * 45), "count")
    _run()
    ada.do("update daily_fact set value = 123 where day = :day", day=DAY)
    assert "123" not in _document()["text"]
    assert "restated since" in _run().stdout
    assert "123 steps" in _document("--write")["text"]


def test_the_page_is_written_where_it_is_asked_for(ada: PersonDays, tmp_path: Path) -> None:
    ada.tell("steps", every_day(DAY, [9_000, 8_000] * 45), "count")
    page = tmp_path / "new" / "page.html"
    said = _run("--html", str(page))
    assert "figures verified" in said.stdout
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "compared" in _run("--facts").stdout
    with pytest.raises(WrongUsage, match="can't be written"):
        _run("--html", "/dev/null/page.html")


def test_people_and_days_that_are_not_there(ada: PersonDays) -> None:
    with pytest.raises(WrongUsage, match="nothing is known of ada"):
        _run()
    with pytest.raises(WrongUsage, match="nobody is called 'eve'"):
        _run("--person", "eve")
    document = _document("--day", (datetime(2020, 1, 1) + timedelta(days=1)).strftime("%Y-%m-%d"))
    assert (document["facts"], document["headline"]) == ([], "Nothing is known of this day")
