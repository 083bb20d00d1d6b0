"""The largest payment of a day in each currency, where it is most of what was spent."""

from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.marts.facts import FACT_BY_NAME

_SHARE = Decimal("0.5")
_LARGEST = f"""
    select distinct on (unit) unit, label, amount, sum(amount) over (partition by unit)
    from ({FACT_BY_NAME["spend"].rows}) r
    order by unit, amount desc, label"""  # noqa: S608


class Payment(Struct, frozen=True):
    """Money that went to somebody; positive."""

    payee: str
    amount: Decimal
    currency: str


def largest_payments(connection: sa.Connection, person_id: int, day: date) -> list[Payment]:
    """By currency the largest payment of a day, if it has a payee and was at least half of what was spent."""
    values = {"person": person_id, "first": day, "last": day}
    return [
        Payment(label, amount, unit)
        for unit, label, amount, total in connection.execute(sa.text(_LARGEST), values)
        if label and amount >= total * _SHARE
    ]
