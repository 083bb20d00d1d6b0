"""Runs of plain bookings say what the readers of single records say, whatever is done to the file."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats import ofx, qif
from twinning_pipelines_tests.formats.ofx_samples import SGML_HEADER

TEXTS = st.sampled_from(["", "Bäckerei", " A  B ", "1,50", "-3.00", "20260131", "x>y", "\x1f", "\xa0N\n"])
ODD_TEXTS = st.sampled_from(["&amp;", "&nbsp;A &#66; &x;", "a < b", "see <REF> 12", "<!-- no -->"])
FIELDS = st.sampled_from(["TRNTYPE", "DTPOSTED", "TRNAMT", "FITID", "NAME", "MEMO", "CHECKNUM", "REFNUM", "SIC"])
ODD_FIELDS = st.sampled_from(["memo", "NAME", "CURRENCY", "PAYEE", "OWN.TAG", "INTU.BID", "BANKACCTTO"])
CLOSINGS = st.sampled_from(["", "\n", "</{}>", "</{}>\r\n"])
ODD_CLOSINGS = st.sampled_from(["</{}>?", "</{} >", "</OTHER>"])
PIECES = st.sampled_from(
    [
        "</STMTTRN>",
        "<STMTTRN>",
        "</BANKTRANLIST>",
        "<BANKTRANLIST>",
        "<!--",
        "-->",
        "<![CDATA[",
        "\r",
        "<",
        ">",
        "&",
        "\n",
        "</OFX>",
    ]
)


@st.composite
def bookings(draw: st.DrawFn) -> str:
    """Bookings of some few looks, one behind another; now and then one is odd."""

    def some(usual: st.SearchStrategy[str], odd: st.SearchStrategy[str]) -> str:
        return draw(odd if draw(st.integers(0, 40)) == 40 else usual)

    def look() -> list[tuple[str, str]]:
        names = draw(st.lists(FIELDS, max_size=4, unique=True))
        return [(some(st.just(name), ODD_FIELDS), some(CLOSINGS, ODD_CLOSINGS)) for name in names]

    looks = [look() for _ in range(draw(st.integers(1, 3)))]
    written = []
    for each in draw(st.lists(st.sampled_from(looks), min_size=2, max_size=12)):
        values = "".join(f"<{name}>{some(TEXTS, ODD_TEXTS)}{closing.format(name)}" for name, closing in each)
        gap = some(st.sampled_from(["", "\n", " \n "]), st.just("x"))
        written.append(f"<STMTTRN>{values}</STMTTRN>{gap}")
    return "".join(written)


@st.composite
def spoiled(draw: st.DrawFn, texts: st.SearchStrategy[str], pieces: st.SearchStrategy[str]) -> str:
    """A text in which some places hold what they should not, and which may be cut."""
    text = draw(texts)
    for piece in draw(st.one_of(st.just([]), st.lists(pieces, max_size=3))):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + piece + text[place + draw(st.integers(0, 2)) :]
    return text[: draw(st.integers(0, len(text)))] if draw(st.booleans()) else text


def told(texts: Iterable[str]) -> list[str]:
    """Those that say something; their order means nothing."""
    return sorted(filter(None, texts))


@given(spoiled(bookings(), PIECES), st.booleans())
def test_ofx_runs_are_the_records_of_the_walker(body: str, ends: bool) -> None:
    head = f"{SGML_HEADER}<OFX><STMTTRNRS><STMTRS><CURDEF>EUR<BANKTRANLIST>"
    data = (head + body + "</BANKTRANLIST><LEDGERBAL><BALAMT>1</LEDGERBAL></STMTRS></OFX>" * ends).encode()
    found, plain = ofx.read(data), ofx.read(data, in_runs=False)
    assert (found.cut, len(found.statements)) == (plain.cut, len(plain.statements))
    for mine, theirs in zip(found.statements, plain.statements, strict=True):
        assert (mine.kind, mine.line, mine.fields, mine.records) == (
            theirs.kind,
            theirs.line,
            theirs.fields,
            theirs.records,
        )
    assert told(found.amount_texts()) == told(plain.amount_texts())


def test_ofx_bookings_of_a_few_looks_are_one_run() -> None:
    looks = ("<STMTTRN><TRNAMT>1</TRNAMT></STMTTRN>", "<STMTTRN>\n<TRNAMT>2\n<MEMO>m\n</STMTTRN>\n")
    data = f"{SGML_HEADER}<OFX><STMTRS><BANKTRANLIST>{''.join(looks) * 40}</BANKTRANLIST></STMTRS></OFX>".encode()
    [statement] = ofx.read(data).statements
    *first, run = statement.pieces
    assert isinstance(run, ofx.Run)
    assert (len(first), len(run), len(statement.records)) == (2, 78, 80)
    assert run.column("MEMO")[:2] == ["", "m"]
    assert [record.line for record in statement.records[:4]] == [11, 11, 15, 15]
    assert [run.raw(at) for at in range(2)] == [each.strip() for each in looks]


LINES = st.sampled_from(
    [
        *(
            "^",
            "^^",
            "^ D1/3/26",
            "D1/2'26",
            "D",
            "T-3.00",
            "T 1,5",
            "U2",
            "PBakery",
            "M a  b",
            "M",
            "N12",
            "L[Cash]",
            "CX",
        ),
        *("SFood", "$1", "EMemo", "AStreet", "!Type:Bank", "!Type:Cat", "!Account", "NMine", "!Option:MDY"),
        *("#x", "", "  ", "\xa0P", "Prices"),
    ]
)
BLOCKS = st.sampled_from(
    [
        "D1/2'26\nT1\nPx\n^\n",
        "D3/4'26\nT2\nPy\n^\n",
        "D5/6'26\nT3\n^\n",
        "D5/6'26\nT3\nT4\n^\n",
        "T3\nD5/6'26\nN7\n\n^\n",
    ]
)


@given(
    st.lists(st.one_of(BLOCKS, BLOCKS, LINES.map("{}\n".format)), max_size=30), st.sampled_from(["\n", "\r\n", "\r"])
)
def test_qif_runs_are_the_records_of_the_reader_of_lines(blocks: list[str], line_end: str) -> None:
    data = "".join(blocks).replace("\n", line_end).encode()
    try:
        plain = qif.read(data, in_runs=False)
    except UnreadableFile:
        with pytest.raises(UnreadableFile):
            qif.read(data)
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(qif, "FEWEST_IN_RUN", 1)
        found = qif.read(data)
    assert (found.headless, found.date_hint, found.records) == (plain.headless, plain.date_hint, plain.records)
    assert told(found.date_texts().elements()) == told(plain.date_texts().elements())
    assert told(found.amount_texts()) == told(plain.amount_texts())
    for run in found.pieces:
        if isinstance(run, qif.Run):
            assert [run.raw(at) for at in range(len(run))] == [record.raw for record in run.records()]
            assert run.column("P").to_pylist() == [record.get("P") for record in run.records()]


def test_qif_bookings_with_other_lines_are_one_run() -> None:
    data = b"!Type:Bank\n" + b"D1/2'26\nT1\nPx\n^\nD1/2'26\nT1\nMm\nNn\n^\n" * 80
    [run] = qif.read(data).pieces
    assert isinstance(run, qif.Run)
    assert len(run) == 160
    columns = [run.column(code).to_pylist()[:2] for code in "PMQ"]
    assert columns == [["x", ""], ["", "m"], ["", ""]]
    assert list(run.places[:3]) == [2, 6, 11]


def test_few_qif_bookings_are_read_line_by_line() -> None:
    booking = b"D1/2'26\nT1\nPx\n^\n"
    few, many = (qif.read(b"!Type:Bank\n" + booking * count) for count in (159, 160))
    assert not any(isinstance(each, qif.Run) for each in few.pieces)
    assert len(few.records) == 159
    assert [len(each) for each in many.pieces if isinstance(each, qif.Run)] == [160]


def test_blanks_around_a_line_are_those_that_python_strips() -> None:
    assert set(qif.BLANKS) == set(filter(str.isspace, map(chr, range(0x110000))))
