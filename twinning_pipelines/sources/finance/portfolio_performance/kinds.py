"""Portfolio Performance's types of bookings: what each does to units and cash, and how it is called."""

from typing import Literal

from msgspec import Struct

Sign = Literal[-1, 0, 1]


class Kind(Struct, frozen=True):
    """A type of booking. units, cash: what it does to them. labels: how tables call it, in English and German."""

    name: str
    units: Sign
    cash: Sign
    labels: tuple[str, ...]


# A delivery moves no cash. A transfer moves units between securities accounts, or cash between cash accounts.
KINDS = (
    Kind("BUY", 1, -1, ("Buy", "Kauf")),
    Kind("SELL", -1, 1, ("Sell", "Verkauf")),
    Kind("DELIVERY_INBOUND", 1, 0, ("Delivery (Inbound)", "Einlieferung")),
    Kind("DELIVERY_OUTBOUND", -1, 0, ("Delivery (Outbound)", "Auslieferung")),
    Kind("TRANSFER_IN", 1, 1, ("Transfer (Inbound)", "Umbuchung (Eingang)")),
    Kind("TRANSFER_OUT", -1, -1, ("Transfer (Outbound)", "Umbuchung (Ausgang)")),
    Kind("DEPOSIT", 0, 1, ("Deposit", "Einlage")),
    Kind("REMOVAL", 0, -1, ("Withdrawal", "Removal", "Entnahme")),
    Kind("DIVIDENDS", 0, 1, ("Dividend", "Dividends", "Dividende")),
    Kind("INTEREST", 0, 1, ("Interest", "Zinsen")),
    Kind("INTEREST_CHARGE", 0, -1, ("Interest Charge", "Zinsbelastung")),
    Kind("FEES", 0, -1, ("Fees", "Gebühren")),
    Kind("FEES_REFUND", 0, 1, ("Fees Refund", "Gebührenerstattung")),
    Kind("TAXES", 0, -1, ("Taxes", "Steuern")),
    Kind("TAX_REFUND", 0, 1, ("Tax Refund", "Steuerrückerstattung")),
)
_BY_WORD = {word.casefold(): kind for kind in KINDS for word in (kind.name, *kind.labels)}


def kind_of(word: str) -> Kind:
    """The type of that name or label. Raises ValueError("action: …")."""
    kind = _BY_WORD.get(" ".join(word.split()).casefold())
    if kind is None:
        raise ValueError(f"action: not a type of booking: {word[:60]!r}")
    return kind
