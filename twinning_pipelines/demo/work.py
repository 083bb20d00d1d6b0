"""Samples of work and business: a studio's time, deals, invoices and expenses, as Toggl, Timewarrior, HubSpot and our
templates write them.

Each writer takes a seed and the days to cover, writes one file and answers how many rows it holds. A sample made later
with the same seed has the same earlier rows; a deal or an invoice that was open by then may have been settled since.
`broken` plants that many bad rows.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from twinning_pipelines.clock import Clock
from twinning_pipelines.demo.agency import Stint, cents, days, dice, work_on
from twinning_pipelines.demo.pipeline import Chance, chances, is_settled
from twinning_pipelines.demo.tables import with_bad, write_csv

BERLIN = ZoneInfo("Europe/Berlin")
_TAX = Decimal("0.19")
_STAMP = "%Y%m%dT%H%M%SZ"

_TOGGL = (
    "User", "Email", "Client", "Project", "Task", "Description", "Billable",
    "Start date", "Start time", "End date", "End time", "Duration", "Tags", "Amount (EUR)",
)  # fmt: skip
_DEALS = (
    "deal_id", "title", "client", "owner", "stage", "status", "amount", "currency", "probability", "channel",
    "created_on", "expected_on", "closed_on", "next step",
)  # fmt: skip
_HUBSPOT = (
    "Record ID", "Deal Name", "Deal Stage", "Associated Company", "Amount", "Currency", "Deal owner", "Close Date",
    "Create Date", "Last Activity Date", "Original Source",
)  # fmt: skip
_INVOICES = (
    "number", "client", "project", "issued_on", "due_on", "paid_on", "net", "tax", "gross", "paid", "currency",
    "status", "note",
)  # fmt: skip
_EXPENSES = (
    "spent_on", "vendor", "reference", "amount", "currency", "tax", "category", "client", "project", "note",
)  # fmt: skip

# Day of the month, vendor, category, gross amount.
_MONTHLY = (
    (1, "Coworking Hafen", "Rent", Decimal("297.50")),
    (3, "Hetzner", "Hosting", Decimal("47.36")),
    (9, "Telekom", "Phone", Decimal("39.95")),
    (15, "Figma", "Software", Decimal("17.85")),
    (20, "Adobe", "Software", Decimal("66.45")),
)
_NOW_AND_THEN = (
    ("Deutsche Bahn", "Travel", 25, 160),
    ("Café Elbblick", "Meals", 9, 42),
    ("Buchladen Eimsbüttel", "Books", 15, 60),
    ("Conrad", "Hardware", 12, 240),
)


def write_toggl(
    path: Path, *, seed: int, first: date, last: date, broken: int = 0,
    user: str = "Anna Becker", email: str = "anna@studio.example",
) -> int:  # fmt: skip
    """A detailed report of Toggl Track, with the byte-order mark that it writes."""

    def row(start: datetime, end: datetime, **more: object) -> dict[str, object]:
        spent = int((end - start).total_seconds())
        return {
            "User": user, "Email": email, "Billable": "No",
            "Start date": start.date(), "Start time": start.time(), "End date": end.date(), "End time": end.time(),
            "Duration": f"{spent // 3600:02}:{spent // 60 % 60:02}:{spent % 60:02}",
        } | more  # fmt: skip

    good = [row(stint.start, stint.end, **_toggl(stint)) for day in days(first, last) for stint in work_on(seed, day)]
    nine = datetime.combine(first, time(9))
    ten = nine + timedelta(hours=1)
    bad = [
        row(nine, ten, Description="a day that no calendar has", **{"Start date": f"{first.year}-02-30"}),
        row(nine, ten, Description="hours in letters", Duration="abc"),
        row(ten, nine, Description="ended before it began", Duration=""),
        row(nine, ten, Description="a figure with one comma too many", **{"Amount (EUR)": "12,3,4"}),
        row(nine, ten, Description="neither yes nor no", Billable="perhaps"),
    ]
    return write_csv(path, _TOGGL, with_bad(good, bad, broken), bom=True)


def _toggl(stint: Stint) -> dict[str, object]:
    return {
        "Client": stint.project.client,
        "Project": stint.project.name,
        "Task": stint.task,
        "Description": stint.description,
        "Billable": "Yes" if stint.billable else "No",
        "Tags": "late, remote" if stint.start.hour > 20 else "",
        "Amount (EUR)": stint.amount,
    }


def write_timewarrior(
    path: Path, *, seed: int, first: date, last: date, broken: int = 0, zone: ZoneInfo = BERLIN
) -> int:
    """What `timew export` prints: one interval on each line, the newest with id 1."""
    clock = Clock.fixed(zone)
    good = [_interval(stint, clock) for day in days(first, last) for stint in work_on(seed, day)]
    nine = datetime.combine(first, time(9), UTC)
    ten = nine + timedelta(hours=1)
    bad: list[dict[str, object]] = [
        {"start": f"{first.year}0230T090000Z", "end": f"{ten:{_STAMP}}", "tags": ["no such day"]},
        {"start": f"{ten:{_STAMP}}", "end": f"{nine:{_STAMP}}", "tags": ["ended before it began"]},
        {"end": f"{ten:{_STAMP}}", "tags": ["never began"]},
    ]
    intervals = with_bad(good, bad, broken)
    numbered = [{"id": len(intervals) - count} | interval for count, interval in enumerate(intervals)]
    lines = (json.dumps(interval, ensure_ascii=False, separators=(",", ":")) for interval in numbered)
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    return len(intervals)


def _interval(stint: Stint, clock: Clock) -> dict[str, object]:
    tags = [f"project:{stint.project.name}", stint.task]
    tags += [f"client:{stint.project.client}"] if stint.project.client else []
    tags += ["billable"] if stint.billable else []
    return {
        "start": f"{clock.instant(stint.start):{_STAMP}}",
        "end": f"{clock.instant(stint.end):{_STAMP}}",
        "tags": sorted(tags),
        "annotation": stint.description,
    }


def write_deals(path: Path, *, seed: int, first: date, last: date, broken: int = 0, owner: str = "Anna") -> int:
    """Our template for deals, with one column of its own. Each deal stands where it stood on the last day."""

    def row(chance: Chance) -> dict[str, object]:
        stage = chance.stage_on(last)
        return {
            "deal_id": f"D-{chance.created_on:%Y%m%d}", "title": chance.title, "client": chance.client, "owner": owner,
            "stage": stage.label, "status": stage.status, "amount": chance.amount, "currency": "EUR",
            "probability": stage.probability, "channel": chance.channel, "created_on": chance.created_on,
            "expected_on": chance.expected_on, "closed_on": chance.closed_on if is_settled(chance, last) else None,
            "next step": "call back" if stage.status == "open" else "",
        }  # fmt: skip

    good = [row(chance) for chance in chances(seed, first, last)]
    sound = {
        "deal_id": "D-0", "title": "Bad row", "stage": "Lead", "status": "open", "currency": "EUR", "created_on": first,
    }  # fmt: skip
    bad: list[Mapping[str, object]] = [
        sound | {"title": "A currency of four letters", "currency": "EURO"},
        sound | {"title": "An amount in words", "amount": "a lot"},
        sound | {"title": "A day that no calendar has", "created_on": f"{first.year}-02-30"},
        sound | {"title": "More than certain", "probability": "140%"},
        sound | {"title": "No such status", "status": "maybe"},
    ]
    return write_csv(path, _DEALS, with_bad(good, bad, broken))


def write_hubspot(
    path: Path, *, seed: int, first: date, last: date, broken: int = 0, owner: str = "Anna Becker"
) -> int:
    """An export of HubSpot's deals with internal stage ids. Each deal stands where it stood on the last day."""

    def row(chance: Chance) -> dict[str, object]:
        active = min(last, chance.closed_on)
        return {
            "Record ID": 9_000_000_000 + chance.created_on.toordinal(), "Deal Name": chance.title,
            "Deal Stage": chance.stage_on(last).hubspot, "Associated Company": chance.client,
            "Amount": chance.amount, "Currency": "EUR", "Deal owner": owner,
            "Close Date": chance.closed_on if is_settled(chance, last) else chance.expected_on,
            "Create Date": f"{chance.created_on} 09:30", "Last Activity Date": f"{active} 16:05",
            "Original Source": chance.channel,
        }  # fmt: skip

    good = [row(chance) for chance in chances(seed, first, last)]
    sound = {
        "Record ID": 1, "Deal Name": "Bad row", "Deal Stage": "qualifiedtobuy", "Currency": "EUR", "Create Date": first,
    }  # fmt: skip
    bad: list[Mapping[str, object]] = [
        sound | {"Deal Name": "An amount in thousands", "Amount": "250k"},
        sound | {"Deal Name": "A day that no calendar has", "Create Date": f"{first.year}-02-30 09:30"},
        sound | {"Deal Name": "No id", "Record ID": ""},
        sound | {"Deal Name": "A currency of four letters", "Currency": "EURO"},
    ]
    return write_csv(path, _HUBSPOT, with_bad(good, bad, broken))


