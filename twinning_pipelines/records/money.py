"""Money facts: accounts' transactions, trades, holdings, prices, rates, and the lists that a finance program exports beside.

Amounts are decimals with an ISO currency on every row; a booking day is the bank's own local day and never
shifts with a zone.
"""

import unicodedata
from decimal import Decimal

from twinning_pipelines.records.record import DAY, FLAG, JSON, MONEY, QUANTITY, TEXT, Field, Record
from twinning_pipelines.records.rules import CURRENCY, NOT_BLANK, PLAUSIBLE_DAY

_ACCOUNT = Field(
    "account",
    TEXT,
    "bank and account number as the file states them, or the account's name",
    required=True,
    rules=(NOT_BLANK,),
)
_BOOKED = Field("booked_on", DAY, "the bank's booking day", required=True, rules=(PLAUSIBLE_DAY,))
_CURRENCY = Field("currency", TEXT, "ISO 4217 code of the amount", required=True, rules=(CURRENCY,))
_BANK_ID = Field("bank_id", TEXT, "the bank's own id of the row (OFX FITID), empty when it gives none", required=True)
_KEY = Field("key", TEXT, "what tells it from others of that day and amount: see `key_of`", required=True)


# ISO 4217 for "no currency": kept where a file names none.
NO_CURRENCY = "XXX"
# Where a statement names no account.
UNNAMED_ACCOUNT = "unnamed account"


def key_of(bank_id: str, *words: str | Decimal | None) -> str:
    """What tells a booking from others of its account, day and amount: the bank's id, else its words, normalised.

    Category, file name and row number are never part of it: they change while the booking stays the same.
    """
    if bank_id.strip():
        return f"id:{bank_id.strip()}"
    return "words:" + "|".join(map(_normalised, words))


def _normalised(word: str | Decimal | None) -> str:
    """`12.50` and `12.5` are one figure, `CAFÉ  Zürich` and `Café Zürich` one name."""
    if isinstance(word, Decimal):
        return f"{word.normalize():f}"
    text = word or ""
    return " ".join((text if text.isascii() else unicodedata.normalize("NFKC", text)).casefold().split())


TRANSACTION = Record(
    name="transaction",
    domain="finance",
    meaning="one booking on one account",
    fields=(
        _ACCOUNT,
        _BOOKED,
        Field("amount", MONEY, "what the booking adds to the account; negative when money leaves", required=True),
        _CURRENCY,
        _KEY,
        _BANK_ID,
        Field("payee", TEXT, "who is on the other side", required=True),
        Field("memo", TEXT, "what the bank writes about it", required=True),
        Field("kind", TEXT, "the bank's type: DEBIT, ATM, INT, …"),
        Field("valued_on", DAY, "the day the money counts from", rules=(PLAUSIBLE_DAY,)),
        Field("check_number", TEXT, "number of the cheque"),
        Field("reference", TEXT, "the bank's reference"),
        Field("category", TEXT, "the category the file gives, as written"),
        Field("transfer_account", TEXT, "the own account on the other side, where the file names it"),
        Field("original_amount", MONEY, "the amount in the currency it was spent in"),
        Field("original_currency", TEXT, "ISO 4217 code of that currency", rules=(CURRENCY,)),
        Field("pending", FLAG, "true while the bank has announced it and not yet booked it"),
        Field("splits", JSON, 'parts of the amount: [{"category": …, "memo": …, "amount": "-3.50"}]'),
        Field("extra", JSON, "every other field that the file gives, by its own name"),
    ),
    identity=("account", "booked_on", "amount", "key"),
    window="booked_on",
    scope=("account",),
    sighted=True,
)

