"""A person's own mappings: they win, they are asked for by name, and what was read or refused before is read anew."""

import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from twinning_pipelines.errors import UnreadableFile, WrongUsage
from twinning_pipelines.formats.delimited import looks_delimited
from twinning_pipelines.ingest.road import look, receive, take
from twinning_pipelines.ingest.sweep import Folders, drain
from twinning_pipelines.original import Original
from twinning_pipelines.source import Batch, Source
from twinning_pipelines.sources import SOURCES
from twinning_pipelines.sources.finance import bank_csv
from twinning_pipelines.sources.finance.bank_csv.mapping import Mapping, Name
from twinning_pipelines.sources.finance.bank_csv.written import read
from twinning_pipelines.stores.postgres.store import PostgresStore
from twinning_pipelines.verbs.mapping import mapping as mapping_verb
from twinning_pipelines_tests.goldens import BERLIN

SPENT = "Shop;Day;Sum\nBakery;01/02/2026;12,50\nBooks;03/02/2026;9,00\n"
CARD = """
name: my-card
recognised_by:
  header: [Shop, Day, Sum]
columns:
  booked_on: Day
  payee: Shop
  amount: Sum
dates: DMY
sign: money out
account: Card 77
currency: EUR
"""
HEADLESS = "x;01.02.2026;Bakery;12,50;D\nx;03.02.2026;Books;9,00;K\n"
BY_POSITION = """
name: no-header
recognised_by:
  cells: [x, '[\\d.]+', .*, '[\\d,]+', '[DK]']
columns:
  booked_on: 2
  memo: 3
  amount: 4
  direction: 5
dates: '%d.%m.%Y'
sign: words
out: [d]
into: [k]
"""


def file_of(folder: Path, text: str) -> Path:
    path = folder / "export.csv"
    path.write_text(text, encoding="utf-8")
    return path


def rows(source: Source, path: Path) -> list[tuple[object, ...]]:
    items = source.parse(Original.at(path), BERLIN)
    found = [row for item in items if isinstance(item, Batch) for row in item.rows.to_pylist()]
    return [(str(row["booked_on"]), row["amount"], row["currency"], row["account"]) for row in found]


def test_it_reads_what_nobody_recognised_before(tmp_path: Path) -> None:
    path = file_of(tmp_path, SPENT)
    assert not bank_csv.SOURCE.recognises(Original.at(path))
    source = bank_csv.source_with([read(CARD, "my.yaml")])
    assert source.recognises(Original.at(path))
    assert rows(source, path) == [
        ("2026-02-01", Decimal("-12.50"), "EUR", "Card 77"),
        ("2026-02-03", Decimal("-9.00"), "EUR", "Card 77"),
    ]


def test_columns_by_position_and_words_for_the_direction(tmp_path: Path) -> None:
    source = bank_csv.source_with([read(BY_POSITION, "my.yaml")])
    found = rows(source, file_of(tmp_path, HEADLESS))
    assert [(day, amount) for day, amount, *_ in found] == [
        ("2026-02-01", Decimal("-12.50")),
        ("2026-02-03", Decimal("9.00")),
    ]


def test_it_wins_over_a_shipped_one_and_over_the_proposal(tmp_path: Path) -> None:
    shipped = Path(__file__).parent / "pc_mastercard.csv"
    text = (
        CARD.replace("[Shop, Day, Sum]", "[Merchant Name, Amount]")
        .replace("Day", "Date")
        .replace("Shop", "Merchant Name")
    )
    source = bank_csv.source_with([read(text.replace("Sum", "Amount").replace("DMY", "MDY"), "my.yaml")])
    assert {account for *_, account in rows(source, shipped)} == {"Card 77"}
    told = look(shipped, BERLIN, [source]).notices[0]
    assert told.startswith("read by your mapping my-card: booked_on from 'Date'")


def test_a_question_left_open_names_its_key(tmp_path: Path) -> None:
    path = file_of(tmp_path, SPENT)
    with pytest.raises(UnreadableFile, match="set `sign` to `money out` or `money in` in a mapping"):
        rows(bank_csv.source_with([read(CARD.replace("money out", "'?'"), "my.yaml")]), path)
    with pytest.raises(UnreadableFile, match=r"the mapping my-card leaves columns\.payee open"):
        rows(bank_csv.source_with([read(CARD.replace("payee: Shop", "payee: '?'"), "my.yaml")]), path)
    open_dates = look(path, BERLIN, [bank_csv.source_with([read(CARD.replace("DMY", "'?'"), "my.yaml")])])
    assert [each.reason for each in open_dates.rejections] == [
        f"booked_on: 0{day}/02/2026 may be day-first or month-first: set `dates` in a mapping to DMY or MDY" for day in (1, 3)
    ]  # fmt: skip


