"""The Flex web service: two requests, patience, haste, refusals, and what else may be answered."""

import pytest

from twinning_pipelines.collectors.ibkr_flex import MINUTE_OF_REST, WAITS
from twinning_pipelines.collectors.round import Places
from twinning_pipelines.original import Original
from twinning_pipelines.sources.finance import ibkr_flex as source
from twinning_pipelines_tests.collectors.visits import NOON, Watch, flex_of, landed, page_of, visit
from twinning_pipelines_tests.far_sides.flex_service import STATEMENT, FakeFlex
from twinning_pipelines_tests.far_sides.scripted_server import HalfAnswer, HangUp, Instead, Reply


def test_a_statement_is_asked_for_until_it_is_made_and_lands_byte_for_byte(
    flex: FakeFlex, places: Places, watch: Watch
) -> None:
    flex.making = 3
    made = visit(places, flex_of(flex), watch)
    assert (made.state, made.files, made.problem) == ("collected", 1, "")
    assert flex.asked == ["SendRequest", *["GetStatement"] * 4]
    assert flex.waited == [2.0, *WAITS[:3]]
    (path,) = landed(places)
    assert (
        path.relative_to(places.inbox).as_posix() == "ben/ibkr_flex/ibkr_flex-20261101-20261126-at-20261127T120000Z.xml"
    )
    assert path.read_text(encoding="utf-8") == STATEMENT
    assert source.SOURCE.recognises(Original.at(path))
    assert page_of(places, "ben/ibkr_flex").covered_until == NOON


def test_haste_is_answered_with_a_minute_of_rest(flex: FakeFlex, places: Places, watch: Watch) -> None:
    flex.codes.extend(["1018", "", "1018"])
    made = visit(places, flex_of(flex), watch)
    assert made.state == "collected"
    assert flex.waited == [MINUTE_OF_REST, 2.0, MINUTE_OF_REST]


def test_our_own_pace_never_meets_the_limit(flex: FakeFlex, places: Places, watch: Watch) -> None:
    flex.making = len(WAITS)
    assert visit(places, flex_of(flex), watch).state == "collected"
    assert MINUTE_OF_REST not in flex.waited


def test_patience_ends_and_the_next_visit_begins_anew(flex: FakeFlex, places: Places, watch: Watch) -> None:
    flex.making = 99
    made = visit(places, flex_of(flex), watch)
    assert "no statement yet: 1019 Statement generation in progress" in made.problem
    assert flex.asked.count("GetStatement") == len(WAITS) + 1
    flex.making = 0
    assert visit(places, flex_of(flex), watch, at_once=False).state == "collected"


@pytest.mark.parametrize("code", ["1001", "1009", "1019"])
def test_a_request_that_is_not_taken_at_once_is_made_again(
    flex: FakeFlex, places: Places, watch: Watch, code: str
) -> None:
    flex.codes.append(code)
    assert visit(places, flex_of(flex), watch).state == "collected"
    assert flex.asked == ["SendRequest", "SendRequest", "GetStatement"]


@pytest.mark.parametrize("code", ["1012", "1013", "1014", "1015", "1016", "1017", "1020", "1025", "9999"])
def test_a_refusal_is_told_at_once_with_its_code(flex: FakeFlex, places: Places, watch: Watch, code: str) -> None:
    flex.codes.append(code)
    made = visit(places, flex_of(flex), watch)
    assert f"refuses: {code} " in made.problem
    assert flex.asked == ["SendRequest"]
    assert not flex.waited
    assert not landed(places)


def test_an_expired_token_a_wrong_one_and_a_wrong_query_say_what_to_do(
    flex: FakeFlex, places: Places, watch: Watch
) -> None:
    flex.expired = True
    assert "Token has expired.; the token has expired: make a new one" in visit(places, flex_of(flex), watch).problem
    assert "check the token" in visit(places, flex_of(flex, token="999888777666"), watch).problem
    flex.expired = False
    flex.seconds += 60
    assert "check the id of the query" in visit(places, flex_of(flex, query="1"), watch).problem


def test_no_statement_today_is_no_refusal(flex: FakeFlex, places: Places, watch: Watch) -> None:
    flex.codes.append("1003")
    assert "no statement yet: 1003" in visit(places, flex_of(flex), watch).problem
    assert not flex.waited


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(500, b""), "answers HTTP 500"),
        (Reply(429, b""), "answers HTTP 429"),
        (Reply(403, b"<html>Access Denied</html>"), "answers HTTP 403: check the address"),
        (Reply(200, b"<html><body>Log in</body></html>"), "Log in"),
        (Reply(200, b"ClientAccountID,Symbol\nU1,ALDTX\n"), "is the format of the query XML?"),
        (Reply(200, b"<FlexStatementResponse><Status>Fa"), "its XML is broken"),
        (Reply(200, b"<FlexStatementResponse/>"), "refuses: no status"),
        (Reply(200, b"<FlexStatementResponse><Status>Success</Status></FlexStatementResponse>"), "no reference code"),
        (Reply(200, STATEMENT.encode()), "no reference code"),
        (Reply(200, b'<!DOCTYPE a [<!ENTITY b "c">]><FlexStatementResponse/>'), "FlexStatementResponse"),
        (Reply(302, b"", {"Location": "https://elsewhere.example/?t=1"}), "sends us on to elsewhere.example"),
    ],
)
def test_whatever_is_answered_instead_is_told(
    flex: FakeFlex, places: Places, watch: Watch, reply: Reply, said: str
) -> None:
    flex.script.append(Instead(reply))
    made = visit(places, flex_of(flex), watch)
    assert (made.state, made.files) == ("failed", 0)
    assert said in made.problem
    assert flex.token not in made.problem


@pytest.mark.parametrize("fault", [HangUp(stored=True), HalfAnswer()])
def test_a_connection_that_breaks_is_told(
    flex: FakeFlex, places: Places, watch: Watch, fault: HangUp | HalfAnswer
) -> None:
    flex.script.extend([None, fault])
    assert "no answer from" in visit(places, flex_of(flex), watch).problem
    assert not landed(places)


def test_a_statement_that_is_too_long_is_cut_off(flex: FakeFlex, places: Places, watch: Watch) -> None:
    flex.statement = STATEMENT + " " * 2_000_000
    assert "more than 1 MiB" in visit(places, flex_of(flex, most_bytes=1024**2), watch).problem


def test_once_a_day_is_enough(flex: FakeFlex, places: Places, watch: Watch) -> None:
    collector = flex_of(flex)
    assert visit(places, collector, watch, at_once=False).state == "collected"
    watch.wait(hours=12)
    assert visit(places, collector, watch, at_once=False).state == "resting"
    watch.wait(hours=12)
    flex.seconds += 60
    again = visit(places, collector, watch, at_once=False)
    assert (again.state, again.files, again.unchanged) == ("collected", 0, 1)
