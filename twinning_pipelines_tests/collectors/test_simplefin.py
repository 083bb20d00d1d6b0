"""SimpleFIN: claiming a token, windows, what is covered, the allowance, and everything that a server may answer instead."""

import base64
import json
import socket
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.collectors.round import Places
from twinning_pipelines.collectors.simplefin import LONGEST_LOOK, REQUESTS_A_DAY, WINDOW, claim, windows
from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable, WrongUsage
from twinning_pipelines_tests.collectors.visits import (
    NOON,
    Watch,
    bookings,
    landed,
    page_of,
    seconds,
    simplefin_of,
    visit,
)
from twinning_pipelines_tests.far_sides.scripted_server import HalfAnswer, HangUp, Instead, Reply
from twinning_pipelines_tests.far_sides.simplefin_bridge import FakeBridge, booking

TODAY = datetime(2026, 11, 27, tzinfo=UTC)


def token_of(url: str) -> str:
    return base64.b64encode(url.encode()).decode()


def asked(bridge: FakeBridge) -> list[tuple[datetime, datetime]]:
    """The windows that the bridge was asked for."""
    stamps = [(each["start-date"], each["end-date"]) for each in bridge.asked]
    return [(datetime.fromtimestamp(int(first), UTC), datetime.fromtimestamp(int(end), UTC)) for first, end in stamps]


def test_a_setup_token_is_exchanged_once_and_then_says_that_somebody_may_have_used_it(bridge: FakeBridge) -> None:
    token = bridge.setup_token
    assert claim(f"  {token[:20]}\n{token[20:]} ") == bridge.access_url
    with pytest.raises(FarSideRefused, match=r"used before.*somebody else may see.*disable it") as refused:
        claim(token)
    assert not any(secret in str(refused.value) for secret in (*bridge.secrets, *bridge.setup_secrets))


def test_a_token_without_padding_or_in_the_alphabet_of_urls_is_one_too(bridge: FakeBridge) -> None:
    assert claim(bridge.setup_token.rstrip("=").replace("+", "-").replace("/", "_")) == bridge.access_url


@pytest.mark.parametrize(
    "token",
    [
        "",
        "not base64!",
        token_of("no url"),
        token_of("ftp://bridge.example/claim/1"),
        token_of("http://bridge.example/claim/1"),
        token_of("https://me:mine@bridge.example/claim/1"),
        token_of("https://bridge.example/claim/1?x=1"),
        "é" * 50,
        token_of("https://bridge.example/" + "x" * 9_000),
    ],
)
def test_what_is_no_token_is_said_so_and_nobody_is_asked(token: str) -> None:
    with pytest.raises(WrongUsage, match="no SimpleFIN setup token") as wrong:
        claim(token)
    assert wrong.value.__context__ is None


@pytest.mark.parametrize(
    "body", [b"", b"Thank you", b"http://a:b@far.example/simplefin", b"https://far.example/simplefin"]
)
def test_a_claim_that_gives_no_access_url_is_refused(bridge: FakeBridge, body: bytes) -> None:
    bridge.script.append(Instead(Reply(200, body)))
    with pytest.raises(FarSideRefused, match="gave no access URL"):
        claim(bridge.setup_token)


def test_a_claim_whose_answer_got_lost_says_that_the_token_may_be_used_up(bridge: FakeBridge) -> None:
    bridge.script.append(HangUp(stored=True))
    with pytest.raises(FarSideUnavailable, match="may be used up"):
        claim(bridge.setup_token)


def test_a_claim_is_not_sent_on_to_another_place(bridge: FakeBridge) -> None:
    bridge.script.append(Instead(Reply(307, b"", {"Location": f"{bridge.url}/simplefin/claim/elsewhere"})))
    with pytest.raises(FarSideRefused, match="sends us on"):
        claim(bridge.setup_token)
    assert len(bridge.exchanges) == 1


@given(st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1)), st.integers(0, 900))
def test_windows_follow_each_other_without_gap_and_none_is_longer_than_44_days(first: datetime, days: int) -> None:
    found = list(windows(first, first + timedelta(days=days)))
    assert sum((end - begin for begin, end in found), timedelta()) == timedelta(days=days)
    assert all(end == begin for (_, end), (begin, _) in pairwise(found))
    assert all(timedelta() < end - begin <= WINDOW for begin, end in found)
    assert not found or (found[0][0], found[-1][1]) == (first, first + timedelta(days=days))


