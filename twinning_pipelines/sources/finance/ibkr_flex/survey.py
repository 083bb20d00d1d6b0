"""What has to be known of a whole Flex file before its first row can be read."""

from datetime import date, datetime

from msgspec import Struct, field

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats import dates, flex

BOOKED_ON = ("reportDate", "date", "dateTime", "settleDate")
TRADED_ON = ("tradeDate", "dateTime", "reportDate")
SETTLED_ON = ("settleDateTarget", "settleDate")
_DAYS = (*BOOKED_ON, *TRADED_ON, *SETTLED_ON, "fromDate", "toDate", "whenGenerated")

# The level of detail of elements that do not state theirs.
LEVELS = {
    "Trade": "EXECUTION",
    "TradeConfirm": "EXECUTION",
    "Order": "ORDER",
    "SymbolSummary": "SYMBOL_SUMMARY",
    "AssetSummary": "ASSET_SUMMARY",
    "Lot": "CLOSED_LOT",
    "WashSale": "WASH_SALE",
}
# Anything else is a row, levels that nobody has heard of included.
_REPEATING = frozenset(LEVELS.values()) - {"EXECUTION"}
# The cash side of what other sections tell as well.
_ECHOES = frozenset({"FxTransaction", "StatementOfFundsLine"})


class Survey(Struct):
    """One file, all its elements seen once.

    stamps, generated: the texts of days and of the moments statements were made. exercised: ids of trades that stem from
    options. names: ticker and name by the security's id. home_currencies: by account. has_rates: it lists rates of
    currencies. style: the order of its days, once `decide` was asked.
    """

    stamps: dict[str, None] = field(default_factory=dict)
    generated: dict[str, None] = field(default_factory=dict)
    trade_levels: set[str] = field(default_factory=set)
    cash_levels: set[str] = field(default_factory=set)
    position_levels: set[str] = field(default_factory=set)
    exercised: set[str] = field(default_factory=set)
    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    home_currencies: dict[str, str] = field(default_factory=dict)
    has_rates: bool = False
    style: dates.DateStyle = field(default_factory=dates.DateStyle)

    def take(self, entry: flex.Entry) -> None:
        """One element."""
        for name in _DAYS:
            if text := flex.said(entry.attributes.get(name)):
                self.stamps[flex.day_text(text)] = None
        if entry.name == flex.STATEMENT:
            self.generated[entry.get("whenGenerated")] = None
        elif entry.name in LEVELS:
            self.trade_levels.add(level_of(entry))
            # Exercises, assignments and expirations are booked as trades, too.
            if entry.get("transactionType") == "BookTrade" and entry.get("tradeID"):
                self.exercised.add(entry.get("tradeID"))
        elif entry.name == "CashTransaction":
            self.cash_levels.add(entry.get("levelOfDetail"))
        elif entry.name == "OpenPosition":
            self.position_levels.add(entry.get("levelOfDetail").upper())
        elif entry.name == "ConversionRate":
            self.has_rates = True
        elif entry.name == "AccountInformation":
            account = entry.get("accountId") or flex.said(entry.statement.get("accountId"))
            self.home_currencies[account] = entry.get("currency").upper()
        elif entry.name == "SecurityInfo":
            self.names[entry.get("conid", "isin", "symbol")] = (entry.get("symbol"), entry.get("description"))

    def decide(self, clock: Clock) -> None:
        """The order of day, month and year: by the file's own proofs, else as the person writes."""
        self.style = dates.decide_as(clock.date_order, lambda: self.stamps)

    def day_of(self, text: str) -> date:
        """The broker's day of a stamp. Raises ValueError."""
        day = flex.day_text(text)
        if self.style.ambiguous:
            raise ValueError(f"{day!r} may be day-first or month-first; set TWINNING_DATE_ORDER to DMY or MDY")
        return self.style.read(day)

    def exported_at(self) -> datetime | None:
        """When the newest statement was made, if it says so to the second."""
        moments = []
        for text in self.generated:
            try:
                moments.append(None if self.style.ambiguous else flex.moment_of(text, self.style))
            except ValueError:
                continue
        return max((moment for moment in moments if moment), default=None)

    def repeats(self, entry: flex.Entry) -> str:
        """How to call an element that other rows of the file tell already; empty when none does."""
        if entry.name in LEVELS:
            level = level_of(entry)
            return level if level in _REPEATING and level != self.finest else ""
        if entry.name == "CashTransaction":
            level = entry.get("levelOfDetail")
            return f"CashTransaction {level}" if level == "SUMMARY" and "DETAIL" in self.cash_levels else ""
        if entry.name == "OpenPosition":
            level = entry.get("levelOfDetail").upper()
            return f"OpenPosition {level}" if level == "LOT" and "SUMMARY" in self.position_levels else ""
        if entry.name == "OptionEAE":
            return entry.name if entry.get("tradeID") in self.exercised else ""
        if entry.name == "TransactionTax":
            # The others are part of the taxes of their trade.
            return "" if entry.get("source") == "STANDALONE" else entry.name
        return entry.name if entry.name in _ECHOES else ""

    @property
    def finest(self) -> str:
        """The level of the trades that are rows."""
        return "ORDER" if "ORDER" in self.trade_levels and "EXECUTION" not in self.trade_levels else "EXECUTION"


def level_of(entry: flex.Entry) -> str:
    """The level of detail of an element that is a trade or sums some up."""
    return entry.get("levelOfDetail").upper() or LEVELS[entry.name]
