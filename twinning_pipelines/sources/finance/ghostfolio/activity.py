"""What one activity of Ghostfolio says: the row of a trade, or of a booking where only cash moves.

Ghostfolio writes amounts without signs, and the type tells them: BUY takes cash, LIABILITY is owed. What a DIVIDEND is
paid for is no change of units.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from msgspec import Struct, field

from twinning_pipelines.formats.json_values import detail_of
from twinning_pipelines.records.money import TRADE, TRANSACTION, key_of
from twinning_pipelines.records.record import Record
from twinning_pipelines.sources.finance.hundredths import money_of

MANUAL = "MANUAL"
_TYPES = ("BUY", "SELL", "DIVIDEND", "FEE", "INTEREST", "ITEM", "LIABILITY")
# Bookings of an account, where no security of a market is named.
_CASH = frozenset({"FEE", "INTEREST"})


class Security(Struct, frozen=True):
    """What is traded: how rows call it, its ticker and name, and whether the person made it up (a house, a fee)."""

    called: str
    ticker: str = ""
    name: str = ""
    is_manual: bool = False


class Activity(Struct, frozen=True):
    """One activity, typed. Amounts are as written: without signs, and maybe in hundredths of a currency."""

    account: str
    day: date | None
    kind: str
    security: Security
    currency: str
    quantity: Decimal
    unit_price: Decimal
    fee: Decimal
    note: str = ""
    own_id: str = ""
    rest: Mapping[str, object] = field(default_factory=dict)


def values_of(activity: Activity) -> tuple[Record, dict[str, object]]:
    """The record and its values. Raises ValueError("action: …") for a type that is none of Ghostfolio's."""
    kind = activity.kind.strip().upper()
    if kind not in _TYPES:
        raise ValueError(f"action: not one of {', '.join(_TYPES)}: {activity.kind[:60]!r}")
    currency, share = money_of(activity.currency)
    price, fee = abs(activity.unit_price) * share, abs(activity.fee) * share
    quantity = abs(activity.quantity)
    rest = dict(activity.rest) | ({"currency": activity.currency} if share != 1 else {})
    if kind in _CASH and activity.security.is_manual:
        amount = (quantity * price if kind == "INTEREST" else -quantity * price) - fee
        return TRANSACTION, _booking(activity, kind, amount, currency, detail_of(rest))
    units = {"BUY": quantity, "ITEM": quantity, "SELL": -quantity, "LIABILITY": -quantity}.get(kind)
    if units is None:
        rest |= {"quantity": str(activity.quantity), "unitPrice": str(activity.unit_price)}
    return TRADE, {
        "account": activity.account,
        "traded_on": activity.day,
        "action": kind,
        "key": _key(activity),
        "bank_id": activity.own_id,
        "security": activity.security.called,
        "total": _total(kind, quantity * price, fee),
        "currency": currency,
        "units": units,
        "unit_price": price if units is not None else None,
        "fees": fee,
        "ticker": activity.security.ticker or None,
        "security_name": activity.security.name or None,
        "memo": activity.note or None,
        "extra": detail_of(rest),
    }


def _total(kind: str, worth: Decimal, fee: Decimal) -> Decimal | None:
    """What it adds to the cash of the account; None where no cash moves."""
    if kind in ("ITEM", "LIABILITY"):
        return None
    return (-worth if kind in ("BUY", "FEE") else worth) - fee


def _booking(activity: Activity, kind: str, amount: Decimal, currency: str, extra: str | None) -> dict[str, object]:
    memo = activity.note or activity.security.name or activity.security.called
    return {
        "account": activity.account,
        "booked_on": activity.day,
        "amount": amount,
        "currency": currency,
        "key": _key(activity),
        "bank_id": activity.own_id,
        "payee": "",
        "memo": memo,
        "kind": kind,
        "extra": extra,
    }


def _key(activity: Activity) -> str:
    words = (activity.security.called, activity.quantity, activity.unit_price, activity.fee, activity.note)
    return key_of(activity.own_id, *words)
