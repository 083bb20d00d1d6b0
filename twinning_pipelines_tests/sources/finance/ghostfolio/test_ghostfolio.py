"""Ghostfolio's activities: what they do to units and cash, and whose days, names and currencies they have."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from twinning_pipelines.clock import Clock
from twinning_pipelines.original import Original
from twinning_pipelines.source import Claim
from twinning_pipelines.sources.finance.ghostfolio import SOURCE
from twinning_pipelines_tests.goldens import BERLIN, reasons, rows

HERE = Path(__file__).parent
NEW_YORK = Clock.fixed(ZoneInfo("America/New_York"))


def export(folder: Path, *activities: dict[str, object], **lists: object) -> Path:
    path = folder / "ghostfolio.json"
    meta = {"date": "2026-04-01T00:00:00.000Z", "version": "dev"}
    path.write_text(json.dumps({"meta": meta, **lists, "activities": activities}), encoding="utf-8")
    return path


def activity(**given: object) -> dict[str, object]:
    usual: dict[str, object] = {
        "accountId": None, "comment": None, "currency": "USD", "dataSource": "YAHOO", "date": "2026-01-05T00:00:00.000Z",
        "fee": 0, "quantity": 2, "symbol": "A", "type": "BUY", "unitPrice": 0.1,
    }  # fmt: skip
    return usual | given


def test_decimals_are_those_of_the_file(tmp_path: Path) -> None:
    (row,) = rows(SOURCE, export(tmp_path, activity(quantity=3, unitPrice=0.1, fee=0.2)))
    assert (row["total"], row["unit_price"], row["fees"]) == (Decimal("-0.5"), Decimal("0.1"), Decimal("0.2"))


@pytest.mark.parametrize(
    ("kind", "units", "total"),
    [("BUY", 2, "-21"), ("SELL", -2, "19"), ("DIVIDEND", None, "19"), ("ITEM", 2, None), ("LIABILITY", -2, None)],
)
def test_the_type_tells_what_happens(kind: str, units: int | None, total: str | None, tmp_path: Path) -> None:
    (row,) = rows(SOURCE, export(tmp_path, activity(type=kind, unitPrice=10, fee=1)))
    assert (row.get("units"), row.get("total")) == (units, None if total is None else Decimal(total))
    assert ("unit_price" in row) == (units is not None)


def test_fees_and_interest_of_an_account_are_bookings(tmp_path: Path) -> None:
    path = export(
        tmp_path,
        activity(type="FEE", dataSource="MANUAL", symbol="Account fee", quantity=0, unitPrice=0, fee=49),
        activity(type="INTEREST", dataSource="MANUAL", symbol="Interest", quantity=1, unitPrice=3, fee=1),
        activity(type="INTEREST", quantity=1, unitPrice=3),
    )
    told = rows(SOURCE, path)
    assert [row.get("amount") for row in told] == [None, -49, 2] or [row.get("amount") for row in told] == [
        -49,
        2,
        None,
    ]
    assert [row["memo"] for row in told if "amount" in row] == ["Account fee", "Interest"]


def test_a_day_is_that_of_midnight_utc_else_the_persons_own(tmp_path: Path) -> None:
    path = export(tmp_path, activity(), activity(date="2026-01-05T23:30:00.000Z"))
    assert [row["traded_on"] for row in rows(SOURCE, path)] == [date(2026, 1, 5), date(2026, 1, 6)]
    assert [row["traded_on"] for row in rows(SOURCE, path, NEW_YORK)] == [date(2026, 1, 5), date(2026, 1, 5)]


def test_a_number_that_nobody_knows_is_kept(tmp_path: Path) -> None:
    (row,) = rows(SOURCE, export(tmp_path, activity(valueInBaseCurrency=0.16)))
    assert json.loads(row["extra"])["valueInBaseCurrency"] == "0.16"


@pytest.mark.parametrize("moment", ["9999-12-31T23:30:00-12:00", "0001-01-01T00:30:00+12:00"])
def test_a_moment_beyond_all_calendars_costs_its_row(moment: str, tmp_path: Path) -> None:
    path = export(tmp_path, activity(date=moment))
    assert reasons(SOURCE, path) == [f"traded_on: not a date: {moment!r}"]
    path.write_text(path.read_text().replace("2026-04-01T00:00:00.000Z", moment))
    assert reasons(SOURCE, path) == [f"traded_on: not a date: {moment!r}"]


def test_two_accounts_of_one_name_stay_two(tmp_path: Path) -> None:
    accounts = [{"id": f"{n}{n}{n}{n}{n}{n}{n}{n}-0", "name": "Depot", "currency": "CHF"} for n in (1, 2)]
    path = export(tmp_path, *(activity(accountId=each["id"]) for each in accounts), accounts=accounts)
    assert [row["account"] for row in rows(SOURCE, path)] == ["Depot 11111111", "Depot 22222222"]


def test_lists_behind_the_activities_are_known_as_well(tmp_path: Path) -> None:
    path = export(tmp_path, activity(accountId="x"))
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(document | {"accounts": [{"id": "x", "name": "Depot"}]}), encoding="utf-8")
    assert [row["account"] for row in rows(SOURCE, path)] == ["Depot"]


@pytest.mark.parametrize("figure", ["1e999999999", "1e40", '"2"', "true", "null", "NaN"])
def test_a_figure_that_is_none_costs_its_row(figure: str, tmp_path: Path) -> None:
    path = export(tmp_path, activity(quantity=424242), activity())
    path.write_text(path.read_text(encoding="utf-8").replace("424242", figure), encoding="utf-8")
    assert len(rows(SOURCE, path)) == 1
    (reason,) = reasons(SOURCE, path)
    assert reason.startswith("units: ")


def test_the_cash_of_an_account_is_a_claim() -> None:
    claims = [item for item in SOURCE.parse(Original.at(HERE / "export.json"), BERLIN) if isinstance(item, Claim)]
    assert [(each.kind, each.subject, each.day, each.value, each.unit) for each in claims] == [
        ("stated_balance", "Depot", date(2026, 3, 31), Decimal("1204.55"), "CHF")
    ]


def test_the_table_says_what_the_export_says() -> None:
    by_action = {
        path.name: {
            row["action"]: tuple(row.get(name) for name in ("traded_on", "units", "total", "fees", "security"))
            for row in rows(SOURCE, path)
            if row.get("ticker") == "MSFT" and row["action"] != "DIVIDEND"
        }
        for path in (HERE / "export.json", HERE / "own.csv")
    }
    assert by_action["export.json"] == by_action["own.csv"]
    assert len(by_action["own.csv"]) == 2


def test_other_programs_are_not_claimed(tmp_path: Path) -> None:
    path = tmp_path / "other"
    for text in (
        '{"meta": {"count": 2}, "activities": [{"name": "run"}]}',
        "Date,Symbol,Currency,Price,Quantity,Type,Fee\n2026-01-05,A,USD,1,2,BUY,0\n",
    ):
        path.write_text(text, encoding="utf-8")
        assert not SOURCE.recognises(Original.at(path))
