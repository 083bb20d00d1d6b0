"""The client of Firefly III: what is repeated and what never is, what is refused and in which words, what is never shown."""

import hashlib
import json
import logging
import socket
import traceback
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable
from twinning_pipelines.stores.firefly.access import FireflyAccess
from twinning_pipelines.stores.firefly.client import Firefly, RemoteAccount, RemoteAttachment, Sending
from twinning_pipelines.stores.firefly.groups import Group, RemoteGroup, Split
from twinning_pipelines_tests.far_sides.firefly import ERROR_500, FakeFirefly
from twinning_pipelines_tests.far_sides.scripted_server import Fault, HalfAnswer, HangUp, Instead, Reply
from twinning_pipelines_tests.far_sides.waiting import Waiting

DAY = date(2026, 3, 2)


@pytest.fixture
def fake() -> Iterator[FakeFirefly]:
    """The server, with one account that has the id 1."""
    with FakeFirefly() as fake:
        fake.books.add_account({"name": "Giro", "type": "asset", "account_role": "defaultAsset"})
        yield fake
        assert fake.complaints == []


def client(fake: FakeFirefly, waiting: Waiting | None = None, **options: Any) -> Firefly:
    return Firefly(fake.url, options.pop("token", fake.token), **((waiting or Waiting()).clocks() | options))


def split(**fields: Any) -> Split:
    values: dict[str, Any] = {"type": "withdrawal", "date": DAY, "amount": Decimal("1.20"), "currency_code": "EUR"}
    return Split(**(values | {"description": "bread", "source_id": "1", "destination_name": "Bakery"} | fields))


# -------------------------------------------------------------------------------- again and not again


@pytest.mark.parametrize(
    "fault",
    [Instead(ERROR_500), Instead(Reply(503, b"<html>")), Instead(Reply(429)), Instead(Reply(408)), HalfAnswer()],
)
def test_what_passes_is_asked_again_with_growing_patience(fake: FakeFirefly, fault: Fault) -> None:
    waiting = Waiting()
    fake.script.extend([fault] * 4)
    with client(fake, waiting) as firefly:
        assert firefly.budgets() == set()
    assert waiting.waits == [1, 2, 4, 8]


def test_patience_ends_with_the_budget(fake: FakeFirefly) -> None:
    waiting = Waiting()
    fake.script.extend([Instead(ERROR_500)] * 100)
    with (
        client(fake, waiting, budget_seconds=20) as firefly,
        pytest.raises(FarSideUnavailable, match="within 20 s: HTTP 500"),
    ):
        firefly.budgets()
    assert sum(waiting.waits) <= 20


def test_the_server_says_how_long_to_wait(fake: FakeFirefly) -> None:
    waiting = Waiting()
    later = {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)}
    fake.script.extend([Instead(Reply(429, headers={"Retry-After": "7"})), Instead(Reply(503, headers=later))])
    with client(fake, waiting) as firefly:
        firefly.budgets()
    assert waiting.waits[0] == 7
    assert 35 <= waiting.waits[1] <= 41


@pytest.mark.parametrize(
    "fault", [Instead(ERROR_500), HangUp(stored=True), HangUp(stored=False), HalfAnswer(), Instead(Reply(408))]
)
def test_a_creation_of_which_nobody_knows_is_not_sent_again(fake: FakeFirefly, fault: Fault) -> None:
    fake.script.append(fault)
    with client(fake) as firefly:
        assert firefly.create(Group((split(),)), Sending()).verdict == "unknown"
    assert fake.writes() == {"POST": 1}


def test_a_creation_that_was_certainly_not_looked_at_is_sent_again(fake: FakeFirefly) -> None:
    waiting = Waiting()
    fake.script.append(Instead(Reply(429, headers={"Retry-After": "3"})))
    with client(fake, waiting) as firefly:
        assert firefly.create(Group((split(),)), Sending()).verdict == "stored"
    assert (waiting.waits, len(fake.books.groups)) == ([3], 1)


