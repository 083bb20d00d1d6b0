"""The cash of an account by currency, as its rows move it."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

Cash = dict[tuple[str, str], Decimal]


def moved(rows: Iterable[Mapping[str, Any]]) -> Cash:
    """What trades and bookings add, by account and currency; a conversion moves the currency before its dot as well."""
    cash: Cash = defaultdict(Decimal)
    for row in rows:
        if "amount" not in row and "traded_on" not in row:
            # Holdings, prices and rates move no cash.
            continue
        extra = json.loads(row.get("extra", "{}"))
        cash[row["account"], row["currency"]] += row.get("amount", row.get("total", Decimal()))
        if extra.get("assetCategory") == "CASH" and "." in row.get("ticker", ""):
            cash[row["account"], row["ticker"].partition(".")[0]] += row["units"]
        if "ibCommission" in extra:
            cash[row["account"], extra["ibCommissionCurrency"]] += Decimal(extra["ibCommission"])
    return cash
