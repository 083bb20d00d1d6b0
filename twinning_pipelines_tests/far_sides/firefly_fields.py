"""What the fields of Firefly III v6.6 may hold, and which accounts a type may join."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

Fields = dict[str, Any]

# config/firefly.php, source_dests: the accounts that a type may go from and to.
SOURCES = {"withdrawal": ("asset", "liability"), "deposit": ("revenue", "cash", "liability"), "transfer": ("asset",)}
DESTINATIONS = {"withdrawal": ("expense", "liability", "cash"), "deposit": ("asset",), "transfer": ("asset",)}
MADE_ON_THE_FLY = {("withdrawal", "destination"): "expense", ("deposit", "source"): "revenue"}
CURRENCIES = ("EUR", "USD", "CHF", "GBP", "JPY", "SEK", "PLN")
FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(2038, 1, 17)
LENGTHS = {"description": 1000, "notes": 32768, "external_id": 255, "internal_reference": 255, "external_url": 255}
DAYS = ("interest_date", "book_date", "process_date", "due_date", "payment_date", "invoice_date")
TEXTS = (
    *("description", "category_name", "budget_name", "notes", "internal_reference", "external_id", "external_url"),
    *("sepa_cc", "sepa_ct_op", "sepa_ct_id", "sepa_db", "sepa_country", "sepa_ep", "sepa_ci", "sepa_batch_id"),
)


class Refused(Exception):
    """422: what is wrong with which field."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(f"{field}: {sentence}")
        self.field, self.sentence = field, sentence


class DeletedByRule(Exception):
    """A rule deleted what had just been stored."""


def check_texts(at: Callable[[str], str], sent: Fields) -> None:
    """Description, texts, tags and names of a split. at: what a field of it is called in an error. Raises Refused."""
    if not isinstance(sent.get("description"), str) or not sent["description"].strip():
        raise Refused(at("description"), "The description field is required.")
    for name, most in LENGTHS.items():
        value = sent.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > most):
            raise Refused(at(name), f"The {name} may not be greater than {most} characters.")
    for tag in sent.get("tags") or []:
        if not isinstance(tag, str) or not 1 <= len(tag) <= 255:
            raise Refused(at("tags"), "The tag may not be greater than 255 characters.")
    for name in ("category_name", "budget_name"):
        if sent.get(name) is not None and not 1 <= len(sent[name]) <= 255:
            raise Refused(at(name), "The name may not be greater than 255 characters.")


def amount_of(field: str, value: object, *, signed: bool = False) -> Decimal:
    """A decimal as text, greater than zero unless signed. Raises Refused."""
    if not isinstance(value, str) or not re.fullmatch(
        r"-?\d{1,20}(\.\d{1,12})?" if signed else r"\d{1,20}(\.\d{1,12})?", value
    ):
        raise Refused(field, "The amount must be a number, without an exponent.")
    amount = Decimal(value)
    if not signed and amount <= 0:
        raise Refused(field, "The amount must be more than zero.")
    return amount


def day_of(field: str, value: object) -> date:
    """YYYY-MM-DD or an instant, within what the server's database can hold. Raises Refused."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d([+-]\d\d:\d\d|Z))?", value):
        raise Refused(field, "This is not a valid date.")
    day = date.fromisoformat(value[:10])
    if not FIRST_DAY <= day <= LAST_DAY:
        raise Refused(field, "The date must be between 1970-01-02 and 2038-01-17.")
    return day


def iban_is_valid(text: str) -> bool:
    """ISO 13616: letters count as 10 to 35, the rest of a division by 97 is 1."""
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", text):
        return False
    return int("".join(str(int(each, 36)) for each in text[4:] + text[:4])) % 97 == 1
