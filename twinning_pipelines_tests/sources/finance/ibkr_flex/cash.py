"""The cash of an account by currency, as its rows move it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

Cash = dict[tuple[str, str], Decimal]


def moved(rows: Iterable[Mapping[str, Any]]) -> Cash:
    """What trades and bookings add, by account and currency."""
    cash: Cash = defaultdict(Decimal)
    for row in rows:
        if "amount" not in row and "traded_on" not in row:
            # Holdings, prices and rates move no cash.
            continue
        cash[row["account"], row["currency"]] += row.get("amount", row.get("total", Decimal()))
    return cash
