"""What Portfolio Performance's XML file says: prices, the trades of securities accounts, the bookings of cash accounts.

Amounts are in cents; units and prices in fractions that grew with the version of the file. A purchase is a trade of its
securities account and a booking of its cash account, which name each other: only the booking moves cash.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from msgspec import Struct

from twinning_pipelines.formats.json_values import detail_of
from twinning_pipelines.records.money import (
    EXCHANGE_RATE,
    NO_CURRENCY,
    PRICE,
    TRADE,
    TRANSACTION,
    UNNAMED_ACCOUNT,
    key_of,
)
from twinning_pipelines.source import Notice, Rejection, Row
from twinning_pipelines.sources.finance.hundredths import money_of
from twinning_pipelines.sources.finance.portfolio_performance.kinds import Kind, kind_of
from twinning_pipelines.sources.finance.portfolio_performance.objects import Element, Objects, Quote

# The newest version of which it is known what its numbers mean.
NEWEST = 70
_CENTS = 2
_PRICE_DIGITS = 10
_LONGEST = 25
# From which version on, and how many decimals there are.
_UNIT_DECIMALS = ((49, 8), (26, 6), (3, 5), (0, 0))
_PRICE_DECIMALS = ((49, 8), (30, 4), (0, 2))


class _Security(Struct, frozen=True):
    """How rows call a security: by ISIN, else ticker, WKN, name or its own id."""

    called: str
    ticker: str
    name: str
    wkn: str


class Portfolio:
    """One file."""

    def __init__(self, objects: Objects, home_currency: str) -> None:
        self._objects = objects
        self._client = objects.root
        text = objects.text(self._client, "version")
        self._version = int(text) if text.isdigit() else 0
        self._currency = objects.text(self._client, "baseCurrency") or home_currency
        self._unit_decimals = next(n for since, n in _UNIT_DECIMALS if self._version >= since)
        self._price_decimals = next(n for since, n in _PRICE_DECIMALS if self._version >= since)

    def rows(self) -> Iterator[Row | Rejection | Notice]:
        """Every price and every booking."""
        if self._version > NEWEST:
            yield Notice(f"version {self._version} of the file is newer than {NEWEST}, the newest that is known here")
        for security in self._objects.each(self._client, "securities", "security"):
            yield from self._quotes(security)
        for account in self._objects.each(self._client, "accounts", "account"):
            for booking in self._objects.each(account, "transactions", "account-transaction"):
                yield self._booking(account, booking)
        for portfolio in self._objects.each(self._client, "portfolios", "portfolio"):
            for booking in self._objects.each(portfolio, "transactions", "portfolio-transaction"):
                yield self._trade_row(portfolio, booking)

    def _quotes(self, security: Element) -> Iterator[Row | Rejection]:
        currency = self._objects.text(security, "currencyCode") or NO_CURRENCY
        target = self._objects.text(security, "targetCurrencyCode")
        called = self._named(security).called
        seen: set[str] = set()
        for quote in self._objects.quotes.get(id(security), ()):
            if quote.day in seen:
                # The latest price is often in the list as well.
                continue
            seen.add(quote.day)
            yield self._quote(quote, called, currency, target)

    def _quote(self, quote: Quote, called: str, currency: str, target: str) -> Row | Rejection:
        record = EXCHANGE_RATE if target else PRICE
        raw = f'<price t="{quote.day}" v="{quote.value}"/>'
        try:
            day = _day("rated_on" if target else "priced_on", quote.day)
            value = _figure("rate" if target else "unit_price", quote.value, self._price_decimals)
            if target and value <= 0:
                raise ValueError(f"rate: not above zero: {quote.value}")
        except ValueError as wrong:
            return Rejection(quote.at, record.name, str(wrong), raw)
        if target:
            return Row(record, quote.at, raw, {"base": currency, "quote": target, "rated_on": day, "rate": value})
        whole, share = money_of(currency)
        values = {"security": called, "priced_on": day, "currency": whole, "unit_price": value * share}
        return Row(record, quote.at, raw, values)

    def _booking(self, account: Element, booking: Element) -> Row | Rejection:
        try:
            values = self._cash(account, booking, kind_of(self._objects.text(booking, "type")))
        except ValueError as wrong:
            return Rejection(booking.at, TRANSACTION.name, str(wrong), booking.raw)
        return Row(TRANSACTION, booking.at, booking.raw, {"account": self._name(account)} | values)

    def _cash(self, account: Element, booking: Element, kind: Kind) -> dict[str, object]:
        objects, security = self._objects, self._security(booking)
        own_id, note = objects.text(booking, "uuid"), objects.text(booking, "note")
        amount = kind.cash * self._amount("amount", booking)
        return {
            "booked_on": _day("booked_on", objects.text(booking, "date")),
            "amount": amount,
            "currency": self._currency_of(booking),
            "key": key_of(own_id, kind.name, security.called, note),
            "bank_id": own_id,
            "payee": "",
            "memo": note or security.name,
            "kind": kind.name,
            "transfer_account": self._other_side(account, booking),
            "extra": self._rest(booking, security, security=security.called, fees=_told(self._costs(booking))),
        }

    def _trade_row(self, portfolio: Element, booking: Element) -> Row | Rejection:
        try:
            values = self._trade(portfolio, booking)
        except ValueError as wrong:
            return Rejection(booking.at, TRADE.name, str(wrong), booking.raw)
        return Row(TRADE, booking.at, booking.raw, {"account": self._name(portfolio)} | values)

    def _trade(self, portfolio: Element, booking: Element) -> dict[str, object]:
        kind = kind_of(self._objects.text(booking, "type"))
        security = self._security(booking)
        units = _figure("units", self._objects.text(booking, "shares"), self._unit_decimals)
        amount, costs = self._amount("total", booking), self._costs(booking)
        other = self._other_side(portfolio, booking)
        return self._event(booking, kind, security) | {
            # Without a cash account behind it, a purchase takes cash of its own.
            "total": None if other or not kind.cash or kind.name.startswith("TRANSFER") else kind.cash * amount,
            "units": kind.units * units,
            "unit_price": price_of(kind, amount, costs, units),
            "fees": costs,
            "extra": self._rest(booking, security, amount=str(amount), other_account=other),
        }

    def _event(self, booking: Element, kind: Kind, security: _Security) -> dict[str, object]:
        own_id, note = self._objects.text(booking, "uuid"), self._objects.text(booking, "note")
        shares, amount = self._objects.text(booking, "shares"), self._objects.text(booking, "amount")
        return {
            "traded_on": _day("traded_on", self._objects.text(booking, "date")),
            "action": kind.name,
            "key": key_of(own_id, security.called, shares, amount, note),
            "bank_id": own_id,
            "security": security.called,
            "currency": self._currency_of(booking),
            "ticker": security.ticker or None,
            "security_name": security.name or None,
            "memo": note or None,
        }

    def _security(self, booking: Element) -> _Security:
        found = self._objects.get(booking, "security")
        return self._named(found) if found is not None else _Security("", "", "", "")

    def _named(self, security: Element) -> _Security:
        isin, ticker, wkn, name, own_id = (
            self._objects.text(security, each) for each in ("isin", "tickerSymbol", "wkn", "name", "uuid")
        )
        return _Security(isin or ticker or wkn or name or own_id, ticker, name, wkn)

    def _name(self, account: Element) -> str:
        return self._objects.text(account, "name") or self._objects.text(account, "uuid") or UNNAMED_ACCOUNT

    def _other_side(self, account: Element, booking: Element) -> str | None:
        """The name of the account at the other end of a purchase or transfer."""
        entry = self._objects.get(booking, "crossEntry")
        if entry is None:
            return None
        sides = ("account", "portfolio", "accountFrom", "accountTo", "portfolioFrom", "portfolioTo")
        found = [side for name in sides if (side := self._objects.get(entry, name)) is not None and side is not account]
        return self._name(found[0]) if found else None

    def _currency_of(self, booking: Element) -> str:
        return self._objects.text(booking, "currencyCode") or self._currency

    def _amount(self, field: str, booking: Element) -> Decimal:
        return _figure(field, self._objects.text(booking, "amount"), _CENTS)

    def _costs(self, booking: Element) -> Decimal:
        """Fees and taxes in the currency of the booking."""
        return sum((amount for _, amount in self._parts(booking, "FEE", "TAX")), Decimal(0))

    def _parts(self, booking: Element, *kinds: str) -> Iterator[tuple[str, Decimal]]:
        for unit in self._objects.each(booking, "units", "unit"):
            amount = self._objects.get(unit, "amount")
            if amount is not None and unit.attributes.get("type") in kinds:
                yield unit.attributes["type"], _figure("fees", amount.attributes.get("amount", ""), _CENTS)

    def _rest(self, booking: Element, about: _Security, **more: str | None) -> str | None:
        """What has no field of its own; of a foreign purchase its gross amount, its currency and the rate."""
        told: dict[str, object] = {"wkn": about.wkn, "source": self._objects.text(booking, "source"), **more}
        told |= {"exDate": self._objects.text(booking, "exDate"), "taxes": self._taxes(booking)}
        for unit in self._objects.each(booking, "units", "unit"):
            forex = self._objects.get(unit, "forex")
            if forex is not None and unit.attributes.get("type") == "GROSS_VALUE":
                gross = _figure("extra", forex.attributes.get("amount", ""), _CENTS)
                told |= {"gross_amount": str(gross), "gross_currency": forex.attributes.get("currency")}
                told["exchange_rate"] = self._objects.text(unit, "exchangeRate")
        return detail_of(told)

    def _taxes(self, booking: Element) -> str:
        return _told(sum((amount for _, amount in self._parts(booking, "TAX")), Decimal(0)))


def _told(amount: Decimal) -> str:
    return str(amount) if amount else ""


def price_of(kind: Kind, amount: Decimal, costs: Decimal, units: Decimal) -> Decimal | None:
    """What one unit cost, in the currency of the booking: its amount without fees and taxes, over its units.

    Raises ValueError for more digits than any price has.
    """
    if not units or not kind.units:
        return None
    gross = abs(amount) - costs if kind.units > 0 else abs(amount) + costs
    try:
        return round(gross / abs(units), _PRICE_DIGITS)
    except ArithmeticError:
        raise ValueError(f"unit_price: out of range: {gross} for {abs(units)}") from None


def _figure(field: str, text: str, decimals: int) -> Decimal:
    """A whole number of fractions. Raises ValueError with the field's name."""
    digits = text.strip()
    if not digits:
        raise ValueError(f"{field}: missing")
    if len(digits) > _LONGEST or not digits.removeprefix("-").isascii() or not digits.removeprefix("-").isdigit():
        raise ValueError(f"{field}: not a whole number: {digits[:60]!r}")
    return Decimal(digits).scaleb(-decimals)


def _day(field: str, text: str) -> date:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        raise ValueError(f"{field}: {f'not a date: {text[:60]!r}' if text.strip() else 'missing'}") from None
