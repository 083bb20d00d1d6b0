"""The journal: voice notes become words, and a look at what was not heard.

Hearing takes as long as people talked, so it is not part of an ingest, which would keep waiting what people dropped by
hand. It follows the table of voice notes in a run of its own, after each ingest and so every hour at least: what waits
for an engine that did not answer is tried again then.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.home import OpenHome
from twinning_pipelines.ingest.archive import place_of
from twinning_pipelines.orchestration.facts import FOLLOWS_TABLES
from twinning_pipelines.orchestration.far_sides import only_silence_is_retried
from twinning_pipelines.orchestration.keys import table_key
from twinning_pipelines.orchestration.results import Materialised, materialised
from twinning_pipelines.orchestration.run_home import RunHome
from twinning_pipelines.products.voice_notes.hearing import Manner, hear_what_waits
from twinning_pipelines.products.voice_notes.transcripts import Standing, standing
from twinning_pipelines.records.journal import VOICE_NOTE

if TYPE_CHECKING:
    # What `define_asset_job` makes has no public name.
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

JOURNAL = dg.AssetKey("journal")
HEAR = "hear"
POOL = "speech"
AGAIN = dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
_SECONDS_PER_RUN = 1800
_PATIENCE = timedelta(days=1)
_NOT_CONFIGURED = "not configured: neither TWINNING_SPEECH_URL nor TWINNING_SPEECH_MODEL names a speech engine"
_WARN = dg.AssetCheckSeverity.WARN


def journal_asset() -> dg.AssetsDefinition:
    """The asset `journal`."""

    @dg.asset(
        key=JOURNAL,
        group_name="products",
        kinds={"whisper", "postgres"},
        deps=[table_key(VOICE_NOTE.name)],
        retry_policy=AGAIN,
        pool=POOL,
        automation_condition=FOLLOWS_TABLES,
        description=(
            "Every voice note written down by the speech engine at home: a transcript, and an entry of its person's "
            "journal. Another model makes new transcripts. `twinning journal` shows and searches them."
        ),
    )
    def journal(home: dg.ResourceParam[RunHome]) -> Materialised:
        return materialised(_metadata(home.opened, hear(home.opened)))

    return journal


def hear(home: OpenHome) -> Mapping[str, int] | None:
    """Hears what is due; None without an engine. Only silence of the engine is left to be retried."""
    with only_silence_is_retried():
        speech = home.home.speech()
        if speech is None:
            return None
        manner = Manner(home.home.spoken_languages(), _SECONDS_PER_RUN)
        archive = home.home.archive
        heard = hear_what_waits(home.engine, speech, lambda sha256: place_of(archive, sha256), manner)
        return Counter(each.state for each in heard)


def _metadata(home: OpenHome, done: Mapping[str, int] | None) -> dict[str, dg.MetadataValue]:
    left = _standing(home)
    if done is None:
        return {"state": dg.MetadataValue.text(_NOT_CONFIGURED), "waiting": dg.MetadataValue.int(left.waiting)}
    state = "up to date" if not left.waiting else "some is still to be heard"
    return {
        "state": dg.MetadataValue.text(state),
        **{f"now: {name}": dg.MetadataValue.int(n) for name, n in sorted(done.items())},
        "heard": dg.MetadataValue.int(left.heard),
        "silent": dg.MetadataValue.int(left.silent),
        "waiting": dg.MetadataValue.int(left.waiting),
        "refused": dg.MetadataValue.int(left.refused),
    }


def _standing(home: OpenHome) -> Standing:
    speech = home.home.speech()
    with home.engine.connect() as connection:
        return standing(connection, speech.name if speech else "", speech.model if speech else "")


def heard_check() -> dg.AssetChecksDefinition:
    """`recordings_are_heard`."""

    @dg.asset_check(
        asset=JOURNAL,
        name="recordings_are_heard",
        description=(
            "No voice note waits for more than a day to be written down, and none was refused by the speech engine. After "
            "mending the cause, `twinning hear --again` tries once more."
        ),
    )
    def recordings_are_heard(home: dg.ResourceParam[RunHome]) -> dg.AssetCheckResult:
        try:
            configured = home.home.speech() is not None
        except WrongUsage as wrong:
            return dg.AssetCheckResult(passed=False, severity=_WARN, description=str(wrong))
        if not configured:
            return dg.AssetCheckResult(passed=True, metadata={"state": _NOT_CONFIGURED})
        return verdict(_standing(home.opened), datetime.now(UTC))

    return recordings_are_heard


def verdict(left: Standing, now: datetime) -> dg.AssetCheckResult:
    """The verdict on everybody's recordings, by number alone."""
    late = left.since is not None and now - left.since > _PATIENCE
    hours = (now - left.since).total_seconds() / 3600 if left.since is not None else 0.0
    said = [
        *([f"the longest has waited for {hours / 24:.0f} days"] if late else []),
        *(["`twinning hear --again` tells why some are refused"] if left.refused else []),
    ]
    return dg.AssetCheckResult(
        passed=not late and not left.refused,
        severity=_WARN,
        description="; ".join(said) or None,
        metadata={
            "heard": left.heard,
            "silent": left.silent,
            "waiting": left.waiting,
            "refused": left.refused,
            "longest wait, hours": round(hours, 1),
        },
    )


def hear_job(check: dg.AssetChecksDefinition) -> "UnresolvedAssetJobDefinition":
    """The job `hear`."""
    return dg.define_asset_job(
        HEAR,
        selection=dg.AssetSelection.assets(JOURNAL) | dg.AssetSelection.checks(check),
        description="Writes down the voice notes that wait, one after the other, for half an hour at most.",
    )
