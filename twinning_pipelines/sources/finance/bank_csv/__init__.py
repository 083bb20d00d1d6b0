"""A bank's CSV, whichever bank's: read by a mapping, which is a person's own, a shipped one, or proposed by the headings.

From: the "download" or "export" page of an online bank, of a card or of a money program, as CSV.
To: Transaction, and the closing balance as a claim where running balances prove the order of the rows.

Asked only when no other source recognises a file. The header is looked for in the first lines; it has to name a day, an
amount (or one column for money in and one for money out) and some words. Lists of trades, prices and holdings are refused
as what they are. Number locale, date order and the direction of amounts are decided once per file, from all its rows;
what no row decides is asked, not guessed. Lines that are no bookings (totals, remarks, not yet booked) are told by number.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from twinning_pipelines.clock import Clock
from twinning_pipelines.original import Original
from twinning_pipelines.records.money import TRANSACTION
from twinning_pipelines.source import Item, Source
from twinning_pipelines.sources import MAPPINGS as MAPPINGS
from twinning_pipelines.sources.finance.bank_csv import source
from twinning_pipelines.sources.finance.bank_csv.mapping import BrokenMapping, OwnMapping
from twinning_pipelines.sources.finance.bank_csv.written import read_folder

_VERSION = 4
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Every booking, line by line. Raises UnreadableFile."""
    return source.parse(original, clock, ())


def _recognises(original: Original) -> bool:
    return source.recognises(original, ())


SOURCE = Source(
    name="finance.bank_csv",
    title="Bank statement (CSV of any bank)",
    recognition="a header with a day, an amount and words for it, or columns that a mapping names, "
    "in a file that no other source recognises",
    records=(TRANSACTION,),
    recognises=_recognises,
    parse=parse,
    version=_VERSION,
    expect_every=timedelta(days=31),
    last_resort=True,
)


def source_with(mappings: Sequence[OwnMapping], changed_at: datetime | None = None) -> Source:
    """The source of a home whose person has mappings of their own, which win over all others.

    changed_at: when one of them was last changed, added or removed; files that were read before are read again.
    """

    def recognises_own(original: Original) -> bool:
        return source.recognises(original, mappings)

    def parse_own(original: Original, clock: Clock) -> Iterator[Item]:
        return source.parse(original, clock, mappings)

    # A version has to grow with time, and is an integer of Postgres.
    later = max(0, int((changed_at - _BEGINNING).total_seconds())) if changed_at else 0
    return replace(SOURCE, recognises=recognises_own, parse=parse_own, version=_VERSION + later)


def with_mappings_of(folder: Path, sources: Sequence[Source]) -> tuple[Source, ...]:
    """The sources, this one with the mappings that a person keeps in a folder as YAML.

    One that can't be used stops nothing but the files that may be for it: they wait.
    """
    mappings = read_folder(folder)
    if not folder.is_dir():
        return tuple(sources)
    # The folder itself changes when a file is added or removed.
    newest = max(map(_changed_at, (folder, *folder.glob("*.y*ml"))))
    own = source_with(mappings, datetime.fromtimestamp(newest, tz=UTC))
    return tuple(own if each.name == SOURCE.name else each for each in sources)


def wrong_mappings(folder: Path) -> list[str]:
    """Each mapping of a folder that can't be used: its file, and why."""
    return [each.problem for each in read_folder(folder) if isinstance(each, BrokenMapping)]


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return path.lstat().st_mtime
