"""Currencies that exchanges quote in hundredths: British pence and the like."""

from decimal import Decimal

# And their whole ones.
_HUNDREDTHS = {"GBp": "GBP", "GBX": "GBP", "ILA": "ILS", "ZAc": "ZAR", "ZAC": "ZAR"}


def money_of(currency: str) -> tuple[str, Decimal]:
    """The whole currency that one stands for, and what its unit is worth in it: `GBp` is a hundredth of `GBP`."""
    trimmed = currency.strip()
    whole = _HUNDREDTHS.get(trimmed)
    return (whole, Decimal("0.01")) if whole else (trimmed.upper(), Decimal(1))