def test_a_sign_that_a_saved_mapping_settles_is_in_no_doubt_whatever_its_reason_says(tmp_path: Path) -> None:
    path = file_of(tmp_path, "Shop;Day;Sum\nA;01.02.2026;12,50\nB;02.02.2026;-3,00\nC;03.02.2026;9,00\n")
    text = CARD.replace("DMY", "DMY\nwhy: {sign: line 3 has a minus}")
    for sign, is_told in (("'?'", True), ("signed", False)):
        own = bank_csv.source_with([read(text.replace("money out", sign), "my.yaml")])
        assert [amount for _, amount, *_ in rows(own, path)] == [Decimal("12.50"), Decimal(-3), Decimal(9)]
        assert any("2 of 3 amounts" in each for each in look(path, BERLIN, [own]).notices) == is_told


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    source = bank_csv.source_with([read(CARD.replace("payee: Shop", "payee: Store"), "my.yaml")])
    with pytest.raises(UnreadableFile, match=r"no column 'Store', which the mapping my-card names as columns\.payee"):
        rows(source, file_of(tmp_path, SPENT))


def test_rows_are_left_out_by_a_pattern_and_told(tmp_path: Path) -> None:
    text = CARD + "leave_out:\n  payee: Bo.*\n"
    receipt = look(file_of(tmp_path, SPENT), BERLIN, [bank_csv.source_with([read(text, "my.yaml")])])
    assert receipt.accepted == 1
    assert receipt.notices[-1] == "left out as no booking: 1 × left out by the mapping (line 3)"


def test_a_folder_of_mappings_takes_the_place_of_the_registered_source(tmp_path: Path) -> None:
    folder = tmp_path / "mappings"
    assert bank_csv.with_mappings_of(folder, SOURCES) == tuple(SOURCES)
    folder.mkdir()
    (folder / "card.yaml").write_text(CARD, encoding="utf-8")
    sources = bank_csv.with_mappings_of(folder, SOURCES)
    assert [each.name for each in sources] == [each.name for each in SOURCES]
    assert look(file_of(tmp_path, SPENT), BERLIN, sources).accepted == 2


def test_a_mapping_that_changed_makes_a_newer_source(tmp_path: Path) -> None:
    versions = [bank_csv.SOURCE.version]
    for seconds in (1_800_000_000, 1_800_000_060):
        for name in ("", "card.yaml"):
            (tmp_path / "card.yaml").write_text(CARD, encoding="utf-8")
            os.utime(tmp_path / name, (seconds, seconds))
        (source,) = bank_csv.with_mappings_of(tmp_path, [bank_csv.SOURCE])
        versions.append(source.version)
    assert versions == sorted(set(versions))
    assert bank_csv.source_with([], datetime(2090, 1, 1, tzinfo=UTC)).version < 2**31


def test_what_was_refused_or_read_is_read_anew(tmp_path: Path, store: PostgresStore, engine: sa.Engine) -> None:
    folders = Folders(*(tmp_path / name for name in ("inbox", "archive", "quarantine")))
    refused = receive(file_of(tmp_path, SPENT), "me", store, folders.archive)
    assert take(refused, store, folders.archive, SOURCES).problem is not None
    path = tmp_path / "read.csv"
    path.write_text("Date,Details,Amount\n2026-02-05,Shop,-3.00\n", encoding="utf-8")
    assert take(receive(path, "me", store, folders.archive), store, folders.archive, SOURCES).accepted == 1

    other = CARD.replace("[Shop, Day, Sum]", "[Date, Details]").replace("Day", "Date").replace("Sum", "Amount")
    other = (
        other.replace("payee: Shop", "memo: Details").replace("money out", "signed").replace("account: Card 77\n", "")
    )
    own = bank_csv.source_with([read(CARD, "a.yaml"), read(other, "b.yaml")], datetime.now(UTC))
    receipts = drain([*store.refused(), *store.outdated(own)], folders, store, [own])
    assert [(receipt.problem, receipt.accepted) for receipt in receipts] == [(None, 2), (None, 1)]
    assert store.refused() == []
    assert list(store.outdated(own)) == []
    with engine.connect() as connection:
        found = connection.execute(sa.text("select account, amount, currency from transaction order by amount")).all()
    assert [tuple(row) for row in found] == [
        ("Card 77", Decimal("-12.50"), "EUR"), ("Card 77", Decimal("-9.00"), "EUR"),
        ("account of a CSV with Date, Details, Amount", Decimal("-3.00"), "EUR"),
    ]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TWINNING_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_the_verb_prints_what_reads_a_file_and_what_it_leaves_open(tmp_path: Path, home: Path) -> None:
    path = file_of(tmp_path, "Date,Details,Amount\n01/02/2026,Shop,12.50\n03/02/2026,Shop,9.00\n")
    done = CliRunner().invoke(mapping_verb, [str(path)], catch_exceptions=False)
    assert done.exit_code == 0
    assert read(done.output, "printed").columns == {"booked_on": ("Date",), "memo": ("Details",), "amount": ("Amount",)}
    lines = done.output.splitlines()
    for key, ask in (
        ("dates", "# 01/02/2026 is 2026-02-01 as DMY and 2026-01-02 as MDY"),
        ("sign", "# no amount here"),
    ):
        at = lines.index(f"{key}: '?'")
        assert lines[at - 1].startswith(ask)


