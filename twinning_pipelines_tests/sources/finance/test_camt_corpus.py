"""Every CAMT file that we could collect: nothing is lost, and lxml, read by hand, agrees."""

from collections import defaultdict
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest
from lxml import etree

from twinning_pipelines.ingest.reading import read
from twinning_pipelines.original import Original
from twinning_pipelines.records.money import TRANSACTION
from twinning_pipelines.sources.finance.camt_statement import SOURCE
from twinning_pipelines_tests.formats.corpus import corpus_files
from twinning_pipelines_tests.goldens import BERLIN

FILES = corpus_files("finance/camt053")


def booked(path: Path) -> list[etree._Element]:
    root = etree.parse(str(path), etree.XMLParser(resolve_entities=False, no_network=True)).getroot()
    found = []
    for node in root.iter("{*}Ntry"):
        status = node.find("{*}Sts")
        assert status is not None
        if "".join(text.strip() for text in status.itertext() if isinstance(text, str)) == "BOOK":
            found.append(node)
    return found


def amount(node: etree._Element, fallback: str = "") -> Decimal:
    direction = node.findtext("{*}CdtDbtInd") or fallback
    text = node.findtext("{*}Amt") or node.findtext("{*}AmtDtls/{*}TxAmt/{*}Amt") or ""
    return Decimal(text) * {"CRDT": 1, "DBIT": -1}[direction]


def row_count(node: etree._Element) -> int:
    """One row, or one for each of several transactions that add up."""
    details = node.findall("{*}NtryDtls/{*}TxDtls")
    try:
        parts = [amount(each, node.findtext("{*}CdtDbtInd") or "") for each in details]
        return len(parts) if len(parts) > 1 and sum(parts) == amount(node) else 1
    except InvalidOperation:
        return 1


@pytest.mark.parametrize("path", FILES)
def test_every_booked_entry_is_read_once(path: Path) -> None:
    original = Original.at(path)
    assert SOURCE.recognises(original)
    with read(original, SOURCE, BERLIN) as reading:
        counts = reading.counts[TRANSACTION.name]
    assert counts.accepted + counts.rejected == sum(map(row_count, booked(path)))


@pytest.mark.parametrize("path", FILES)
def test_the_sums_of_each_currency_agree(path: Path) -> None:
    theirs: dict[str, Decimal] = defaultdict(Decimal)
    unreadable = 0
    for node in booked(path):
        money = node.find("{*}Amt")
        assert money is not None
        try:
            value = amount(node)
        except InvalidOperation:
            unreadable += 1
        else:
            theirs[str(money.attrib["Ccy"])] += value
    ours: dict[str, Decimal] = defaultdict(Decimal)
    with read(Original.at(path), SOURCE, BERLIN) as reading:
        for batch in reading.accepted(TRANSACTION):
            for row in batch.to_pylist():
                ours[row["currency"]] += row["amount"]
        assert reading.counts[TRANSACTION.name].rejected == unreadable
    assert ours == theirs


@pytest.mark.parametrize("path", FILES)
def test_lines_are_those_of_the_entries_or_their_transactions(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    with read(Original.at(path), SOURCE, BERLIN) as reading:
        places = [row["at"] for batch in reading.accepted(TRANSACTION) for row in batch.to_pylist()]
    assert all("<Ntry>" in lines[at - 1] or "<TxDtls>" in lines[at - 1] for at in places)


@pytest.mark.parametrize("path", FILES)
def test_balances_and_bookings_of_one_statement_add_up_where_the_file_is_whole(path: Path) -> None:
    with read(Original.at(path), SOURCE, BERLIN) as reading:
        claims = {(each.kind, each.subject): each.value for each in reading.claims}
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for batch in reading.accepted(TRANSACTION):
            for row in batch.to_pylist():
                sums[row["account"]] += row["amount"]
    gaps = {
        subject: claims["closing_balance", subject] - opening - sums[subject]
        for (kind, subject), opening in claims.items()
        if kind == "opening_balance" and ("closing_balance", subject) in claims
    }
    # These two were shortened by who published them.
    if not path.name.startswith(("MatissJanis_", "ofxstatement-iso20022__camt052")):
        assert all(gap == 0 for gap in gaps.values()), gaps
