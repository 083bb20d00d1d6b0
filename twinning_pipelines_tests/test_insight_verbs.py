"""The verb `twinning insights`: those that hold first, then how much was tested."""

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.home import Home
from twinning_pipelines.verbs.insights import insights
from twinning_pipelines_tests.days_of_facts import PersonWithDays


@pytest.fixture
def ada(home: Home, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> PersonWithDays:
    url = home.settings.database_url
    assert url is not None
    monkeypatch.setenv("TWINNING_HOME", str(home.settings.home))
    monkeypatch.setenv("TWINNING_DATABASE_URL", url.get_secret_value())
    ada = PersonWithDays(engine, "ada", datetime.now(UTC).date())
    rng = np.random.default_rng(4)
    sleep = rng.standard_normal(180)
    ada.tell("sleep", "h", list(7 + sleep))
    ada.tell("spend", "EUR", list(50 - 5 * sleep + rng.standard_normal(180)))
    ada.tell("protein", "g", list(90 + rng.standard_normal(180)))
    return ada


def run(*words: str) -> Result:
    """The command; its exceptions come out."""
    return CliRunner().invoke(insights, words, catch_exceptions=False)


def test_what_holds_comes_first_then_what_was_tested(ada: PersonWithDays) -> None:
    lines = run().stdout.splitlines()
    assert lines[0] == "ada"
    assert lines[1].startswith("  ✓ A day of higher sleep goes together with lower spending the same day: r = -0.9")
    assert all(line.startswith("  · does not hold: ") for line in lines[2:-1])
    assert len(lines) == 8
    assert lines[-1].startswith("  21 pairs and lags were tested: 1 hold, 20 may well be chance")
    assert len(run("--all").stdout.splitlines()) == 1 + 21 + 1


def test_as_documents(ada: PersonWithDays, engine: sa.Engine) -> None:
    PersonWithDays(engine, "ben", ada.today)
    documents: list[dict[str, Any]] = [json.loads(line) for line in run("--json").stdout.splitlines()]
    assert [(each["person"], each["tested"], each["hold"]) for each in documents] == [("ada", 21, 1), ("ben", 0, 0)]
    (told,) = documents[0]["insights"]
    assert (told["first"], told["second"], told["lag_days"], told["holds"]) == ("sleep", "spend", 0, True)
    assert told["low"] < told["r"] < told["high"] < 0
    assert "goes together with" in told["text"]
    (all_of_it,) = [json.loads(line) for line in run("--person", "ada", "--all", "--json").stdout.splitlines()]
    assert [each["holds"] for each in all_of_it["insights"]] == [True] + [False] * 20


def test_nobody_of_that_name(ada: PersonWithDays) -> None:
    with pytest.raises(WrongUsage, match="nobody is called 'zoe'"):
        run("--person", "zoe")
