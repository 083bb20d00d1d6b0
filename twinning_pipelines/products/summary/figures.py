"""How figures are written for people: `6 h 52 min`, `8,312`, `71 %`, `120.50 CHF`, `12.9 km`. English, whatever the locale."""

from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

_STEPS = {
    "count": Decimal(1), "kcal": Decimal(1), "count/min": Decimal(1), "ms": Decimal(1), "g": Decimal(1), "d": Decimal(1),
    "kg": Decimal("0.1"), "fraction": Decimal("0.01"),
}  # fmt: skip
_WORDS = {"count": "", "count/min": "bpm"}
_MINUTES = {"h": Decimal(60), "min": Decimal(1)}
_CENT = Decimal("0.01")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def figure(value: Decimal, unit: str, beside: Decimal = Decimal(0)) -> str:
    """A value with its unit. beside: another value that is told with it; metres turn to kilometres for both."""
    if unit in _MINUTES:
        return _duration(_rounded(value * _MINUTES[unit], Decimal(1)))
    if unit == "m":
        is_far = max(abs(value), abs(beside)) >= 1000
        return f"{value / 1000:,.1f} km" if is_far else f"{_rounded(value, Decimal(10)):,f} m"
    if unit == "fraction":
        return f"{value * 100:.0f} %"
    if unit == "d":
        return "1 day" if _rounded(value, Decimal(1)) == 1 else f"{_rounded(value, Decimal(1)):,f} days"
    return f"{_rounded(value, _STEPS.get(unit, _CENT)):,f} {_WORDS.get(unit, unit)}".strip()


def difference(value: Decimal, other: Decimal, unit: str) -> Decimal:
    """How far apart two values are as they are shown: the difference of what people see, not of what is behind it."""
    if unit in _MINUTES:
        scale = _MINUTES[unit]
        return (_rounded(value * scale, Decimal(1)) - _rounded(other * scale, Decimal(1))) / scale
    if unit == "m":
        step = Decimal(100) if max(abs(value), abs(other)) >= 1000 else Decimal(10)
        return _rounded(value, step) - _rounded(other, step)
    step = _STEPS.get(unit, _CENT)
    return _rounded(value, step) - _rounded(other, step)


def day_name(day: date) -> str:
    """`Thursday`."""
    return _DAYS[day.weekday()]


def month_name(day: date) -> str:
    """`November 2026`."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


def date_words(day: date) -> str:
    """`Thursday 26 November`."""
    return f"{day_name(day)} {day.day} {_MONTHS[day.month - 1]}"


def _duration(minutes: Decimal) -> str:
    sign, whole = ("-" if minutes < 0 else ""), abs(int(minutes))
    hours, rest = divmod(whole, 60)
    if not hours:
        return f"{sign}{rest} min"
    return f"{sign}{hours:,} h {rest} min" if rest else f"{sign}{hours:,} h"


def _rounded(value: Decimal, step: Decimal) -> Decimal:
    rounded = (value / step).quantize(Decimal(1), ROUND_HALF_EVEN) * step
    # No minus before a nought.
    return rounded or abs(rounded)
