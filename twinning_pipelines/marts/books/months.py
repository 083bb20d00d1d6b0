"""Days counted in months."""

from calendar import monthrange
from datetime import date, timedelta


def later(day: date, *, months: int = 0, days: int = 0) -> date:
    """The day so many months and days later; the 31st becomes the last of a shorter month."""
    moved = in_month(day, months, day.day) if months else day
    return moved + timedelta(days=days)


def in_month(day: date, months: int, number: int) -> date:
    """The so many-th day of the month that lies `months` behind that of `day`, or its last where it has fewer."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(number, monthrange(year, month + 1)[1]))
