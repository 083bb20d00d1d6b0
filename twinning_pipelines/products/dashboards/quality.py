"""Data quality and lineage: what was read and rejected, how fresh each source is, what proves right, which file told what."""

from datetime import timedelta

from twinning_pipelines.marts.books.balances import GAPS
from twinning_pipelines.marts.rings import RINGS
from twinning_pipelines.products.dashboards import palette
from twinning_pipelines.products.dashboards.asking import filled, largest_by_time, midnight, quoted, rows, series
from twinning_pipelines.products.dashboards.facts import RANKED, asset_link
from twinning_pipelines.products.dashboards.visuals import Bars, Lines, Ranks, Stat, Table
from twinning_pipelines.products.dashboards.vocabulary import (
    Column,
    Dashboard,
    Installation,
    Link,
    Panel,
    PromQl,
    Section,
    Sql,
)

_FILES = """select f.status as metric, count(*) as value from intake_file f, who where f.person_id = who.id group by 1 order by 1"""

_OUTCOMES = """counted as (
    select f.id, f.name, f.source, f.as_of, r.key as record,
        (r.value ->> 0)::bigint as accepted, (r.value ->> 1)::bigint as rejected
    from intake_file f join who on who.id = f.person_id cross join lateral jsonb_each(f.receipt) r
    where f.receipt is not null
)"""
_ROWS = """select sum(accepted)::float8 as "Accepted", sum(rejected)::float8 as "Rejected",
    (sum(rejected) / nullif(sum(accepted + rejected), 0))::float8 as "Rejected of all" from counted having count(*) > 0"""
_WAITING = """select count(*) as "Rejected rows"
from rejection r join intake_file f on f.id = r.file_id join who on who.id = f.person_id"""
_STALE = """select count(*) as "Days to count" from stale_day d, who where d.person_id = who.id and d.day <= who.last"""

_FRESH = """expected (source, days) as (values $expected),
newest as (
    select f.source, count(*) as files, max(f.as_of) as as_of, max(f.received_at) as received
    from intake_file f, who where f.person_id = who.id and f.status = 'loaded' and f.as_of <= $__timeTo() group by 1
)"""
_FRESH_END = """select n.source as "Source", n.as_of as "Newest export",
    extract(epoch from least(now(), $__timeTo()) - n.as_of)::float8 / 86400 as "Silent for", e.days as "Usually every",
    (extract(epoch from least(now(), $__timeTo()) - n.as_of)::float8 / 86400) / e.days as "Of what is usual",
    n.files as "Files"
from newest n left join expected e using (source) order by 5 desc nulls last, 3 desc"""

_ARRIVALS = """counted as (
    select date_trunc('month', local_day(f.person_id, f.as_of))::date as day, coalesce(f.source, 'nobody') as name, 1 as value
    from intake_file f, who
    where f.person_id = who.id and local_day(f.person_id, f.as_of) between date_trunc('month', who.first)::date and who.last
)"""

_REJECTIONS = """select f.name as "File", f.source as "Source", r.record as "Table", r.at as "Place", r.reason as "Why",
    left(r.raw, 300) as "As it stands there", left(f.sha256, 12) as "sha256"
from rejection r join intake_file f on f.id = r.file_id join who on who.id = f.person_id
order by f.as_of desc, f.id desc, r.at limit 200"""
_REASONS = """select r.record || ': ' || split_part(r.reason, ':', 1) as "Why", count(*) as "Rows"
from rejection r join intake_file f on f.id = r.file_id join who on who.id = f.person_id
group by 1 order by 2 desc, 1 limit 15"""
_REFUSED = """select f.name as "File", f.status as "State", coalesce(f.problem, '') as "Why", f.received_at as "Came on",
    f.bytes::float8 as "Size" from intake_file f, who
where f.person_id = who.id and f.status <> 'loaded' order by f.received_at desc, f.id limit 100"""

