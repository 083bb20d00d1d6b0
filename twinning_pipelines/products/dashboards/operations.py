"""Operations: is everything up, does work get done, is there room. From Prometheus alone; it needs the profile `monitoring`."""

from twinning_pipelines.products.dashboards import palette
from twinning_pipelines.products.dashboards.visuals import Bars, Lines, Stat, Stretches, Table, Visual
from twinning_pipelines.products.dashboards.vocabulary import (
    Column,
    Dashboard,
    Installation,
    Link,
    Panel,
    PromQl,
    Section,
)

_NOTHING = "Prometheus has nothing of this."
_BAD_IF_ANY = ((None, palette.GOOD), (1, palette.BAD))
_WATCH_IF_ANY = ((None, palette.GOOD), (1, palette.WATCH))
_UP = (("1", palette.BLUE, "up"), ("0", palette.VERMILION, "down"))
_SLO = 0.995


_PRODUCTS = (
    Column("influxdb", colour=palette.BLUE), Column("firefly", colour=palette.ORANGE), Column("news", colour=palette.PURPLE),
)  # fmt: skip
_PATHS = (
    Column("model", colour=palette.BLUE), Column("retry", colour=palette.ORANGE), Column("template", colour=palette.GREY),
)  # fmt: skip
_VERDICTS = (Column("/ passed$/", colour=palette.BLUE), Column("/ failed$/", colour=palette.VERMILION))


def operations(installation: Installation) -> Dashboard:
    """The house itself."""
    return Dashboard(
        "operations", "Operations", "Is everything up, does work get done, is there room for years.", "now-24h",
        (
            Section("At a glance", _glance(installation)),
            Section("Availability", _availability()),
            Section("Work", _work()),
            Section("Queues to the outside", _queues()),
            Section("Room", _room()),
            Section("Servers", _servers()),
            Section("Backup", _backup()),
        ),
        of_a_person=False, refresh="1m",
    )  # fmt: skip


def _figure(
    question: str, says: str, query: str, unit: str, steps: tuple[tuple[float | None, str], ...], *, legend: str = "",
    decimals: int | None = None, wide: int = 4, links: tuple[Link, ...] = (),
    look: Stat = Stat(spark=False),  # noqa: B008  (frozen)
) -> Panel:  # fmt: skip
    return Panel(
        question, says, look, (PromQl(query, legend, now=True),), unit, steps=steps, decimals=decimals,
        nothing=_NOTHING, wide=wide, high=4, links=links,
    )  # fmt: skip


def _course(
    question: str, says: str, unit: str, *queries: PromQl, visual: Visual | None = None, wide: int = 8,
    columns: tuple[Column, ...] = (), steps: tuple[tuple[float | None, str], ...] = (), least: float | None = 0.0,
    most: float | None = None,
) -> Panel:  # fmt: skip
    return Panel(
        question, says, visual or Lines(), queries, unit, columns=columns, steps=steps, nothing=_NOTHING, wide=wide, least=least,
        most=most,
    )  # fmt: skip


def _glance(installation: Installation) -> tuple[Panel, ...]:
    runs = Link("The runs (Dagster)", f"{installation.dagster.rstrip('/')}/runs")
    return (
        _figure(
            "How many alerts fire?", "Alerts that Prometheus has fired and Alertmanager tells of.",
            'count(ALERTS{alertstate="firing"}) or vector(0)', "count", _BAD_IF_ANY, legend="Firing",
        ),
        _figure(
            "How many targets are down?", "Servers that Prometheus can't ask.",
            "count(up == 0) or vector(0)", "count", _BAD_IF_ANY, legend="Down",
        ),
        _figure(
            "Is the promise of 99.5 % kept?",
            "The share of the last 30 days in which the service that answered least answered its probes.",
            "min(service:available:ratio30d)", "fraction",
            ((None, palette.BAD), (_SLO, palette.WATCH), (0.999, palette.GOOD)), legend="30 days", decimals=2,
        ),
        _figure(
            "How many runs failed?", "Runs that Dagster keeps and that ended in a failure.",
            'sum(twinning_runs{status="failure"}) or vector(0)', "count", _WATCH_IF_ANY, legend="Failed", links=(runs,),
        ),
        _figure(
            "How long does the oldest run wait?", "How long the run that waits longest stands in the queue.",
            "max(twinning_run_queue_oldest_seconds)", "s", ((None, palette.GOOD), (600, palette.WATCH), (3600, palette.BAD)),
            legend="Waits", links=(runs,),
        ),
        _figure(
            "Which version runs?", "The version of Twinning that answers.", "twinning_build_info", "none",
            ((None, palette.BLUE),), legend="{{version}}", look=Stat(spark=False, names=True),
        ),
    )  # fmt: skip


