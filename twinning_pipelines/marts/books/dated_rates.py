"""Many rates at once: what currencies cost on the days that are asked for, see `rates`."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from twinning_pipelines.marts.books.rates import rates_of

# Base, quote, day.
Asked = tuple[str, str, date]


class DatedRates:
    """Rates by base, quote and day."""

    def __init__(self, known: Mapping[Asked, Decimal]) -> None:
        self._known = known

    def rate(self, base: str, quote: str, day: date) -> Decimal | None:
        """What one unit of `base` costs in `quote`; None where nothing tells it."""
        return Decimal(1) if base == quote else self._known.get((base, quote, day))


def dated_rates(connection: sa.Connection, person_id: int, asked: Iterable[Asked]) -> DatedRates:
    """The rates that a person's files tell of these."""
    wanted = sorted({each for each in asked if each[0] != each[1]})
    if not wanted:
        return DatedRates({})
    bases, quotes, days = map(list, zip(*wanted, strict=True))
    values: dict[str, object] = {"person": person_id, "bases": bases, "quotes": quotes, "days": days}
    rows = connection.execute(sa.text(_RATES), values)
    return DatedRates({(row.base, row.quote, row.day): row.rate for row in rows})


_ASKED = """
    select * from unnest(cast(:days as date[]), cast(:bases as text[]), cast(:quotes as text[])) as a (day, base, quote)"""
_RATES = f"select base, quote, day, rate from ({rates_of(_ASKED)}) as r where rate > 0"
