"""What is looked at beside the road: warnings for a person to read, every night as well, for only a clock sees silence.

The blocking checks stand with their assets, in `intake` and `tables`.
"""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg

from twinning_pipelines.home import OpenHome
from twinning_pipelines.marts.books.balances import BalanceGap, balance_gaps, balance_steps
from twinning_pipelines.marts.books.kept_rulebook import wrong_rulebooks
from twinning_pipelines.marts.freshness import Freshness, freshness_of
from twinning_pipelines.marts.rings import RING_BY_NAME, RingDay, ring_days, worst
from twinning_pipelines.orchestration.figures import dead_letter_count
from twinning_pipelines.orchestration.keys import BOOKINGS, INBOX, INFLUX, ROLLUP, source_key, table_key
from twinning_pipelines.orchestration.run_home import RunHome
from twinning_pipelines.records.health import ACTIVITY_RING
from twinning_pipelines.source import Source

_WARN = dg.AssetCheckSeverity.WARN


def arrival_check(source: Source) -> dg.AssetChecksDefinition:
    """`arrives_in_time`. One step per source: a bad file of one must not keep the others from being looked at."""

    @dg.asset_check(
        asset=source_key(source),
        name="arrives_in_time",
        description=f"Nobody who uses this source has been silent for more than {_days(source.expect_every)} days.",
    )
    def arrives_in_time(home: dg.ResourceParam[RunHome]) -> dg.AssetCheckResult:
        with home.opened.engine.connect() as connection:
            known = freshness_of(connection, [source])
        return arrival([each for each in known if each.source == source.name])

    return arrives_in_time


def arrival(known: Sequence[Freshness]) -> dg.AssetCheckResult:
    """The verdict on one source: how many of its people are overdue, and by how much the latest."""
    overdue = [each for each in known if each.is_stale]
    longest = max((each.silent_days for each in known), default=0)
    said = f"no file for {longest} days; `twinning status` tells whose" if overdue else None
    return dg.AssetCheckResult(
        passed=not overdue,
        severity=_WARN,
        description=said,
        metadata={
            "people": len(known),
            "people overdue": len(overdue),
            "longest silence, days": longest,
        },
    )


def inbox_check() -> dg.AssetChecksDefinition:
    """`inbox_is_empty_of_trouble`."""

    @dg.asset_check(
        asset=INBOX,
        name="inbox_is_empty_of_trouble",
        description=(
            "No file that nobody could read or recognise lies in `quarantine/`. Each lies there beside a note that says "
            "why; delete both when you have seen to it."
        ),
    )
    def inbox_is_empty_of_trouble(home: dg.ResourceParam[RunHome]) -> dg.AssetCheckResult:
        aside = files_put_aside(home.opened)
        said = "see the notes in `quarantine/`" if aside else None
        return dg.AssetCheckResult(passed=aside == 0, severity=_WARN, metadata={"files": aside}, description=said)

    return inbox_is_empty_of_trouble


def files_put_aside(home: OpenHome) -> int:
    """Files that are refused in the ledger and still lie in quarantine."""
    folder = home.home.quarantine
    return sum(any((folder / entry.person).glob(f"{entry.sha256[:8]}-*.why.txt")) for entry in home.store.refused())


def balance_check() -> dg.AssetChecksDefinition:
    """`balances_add_up`."""

    @dg.asset_check(
        asset=BOOKINGS,
        name="balances_add_up",
        description="Between two balances that the bank states, the bookings make up the difference.",
    )
    def balances_add_up(home: dg.ResourceParam[RunHome]) -> dg.AssetCheckResult:
        with home.opened.engine.connect() as connection:
            gaps, steps = balance_gaps(connection), balance_steps(connection)
        return balance_verdict(gaps, steps)

    return balances_add_up