def test_nobody_listens() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        waiting = Waiting()
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with Firefly(url, "some-token", sleep=waiting.sleep, clock=waiting.clock, jitter=lambda: 1.0) as firefly:
            with pytest.raises(FarSideUnavailable, match="does not answer: ConnectError"):
                firefly.version()
            assert waiting.waits == []
            with pytest.raises(FarSideUnavailable, match="GET /budgets did not succeed within 180 s: ConnectError"):
                firefly.budgets()
            with pytest.raises(FarSideUnavailable, match="ConnectError"):
                firefly.create(Group((split(),)), Sending())


def test_a_server_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Firefly(url, "some-token", timeout_seconds=0.05, budget_seconds=0) as firefly:
            with pytest.raises(FarSideUnavailable, match="ReadTimeout"):
                firefly.budgets()
            assert firefly.create(Group((split(),)), Sending()).verdict == "unknown"


def test_a_slow_answer_of_three_seconds_is_waited_for(fake: FakeFirefly) -> None:
    fake.slow.append(3)
    with client(fake) as firefly:
        assert firefly.create(Group((split(),)), Sending()).verdict == "stored"


def test_changing_and_deleting_are_repeated(fake: FakeFirefly) -> None:
    with client(fake) as firefly:
        made = firefly.create(Group((split(),)), Sending()).group
        assert made is not None
        fake.script.extend([HangUp(stored=True), None])
        change = {"transaction_journal_id": made.journals[0], "amount": "3"}
        assert firefly.update(made.id, [change], None, Sending()).verdict == "stored"
        fake.script.extend([HangUp(stored=True), None])
        firefly.delete(made.id)
        assert firefly.update(made.id, [change], None, Sending()).verdict == "gone"


# ----------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "does not accept the token: make a new personal access token there and set TWINNING_FIREFLY_TOKEN"),
        (403, "does not let this token's owner do GET /about"),
        (404, "answers GET /about unexpectedly: check TWINNING_FIREFLY_URL"),
        (302, "check TWINNING_FIREFLY_URL"),
        (406, "check TWINNING_FIREFLY_URL"),
    ],
)
def test_a_refusal_says_what_to_change(fake: FakeFirefly, status: int, sentence: str) -> None:
    fake.script.append(Instead(Reply.of(status, {"message": "no"})))
    with client(fake) as firefly, pytest.raises(FarSideRefused) as raised:
        firefly.version()
    assert sentence in str(raised.value)
    assert len(fake.exchanges) == 1


@pytest.mark.parametrize(
    "body", [b"<html>Sign in</html>", b"[]", b"{}", b'{"data": 3}', b'{"data": {"version": "x"}}', b"\xff"]
)
def test_what_is_not_firefly_is_told(fake: FakeFirefly, body: bytes) -> None:
    fake.script.append(Instead(Reply(200, body)))
    with client(fake) as firefly, pytest.raises(FarSideRefused, match="does not answer as Firefly III does"):
        firefly.version()


@pytest.mark.parametrize("version", ["6.5.9", "5.7.18", "6.0.30"])
def test_an_old_version_is_refused(version: str) -> None:
    told = f"is {version}: update it to 6.6.0 or newer"
    with FakeFirefly(version=version) as fake, client(fake) as firefly, pytest.raises(FarSideRefused, match=told):
        firefly.version()


@pytest.mark.parametrize("version", ["6.6.0", "6.10.1", "v7.0.0-beta.1", "develop/2026-07-01"])
def test_a_newer_version_is_taken(version: str) -> None:
    with FakeFirefly(version=version) as fake, client(fake) as firefly:
        assert firefly.version() == version


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Reply.of(500, {"message": "Internal Firefly III Exception: 200032: gone"}), "rule_deleted"),
        (
            Reply.of(
                422, {"message": "x", "errors": {"transactions.0.description": ["Duplicate of transaction #12."]}}
            ),
            "duplicate",
        ),
        (
            Reply.of(422, {"message": "x", "errors": {"transactions.0.description": ["Internal exception: y"]}}),
            "trouble",
        ),
        (Reply.of(422, {"message": "x", "errors": {"transactions.0.amount": ["bad"]}}), "refused"),
        (Reply.of(422, None), "refused"),
    ],
)
def test_what_a_creation_may_come_to(fake: FakeFirefly, reply: Reply, verdict: str) -> None:
    fake.script.append(Instead(reply))
    with client(fake) as firefly:
        outcome = firefly.create(Group((split(),)), Sending())
    assert (outcome.verdict, outcome.twin) == (verdict, "12" if verdict == "duplicate" else "")
    assert len(fake.exchanges) == 1


