"""What one element of a Flex file says: the row of a trade, of another event on an investment account, or of a booking."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from msgspec import Struct

from twinning_pipelines.formats import flex, numbers
from twinning_pipelines.records.money import NO_CURRENCY, TRADE, TRANSACTION, key_of
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.finance.ibkr_flex.survey import (
    BOOKED_ON,
    LEVELS,
    SETTLED_ON,
    TRADED_ON,
    Survey,
    level_of,
)

# Flex writes the decimal dot in every setting.
NUMBERS = numbers.NumberStyle(".")

# A corrected trade keeps its tradeID and gets a transactionID of its own, as its cancellation does. An actionID is shared
# by all legs of a corporate action, an ibOrderID by all executions of an order: neither tells rows apart.
_IDS = ("transactionID", "tradeID", "ibExecID", "execID")
_ORDER_IDS = (*_IDS, "ibOrderID", "orderID")

# What a conversion changes: the currency that is bought or sold, and the one that the row is in.
_PAIR = re.compile(r"([A-Z]{3})\.([A-Z]{3})")
_COMMISSIONS = ("ibCommission", "commission")

# Buying these moves no cash but the fees, whatever the proceeds say.
_ON_MARGIN = frozenset({"CFD", "FUT"})
_INVESTMENT_INCOME = frozenset(
    {"Dividends", "Payment In Lieu Of Dividends", "Bond Interest Received", "Bond Interest Paid"}
)


class _Event(Struct, frozen=True):
    """The attributes of an element that makes a trade without being one. titled: `description` names the security."""

    action: str
    total: str
    units: str = "quantity"
    price: tuple[str, ...] = ()
    fees: tuple[str, ...] = ()
    titled: bool = True


_EVENTS = {
    "CashTransaction": _Event("type", "amount", titled=False),
    "CorporateAction": _Event("type", "proceeds", titled=False),
    "Transfer": _Event("type", "cashTransfer", price=("transferPrice",)),
    # IBKR's own spelling.
    "OptionEAE": _Event("transactionType", "proceeds", price=("tradePrice",), fees=("commisionsAndTax",)),
    "TransactionTax": _Event("taxDescription", "taxAmount"),
}
# These may come without units and cash, and say nothing then.
_IDLE = frozenset({"CorporateAction", "Transfer", "OptionEAE"})
# The elements that may be rows.
ROWS = frozenset({*LEVELS, *_EVENTS, "SalesTax"})


def row_of(entry: flex.Entry, survey: Survey) -> Row | Rejection | None:
    """The row of an element, None where it tells nothing of units or cash."""
    is_booking = entry.name == "SalesTax" or (entry.name == "CashTransaction" and not _is_investment(entry))
    record = TRANSACTION if is_booking else TRADE
    reading = Reading(entry, survey)
    shared = {"account": account_of(entry), "currency": currency_of(reading)}
    reading.used.add("accountId")
    try:
        if is_booking:
            values = _transaction(reading)
        else:
            values = _trade(reading) if entry.name in LEVELS else _event(reading, _EVENTS[entry.name])
    except ValueError as wrong:
        return Rejection(entry.line, record.name, str(wrong), entry.raw)
    if entry.name in _IDLE and not values["units"] and not values["total"]:
        return None
    return Row(record, entry.line, entry.raw, shared | values | {"extra": reading.rest()})


def cash_beside(entry: flex.Entry, row: Row, survey: Survey) -> Iterator[Row | Rejection]:
    """What a trade moves beside the currency of its row: the other one of a conversion, a commission in a third."""
    if entry.name not in LEVELS:
        return
    reading = Reading(entry, survey)
    pair = _PAIR.fullmatch(reading.text("symbol")) if entry.get("assetCategory") == "CASH" else None
    if pair and pair[2] == row.values["currency"] and row.values["units"]:
        yield _leg(entry, row, "units", pair[1], row.values["units"])
    currency = _commission_currency(entry)
    if not currency or currency == row.values["currency"]:
        return
    try:
        fees = _cost(reading, _COMMISSIONS)
    except ValueError as wrong:
        yield Rejection(entry.line, TRADE.name, str(wrong), entry.raw)
        return
    if fees:
        yield _leg(entry, row, "commission", currency, -fees, fees=fees)


def _leg(entry: flex.Entry, row: Row, name: str, currency: str, total: object, *, fees: Decimal | None = None) -> Row:
    """A row like that of the trade, but of cash alone."""
    alone = {"currency": currency, "total": total, "units": None, "unit_price": None, "fees": fees}
    alone |= {"key": f"{row.values['key']}|{name}", "extra": json.dumps({"assetCategory": entry.get("assetCategory")})}
    return Row(TRADE, entry.line, entry.raw, {**row.values, **alone})


def _commission_currency(entry: flex.Entry) -> str:
    return entry.get("ibCommissionCurrency", "commissionCurrency").upper()


def _is_investment(entry: flex.Entry) -> bool:
    """Is a cash transaction tied to a security, or the income of one?"""
    return bool(entry.get("isin", "conid", "symbol")) or entry.get("type") in _INVESTMENT_INCOME


def account_of(entry: flex.Entry) -> str:
    """The account of an element, its own or that of its statement: statements of several accounts exist."""
    return entry.get("accountId") or flex.said(entry.statement.get("accountId"))


class Reading:
    """Typed values of one element; a bad one names its field. What was read is no part of the rest."""

    def __init__(self, entry: flex.Entry, survey: Survey) -> None:
        self.entry = entry
        self.used: set[str] = set()
        self._survey = survey

    def text(self, *names: str) -> str:
        """The first of these attributes that says something."""
        for name in names:
            if value := self.entry.get(name):
                self.used.add(name)
                return value
        return ""

    def amount(self, field_name: str, *names: str) -> Decimal | None:
        """A number, None when absent. Raises ValueError with the field's name."""
        text = self.text(*names)
        try:
            return NUMBERS.read(text) if text else None
        except ValueError as wrong:
            raise ValueError(f"{field_name}: {wrong}") from None

    def day(self, field_name: str, *names: str) -> date | None:
        """The broker's day, None when absent. Raises ValueError with the field's name."""
        name = next((name for name in names if self.entry.get(name)), "")
        text = self.entry.get(name)
        try:
            day = self._survey.day_of(text) if text else None
        except ValueError as wrong:
            raise ValueError(f"{field_name}: {wrong}") from None
        if flex.day_text(text) == text:
            # A time of day is kept with the rest.
            self.used.add(name)
        return day

    def last_day(self, field_name: str) -> date | None:
        """The last day of the statement, None when it names none. Raises ValueError with the field's name."""
        text = flex.said(self.entry.statement.get("toDate"))
        try:
            return self._survey.day_of(text) if text else None
        except ValueError as wrong:
            raise ValueError(f"{field_name}: {wrong}") from None

    def bank_id(self, *names: str) -> str:
        """The first of these ids; IBKR writes 0 where it gave none."""
        return next((text for name in names if self.entry.get(name) != "0" and (text := self.text(name))), "")

    def name(self) -> tuple[str, str]:
        """Ticker and name of the security, as the list of securities has them."""
        keys = (self.entry.get(name) for name in ("conid", "isin", "symbol"))
        return next((found for key in keys if key and (found := self._survey.names.get(key))), ("", ""))

    def rest(self) -> str | None:
        """Every other attribute that says something, as JSON."""
        given = self.entry.attributes.items()
        rest = {name: text for name, value in given if name not in self.used and (text := flex.said(value))}
        return json.dumps(rest, ensure_ascii=False, sort_keys=True) if rest else None


