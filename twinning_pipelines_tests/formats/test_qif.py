"""QIF: sections, accounts, splits, investments, and what only a careless reader gets wrong."""

import contextlib
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats import dates, numbers, qif

BANK = b"""!Type:Bank
D1/26'26
T-1,012.50
CX
N1005
PLinden Mortgage
MJanuary
AMain Street 1
A3000 Bern
LHome:Mortgage/House
SHome:Interest
EJanuary
$-800.00
S[Savings]
%21
$-212.50
^
D1/27'26
U-3.00
PBakery
^
"""
QUICKEN = b"""!Clear:AutoSwitch
!Option:MDY
!Option:AutoSwitch
!Account
NChecking
TBank
DOur account
^
NBroker
TInvst
^
!Type:Cat
NFood
DFood and drink
E
B100.00
B110.00
^
!Clear:AutoSwitch
!Account
NChecking
TBank
^
!Type:Bank
D2/ 1'26
T-4.00
^
!Account
NBroker
TInvst
^
!Type:Invst
D2/ 2'26
NBuyX
YOrchard
I10.50
Q3
T31.50
O0.50
L[Checking]
$31.50
^
!Type:Security
NOrchard
SORCH
TStock
^
!Type:Prices
"ORCH",10.50," 2/ 2'26"
^
"ORCH",11.25," 2/ 3'26"
"RYE",2," 2/ 3'26"
^
"""


def read(text: str) -> list[qif.Record]:
    return list(qif.read(text.encode()).records)


def test_a_bank_record_with_splits() -> None:
    first, second = qif.read(BANK).records
    assert (first.section, first.line, first.account, first.cut) == ("Bank", 2, None, False)
    assert first.fields == {
        "D": "1/26'26",
        "T": "-1,012.50",
        "C": "X",
        "N": "1005",
        "P": "Linden Mortgage",
        "M": "January",
        "L": "Home:Mortgage/House",
    }
    assert first.address == ("Main Street 1", "3000 Bern")
    assert first.splits == (
        qif.Split("Home:Interest", memo="January", amount="-800.00"),
        qif.Split("[Savings]", amount="-212.50", percent="21"),
    )
    assert (second.line, second.get("U"), second.get("T"), second.raw) == (18, "-3.00", "", "D1/27'26\nU-3.00\nPBakery")


def test_a_whole_quicken_file() -> None:
    document = qif.read(QUICKEN)
    assert document.date_hint == "MDY"
    found = [
        (record.section, record.line, record.account.name if record.account else "") for record in document.records
    ]
    assert found == [
        ("Account", 5, ""),
        ("Account", 9, ""),
        ("Cat", 13, ""),
        ("Account", 21, ""),
        ("Bank", 25, "Checking"),
        ("Account", 29, ""),
        ("Invst", 33, "Broker"),
        ("Security", 44, ""),
        ("Prices", 49, ""),
        ("Prices", 51, ""),
    ]
    category, trade, security, prices = (document.records[at] for at in (2, 6, 7, 9))
    assert category.fields == {"N": "Food", "D": "Food and drink", "E": "", "B": "100.00", "B#2": "110.00"}
    assert trade.account == qif.Account("Broker", "Invst")
    assert trade.get("L") == "[Checking]"
    assert (trade.get("$"), trade.splits) == ("31.50", ())
    assert security.get("S") == "ORCH"
    assert prices.prices == (("ORCH", "11.25", "2/ 3'26"), ("RYE", "2", "2/ 3'26"))
    style = dates.decide(document.date_texts(), document.date_hint)
    assert style.read(trade.get("D")) == date(2026, 2, 2)


def test_an_account_list_under_autoswitch_names_no_current_account() -> None:
    text = "!Option:AutoSwitch\n!Account\nNA\n^\nNB\n^\n!Type:Bank\nT1\n^\n!Clear:AutoSwitch\n!Account\nNC\n^\n!Type:Bank\nT2\n^"
    before, after = (record.account for record in read(text) if record.section == "Bank")
    assert (before, after) == (None, qif.Account("C"))


@pytest.mark.parametrize("switch", ["", "!Option:AutoSwitch\n"])
def test_the_one_account_before_a_section_is_its_account(switch: str) -> None:
    text = f"{switch}!Account\nNA\nTBank\n^\n!Type:Bank\nT1\n^\n!Account\nNB\nTOth A\n^\n!Type:Oth A\nT2\n^"
    assert [record.account.name for record in read(text) if record.account] == ["A", "B"]


@pytest.mark.parametrize(
    ("head", "section"),
    [
        ("!Type:Bank", "Bank"),
        ("!type:bank ", "Bank"),
        ("!TYPE:CCARD\t", "CCard"),
        ("! Type : Oth L", "Oth L"),
        ("!Type:OthA", "Oth A"),
        ("!Type Cash", "Cash"),
        ("!Type:Invoice", "Invoice"),
        ("!Type:memorized", "Memorized"),
        ("!Type:Tax Planner", "Tax Planner"),
        ("\ufeff!Type:Bank", "Bank"),
    ],
)
def test_any_spelling_of_a_section(head: str, section: str) -> None:
    [record] = read(f"{head}\nT1\n^\n")
    assert (record.section, record.fields) == (section, {"T": "1"})


def test_records_before_any_section_are_a_bank_s() -> None:
    document = qif.read(b"D2026-01-02\nT1\n^\n")
    assert (document.headless, [record.section for record in document.records]) == (True, ["Bank"])