# Between two stated balances of an account: what it moved, what the bookings add up to, and what is missing of it.
_STEPS = """proved as (
    select g.* from ($gaps) as g (person, account, since, day, stated, booked, missing, currency)
    join person p on p.name = g.person join who on who.id = p.id
)""".replace("$gaps", GAPS)
_PROVED = """select account as "Account", since::text as "From", day::text as "To", stated::float8 as "Stated",
    booked::float8 as "Booked", missing::float8 as "Missing", currency as "Currency"
from proved order by missing = 0, day desc limit 100"""
_PROVED_SHARE = """select (count(*) filter (where missing = 0))::float8 / count(*) as "Statements that add up",
    (count(*) filter (where missing <> 0))::float8 as "Gaps" from proved having count(*) > 0"""

# The rings as Apple closes them beside what we count; near means as near as rounding and merging can bring the two.
_RINGS = """ringed as (
    select a.day, v.ring, v.stated, coalesce(r.value, 0) as counted,
        abs(coalesce(r.value, 0) - v.stated) <= greatest(v.near, v.share * v.stated) as agrees
    from activity_ring a
    join who on who.id = a.person_id
    cross join lateral (values $rings) as v (ring, metric, stated, near, share)
    left join metric m on m.name = v.metric
    left join daily_rollup r on r.person_id = a.person_id and r.metric_id = m.id and r.day = a.day
    where a.absent_since is null and v.stated is not null and a.day between date_trunc('month', who.first)::date and who.last
)"""
_RINGS_END = """select midnight.at as "time", r.ring as metric, avg(r.agrees::integer)::float8 as value
from ringed r cross join who $midnight
group by 1, 2 order by 1, 2""".replace("$midnight", midnight("date_trunc('month', r.day)::date"))
_RING_COLUMNS = {"move": "a.move_kcal", "exercise": "a.exercise_min", "stand": "a.stand_hours::float8"}

_LINEAGE = """select f.name as "File", f.source as "Source", c.record as "Told", c.accepted as "Rows", c.rejected as "Rejected",
    f.as_of as "As of", f.received_at as "Came on", f.loaded_at as "Read on", f.bytes::float8 as "Size",
    f.source_version as "Read by version", left(f.sha256, 12) as "sha256"
from counted c join intake_file f on f.id = c.id
order by f.as_of desc, f.id desc, c.record limit 300"""
_TOLD_BY = """select c.source as "Source", c.record as "Table", count(*) as "Files", sum(c.accepted)::float8 as "Rows",
    sum(c.rejected)::float8 as "Rejected", min(c.as_of) as "First", max(c.as_of) as "Newest"
from counted c group by 1, 2 order by 4 desc"""
_REACH = """select v.record as "Table", f.source as "Source", min(v.first) as "From", max(v.last) as "To",
    count(distinct f.id) as "Files"
from coverage v join intake_file f on f.id = v.file_id join who on who.id = f.person_id
group by 1, 2 order by 4 desc, 1"""
_DEVICES = """select m.name as "Metric", o.name as "Device", o.device as "Kind", o.source as "Source", sum(c.n) as "Samples",
    min(c.day)::text as "From", max(c.day)::text as "To"
from sample_chunk c join who on who.id = c.person_id join metric m on m.id = c.metric_id join origin o on o.id = c.origin_id
where c.day between who.first and who.last group by 1, 2, 3, 4 order by 5 desc"""
_BOOKED_BY = """select f.source as "Source", count(distinct l.booking_id) as "Bookings", count(*) as "Tellings",
    count(distinct f.id) as "Files"
from booking_telling l join transaction t on t.id = l.transaction_id join intake_file f on f.id = t.file_id
join who on who.id = f.person_id group by 1 order by 2 desc"""


def quality(installation: Installation) -> Dashboard:
    """Files, rows, proofs."""
    return Dashboard(
        "quality", "Data quality and lineage",
        "What was read and what was rejected, how fresh each source is, what proves right, and which file told what.", "now-1y",
        (
            Section("At a glance", _glance()),
            Section("Freshness", _freshness(installation)),
            Section("Rejected and refused", _rejected(installation)),
            Section("Proofs", _proofs(installation)),
            Section("Lineage: which file told what", _lineage(installation)),
        ),
    )  # fmt: skip