def test_the_first_visit_looks_back_ninety_days_and_the_next_behind_what_is_covered(
    bridge: FakeBridge, places: Places, watch: Watch
) -> None:
    bridge.add_account("A")
    assert visit(places, simplefin_of(bridge), watch).state == "collected"
    windows_asked = asked(bridge)
    assert (windows_asked[0][0], windows_asked[-1][1]) == (TODAY - timedelta(days=90), TODAY + timedelta(days=1))
    assert all(end - first <= timedelta(days=44) for first, end in windows_asked)
    assert all(each["pending"] == "1" and each["version"] == "2" for each in bridge.asked)
    assert page_of(places, "ada/simplefin").covered_until == NOON
    bridge.asked.clear()
    watch.wait(days=2)
    bridge.accounts[0]["balance"] = "101.00"
    visit(places, simplefin_of(bridge, overlap_days=10), watch)
    assert asked(bridge) == [(TODAY - timedelta(days=10), TODAY + timedelta(days=3))]
    names = [path.name for path in landed(places)]
    assert names[-1] == "simplefin-20261117-20261130-at-20261129T120000Z.json"
    assert {path.parent.relative_to(places.inbox).as_posix() for path in landed(places)} == {"ada/simplefin"}


def test_every_booking_comes_at_least_once_and_none_without_pending_when_it_is_not_wanted(
    bridge: FakeBridge, places: Places, watch: Watch
) -> None:
    account = bridge.add_account("A")
    at = seconds(TODAY - timedelta(days=90))
    account["transactions"] = [booking(f"T{n}", at + n * 43_200, "-1.00", "x") for n in range(181)]
    account["transactions"].append(booking("P", seconds(NOON), "-2.00", "x", pending=True))
    visit(places, simplefin_of(bridge), watch)
    assert sorted(bookings(places)) == sorted([*(f"T{n}" for n in range(181)), "P"])
    for path in landed(places):
        path.unlink()
    watch.wait(hours=1)
    visit(places, simplefin_of(bridge, pending=False, person="ben"), watch)
    assert "P" not in bookings(places)
    assert "pending" not in bridge.asked[-1]


def test_since_says_where_to_begin_but_not_before_a_year(bridge: FakeBridge, places: Places, watch: Watch) -> None:
    visit(places, simplefin_of(bridge, since=date(2026, 11, 1)), watch)
    assert asked(bridge) == [(datetime(2026, 11, 1, tzinfo=UTC), TODAY + timedelta(days=1))]
    bridge.asked.clear()
    visit(places, simplefin_of(bridge, since=date(2019, 1, 1), person="ben"), watch)
    assert asked(bridge)[0][0] == TODAY - LONGEST_LOOK
    assert len(asked(bridge)) == 9


def test_time_is_not_covered_while_the_provider_complains(bridge: FakeBridge, places: Places, watch: Watch) -> None:
    bridge.add_account("A")
    visit(places, simplefin_of(bridge), watch)
    bridge.messages = [("con.auth", "Log in to Larch Bank again", "CON-1")]
    for _ in range(30):
        watch.wait(days=1)
        bridge.accounts[0]["balance-date"] += 1
        bridge.asked.clear()
        made = visit(places, simplefin_of(bridge), watch)
    said = "Log in to Larch Bank again" if bridge.version == 1 else "con.auth: Log in to Larch Bank again"
    assert (made.state, made.problem, made.messages) == ("collected", "", (said,))
    assert page_of(places, "ada/simplefin").covered_until == NOON
    assert asked(bridge)[0][0] == TODAY - timedelta(days=14)
    bridge.messages = []
    visit(places, simplefin_of(bridge), watch)
    assert page_of(places, "ada/simplefin").covered_until == watch()


def test_an_account_that_was_never_seen_is_fetched_from_the_beginning(
    bridge: FakeBridge, places: Places, watch: Watch
) -> None:
    bridge.add_account("A")
    visit(places, simplefin_of(bridge), watch)
    bridge.add_account("B")["transactions"] = [booking("OLD", seconds(TODAY - timedelta(days=60)), "-1.00", "x")]
    watch.wait(days=1)
    visit(places, simplefin_of(bridge), watch)
    assert "OLD" not in bookings(places)
    watch.wait(days=1)
    visit(places, simplefin_of(bridge), watch)
    assert "OLD" in bookings(places)
    watch.wait(days=1)
    bridge.asked.clear()
    visit(places, simplefin_of(bridge), watch)
    assert len(bridge.asked) == 1