def write_invoices(path: Path, *, seed: int, first: date, last: date, broken: int = 0) -> int:
    """Our template for invoices: each client's billable hours of a month, sent on its last day, paid later or not yet."""
    months: defaultdict[tuple[date, str, str], Decimal] = defaultdict(Decimal)
    for day in days(first, last):
        for stint in work_on(seed, day):
            if stint.amount is not None:
                months[_month_end(day), stint.project.client, stint.project.name] += stint.amount
    good = [
        _invoice(issued, client, project, net, seed=seed, last=last)
        for (issued, client, project), net in sorted(months.items())
        if issued <= last
    ]
    sound = {
        "number": "0", "client": "Bad row", "issued_on": first, "gross": "119.00", "currency": "EUR", "status": "sent",
    }  # fmt: skip
    bad: list[Mapping[str, object]] = [
        sound | {"note": "a currency of four letters", "currency": "EURO"},
        sound | {"note": "a day that no calendar has", "issued_on": f"{first.year}-13-01"},
        sound | {"note": "no total", "gross": ""},
        sound | {"note": "a figure with one comma too many", "gross": "1,19,0"},
    ]
    return write_csv(path, _INVOICES, with_bad(good, bad, broken))


def _month_end(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def _invoice(issued: date, client: str, project: str, net: Decimal, *, seed: int, last: date) -> dict[str, object]:
    chance = dice(seed, "invoice", issued, project)
    tax = cents(net * _TAX)
    paid_on = issued + timedelta(days=chance.choice((6, 9, 12, 13, 14, 15, 21, 34, 52)))
    paid = paid_on <= last
    return {
        "number": f"{issued:%Y-%m}-{project.replace(' ', '')[:4].upper()}", "client": client, "project": project,
        "issued_on": issued, "due_on": issued + timedelta(days=14), "paid_on": paid_on if paid else None,
        "net": net, "tax": tax, "gross": net + tax, "paid": net + tax if paid else None, "currency": "EUR",
        "status": "paid" if paid else "sent",
    }  # fmt: skip


def write_expenses(path: Path, *, seed: int, first: date, last: date, broken: int = 0) -> int:
    """Our template for expenses: what comes every month, and what comes now and then."""
    good = [row for day in days(first, last) for row in _spent_on(seed, day)]
    sound = {"spent_on": first, "vendor": "Bad row", "amount": "10.00", "currency": "EUR"}
    bad: list[Mapping[str, object]] = [
        sound | {"note": "a currency of four letters", "currency": "EURO"},
        sound | {"note": "an amount in letters", "amount": "ten"},
        sound | {"note": "nobody was paid", "vendor": ""},
        sound | {"note": "a day that no calendar has", "spent_on": f"{first.year}-04-31"},
    ]
    return write_csv(path, _EXPENSES, with_bad(good, bad, broken))


def _spent_on(seed: int, day: date) -> list[dict[str, object]]:
    rows = [
        _expense(day, vendor, category, amount, f"{vendor[:2].upper()}{day:%y%m}")
        for due, vendor, category, amount in _MONTHLY
        if day.day == due
    ]
    chance = dice(seed, "expense", day)
    if chance.random() < 0.18:
        vendor, category, low, high = chance.choice(_NOW_AND_THEN)
        rows.append(_expense(day, vendor, category, cents(chance.uniform(low, high)), ""))
    return rows


def _expense(day: date, vendor: str, category: str, amount: Decimal, reference: str) -> dict[str, object]:
    return {
        "spent_on": day, "vendor": vendor, "reference": reference, "amount": amount, "currency": "EUR",
        "tax": cents(amount - amount / (1 + _TAX)), "category": category,
    }  # fmt: skip