def _availability() -> tuple[Panel, ...]:
    return (
        _course(
            "Which servers were up?",
            "Whether Prometheus could ask each of its targets.", "none", PromQl("up", "{{job}} {{instance}}"),
            visual=Stretches(), wide=12, columns=(Column("/.*/", words=_UP),), least=None,
        ),
        _course(
            "Which pages answered?", "Whether the pages that a person would open answered a probe.", "none",
            PromQl("max by (service, path) (probe_success)", "{{service}} {{path}}"),
            visual=Stretches(), wide=12, columns=(Column("/.*/", words=_UP),), least=None,
        ),
        _course(
            "How much of the month's allowance is used?",
            "99.5 % of 30 days allows 216 minutes of silence; all of them are 100 %, for each service and way.", "fraction",
            PromQl("service:lost_minutes:sum30d / 216", "{{service}} {{path}}"),
            steps=((None, palette.GOOD), (0.5, palette.WATCH), (1, palette.BAD)), visual=Lines(thresholds=True),
        ),
        _course(
            "How fast do pages answer?",
            "Seconds that a probe of each page takes.", "s",
            PromQl("avg by (service, path) (probe_duration_seconds)", "{{service}} {{path}}"),
        ),
        _course(
            "How long do certificates last?",
            "Time until the certificate that each page shows ends; it is renewed a month before.", "s",
            PromQl('min by (service) (probe_ssl_earliest_cert_expiry{path="public"}) - time()', "{{service}}"), least=None,
        ),
    )  # fmt: skip


def _work() -> tuple[Panel, ...]:
    return (
        _course(
            "Do runs succeed?",
            "Runs that Dagster keeps, by how they stand.", "count", PromQl("sum by (status) (twinning_runs)", "{{status}}"),
            columns=(Column("success", colour=palette.BLUE), Column("failure", colour=palette.VERMILION),
                     Column("canceled", colour=palette.GREY)),
        ),
        _course(
            "How long ago did each job succeed?", "Time since the newest run of each job that succeeded.", "s",
            PromQl("time() - max by (job) (twinning_run_last_success_timestamp_seconds)", "{{job}}"),
        ),
        _course(
            "How long do jobs take?", "Seconds of the newest run of each job.", "s",
            PromQl("max by (job) (twinning_run_last_seconds)", "{{job}}"), visual=Lines(steps=True),
        ),
        _course(
            "What is running and queued?", "Runs that are queued, start or run.", "count",
            PromQl("sum by (status) (twinning_runs_active)", "{{status}}"), visual=Bars(stacked=True),
        ),
        _course(
            "Do the daemons live?", "Time since each of Dagster's daemons was last heard of; beyond some minutes it hangs.", "s",
            PromQl("time() - max by (daemon) (twinning_daemon_heartbeat_timestamp_seconds)", "{{daemon}}"),
        ),
        _course(
            "Does anything wait in the inbox?",
            "Files that lie in each person's inbox, and how long the oldest lies there.", "count",
            PromQl("sum by (person) (twinning_inbox_files)", "{{person}}, files"),
            PromQl("max by (person) (twinning_inbox_oldest_seconds)", "{{person}}, oldest"),
            columns=(Column("/, oldest$/", unit="s", right=True, dashed=True),),
        ),
        _course(
            "Are days counted as they come?", "Days of each person that wait to be counted.", "count",
            PromQl("sum by (person) (twinning_stale_days)", "{{person}}"),
        ),
        _course(
            "Who writes the summaries?",
            "Daily summaries by how they came about: the model, the model asked again, or the template.", "count",
            PromQl("sum by (path) (twinning_summaries)", "{{path}}"), columns=_PATHS,
        ),
        _course(
            "Do checks pass?", "Asset checks by the state of their latest evaluation.", "count",
            PromQl("sum by (severity, state) (twinning_asset_checks)", "{{severity}} {{state}}"), columns=_VERDICTS,
        ),
    )  # fmt: skip


def _queues() -> tuple[Panel, ...]:
    return (
        _course(
            "What waits to go out?", "Days, bookings and news that wait for InfluxDB, Firefly III and their readers.", "count",
            PromQl("sum by (product) (twinning_outbox_pending)", "{{product}}"), columns=_PRODUCTS,
        ),
        _course(
            "How long does it wait?", "How long the oldest of them waits.", "s",
            PromQl("max by (product) (twinning_outbox_oldest_seconds)", "{{product}}"), columns=_PRODUCTS,
        ),
        _course(
            "What was refused for good?", "What the other side will never take, kept with its reason.", "count",
            PromQl("sum by (product) (twinning_outbox_dead)", "{{product}}"), columns=_PRODUCTS,
        ),
    )  # fmt: skip


