"""Ghostfolio's activities, with the prices of what it does not look up itself.

From: Ghostfolio, "Portfolio", "Activities", the menu's "Export Activities" (JSON); or the CSV that its import takes.
To: Trade; Transaction for fees and interest of an account; Price for assets kept by hand; what the accounts hold in cash
as claims. Accounts have the names that they have in Ghostfolio. A day is the one that its date says at midnight UTC,
else the person's own.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial

from msgspec import Struct, field

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.json_stream import Value, values
from twinning_pipelines.formats.json_values import list_of, object_of, shown, text_of
from twinning_pipelines.original import Original
from twinning_pipelines.records.money import PRICE, TRADE, TRANSACTION, UNNAMED_ACCOUNT
from twinning_pipelines.source import Claim, ExportedAt, Item, Notice, Rejection, Row, Source, gather
from twinning_pipelines.sources.finance.ghostfolio import table
from twinning_pipelines.sources.finance.ghostfolio.activity import MANUAL, Activity, Security, values_of
from twinning_pipelines.sources.finance.hundredths import money_of

_META = re.compile(r'"meta"\s*:\s*\{\s*"date"\s*:\s*"[^"]*"\s*,\s*"version"')
_LISTS = re.compile(r'"(?:activities|orders|assetProfiles)"\s*:\s*\[')
_PLAIN = re.compile(r'\s*\{\s*"(?:activities|orders)"\s*:\s*\[\s*\{[^}]*"unitPrice"')
# `orders` is what activities were called until 2022.
_ACTIVITIES = ("activities", "orders")
_OPENED = {(), *((name,) for name in (*_ACTIVITIES, "accounts", "assetProfiles", "tags"))}
# Digits before or behind the decimal mark of any figure that can be meant.
_LONGEST = 30
_TAKEN = frozenset(
    ("accountId", "comment", "currency", "date", "fee", "id", "quantity", "symbol", "tags", "type", "unitPrice")
)


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Activities and prices, element by element. Raises UnreadableFile."""
    if not original.text_head.lstrip("\ufeff \t\r\n").startswith("{"):
        return gather(table.rows_of(original, clock), SOURCE.records)
    return gather(_items(original, clock), SOURCE.records)


class _Names(Struct):
    """What the lists of a file call its accounts, securities and tags, by their ids."""

    accounts: dict[str, str] = field(default_factory=dict)
    securities: dict[tuple[str, str], Security] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def account(self, key: str) -> str:
        """Its name, with the beginning of its id where two accounts share one."""
        name = self.accounts.get(key, key) or UNNAMED_ACCOUNT
        is_shared = Counter(self.accounts.values())[name] > 1
        return f"{name} {key[:8]}" if is_shared else name

    def security(self, source: str, symbol: str) -> Security:
        """As its profile says; of what a market knows the symbol is a ticker."""
        is_manual = source.upper() == MANUAL
        return self.securities.get((source, symbol)) or Security(symbol, "" if is_manual else symbol, "", is_manual)


def _items(original: Original, clock: Clock) -> Iterator[Row | Rejection | Claim | ExportedAt | Notice]:
    # An activity names ids that lists before or behind it explain, so the file is read twice.
    names = _Names()
    with original.open() as stream:
        for value in values(stream, _OPENED.__contains__):
            if value.path == ("meta",) and (made := _exported_at(value.value)):
                yield ExportedAt(made)
            elif len(value.path) == 2 and isinstance(value.value, dict):
                _learn(names, str(value.path[0]), value.value)
    with original.open() as stream:
        elements = (value for value in values(stream, _OPENED.__contains__) if len(value.path) == 2)
        for at, value in enumerate(elements, 1):
            if value.path[0] in _ACTIVITIES:
                yield _row(at, value, names, clock)
            elif value.path[0] == "assetProfiles":
                yield from _prices(at, value, names, clock)
            elif value.path[0] == "accounts":
                yield from _balances(at, value, names, clock)


def _exported_at(meta: object) -> datetime | None:
    try:
        made = datetime.fromisoformat(text_of(object_of("meta", meta).get("date")))
        return made.astimezone(UTC) if made.tzinfo and made.time() != datetime.min.time() else None
    except (ValueError, OverflowError):
        return None


def _learn(names: _Names, of: str, element: Mapping[str, object]) -> None:
    key, name = text_of(element.get("id")), text_of(element.get("name"))
    if of == "accounts":
        names.accounts[key] = name or key
    elif of == "tags":
        names.tags[key] = name or key
    elif of == "assetProfiles":
        source, symbol = text_of(element.get("dataSource")), text_of(element.get("symbol"))
        is_manual = source.upper() == MANUAL
        # The symbol of what a person keeps by hand is an id that says nothing.
        called = text_of(element.get("isin")) or (name if is_manual and name else symbol)
        names.securities[source, symbol] = Security(called, "" if is_manual else symbol, name, is_manual)


