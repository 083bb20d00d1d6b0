"""Every OFX file that we could collect: nothing crashes, nothing is lost, and a second reader agrees."""

import io
import re
from collections import Counter
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest
from ofxparse import OfxParser
from ofxparse.ofxparse import OfxParserException

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats import numbers, ofx
from twinning_pipelines_tests.formats.corpus import corpus_files

FILES = corpus_files("finance/ofx")
RECORD_TAG = re.compile(rf"<(?:STMTTRN|{'|'.join(sorted(ofx.INVESTMENT_RECORDS))})>".encode(), re.IGNORECASE)

# These hold no <OFX at all.
NOT_OFX = {"libofx__failing-ofx-file1.xml"}
# These write both marks: `-3.34` beside `635,50`. The rows in the minority are refused, see `NumberStyle`.
MIXED_LOCALES = re.compile(r"ofx-data-extractor__example[245]?\.ofx")
# What ofxparse raises on files that ours reads: empty values, odd headers, missing amounts.
OFXPARSE_FAILS = (AttributeError, IndexError, InvalidOperation, KeyError, OfxParserException, TypeError, ValueError)


def document_of(path: Path) -> ofx.Document:
    if path.name in NOT_OFX:
        with pytest.raises(UnreadableFile):
            ofx.read(path.read_bytes())
        pytest.skip("no OFX, and refused as such")
    return ofx.read(path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_every_record_is_found_once_with_its_place(path: Path) -> None:
    data = path.read_bytes()
    document = document_of(path)
    records = list(document.records)
    assert len(records) == len(RECORD_TAG.findall(data))
    lines = re.split("\r\n|\n|\r", data.decode(document.codec))
    for record in records:
        assert f"<{record.name}>" in lines[record.line - 1].upper()
        assert record.raw.upper().startswith(f"<{record.name}>")


@pytest.mark.parametrize("path", FILES)
def test_no_record_takes_values_of_its_surroundings(path: Path) -> None:
    for record in document_of(path).records:
        assert not {"CURDEF", "BALAMT", "LEDGERBAL.BALAMT", "DTSTART", "TRNUID", "STATUS.CODE"} & record.fields.keys()
        assert not [name for name in record.fields if "#" in name]


@pytest.mark.parametrize("path", FILES)
def test_every_day_and_amount_is_readable(path: Path) -> None:
    document = document_of(path)
    style = numbers.decide(document.amount_texts())
    for record in document.records:
        for name in ("TRNAMT", "UNITS", "TOTAL"):
            text = record.get(name)
            if text and not (MIXED_LOCALES.fullmatch(path.name) and text.count(style.decimal) == 0):
                style.read(text)
        for name in ("DTPOSTED", "DTTRADE"):
            if record.get(name):
                ofx.day_of(record.get(name))


@pytest.mark.parametrize("path", FILES)
@pytest.mark.filterwarnings("ignore")
def test_ofxparse_agrees_where_it_can_read(path: Path) -> None:
    data = path.read_bytes()
    try:
        theirs = OfxParser.parse(io.BytesIO(data))
    except OFXPARSE_FAILS as reason:
        pytest.skip(f"ofxparse can't read it: {reason!r}")
    records = list(document_of(path).records)
    if all(record.cut for record in records):
        # It drops a record that the file ends in.
        return
    style = numbers.decide(ofx.read(data).amount_texts())
    statements = [account.statement for account in theirs.accounts if getattr(account, "statement", None)]
    bookings = [each for statement in statements for each in statement.transactions]
    cash = Counter((each.id, each.amount) for each in bookings if hasattr(each, "amount"))
    trades = Counter((each.id, each.units) for each in bookings if not hasattr(each, "amount"))
    assert cash == Counter(
        (record.get("FITID"), amount(record, "TRNAMT", style)) for record in records if is_cash(record)
    )
    assert trades == Counter(
        (record.get("FITID"), amount(record, "UNITS", style)) for record in records if not is_cash(record)
    )


def is_cash(record: ofx.Record) -> bool:
    return record.name == "STMTTRN"


def amount(record: ofx.Record, name: str, style: numbers.NumberStyle) -> Decimal:
    text = record.get(name) or "0"
    if style.contrary and style.decimal not in text:
        # ofxparse decides for each row; in a file that writes both marks we refuse the minority.
        return Decimal(text)
    return style.read(text)


@pytest.mark.parametrize("path", FILES)
def test_a_cut_anywhere_is_no_crash(path: Path) -> None:
    data = path.read_bytes()
    whole = len(RECORD_TAG.findall(data))
    for at in range(0, len(data), max(1, len(data) // 60)):
        try:
            records = list(ofx.read(data[:at]).records)
        except UnreadableFile:
            continue
        assert len(records) <= whole
        assert sum(record.cut for record in records) <= 1