def _glance() -> tuple[Panel, ...]:
    none_is_good = ((None, palette.GOOD), (1, palette.WATCH))
    return (
        Panel(
            "How many files are there?", "Every file that was ever dropped for this person, by what became of it.",
            Stat(by_row=True), (rows(_FILES),), "count", colour=palette.BLUE, decimals=0, wide=6, high=4,
        ),
        Panel(
            "How many rows were accepted and rejected?",
            "Rows met in all files: read = accepted + rejected, always. As the receipts of the files count them; what was taken "
            "of a file stays and counts, even where a later reading fails.",
            Stat(spark=False), (rows(_ROWS, _OUTCOMES),), "count", colour=palette.BLUE, decimals=0,
            columns=(Column("Rejected of all", unit="fraction", decimals=3),), wide=9, high=4,
        ),
        Panel(
            "How many rejected rows wait?",
            "Rows in quarantine, each with its line, reason and text. `twinning redrive` reads them again.",
            Stat(spark=False), (rows(_WAITING),), "count", steps=none_is_good, wide=3, high=4,
        ),
        Panel(
            "How many days wait to be counted?", "Days whose facts something has changed since they were counted.",
            Stat(spark=False), (rows(_STALE),), "count", steps=((None, palette.GOOD), (8, palette.WATCH)), wide=3, high=4,
        ),
        Panel(
            "How many checks fail?",
            "Asset checks whose latest evaluation failed, of the whole house. From Dagster, by Prometheus.",
            Stat(spark=False), (PromQl('sum(twinning_asset_checks{state="failed"})', "Failed", now=True),), "count",
            steps=((None, palette.GOOD), (1, palette.BAD)), nothing="Nothing answers.", wide=3, high=4,
        ),
    )  # fmt: skip


def _freshness(installation: Installation) -> tuple[Panel, ...]:
    return (
        Panel(
            "How fresh is each source?",
            "The newest file of each source by the day of which it speaks, how long it is silent since, and how often it usually "
            "comes. From one on it is overdue.",
            Table(), (_fresh(installation),), "none",
            columns=(
                Column("Newest export", unit="time"), Column("/^(Silent for|Usually every)$/", unit="d", decimals=0),
                Column("Of what is usual", decimals=1, steps=((None, palette.GOOD), (1, palette.WATCH), (3, palette.BAD))),
            ),
            links=(Link("The sources (Dagster)", f"{installation.dagster.rstrip('/')}/assets"),), wide=14, high=9,
        ),
        Panel(
            "When did files come, and from where?", "Files by the month of which they speak and by source.",
            Bars(stacked=True), (largest_by_time(_ARRIVALS),), "count", decimals=0, columns=RANKED, wide=10, high=9,
        ),
    )  # fmt: skip


def _fresh(installation: Installation) -> Sql:
    """Freshness against what the sources themselves say is normal."""
    day = timedelta(days=1)
    known = sorted(installation.expected.items()) or [("none", day)]
    expected = ", ".join(f"({quoted(source)}, {every / day:g}::float8)" for source, every in known)
    return rows(_FRESH_END, filled(_FRESH, expected=expected))


def _rejected(installation: Installation) -> tuple[Panel, ...]:
    return (
        Panel(
            "Which rows were rejected, and why?",
            "Every rejected row with its file, its place in it, the reason and its text: nothing is dropped in silence. The "
            "newest two hundred.",
            Table(), (rows(_REJECTIONS),), "none",
            columns=(Column("Why", wraps=True), Column("As it stands there", width=420), Column("sha256", width=120)),
            links=(asset_link(installation, "inbox", "The inbox (Dagster)"),), nothing="No row is rejected.", wide=16, high=10,
        ),
        Panel(
            "What is wrong with them?", "Rejected rows by table and by the beginning of the reason.",
            Ranks(), (rows(_REASONS),), "count", colour=palette.ORANGE, decimals=0, nothing="No row is rejected.", high=10,
        ),
        Panel(
            "Which files could not be read?", "Files that nobody recognises, that are broken as a whole, or that wait to be read.",
            Table(), (rows(_REFUSED),), "none",
            columns=(Column("Came on", unit="time"), Column("Size", unit="bytes"), Column("Why", wraps=True)),
            nothing="Every file could be read.", wide=14, high=6,
        ),
        Panel(
            "Which checks fail now?", "Each asset check that fails, with its asset. From Dagster, by Prometheus.",
            Table(), (PromQl("twinning_failed_check", now=True),), "none", nothing="No check fails, or nothing answers.",
            links=(Link("All checks (Dagster)", f"{installation.dagster.rstrip('/')}/assets"),), wide=10, high=6,
        ),
    )  # fmt: skip


