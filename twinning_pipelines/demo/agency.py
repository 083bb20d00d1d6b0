"""The small studio that the work samples are about: its clients and projects, and what was worked on each day.

Everything follows from a seed and a day, so that the same day is the same in a sample made later.
"""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from msgspec import Struct


class Project(Struct, frozen=True):
    """A project of a client (none: the studio's own), its rate in EUR per hour, and what one does for it."""

    client: str
    name: str
    rate: Decimal
    chores: tuple[tuple[str, str], ...]

    @property
    def billable(self) -> bool:
        """Is it for a client?"""
        return bool(self.client)


class Stint(Struct, frozen=True):
    """One stretch of work, in wall times."""

    project: Project
    task: str
    description: str
    start: datetime
    end: datetime
    billable: bool

    @property
    def hours(self) -> Decimal:
        """How long, in hours, exact to the second."""
        return Decimal(int((self.end - self.start).total_seconds())) / 3600

    @property
    def amount(self) -> Decimal | None:
        """What it brings, to the cent; None when it is not billable."""
        return (self.hours * self.project.rate).quantize(Decimal("0.01")) if self.billable else None


CLIENT_PROJECTS: tuple[Project, ...] = (
    Project("Nordlicht Energie", "Customer portal", Decimal(95), (
        ("Development", "Meter readings form"), ("Development", "Login, second factor"), ("Review", "Pull requests"),
        ("Meeting", "Weekly with Ms Petersen"), ("Design", "Tariff calculator, mobile"))),
    Project("Nordlicht Energie", "Retainer", Decimal(85), (
        ("Support", "Tickets"), ("Development", "Security updates"), ("Meeting", "Monthly review"))),
    Project("Buchhandlung Sander", "Web shop", Decimal(75), (
        ("Design", "Product page"), ("Development", "Checkout"), ("Development", "Stock import"),
        ("Meeting", "Call with Mr Sander"), ("Testing", "Payment by invoice"))),
    Project("Praxis Dr. Weiß", "Appointments", Decimal(90), (
        ("Development", "Calendar sync"), ("Testing", "Reminders by text"), ("Meeting", "Workshop at the practice"))),
    Project("Kolibri Films", "Trailer site", Decimal(80), (
        ("Design", "Key visuals"), ("Development", "Video player"), ("Video", "Colour, second cut"))),
    Project("Stadtmuseum", "Audio guide", Decimal(70), (
        ("Video", "Interviews, editing"), ("Development", "Offline maps"), ("Writing", "Texts for room 4"))),
)  # fmt: skip
OWN_PROJECTS: tuple[Project, ...] = (
    Project("", "Office", Decimal(0), (("Admin", "Bookkeeping"), ("Admin", "E-mail"), ("Admin", "Offers"))),
    Project("", "Learning", Decimal(0), (("Reading", "Papers"), ("Course", "Accessibility"))),
    Project("", "Studio website", Decimal(0), (("Writing", "Blog"), ("Design", "Case study"))),
)

_MONTHS_OF_A_PROJECT = 5
_EVENINGS = 0.03
_SATURDAYS = 0.08
_CLIENT_SHARE = 0.77
_UNPAID_SHARE = 0.07


def dice(seed: int, *words: object) -> Random:
    """Chance that is the same for the same seed and words, whatever was thrown before."""
    return Random(":".join(map(str, (seed, *words))))  # noqa: S311 - samples, not secrets


def days(first: date, last: date) -> list[date]:
    """Every day from the first to the last, both included."""
    return [first + timedelta(days=count) for count in range((last - first).days + 1)]


def cents(value: float | Decimal) -> Decimal:
    """Money to the cent."""
    return Decimal(value).quantize(Decimal("0.01"))


def projects_of(seed: int, day: date) -> tuple[Project, ...]:
    """The client projects that run on a day: each has months of rest."""
    month = day.year * 12 + day.month
    running = [
        project
        for project in CLIENT_PROJECTS
        if dice(seed, "runs", project.name, month // _MONTHS_OF_A_PROJECT).random() < 0.6
    ]
    return tuple(running) or CLIENT_PROJECTS[:2]


def is_off(seed: int, day: date) -> bool:
    """Sundays, most Saturdays, the days around Christmas, two weeks in August, and now and then a day ill."""
    throw = dice(seed, "off", day).random()
    if day.weekday() == 6 or (day.month, day.day) >= (12, 23) or (day.month, day.day) <= (1, 2):
        return True
    if day.month == 8 and 5 <= day.day <= 18:
        return True
    return throw > _SATURDAYS if day.weekday() == 5 else throw < 0.02


def work_on(seed: int, day: date) -> list[Stint]:
    """What was worked on a day, in order; nothing on a day off."""
    if is_off(seed, day):
        return []
    chance = dice(seed, "work", day)
    running = projects_of(seed, day)
    now = datetime.combine(day, time(8, 15)) + timedelta(minutes=chance.randrange(75), seconds=chance.randrange(60))
    stints: list[Stint] = []
    for _ in range(chance.choice((4, 4, 5, 5))):
        length = timedelta(minutes=chance.randrange(35, 135), seconds=chance.randrange(60))
        stints.append(_stint(chance, running, now, now + length))
        lunch = timedelta(minutes=45) if now.hour < 12 <= (now + length).hour else timedelta()
        now += length + lunch + timedelta(minutes=chance.randrange(2, 18))
    if chance.random() < _EVENINGS:
        late = datetime.combine(day, time(22, 20)) + timedelta(minutes=chance.randrange(30))
        stints.append(_stint(chance, running, late, late + timedelta(minutes=chance.randrange(80, 125))))
    return stints


def _stint(chance: Random, running: tuple[Project, ...], start: datetime, end: datetime) -> Stint:
    project = chance.choice(running if chance.random() < _CLIENT_SHARE else OWN_PROJECTS)
    task, description = chance.choice(project.chores)
    return Stint(project, task, description, start, end, project.billable and chance.random() > _UNPAID_SHARE)
