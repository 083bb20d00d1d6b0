"""The stand-in for Firefly III is as strict as the real one, and what it says fits the API's own description.

The contract tests run against the stand-in, and against a real server where TWINNING_TEST_FIREFLY_URL and
TWINNING_TEST_FIREFLY_TOKEN name one (a user of its own: they make accounts and transactions and delete the latter).
Without those no real Firefly III is ever asked.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import pytest

from twinning_pipelines.stores.firefly.client import Firefly, RemoteAccount, Sending
from twinning_pipelines.stores.firefly.groups import Group, Split
from twinning_pipelines_tests.far_sides import firefly_spec
from twinning_pipelines_tests.far_sides.firefly import FakeFirefly, deleting_rule
from twinning_pipelines_tests.far_sides.scripted_server import Reply, Request

JSON = "application/json"


@dataclass
class Server:
    """Any Firefly III, with two accounts that no other test uses."""

    url: str
    token: str
    fake: FakeFirefly | None = None
    mark: str = field(default_factory=lambda: uuid4().hex[:10])

    def __post_init__(self) -> None:
        self.firefly = Firefly(self.url, self.token)
        self.giro, self.savings = (self.account(name) for name in ("Giro", "Savings"))

    def account(self, name: str) -> RemoteAccount:
        document = {
            "name": f"{name} {self.mark}",
            "type": "asset",
            "account_role": "defaultAsset",
            "currency_code": "EUR",
        }
        made = self.firefly.create_account(document)
        assert isinstance(made, RemoteAccount)
        return made

    def withdrawal(self, external_id: str, **fields: Any) -> Split:
        values: dict[str, Any] = {
            "type": "withdrawal",
            "date": date(2026, 3, 2),
            "amount": Decimal("12.5"),
            "currency_code": "EUR",
            "description": "bread",
            "source_id": self.giro.id,
            "destination_name": "Bakery",
            "external_id": f"{external_id}-{self.mark}",
        }
        return Split(**(values | fields))

    def raw(self, method: str, path: str, *, headers: dict[str, str] | None = None, **request: Any) -> httpx.Response:
        said = {"Authorization": f"Bearer {self.token}", "Accept": JSON} | (headers or {})
        kept = {name: value for name, value in said.items() if value}
        with httpx.Client(trust_env=False, timeout=60) as http:
            del http.headers["Accept"]
            return http.request(method, f"{self.url}/api/v1{path}", headers=kept, **request)


@pytest.fixture(params=["stand-in", "own Firefly III"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The stand-in, then the reader's own."""
    if request.param == "stand-in":
        with FakeFirefly() as fake:
            server = Server(fake.url, fake.token, fake)
            with server.firefly:
                yield server
            assert fake.complaints == []
        return
    url, token = (os.environ.get(f"TWINNING_TEST_FIREFLY_{name}") for name in ("URL", "TOKEN"))
    if not url or not token:
        pytest.skip("TWINNING_TEST_FIREFLY_URL and TWINNING_TEST_FIREFLY_TOKEN name no Firefly III")
    own = Server(url, token)
    with own.firefly:
        yield own


@pytest.fixture
def stand_in() -> Iterator[Server]:
    """The stand-in alone."""
    with FakeFirefly() as fake:
        server = Server(fake.url, fake.token, fake)
        with server.firefly:
            yield server
        assert fake.complaints == []


# ------------------------------------------------------------------- what any Firefly III does


def test_it_says_its_version(server: Server) -> None:
    assert server.firefly.version()


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Accept": "text/html"}, 406), ({"Authorization": "Bearer wrong"}, 401), ({"X-Trace-Id": "no uuid"}, 400)],
)
def test_headers_are_looked_at_first(server: Server, headers: dict[str, str], status: int) -> None:
    assert server.raw("GET", "/about", headers=headers).status_code == status


def test_a_body_needs_a_content_type(server: Server) -> None:
    assert server.raw("POST", "/transactions", content=b"{}").status_code == 415


