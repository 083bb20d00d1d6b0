"""A round: who is due, that nobody stops the others, what is remembered, and that there is one at a time."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from twinning_pipelines.collectors.collector import Fetched, due_at
from twinning_pipelines.collectors.credentials import Entry
from twinning_pipelines.collectors.logbook import Errand, Logbook, Page, alone
from twinning_pipelines.collectors.round import Places, collectors_of, configured, make_round, standings
from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable, WrongUsage
from twinning_pipelines_tests.collectors.visits import NOON, Watch, flex_of, landed, page_of, simplefin_of, visit
from twinning_pipelines_tests.far_sides.flex_service import FakeFlex
from twinning_pipelines_tests.far_sides.simplefin_bridge import FakeBridge

SECRET = "a-secret-of-some-length"


class Scripted:
    """A collector that does what the test says."""

    pause = timedelta(hours=1)
    secrets = (SECRET,)

    def __init__(self, person: str, *parts: bytes | Exception) -> None:
        self.person, self.name, self.parts = person, "scripted", parts

    def fetch(self, errand: Errand) -> Iterator[Fetched]:
        for n, part in enumerate(self.parts):
            if isinstance(part, Exception):
                raise part
            yield Fetched(f"{n}.json", part, errand.now())


def test_one_that_fails_does_not_stop_the_others(places: Places, watch: Watch) -> None:
    collectors = [
        Scripted("ada", b"1", FarSideRefused(f"no, not with {SECRET}")),
        Scripted("ben", RuntimeError(f"a bug that quotes {SECRET}")),
        Scripted("eve", OSError(28, "No space left on device")),
        Scripted("zoe", b"2"),
    ]
    ada, ben, eve, zoe = make_round(places, collectors, now=watch)
    assert (ada.state, ada.files, ada.problem) == ("failed", 1, "no, not with (secret)")
    assert ben.problem == "RuntimeError: a fault of this program"
    assert "No space left" in eve.problem
    assert (zoe.state, zoe.files) == ("collected", 1)
    assert [path.parent.parent.name for path in landed(places)] == ["ada", "zoe"]
    assert SECRET not in places.logbook.read_text()


def test_who_was_well_is_left_alone_for_a_while_and_who_failed_is_asked_again(places: Places, watch: Watch) -> None:
    well, ill = Scripted("ada", b"1"), Scripted("ben", FarSideUnavailable("not now"))
    assert [each.state for each in make_round(places, [well, ill], now=watch)] == ["collected", "failed"]
    watch.wait(minutes=59)
    assert [each.state for each in make_round(places, [well, ill], now=watch)] == ["resting", "failed"]
    watch.wait(minutes=2)
    assert [each.state for each in make_round(places, [well, ill], now=watch)] == ["collected", "failed"]
    assert [each.state for each in make_round(places, [well], now=watch, at_once=True)] == ["collected"]


def test_who_asked_to_be_left_alone_is_left_alone() -> None:
    collector = Scripted("ada")
    assert due_at(collector, Page()) is None
    assert due_at(collector, Page(last_success=NOON)) == NOON + timedelta(hours=1)
    assert due_at(collector, Page(last_success=NOON, problem="x")) is None
    late = NOON + timedelta(days=1)
    assert due_at(collector, Page(not_before=late, problem="x")) == late
    assert due_at(collector, Page(last_success=NOON, not_before=late)) == late


def test_what_landed_before_a_visit_broke_off_does_not_land_again(places: Places, watch: Watch) -> None:
    broken = Scripted("ada", b"1", b"2", FarSideUnavailable("gone"))
    assert visit(places, broken, watch).files == 2
    again = visit(places, Scripted("ada", b"1", b"2", b"3", b"3"), watch)
    assert (again.files, again.unchanged) == (1, 3)


def test_there_is_one_round_at_a_time(places: Places, watch: Watch) -> None:
    with alone(places.lock), pytest.raises(FarSideUnavailable, match="another round") as busy:
        list(make_round(places, [Scripted("ada", b"1")], now=watch))
    assert busy.value.__context__ is None
    assert visit(places, Scripted("ada", b"1"), watch).state == "collected"


def test_the_logbook_is_private_and_a_damaged_one_is_told(places: Places, watch: Watch) -> None:
    visit(places, Scripted("ada", b"1"), watch)
    assert places.logbook.stat().st_mode & 0o777 == 0o600
    assert json.loads(places.logbook.read_text())["pages"].keys() == {"ada/scripted"}
    assert Logbook.read(places.logbook).page("ada/scripted").last_success == NOON
    places.logbook.write_text('{"pages": {"ada/scripted": {"requests": 12')
    with pytest.raises(WrongUsage, match="damaged"):
        visit(places, Scripted("ada", b"1"), watch)


def test_nothing_but_whole_files_is_left_in_the_inbox(places: Places, watch: Watch) -> None:
    visit(places, Scripted("ada", b"1", b"2", RuntimeError("x")), watch)
    assert {path.name for path in (places.inbox / "ada" / "scripted").iterdir()} == {"0.json", "1.json"}
    assert {path.name for path in places.logbook.parent.iterdir()} == {"inbox", "collectors.json", "collectors.lock"}


def test_entries_become_collectors_with_names_of_their_own(bridge: FakeBridge, flex: FakeFlex) -> None:
    simplefin, token = {"access_url": bridge.access_url}, {"token": flex.token, "query": "1"}
    entries = [
        {"person": "ada", "simplefin": simplefin, "ibkr_flex": token},
        {"person": "ada", "name": "trades", "ibkr_flex": token},
    ]
    made = collectors_of([Entry.model_validate(each) for each in entries])
    assert [(each.person, each.name) for each in made] == [
        ("ada", "simplefin"),
        ("ada", "ibkr_flex"),
        ("ada", "ibkr_flex-trades"),
    ]
    told = repr(made)
    assert not [secret for secret in (*bridge.secrets, flex.token) if secret in told]


def test_a_home_without_secrets_has_no_collectors(places: Places) -> None:
    assert configured(places) == []
    assert standings(places) == []
    assert list(make_round(places, [])) == []


def test_how_they_stand(places: Places, watch: Watch, bridge: FakeBridge, flex: FakeFlex) -> None:
    bridge.messages = [("con.auth", "Log in again", "CON-1")]
    places.secrets.parent.mkdir(parents=True)
    places.secrets.write_text(
        f"- person: ada\n  simplefin: {{access_url: '{bridge.access_url}'}}\n"
        f"- person: ben\n  ibkr_flex: {{token: '{flex.token}', query: '1', address: '{flex.address}'}}\n"
    )
    places.secrets.chmod(0o600)
    visit(places, simplefin_of(bridge), watch)
    visit(places, flex_of(flex, query="1"), watch)
    ada, ben = standings(places, watch)
    assert (ada.collector, ada.requests, ada.due_at) == ("simplefin", 3, NOON + timedelta(hours=6))
    assert "Log in again" in ada.page.messages[0]
    assert "check the id of the query" in ben.page.problem
    assert page_of(places, "ben/ibkr_flex") == ben.page


def test_a_folder_of_the_inbox_that_can_not_be_written_is_told(places: Places, watch: Watch) -> None:
    places.inbox.mkdir(parents=True)
    Path(places.inbox / "ada").write_text("in the way")
    assert visit(places, Scripted("ada", b"1"), watch).state == "failed"
