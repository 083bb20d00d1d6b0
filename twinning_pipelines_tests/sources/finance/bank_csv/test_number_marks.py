"""What decides whether `-45.300` is forty-five or forty-five thousand; where nothing does, a person is asked."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.source import Batch
from twinning_pipelines.sources.finance import bank_csv
from twinning_pipelines.sources.finance.bank_csv.proposal import proposal_of
from twinning_pipelines.verbs.mapping import mapping as mapping_verb
from twinning_pipelines_tests.goldens import BERLIN
from twinning_pipelines_tests.sources.finance.bank_csv.made_exports import amounts, file_of, rows

LITTLE, MUCH = Decimal("-45.300"), Decimal(-45300)


@pytest.mark.parametrize(
    ("lines", "cell"),
    [
        (("Datum;Text;Betrag", "01.03.2026;Laden;-45.300", "02.03.2026;Laden;-1.250"), "-45.300"),
        (("Date,Details,Amount", '2026-03-01,Shop,"-45,305"', "2026-03-02,Shop,-200"), "-45,305"),
        (("Date,Details,Amount (KWD)", '2026-03-01,Shop,"-45,305"', "2026-03-02,Shop,-200"), "-45,305"),
        (("Date,Details,Amount,Currency", '2026-03-01,Shop,"-45,305",BTC', "2026-03-02,Shop,-200,BTC"), "-45,305"),
        (("Datum;Text;Betrag;Saldo", "01.03.2026;Laden;-45.300;54.700", "02.03.2026;Laden;-1.250;53.450"), "-45.300"),
        (("Um 10.30;am 12.05", "Datum;Zeit;Text;Betrag", "01.03.2026;10.30;Laden;-45.300"), "-45.300"),
    ],
)
def test_where_nothing_decides_it_is_asked_and_a_mapping_answers(
    tmp_path: Path, lines: tuple[str, ...], cell: str
) -> None:
    original, proposed, read = file_of(tmp_path, *lines), proposal_of("\n".join(lines)), dict[str, object]()
    assert proposed is not None
    for mark in (".", ","):
        own = bank_csv.source_with([proposed.but(decimal=mark, sign="signed")])
        (batch,) = (item for item in own.parse(original, BERLIN) if isinstance(item, Batch))
        read[mark] = batch.rows.to_pylist()[0]["amount"]
    assert {abs(Decimal(str(each))) for each in read.values()} == {
        Decimal(cell[1:].replace(",", ".")),
        Decimal(cell[1:3] + cell[4:]),
    }
    with pytest.raises(UnreadableFile) as asked:
        rows(original)
    said = re.fullmatch(
        r"'(.+)' is (\S+) if its decimal mark is '\.', and (\S+) if it is ',', and no number shows which: "
        r"set `decimal` to `\.` or `,` in a mapping \(`twinning mapping FILE` writes one\), and drop it again",
        str(asked.value),
    )
    assert said is not None
    assert (said[1], Decimal(said[2]), Decimal(said[3])) == (cell, read["."], read[","])


@pytest.mark.parametrize(
    ("lines", "amount"),
    [
        (("Datum;Text;Betrag;Kurs", "01.03.2026;Laden;-45.300;1,0843"), MUCH),
        (("Datum;Text;Betrag;Rabatt", "01.03.2026;Laden;-45.300;-1.5"), LITTLE),
        (("Kontostand;1.234,56", "Datum;Text;Betrag", "01.03.2026;Laden;-45.300"), MUCH),
        (("Kontostand;1234.56 EUR", "Datum;Text;Betrag", "01.03.2026;Laden;-45.300"), LITTLE),
        (("Datum;Text;Betrag", "01.03.2026;Laden;-45.300", ";Summe;-45.300,00"), MUCH),
        (("Date,Details,Amount (ISK)", "2026-03-01,Shop,-45.300"), MUCH),
        (("Date,Details,Amount,Currency", '2026-03-01,Shop,"-45,300",JPY'), MUCH),
        (("Datum;Text;Betrag", "01.03.2026;Laden;-45.300 ISK"), MUCH),
        (("Datum;Text;Betrag", "01.03.2026;Laden;-45.300 KWD", "02.03.2026;Laden;-0.250 KWD"), LITTLE),
        (("Datum;Text;Betrag;Saldo", "01.03.2026;Laden;-45.300;154.700", "28.02.2026;Lohn;200;200"), LITTLE),
        (("Datum;Text;Betrag;Saldo", "01.03.2026;Laden;-45.300;-45.100", "28.02.2026;Lohn;200;200"), MUCH),
        (("Datum;Text;Betrag", "01.03.2026;Laden;-45.300", "02.03.2026;Laden;-200"), MUCH),
        (("Date,Details,Amount (USD)", '2026-03-01,Shop,"-45,305"', "2026-03-02,Shop,-200"), Decimal(-45305)),
    ],
)  # fmt: skip
def test_what_else_the_file_holds_decides(tmp_path: Path, lines: tuple[str, ...], amount: Decimal) -> None:
    assert amounts(file_of(tmp_path, *lines))[0] == amount


def test_two_currencies_one_with_cents_decide_nothing(tmp_path: Path) -> None:
    lines = "01.03.2026;Laden;-45.300 ISK", "02.03.2026;Laden;-1.250 EUR"
    with pytest.raises(UnreadableFile, match="set `decimal`"):
        rows(file_of(tmp_path, "Datum;Text;Betrag", *lines))


def test_the_verb_asks_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINNING_HOME", str(tmp_path / "home"))
    original = file_of(tmp_path, "Datum;Text;Betrag", "01.03.2026;Laden;-45.300")
    done = CliRunner().invoke(mapping_verb, [str(original.path)], catch_exceptions=False)
    lines = done.output.splitlines()
    at = lines.index("decimal: '?'")
    assert lines[at - 1].startswith("# '-45.300' is -45.300 if its decimal mark is '.', and -45300 if it is ','")
