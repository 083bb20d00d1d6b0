"""A strict stand-in for Firefly III 6.6: a real HTTP server with its books in memory.

It refuses what the real one refuses, and holds every exchange against the OpenAPI description where that is at hand:
`complaints` then lists what does not fit. Firefly III itself (PHP) is not run by these tests.
"""

import hashlib
import json
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from twinning_pipelines_tests.far_sides.firefly_books import (
    Account,
    Books,
    Group,
    Journal,
    Numbers,
    Rule,
)
from twinning_pipelines_tests.far_sides.firefly_fields import DeletedByRule, Fields, Refused
from twinning_pipelines_tests.far_sides.firefly_spec import complaints
from twinning_pipelines_tests.far_sides.scripted_server import (
    Fault,
    Instead,
    Reply,
    Request,
    ScriptedServer,
)

_JSON = ("application/json", "application/vnd.api+json")
_BODIES = (*_JSON, "application/x-www-form-urlencoded", "application/octet-stream")
_NOT_FOUND = Reply.of(404, {"message": "Resource not found", "exception": "NotFoundHttpException"})
_PER_PAGE = 50
ERROR_500 = Reply.of(500, {"message": "Internal Firefly III Exception: odd", "exception": "UndisclosedException"})


class FakeFirefly(ScriptedServer):
    """The server. `slow` holds how long, in seconds, the next answers are late; what was asked has then happened. `front`:
    what a proxy before it answers instead, if anything."""

    def __init__(self, *, version: str = "6.6.2") -> None:
        super().__init__()
        self.version = version
        self.token = "fake-firefly-token-that-must-never-be-shown"
        self._numbers = Numbers()
        self.users = {self.token: Books(self._numbers)}
        self.slow = deque[float]()
        self.weather: Callable[[], Fault | None] = lambda: None
        self.front: Callable[[Request], Reply | None] = lambda request: None
        self.complaints = list[str]()
        self.today = date(2026, 11, 27)
        self.most_bytes = 16_000_000

    @property
    def books(self) -> Books:
        """The first user's."""
        return self.users[self.token]

    def add_user(self, token: str) -> Books:
        """Another user, with books of their own."""
        return self.users.setdefault(token, Books(self._numbers))

    def writes(self) -> Counter[str]:
        """How many requests of each method but GET have come."""
        return Counter(request.method for request, _ in self.exchanges if request.method != "GET")

    def meet(self, request: Request) -> tuple[Reply, Fault | None]:
        """As any server of these tests, with weather, and late where it is told to be."""
        with self._lock:
            if not self.script and (fault := self.weather()) is not None:
                self.script.append(fault)
        reply, met = super().meet(request)
        if not isinstance(met, Instead):
            self.complaints += complaints(request, reply)
        if self.slow:
            time.sleep(self.slow.popleft())
        return reply, met

    def answer(self, request: Request) -> Reply:
        """Headers, token, path: in the order of the real one."""
        if (wrong := self.front(request) or _headers(request)) is not None:
            return wrong
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.users:
            return Reply.of(401, {"message": "Unauthenticated", "exception": "AuthenticationException"})
        books, path = self.users[token], request.path.removeprefix("/api/v1")
        try:
            for method, pattern, serve in self._routes():
                if method == request.method and (found := re.fullmatch(pattern, path)):
                    return serve(books, request, *found.groups())
        except Refused as refused:
            message = refused.sentence
            return Reply.of(422, {"message": message, "errors": {refused.field: [message]}})
        except DeletedByRule:
            message = "Internal Firefly III Exception: 200032: Cannot find journal, it may have been deleted by a rule."
            return Reply.of(500, {"message": message, "exception": "UndisclosedException"})
        return _NOT_FOUND

    def _routes(self) -> Sequence[tuple[str, str, Callable[..., Reply]]]:
        return (
            ("GET", "/about", self._about),
            ("GET", "/accounts", self._accounts),
            ("POST", "/accounts", self._add_account),
            ("GET", r"/accounts/(\d+)", self._account),
            ("PUT", r"/accounts/(\d+)", self._change_account),
            ("GET", r"/accounts/(\d+)/transactions", self._transactions),
            ("GET", r"/accounts/(\d+)/attachments", self._attachments),
            ("GET", "/transactions", self._transactions),
            ("POST", "/transactions", self._store),
            ("GET", r"/transactions/(\d+)", self._transaction),
            ("PUT", r"/transactions/(\d+)", self._change),
            ("DELETE", r"/transactions/(\d+)", self._delete),
            ("GET", "/search/transactions", self._search),
            ("GET", "/search/transactions/count", self._count),
            ("GET", "/search/accounts", self._search_accounts),
            ("GET", "/budgets", self._budgets),
            ("GET", "/categories", self._categories),
            ("POST", "/attachments", self._attach),
            ("POST", r"/attachments/(\d+)/upload", self._upload),
            ("DELETE", r"/attachments/(\d+)", self._detach),
            ("POST", "/batch/finish", self._finish),
        )

    # ----------------------------------------------------------------------------------- accounts

    def _about(self, _books: Books, _request: Request) -> Reply:
        told = {"version": self.version, "api_version": self.version, "php_version": "8.5.1", "os": "Linux"}
        return Reply.of(200, {"data": told | {"driver": "pgsql"}})

    def _accounts(self, books: Books, request: Request) -> Reply:
        wanted = request.params.get("type", "all")
        found = [each for each in books.accounts.values() if wanted in {"all", each.type}]
        return self._page(request, [self._told_account(books, each, request) for each in found])

    def _account(self, books: Books, request: Request, number: str) -> Reply:
        account = books.accounts.get(int(number))
        return _said(self._told_account(books, account, request)) if account else _NOT_FOUND

    def _add_account(self, books: Books, request: Request) -> Reply:
        return _said(self._told_account(books, books.add_account(json.loads(request.body)), request))

    def _change_account(self, books: Books, request: Request, number: str) -> Reply:
        if (account := books.accounts.get(int(number))) is None:
            return _NOT_FOUND
        books.change_account(account, json.loads(request.body))
        return _said(self._told_account(books, account, request))

    def _search_accounts(self, books: Books, request: Request) -> Reply:
        query, field = request.params.get("query", ""), request.params.get("field", "")
        if not query or field not in {"all", "id", "name", "iban", "number"}:
            return Reply.of(422, None)
        kind, part = request.params.get("type", "all"), query.casefold()
        found = [
            each
            for each in books.accounts.values()
            if kind in {"all", each.type} and part in str(getattr(each, field) or "").casefold()
        ]
        return self._page(request, [self._told_account(books, each, request) for each in found])

    def _told_account(self, books: Books, account: Account, request: Request) -> Fields:
        on = date.fromisoformat(request.params["date"]) if "date" in request.params else self.today
        balance = books.balances(account, on).get(account.currency, Decimal(0))
        day = account.opening_day
        told = {
            "active": True,
            "name": account.name,
            "type": account.type,
            "account_role": account.role,
            "currency_code": account.currency,
            "currency_id": str(1 + sum(map(ord, account.currency))),
            "currency_decimal_places": 2,
            "current_balance": f"{balance:.12f}",
            "opening_balance": f"{account.opening:.12f}",
            "opening_balance_date": f"{day}T00:00:00+01:00" if day else None,
            "virtual_balance": "0.000000000000",
            "iban": account.iban,
            "account_number": account.number,
            "notes": account.notes,
            "include_net_worth": True,
        }
        return {"type": "accounts", "id": str(account.id), "attributes": told}

    # ------------------------------------------------------------------------------- transactions

    def _transactions(self, books: Books, request: Request, account: str = "") -> Reply:
        if account and int(account) not in books.accounts:
            return _NOT_FOUND
        first = date.fromisoformat(request.params.get("start", "1970-01-02"))
        last = date.fromisoformat(request.params.get("end", "2038-01-17"))
        found = [
            group
            for group in books.living()
            if any(
                first <= each.day <= last and (not account or int(account) in {each.source.id, each.destination.id})
                for each in group.living()
            )
        ]
        return self._page(request, list(map(_told_group, found)))

    def _store(self, books: Books, request: Request) -> Reply:
        return _said(_told_group(books.store(json.loads(request.body))))

    def _transaction(self, books: Books, _request: Request, number: str) -> Reply:
        group = books.groups.get(int(number))
        return _said(_told_group(group)) if group and not group.deleted else _NOT_FOUND

    def _change(self, books: Books, request: Request, number: str) -> Reply:
        group = books.groups.get(int(number))
        if group is None or group.deleted:
            return _NOT_FOUND
        books.change(group, json.loads(request.body))
        return _said(_told_group(group))

    def _delete(self, books: Books, _request: Request, number: str) -> Reply:
        group = books.groups.get(int(number))
        if group is None or group.deleted:
            return _NOT_FOUND
        books.delete(group)
        return Reply(204)

    def _search(self, books: Books, request: Request) -> Reply:
        return self._page(request, list(map(_told_group, books.found(request.params.get("query", "")))))

    def _count(self, books: Books, request: Request) -> Reply:
        deleted_too = request.params.get("include_deleted") == "true"
        counted = books.counted(request.params.get("external_identifier", ""), deleted_too=deleted_too)
        return Reply.of(200, {"count": counted})

    # ------------------------------------------------------------------------------ all the others

    def _budgets(self, books: Books, request: Request) -> Reply:
        told = [
            {"type": "budgets", "id": str(n), "attributes": {"name": name}} for n, name in enumerate(books.budgets, 1)
        ]
        return self._page(request, told)

    def _categories(self, books: Books, request: Request) -> Reply:
        names = sorted({each.texts["category_name"] for each in books.journals() if each.texts["category_name"]})
        told = [{"type": "categories", "id": str(n), "attributes": {"name": name}} for n, name in enumerate(names, 1)]
        return self._page(request, told)

    def _attach(self, books: Books, request: Request) -> Reply:
        number, attachment = books.attach(json.loads(request.body))
        return _said(_told_attachment(number, attachment))

    def _upload(self, books: Books, request: Request, number: str) -> Reply:
        if int(number) not in books.attachments:
            return _NOT_FOUND
        if len(request.body) > self.most_bytes:
            return Reply(413, b"<html>413 Request Entity Too Large</html>")
        if request.headers.get("Content-Type") != "application/octet-stream":
            return Reply.of(415, {"message": "Content-Type header is wrong", "exception": "BadHttpHeaderException"})
        if not request.body:
            return Reply.of(422, [])
        books.attachments[int(number)]["content"] = request.body
        return Reply(204)

    def _detach(self, books: Books, _request: Request, number: str) -> Reply:
        return Reply(204) if books.attachments.pop(int(number), None) is not None else _NOT_FOUND

    def _attachments(self, books: Books, request: Request, account: str) -> Reply:
        if int(account) not in books.accounts:
            return _NOT_FOUND
        found = {n: each for n, each in books.attachments.items() if each["attachable_id"] == account}
        return self._page(request, [_told_attachment(n, each) for n, each in found.items()])

    def _finish(self, books: Books, _request: Request) -> Reply:
        books.unfinished_batch = 0
        return Reply(204)

    def _page(self, request: Request, every: Sequence[Fields]) -> Reply:
        per, page = int(request.params.get("limit", _PER_PAGE)), int(request.params.get("page", 1))
        pages = max(1, -(-len(every) // per))
        shown = list(every[(page - 1) * per : page * per])
        here = f"{self.url}{request.path}"
        links = {"self": f"{here}?&page={page}", "first": f"{here}?&page=1", "last": f"{here}?&page={pages}"}
        if page < pages:
            links["next"] = f"{here}?&page={page + 1}"
        pagination = {"total": len(every), "count": len(shown), "per_page": per, "current_page": page}
        return _vnd({"data": shown, "meta": {"pagination": pagination | {"total_pages": pages}}, "links": links})

    # ----------------------------------------------------------------------------- what a user does

    def user_edits(self, group: Group, **texts: object) -> None:
        """Changes fields of every split in the web pages; `amount`, `day` and others that are no texts are known too."""
        for each in group.living():
            for name, value in texts.items():
                if name in {"amount", "day", "tags", "reconciled", "has_attachments"}:
                    setattr(each, name, value)
                else:
                    each.texts[name] = value

    def user_deletes(self, group: Group) -> None:
        """Deletes a group in the web pages."""
        self.books.delete(group)

    def group_of(self, external_id: str) -> Group:
        """The one living group with this external id."""
        (group,) = (
            group
            for group in self.books.living()
            if any(each.texts["external_id"] == external_id for each in group.living())
        )
        return group


def deleting_rule(word: str) -> Rule:
    """A rule that deletes what has a word in its description."""
    return lambda journal: "delete" if word in journal.texts["description"] else None


def _headers(request: Request) -> Reply | None:
    if request.headers.get("Accept") not in _JSON:
        return Reply.of(406, {"message": "Accept header must be JSON", "exception": "BadHttpHeaderException"})
    kind = request.headers.get("Content-Type", "").partition(";")[0]
    if request.method in {"POST", "PUT"} and kind not in _BODIES:
        return Reply.of(415, {"message": "Content-Type header is missing", "exception": "BadHttpHeaderException"})
    try:
        UUID(request.headers.get("X-Trace-Id", str(UUID(int=0))))
    except ValueError:
        return Reply.of(400, {"message": "X-Trace-Id must be a UUID", "exception": "BadRequestHttpException"})
    return None


def _vnd(body: object) -> Reply:
    return Reply(200, json.dumps(body).encode(), {"Content-Type": "application/vnd.api+json"})


def _said(data: Fields) -> Reply:
    return _vnd({"data": data})


def _told_attachment(number: int, sent: Mapping[str, Any]) -> Fields:
    content = sent["content"]
    told = {name: value for name, value in sent.items() if name != "content"}
    told |= {"size": len(content or b""), "mime": "text/plain" if content else ""}
    told |= {"hash": hashlib.md5(content, usedforsecurity=False).hexdigest() if content else ""}
    return {"type": "attachments", "id": str(number), "attributes": told, "links": {"self": f"/attachments/{number}"}}


def _told_group(group: Group) -> Fields:
    told = {"group_title": group.title, "transactions": list(map(_told_journal, group.listed()))}
    return {
        "type": "transactions",
        "id": str(group.id),
        "attributes": told,
        "links": {"self": f"/transactions/{group.id}"},
    }


def _told_journal(journal: Journal) -> Fields:
    told: Fields = {
        "transaction_journal_id": str(journal.id),
        "type": journal.type,
        "date": f"{journal.day}T00:00:00+01:00",
        "order": journal.order,
        "currency_id": str(1 + sum(map(ord, journal.currency))),
        "currency_code": journal.currency,
        "currency_decimal_places": 2,
        "amount": f"{journal.amount:.12f}",
        "foreign_amount": None if journal.foreign_amount is None else f"{journal.foreign_amount:.12f}",
        "foreign_currency_code": journal.foreign_currency,
        "tags": journal.tags,
        "reconciled": journal.reconciled,
        "import_hash_v2": journal.hash or None,
        "has_attachments": journal.has_attachments,
    }
    for side, account in (("source", journal.source), ("destination", journal.destination)):
        told |= {f"{side}_id": str(account.id), f"{side}_name": account.name, f"{side}_iban": account.iban}
    days = {name: f"{day}T00:00:00+01:00" if day else None for name, day in journal.days.items()}
    return told | journal.texts | days
