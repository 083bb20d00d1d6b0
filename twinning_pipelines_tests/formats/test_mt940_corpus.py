"""Every MT940 and MT942 file that we could collect: every `:61:` is told once, a second reader and the balances agree."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import mt940 as second_reader
import pytest
from mt940.options import Options

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats import mt940
from twinning_pipelines.original import Original
from twinning_pipelines.source import Batch
from twinning_pipelines.sources.finance import mt940_statement
from twinning_pipelines_tests.formats.corpus import corpus_files
from twinning_pipelines_tests.goldens import BERLIN

FILES = corpus_files("finance/mt940")
STATEMENT_LINE = re.compile(rb"^:61:", re.MULTILINE)

# Ten lines of digits: there is not one field in it.
# Fields by themselves, written to try out one tag, and a list of numbers: nothing is booked in them.
NO_STATEMENT = {
    f"mt940__{name}.sta"
    for name in (
        *("account_balance_credit", "account_balance_debit", "account_identification", "account_identification_iban"),
        *("account_identification_legacy", "amount_formats", "available_balance", "closing_balance"),
        *("currency_in_25", "empty_86", "empty_line", "empty_non_swift", "invalid_statement", "missing_crlf_at_end"),
        *("reference", "statement_number"),
    )
}
# Statements by file and line whose publishers took bookings or digits out: closing balance less opening and bookings.
ABRIDGED = {
    ("mt940__details_60-63.sta", 1): "234.01",
    ("mt940__malformed_details.sta", 1): "234.01",
    ("mt940__overly_long_details.sta", 1): "234.01",
    ("mt940__whitespace.sta", 1): "234.01",
    ("mt940__postfinance.sta", 15): "0.2",
    ("mt940__rabobank.sta", 2): "1135.93",
    ("mt940__rabobank.sta", 19): "236.56",
    ("mt940__raiffeisen-cmi.sta", 1): "1123264.00",
    ("mt940__sepa_snippet.sta", 25): "300.08",
    ("mt940__sepa_snippet_broken.sta", 1): "307603.86",
    ("mt940__with_newline_in_tnr.sta", 2): "770.71",
    ("ofxstatement-mt940__abnamro.sta", 4): "-2038.00",
    ("ofxstatement-mt940__abnamro.sta", 32): "-1002.60",
    ("ofxstatement-mt940__ing.sta", 4): "49.06",
    ("ofxstatement-mt940__knab.sta", 10): "4500.00",
    ("ofxstatement-mt940__rabo.sta", 2): "1135.93",
    ("ofxstatement-mt940__rabo.sta", 19): "236.56",
    ("ofxstatement-mt940__triodos.sta", 1): "111.40",
}


def rows_of(path: Path) -> tuple[list[dict[str, object]], int]:
    """The rows of a file in its order, and how many were rejected."""
    batches = [item for item in mt940_statement.SOURCE.parse(Original.at(path), BERLIN) if isinstance(item, Batch)]
    rows = [row for batch in batches for row in batch.rows.to_pylist()]
    return rows, sum(len(batch.rejections) for batch in batches)


@pytest.mark.parametrize("path", FILES)
def test_every_statement_line_is_read_or_rejected(path: Path) -> None:
    if path.name in NO_STATEMENT:
        with pytest.raises(UnreadableFile):
            rows_of(path)
        return
    rows, rejected = rows_of(path)
    lines = path.read_bytes().replace(b"\r\n", b"\n").split(b"\n")
    assert len(rows) + rejected == len(STATEMENT_LINE.findall(path.read_bytes()))
    assert rejected == 0
    assert all(lines[int(str(row["at"])) - 1].startswith(b":61:") for row in rows)
    assert mt940_statement.SOURCE.recognises(Original.at(path))


@pytest.mark.parametrize("path", FILES)
def test_the_library_reads_the_same_amounts_and_value_dates(path: Path) -> None:
    # It can read every one of them, and there is no difference to explain: 30 February is the last of the month to both.
    theirs = second_reader.parse(path.read_bytes(), options=Options(reversal_sign=True))
    if path.name in NO_STATEMENT:
        assert not any("amount" in each.data for each in theirs)
        return
    assert [(row["amount"], row["valued_on"]) for row in rows_of(path)[0]] == [
        (each.data["amount"].amount, date(*each.data["date"].timetuple()[:3]))
        for each in theirs
        if "amount" in each.data
    ]


def balance_of(statement: mt940.Statement, *tags: str) -> Decimal | None:
    """The first of these balances with its sign."""
    field = statement.first(*tags)
    parts = mt940.balance_parts(field) if field else None
    if parts is None:
        return None
    value = Decimal(parts.amount.replace(",", "."))
    return -value if parts.mark == "D" else value


@pytest.mark.parametrize("path", FILES)
def test_opening_balance_and_bookings_make_the_closing_balance(path: Path) -> None:
    if path.name in NO_STATEMENT:
        return
    amounts = {int(str(row["at"])): Decimal(str(row["amount"])) for row in rows_of(path)[0]}
    differences = {}
    for statement in mt940.read(path.read_bytes()).statements:
        opening, closing = balance_of(statement, "60F", "60M"), balance_of(statement, "62F", "62M")
        booked = sum((amounts[entry.line] for entry in statement.entries), Decimal(0))
        if opening is not None and closing is not None and opening + booked != closing:
            differences[path.name, statement.line] = closing - opening - booked
    assert differences == {place: Decimal(missing) for place, missing in ABRIDGED.items() if place[0] == path.name}


@pytest.mark.skipif(not FILES[0].values[0].name, reason="no corpus")  # type: ignore[union-attr]
def test_most_statements_prove_themselves() -> None:
    proved = 0
    for path in (each.values[0] for each in FILES):
        assert isinstance(path, Path)
        if path.name not in NO_STATEMENT:
            proved += sum(
                balance_of(statement, "60F", "60M") is not None and balance_of(statement, "62F", "62M") is not None
                for statement in mt940.read(path.read_bytes()).statements
            )
    assert proved - len(ABRIDGED) == 58


@pytest.mark.parametrize("path", FILES)
def test_a_cut_anywhere_is_no_crash_and_no_more_rows(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    if path.name in NO_STATEMENT:
        return
    whole = len(rows_of(path)[0])
    for at in range(1, len(data), max(1, len(data) // 40)):
        cut = tmp_path / "cut.sta"
        cut.write_bytes(data[:at])
        try:
            rows, rejected = rows_of(cut)
        except UnreadableFile:
            continue
        assert len(rows) + rejected <= whole
