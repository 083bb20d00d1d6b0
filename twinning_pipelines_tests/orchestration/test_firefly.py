"""Under Dagster: bookings reach Firefly III, bad data does not, and nothing personal is in the event log."""

import re
from collections.abc import Iterator

import dagster as dg
import pytest
import sqlalchemy as sa

from twinning_pipelines.errors import FarSideUnavailable
from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines.orchestration.firefly import AGAIN, push
from twinning_pipelines.orchestration.keys import FIREFLY
from twinning_pipelines.settings import Secret, Settings
from twinning_pipelines_tests.far_sides.firefly import ERROR_500, FakeFirefly
from twinning_pipelines_tests.far_sides.scripted_server import Instead
from twinning_pipelines_tests.orchestration.drops import drop_statement, figures, materialise, verdicts


@pytest.fixture
def fake() -> Iterator[FakeFirefly]:
    """The server."""
    with FakeFirefly() as fake:
        yield fake
        assert fake.complaints == []


def with_firefly(home: Home, url: str, token: str) -> Home:
    """The home with a Firefly III."""
    settings = Settings(
        home=home.settings.home,
        database_url=home.settings.database_url,
        zone=home.settings.zone,
        firefly_url=url,
        firefly_token=Secret(token),
    )
    return Home(settings, home.sources)


def test_a_statement_reaches_firefly_and_a_second_run_sends_nothing(
    home: Home, opened: OpenHome, fake: FakeFirefly, instance: dg.DagsterInstance
) -> None:
    pushed = with_firefly(home, fake.url, fake.token)
    drop_statement(pushed)
    result = materialise(pushed, instance)
    assert result.success
    with opened.engine.connect() as connection:
        booked = connection.execute(sa.text("select count(*) from booking where gone_since is null")).scalar_one()
    told = figures(result, FIREFLY)
    assert (told["state"], told["done: create"]) == ("up to date", booked)
    assert len(fake.books.living()) == booked > 5
    found = verdicts(result)
    agrees = found["firefly", "firefly_agrees"]
    assert agrees.passed
    assert found["firefly", "nothing_refused"].passed
    written = fake.writes()
    again = materialise(pushed, instance)
    assert "done: create" not in figures(again, FIREFLY)
    assert fake.writes() == written
    payees = {account.name for account in fake.books.accounts.values()} | {"ada"}
    said = f"{agrees.metadata} {told}"
    assert not [name for name in payees if re.search(rf"\b{re.escape(name)}\b", said)]


def test_bad_data_stops_before_firefly(home: Home, fake: FakeFirefly, instance: dg.DagsterInstance) -> None:
    pushed = with_firefly(home, fake.url, fake.token)
    drop_statement(pushed, broken=40)
    result = materialise(pushed, instance)
    assert not result.success
    assert not fake.writes()


def test_what_was_refused_and_what_differs_is_seen(
    home: Home, opened: OpenHome, fake: FakeFirefly, instance: dg.DagsterInstance
) -> None:
    pushed = with_firefly(home, fake.url, fake.token)
    drop_statement(pushed)
    materialise(pushed, instance)
    with opened.engine.begin() as connection:
        connection.execute(
            sa.text("update firefly_outbox set state = 'refused' where id = (select min(id) from firefly_outbox)")
        )
    fake.books.groups.clear()
    found = verdicts(materialise(pushed, instance))
    assert (
        found["firefly", "nothing_refused"].passed,
        found["firefly", "nothing_refused"].metadata["parked"].value,
    ) == (*(False, 1),)
    assert not found["firefly", "firefly_agrees"].passed


def test_what_an_earlier_firefly_refused_is_no_longer_told(
    home: Home, opened: OpenHome, fake: FakeFirefly, instance: dg.DagsterInstance
) -> None:
    drop_statement(home)
    materialise(home, instance)
    with opened.engine.begin() as connection:
        connection.execute(
            sa.text(
                "insert into firefly_outbox (person_id, server, external_id, booking_ids, state) "
                "select id, 'http://earlier:8080', 'tw1-1', '{1}', 'refused' from person"
            )
        )
    here = verdicts(materialise(with_firefly(home, fake.url, fake.token), instance))["firefly", "nothing_refused"]
    assert (here.passed, here.metadata["parked"].value) == (True, 0)
    none = verdicts(materialise(home, instance))["firefly", "nothing_refused"]
    assert none.passed
    assert str(none.metadata["state"].value).startswith("not configured")


def test_a_home_without_firefly_says_so(home: Home, instance: dg.DagsterInstance) -> None:
    result = materialise(home, instance)
    assert result.success
    assert str(figures(result, FIREFLY)["state"]).startswith("not configured")
    assert verdicts(result)["firefly", "firefly_agrees"].passed


def test_only_silence_is_tried_again(home: Home, fake: FakeFirefly, instance: dg.DagsterInstance) -> None:
    assert AGAIN.max_retries == 3
    pushed = with_firefly(home, fake.url, fake.token)
    drop_statement(home)
    assert materialise(home, instance).success
    with pushed.opened() as opened:
        fake.script.append(Instead(ERROR_500))
        with pytest.raises(FarSideUnavailable):
            push(opened)
        fake.users["another"] = fake.users.pop(fake.token)
        with pytest.raises(dg.Failure, match="does not accept the token") as refused:
            push(opened)
        assert not refused.value.allow_retries
        wrong = OpenHome(with_firefly(home, "http://user:secret@nowhere:1", "t"), opened.engine)
        with pytest.raises(dg.Failure) as bug:
            push(wrong)
        assert not bug.value.allow_retries
        assert "secret" not in str(bug.value.description)
        nobody = OpenHome(with_firefly(home, fake.url, "zoe=token"), opened.engine)
        assert push(nobody) == []
