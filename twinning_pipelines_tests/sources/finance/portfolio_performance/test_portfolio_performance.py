"""Portfolio Performance: one file told as XML and as tables, references of both kinds, and what can't be read."""

import re
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.original import Original
from twinning_pipelines.sources.finance.portfolio_performance import SOURCE
from twinning_pipelines_tests.goldens import BERLIN, notices, reasons, rows

HERE = Path(__file__).parent
HOUSEHOLD = HERE / "household.xml"
_OF_UNITS = ("BUY", "SELL", "DELIVERY_INBOUND")


def trades(path: Path) -> list[dict[str, Any]]:
    return [row for row in rows(SOURCE, path) if "traded_on" in row]


def test_units_are_those_that_the_program_shows() -> None:
    held: dict[tuple[str, str], Decimal] = {}
    for row in trades(HOUSEHOLD):
        if "units" in row:
            place = row["account"], row["security"]
            held[place] = held.get(place, Decimal(0)) + row["units"]
    assert held == {
        ("Depot", "CH0009000014"): Decimal(5),
        ("Depot", "Brothaus"): Decimal("8.5"),
        ("Depot of the children", "Brothaus"): Decimal(2),
    }


def test_cash_moves_once_and_names_its_other_side() -> None:
    told = rows(SOURCE, HOUSEHOLD)
    cash: dict[str, Decimal] = {}
    for row in told:
        assert "total" not in row
        if "amount" in row:
            cash[row["account"]] = cash.get(row["account"], Decimal(0)) + row["amount"]
    assert cash == {"Cash CHF": Decimal("3970.37"), "Cash EUR": Decimal(213)}
    assert {row["kind"]: row.get("transfer_account") for row in told if "kind" in row} == {
        "DEPOSIT": None, "BUY": "Depot", "SELL": "Depot", "TRANSFER_OUT": "Cash EUR", "TRANSFER_IN": "Cash CHF",
        "FEES": None, "DIVIDENDS": None,
    }  # fmt: skip


def test_a_price_of_a_trade_is_without_fees_and_taxes() -> None:
    bought, sold = (row for row in trades(HOUSEHOLD) if row["action"] in ("BUY", "SELL"))
    assert (bought["unit_price"], bought["fees"]) == (round(Decimal(962) / 6, 10), Decimal("9.2"))
    assert (sold["unit_price"], sold["fees"]) == (Decimal(140), Decimal(5))


def test_an_exchange_rate_is_no_price() -> None:
    told = [row for row in rows(SOURCE, HOUSEHOLD) if "rate" in row]
    assert [(row["base"], row["quote"], row["rate"]) for row in told] == [("EUR", "CHF", Decimal("0.9382"))]


@pytest.mark.parametrize("name", ["household.xml", "alle_buchungen.csv"])
def test_a_purchase_without_a_sensible_price_costs_its_row(name: str, tmp_path: Path) -> None:
    text, path = (HERE / name).read_text(encoding="utf-8"), tmp_path / name
    for sensible, absurd in (("<amount>97120</amount>", f"<amount>{'9' * 25}</amount>"), ("600000000", "1"),
                             ("971,20", "9" * 25), ("6,0", "0,00000001")):  # fmt: skip
        text = text.replace(sensible, absurd)
    path.write_text(text, encoding="utf-8")
    assert any(reason.startswith("unit_price: out of range") for reason in reasons(SOURCE, path))


def test_prices_in_pence_are_told_in_pounds(tmp_path: Path) -> None:
    path = tmp_path / "london.xml"
    path.write_text(HOUSEHOLD.read_text(encoding="utf-8").replace(">USD<", ">GBX<"), encoding="utf-8")
    told = [row for row in rows(SOURCE, path) if row.get("security") == "CH0009000014" and "priced_on" in row]
    assert [(row["currency"], row["unit_price"]) for row in told] == [
        ("GBP", Decimal("2.01")),
        ("GBP", Decimal("2.02125")),
    ]


def test_references_by_number_say_the_same(tmp_path: Path) -> None:
    path = tmp_path / "numbered.xml"
    path.write_text(numbered(HOUSEHOLD.read_text(encoding="utf-8")), encoding="utf-8")
    assert 'reference="../' not in path.read_text(encoding="utf-8")
    # Without the declaration every line is one less.
    assert list(map(_without_place, rows(SOURCE, path))) == list(map(_without_place, rows(SOURCE, HOUSEHOLD)))


def numbered(text: str) -> str:
    """The same file as XStream writes it when every object has an id: paths resolved by lxml, an independent reader."""
    root = etree.fromstring(text.encode())
    pairs = [(each, _target(each)) for each in root.iter() if each.get("reference")]
    for place, element in enumerate(root.iter(), 1):
        if not element.get("reference") and len(element):
            element.set("id", str(place))
    for element, target in pairs:
        element.set("reference", str(target.get("id")))
    return etree.tostring(root, encoding="unicode")