def test_fields_that_a_newer_version_adds_are_left_aside(fake: FakeFirefly) -> None:
    with client(fake) as firefly:
        made = firefly.create(Group((split(),)), Sending()).group
        assert made is not None
        told = json.loads(fake.exchanges[-1][1].body)["data"]
        told["attributes"]["transactions"][0] |= {"brand_new": {"a": 1}, "tags": None, "foreign_amount": None}
        told["attributes"]["new"] = 1
        fake.script.append(Instead(Reply.of(200, {"data": told, "more": []})))
        assert firefly.group(made.id) == made
        del told["attributes"]["transactions"][0]["amount"]
        fake.script.append(Instead(Reply.of(200, {"data": told})))
        with pytest.raises(FarSideRefused, match="not a transaction of Firefly III"):
            firefly.group(made.id)


# ------------------------------------------------------------------------------------- what goes out


def test_lists_are_read_to_their_end(fake: FakeFirefly) -> None:
    for n in range(450):
        fake.books.store({"transactions": [split(external_id=f"n{n}").document()]})
    with client(fake) as firefly:
        groups = list(firefly.groups_of("1", DAY, DAY))
    assert len({each.id for each in groups}) == 450
    assert len(fake.exchanges) == 3


def test_accounts_and_names_and_attachments(fake: FakeFirefly) -> None:
    fake.books.budgets.append("Fun")
    with client(fake) as firefly:
        document = {"name": "Cash", "type": "asset", "account_role": "cashWalletAsset", "currency_code": "USD"}
        opened = {"opening_balance": "-12.50", "opening_balance_date": "2026-01-01", "account_number": "7"}
        made = firefly.create_account(document | opened)
        assert isinstance(made, RemoteAccount)
        assert (made.balance, made.opening, made.currency, made.number) == (
            Decimal("-12.5"),
            Decimal("-12.5"),
            "USD",
            "7",
        )
        assert [each.name for each in firefly.accounts()] == ["Giro", "Cash"]
        assert firefly.search_accounts("number", "7") == [made]
        assert firefly.account("99") is None
        firefly.create(Group((split(category_name="Food", budget_name="Fun"),)), Sending())
        assert (firefly.budgets(), firefly.categories()) == ({"Fun"}, {"Food"})
        placed = firefly.announce_attachment(made.id, "march.ofx", "ours")
        assert isinstance(placed, RemoteAttachment)
        assert firefly.attachments_of(made.id) == [placed] == [RemoteAttachment(placed.id, "march.ofx", "ours", 0, "")]
        assert firefly.upload(placed.id, b"OFX\x00") == ""
        (there,) = firefly.attachments_of(made.id)
        assert (there.size, there.md5) == (4, hashlib.md5(b"OFX\x00", usedforsecurity=False).hexdigest())
        assert "attachable_id" in str(firefly.announce_attachment("99", "march.ofx", ""))
        assert "filename" in str(firefly.announce_attachment(made.id, "", ""))
        assert "HTTP 422" in firefly.upload(placed.id, b"")
        fake.most_bytes = 3
        assert "HTTP 413" in firefly.upload(placed.id, b"OFX\x00")
        for _ in range(2):
            firefly.delete_attachment(placed.id)
        assert "HTTP 404" in firefly.upload(placed.id, b"OFX")
    assert fake.books.attachments == {}


def test_a_backfill_spares_the_server_its_work(fake: FakeFirefly) -> None:
    with client(fake) as firefly:
        firefly.create(Group((split(),)), Sending(backfill=True))
    body = json.loads(fake.exchanges[-1][0].body)
    switches = {name: value for name, value in body.items() if name != "transactions"}
    assert switches == {
        "apply_rules": False,
        "fire_webhooks": False,
        "batch_submission": True,
        "error_if_duplicate_hash": True,
    }
    assert body["transactions"] == [split().document()]


