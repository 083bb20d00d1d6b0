"""Business facts: deals in the pipeline, invoices sent, expenses paid."""

from twinning_pipelines.records.record import DAY, JSON, MONEY, NUMBER, TEXT, Field, Record
from twinning_pipelines.records.rules import CURRENCY, NOT_BLANK, PLAUSIBLE_DAY, between, one_of

DEAL_STATUSES = ("open", "won", "lost")
INVOICE_STATUSES = ("draft", "sent", "partial", "paid", "void")

_CURRENCY = Field("currency", TEXT, "ISO 4217 code of the amounts", required=True, rules=(CURRENCY,))


def _day(name: str, meaning: str, *, required: bool = False) -> Field:
    return Field(name, DAY, meaning, required=required, rules=(PLAUSIBLE_DAY,))


DEAL = Record(
    name="deal",
    domain="business",
    meaning="one piece of business that may be won, as the newest export tells it",
    fields=(
        Field("deal_id", TEXT, "the source's own id", required=True, rules=(NOT_BLANK,)),
        Field("title", TEXT, "what the deal is called", required=True),
        Field("client", TEXT, "for whom"),
        Field("owner", TEXT, "who works on it"),
        Field("stage", TEXT, "where it stands, as the source calls it", required=True),
        Field("status", TEXT, "open, won or lost", required=True, rules=(one_of(DEAL_STATUSES),)),
        Field("amount", MONEY, "what it is worth, net", rules=(between(0, 1e12),)),
        _CURRENCY,
        Field("probability", NUMBER, "chance of winning, 0 to 1", rules=(between(0, 1),)),
        Field("channel", TEXT, "where the lead came from"),
        _day("created_on", "when it was created", required=True),
        _day("expected_on", "when it is expected to close"),
        _day("closed_on", "when it was won or lost"),
        Field("extra", JSON, "every other column, by its heading"),
    ),
    identity=("deal_id",),
    window="created_on",
    until="closed_on",
    lasting=True,
)

INVOICE = Record(
    name="invoice",
    domain="business",
    meaning="one invoice sent to a client",
    fields=(
        Field("number", TEXT, "the invoice's number", required=True, rules=(NOT_BLANK,)),
        Field("client", TEXT, "to whom", required=True, rules=(NOT_BLANK,)),
        Field("project", TEXT, "for what"),
        _day("issued_on", "when it was sent", required=True),
        _day("due_on", "when it has to be paid"),
        _day("paid_on", "when it was paid in full"),
        Field("net", MONEY, "amount before tax"),
        Field("tax", MONEY, "tax on it"),
        Field("gross", MONEY, "amount to pay", required=True),
        Field("paid", MONEY, "what has been paid so far"),
        _CURRENCY,
        Field("status", TEXT, "draft, sent, partial, paid or void", required=True, rules=(one_of(INVOICE_STATUSES),)),
        Field("note", TEXT, "free text"),
    ),
    identity=("number",),
    window="issued_on",
    until="paid_on",
    lasting=True,
)

EXPENSE = Record(
    name="expense",
    domain="business",
    meaning="one expense of the business",
    fields=(
        _day("spent_on", "when it was spent", required=True),
        Field("vendor", TEXT, "to whom it was paid", required=True, rules=(NOT_BLANK,)),
        Field("reference", TEXT, "receipt number, empty when there is none", required=True),
        Field("amount", MONEY, "what was paid, tax included", required=True),
        _CURRENCY,
        Field("tax", MONEY, "tax in it"),
        Field("category", TEXT, "what kind of expense"),
        Field("client", TEXT, "for which client"),
        Field("project", TEXT, "for which project"),
        Field("note", TEXT, "free text"),
    ),
    identity=("spent_on", "vendor", "reference", "amount", "currency"),
    window="spent_on",
)

RECORDS = (DEAL, INVOICE, EXPENSE)
