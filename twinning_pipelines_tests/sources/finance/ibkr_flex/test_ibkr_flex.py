"""The rules of Flex statements: what is a row, what repeats one, and how days, cash and ids are told."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.original import Original
from twinning_pipelines.source import Claim, ExportedAt
from twinning_pipelines.sources.finance.ibkr_flex import SOURCE
from twinning_pipelines_tests.goldens import BERLIN, notices, reasons, rows
from twinning_pipelines_tests.sources.finance.ibkr_flex.cash import moved

HERE = Path(__file__).parent
ACTIVITY = HERE / "activity.xml"
AMERICAN = Clock.fixed(ZoneInfo("America/Chicago"), date_order="MDY")


def flex(folder: Path, *entries: str, statement: str = 'accountId="U1" fromDate="20260101" toDate="20260131"') -> Path:
    path = folder / "flex.xml"
    inside = "\n".join(entries)
    path.write_text(
        f"<FlexQueryResponse><FlexStatements>\n<FlexStatement {statement}>\n<Section>\n{inside}\n</Section>\n"
        "</FlexStatement></FlexStatements></FlexQueryResponse>",
        encoding="utf-8",
    )
    return path


def trade(**given: str) -> str:
    usual = {"tradeDate": "20260105", "currency": "USD", "symbol": "A", "quantity": "1", "buySell": "BUY"}
    return f"<Trade {' '.join(f'{name}={value!r}' for name, value in (usual | given).items())} />"


def test_the_rows_prove_the_balances_of_the_statement() -> None:
    claims = [item for item in SOURCE.parse(Original.at(ACTIVITY), BERLIN) if isinstance(item, Claim)]
    cash = moved(rows(SOURCE, ACTIVITY))
    opening = {(each.subject, each.unit): each.value for each in claims if each.kind == "opening_balance"}
    closing = {(each.subject, each.unit): each.value for each in claims if each.kind == "closing_balance"}
    assert closing == {about: value + cash[about] for about, value in opening.items()}
    assert {each.day for each in claims} == {date(2026, 1, 1), date(2026, 3, 31)}


def test_orders_are_rows_only_where_there_are_no_executions(tmp_path: Path) -> None:
    order = trade(levelOfDetail="ORDER", ibOrderID="7").replace("Trade", "Order")
    both = flex(tmp_path, order, trade(levelOfDetail="EXECUTION", tradeID="8"))
    assert [row["bank_id"] for row in rows(SOURCE, both)] == ["8"]
    assert notices(SOURCE, both) == ["left out, because they repeat other rows: ORDER 1"]
    alone = flex(tmp_path, order, trade(levelOfDetail="CLOSED_LOT"))
    assert [row["bank_id"] for row in rows(SOURCE, alone)] == ["7"]
    assert notices(SOURCE, alone)[0] == "the file has orders and no executions; the orders were read"


def test_a_level_that_nobody_knows_is_a_row(tmp_path: Path) -> None:
    assert len(rows(SOURCE, flex(tmp_path, trade(levelOfDetail="FILL"), trade()))) == 2


def test_cash_summaries_count_only_where_there_is_no_detail(tmp_path: Path) -> None:
    one = '<CashTransaction type="Other Fees" reportDate="20260107" amount="-1" currency="USD" levelOfDetail="{}" />'
    assert len(rows(SOURCE, flex(tmp_path, one.format("SUMMARY"), one.format("DETAIL")))) == 1
    assert len(rows(SOURCE, flex(tmp_path, one.format("SUMMARY")))) == 1


def test_an_exercise_that_is_booked_as_a_trade_is_no_second_row(tmp_path: Path) -> None:
    exercise = '<OptionEAE transactionType="Assignment" date="20260116" quantity="1" currency="USD" tradeID="{}" />'
    path = flex(tmp_path, exercise.format(5), exercise.format(6), trade(transactionType="BookTrade", tradeID="5"))
    assert [row["action"] for row in rows(SOURCE, path)] == ["Assignment", "BUY"]


def test_a_correction_does_not_take_the_place_of_the_trade_it_corrects(tmp_path: Path) -> None:
    path = flex(
        tmp_path,
        trade(tradeID="5", transactionID="51"),
        trade(quantity="-1", buySell="BUY (Ca.)", transactionID="52"),
        trade(tradeID="5", transactionID="53", quantity="2"),
    )
    assert [row["key"] for row in rows(SOURCE, path)] == ["id:51", "id:52", "id:53"]


def test_legs_of_one_action_are_told_apart_by_what_they_move(tmp_path: Path) -> None:
    leg = '<CorporateAction type="TC" reportDate="20260116" actionID="9" currency="USD" isin="{}" quantity="{}" amount="-3" />'
    found = rows(SOURCE, flex(tmp_path, leg.format("OLD", "-5"), leg.format("NEW", "5")))
    assert [(row["key"], row["total"]) for row in found] == [("words:old|-5|3|", 3), ("words:new|5|3|", 3)]


@pytest.mark.parametrize(
    ("given", "total", "fees"),
    [
        ({"proceeds": "-10", "ibCommission": "-1", "taxes": "-0.5", "netCash": "-11.5"}, "-11.5", "1.5"),
        ({"proceeds": "-10", "ibCommission": "-1", "taxes": "-0.5"}, "-11.5", "1.5"),
        ({"proceeds": "-10", "ibCommission": "0.25", "ibCommissionCurrency": "USD"}, "-9.75", "-0.25"),
        ({"proceeds": "-10", "ibCommission": "-1", "ibCommissionCurrency": "CHF"}, "-10", None),
        ({"proceeds": "-10", "ibCommission": "-1", "ibCommissionCurrency": "CHF", "taxes": "-0.5"}, "-10.5", "0.5"),
        ({"proceeds": "-10", "netCash": "0", "assetCategory": "CASH", "ibCommission": "-1"}, "-11", "1"),
        ({"proceeds": "-10", "assetCategory": "FUT", "ibCommission": "-1"}, None, "1"),
        ({"ibCommission": "-1"}, None, "1"),
        ({"proceeds": "1,234.5", "commission": "-1"}, "1233.5", "1"),
    ],
)
def test_fees_are_a_cost_and_the_total_is_what_the_cash_gains(
    given: dict[str, str], total: str | None, fees: str | None, tmp_path: Path
) -> None:
    [row, *_] = rows(SOURCE, flex(tmp_path, trade(**given)))
    assert row.get("total") == (None if total is None else Decimal(total))
    assert row.get("fees") == (None if fees is None else Decimal(fees))


def test_a_conversion_moves_two_currencies_and_a_foreign_commission_a_third(tmp_path: Path) -> None:
    sold = {"symbol": "CHF.USD", "assetCategory": "CASH", "buySell": "SELL", "quantity": "-1000", "proceeds": "1250"}
    fee = {"ibCommission": "-1.6", "ibCommissionCurrency": "EUR", "netCash": "0", "transactionID": "5"}
    told = rows(SOURCE, flex(tmp_path, trade(**sold | fee)))
    assert [(row["currency"], row["total"], row.get("units"), row.get("fees"), row["key"]) for row in told] == [
        ("USD", 1250, -1000, None, "id:5"),
        ("CHF", -1000, None, None, "id:5|units"),
        ("EUR", Decimal("-1.6"), None, Decimal("1.6"), "id:5|commission"),
    ]


def test_a_foreign_commission_that_is_no_number_is_rejected_and_its_trade_is_not(tmp_path: Path) -> None:
    path = flex(tmp_path, trade(proceeds="-10", ibCommission="dear", ibCommissionCurrency="CHF"))
    assert [row["total"] for row in rows(SOURCE, path)] == [-10]
    assert reasons(SOURCE, path) == ["fees: not a number: 'dear'"]


@pytest.mark.parametrize("day", ["20260213", "2026-02-13", "02/13/2026", "02/13/26", "13/02/2026", "13-FEB-26"])
def test_days_are_read_in_every_setting(day: str, tmp_path: Path) -> None:
    [row] = rows(SOURCE, flex(tmp_path, trade(tradeDate=day)))
    assert row["traded_on"] == date(2026, 2, 13)
    [row] = rows(SOURCE, flex(tmp_path, trade(tradeDate="", dateTime=f"{day};093000")))
    assert row["traded_on"] == date(2026, 2, 13)


def test_a_day_of_either_order_is_refused_until_the_person_says_which(tmp_path: Path) -> None:
    dates = 'accountId="U1" fromDate="01/02/2026" toDate="03/02/2026" whenGenerated="03/02/2026;120000"'
    path = flex(tmp_path, trade(tradeDate="02/03/2026"), statement=dates)
    assert "may be day-first or month-first" in reasons(SOURCE, path)[0]
    assert [row["traded_on"] for row in rows(SOURCE, path, AMERICAN)] == [date(2026, 2, 3)]


def test_a_statement_is_made_at_the_time_of_new_york(tmp_path: Path) -> None:
    summer = 'accountId="U1" whenGenerated="20260701;120000"'
    path = flex(tmp_path, trade(), statement=summer)
    told = [item for item in SOURCE.parse(Original.at(path), BERLIN) if isinstance(item, ExportedAt)]
    assert told == [ExportedAt(datetime(2026, 7, 1, 16, tzinfo=UTC))]


def test_an_answer_without_a_statement_is_refused_in_its_own_words(tmp_path: Path) -> None:
    path = tmp_path / "answer.xml"
    path.write_text(
        "<FlexStatementResponse timestamp='27 November, 2026 01:02 PM EST'>\n<Status>Fail</Status>\n"
        "<ErrorCode>1012</ErrorCode>\n<ErrorMessage>Token has expired.</ErrorMessage>\n</FlexStatementResponse>"
    )
    assert SOURCE.recognises(Original.at(path))
    with pytest.raises(UnreadableFile, match=r"Interactive Brokers: Fail 1012: Token has expired\."):
        list(SOURCE.parse(Original.at(path), BERLIN))


def test_broken_xml_costs_the_file_with_its_line_and_entities_are_hostile(tmp_path: Path) -> None:
    path = flex(tmp_path, trade(), "<Trade quantity=1 />")
    with pytest.raises(UnreadableFile, match=r"^line 5: broken XML"):
        list(SOURCE.parse(Original.at(path), BERLIN))
    path.write_text('<!DOCTYPE a [<!ENTITY b "c">]>' + flex(tmp_path, trade()).read_text())
    with pytest.raises(HostileFile, match="entities"):
        list(SOURCE.parse(Original.at(path), BERLIN))


def test_a_document_without_its_outer_element_is_read(tmp_path: Path) -> None:
    path = tmp_path / "flex.xml"
    path.write_text(
        f'<FlexStatements><FlexStatement accountId="U1"><Trades>{trade()}</Trades></FlexStatement></FlexStatements>'
    )
    assert SOURCE.recognises(Original.at(path))
    assert [row["account"] for row in rows(SOURCE, path)] == ["U1"]


def test_a_row_without_an_account_is_rejected(tmp_path: Path) -> None:
    assert reasons(SOURCE, flex(tmp_path, trade(), statement='accountId="-"')) == ["account: empty: ''"]


def test_a_rate_beside_a_row_counts_once_a_day_where_no_rates_are_listed(tmp_path: Path) -> None:
    home = '<AccountInformation accountId="U1" currency="CHF" />'
    trades = (
        trade(tradeID="1", fxRateToBase="0.8"),
        trade(tradeID="2", fxRateToBase="0.8"),
        trade(tradeID="3", fxRateToBase="0.81", tradeDate="20260106"),
        trade(tradeID="4", fxRateToBase="-1", tradeDate="20260107"),
        trade(tradeID="5", fxRateToBase="1", currency="CHF"),
    )
    told = [row for row in rows(SOURCE, flex(tmp_path, home, *trades)) if "rate" in row]
    assert [(row["base"], row["quote"], row["rated_on"], row["rate"]) for row in told] == [
        ("USD", "CHF", date(2026, 1, 5), Decimal("0.8")),
        ("USD", "CHF", date(2026, 1, 6), Decimal("0.81")),
    ]
    listed = '<ConversionRate reportDate="20260105" fromCurrency="USD" toCurrency="CHF" rate="0.79" />'
    told = [row for row in rows(SOURCE, flex(tmp_path, home, *trades, listed)) if "rate" in row]
    assert [row["rate"] for row in told] == [Decimal("0.79")]


def test_lots_are_the_position_where_no_summary_is(tmp_path: Path) -> None:
    lots = [
        f'<OpenPosition currency="USD" symbol="A" reportDate="20260131" position="{n}" markPrice="5" levelOfDetail="LOT" />'
        for n in (2, 3)
    ]
    told = rows(SOURCE, flex(tmp_path, *lots))
    assert [row["units"] for row in told if "units" in row] == [2, 3]
    assert len([row for row in told if "priced_on" in row]) == 1


def test_a_position_without_a_day_is_that_of_the_end_of_its_statement(tmp_path: Path) -> None:
    position = '<OpenPosition currency="USD" symbol="A" position="2" markPrice="5" />'
    told = rows(SOURCE, flex(tmp_path, position))
    assert [(row.get("held_on"), row.get("priced_on")) for row in told] == [
        (date(2026, 1, 31), None), (None, date(2026, 1, 31)),
    ]  # fmt: skip
    assert reasons(SOURCE, flex(tmp_path, position, statement='accountId="U1"'))[0] == "held_on: missing"
