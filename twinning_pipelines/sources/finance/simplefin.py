"""Accounts, bookings, balances and holdings as a SimpleFIN bridge tells them, protocol 1 and 2.

From: `GET /accounts` of a SimpleFIN server, fetched by `twinning collect` or saved by hand as JSON.
To: Transaction, Holding, RegisterEntry (what an account is called), balances as claims, and the provider's messages.

An account is called by its institution's domain (else its name) and its id: names are changed in a bank's pages, ids not.
A booking that the provider announces and has not booked is `pending`; booked, it may come with another id and another day.

A balance is told as of `balance-date`, a moment within a day. It proves the bookings of that day, as `closing_balance`,
only if the file was made on a later day and has no booking that posted after that moment; any other is an
`interim_balance` and proves nothing. Nor does that of an account with holdings, which moves with the market: it is an
`account_value`. What is available is kept as `available_balance` and is never a closing balance.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

from msgspec import Struct, field

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats import json_stream
from twinning_pipelines.formats.account_set import MESSAGE_LISTS, messages_of
from twinning_pipelines.formats.foreign_words import plain
from twinning_pipelines.formats.json_values import detail_of, json_of, shown, text_of
from twinning_pipelines.formats.numbers import NumberStyle
from twinning_pipelines.original import Original
from twinning_pipelines.records.money import (
    HOLDING,
    NO_CURRENCY,
    REGISTER_ENTRY,
    TRANSACTION,
    UNNAMED_ACCOUNT,
    key_of,
)
from twinning_pipelines.source import Claim, Item, Notice, Rejection, Row, Source, gather

_ACCOUNTS = re.compile(r'"accounts"\s*:\s*\[')
_MESSAGES = re.compile(r'"err(?:ors|list)"\s*:\s*\[')
_LISTS = ("transactions", "holdings")
_CODE = re.compile("[A-Z]{3}")
_DOT = NumberStyle(".")

_TRANSACTION_FIELDS = frozenset({"id", "posted", "amount", "description", "payee", "memo", "pending"})
_HOLDING_FIELDS = frozenset({"symbol", "description", "shares", "market_value", "cost_basis", "currency"})
# What changes with every answer is no part of what an account is called.
_BALANCE_FIELDS = frozenset({"id", "balance", "available-balance", "balance-date"})


class _Currency(Struct, frozen=True):
    """`code` as it is stored; `custom` is the URL of a currency that is none, such as miles."""

    code: str
    custom: str = ""

    @classmethod
    def of(cls, value: object, otherwise: "_Currency") -> "_Currency":
        """The currency that a text means; one that is missing is `otherwise`."""
        text = text_of(value)
        if not text:
            return otherwise
        return cls(text.upper()) if _CODE.fullmatch(text.upper()) else cls(NO_CURRENCY, plain(text))


class _Account(Struct, frozen=True):
    """One account of the file: how its rows call it, and what was said of it."""

    name: str
    currency: _Currency
    balance_at: datetime | None
    balance_on: date | None
    told: Mapping[str, object]


class _Survey(Struct):
    """What the first reading finds: everything that a row needs and that may stand behind it."""

    clock: Clock
    told: dict[int, dict[str, object]] = field(default_factory=dict)
    connections: dict[str, dict[str, object]] = field(default_factory=dict)
    messages: dict[str, object] = field(default_factory=dict)
    # By account and local day, when its last booking posted.
    last_posted: dict[tuple[int, date], datetime] = field(default_factory=dict)
    invested: set[int] = field(default_factory=set)

    def take(self, each: json_stream.Value) -> None:
        match each.path, each.value:
            case ("accounts", int(place), "transactions", int()), dict(value):
                self._note_posting(place, value)
            case ("accounts", int(place), "holdings", int()), _:
                self.invested.add(place)
            case ("accounts", int(place), str(name)), value if name not in _LISTS:
                self.told.setdefault(place, {})[name] = value
            case ("accounts", int(place), *_), _:
                self.told.setdefault(place, {})
            case ("connections",), list(connections):
                known = [each for each in connections if isinstance(each, dict)]
                self.connections = {text_of(each.get("conn_id")): each for each in known}
            case ("accounts",), _:
                raise UnreadableFile("its `accounts` are no list")
            case (str(name),), value if name in MESSAGE_LISTS:
                self.messages[name] = value

    def _note_posting(self, place: int, value: Mapping[str, object]) -> None:
        try:
            posted = _moment("posted", value.get("posted"))
        except ValueError:
            return
        if posted is not None:
            key = (place, self.clock.day(posted))
            self.last_posted[key] = max(posted, self.last_posted.get(key, posted))

    def accounts(self) -> dict[int, _Account]:
        """The accounts by their place in the file."""
        plainly = {place: self._name(told) for place, told in self.told.items()}
        often = Counter(plainly.values())
        unnamed = _Currency(self.clock.currency)
        found = {}
        for place, told in self.told.items():
            # An id is unique within its connection alone; two connections to one bank may repeat it.
            within = text_of(told.get("conn_id")) if often[plainly[place]] > 1 else ""
            connection = self.connections.get(text_of(told.get("conn_id")))
            try:
                balance_at = _moment("balance-date", told.get("balance-date"))
            except ValueError:
                balance_at = None
            found[place] = _Account(
                self._name(told, within),
                _Currency.of(told.get("currency"), unnamed),
                balance_at,
                self.clock.day(balance_at) if balance_at else None,
                told | ({"connection": connection} if connection else {}),
            )
        return found

    def _name(self, told: Mapping[str, object], within: str = "") -> str:
        own = text_of(told.get("id")) or text_of(told.get("name"))
        return "/".join(part for part in (self._institution(told), within, own) if part) or UNNAMED_ACCOUNT

    def _institution(self, told: Mapping[str, object]) -> str:
        org = told.get("org")
        about: Mapping[str, object] = org if isinstance(org, dict) else {}
        connection = self.connections.get(text_of(told.get("conn_id")), {})
        domains = (_host(about.get(name)) for name in ("domain", "url"))
        names = (about.get("name"), connection.get("org_name"), connection.get("name"), told.get("conn_name"))
        ids = (about.get("id"), connection.get("org_id"))
        words = (*domains, _host(connection.get("org_url")), *map(text_of, names), *map(text_of, ids))
        return next((word for word in words if word), "")

    def balance_kind(self, place: int, account: _Account, made_at: datetime) -> str:
        """What the balance is; closing only if its day was over when it was told and nothing posted later that day."""
        if place in self.invested:
            return "account_value"
        if account.balance_at is None or account.balance_on is None or account.balance_on >= self.clock.day(made_at):
            return "interim_balance"
        last = self.last_posted.get((place, account.balance_on))
        return "interim_balance" if last is not None and last > account.balance_at else "closing_balance"


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """The rows of every account. Raises UnreadableFile."""
    # The institution, the currency and the messages may stand behind the rows, so the file is read twice.
    survey = _Survey(clock)
    for each in _values(original):
        survey.take(each)
    yield from gather(_items(original, survey), SOURCE.records)


def _values(original: Original) -> Iterator[json_stream.Value]:
    with original.open() as stream:
        yield from json_stream.values(stream, _is_opened)


def _is_opened(path: json_stream.Path) -> bool:
    match path:
        case () | ("accounts",) | ("accounts", int()):
            return True
        case ("accounts", int(), str(name)):
            return name in _LISTS
    return False


def _items(original: Original, survey: _Survey) -> Iterator[Row | Rejection | Claim | Notice]:
    for message in messages_of(survey.messages):
        yield Notice(f"the provider says: {message}")
    accounts, begun, at = survey.accounts(), set[int](), 0
    for each in _values(original):
        match each.path:
            case ("accounts", int(place), *rest):
                pass
            case _:
                continue
        account = accounts[place]
        if place not in begun:
            begun.add(place)
            at += 1
            yield from _head(account, at)
            yield from _balances(account, at, survey.balance_kind(place, account, original.modified_at))
        if not rest or isinstance(rest[0], int):
            at += 1
            yield Rejection(at, TRANSACTION.name, f"not an account: {shown(each.value)}", each.raw)
        elif rest[0] in _LISTS:
            at += 1
            yield _row(each, account, survey.clock, at)


def _head(account: _Account, at: int) -> Iterator[Row | Notice]:
    fields = {name: value for name, value in account.told.items() if name not in _BALANCE_FIELDS}
    if not account.told:
        return
    raw = json_of(dict(account.told))
    yield Row(
        REGISTER_ENTRY, at, raw, {"register": "account", "entry": account.name, "fields": detail_of(fields) or "{}"}
    )
    if account.currency.custom:
        custom = f"the currency {account.currency.custom}, which has no ISO code"
        yield Notice(f"account {plain(account.name)} counts in {custom}; its amounts are kept as {NO_CURRENCY}")
    elif not text_of(account.told.get("currency")):
        kept = f"its amounts are kept as {account.currency.code}"
        yield Notice(f"account {plain(account.name)} names no currency; {kept}")


def _balances(account: _Account, at: int, kind_of_balance: str) -> Iterator[Claim | Notice]:
    for name, kind in (("balance", kind_of_balance), ("available-balance", "available_balance")):
        given = account.told.get(name)
        if given is None or given == "":
            continue
        if account.balance_on is None:
            yield Notice(f"the {name} of account {plain(account.name)} can't be placed: it has no balance-date")
            return
        try:
            value = _decimal(name, given)
        except ValueError as wrong:
            yield Notice(f"the balance of account {plain(account.name)} can't be read: {wrong}")
            continue
        yield Claim(kind, account.name, account.balance_on, value, account.currency.code, at)


def _row(each: json_stream.Value, account: _Account, clock: Clock, at: int) -> Row | Rejection:
    value, raw = each.value, each.raw
    record = HOLDING if "holdings" in each.path else TRANSACTION
    if not isinstance(value, dict):
        return Rejection(at, record.name, f"not an object: {shown(value)}", raw)
    try:
        values = _transaction(value, account, clock) if record is TRANSACTION else _holding(value, account, clock)
    except ValueError as wrong:
        return Rejection(at, record.name, str(wrong), raw)
    return Row(record, at, raw, {"account": account.name} | values)


def _transaction(value: Mapping[str, object], account: _Account, clock: Clock) -> dict[str, object]:
    posted, happened = (_moment(name, value.get(name)) for name in ("posted", "transacted_at"))
    moment = posted or happened
    if moment is None:
        raise ValueError("booked_on: missing: neither posted nor transacted_at says when")
    described, payee, memo = (text_of(value.get(name)) for name in ("description", "payee", "memo"))
    told = {name: each for name, each in value.items() if name not in _TRANSACTION_FIELDS}
    if described not in (payee, memo) and payee and memo:
        told["description"] = described
    if account.currency.custom:
        told["currency"] = account.currency.custom
    extra, bank_id = value.get("extra"), text_of(value.get("id"))
    category = text_of(extra.get("category")) if isinstance(extra, dict) else ""
    return {
        "booked_on": clock.day(moment),
        "amount": _decimal("amount", value.get("amount")),
        "currency": account.currency.code,
        "key": key_of(bank_id, payee, described, memo),
        "bank_id": bank_id,
        "payee": payee or described,
        "memo": memo or (described if payee and described != payee else ""),
        "category": category or None,
        # Without a moment of posting it has not posted, whatever the flag says.
        "pending": True if value.get("pending") is True or posted is None else None,
        "extra": detail_of(told),
    }


def _holding(value: Mapping[str, object], account: _Account, clock: Clock) -> dict[str, object]:
    symbol, described = text_of(value.get("symbol")), text_of(value.get("description"))
    created = _moment("created", value.get("created"))
    held_on = account.balance_on or (clock.day(created) if created else None)
    if held_on is None:
        raise ValueError("held_on: missing: neither balance-date nor created says when")
    currency = _Currency.of(value.get("currency"), account.currency)
    told = {name: each for name, each in value.items() if name not in _HOLDING_FIELDS}
    return {
        "held_on": held_on,
        "security": symbol or described or text_of(value.get("id")),
        "currency": currency.code,
        "units": _decimal("units", value.get("shares")),
        "market_value": _optional("market_value", value.get("market_value")),
        "cost": _optional("cost", value.get("cost_basis")),
        "ticker": symbol or None,
        "security_name": described or None,
        "extra": detail_of(told | ({"currency": currency.custom} if currency.custom else {})),
    }


def _moment(name: str, value: object) -> datetime | None:
    """The instant of seconds since 1970; None for nothing and for 0. Raises ValueError."""
    text = text_of(value)
    if not text or text == "0":
        return None
    try:
        # Some bridges write them as texts, some with a fraction.
        return datetime.fromtimestamp(int(float(text)), tz=UTC) if float(text) else None
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{name}: not seconds since 1970: {shown(value)}") from None


def _decimal(name: str, value: object) -> Decimal:
    """A number, as a text or as it is. Raises ValueError."""
    text = text_of(value)
    if not text:
        raise ValueError(f"{name}: {'missing' if value in (None, '') else f'not a number: {shown(value)}'}")
    try:
        number = Decimal(text) if isinstance(value, (int, float)) else _DOT.read(text)
    except ValueError as wrong:
        raise ValueError(f"{name}: {wrong}") from None
    if not number.is_finite():
        raise ValueError(f"{name}: not a number: {shown(value)}")
    return number


def _optional(name: str, value: object) -> Decimal | None:
    return None if value is None or value == "" else _decimal(name, value)


def _host(value: object) -> str:
    """`www.mybank.com`, `https://mybank.com/x` -> `mybank.com`; empty where there is none."""
    text = text_of(value).lower()
    try:
        host = urlsplit(text if "://" in text else f"//{text}").hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")


def _recognises(original: Original) -> bool:
    head = original.text_head
    if original.is_zip or not head.lstrip("\ufeff \t\r\n").startswith("{") or not _ACCOUNTS.search(head):
        return False
    return '"balance-date"' in head or _MESSAGES.search(head) is not None


SOURCE = Source(
    name="finance.simplefin",
    title="SimpleFIN accounts",
    recognition="a JSON object with the list `accounts`, and `balance-date`, `errors` or `errlist`",
    records=(TRANSACTION, HOLDING, REGISTER_ENTRY),
    recognises=_recognises,
    parse=parse,
    unit="record",
    expect_every=timedelta(days=7),
)