def _row(at: int, value: Value, names: _Names, clock: Clock) -> Row | Rejection:
    try:
        record, filled = values_of(_activity(_exact(value), names, clock))
    except ValueError as wrong:
        return Rejection(at, TRADE.name, str(wrong), value.raw)
    return Row(record, at, value.raw, filled)


def _exact(value: Value) -> dict[str, object]:
    """An element again, its numbers as decimals. Raises ValueError when it is no object."""
    # What no column takes was replaced in `value`, so its texts are taken from there.
    raw, told = _decimals(value), object_of("activity", value.value)
    return {key: raw[key] if isinstance(raw.get(key), Decimal) else each for key, each in told.items()}


def _decimals(value: Value) -> dict[str, object]:
    found = json.loads(
        value.raw, strict=False, parse_float=Decimal, parse_int=Decimal, parse_constant=lambda _name: None
    )
    return found if isinstance(found, dict) else {}


def _activity(told: Mapping[str, object], names: _Names, clock: Clock) -> Activity:
    source, symbol = text_of(told.get("dataSource")), text_of(told.get("symbol"))
    # A number that only a newer version knows is kept as written.
    rest = {name: str(each) if isinstance(each, Decimal) else each for name, each in told.items() if name not in _TAKEN}
    tags = [names.tags.get(text_of(tag), text_of(tag)) for tag in list_of(told.get("tags"))]
    return Activity(
        account=names.account(text_of(told.get("accountId"))),
        day=_day("traded_on", told.get("date"), clock),
        kind=text_of(told.get("type")),
        security=names.security(source, symbol),
        currency=text_of(told.get("currency")),
        quantity=_number("units", told.get("quantity")),
        unit_price=_number("unit_price", told.get("unitPrice")),
        fee=_number("fees", told.get("fee") or Decimal(0)),
        note=text_of(told.get("comment")),
        own_id=text_of(told.get("id")),
        rest=rest | {"symbol": symbol, "tags": tags},
    )


def _prices(at: int, value: Value, names: _Names, clock: Clock) -> Iterator[Row | Rejection]:
    """The prices of one asset. Ghostfolio exports them for those that are kept by hand."""
    profile = _decimals(value)
    points = list_of(profile.get("marketData"))
    source, symbol = text_of(profile.get("dataSource")), text_of(profile.get("symbol"))
    currency, share = money_of(text_of(profile.get("currency")))
    for point in points:
        raw = json.dumps(point, default=str, ensure_ascii=True)
        try:
            told = object_of("marketData", point)
            price = _number("unit_price", told.get("marketPrice")) * share
            day = _day("priced_on", told.get("date"), clock)
        except ValueError as wrong:
            yield Rejection(at, PRICE.name, str(wrong), raw)
            continue
        called = names.security(source, symbol).called
        yield Row(PRICE, at, raw, {"security": called, "priced_on": day, "currency": currency, "unit_price": price})


def _balances(at: int, value: Value, names: _Names, clock: Clock) -> Iterator[Claim | Notice]:
    """The cash that the person has noted for an account. Its activities don't prove it: not all of them move it."""
    account = _decimals(value)
    name = names.account(text_of(account.get("id")))
    currency, share = money_of(text_of(account.get("currency")))
    for told in map(partial(object_of, "balances"), filter(_is_object, list_of(account.get("balances")))):
        try:
            worth, day = _number("value", told.get("value")) * share, _day("date", told.get("date"), clock)
        except ValueError as wrong:
            yield Notice(f"a balance of account {name} can't be read: {wrong}")
        else:
            yield Claim("stated_balance", name, day, worth, currency, at)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _day(name: str, value: object, clock: Clock) -> date:
    """The day of a moment: midnight UTC is how Ghostfolio writes a day, any other time is one in the person's zone."""
    try:
        moment = datetime.fromisoformat(text_of(value))
    except ValueError:
        raise ValueError(f"{name}: not a date: {shown(value)}") from None
    if moment.tzinfo is None or not (moment.hour or moment.minute or moment.second):
        return moment.date()
    try:
        return moment.astimezone(clock.zone_at(moment)).date()
    except OverflowError:
        raise ValueError(f"{name}: not a date: {shown(value)}") from None


def _number(name: str, value: object) -> Decimal:
    if isinstance(value, Decimal) and abs(value.adjusted()) <= _LONGEST:
        return value
    raise ValueError(f"{name}: {'missing' if value is None else f'not a number: {shown(value)}'}")


def _recognises(original: Original) -> bool:
    if original.is_zip:
        return False
    head = original.text_head
    if head.lstrip("\ufeff \t\r\n").startswith("{"):
        return bool((_META.search(head) and _LISTS.search(head)) or _PLAIN.match(head))
    return bool(table.header_in(head))


SOURCE = Source(
    name="finance.ghostfolio",
    title="Ghostfolio activities",
    recognition="a JSON object with `meta` and a list of activities, or a CSV with a day, code, currency, price, quantity, "
    "action and fee",
    records=(TRADE, TRANSACTION, PRICE),
    recognises=_recognises,
    parse=parse,
    unit="element",
    expect_every=timedelta(days=31),
)