def test_at_most_24_requests_are_made_in_24_hours_and_they_are_remembered(
    bridge: FakeBridge, places: Places, watch: Watch
) -> None:
    bridge.add_account("A")
    made = [visit(places, simplefin_of(bridge, since=date(2026, 1, 1)), watch)]
    for n in range(40):
        watch.wait(minutes=10)
        bridge.accounts[0]["balance-date"] = n
        made.append(visit(places, simplefin_of(bridge), watch))
    assert len(bridge.exchanges) == REQUESTS_A_DAY == len(page_of(places, "ada/simplefin").requests)
    assert "24 requests in 24 hours are spent; the next is free at 12:00 UTC" in made[-1].problem
    watch.moment = NOON + timedelta(days=1, minutes=1)
    assert visit(places, simplefin_of(bridge), watch).state == "collected"


def test_answers_that_say_the_same_do_not_pile_up(bridge: FakeBridge, places: Places, watch: Watch) -> None:
    account = bridge.add_account("A")
    account["transactions"] = [booking("T", seconds(TODAY), "-1.00", "x")]
    # The two older windows hold nothing, and say so in the same words.
    first = visit(places, simplefin_of(bridge), watch)
    assert (first.files, first.unchanged) == (2, 1)
    for _ in range(3):
        watch.wait(hours=1)
        again = visit(places, simplefin_of(bridge), watch)
        assert (again.files, again.unchanged) == (0, 1)
    account["balance"] = "99.00"
    assert visit(places, simplefin_of(bridge), watch).files == 1
    assert len(landed(places)) == 3


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(500, b"<html>Internal</html>"), "answers HTTP 500"),
        (Reply(504, b""), "answers HTTP 504"),
        (Reply(418, b"teapot"), "answers HTTP 418"),
        (Reply(401, b""), "does not know the access URL"),
        (Reply(200, b"<html><body>Maintenance</body></html>"), "no account set, but '‹html›‹body›Maintenance"),
        (Reply(200, b'{"accounts": ['), "no account set"),
        (Reply(200, b'{"accounts": 12}'), "no account set"),
        (Reply(200, b"[" * 200_000), "no account set"),
        (Reply(200, b"\xff\xfe\x00"), "no account set"),
        (Reply(200, b""), "no account set"),
        (Reply(302, b"", {"Location": "https://login.example/"}), "sends us on to login.example; not followed"),
        (Reply(302, b"", {"Location": "http://[bad"}), "no answer from"),
    ],
)
def test_whatever_is_answered_instead_is_told_and_nothing_lands(
    bridge: FakeBridge, places: Places, watch: Watch, reply: Reply, said: str
) -> None:
    bridge.script.append(Instead(reply))
    made = visit(places, simplefin_of(bridge), watch)
    assert (made.state, made.files) == ("failed", 0)
    assert said in made.problem
    assert page_of(places, "ada/simplefin").problem == made.problem
    assert not landed(places)
    assert len(bridge.exchanges) == 1
    assert visit(places, simplefin_of(bridge), watch, at_once=False).state == "collected"


@pytest.mark.parametrize("fault", [HangUp(stored=False), HangUp(stored=True), HalfAnswer()])
def test_a_connection_that_breaks_is_told(
    bridge: FakeBridge, places: Places, watch: Watch, fault: HangUp | HalfAnswer
) -> None:
    bridge.add_account("A")
    bridge.script.append(fault)
    made = visit(places, simplefin_of(bridge), watch)
    assert made.problem.startswith("no answer from 127.0.0.1")
    assert not landed(places)


def test_what_came_before_a_failure_is_kept_and_counts_as_covered(
    bridge: FakeBridge, places: Places, watch: Watch
) -> None:
    bridge.add_account("A")
    bridge.script.extend([None, Instead(Reply(500))])
    made = visit(places, simplefin_of(bridge), watch)
    assert (made.state, made.files) == ("failed", 1)
    assert page_of(places, "ada/simplefin").covered_until == TODAY - timedelta(days=46)
    bridge.asked.clear()
    visit(places, simplefin_of(bridge), watch)
    assert asked(bridge)[0][0] == TODAY - timedelta(days=60)