TRADE = Record(
    name="trade",
    domain="finance",
    meaning="one event on an investment account: a purchase, a sale, a dividend, a split, …",
    fields=(
        _ACCOUNT,
        Field("traded_on", DAY, "the day of the trade", required=True, rules=(PLAUSIBLE_DAY,)),
        Field(
            "action",
            TEXT,
            "what happened, as the file calls it: BUYSTOCK, INCOME, ReinvDiv, …",
            required=True,
            rules=(NOT_BLANK,),
        ),
        _KEY,
        _BANK_ID,
        Field("security", TEXT, "the security's id or name, empty for cash events", required=True),
        Field("total", MONEY, "what the event adds to the cash of the account; negative when money leaves"),
        _CURRENCY,
        Field("units", QUANTITY, "units bought (positive) or sold (negative)"),
        Field("unit_price", QUANTITY, "price of one unit"),
        Field("fees", MONEY, "commission, fees and load together"),
        Field("settled_on", DAY, "the day of settlement", rules=(PLAUSIBLE_DAY,)),
        Field("ticker", TEXT, "ticker symbol, where the file lists it"),
        Field("security_name", TEXT, "name of the security, where the file lists it"),
        Field("memo", TEXT, "what the broker writes about it"),
        Field("extra", JSON, "every other field that the file gives, by its own name"),
    ),
    identity=("account", "traded_on", "action", "key"),
    window="traded_on",
    lasting=True,
    scope=("account",),
)

REGISTER_ENTRY = Record(
    name="register_entry",
    domain="finance",
    meaning="one entry of a list that a finance program exports beside its bookings",
    fields=(
        Field(
            "register",
            TEXT,
            "which list: account, category, class, memorized, security, price, budget",
            required=True,
            rules=(NOT_BLANK,),
        ),
        Field("entry", TEXT, "the entry's name; a price's security and day", required=True),
        Field("fields", JSON, "what the entry says, by field"),
    ),
    identity=("register", "entry"),
    window=None,
    scope=("register",),
)

HOLDING = Record(
    name="holding",
    domain="finance",
    meaning="what an account held of one security on a day, as a statement says",
    fields=(
        _ACCOUNT,
        Field("held_on", DAY, "the day of the statement", required=True, rules=(PLAUSIBLE_DAY,)),
        Field("security", TEXT, "the security's id or name", required=True, rules=(NOT_BLANK,)),
        Field("currency", TEXT, "ISO 4217 code of price, value and cost", required=True, rules=(CURRENCY,)),
        Field("units", QUANTITY, "units held; negative where they are owed", required=True),
        Field("unit_price", QUANTITY, "price of one unit that day"),
        Field("market_value", MONEY, "what they were worth that day"),
        Field("cost", MONEY, "what was paid for them"),
        Field("ticker", TEXT, "ticker symbol, where the file lists it"),
        Field("security_name", TEXT, "name of the security, where the file lists it"),
        Field("extra", JSON, "every other field that the file gives, by its own name"),
    ),
    identity=("account", "held_on", "security", "currency"),
    window="held_on",
    lasting=True,
    scope=("account",),
)

PRICE = Record(
    name="price",
    domain="finance",
    meaning="what one unit of a security cost on a day",
    fields=(
        Field("security", TEXT, "the security's id or name", required=True, rules=(NOT_BLANK,)),
        Field("priced_on", DAY, "the day", required=True, rules=(PLAUSIBLE_DAY,)),
        Field("currency", TEXT, "ISO 4217 code of the price", required=True, rules=(CURRENCY,)),
        Field("unit_price", QUANTITY, "price of one unit at the end of the day", required=True),
        Field("extra", JSON, "every other field that the file gives, by its own name"),
    ),
    identity=("security", "priced_on", "currency"),
    window="priced_on",
    lasting=True,
    ambient=True,
    scope=("security",),
)

EXCHANGE_RATE = Record(
    name="exchange_rate",
    domain="finance",
    meaning="what one unit of a currency cost in another on a day",
    fields=(
        Field("base", TEXT, "ISO 4217 code of the currency that is priced", required=True, rules=(CURRENCY,)),
        Field("quote", TEXT, "ISO 4217 code of the currency it is priced in", required=True, rules=(CURRENCY,)),
        Field("rated_on", DAY, "the day", required=True, rules=(PLAUSIBLE_DAY,)),
        Field("rate", QUANTITY, "how many units of `quote` one unit of `base` costs", required=True),
    ),
    identity=("base", "quote", "rated_on"),
    window="rated_on",
    lasting=True,
    ambient=True,
    scope=("base", "quote"),
)

RECORDS = (TRANSACTION, TRADE, HOLDING, PRICE, EXCHANGE_RATE, REGISTER_ENTRY)
