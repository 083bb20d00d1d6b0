"""The way in: the inbox, and one asset per source that reads whatever waits for it.

Both are unpartitioned and know from the ledger what is due, so a missed tick, a crash or a second drop loses nothing.
"""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import dagster as dg
import sqlalchemy as sa

from twinning_pipelines.home import OpenHome
from twinning_pipelines.ingest.sweep import Swept, drain, sweep
from twinning_pipelines.orchestration.figures import changes_by_table, judged, quarantined
from twinning_pipelines.orchestration.keys import INBOX, source_key
from twinning_pipelines.orchestration.results import Materialised, materialised
from twinning_pipelines.orchestration.run_home import RunHome
from twinning_pipelines.receipt import Receipt
from twinning_pipelines.source import Source

# These watch the machinery: an hourly run materialises every source, whether or not anybody dropped a file. How long
# people have been silent is the check `arrives_in_time`.
HOURLY = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=1), warn_window=timedelta(hours=3))


def inbox_asset() -> dg.AssetsDefinition:
    """The asset `inbox`."""

    @dg.asset(
        key=INBOX,
        group_name="intake",
        kinds={"files"},
        freshness_policy=HOURLY,
        description=(
            "Every whole file of `inbox/<person>/…` goes to the archive and the ledger and is routed to the one source "
            "that recognises it. What nobody recognises is put aside in `quarantine/`, never deleted."
        ),
    )
    def inbox(home: dg.ResourceParam[RunHome]) -> Materialised:
        swept, strays = empty_inbox(home.opened)
        return materialised(_swept_metadata(swept, strays))

    return inbox


def source_asset(source: Source) -> dg.AssetsDefinition:
    """The asset of one source."""
    key = source_key(source)

    @dg.asset(
        key=key,
        group_name=source.domain,
        kinds={source.name.partition(".")[2], "postgres"},
        deps=[INBOX],
        freshness_policy=HOURLY,
        check_specs=_check_specs(source, key),
        metadata=_about(source),
        description=(
            f"**{source.title}**: {source.recognition}. Reads every file that waits for this source, rejects what is "
            f"not plausible with its reason, and merges the rest into Postgres."
        ),
    )
    def drained(home: dg.ResourceParam[RunHome]) -> Materialised:
        receipts = drain_source(home.opened, source)
        checks = judge(home.opened.engine, source, receipts)
        return materialised(receipt_metadata(receipts), checks)

    return drained


# Two bad rows of a file of ten are no sign that the source misreads it.
FORGIVEN_ROWS = 5


def empty_inbox(home: OpenHome) -> tuple[Swept, list[Receipt]]:
    """Sweeps the inbox, then reads what an earlier sweep entered but did not come to route."""
    still_seconds = home.home.settings.still_seconds
    swept = sweep(home.home.folders, home.store, home.home.sources, now_ns=time.time_ns(), still_seconds=still_seconds)
    return swept, drain(home.store.pending(), home.home.folders, home.store, home.home.sources)


def drain_source(home: OpenHome, source: Source) -> list[Receipt]:
    """Reads the files that wait for a source, and again those that an older version of it has read."""
    version = source.version
    outdated = [entry for entry in home.store.outdated(source) if (entry.source_version or 0) < version]
    return drain([*home.store.pending(source.name), *outdated], home.home.folders, home.store, home.home.sources)


def judge(engine: sa.Engine, source: Source, receipts: Sequence[Receipt]) -> list[dg.AssetCheckResult]:
    """The two checks of a source: may the outside world see this, and is something in quarantine?"""
    with engine.connect() as connection:
        shares = judged(connection, source.name, receipts)
        waiting = quarantined(connection, source.name)
    worst = max((share.rejected_share for share in shares if share.rejected > FORGIVEN_ROWS), default=0.0)
    return [
        dg.AssetCheckResult(
            check_name="few_rejections",
            passed=worst <= source.max_rejected,
            severity=dg.AssetCheckSeverity.ERROR,
            metadata={"files": len(shares), "worst share": round(worst, 4), "limit": f"{source.max_rejected:.0%}"},
            description=None if worst <= source.max_rejected else "see `twinning status`; then drop a corrected export",
        ),
        dg.AssetCheckResult(
            check_name="quarantine_is_empty",
            passed=not waiting,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"rows": sum(waiting.values())} | {f"rows of {name}": n for name, n in waiting.items()},
            description="`twinning redrive` reads the files again after a fix" if waiting else None,
        ),
    ]


def receipt_metadata(receipts: Sequence[Receipt]) -> dict[str, dg.MetadataValue]:
    """Counts over some files. Neither names of files nor reasons, which quote the rows, belong into the event log."""
    tables = list(changes_by_table(receipts))
    totals = {
        "files": len(receipts),
        "file problems": sum(receipt.problem is not None for receipt in receipts),
        "read": sum(receipt.read for receipt in receipts),
        "accepted": sum(receipt.accepted for receipt in receipts),
        "rejected": sum(receipt.rejected for receipt in receipts),
    } | {word: sum(int(table[word]) for table in tables) for word in ("new", "edited", "same", "absent")}
    told: dict[str, dg.MetadataValue] = {name: dg.MetadataValue.int(n) for name, n in totals.items()}
    if tables:
        told["tables"] = dg.MetadataValue.table([dg.TableRecord(table) for table in tables])
    return told


def _swept_metadata(swept: Swept, strays: Sequence[Receipt]) -> dict[str, dg.MetadataValue]:
    routed = Counter(source for _, source in swept.routed)
    told: dict[str, dg.MetadataValue] = {
        "routed": dg.MetadataValue.int(len(swept.routed)),
        "put aside": dg.MetadataValue.int(len(swept.put_aside)),
        "waiting": dg.MetadataValue.int(swept.waiting),
        "left over": dg.MetadataValue.int(len(strays)),
    }
    if routed:
        records = [dg.TableRecord({"source": name, "files": n}) for name, n in sorted(routed.items())]
        told["files by source"] = dg.MetadataValue.table(records)
    return told


def _check_specs(source: Source, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            "few_rejections",
            asset=key,
            blocking=True,
            description=(
                f"At most {source.max_rejected:.0%} of the rows of the files just read, or of each person's last file, "
                f"were rejected, or no more than {FORGIVEN_ROWS} rows. Otherwise nothing made from this source leaves "
                "the house in this run; materialise what shall go out even so by hand."
            ),
        ),
        dg.AssetCheckSpec(
            "quarantine_is_empty", asset=key, description="No row of this source's files waits in quarantine."
        ),
    ]


def _about(source: Source) -> dict[str, dg.MetadataValue]:
    told: dict[str, dg.MetadataValue] = {
        "writes to": dg.MetadataValue.text(", ".join(record.name for record in source.records)),
        "version": dg.MetadataValue.int(source.version),
    }
    if source.template:
        told["template"] = dg.MetadataValue.text(f"twinning_pipelines/sources/templates/{source.template}")
    if source.expect_every:
        told["expected every"] = dg.MetadataValue.text(f"{source.expect_every.days} days")
    return told