def test_402_403_and_429_say_what_to_do(bridge: FakeBridge, places: Places, watch: Watch) -> None:
    bridge.unpaid = True
    unpaid = visit(places, simplefin_of(bridge), watch).problem
    assert "wants to be paid" in unpaid
    assert "Payment required" in unpaid
    bridge.unpaid, bridge.revoked = False, True
    assert "revoked or is wrong" in visit(places, simplefin_of(bridge), watch).problem
    bridge.revoked, bridge.allowance = False, 0
    assert "asks to wait" in visit(places, simplefin_of(bridge), watch).problem
    assert page_of(places, "ada/simplefin").not_before == NOON + timedelta(minutes=30)
    bridge.allowance = 10
    assert visit(places, simplefin_of(bridge), watch).state == "resting"
    watch.wait(minutes=31)
    assert visit(places, simplefin_of(bridge), watch).state == "collected"
    assert page_of(places, "ada/simplefin").not_before is None


def test_an_answer_without_end_is_cut_off(bridge: FakeBridge, places: Places, watch: Watch) -> None:
    bridge.add_account("A", extra={"x": "y" * 300_000})
    made = visit(places, simplefin_of(bridge, most_bytes=256 * 1024), watch)
    assert "answers with more than 0.25 MiB" in made.problem
    assert not landed(places)


def test_a_server_that_says_nothing_is_left(places: Places, watch: Watch, bridge: FakeBridge) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://somebody:long-password@127.0.0.1:{deaf.getsockname()[1]}/simplefin"
        collector = simplefin_of(bridge, answer_seconds=0.1, access_url=url)
        assert "ReadTimeout" in visit(places, collector, watch).problem


def test_a_redirect_within_the_house_is_followed(bridge: FakeBridge, places: Places, watch: Watch) -> None:
    bridge.add_account("A")
    first = seconds(TODAY)
    place = f"{bridge.url}/simplefin/accounts?start-date={first}&end-date={first + 86_400}"
    bridge.script.append(Instead(Reply(302, b"", {"Location": place})))
    assert visit(places, simplefin_of(bridge, since=date(2026, 11, 20)), watch).state == "collected"
    assert "Authorization" in bridge.exchanges[1][0].headers


def test_a_redirect_to_another_port_is_another_house(bridge: FakeBridge, places: Places, watch: Watch) -> None:
    with FakeBridge() as other:
        bridge.script.append(Instead(Reply(302, b"", {"Location": f"{other.url}/simplefin/accounts"})))
        assert "not followed" in visit(places, simplefin_of(bridge), watch).problem
        assert not other.exchanges


def test_a_loop_of_redirects_ends(bridge: FakeBridge, places: Places, watch: Watch) -> None:
    bridge.script.extend([Instead(Reply(302, b"", {"Location": "/simplefin/accounts"}))] * 9)
    assert "on and on" in visit(places, simplefin_of(bridge), watch).problem
    assert len(bridge.exchanges) == 4


def test_messages_of_a_provider_are_made_harmless(bridge: FakeBridge, places: Places, watch: Watch) -> None:
    nasty = "<script>x</script> \x1b[31mred [click](http://x) \u202eback " + "long " * 200
    bridge.messages = [("con.", nasty, "CON-1"), ("con.", nasty, "CON-1")]
    (said,) = visit(places, simplefin_of(bridge), watch).messages
    assert len(said) <= 300
    assert not set(said) & set("<>[]\x1b\u202e")


def test_the_answer_lands_byte_for_byte(bridge: FakeBridge, places: Places, watch: Watch) -> None:
    bridge.add_account("A", name="Café  ☕")
    visit(places, simplefin_of(bridge, since=date(2026, 11, 20)), watch)
    ((_, reply),) = bridge.exchanges
    (path,) = landed(places)
    assert path.read_bytes() == reply.body
    assert json.loads(reply.body)["accounts"][0]["name"] == "Café  ☕"
    assert path.stat().st_mtime == NOON.timestamp()
    assert path.stat().st_mode & 0o077 == 0
