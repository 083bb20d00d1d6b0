"""The studio's chances of new business: how each came about, which stages it went through and how it ended."""

from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct

from twinning_pipelines.demo.agency import CLIENT_PROJECTS, days, dice

_NEW_CLIENTS = ("Hafenküche", "Yoga am Kanal", "Weingut Lenz", "Fahrrad Ahoi", "Verlag Morgenrot", "Tierarzt Rieke")
_WORKS = ("website", "web shop", "film", "audit", "retainer", "app", "campaign")
_CHANNELS = ("Referral", "Organic Search", "Social Media", "Event", "Direct Traffic")
_NEW_ON_A_DAY = 0.12


class Stage(Struct, frozen=True):
    """A stage: our label, HubSpot's internal id, what it means, and the chance of winning from there."""

    label: str
    hubspot: str
    status: str
    probability: float


_OPEN = (
    Stage("First call", "appointmentscheduled", "open", 0.2),
    Stage("Qualified", "qualifiedtobuy", "open", 0.4),
    Stage("Proposal sent", "presentationscheduled", "open", 0.6),
    Stage("Contract sent", "contractsent", "open", 0.9),
)
_WON = Stage("Signed", "closedwon", "won", 1.0)
_LOST = Stage("Declined", "closedlost", "lost", 0.0)


class Chance(Struct, frozen=True):
    """One deal from its first day to its last, whether or not that has come yet."""

    title: str
    client: str
    channel: str
    amount: Decimal | None
    created_on: date
    expected_on: date
    closed_on: date
    won: bool

    def stage_on(self, day: date) -> Stage:
        """Where it stood in the evening of a day."""
        if is_settled(self, day):
            return _WON if self.won else _LOST
        gone = (day - self.created_on) / (self.closed_on - self.created_on)
        return _OPEN[int(gone * len(_OPEN))]


def is_settled(chance: Chance, day: date) -> bool:
    """Was it won or lost by the evening of a day?"""
    return chance.closed_on <= day


def chances(seed: int, first: date, last: date) -> list[Chance]:
    """The deals that began from the first to the last day, at most one on a day."""
    began = (day for day in days(first, last) if day.weekday() < 5)
    return [_chance(seed, day) for day in began if dice(seed, "deal", day).random() < _NEW_ON_A_DAY]


def _chance(seed: int, day: date) -> Chance:
    throw = dice(seed, "chance", day)
    known = tuple(sorted({project.client for project in CLIENT_PROJECTS}))
    client = throw.choice(known if throw.random() < 0.4 else _NEW_CLIENTS)
    work = throw.choice(_WORKS)
    amount = Decimal(throw.randrange(15, 320) * 100) if throw.random() < 0.9 else None
    expected = day + timedelta(days=throw.randrange(40, 170))
    closed = max(day + timedelta(days=8), expected + timedelta(days=throw.randrange(-20, 35)))
    return Chance(
        title=f"{client}, {work}",
        client=client,
        channel=throw.choice(_CHANNELS),
        amount=amount,
        created_on=day,
        expected_on=expected,
        closed_on=closed,
        won=throw.random() < (0.6 if client in known else 0.38),
    )