def _target(element: etree._Element) -> etree._Element:
    found = element.xpath(str(element.get("reference")))
    assert isinstance(found, list)
    target = found[0]
    assert isinstance(target, etree._Element)
    return target


@pytest.mark.parametrize(
    ("version", "units", "price"), [(66, "6", "201"), (48, "600", "2010000"), (25, "6000", "201000000"), (29, "600", "201000000")]
)  # fmt: skip
def test_the_version_tells_what_a_number_means(version: int, units: str, price: str, tmp_path: Path) -> None:
    path = tmp_path / "old.xml"
    text = HOUSEHOLD.read_text(encoding="utf-8")
    path.write_text(text.replace("<version>66<", f"<version>{version}<"), encoding="utf-8")
    told = rows(SOURCE, path)
    assert next(row["units"] for row in told if row.get("action") == "BUY") == Decimal(units)
    assert next(row["unit_price"] for row in told if "priced_on" in row) == Decimal(price)


def test_a_newer_version_is_read_with_a_word(tmp_path: Path) -> None:
    path = tmp_path / "new.xml"
    path.write_text(HOUSEHOLD.read_text(encoding="utf-8").replace(">66<", ">99<"), encoding="utf-8")
    assert notices(SOURCE, path) == ["version 99 of the file is newer than 70, the newest that is known here"]


def test_a_file_in_a_zip_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "household.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(HOUSEHOLD, "data.xml")
    assert SOURCE.recognises(Original.at(path))
    assert rows(SOURCE, path) == rows(SOURCE, HOUSEHOLD)


def test_what_is_locked_or_binary_is_refused_with_advice(tmp_path: Path) -> None:
    locked, binary = tmp_path / "a.portfolio", tmp_path / "b.portfolio"
    locked.write_bytes(b"PORTFOLIO" + bytes(64))
    with zipfile.ZipFile(binary, "w") as archive:
        archive.writestr("data.portfolio", b"PPPBV1" + bytes(64))
    for path, what in ((locked, "password"), (binary, "binary")):
        assert SOURCE.recognises(Original.at(path))
        with pytest.raises(UnreadableFile, match=rf'{what}.*"Save as"'):
            list(SOURCE.parse(Original.at(path), BERLIN))


def test_a_reference_that_leads_nowhere_or_in_circles_costs_no_file(tmp_path: Path) -> None:
    path = tmp_path / "odd.xml"
    text = HOUSEHOLD.read_text(encoding="utf-8")
    path.write_text(re.sub(r"securities/security(\[2\])?\"", 'securities/security[9]"', text), encoding="utf-8")
    assert len(rows(SOURCE, path)) >= 10
    circle = '<portfolios><portfolio reference="../portfolio"/></portfolios>'
    path.write_text(re.sub(r"(?s)<portfolios>.*</portfolios>", circle, text), encoding="utf-8")
    assert trades(path) == []
    assert len(rows(SOURCE, path)) >= 10


def test_absurd_depth_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.xml"
    path.write_text(
        "<client><version>66</version><securities>" + "<a>" * 3_000 + "</a>" * 3_000 + "</securities></client>"
    )
    with pytest.raises(HostileFile):
        list(SOURCE.parse(Original.at(path), BERLIN))


def test_tables_in_two_languages_say_the_same() -> None:
    german = {_without_place(row)["key"]: _without_place(row) for row in rows(SOURCE, HERE / "alle_buchungen.csv")}
    english = [_without_place(row) for row in rows(SOURCE, HERE / "transactions.csv")]
    assert english == [german[row["key"]] for row in english]
    assert len(english) == 3


def _without_place(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "at"}


def test_a_table_and_the_file_agree_on_units_prices_and_fees() -> None:
    def told(path: Path) -> list[tuple[Any, ...]]:
        wanted = ("traded_on", "action", "security", "units", "unit_price", "fees")
        return sorted(
            (tuple(row.get(name) for name in wanted) for row in trades(path) if row["action"] in _OF_UNITS),
            key=str,
        )

    assert told(HERE / "alle_buchungen.csv") == told(HOUSEHOLD)


def test_prices_of_one_security_alone_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "CH0009000014.csv"
    path.write_text("Datum;Kurs\r\n2026-01-12;201,00\r\n", encoding="utf-8")
    assert SOURCE.recognises(Original.at(path))
    with pytest.raises(UnreadableFile, match="of which security"):
        list(SOURCE.parse(Original.at(path), BERLIN))


def test_merged_prices_have_no_currency() -> None:
    told = rows(SOURCE, HERE / "merged_prices.csv")
    assert [(row["security"], row["unit_price"], row["currency"]) for row in told] == [
        ("CH0009000014", Decimal(201), "XXX"),
        ("CH0009000014", Decimal("202.125"), "XXX"),
        ("Brothaus", Decimal("9.5"), "XXX"),
        ("Brothaus", Decimal("9.6"), "XXX"),
    ]
    assert len(reasons(SOURCE, HERE / "merged_prices.csv")) == 2