def test_the_verb_drafts_a_table_without_a_header(tmp_path: Path, home: Path) -> None:
    done = CliRunner().invoke(mapping_verb, [str(file_of(tmp_path, HEADLESS))], catch_exceptions=False)
    found = read(done.output, "printed")
    assert found.columns == {"booked_on": (2,), "amount": (4,), "memo": (3,)}
    assert len(found.recognised_by.cells) == 5
    assert "# 3: Bakery" in done.output


def test_the_verb_drafts_a_table_whose_headings_nobody_knows(tmp_path: Path, home: Path) -> None:
    lines = (
        "Export;of;today",
        "",
        "Zeitpunkt;Was;Wieviel;Rest;",
        "01.02.2026;Laden;-1,50;3,00;",
        "02.02.2026;Bad;-2,50;0,50;",
    )
    path = file_of(tmp_path, "\n".join(lines) + "\n")
    assert look(path, BERLIN, SOURCES).source is None
    saved = CliRunner().invoke(mapping_verb, [str(path), "--save", "my-bank"], catch_exceptions=False)
    assert saved.exit_code == 0
    place = home / "mappings" / "my-bank.yaml"
    text = place.read_text(encoding="utf-8")
    assert "# Wieviel (-1,50) or Rest (3,00); or instead of amount" in text
    place.write_text(text.replace("amount: '?'", "amount: Wieviel"), encoding="utf-8")
    source = bank_csv.source_with([read(place.read_text(encoding="utf-8"), "saved")])
    assert [amount for _, amount, _, _ in rows(source, path)] == [Decimal("-1.50"), Decimal("-2.50")]


def test_what_a_cell_holds_never_spoils_the_yaml(tmp_path: Path, home: Path) -> None:
    path = file_of(tmp_path, "x\x01: #y;01.02.2026;Bak\x90ery;12,50\nx;03.02.2026;Books;9,00\n")
    done = CliRunner().invoke(mapping_verb, [str(path)], catch_exceptions=False)
    assert read(done.output, "printed").columns["booked_on"] == (2,)


def test_the_verb_saves_a_mapping_that_is_read_once_its_questions_are_answered(tmp_path: Path, home: Path) -> None:
    path = file_of(tmp_path, HEADLESS)
    saved = CliRunner().invoke(mapping_verb, [str(path), "--save", "my-bank"], catch_exceptions=False)
    assert saved.exit_code == 0
    place = home / "mappings" / "my-bank.yaml"
    text = place.read_text(encoding="utf-8")
    assert "sign: '?'" in text
    place.write_text(text.replace("sign: '?'", "sign: money out"), encoding="utf-8")
    assert look(path, BERLIN, bank_csv.with_mappings_of(place.parent, SOURCES)).accepted == 2
    for name, said in (("my-bank", "is there already"), ("../x", "is not the name of a file")):
        again = CliRunner().invoke(mapping_verb, [str(path), "--save", name])
        assert isinstance(again.exception, WrongUsage)
        assert said in str(again.exception)


def test_the_verb_says_why_a_list_of_something_else_has_no_mapping(tmp_path: Path, home: Path) -> None:
    path = file_of(tmp_path, "Date,Symbol,Quantity,Price\n2026-03-01,X,1,2.00\n")
    done = CliRunner().invoke(mapping_verb, [str(path)])
    assert isinstance(done.exception, UnreadableFile)
    assert str(done.exception) == "a list of trades, not of bookings"


def test_a_mapping_is_a_value() -> None:
    one, other = read(CARD, "a"), read(CARD, "b")
    assert one == other
    assert isinstance(one.but(dates="MDY"), Mapping)
    assert one.but(dates="MDY") != one


def test_the_example_of_the_documentation_reads_its_file(tmp_path: Path) -> None:
    page = (Path(__file__).parents[4] / "docs" / "bank-csv.md").read_text(encoding="utf-8")
    sample, text = (page.partition(f"```{kind}\n")[2].partition("```")[0] for kind in ("csv", "yaml"))
    source = bank_csv.source_with([read(text, "docs")])
    assert rows(source, file_of(tmp_path, sample)) == [
        ("2026-03-01", Decimal("-12.50"), "EUR", "Card 77"),
        ("2026-03-04", Decimal("200.00"), "EUR", "Card 77"),
    ]
    assert all(f"`{key}`" in page or f"`{key}." in page for key in Mapping.model_fields)
    assert all(f"`{field}`" in page for field in get_args(Name))


@pytest.mark.parametrize(
    ("text", "is_table"),
    [
        ("a,b,c\n1,2,3\n", True),
        ("Title\n\na;b;c\n1;2;3\n4;5;6\n", True),
        ("Dear Sir,\nthank you, and goodbye.\n", False),
        ("", False),
    ],
)
def test_a_table_is_told_from_prose(text: str, is_table: bool) -> None:
    assert looks_delimited(text) is is_table