def currency_of(reading: Reading) -> str:
    """The currency that an element names."""
    return reading.text("currency").upper() or NO_CURRENCY


def _transaction(reading: Reading) -> dict[str, object]:
    bank_id = reading.bank_id(*_IDS)
    memo, kind = reading.text("description", "taxableDescription"), reading.text("type", "taxType")
    return {
        "booked_on": reading.day("booked_on", *BOOKED_ON),
        "amount": reading.amount("amount", "amount", "salesTax"),
        "key": key_of(bank_id, kind, memo),
        "bank_id": bank_id,
        "payee": "",
        "memo": memo,
        "kind": kind or None,
        "valued_on": reading.day("valued_on", "settleDate"),
    }


def _trade(reading: Reading) -> dict[str, object]:
    entry = reading.entry
    category = entry.get("assetCategory")
    fees = _trade_fees(reading)
    # A conversion's netCash is 0, for it moves two currencies: `proceeds` is the one that the row names.
    total = None if category == "CASH" else reading.amount("total", "netCash")
    if total is None and category not in _ON_MARGIN:
        proceeds = reading.amount("total", "proceeds")
        total = None if proceeds is None else proceeds - (fees or 0)
    values: dict[str, object] = {
        "traded_on": reading.day("traded_on", *TRADED_ON),
        "action": reading.text("buySell", "transactionType") or entry.name,
        "total": total,
        "units": reading.amount("units", "quantity"),
        "unit_price": reading.amount("unit_price", "tradePrice", "price"),
        "fees": fees,
    }
    ids = _ORDER_IDS if level_of(entry) == "ORDER" else _IDS
    return values | _identified(reading, values, reading.bank_id(*ids), titled=True)


