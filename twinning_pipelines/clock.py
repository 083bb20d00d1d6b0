"""A person's clock: the zones they lived in, and so the instant of a wall time and the day of an instant."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

_EVER = datetime.min.replace(tzinfo=UTC)


class Stay(Struct, frozen=True):
    """From `since` on the person's days follow `zone`."""

    since: datetime
    zone: ZoneInfo


class Clock(Struct, frozen=True):
    """The zones of one person, oldest first; the first holds for all time before the second.

    currency and date_order (DMY, MDY, YMD, or empty) are what the person means where a file does not say.
    """

    stays: tuple[Stay, ...]
    currency: str = "XXX"
    date_order: str = ""

    @classmethod
    def fixed(cls, zone: ZoneInfo, currency: str = "XXX", date_order: str = "") -> "Clock":
        """The clock of somebody who never changes zone."""
        return cls((Stay(_EVER, zone),), currency, date_order)

    @classmethod
    def of(cls, stays: Sequence[Stay]) -> "Clock":
        """The clock of a zone history in any order. Raises ValueError when it is empty."""
        if not stays:
            raise ValueError("a clock needs at least one zone")
        return cls(tuple(sorted(stays, key=lambda stay: stay.since)))

    def zone_at(self, instant: datetime) -> ZoneInfo:
        """The zone in force at an aware instant."""
        zone = self.stays[0].zone
        for stay in self.stays:
            if stay.since <= instant:
                zone = stay.zone
        return zone

    def instant(self, wall: datetime) -> datetime:
        """The UTC instant of a naive wall time.

        A time that happened twice means the first; one that the spring change skipped means as much after the change.
        A wall time near a move is read in the zone that was in force by its own reckoning.
        """
        if len(self.stays) == 1:
            return wall.replace(tzinfo=self.stays[0].zone).astimezone(UTC)
        guess = wall.replace(tzinfo=self.zone_at(wall.replace(tzinfo=UTC))).astimezone(UTC)
        return wall.replace(tzinfo=self.zone_at(guess)).astimezone(UTC)

    def day(self, instant: datetime) -> date:
        """The person's local day of an aware instant."""
        return instant.astimezone(self.zone_at(instant)).date()