def test_a_transaction_is_stored_found_counted_changed_and_deleted(server: Server) -> None:
    firefly, split = server.firefly, server.withdrawal("a", tags=("x", "y"), notes="n", category_name="Food")
    name = split.external_id or ""
    assert (firefly.find(name), firefly.count(name)) == ([], 0)
    made = firefly.create(Group((split,)), Sending())
    assert made.group is not None
    (found,) = firefly.find(name)
    assert found == made.group == firefly.group(found.id)
    there = found.group.splits[0]
    assert (there.amount, there.date, there.tags, there.notes, there.category_name, there.destination_name) == (
        *(Decimal("12.5"), date(2026, 3, 2), ("x", "y"), "n", "Food"),
        "Bakery",
    )
    change = {"transaction_journal_id": found.journals[0], "amount": "13", "description": "rolls"}
    changed = firefly.update(found.id, [change], None, Sending()).group
    assert changed is not None
    assert (changed.group.splits[0].amount, changed.group.splits[0].description) == (Decimal(13), "rolls")
    assert changed.group.splits[0].notes == "n"
    firefly.delete(found.id)
    assert firefly.group(found.id) is None
    assert (firefly.find(name), firefly.count(name) > 0) == ([], True)
    firefly.delete(found.id)


def test_accounts_hold_what_their_transactions_add_up_to(server: Server) -> None:
    firefly = server.firefly
    transfer = server.withdrawal("t", type="transfer", destination_name=None, destination_id=server.savings.id)
    deposit = server.withdrawal(
        "d",
        type="deposit",
        source_id=None,
        source_name="Employer",
        destination_name=None,
        destination_id=server.giro.id,
    )
    ids = [firefly.create(Group((split,)), Sending()).group for split in (server.withdrawal("w"), transfer, deposit)]
    assert all(ids)
    giro, savings = firefly.account(server.giro.id), firefly.account(server.savings.id)
    assert giro is not None
    assert savings is not None
    assert (giro.balance, savings.balance) == (Decimal("-12.5"), Decimal("12.5"))
    listed = list(firefly.groups_of(server.giro.id, date(2026, 3, 1), date(2026, 3, 31)))
    assert {each.id for each in listed} == {each.id for each in ids if each}
    assert list(firefly.groups_of(server.giro.id, date(2026, 4, 1), date(2026, 4, 2))) == []
    for each in ids:
        firefly.delete(each.id if each else "")


def test_the_very_same_again_is_a_double_also_after_it_was_deleted(server: Server) -> None:
    firefly, group = server.firefly, Group((server.withdrawal("same"),))
    first = firefly.create(group, Sending()).group
    assert first is not None
    again = firefly.create(group, Sending())
    assert (again.verdict, again.twin) == ("duplicate", first.id)
    firefly.delete(first.id)
    assert firefly.create(group, Sending()).verdict == "duplicate"
    forced = firefly.create(group, Sending(), refuse_doubles=False)
    assert forced.group is not None
    firefly.delete(forced.group.id)


def test_parts_that_are_not_named_in_a_change_are_deleted(server: Server) -> None:
    firefly = server.firefly
    parts = tuple(server.withdrawal("p", description=word, notes=word) for word in ("one", "two", "three"))
    made = firefly.create(Group(parts, "shop"), Sending()).group
    assert made is not None
    assert [each.description for each in made.group.splits] == ["one", "two", "three"]
    named = [{"transaction_journal_id": journal} for journal in made.journals[:2]]
    left = firefly.update(made.id, named, "shop", Sending()).group
    assert left is not None
    assert left.journals == made.journals[:2]
    firefly.delete(made.id)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"amount": Decimal(0)}, "amount"),
        ({"amount": Decimal(-1)}, "amount"),
        ({"description": "x" * 1001}, "description"),
        ({"source_id": "99999999"}, "source_id"),
        ({"type": "transfer"}, "destination"),
        ({"date": date(1960, 1, 1)}, "date"),
        ({"foreign_amount": Decimal(1), "foreign_currency_code": "QQQ"}, "foreign_currency_code"),
    ],
)
def test_what_is_wrong_is_refused_by_field(server: Server, fields: dict[str, Any], field: str) -> None:
    outcome = server.firefly.create(Group((server.withdrawal("bad", **fields),)), Sending())
    assert outcome.verdict == "refused"
    assert f"transactions.0.{field}" in outcome.problem