def _proofs(installation: Installation) -> tuple[Panel, ...]:
    rings = ", ".join(
        f"({quoted(ring.name)}, {quoted(ring.metric)}, {_RING_COLUMNS[ring.name]}, {ring.near}, {ring.share})"
        for ring in RINGS
    )
    return (
        Panel(
            "Do the statements add up?",
            "Of all pairs of consecutive balances that banks state, how many the bookings between them explain to the cent.",
            Stat(spark=False), (rows(_PROVED_SHARE, _STEPS),), "fraction", decimals=1,
            steps=((None, palette.BAD), (0.95, palette.WATCH), (1.0, palette.GOOD)),
            columns=(Column("Gaps", unit="count", decimals=0, steps=((None, palette.GOOD), (1, palette.BAD))),),
            nothing="No account states two balances.", wide=5, high=9,
        ),
        Panel(
            "Where do they not?",
            "Stretches between two stated balances: what the balance moved and what the bookings add up to, those that "
            "differ first.",
            Table(), (rows(_PROVED, _STEPS),), "none",
            columns=(Column("/^(Stated|Booked)$/", unit="money", decimals=2), Column("Missing", unit="money", decimals=2)),
            links=(asset_link(installation, "bookings", "The books (Dagster)"),), nothing="No account states two balances.",
            wide=10, high=9,
        ),
        Panel(
            "Do our days agree with Apple's rings?",
            "The share of a month's days on which what we count of movement, exercise and standing is what Apple's rings state, as "
            "near as rounding and merging allow.",
            Lines(steps=True), (series(_RINGS_END, filled(_RINGS, rings=rings)),), "fraction", least=0.0, most=1.0, decimals=0,
            columns=(Column("move", colour=palette.VERMILION), Column("exercise", colour=palette.BLUE),
                     Column("stand", colour=palette.SKY)),
            nothing="No export of this time tells of rings.", wide=9, high=9,
        ),
    )  # fmt: skip


def _lineage(installation: Installation) -> tuple[Panel, ...]:
    return (
        Panel(
            "Which file told what?",
            "Each file and table with its rows, the newest first: when it speaks of, when it came, when and by which version of "
            "its reader it was read. The first twelve signs of its sha256 find its original in the archive.",
            Table(), (rows(_LINEAGE, _OUTCOMES),), "none",
            columns=(Column("/^(As of|Came on|Read on)$/", unit="time"), Column("Size", unit="bytes"),
                     Column("/^(Rows|Rejected)$/", unit="count")),
            links=(asset_link(installation, "inbox", "The inbox (Dagster)"),), wide=24, high=10,
        ),
        Panel(
            "Which source fills which table?", "Rows as the receipts count them, told again by later files or not.",
            Table(), (rows(_TOLD_BY, _OUTCOMES),), "none",
            columns=(Column("/^(Files|Rows|Rejected)$/", unit="count"), Column("/^(First|Newest)$/", unit="time")), wide=12,
        ),
        Panel(
            "Which days does each source cover?", "From when to when the files of a source tell the whole truth of a table.",
            Table(), (rows(_REACH),), "none", columns=(Column("/^(From|To)$/", unit="time"),), wide=12,
        ),
        Panel(
            "Which device measured what?",
            "Samples of the chosen days by metric and device, as the chunks of the series hold them.",
            Table(), (rows(_DEVICES),), "none", columns=(Column("Samples", unit="count"),), wide=14,
            links=(asset_link(installation, "table/sample", "The samples (Dagster)"),),
        ),
        Panel(
            "Who tells the bookings?", "How many bookings each source tells, and how often: one booking may be told by many files.",
            Table(), (rows(_BOOKED_BY),), "count", wide=10,
        ),
    )  # fmt: skip
