"""What Firefly III holds of a movement of money: a group of splits, in its own field names.

Ours and theirs are read alike, so what was wanted, what was written and what is there now can be compared field by field.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Struct

Document = dict[str, Any]
# Inside Split, `date` is the field.
Day = date

_DATES = frozenset({"date", "interest_date", "process_date"})
_AMOUNTS = frozenset({"amount", "foreign_amount"})


class Split(Struct, frozen=True, kw_only=True):
    """One part of a group. Amounts are positive; `type` and the two accounts say which way the money went."""

    type: str
    date: Day
    amount: Decimal
    currency_code: str
    description: str
    source_id: str | None = None
    source_name: str | None = None
    destination_id: str | None = None
    destination_name: str | None = None
    foreign_amount: Decimal | None = None
    foreign_currency_code: str | None = None
    category_name: str | None = None
    budget_name: str | None = None
    tags: tuple[str, ...] = ()
    notes: str | None = None
    internal_reference: str | None = None
    external_id: str | None = None
    interest_date: Day | None = None
    process_date: Day | None = None

    @classmethod
    def of_cash(
        cls, amount: Decimal, remote_id: str, other: str, *, day: Day, currency_code: str, description: str
    ) -> "Split":
        """Money that leaves (negative) or reaches the account `remote_id`; the other side goes by its name."""
        leaves = amount < 0
        return cls(
            type="withdrawal" if leaves else "deposit",
            date=day,
            amount=abs(amount),
            currency_code=currency_code,
            description=description,
            source_id=remote_id if leaves else None,
            source_name=None if leaves else other,
            destination_id=None if leaves else remote_id,
            destination_name=other if leaves else None,
        )

    def document(self) -> Document:
        """As JSON: no nulls, amounts as plain decimal text, days as YYYY-MM-DD."""
        told = {name: getattr(self, name) for name in FIELDS}
        return {name: written(value) for name, value in told.items() if value is not None and value != ()}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Split":
        """From JSON, ours or the server's; fields that we don't know are left aside. Raises ValueError."""
        try:
            return cls(**{name: _read(name, document[name]) for name in FIELDS if document.get(name) is not None})
        except (TypeError, InvalidOperation) as wrong:
            raise ValueError("not a transaction of Firefly III") from wrong


FIELDS = Split.__struct_fields__


class Group(Struct, frozen=True):
    """What is one movement of money for us: one split, or several with a title. None of its fields is the server's."""

    splits: tuple[Split, ...]
    title: str | None = None

    def document(self) -> Document:
        """As JSON, in the names of the API."""
        told: Document = {"transactions": [split.document() for split in self.splits]}
        return told | ({"group_title": self.title} if self.title is not None else {})

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Group":
        """From JSON. Raises ValueError."""
        splits = tuple(Split.of(each) for each in document["transactions"])
        return cls(splits, document.get("group_title") if len(splits) > 1 else None)

    @property
    def external_id(self) -> str:
        """Our name for it; empty where it is not ours."""
        return next((split.external_id for split in self.splits if split.external_id), "")


class RemoteGroup(Struct, frozen=True):
    """A group as the server holds it. `journals` are the ids of its splits, `hashes` what the server checks doubles by;
    `is_handled`: somebody reconciled it or attached a file to it."""

    id: str
    group: Group
    journals: tuple[str, ...]
    hashes: tuple[str, ...] = ()
    is_handled: bool = False

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "RemoteGroup":
        """From an element of `data`, its splits in the order in which they were made. Raises ValueError."""
        try:
            # The server lists the newest first, and those that were sent together have no other order.
            splits = sorted(data["attributes"]["transactions"], key=lambda each: int(each["transaction_journal_id"]))
            attributes = {**data["attributes"], "transactions": splits}
            journals = tuple(str(each["transaction_journal_id"]) for each in splits)
            hashes = tuple(str(each.get("import_hash_v2") or "") for each in splits)
            is_handled = any(each.get("reconciled") or each.get("has_attachments") for each in splits)
            return cls(str(data["id"]), Group.of(attributes), journals, hashes, is_handled)
        except (KeyError, TypeError, AttributeError) as wrong:
            raise ValueError("not a transaction of Firefly III") from wrong


def written(value: object) -> object:
    """A value of a field as the API wants it."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _read(name: str, value: Any) -> Any:
    if name in _AMOUNTS:
        return Decimal(str(value))
    if name in _DATES:
        # An instant at the server's own midnight: its first ten characters are the day.
        return date.fromisoformat(str(value)[:10])
    return tuple(sorted(map(str, value))) if name == "tags" else str(value)
