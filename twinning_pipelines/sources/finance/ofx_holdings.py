"""What an investment statement in OFX says that an account holds: its list of positions, and the prices in it.

To: Holding, and Price where a position names the price of a unit and its day. `UNITPRICE` of a bond is in percent of its
face value, as OFX has it; `MKTVAL` is in money.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from twinning_pipelines.formats import numbers, ofx
from twinning_pipelines.records.money import HOLDING, NO_CURRENCY, PRICE
from twinning_pipelines.source import Rejection, Row

_TAKEN = frozenset(("SECID.UNIQUEID", "UNITS", "UNITPRICE", "MKTVAL", "CURRENCY.CURSYM"))
_CUT = "the file ends inside this position"


def holdings_of(
    statement: ofx.Statement, account: str, style: numbers.NumberStyle, securities: Mapping[str, ofx.Record]
) -> Iterator[Row | Rejection]:
    """One holding for each position of a statement, and its price behind it where both price and day are told.

    securities: the file's own list of them by id. A position that can't be read is one rejection, and gives no price.
    """
    for position in statement.positions:
        if position.cut:
            yield Rejection(position.line, HOLDING.name, _CUT, position.raw)
            continue
        try:
            holding = _holding(position, statement, account, style)
        except ValueError as wrong:
            yield Rejection(position.line, HOLDING.name, str(wrong), position.raw)
            continue
        yield Row(HOLDING, position.line, position.raw, holding | _listed(position, securities))
        if holding["unit_price"] is not None and position.get("DTPRICEASOF").strip():
            yield _price(position, holding)


def _holding(
    position: ofx.Record, statement: ofx.Statement, account: str, style: numbers.NumberStyle
) -> dict[str, object]:
    units = _amount(position, "units", "UNITS", style)
    if units is not None and position.get("POSTYPE").strip().upper() == "SHORT":
        # The specification wants the minus, too; not every broker writes it.
        units = -abs(units)
    currency = position.get("CURRENCY.CURSYM") or statement.currency or NO_CURRENCY
    return {
        "account": account,
        "held_on": _held_on(position, statement),
        "security": position.get("SECID.UNIQUEID").strip(),
        "currency": currency.strip().upper(),
        "units": units,
        "unit_price": _amount(position, "unit_price", "UNITPRICE", style),
        "market_value": _amount(position, "market_value", "MKTVAL", style),
        "extra": _rest(position),
    }


def _held_on(position: ofx.Record, statement: ofx.Statement) -> date | None:
    """The day of the statement; of one without, the day of the price."""
    text = statement.taken_at or statement.end or position.get("DTPRICEASOF")
    return _day("held_on", text)


def _listed(position: ofx.Record, securities: Mapping[str, ofx.Record]) -> dict[str, object]:
    listed = securities.get(position.get("SECID.UNIQUEID"))
    if listed is None:
        return {}
    return {
        "ticker": listed.get("TICKER").strip() or None,
        "security_name": listed.get("SECNAME").strip() or None,
    }


def _price(position: ofx.Record, holding: Mapping[str, object]) -> Row | Rejection:
    try:
        day = _day("priced_on", position.get("DTPRICEASOF"))
    except ValueError as wrong:
        return Rejection(position.line, PRICE.name, str(wrong), position.raw)
    values = {name: holding[name] for name in ("security", "currency", "unit_price")}
    return Row(PRICE, position.line, position.raw, values | {"priced_on": day})


def _day(field: str, text: str) -> date | None:
    try:
        return ofx.day_of(text) if text.strip() else None
    except ValueError as wrong:
        raise ValueError(f"{field}: {wrong}") from None


def _amount(position: ofx.Record, field: str, name: str, style: numbers.NumberStyle) -> Decimal | None:
    """A number, None when absent; dot and comma may stand in one file. Raises ValueError with the field's name."""
    text = position.get(name).strip()
    if not text:
        return None
    try:
        return style.read(text)
    except ValueError:
        other = numbers.NumberStyle("." if style.decimal == "," else ",")
    try:
        return other.read(text)
    except ValueError as wrong:
        raise ValueError(f"{field}: {wrong}") from None


def _rest(position: ofx.Record) -> str | None:
    rest = {name: value for name, value in position.fields.items() if value and name not in _TAKEN}
    return json.dumps(rest, ensure_ascii=False, sort_keys=True) if rest else None