def test_the_token_is_never_shown(fake: FakeFirefly, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = json.dumps({"message": f"you sent {fake.token}"}).encode()
    shown = list[str]()
    with client(fake, budget_seconds=1.5) as firefly:
        for status in (401, 403, 418, 500, 422):
            fake.script.extend([Instead(Reply(status, echo))] * 3)
            try:
                shown.append(firefly.create(Group((split(),)), Sending()).problem)
                firefly.version()
            except (FarSideRefused, FarSideUnavailable) as error:
                shown += traceback.format_exception(error)
            fake.script.clear()
        shown.append(repr(firefly))
    access = FireflyAccess.of(fake.url, f"ada={fake.token}")
    shown += [repr(access), str(access), repr(access.client("ada"))]
    assert "[token]" in "".join(shown)
    assert fake.token not in "".join(shown) + caplog.text


@pytest.mark.parametrize(
    "url", ["localhost:80", "ftp://host", "http://", "http://user:secret@host", "http://host?x=1", ""]
)
def test_a_url_is_plain(url: str) -> None:
    with pytest.raises(ValueError, match="must read http") as raised:
        Firefly(url, "t")
    assert "secret" not in str(raised.value)


def test_the_api_below_the_address_may_be_named_or_not() -> None:
    assert {Firefly(f"http://host/ff{end}", "t").url for end in ("", "/", "/api", "/api/v1", "/api/v1/")} == {
        "http://host/ff"
    }


def test_a_proxy_of_the_environment_is_left_alone(fake: FakeFirefly, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with client(fake) as firefly:
        assert firefly.version()


# ------------------------------------------------------------------------------------------- whose


def test_one_token_is_everybodys_and_pairs_are_each_persons() -> None:
    everybody = FireflyAccess.of("http://host/", " abc\n")
    assert everybody.has("ada")
    assert everybody.server == "http://host"
    pairs = FireflyAccess.of("http://host", "ada=abc bob=d=f")
    assert [pairs.has(name) for name in ("ada", "bob", "cy")] == [True, True, False]
    assert (pairs.client("ada").url, pairs.client("bob").url) == ("http://host", "http://host")


@pytest.mark.parametrize("tokens", ["", " ", "abc def", "ada=", "=abc", "ada=x ada=y", "smörgås"])
def test_tokens_that_say_nothing_are_refused_unseen(tokens: str) -> None:
    with pytest.raises(ValueError, match="token") as raised:
        FireflyAccess.of("http://host", tokens)
    assert not tokens.strip() or tokens not in str(raised.value)


# ------------------------------------------------------------------------------------------ values

amounts = st.decimals("0.000000000001", "99999999999", places=6)
texts = st.text(min_size=1, max_size=20)
splits = st.builds(
    Split,
    type=st.sampled_from(["withdrawal", "deposit", "transfer"]),
    date=st.dates(date(1970, 1, 2), date(2038, 1, 17)),
    amount=amounts,
    currency_code=st.sampled_from(["EUR", "USD"]),
    description=texts,
    foreign_amount=st.none() | amounts,
    category_name=st.none() | texts,
    notes=st.none() | texts,
    tags=st.sets(texts, max_size=3).map(lambda tags: tuple(sorted(tags))),
    interest_date=st.none() | st.dates(date(1970, 1, 2), date(2038, 1, 17)),
)


@given(st.lists(splits, min_size=1, max_size=3), texts)
def test_a_group_is_what_its_json_says(parts: list[Split], title: str) -> None:
    group = Group(tuple(parts), title if len(parts) > 1 else None)
    document = json.loads(json.dumps(group.document()))
    assert Group.of(document) == group
    assert all("E" not in each["amount"] for each in document["transactions"])


@pytest.mark.parametrize(
    "data", [{}, {"id": 1}, {"id": "1", "attributes": {"transactions": [{}]}}, {"attributes": None}]
)
def test_what_is_no_group_is_a_value_error(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a transaction"):
        RemoteGroup.of(data)
