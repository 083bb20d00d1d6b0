"""Every gauge that we offer. `docs/metrics.md` holds the same list with an example for each; a test keeps the two equal.

No label tells a file, a run, an account or a payee: only people, sources, tables, jobs, checks and words of a fixed list.
"""

from msgspec import Struct


class Gauge(Struct, frozen=True):
    """One metric. part: which part of a round answers for it. labels: their names, in order."""

    name: str
    part: str
    labels: tuple[str, ...]
    help: str


class Measured(Struct, frozen=True):
    """One value of a gauge. labels: in the order of the gauge's."""

    name: str
    value: float
    labels: tuple[str, ...] = ()


# How each round of asking went; answered by the round itself.
ROUND = "round"
# Where the ledger knows no source, and Dagster knows a job that we don't.
NO_SOURCE, OTHER_JOB = "none", "other"

GAUGES = (
    Gauge("twinning_build_info", "build", ("version",), "Always 1; the label tells which version of Twinning answers."),
    Gauge(
        "twinning_expected_every_seconds",
        "build",
        ("source",),
        "How often a new file of a source is expected; only sources of which one is.",
    ),
    Gauge(
        "twinning_files",
        "ledger",
        ("person", "source", "state"),
        "Files in the ledger: pending, loaded, unreadable or unrouted. A file that no source claimed has the source none.",
    ),
    Gauge(
        "twinning_file_rows",
        "rows",
        ("person", "source", "table", "outcome"),
        "Rows met in those files at their last reading, accepted or rejected, as their receipts say. "
        "What two files tell counts twice.",
    ),
    Gauge(
        "twinning_last_file_timestamp_seconds",
        "ledger",
        ("person", "source"),
        "The moment as of which the newest loaded file of a person and source speaks.",
    ),
    Gauge(
        "twinning_rejected_rows_open",
        "ledger",
        ("source",),
        "Rejected rows that are kept until their files are read again without them.",
    ),
    Gauge("twinning_stale_days", "days", ("person",), "Days until today whose facts wait to be counted afresh."),
    Gauge(
        "twinning_summary_timestamp_seconds",
        "summaries",
        ("person", "path"),
        "When the newest summary was written: by the model, by its retry, or from the template.",
    ),
    Gauge("twinning_summaries", "summaries", ("person", "path"), "Summaries that are kept, by the way they were written."),
    Gauge(
        "twinning_outbox_pending",
        "outboxes",
        ("product",),
        "What waits to be sent: days of a metric for influxdb, bookings and transfers for firefly, deliveries for news. "
        "A far side that is not configured has no series.",
    ),
    Gauge(
        "twinning_outbox_oldest_seconds",
        "outboxes",
        ("product",),
        "How long the longest of them has waited: for news since it was made, for firefly since it was queued or last tried; "
        "0 where nothing waits. The queue for influxdb keeps no times and has no series.",
    ),
    Gauge(
        "twinning_outbox_dead",
        "outboxes",
        ("product",),
        "What is given up until a person does something: points that InfluxDB refused, bookings that Firefly III refused, "
        "news that reached nobody.",
    ),
    Gauge("twinning_inbox_files", "inbox", ("person",), "Files that lie in a person's inbox."),
    Gauge(
        "twinning_inbox_oldest_seconds",
        "inbox",
        ("person",),
        "How long the oldest of them has lain there, whatever time it bears itself; 0 where none does.",
    ),
    Gauge("twinning_runs", "runs", ("job", "status"), "Runs that Dagster keeps. Those of jobs unknown to us are other."),
    Gauge(
        "twinning_run_last_success_timestamp_seconds", "runs", ("job",), "When the newest successful run of a job ended."
    ),
    Gauge("twinning_run_last_seconds", "runs", ("job",), "How long the newest finished run of a job took."),
    Gauge("twinning_runs_active", "runs", ("status",), "Runs that wait or are under way."),
    Gauge(
        "twinning_run_queue_oldest_seconds", "runs", (), "How long the oldest queued run has waited; 0 where none waits."
    ),
    Gauge(
        "twinning_asset_checks",
        "checks",
        ("severity", "state"),
        "Asset checks by their newest verdict; those that were never made are left out.",
    ),
    Gauge("twinning_failed_check", "checks", ("check", "asset", "severity"), "1 for each asset check that fails now."),
    Gauge(
        "twinning_daemon_heartbeat_timestamp_seconds", "daemons", ("daemon",), "When a daemon of Dagster last gave a sign."
    ),
    Gauge("twinning_database_bytes", "sizes", (), "Size of our database on the disk."),
    Gauge("twinning_archive_bytes", "sizes", (), "Size of the originals in the archive, each once, as the ledger says."),
    Gauge("twinning_samples", "sizes", (), "Samples of all series that are stored."),
    Gauge("twinning_bookings", "sizes", (), "Bookings that files tell now, each once."),
    Gauge("twinning_collect_seconds", ROUND, ("part",), "How long a part of this answer took."),
    Gauge("twinning_collect_failed", ROUND, ("part",), "1 where a part of this answer could not be had; its gauges are absent."),
)  # fmt: skip
BY_NAME = {gauge.name: gauge for gauge in GAUGES}
