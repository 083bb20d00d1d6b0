"""Bank files: OFX beside ofxparse (on its faster XML form), QIF beside quiffen. Reading only."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from twinning_pipelines_tests.bench.bank_files import write_ofx, write_qif
from twinning_pipelines_tests.bench.measure import OURS, cost_of
from twinning_pipelines_tests.bench.table import Goal, median_of, print_costs

_OFXPARSE = (
    "import sys, warnings; warnings.simplefilter('ignore'); from ofxparse import OfxParser; "
    "OfxParser.parse(open(sys.argv[1], 'rb'))"
)
_QUIFFEN = "import sys; from quiffen import Qif; Qif.parse(sys.argv[1], day_first=True)"
_FORMATS: tuple[tuple[str, str, str, str, Callable[[Path, int], None]], ...] = (
    ("OFX 2", "bank.ofx", "ofxparse", _OFXPARSE, write_ofx),
    ("QIF", "bank.qif", "quiffen", _QUIFFEN, write_qif),
)


def run(folder: Path, rows: int, pairs: int) -> None:
    """Prints both tables."""
    environment = dict(os.environ) | {"TWINNING_DATE_ORDER": "DMY"}
    for title, name, peer, code, write in _FORMATS:
        path = folder / name
        write(path, rows)
        rounds = [
            (
                cost_of([sys.executable, "-c", code, str(path)], os.environ),
                cost_of([*OURS, "check", str(path), "--json"], environment),
            )
            for _ in range(pairs)
        ]
        costs = {who: median_of(column) for who, column in zip((peer, "check"), zip(*rounds, strict=True), strict=True)}
        head = f"{title}, {rows:,} bookings, {path.stat().st_size / 1e6:.1f} MB"
        print_costs(head, costs, {"check": Goal(0.10, peer)}, rows)
