"""Real bank files that others published, beside named readers on the same files: how many are read, and how many rows.

`whole`: read without an error and, where the reader tells of them, without a rejected row. Raw rows are counted by a
pattern, those of Flex by lxml, independent of every reader. Nothing is timed here.

Of CSV files, those that hold no bookings are counted apart: the reader says what they list instead (holdings, trades, …),
or nobody claims them, for they have no day with an amount. Refusing them is right.
"""

import json
import re
import subprocess
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import mt940
import quiffen
from ofxparse import OfxParser

from twinning_pipelines.clock import Clock
from twinning_pipelines.ingest.road import look
from twinning_pipelines.receipt import Receipt
from twinning_pipelines.sources import SOURCES
from twinning_pipelines_tests.shared import SHARED
from twinning_pipelines_tests.sources.finance.ibkr_flex.test_ibkr_flex_corpus import counted

CLOCK = Clock.fixed(ZoneInfo("Europe/Zurich"), "CHF", "")

# One file to the number of its rows; any exception is a file that was not read.
_Reader = Callable[[Path], int]


@dataclass(slots=True)
class Tally:
    """What one reader made of the files of a folder."""

    whole: int = 0
    in_part: int = 0
    refused: int = 0
    rows: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    others: int = 0

    @property
    def of_bookings(self) -> int:
        """Files that hold bookings."""
        return self.whole + self.in_part + self.refused - self.others

    def note(self, reason: str) -> None:
        """A file that was not read, and why."""
        self.refused += 1
        self.reasons[reason] = self.reasons.get(reason, 0) + 1


def _ofxparse(path: Path) -> int:
    with path.open("rb") as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed = OfxParser.parse(stream)
    return sum(len(account.statement.transactions) for account in parsed.accounts)


def _quiffen(path: Path) -> int:
    return sum(
        len(rows) for account in quiffen.Qif.parse(path).accounts.values() for rows in account.transactions.values()
    )


def _mt940(path: Path) -> int:
    return len(mt940.parse(str(path)))


_OFX_ROW = r"<(?:STMTTRN|(?:BUY|SELL)(?:STOCK|MF|DEBT|OPT|OTHER)|REINVEST|INCOME|TRANSFER|INVEXPENSE|SPLIT)>"
_FORMATS: tuple[tuple[str, str, str, str, _Reader | None], ...] = (
    ("OFX", "ofx", _OFX_ROW, "ofxparse", _ofxparse),
    ("QIF", "qif", r"(?m)^\^", "quiffen", _quiffen),
    ("MT940", "mt940", r"(?m)^:61:", "mt940", _mt940),
    ("CAMT", "camt053", r"<(?:\w+:)?Ntry>", "", None),
    ("Flex", "investment/*.xml", "", "", None),
    ("CSV", "csv", "", "", None),
)


def run(peers: str) -> None:
    """Prints the table; a word instead of it where the files are not. peers: a Python that may have ofxtools."""
    corpus = SHARED / "corpus" / "finance"
    if not corpus.is_dir():
        print(f"bank files of others: none in {corpus}; TWINNING_SHARED names their place\n")
        return
    print("Bank files of others       files  whole  in part  refused     rows   raw rows")
    for title, place, pattern, peer, reader in _FORMATS:
        folder, _, ending = place.partition("/")
        paths = sorted(path for path in (corpus / folder).glob(ending or "*") if path.is_file())
        raw = None
        if pattern:
            raw = sum(len(re.findall(pattern.encode(), path.read_bytes(), re.IGNORECASE)) for path in paths)
        elif title == "Flex":
            # What is a row of its own follows from more than a name: a conversion moves two currencies.
            raw = sum(counted(path)[kind] for path in paths for kind in ("trade", "transaction"))
        ours = _ours(paths)
        _print(f"{title}, ours", len(paths), ours, raw)
        if reader is not None:
            _print(f"{title}, {peer}", len(paths), _theirs(paths, reader), raw)
        if title == "OFX":
            told = _ofxtools(peers, paths)
            if told is None:
                print("    ofxtools is not there; `make bench` has it")
            else:
                _print("OFX, ofxtools", len(paths), told, raw)
        if title == "CSV":
            refused = ours.refused - ours.others
            print(
                f"    of {ours.of_bookings} files of bookings: {ours.whole} whole ({ours.whole / ours.of_bookings:.1%}), "
                f"{ours.in_part} in part, {refused} refused; {ours.others} hold none"
            )
        for reason, count in sorted(ours.reasons.items(), key=lambda each: -each[1]):
            print(f"    {count} refused: {reason[:90]}")
    print()


def _print(who: str, files: int, tally: Tally, raw: int | None) -> None:
    told = "" if raw is None else f"{raw:11,}"
    print(f"  {who:<24}{files:6}{tally.whole:7}{tally.in_part:9}{tally.refused:9}{tally.rows:9,}{told}")


def _ours(paths: list[Path]) -> Tally:
    tally = Tally()
    for path in paths:
        receipt = look(path, CLOCK, SOURCES)
        if receipt.problem is not None:
            tally.note(receipt.problem)
            tally.others += holds_no_bookings(receipt)
            continue
        tally.rows += sum(counts.accepted for name, counts in receipt.counts.items() if name not in _BESIDE)
        tally.whole += not receipt.rejected
        tally.in_part += bool(receipt.rejected)
    return tally


# What a statement holds beside what happened; raw rows are not counted of them.
_BESIDE = ("holding", "price", "exchange_rate")

# In a process of its own: it has another licence and another environment.
_OFXTOOLS = """
import json, sys
from ofxtools.Parser import OFXTree
for path in sys.argv[1:]:
    try:
        tree = OFXTree()
        tree.parse(path)
        statements = tree.convert().statements
        print(json.dumps(sum(len(each.transactions or []) for each in statements)), flush=True)
    except Exception as trouble:
        print(json.dumps(type(trouble).__name__), flush=True)
"""


def _ofxtools(peers: str, paths: list[Path]) -> Tally | None:
    """What ofxtools makes of the files, typed as its users get them; None where it is not installed."""
    command = [peers, "-W", "ignore", "-c", _OFXTOOLS, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    tally = Tally()
    for line in done.stdout.splitlines():
        answer = json.loads(line)
        if isinstance(answer, int):
            tally.whole += 1
            tally.rows += answer
        else:
            tally.note(answer)
    return tally


def holds_no_bookings(receipt: Receipt) -> bool:
    """Was the file refused because it holds no bookings at all?"""
    return receipt.problem is not None and (receipt.source is None or receipt.problem.endswith("not of bookings"))


def _theirs(paths: list[Path], reader: _Reader) -> Tally:
    tally = Tally()
    for path in paths:
        try:
            tally.rows += reader(path)
        except Exception as trouble:  # noqa: BLE001  (whatever a peer raises, the file was not read)
            tally.note(type(trouble).__name__)
        else:
            tally.whole += 1
    return tally
