"""What elements of a Flex file say of worth: positions, prices, and rates of currencies."""

from collections.abc import Iterator
from datetime import date

from msgspec import Struct, field

from twinning_pipelines.formats import flex
from twinning_pipelines.records.money import EXCHANGE_RATE, HOLDING, PRICE
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.finance.ibkr_flex.rows import ROWS, Reading, account_of, currency_of
from twinning_pipelines.sources.finance.ibkr_flex.survey import Survey

POSITION = "OpenPosition"
_PRIOR = "PriorPeriodPosition"
_RATE = "ConversionRate"
# The elements that this module makes rows of.
VALUES = frozenset({POSITION, _PRIOR, _RATE})
# Elements whose `fxRateToBase` is the rate of their day.
_RATED = ROWS | {POSITION}
_RATED_ON = ("reportDate", "tradeDate", "date", "dateTime")


class Valuation(Struct):
    """The values of one file. Prices and rates that it tells again are told once."""

    survey: Survey
    _prices: set[tuple[object, ...]] = field(default_factory=set)
    _rates: set[tuple[object, ...]] = field(default_factory=set)

    def rows_of(self, entry: flex.Entry) -> Iterator[Row | Rejection]:
        """The rows of one of `VALUES`; none of a rate that IBKR does not know, or one that was told before."""
        if entry.name == _RATE:
            yield from self._conversion(entry)
            return
        reading = Reading(entry, self.survey)
        record = HOLDING if entry.name == POSITION else PRICE
        try:
            values = _holding(reading) if record is HOLDING else _prior_price(reading)
        except ValueError as wrong:
            yield Rejection(entry.line, record.name, str(wrong), entry.raw)
            return
        if record is HOLDING:
            yield Row(HOLDING, entry.line, entry.raw, values)
            values = {name: values[name] for name in ("security", "currency", "unit_price")} | {
                "priced_on": values["held_on"]
            }
        told = tuple(values[name] for name in ("security", "currency", "priced_on"))
        # A holding without a price gives none; a price without a day or a price is for the checks to refuse.
        if (record is PRICE or values["unit_price"] is not None) and told not in self._prices:
            self._prices.add(told)
            yield Row(PRICE, entry.line, entry.raw, values)

    def rate_beside(self, entry: flex.Entry) -> Iterator[Row]:
        """The rate to the account's own currency that a row carries, where the file lists no rates: once a day and pair."""
        if entry.name not in _RATED or self.survey.has_rates:
            return
        base, quote = entry.get("currency").upper(), self.survey.home_currencies.get(account_of(entry), "")
        text = entry.get("fxRateToBase")
        day_text = entry.get(*_RATED_ON)
        if not text or not day_text or not base or not quote or base == quote:
            return
        try:
            values = _rate(base, quote, self.survey.day_of(day_text), Reading(entry, self.survey), "fxRateToBase")
        except ValueError:
            # It stays in the `extra` of its row.
            return
        if values and self._is_first(values):
            yield Row(EXCHANGE_RATE, entry.line, entry.raw, values)

    def _conversion(self, entry: flex.Entry) -> Iterator[Row | Rejection]:
        reading = Reading(entry, self.survey)
        base, quote = entry.get("fromCurrency").upper(), entry.get("toCurrency").upper()
        try:
            values = _rate(base, quote, reading.day("rated_on", "reportDate"), reading, "rate")
        except ValueError as wrong:
            yield Rejection(entry.line, EXCHANGE_RATE.name, str(wrong), entry.raw)
            return
        if values and self._is_first(values):
            yield Row(EXCHANGE_RATE, entry.line, entry.raw, values)

    def _is_first(self, values: dict[str, object]) -> bool:
        """Statements of several accounts in one file list the same rates."""
        told = tuple(values.values())
        if told in self._rates:
            return False
        self._rates.add(told)
        return True


def _rate(base: str, quote: str, day: date | None, reading: Reading, name: str) -> dict[str, object]:
    """A rate; empty where IBKR writes -1 or 0 for one that it does not know. Raises ValueError."""
    rate = reading.amount("rate", name)
    if rate is not None and rate <= 0:
        return {}
    return {"base": base, "quote": quote, "rated_on": day, "rate": rate}


def _holding(reading: Reading) -> dict[str, object]:
    reading.used.add("accountId")
    security, ticker, name = _named(reading)
    return {
        "account": account_of(reading.entry),
        # A query may leave the day out; positions are those at the end of the statement.
        "held_on": reading.day("held_on", "reportDate") or reading.last_day("held_on"),
        "security": security,
        "currency": currency_of(reading),
        "units": reading.amount("units", "position", "quantity"),
        "unit_price": reading.amount("unit_price", "markPrice"),
        "market_value": reading.amount("market_value", "positionValue"),
        "cost": reading.amount("cost", "costBasisMoney"),
        "ticker": ticker,
        "security_name": name,
        "extra": reading.rest(),
    }


def _prior_price(reading: Reading) -> dict[str, object]:
    security, _, _ = _named(reading)
    return {
        "security": security,
        "currency": currency_of(reading),
        "priced_on": reading.day("priced_on", "date"),
        "unit_price": reading.amount("unit_price", "price"),
    }


def _named(reading: Reading) -> tuple[str, str | None, str | None]:
    """Id, ticker and name of a security, by the same ids that trades are told by."""
    listed_ticker, listed_name = reading.name()
    security = reading.text("isin", "conid", "symbol")
    return security, reading.text("symbol") or listed_ticker or None, reading.text("description") or listed_name or None