def _room() -> tuple[Panel, ...]:
    return (
        _course(
            "How much room is left on the disks?", "Free of each file system of the host.", "fraction",
            PromQl("device:disk_free:ratio", "{{instance}} {{device}}"), most=1.0,
            steps=((None, palette.BAD), (0.1, palette.WATCH), (0.2, palette.GOOD)), visual=Lines(thresholds=True),
        ),
        _course(
            "When will a disk be full?",
            "If the last three days go on: free bytes in 14 days; below nothing it is full by then.", "bytes",
            PromQl("device:disk_free:in_two_weeks_bytes", "{{instance}} {{device}}"), least=None,
        ),
        _course(
            "How much do the data take?", "The database and the archive of all originals.", "bytes",
            PromQl("twinning_database_bytes", "Database"), PromQl("twinning_archive_bytes", "Archive"),
            columns=(Column("Database", colour=palette.BLUE), Column("Archive", colour=palette.ORANGE)),
        ),
        _course(
            "Do we stay below 50 GB a year?", "Growth of database and archive over the last 30 days, brought to a year.", "bytes",
            PromQl("twinning:growth_bytes:per_year", "A year"),
            steps=((None, palette.GOOD), (4e10, palette.WATCH), (5e10, palette.BAD)), visual=Lines(thresholds=True), least=None,
        ),
        _course(
            "How many samples and bookings are there?", "Samples of the series, and settled bookings.", "count",
            PromQl("twinning_samples", "Samples"), PromQl("twinning_bookings", "Bookings"),
            columns=(Column("Samples", colour=palette.BLUE), Column("Bookings", colour=palette.ORANGE, right=True)),
        ),
        _course(
            "How much memory is left?", "Memory of the host that is available, of all it has.", "fraction",
            PromQl("1 - instance:memory_used:ratio", "{{instance}}"), most=1.0,
            steps=((None, palette.BAD), (0.1, palette.WATCH), (0.2, palette.GOOD)), visual=Lines(thresholds=True),
        ),
    )  # fmt: skip


def _servers() -> tuple[Panel, ...]:
    return (
        _course(
            "How busy is the processor?", "The share of the last five minutes in which a core did something.", "fraction",
            PromQl("instance:cpu_busy:ratio_rate5m", "{{instance}}"), most=1.0,
        ),
        _course(
            "How full is Postgres with connections?", "Connections to all databases, of those it admits.", "fraction",
            PromQl("sum(pg_stat_activity_count) / scalar(max(pg_settings_max_connections))", "Used"), most=1.0,
            steps=((None, palette.GOOD), (0.7, palette.WATCH), (0.9, palette.BAD)), visual=Lines(thresholds=True),
        ),
        _course(
            "How large is each database?",
            "Bytes of each database in the server.", "bytes", PromQl("pg_database_size_bytes", "{{datname}}"),
        ),
        _course(
            "How much memory does Redis take?", "Bytes that Redis uses.", "bytes", PromQl("redis_memory_used_bytes", "Used"),
        ),
        _course(
            "How much does the front door serve?", "Requests a second that nginx answers, on the mean of five minutes.", "none",
            PromQl("sum(rate(nginx_http_requests_total[5m]))", "Requests"),
        ),
        _course(
            "Does our own exporter read everything?", "Seconds that each part of our metrics takes to collect.", "s",
            PromQl("twinning_collect_seconds", "{{part}}"), visual=Lines(steps=True),
        ),
        Panel(
            "Which parts could not be collected?",
            "Parts of our own metrics that failed at the last reading; the others are told all the same.",
            Table(), (PromQl("twinning_collect_failed == 1", now=True),), "none",
            nothing="Every part was collected, or nothing answers.",
        ),
    )  # fmt: skip


def _backup() -> tuple[Panel, ...]:
    return (
        _figure(
            "How old is the newest backup?", "Time since the newest backup of each set that succeeded.",
            "time() - max by (set) (twinning_backup_last_success_timestamp_seconds)", "s",
            ((None, palette.GOOD), (93_600, palette.WATCH), (172_800, palette.BAD)), legend="{{set}}", wide=8,
        ),
        _figure(
            "Was a restore proved?", "Whether the newest drill, which rebuilds everything in an empty place, succeeded.",
            "min(twinning_drill_ok)", "none", ((None, palette.BAD), (1, palette.GOOD)), legend="Drill",
        ),
        _figure(
            "How long ago?",
            "Time since the newest drill that succeeded.", "time() - max(twinning_drill_last_success_timestamp_seconds)", "s",
            ((None, palette.GOOD), (3_024_000, palette.WATCH), (6_048_000, palette.BAD)), legend="Since",
        ),
        _figure(
            "How long does a restore take?",
            "Seconds of the newest drill.", "max(twinning_drill_seconds)", "s", ((None, palette.BLUE),),
            legend="Drill",
        ),
        _course(
            "How large are backups?",
            "Bytes of the newest backup of each set.", "bytes", PromQl("twinning_backup_bytes", "{{set}}"),
            wide=4,
        ),
    )  # fmt: skip
