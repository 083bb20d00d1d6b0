"""Prints what things cost, beside peers and goals, and how honest insights are: `python -m twinning_pipelines_tests.bench`.

Sections go by name: health, bank, files, queries, insights, summary, dashboards; without one, all of them.
Costs are CPU seconds of whole processes, the Postgres that serves them included.
"""

import argparse
import compileall
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import twinning_pipelines
from twinning_pipelines_tests.bench import bank, bank_corpus, dashboards, health, insights, queries, summaries

SECTIONS: dict[str, Callable[[Path, argparse.Namespace], None]] = {
    "health": lambda folder, wanted: health.run(folder, wanted.records, wanted.pairs, wanted.peers),
    "bank": lambda folder, wanted: bank.run(folder, wanted.rows, wanted.pairs),
    "files": lambda _folder, wanted: bank_corpus.run(wanted.peers),
    "insights": lambda _folder, wanted: insights.run(wanted.seeds),
    "queries": lambda folder, wanted: queries.run(folder, wanted.samples),
    "summary": lambda folder, wanted: summaries.run(folder, min(wanted.samples, 400_000)),
    "dashboards": lambda folder, _wanted: dashboards.run(folder),
}


def main() -> None:
    """Runs the sections that were asked for."""
    asked = argparse.ArgumentParser(prog="python -m twinning_pipelines_tests.bench", description=__doc__)
    asked.add_argument("sections", nargs="*", metavar="section", help=f"{', '.join(SECTIONS)}; default: all")
    asked.add_argument("--records", type=int, default=1_000_000, help="Apple Health records")
    asked.add_argument("--rows", type=int, default=50_000, help="bookings in the bank files")
    asked.add_argument("--samples", type=int, default=20_000_000, help="samples that queries are asked of")
    asked.add_argument("--seeds", type=int, default=20, help="how many heaps of noise insights are looked for in")
    asked.add_argument("--pairs", type=int, default=1, help="how often each is measured; medians are printed")
    asked.add_argument(
        "--peers", default=sys.executable, help="a Python that has apple-health-parser and ofxtools; default: this one"
    )
    wanted = asked.parse_args()
    unknown = [name for name in wanted.sections if name not in SECTIONS]
    if unknown:
        asked.error(f"no section is called {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    compileall.compile_dir(Path(twinning_pipelines.__path__[0]), quiet=1)
    with tempfile.TemporaryDirectory(prefix="twinning-bench-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        for name in wanted.sections or SECTIONS:
            SECTIONS[name](Path(folder), wanted)


if __name__ == "__main__":
    main()
