"""A strict stand-in for a SimpleFIN server, protocol 1 or 2, after the protocol's text and what the public bridge does.

Setup tokens work once. Every parameter must be one that the protocol names and say what it may. `pending` in any form
brings pending bookings, as on the public bridge. A window of more than 90 days is capped, with a message.
"""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from twinning_pipelines_tests.far_sides.scripted_server import Reply, Request, ScriptedServer

DAY = 86_400
_LONGEST_WINDOW = 90 * DAY
_PARAMETERS = {"start-date", "end-date", "pending", "account", "balances-only", "version"}

Account = dict[str, Any]


class FakeBridge(ScriptedServer):
    """The server. `version` is the newest that it knows; `allowance` the requests that it answers before it says 429."""

    def __init__(self, version: int = 2, allowance: int = 1_000) -> None:
        super().__init__()
        self.version, self.allowance = version, allowance
        self.username, self.password = "bridgeuser-F00D", "bridgepass-C0FFEE/and+more"
        self.claimed = {"claim-code-5EC4E7": False}
        self.accounts = list[Account]()
        self.messages = list[tuple[str, str, str]]()
        self.unpaid = self.revoked = False
        self.asked = list[Mapping[str, str]]()

    @property
    def setup_token(self) -> str:
        """As the bridge shows it."""
        (code,) = self.claimed
        return base64.b64encode(f"{self.url}/simplefin/claim/{code}".encode()).decode()

    @property
    def access_url(self) -> str:
        """What a setup token is worth."""
        name, word = self.username, self.password.replace("/", "%2F").replace("+", "%2B")
        return f"http://{name}:{word}@{urlsplit(self.url).netloc}/simplefin"

    @property
    def secrets(self) -> list[str]:
        """What a client keeps and nobody else may see."""
        pair = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return [self.username, self.password, pair, self.access_url]

    @property
    def setup_secrets(self) -> list[str]:
        """What a client sees once, in whole and in part."""
        return [*self.claimed, self.setup_token]

    def add_account(
        self, key: str, *, currency: str = "EUR", balance: str = "100.00", at: int = 0, **more: Any
    ) -> Account:
        """A new account of the bank Larch, with no bookings."""
        account = {"id": key, "name": f"Account {key}", "currency": currency, "balance": balance, "balance-date": at}
        self.accounts.append(account | {"transactions": []} | more)
        return self.accounts[-1]

    def answer(self, request: Request) -> Reply:
        """Routes: claiming needs no credentials, accounts do."""
        path = request.path.removeprefix("/simplefin")
        if request.method == "POST" and path.startswith("/claim/"):
            return self._claim(path.removeprefix("/claim/"), request.body)
        if request.method == "GET" and path == "/accounts":
            return self._accounts(request)
        return Reply(404, b"Not Found")

    def _claim(self, code: str, body: bytes) -> Reply:
        if body or self.claimed.get(code, True):
            return Reply(403, b"Forbidden")
        self.claimed[code] = True
        return Reply(200, self.access_url.encode() + b"\n")

    def _accounts(self, request: Request) -> Reply:
        pair = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {pair}" or self.revoked:
            return self._refusal(403, "gen.auth", "Forbidden")
        if self.unpaid:
            return self._refusal(402, "gen.", "Payment required")
        if len(self.asked) >= self.allowance:
            return Reply(429, b"Too many requests", {"Retry-After": "1800"})
        asked = request.params
        if wrong := self._wrong(asked):
            return self._refusal(400, "gen.api", wrong)
        self.asked.append(asked)
        return Reply.of(200, self._account_set(asked))

    def _wrong(self, asked: Mapping[str, str]) -> str:
        if unknown := set(asked) - _PARAMETERS:
            return f"unknown parameter {sorted(unknown)}"
        stamps = [asked[name] for name in ("start-date", "end-date") if name in asked]
        if not all(each.isdecimal() and len(each) <= 10 for each in stamps):
            return "dates are seconds since 1970"
        if len(stamps) == 2 and int(stamps[0]) >= int(stamps[1]):
            return "start-date is not before end-date"
        if self.version > 1 and asked.get("version", "1") not in {"1", "2"}:
            return "no such version"
        return "" if asked.get("balances-only", "1") == "1" else "balances-only is 1 or left out"

    def _refusal(self, status: int, code: str, message: str) -> Reply:
        told = {"errlist": [{"code": code, "msg": message}]} if self.version > 1 else {"errors": [message]}
        return Reply.of(status, told | {"accounts": []})

    def _account_set(self, asked: Mapping[str, str]) -> dict[str, Any]:
        start, end = int(asked.get("start-date", 0)), int(asked.get("end-date", 2**33))
        messages = list(self.messages)
        if end - start > _LONGEST_WINDOW:
            start = end - _LONGEST_WINDOW
            messages.append(("gen.api", "Requested date range exceeds limit of 90 days and was capped.", ""))
        accounts = [self._window(each, start, end, pending="pending" in asked) for each in self.accounts]
        if self.version == 1 or asked.get("version") != "2":
            org = {"domain": "larchbank.example", "name": "Larch Bank", "sfin-url": f"{self.url}/simplefin"}
            return {
                "errors": [message for _, message, _ in messages],
                "accounts": [{"org": org} | each for each in accounts],
            }
        errors = [
            {"code": code, "msg": message} | ({"conn_id": connection} if connection else {})
            for code, message, connection in messages
        ]
        about = {
            "conn_id": "CON-1",
            "name": "Larch Bank - Ada",
            "org_id": "INST-1",
            "org_url": "https://larchbank.example",
        }
        return {
            "errlist": errors,
            "connections": [about | {"sfin_url": f"{self.url}/simplefin"}],
            "accounts": [each | {"conn_id": "CON-1"} for each in accounts],
        }

    @staticmethod
    def _window(account: Account, start: int, end: int, *, pending: bool) -> Account:
        bookings = [
            each
            for each in account["transactions"]
            if start <= (each["posted"] or each["transacted_at"]) < end and (pending or not each.get("pending"))
        ]
        return account | {"transactions": bookings}


def booking(key: str, at: int, amount: str, description: str, *, pending: bool = False) -> dict[str, Any]:
    """A booking at an instant in seconds since 1970; a pending one has no moment of posting."""
    if pending:
        return {
            "id": key,
            "posted": 0,
            "transacted_at": at,
            "amount": amount,
            "description": description,
            "pending": True,
        }
    return {"id": key, "posted": at, "transacted_at": at, "amount": amount, "description": description}