def _trade_fees(reading: Reading) -> Decimal | None:
    """Commission and taxes as a cost, without a commission in another currency than the trade: see `cash_beside`."""
    currency, taxes = _commission_currency(reading.entry), ("taxes", "tax")
    if currency and currency != currency_of(reading):
        return _cost(reading, taxes) or None
    return _cost(reading, _COMMISSIONS, taxes)


def _cost(reading: Reading, *names: tuple[str, ...]) -> Decimal | None:
    """IBKR writes what the account pays with a minus, a rebate without."""
    paid = [amount for each in names if each and (amount := reading.amount("fees", *each)) is not None]
    return -sum(paid, Decimal()) if paid else None


def _event(reading: Reading, event: _Event) -> dict[str, object]:
    fees = _cost(reading, event.fees)
    total = reading.amount("total", event.total)
    if total is None and reading.entry.name == "CorporateAction":
        # Where `proceeds` is missing, `amount` is the same with the other sign.
        amount = reading.amount("total", "amount")
        total = None if amount is None else -amount
    values: dict[str, object] = {
        # A tax corrected after a year keeps the dateTime of its dividend: the day of the statement is the day of the cash.
        "traded_on": reading.day("traded_on", *BOOKED_ON),
        "action": reading.text(event.action) or reading.entry.name,
        "total": total if total is None or fees is None else total - fees,
        "units": reading.amount("units", event.units),
        "unit_price": reading.amount("unit_price", *event.price) if event.price else None,
        "fees": fees,
    }
    return values | _identified(reading, values, reading.bank_id(*_IDS), titled=event.titled)


def _identified(reading: Reading, values: Mapping[str, object], bank_id: str, *, titled: bool) -> dict[str, object]:
    """What names the row and its security. titled: the description is the security's name, else it is about the event."""
    security = reading.text("isin", "conid", "symbol")
    listed_ticker, listed_name = reading.name()
    units, total = values["units"], values["total"]
    assert units is None or isinstance(units, Decimal)
    assert total is None or isinstance(total, Decimal)
    description = reading.text("description")
    memo = "" if titled else description
    return {
        "key": key_of(bank_id, security, units, total, memo),
        "bank_id": bank_id,
        "security": security,
        "settled_on": reading.day("settled_on", *SETTLED_ON),
        "ticker": reading.text("symbol") or listed_ticker or None,
        "security_name": (description if titled else "") or listed_name or None,
        "memo": memo or None,
    }
