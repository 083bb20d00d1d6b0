"""Apple Health: reading an export, taking it in, and taking it in again, beside what others need for the same file.

The peers: healthkit-to-sqlite, which stores what it reads; apple-health-parser, loading only; and `lxml.iterparse` that
throws every element away, the least that any reader through an XML parser can cost.
"""

import json
import os
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from twinning_pipelines.demo.apple_health import write_export
from twinning_pipelines.demo.apple_style import Style
from twinning_pipelines.stores.embedded_postgres import Cluster
from twinning_pipelines_tests.bench.measure import OURS, Cost, Said, cost_of, memory_bytes, run_measured
from twinning_pipelines_tests.bench.table import Goal, median_of, print_costs

ZONE = ZoneInfo("Europe/Zurich")
LAST, NEXT = date(2025, 12, 30), date(2025, 12, 31)
MOST_DAYS = 2190

HEALTHKIT, PARSER, LXML = "healthkit-to-sqlite", "apple-health-parser, loading", "lxml.iterparse, discarding"
CHECK, DROP, AGAIN, GROWN, REPEATED = (
    "check", "first drop", "re-export, same records", "re-export, one new day", "the same bytes again",
)  # fmt: skip
GOALS = {
    CHECK: Goal(0.80, LXML),
    DROP: Goal(0.20, HEALTHKIT),
    AGAIN: Goal(0.08, HEALTHKIT),
    GROWN: Goal(0.10, HEALTHKIT),
}

_ITERPARSE = """
import sys, zipfile
from lxml.etree import iterparse
with zipfile.ZipFile(sys.argv[1]) as archive, archive.open("apple_health_export/export.xml") as stream:
    for _, element in iterparse(stream, recover=False, huge_tree=True):
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]
"""
_LOADING = """
import sys
from apple_health_parser.utils.parser import Parser
assert Parser(export_file=sys.argv[1], output_dir=sys.argv[2], overwrite=True).records
"""
# The whole document as a tree: some 3,300 bytes for each record, measured at a million.
_TREE_BYTES_PER_RECORD = 3_300


@dataclass(frozen=True, slots=True)
class Exports:
    """Three exports of one phone: the first, one made four hours later, and one made the day after."""

    first: Path
    again: Path
    grown: Path
    records: int

    @classmethod
    def made(cls, folder: Path, records: int) -> "Exports":
        """Writes them. The second differs in its date and the addresses of devices, the third has one day more as well."""
        # Six years; fewer for few records, so that a day is as full as one of a million's.
        spread = max(min(MOST_DAYS, records * MOST_DAYS // 1_000_000), 1)

        def write(name: str, moment: datetime, last: date) -> tuple[Path, int]:
            # apple-health-parser expects the XML to be called as the zip is.
            path = folder / name / "export.zip"
            path.parent.mkdir()
            first = LAST - timedelta(days=spread - 1)
            written = write_export(
                path,
                seed=1,
                first=first,
                last=last,
                zone=ZONE,
                exported_at=moment,
                records=records,
                spread_over=spread,
                style=Style(bare=True),
            )
            return path, written

        first, count = write("first", datetime(2025, 12, 31, 8, tzinfo=ZONE), LAST)
        again, _ = write("again", datetime(2025, 12, 31, 12, tzinfo=ZONE), LAST)
        grown, _ = write("grown", datetime(2026, 1, 1, 8, tzinfo=ZONE), NEXT)
        return cls(first, again, grown, count)


def run(folder: Path, records: int, pairs: int, peers: str) -> None:
    """Prints the table."""
    exports = Exports.made(folder, records)
    with zipfile.ZipFile(exports.first) as archive:
        size = sum(member.file_size for member in archive.infolist())
    measured: dict[str, list[Cost]] = {}
    ways = _peers(folder, exports, peers)
    for number in range(pairs):
        for name, measure in ways.items():
            measured.setdefault(name, []).append(measure())
        measured.setdefault(CHECK, []).append(cost_of([*OURS, "check", str(exports.first), "--json"], os.environ))
        for name, cost in _drops(folder / f"home{number}", exports).items():
            measured.setdefault(name, []).append(cost)
    head = (
        f"Apple Health, {exports.records:,} records, {exports.first.stat().st_size / 1e6:.0f} MB zipped, "
        f"{size / 1e6:.0f} MB unzipped, the XML alone; medians of {pairs} run(s)"
    )
    print_costs(head, {name: median_of(costs) for name, costs in measured.items()}, GOALS, exports.records)


def _peers(folder: Path, exports: Exports, python: str) -> dict[str, Callable[[], Cost]]:
    """How each peer is measured; one that can't run here is left out, with a word."""
    export = str(exports.first)
    ways: dict[str, Callable[[], Cost]] = {HEALTHKIT: lambda: _healthkit(folder, exports.first)}
    if subprocess.run([python, "-c", "import apple_health_parser"], capture_output=True, check=False).returncode:
        print(f"{PARSER}: not installed for {python}; --peers names a Python that has it")
    elif exports.records * _TREE_BYTES_PER_RECORD > memory_bytes() * 0.8:
        needed = exports.records * _TREE_BYTES_PER_RECORD / 1e9
        print(f"{PARSER}: left out, the tree would take {needed:.0f} GB of memory")
    else:
        ways[PARSER] = lambda: cost_of([python, "-c", _LOADING, export, str(folder / "loaded")], os.environ)
    return ways | {LXML: lambda: cost_of([sys.executable, "-c", _ITERPARSE, export], os.environ)}


def _healthkit(folder: Path, export: Path) -> Cost:
    database = folder / "peer.db"
    database.unlink(missing_ok=True)
    program = Path(sys.executable).with_name("healthkit-to-sqlite")
    return cost_of([str(program), str(export), str(database), "--silent"], os.environ)


def _drops(home: Path, exports: Exports) -> dict[str, Cost]:
    """The four ways to drop an export, one after the other into a home of its own, with its server running beforehand."""
    cluster = Cluster(home / "db")
    cluster.start(keep=True)
    environment = dict(os.environ) | {"TWINNING_HOME": str(home), "TWINNING_ZONE": ZONE.key}
    costs = {}
    try:
        postmaster = cluster_pid(home / "db")
        cost_of([*OURS, "status"], environment, postmaster)
        for name, path in (
            (DROP, exports.first),
            (AGAIN, exports.again),
            (GROWN, exports.grown),
            (REPEATED, exports.grown),
        ):
            costs[name], said = run_measured([*OURS, "ingest", str(path), "--json"], environment, postmaster)
            _prove(name, said, exports.records)
    finally:
        cluster.stop()
    return costs


def _prove(name: str, said: Said, records: int) -> None:
    """A drop that did not do its work has no cost worth printing. Raises RuntimeError."""
    counted: Counter[str] = Counter()
    for table in json.loads(said)["tables"].values():
        counted.update(table)
    wanted = {
        DROP: counted["new"] >= records,
        AGAIN: counted["same"] >= records and not counted["new"] + counted["edited"] + counted["absent"],
        GROWN: counted["same"] >= records and 0 < counted["new"] < records and not counted["absent"],
        REPEATED: True,
    }
    if not wanted[name]:
        raise RuntimeError(f"{name}: unexpected changes {dict(counted)}")


def cluster_pid(place: Path) -> int:
    """The process id of the Postgres that serves a folder."""
    pointer = place / "location"
    data = Path(pointer.read_text().strip()) / "data" if pointer.exists() else place / "data"
    return int((data / "postmaster.pid").read_text().split()[0])
