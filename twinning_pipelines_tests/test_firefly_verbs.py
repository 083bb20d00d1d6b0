"""The verbs of `twinning firefly`: their words, JSON documents and exit codes."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from twinning_pipelines.errors import FarSideRefused, WrongUsage
from twinning_pipelines.home import Home
from twinning_pipelines.verbs.firefly import firefly
from twinning_pipelines_tests.far_sides.firefly import FakeFirefly
from twinning_pipelines_tests.household import Household
from twinning_pipelines_tests.products.firefly.traded import Broker


@pytest.fixture
def fake(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeFirefly]:
    """A server with two users, and the environment that names it."""
    url = home.settings.database_url
    assert url is not None
    with FakeFirefly() as fake:
        fake.add_user("bobs-token")
        monkeypatch.setenv("TWINNING_HOME", str(home.settings.home))
        monkeypatch.setenv("TWINNING_DATABASE_URL", url.get_secret_value())
        monkeypatch.setenv("TWINNING_FIREFLY_URL", fake.url)
        monkeypatch.setenv("TWINNING_FIREFLY_TOKEN", f"ada={fake.token} bob=bobs-token")
        yield fake
        assert fake.complaints == []


def run(*words: str) -> Result:
    """The command; its exceptions come out."""
    return CliRunner().invoke(firefly, words, catch_exceptions=False)


def documents(*words: str) -> list[dict[str, Any]]:
    """What it prints with --json."""
    return [json.loads(line) for line in run(*words, "--json").stdout.splitlines()]


def test_plan_push_drift_and_forget(engine: sa.Engine, fake: FakeFirefly) -> None:
    homes = [Household(engine, name) for name in ("ada", "bob", "cy")]
    for home in homes:
        giro = home.account("Giro")
        home.book(giro, "2026-03-02", "-5", "Bakery")
        home.book(giro, "2026-03-03", "0", "Bakery")
        home.state("Giro", "2026-03-31", "95")
    planned = documents("plan")
    assert [(each["person"], each["act"]) for each in planned] == [
        *(("ada", "account"), ("ada", "create")),
        *(("bob", "account"), ("bob", "create")),
    ]
    assert not fake.writes()
    assert homes[0].rows("select 1 from firefly_outbox") == []
    (bob,) = documents("push", "--person", "bob")
    assert (bob["person"], bob["create"], bob["left_out"], bob["waiting"]) == ("bob", 1, {"of zero": 1}, 0)
    assert (len(fake.books.groups), len(fake.users["bobs-token"].groups)) == (0, 1)
    assert "ada: create 1" in run("push", "--backfill").stdout
    assert documents("plan") == []
    drifts = documents("drift")
    assert [(each["person"], each["agrees"]) for each in drifts] == [("ada", True), ("bob", True)]
    assert {Decimal(each["balances"]["theirs"]) for each in drifts} == {Decimal(95)}
    assert "Giro EUR agrees: balance 95.00 here, 95.00 there" in run("drift").stdout

    fake.user_deletes(fake.books.living()[0])
    assert "deleted there: 1 (+5.00)" in run("drift", "--person", "ada").stdout
    assert documents("push", "--person", "ada")[0]["create"] == 0
    assert documents("forget-deleted") == [{"forgotten": 1}]
    assert documents("push", "--person", "ada")[0]["create"] == 1
    assert len(fake.books.living()) == 1
    assert documents("drift", "--person", "ada")[0]["agrees"]


def test_trades_are_planned_pushed_and_agree(engine: sa.Engine, fake: FakeFirefly) -> None:
    broker = Broker(Household(engine))
    broker.trade("2026-03-02", "-250.50", units=3, unit_price=83)
    broker.trade("1969-03-02", "-1")
    broker.household.state("Shares", "2026-03-31", "49.50")
    planned = documents("plan")
    assert [each["act"] for each in planned] == ["account", "create"]
    assert not fake.writes()
    assert broker.household.rows("select 1 from firefly_outbox") == []
    (done,) = documents("push")
    assert (done["create"], done["left_out"], done["waiting"]) == (1, {"before 1970 or after 2037": 1}, 0)
    assert planned[1]["what"] == fake.books.living()[0].living()[0].texts["external_id"]
    assert documents("plan") == []
    (drift,) = documents("drift")
    assert Decimal(drift["balances"]["theirs"]) == Decimal(drift["statement"]["ours"]) + 1
    assert Decimal(drift["differences"]["not to be pushed"]["sum"]) == 1
    assert drift["agrees"]
    assert Decimal(drift["unexplained"]) == 0


def test_trouble_with_one_does_not_keep_the_other(engine: sa.Engine, fake: FakeFirefly) -> None:
    for name in ("ada", "bob"):
        home = Household(engine, name)
        home.book(home.account("Giro"), "2026-03-02", "-5", "Bakery")
    del fake.users[fake.token]
    with pytest.raises(FarSideRefused, match="does not accept the token"):
        run("push")
    assert len(fake.users["bobs-token"].groups) == 1


def test_without_a_server_it_says_what_to_set(home: Home, fake: FakeFirefly, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWINNING_FIREFLY_URL")
    for verb in ("plan", "push", "drift", "forget-deleted"):
        with pytest.raises(WrongUsage, match="no Firefly III is configured"):
            run(verb)
    monkeypatch.setenv("TWINNING_FIREFLY_URL", "http://user:secret@host")
    with pytest.raises(WrongUsage, match="must read http") as raised:
        run("plan")
    assert "secret" not in str(raised.value)