@pytest.mark.parametrize("end", ["^^", "^ ", "^\n^", "^\n\n", " ^"])
def test_any_end_of_a_record(end: str) -> None:
    assert [record.get("T") for record in read(f"!Type:Bank\nT1\n{end}\nT2\n{end}\n")] == ["1", "2"]


def test_records_glued_to_the_mark_before_them() -> None:
    assert [record.get("T") for record in read("!Type:Bank\nT1\n^T2\nPx\n^T3\n^")] == ["1", "2", "3"]


def test_the_last_record_without_its_mark_is_marked_as_cut() -> None:
    assert [(record.get("T"), record.cut) for record in read("!Type:Bank\nT1\n^\nT2")] == [("1", False), ("2", True)]
    assert [record.cut for record in read("!Type:Bank\nT1\n^")] == [False]


def test_a_section_ends_the_record_that_was_left_open() -> None:
    found = [(record.section, record.get("T"), record.cut) for record in read("!Type:Bank\nT1\n!Type:Cash\nT2\n^")]
    assert found == [("Bank", "1", True), ("Cash", "2", False)]


def test_comments_stand_before_the_first_section_only() -> None:
    assert [record.raw for record in read("# made by hand\n\n!Type:Bank\nT1\n#x\n^")] == ["T1\n#x"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_any_line_ending_and_codec(line_end: str, codec: str) -> None:
    [record] = qif.read(f"!Type:Bank{line_end}PCafé{line_end}T1{line_end}^{line_end}".encode(codec)).records
    assert (record.get("P"), record.get("T"), record.line) == ("Café", "1", 2)


def test_a_decimal_comma_is_no_thousand() -> None:
    # quiffen 4.0.1 reads -1250 and -1.23456 here, without a word.
    document = qif.read(b"!Type:Bank\nD31.01.2026\nT-12,50\n^\nD31.01.2026\nT-1.234,56\n^\n")
    style = numbers.decide(document.amount_texts())
    assert [style.read(record.get("T")) for record in document.records] == [Decimal("-12.50"), Decimal("-1234.56")]


def test_days_of_one_file_have_one_order() -> None:
    # quiffen 4.0.1 reads January 2 and February 13 here.
    document = qif.read(b"!Type:Bank\nD01/02/2026\nT1\n^\nD13/02/2026\nT1\n^\n")
    style = dates.decide(document.date_texts(), document.date_hint)
    assert [style.read(record.get("D")) for record in document.records] == [date(2026, 2, 1), date(2026, 2, 13)]


def test_what_a_list_says_is_no_date_and_no_amount() -> None:
    document = qif.read(b"!Type:Cat\nNFood\nD13/02/2026\nB1,5\n^\n!Type:Bank\nD01/02/2026\nT1\nSFood\n$0,5\n^\n")
    assert list(document.date_texts()) == ["01/02/2026"]
    assert list(document.amount_texts()) == ["1", "0,5"]


@pytest.mark.parametrize("data", [b"", b"   \n", b"Date,Amount\n2026-01-02,3\n", b"{}"])
def test_what_is_no_qif_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableFile, match="neither a !Type line nor a"):
        qif.read(data)


def test_binary_garbage_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="no text"):
        qif.read(bytes(range(1, 32)) * 30 + b"\n^\n")


def test_a_file_past_the_cap_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qif, "MAX_BYTES", 10)
    with pytest.raises(HostileFile):
        qif.read(BANK)


@pytest.mark.parametrize("part", ["S\n", "Mx\n", "^", "^T", "!Type:Bank\n", "\n", '!Type:Prices\n"'])
def test_hostile_repetition_costs_no_more_than_its_length(part: str) -> None:
    qif.read(f"!Type:Bank\n{part * 50_000}\n^".encode())


def test_a_price_line_of_any_length_is_a_record() -> None:
    [record] = qif.read(b'!Type:Prices\n"' + b"x" * 300_000 + b"\n^").records
    assert record.prices == (("", "", ""),)


@pytest.mark.parametrize("data", [BANK, QUICKEN], ids=["bank", "quicken"])
@given(share=st.floats(0, 1))
def test_a_cut_anywhere_loses_only_what_was_cut(data: bytes, share: float) -> None:
    whole = qif.read(data).records
    piece = data[: int(len(data) * share)]
    try:
        records = qif.read(piece).records
    except UnreadableFile:
        assert b"\n" not in piece
        return
    complete = [record for record in records if not record.cut]
    assert complete == list(whole[: len(complete)])
    assert len(records) - len(complete) <= 1


LINES = ("^", "^^", "!Type:Bank", "!Account", "!Option:AutoSwitch", "", "T1", "NA", "SCat", "$1", "# x", "D1/2/26")


@given(st.lists(st.sampled_from(LINES)))
def test_each_block_of_lines_is_one_record(lines: list[str]) -> None:
    text = "!Type:Bank\n" + "\n".join(lines)
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line.startswith(("^", "!")):
            blocks.append([])
        elif line:
            blocks[-1].append(line)
    assert [record.raw for record in read(text)] == ["\n".join(block) for block in blocks if block]


@given(st.text(max_size=200))
def test_any_text_is_records_or_refused(noise: str) -> None:
    data = f"!Type:Bank\nT1\n^\n{noise}".encode(errors="replace")
    with contextlib.suppress(UnreadableFile):
        assert qif.read(data).records[0].get("T") == "1"
