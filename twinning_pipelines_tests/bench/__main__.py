"""Prints ratios against named peers. `python -m twinning_pipelines_tests.bench [--records N] [--rows N] [--pairs N]`."""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from twinning_pipelines.demo.apple_health import write_export
from twinning_pipelines.stores.embedded_postgres import Cluster
from twinning_pipelines_tests.bench.bank_files import write_ofx, write_qif
from twinning_pipelines_tests.bench.measure import Cost, cost_of

FIRST, LAST = date(2020, 1, 1), date(2025, 12, 31)
ZONE = ZoneInfo("Europe/Zurich")
PYTHON = sys.executable
OURS = [PYTHON, "-m", "twinning_pipelines.cli"]


def main() -> None:
    """Runs both benchmarks and prints their tables."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--records", type=int, default=1_000_000, help="Apple Health records")
    asked.add_argument("--rows", type=int, default=50_000, help="bookings in the bank files")
    asked.add_argument("--pairs", type=int, default=1, help="how often each pair is measured; medians are printed")
    wanted = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="twinning-bench-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        print("CPU seconds of whole processes, Postgres included; the medians of", wanted.pairs, "run(s) each\n")
        health(Path(folder), wanted.records, wanted.pairs)
        bank(Path(folder), wanted.rows, wanted.pairs)


def health(folder: Path, records: int, pairs: int) -> None:
    """Apple Health: check, first drop, re-export, beside healthkit-to-sqlite on the same file."""
    first, again = folder / "export.zip", folder / "again.zip"
    for path, day in ((first, 30), (again, 31)):
        made = datetime(2025, 12, day, 22, tzinfo=UTC)
        rows = write_export(path, seed=1, first=FIRST, last=LAST, zone=ZONE, records=records, exported_at=made)
    print(f"Apple Health, {rows:,} elements, {first.stat().st_size / 1e6:.0f} MB zipped")
    peer = _median(lambda: _healthkit(folder, first), pairs)
    check = _median(lambda: cost_of([*OURS, "check", str(first), "--json"], os.environ), pairs)
    drops = [_drops(folder / f"home{number}", first, again) for number in range(pairs)]
    ours = [("check only", check)] + [
        (name, _middle([drop[place] for drop in drops]))
        for place, name in enumerate(("first drop", "re-export, same records", "the same bytes again"))
    ]
    _row("healthkit-to-sqlite", peer, peer, rows)
    for name, cost in ours:
        _row(f"twinning, {name}", cost, peer, rows)
    print()


def bank(folder: Path, rows: int, pairs: int) -> None:
    """OFX beside ofxparse (on its faster XML form), QIF beside quiffen: reading only."""
    ofx, qif = folder / "bank.ofx", folder / "bank.qif"
    write_ofx(ofx, rows)
    write_qif(qif, rows)
    environment = dict(os.environ) | {"TWINNING_DATE_ORDER": "DMY"}
    ofxparse = (
        "import sys, warnings; warnings.simplefilter('ignore'); from ofxparse import OfxParser; "
        "OfxParser.parse(open(sys.argv[1], 'rb'))"
    )
    quiffen = "import sys; from quiffen import Qif; Qif.parse(sys.argv[1], day_first=True)"
    for title, path, name, code in (("OFX 2", ofx, "ofxparse", ofxparse), ("QIF", qif, "quiffen", quiffen)):
        print(f"{title}, {rows:,} bookings, {path.stat().st_size / 1e6:.1f} MB")
        peer = _median(lambda c=code, p=path: cost_of([PYTHON, "-c", c, str(p)], os.environ), pairs)  # type: ignore[misc]
        ours = _median(lambda p=path: cost_of([*OURS, "check", str(p), "--json"], environment), pairs)  # type: ignore[misc]
        _row(name, peer, peer, rows)
        _row("twinning, check", ours, peer, rows)
        print()


def _healthkit(folder: Path, export: Path) -> Cost:
    database = folder / "peer.db"
    database.unlink(missing_ok=True)
    return cost_of([str(Path(PYTHON).with_name("healthkit-to-sqlite")), str(export), str(database)], os.environ)


def _drops(home: Path, first: Path, again: Path) -> list[Cost]:
    """First drop, re-export, the same bytes: on a home of its own, with the server running beforehand."""
    cluster = Cluster(home / "db")
    cluster.start(keep=True)
    environment = dict(os.environ) | {"TWINNING_HOME": str(home), "TWINNING_ZONE": ZONE.key}
    try:
        postmaster = int((_data(home / "db") / "postmaster.pid").read_text().split()[0])
        cost_of([*OURS, "status"], environment, postmaster)
        return [cost_of([*OURS, "ingest", str(path)], environment, postmaster) for path in (first, again, again)]
    finally:
        cluster.stop()


def _data(place: Path) -> Path:
    pointer = place / "location"
    return Path(pointer.read_text().strip()) / "data" if pointer.exists() else place / "data"


def _median(run: Callable[[], Cost], times: int) -> Cost:
    return _middle([run() for _ in range(times)])


def _middle(costs: Sequence[Cost]) -> Cost:
    return Cost(*(statistics.median(getattr(cost, name) for cost in costs) for name in ("cpu", "wall", "peak_mib")))


def _row(name: str, cost: Cost, peer: Cost, rows: int) -> None:
    print(
        f"  {name:<36} {cost.cpu:8.2f} s CPU  {cost.cpu / peer.cpu:6.3f} x  {rows / cost.cpu:10,.0f} rows/CPU s  "
        f"{cost.wall:7.1f} s wall  {cost.peak_mib:6.0f} MiB"
    )


if __name__ == "__main__":
    main()
