"""The API of Firefly III as far as Twinning uses it: values in, values out.

From: groups and accounts. To: one user of a Firefly III 6.6 or newer. Answers are read as far as they are needed; what a
newer version adds is left aside. Its own check for doubles covers deleted rows too and is asked for, but never relied on.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, Self

from msgspec import Struct

from twinning_pipelines.errors import FarSideRefused
from twinning_pipelines.stores.firefly.connection import DELETED_BY_A_RULE, Answer, Connection
from twinning_pipelines.stores.firefly.groups import Document, Group, RemoteGroup

# The first that counts deleted transactions by their external id.
OLDEST_VERSION = (6, 6, 0)
_PAGE = 200
_MOST_PAGES = 10_000
# Whatever words come with them.
_BY_STATUS = {403: "forbidden", 404: "gone", 413: "refused"}
_DUPLICATE = re.compile(r"Duplicate of transaction #(\d+)")


class RemoteAccount(Struct, frozen=True):
    """An asset account of the server. `balance` is in its own currency."""

    id: str
    name: str
    currency: str
    iban: str | None
    number: str | None
    balance: Decimal
    opening: Decimal
    notes: str


class RemoteAttachment(Struct, frozen=True):
    """A file at an account. `size` is 0 until its content has arrived; `md5` is the server's own."""

    id: str
    filename: str
    notes: str
    size: int
    md5: str


class Outcome(Struct, frozen=True):
    """What came of a write: `stored` (then `group` is what the server holds), `refused`, `forbidden` (by a server that answers
    otherwise), `trouble`, `duplicate` (of the group `twin`), `rule_deleted`, `gone` (there is nothing to change), or `unknown`."""

    verdict: str
    group: RemoteGroup | None = None
    problem: str = ""
    twin: str = ""


class Sending(Struct, frozen=True):
    """How creations are sent. A backfill spares the server its rules, its webhooks and its sums until `finish_batch`.

    The server's hash of a row holds the batch flag: rows of one backfill must all be sent alike.
    """

    backfill: bool = False

    def document(self) -> Document:
        """The switches of a creation."""
        quick = {"apply_rules": False, "fire_webhooks": False, "batch_submission": True}
        return quick if self.backfill else {"apply_rules": True, "fire_webhooks": True}