def balance_verdict(gaps: Sequence[BalanceGap], steps: int) -> dg.AssetCheckResult:
    """The verdict on everybody's statements, without names: between which days how much is missing, the newest ten."""
    metadata: dict[str, dg.MetadataValue] = {
        "stretches checked": dg.MetadataValue.int(steps),
        "stretches with a gap": dg.MetadataValue.int(len(gaps)),
        "accounts": dg.MetadataValue.int(len({(gap.person, gap.account, gap.currency) for gap in gaps})),
    }
    newest = sorted(gaps, key=lambda gap: gap.until, reverse=True)[:10]
    if newest:
        rows = [
            {
                "from": gap.since.isoformat(),
                "to": gap.until.isoformat(),
                "missing": f"{gap.missing:,f}",
                "in": gap.currency,
            }
            for gap in newest
        ]
        metadata["missing"] = dg.MetadataValue.table([dg.TableRecord(row) for row in rows])
    said = "bookings are missing or doubled; `twinning status` tells in which account" if gaps else None
    return dg.AssetCheckResult(passed=not gaps, severity=_WARN, description=said, metadata=metadata)


def rulebook_check() -> dg.AssetChecksDefinition:
    """`rulebook_is_readable`."""

    @dg.asset_check(
        asset=BOOKINGS,
        name="rulebook_is_readable",
        description="Everybody's rulebook can be used as it stands; where one can't, the last one that could still holds.",
    )
    def rulebook_is_readable(home: dg.ResourceParam[RunHome]) -> dg.AssetCheckResult:
        with home.opened.engine.connect() as connection:
            wrong = wrong_rulebooks(connection)
        said = "`twinning rules` tells the line and what is allowed there" if wrong else None
        return dg.AssetCheckResult(
            passed=not wrong, severity=_WARN, metadata={"rulebooks": len(wrong)}, description=said
        )

    return rulebook_is_readable


def ring_check() -> dg.AssetChecksDefinition:
    """`rings_agree`."""

    @dg.asset_check(
        asset=ROLLUP,
        name="rings_agree",
        additional_deps=[table_key(ACTIVITY_RING.name)],
        description=(
            "Energy, exercise and stand hours of a day as we count them are what Apple's rings say, but for 1 kcal or 1 %, "
            "1 minute, 0 hours. The day of the export and days without samples are left out."
        ),
    )
    def rings_agree(home: dg.ResourceParam[RunHome]) -> dg.AssetCheckResult:
        with home.opened.engine.connect() as connection:
            return ring_agreement(ring_days(connection))

    return rings_agree


def ring_agreement(days: Sequence[RingDay]) -> dg.AssetCheckResult:
    """The verdict on the rings of everybody's days, without names: how many differ, and the ten that differ most."""
    gaps = len({(each.person, each.day) for each in days if each.is_gap})
    compared = len({(each.person, each.day) for each in days if not each.note})
    table = [
        dg.TableRecord(
            {
                "day": each.day.isoformat(),
                "ring": each.ring,
                "unit": RING_BY_NAME[each.ring].unit,
                "Apple": round(each.stated, 2),
                "counted": round(each.counted, 2),
                "difference": round(each.difference, 2),
            }
        )
        for each in worst(days, 10)
    ]
    metadata: dict[str, dg.MetadataValue] = {
        "days compared": dg.MetadataValue.int(compared),
        "days that differ": dg.MetadataValue.int(gaps),
        "rings without samples": dg.MetadataValue.int(sum(each.note == "no samples" for each in days)),
        "rings unfinished": dg.MetadataValue.int(sum(each.note == "unfinished" for each in days)),
    }
    if table:
        metadata["worst days"] = dg.MetadataValue.table(table)
    said = "another order of devices may be right: see `twinning prefer`" if gaps else None
    return dg.AssetCheckResult(passed=gaps == 0, severity=_WARN, metadata=metadata, description=said)


def dead_letter_check() -> dg.AssetChecksDefinition:
    """`no_dead_letters`."""

    @dg.asset_check(asset=INFLUX, name="no_dead_letters", description="InfluxDB refused no point for good.")
    def no_dead_letters(home: dg.ResourceParam[RunHome]) -> dg.AssetCheckResult:
        with home.opened.engine.connect() as connection:
            dead = dead_letter_count(connection)
        return dg.AssetCheckResult(passed=dead == 0, severity=_WARN, metadata={"points": dead})

    return no_dead_letters


def _days(span: timedelta | None) -> int:
    return span.days if span is not None else 0
