"""Every QIF file that we could collect: nothing crashes, nothing is lost, and a second reader agrees."""

import re
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import quiffen
from quiffen.core.qif import ParserException

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats import dates, numbers, qif
from twinning_pipelines_tests.formats.corpus import corpus_files

FILES = corpus_files("finance/qif")
BLOCK_END = re.compile(r"^(?:\^.*|!(?:Type|Account|Option|Clear).*)$", re.IGNORECASE | re.MULTILINE)

# A bank glued the payee to the day: `03/25/099Share Withdrawal`. Seven rows that nobody can date.
GLUED_DAYS = {"gnucash__web.qif"}
# What quiffen raises on files that ours reads: double ^, no account before investments, Windows-1252, glued days.
QUIFFEN_FAILS = (ValueError, TypeError, ParserException)


def blocks_of(path: Path) -> int:
    """Nonempty blocks between marks, counted by one expression on the text."""
    text = path.read_bytes().decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(r"\A(?:\s*#.*\n|\s*\n)+", "", text)
    return sum(bool(block.strip()) for block in BLOCK_END.split(text))


@pytest.mark.parametrize("path", FILES)
def test_every_block_is_one_record(path: Path) -> None:
    document = qif.read(path.read_bytes())
    assert len(document.records) == blocks_of(path)
    lines = path.read_bytes().decode(document.codec).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for record in document.records:
        assert lines[record.line - 1].strip() == record.raw.split("\n")[0]
    assert not document.headless


@pytest.mark.parametrize("path", FILES)
def test_every_day_and_amount_is_readable(path: Path) -> None:
    document = qif.read(path.read_bytes())
    number = numbers.decide(document.amount_texts())
    day = dates.decide(document.date_texts(), document.date_hint)
    assert (number.contrary, day.contrary) == ("", "")
    for record in document.records:
        if record.section in qif.LIST_SECTIONS:
            continue
        for code in "TUIQO":
            if record.get(code):
                number.read(record.get(code))
        if path.name in GLUED_DAYS:
            with pytest.raises(ValueError, match="not a date"):
                day.read(record.get("D"))
        elif "D" in record.fields:
            day.read(record.get("D"))


@pytest.mark.parametrize("path", FILES)
@pytest.mark.filterwarnings("ignore")
def test_quiffen_agrees_where_it_can_read(path: Path) -> None:
    document = qif.read(path.read_bytes())
    number = numbers.decide(document.amount_texts())
    day = dates.decide(document.date_texts(), document.date_hint)
    try:
        theirs = quiffen.Qif.parse(path, day_first=day.order == "DMY")
    except QUIFFEN_FAILS as reason:
        pytest.skip(f"quiffen can't read it: {reason!r}")
    ours: list[tuple[date | None, Decimal | None]] = [
        (day.read(record.get("D")), number.read(amount) if amount else None)
        for record in document.records
        if record.section not in qif.LIST_SECTIONS
        for amount in [record.get("T") or record.get("U")]
    ]
    assert Counter(ours) == Counter(
        (booking.date.date() if isinstance(booking.date, datetime) else booking.date, booking.amount)
        for account in theirs.accounts.values()
        for bookings in account.transactions.values()
        for booking in bookings
    )


@pytest.mark.parametrize("path", FILES)
def test_a_cut_anywhere_is_no_crash(path: Path) -> None:
    data = path.read_bytes()
    whole = len(qif.read(data).records)
    for at in range(0, len(data), max(1, len(data) // 60)):
        try:
            records = qif.read(data[:at]).records
        except UnreadableFile:
            continue
        assert len(records) <= whole
        assert sum(record.cut for record in records[:-1]) == 0