class Firefly:
    """One user of a server; a `with` block closes its connections. All methods raise FarSideUnavailable, FarSideRefused."""

    def __init__(self, url: str, token: str, **options: Any) -> None:
        """The options are those of `Connection`. Raises ValueError for a URL or a token that no request could carry."""
        self._connection = Connection(url, token, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def __repr__(self) -> str:
        return f"Firefly({self.url!r})"

    @property
    def url(self) -> str:
        """The server's address; it holds no secret."""
        return self._connection.url

    def pause(self, attempt: int) -> None:
        """Waits before the next look at something uncertain, longer each time."""
        self._connection.pause(attempt)

    def version(self) -> str:
        """The server's version, after one look without patience. Raises FarSideRefused for one that is too old."""
        data = self._connection.look("/about").body.get("data")
        told = str(data.get("version", "")) if isinstance(data, dict) else ""
        numbers = re.match(r"v?(\d+)\.(\d+)\.(\d+)", told)
        if numbers is None and not re.match(r"(develop|branch)", told):
            raise self._connection.not_understood(f"its version is {told!r}")
        if numbers is not None and tuple(map(int, numbers.groups())) < OLDEST_VERSION:
            oldest = ".".join(map(str, OLDEST_VERSION))
            raise FarSideRefused(f"Firefly III at {self.url} is {told}: update it to {oldest} or newer")
        return told

    # ---------------------------------------------------------------------------------- accounts

    def account(self, remote_id: str, on: date | None = None) -> RemoteAccount | None:
        """An asset account, with its balance of today or of a day; None where it is gone."""
        params = {"date": on.isoformat()} if on else {}
        answer = self._connection.ask("GET", f"/accounts/{remote_id}", {200, 404}, params=params)
        if answer.status == 404:
            return None
        data = self._data(answer)
        return self._account(data) if data["attributes"].get("type") in {"asset", None} else None

    def accounts(self) -> list[RemoteAccount]:
        """Every asset account."""
        return [self._account(each) for each in self._pages("/accounts", {"type": "asset"})]

    def search_accounts(self, field: str, value: str) -> list[RemoteAccount]:
        """The asset accounts whose `field` (name, iban, number) is exactly `value`; the server itself finds parts too."""
        pages = self._pages("/search/accounts", {"query": value, "field": field, "type": "asset"})
        found = [self._account(each) for each in pages]
        return [each for each in found if getattr(each, field) == value]

    def create_account(self, document: Mapping[str, Any]) -> RemoteAccount | str:
        """A new asset account; the server's words where it refuses (422) or where nobody knows."""
        answer = self._connection.ask_once("POST", "/accounts", {200, 422}, json=dict(document))
        if answer.status == 200:
            return self._account(self._data(answer))
        return self._connection.said(answer)

    def update_account(self, remote_id: str, document: Mapping[str, Any]) -> RemoteAccount | str:
        """Changes an account; the server's words where it refuses (422)."""
        answer = self._connection.ask("PUT", f"/accounts/{remote_id}", {200, 422}, json=dict(document))
        return self._account(self._data(answer)) if answer.status == 200 else self._connection.said(answer)

    # ------------------------------------------------------------------------------ transactions

    def groups_of(self, account: str, first: date, last: date) -> Iterator[RemoteGroup]:
        """Every group that touches an account in these days, both included."""
        days = {"start": first.isoformat(), "end": last.isoformat()}
        for data in self._pages(f"/accounts/{account}/transactions", days):
            yield self._group(data)

    def group(self, remote_id: str) -> RemoteGroup | None:
        """One group; None where it is gone."""
        answer = self._connection.ask("GET", f"/transactions/{remote_id}", {200, 404})
        return self._group(self._data(answer)) if answer.status == 200 else None

    def find(self, external_id: str) -> list[RemoteGroup]:
        """The groups with this external id that nobody deleted, the oldest first."""
        found = self._pages("/search/transactions", {"query": f'external_id_is:"{external_id}"'})
        groups = [self._group(data) for data in found]
        return sorted((each for each in groups if each.group.external_id == external_id), key=lambda each: int(each.id))

    def count(self, external_id: str) -> int:
        """How many transactions have or had this external id, deleted ones included."""
        params = {"external_identifier": external_id, "include_deleted": "true"}
        counted = self._get("/search/transactions/count", params).get("count")
        if not isinstance(counted, int):
            raise self._connection.not_understood("it does not count transactions")
        return counted

    def create(self, group: Group, sending: Sending, *, refuse_doubles: bool = True) -> Outcome:
        """Stores a group. Sent once: after `unknown`, look for its external id before sending it again."""
        body = group.document() | sending.document() | {"error_if_duplicate_hash": refuse_doubles}
        answer = self._connection.ask_once("POST", "/transactions", {200, 403, 413, 422, 500}, json=body)
        return self._outcome(answer)

    def update(self, remote_id: str, splits: Sequence[Document], title: str | None, sending: Sending) -> Outcome:
        """Changes fields of a group. Every split is to be named by its `transaction_journal_id`: those left out are deleted."""
        switches = {name: value for name, value in sending.document().items() if name != "batch_submission"}
        body: Document = {"transactions": list(splits)} | switches | ({"group_title": title} if title else {})
        accepted = {200, 403, 404, 413, 422, 500}
        return self._outcome(self._connection.ask("PUT", f"/transactions/{remote_id}", accepted, json=body))

    def delete(self, remote_id: str) -> None:
        """Deletes a group; one that is gone already stays so."""
        self._connection.ask("DELETE", f"/transactions/{remote_id}", {204, 404})

    def finish_batch(self) -> None:
        """Lets the server do what a backfill spared it."""
        self._connection.ask("POST", "/batch/finish", {200, 204}, json={})

    # ---------------------------------------------------------------------- names and attachments

    def budgets(self) -> set[str]:
        """The names of the budgets."""
        return {str(each["attributes"]["name"]) for each in self._pages("/budgets", {})}

    def categories(self) -> set[str]:
        """The names of the categories."""
        return {str(each["attributes"]["name"]) for each in self._pages("/categories", {})}

    def attachments_of(self, account: str) -> list[RemoteAttachment]:
        """What is attached to an account, the oldest first."""
        found = [self._attachment(each) for each in self._pages(f"/accounts/{account}/attachments", {})]
        return sorted(found, key=lambda each: int(each.id))

    def announce_attachment(self, account: str, filename: str, notes: str) -> RemoteAttachment | str | None:
        """A place for a file at an account, still empty; the server's words where it refuses; None: nobody knows, look."""
        about = {"filename": filename, "attachable_type": "Account", "attachable_id": account, "notes": notes}
        answer = self._connection.ask_once("POST", "/attachments", {200, 403, 413, 422}, json=about)
        if answer.unknown:
            return None
        return self._attachment(self._data(answer)) if answer.status == 200 else self._why_not(answer)

    def upload(self, attachment: str, content: bytes) -> str:
        """Sends the content of an attachment, in place of what it had; the server's words where it refuses, else nothing."""
        path, headers = f"/attachments/{attachment}/upload", {"Content-Type": "application/octet-stream"}
        answer = self._connection.ask("POST", path, {204, 403, 404, 413, 422}, content=content, headers=headers)
        return "" if answer.status == 204 else self._why_not(answer)

    def delete_attachment(self, attachment: str) -> None:
        """Deletes an attachment; one that is gone already stays so."""
        self._connection.ask("DELETE", f"/attachments/{attachment}", {204, 404})

    # ------------------------------------------------------------------------------------- answers

    def _get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        answer = self._connection.ask("GET", path, {200}, params=dict(params or {}))
        if not (body := answer.body):
            raise self._connection.not_understood(f"GET {path} is no JSON object")
        return body

    def _pages(self, path: str, params: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        for page in range(1, _MOST_PAGES):
            body = self._get(path, {**params, "page": str(page), "limit": str(_PAGE)})
            data, meta = body.get("data"), body.get("meta")
            if not isinstance(data, list):
                raise self._connection.not_understood(f"GET {path} has no list of data")
            yield from data
            pagination = meta.get("pagination", {}) if isinstance(meta, dict) else {}
            if page >= int(pagination.get("total_pages", 1)):
                return

    def _data(self, answer: Answer) -> dict[str, Any]:
        data = answer.body.get("data")
        if not isinstance(data, dict) or not isinstance(data.get("attributes"), dict) or "id" not in data:
            raise self._connection.not_understood("an object of data is missing")
        return data

    def _outcome(self, answer: Answer) -> Outcome:
        said = partial(self._connection.said, answer)
        if answer.unknown:
            return Outcome("unknown", problem=said())
        if answer.status == 200:
            return Outcome("stored", self._group(self._data(answer)))
        if (verdict := _BY_STATUS.get(answer.status)) is not None:
            return Outcome(verdict, problem=self._why_not(answer))
        if DELETED_BY_A_RULE in answer.message:
            return Outcome("rule_deleted", problem=said())
        if twin := _DUPLICATE.search(answer.message):
            return Outcome("duplicate", twin=twin[1], problem=said())
        # The server's own trouble while it stores comes dressed as a complaint about the description.
        return Outcome("trouble" if "Internal exception" in answer.message else "refused", problem=said())

    def _why_not(self, answer: Answer) -> str:
        """The server's words. A 403 is of this one request only if the server lets us look at it; else it raises."""
        if answer.status == 403:
            self.version()
        told = {403: "not let in, although others may be: ", 413: "too large for the server: "}
        return f"{told.get(answer.status, '')}{self._connection.said(answer)}"

    def _group(self, data: Mapping[str, Any]) -> RemoteGroup:
        try:
            return RemoteGroup.of(data)
        except ValueError as wrong:
            raise self._connection.not_understood(str(wrong)) from wrong

    def _attachment(self, data: Mapping[str, Any]) -> RemoteAttachment:
        try:
            told = data["attributes"]
            filename, notes, md5 = (str(told.get(each) or "") for each in ("filename", "notes", "hash"))
            return RemoteAttachment(str(data["id"]), filename, notes, int(told.get("size") or 0), md5)
        except (KeyError, TypeError, ValueError) as wrong:
            raise self._connection.not_understood("an attachment lacks its name or its size") from wrong

    def _account(self, data: Mapping[str, Any]) -> RemoteAccount:
        try:
            told = data["attributes"]
            balance, opening = (Decimal(str(told.get(each) or 0)) for each in ("current_balance", "opening_balance"))
            iban, number = (str(told[each]) if told.get(each) else None for each in ("iban", "account_number"))
            currency = str(told.get("currency_code") or "")
            notes = str(told.get("notes") or "")
            return RemoteAccount(str(data["id"]), str(told["name"]), currency, iban, number, balance, opening, notes)
        except (KeyError, TypeError, InvalidOperation) as wrong:
            raise self._connection.not_understood("an account lacks its name or its balance") from wrong