def test_account_names_are_unique_and_searched(server: Server) -> None:
    document = {"name": server.giro.name, "type": "asset", "account_role": "defaultAsset"}
    said = server.firefly.create_account(document)
    assert isinstance(said, str)
    assert "already in use" in said
    assert [each.id for each in server.firefly.search_accounts("name", server.giro.name)] == [server.giro.id]
    assert server.firefly.search_accounts("name", server.mark) == []
    assert server.raw("GET", "/search/accounts", params={"query": "", "field": "name"}).status_code == 422


def test_the_end_of_a_batch_is_taken(server: Server) -> None:
    group = Group((server.withdrawal("batch"),))
    made = server.firefly.create(group, Sending(backfill=True)).group
    assert made is not None
    server.firefly.finish_batch()
    server.firefly.delete(made.id)


# ----------------------------------------------------------------------- what only the stand-in can be asked


def test_lists_come_in_pages_with_links(stand_in: Server) -> None:
    for n in range(5):
        stand_in.firefly.create(Group((stand_in.withdrawal(f"n{n}"),)), Sending())
    first = stand_in.raw("GET", "/transactions", params={"limit": "2"}).json()
    assert first["meta"]["pagination"] == {"total": 5, "count": 2, "per_page": 2, "current_page": 1, "total_pages": 3}
    assert first["links"]["next"].endswith("page=2")
    assert "next" not in stand_in.raw("GET", "/transactions", params={"limit": "2", "page": "3"}).json()["links"]


def test_a_rule_that_deletes_answers_with_its_number(stand_in: Server) -> None:
    assert stand_in.fake is not None
    stand_in.fake.books.rules.append(deleting_rule("bread"))
    assert stand_in.firefly.create(Group((stand_in.withdrawal("r"),)), Sending()).verdict == "rule_deleted"
    assert stand_in.firefly.create(Group((stand_in.withdrawal("q"),)), Sending(backfill=True)).verdict == "stored"


def test_the_batch_flag_is_part_of_the_hash(stand_in: Server) -> None:
    group = Group((stand_in.withdrawal("h"),))
    assert stand_in.firefly.create(group, Sending()).verdict == "stored"
    assert stand_in.firefly.create(group, Sending(backfill=True)).verdict == "stored"


def test_users_do_not_see_each_other(stand_in: Server) -> None:
    assert stand_in.fake is not None
    stand_in.fake.add_user("bobs-token")
    made = stand_in.firefly.create(Group((stand_in.withdrawal("mine"),)), Sending()).group
    assert made is not None
    with Firefly(stand_in.url, "bobs-token") as bob:
        assert bob.group(made.id) is None
        assert bob.accounts() == []


@pytest.mark.skipif(not firefly_spec.at_hand(), reason="the OpenAPI description of Firefly III is not at hand")
def test_the_description_complains_about_what_does_not_fit() -> None:
    def said(body: bytes, reply: Reply) -> list[str]:
        return firefly_spec.complaints(Request("POST", "/api/v1/transactions", {}, {}, body), reply)

    split = b'{"type":"withdrawal","date":"2026-03-02","amount":"1","description":"x"}'
    good = Reply.of(422, {"message": "no", "errors": {}})
    assert said(b'{"transactions":[%b]}' % split, good) == []
    stored = {"type": "transactions", "id": "1", "attributes": {"transactions": []}, "links": {}}
    assert said(b'{"transactions":[%b]}' % split, Reply.of(200, {"data": stored})) == []
    assert "amount" in said(b'{"transactions":[%b]}' % split.replace(b'"1"', b"1"), Reply.of(200, {"data": stored}))[0]
    assert "no field to be sent" in said(b'{"transactions":[%b],"odd":1}' % split, Reply.of(200, {"data": stored}))[0]
    assert "links" in said(b'{"transactions":[%b]}' % split, Reply.of(200, {"data": {**stored, "links": None}}))[0]
    unknown = firefly_spec.complaints(Request("GET", "/api/v1/nowhere", {}, {}, b""), Reply.of(200, {}))
    assert unknown == ["GET /api/v1/nowhere: unknown"]
