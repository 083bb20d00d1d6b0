"""SimpleFIN files: both versions, both dialects, days by the clock, what a balance proves, currencies that are none."""

import json
import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.ingest.reading import read
from twinning_pipelines.original import Original
from twinning_pipelines.source import Claim
from twinning_pipelines.sources.finance.simplefin import SOURCE
from twinning_pipelines_tests.goldens import BERLIN, notices, reasons, rows

NOON = int(datetime(2026, 3, 6, 12, tzinfo=UTC).timestamp())
HOUR, DAY = 3_600, 86_400


def file_of(folder: Path, document: object, made: int = NOON + 2 * DAY) -> Path:
    """A file that was made at an instant."""
    path = folder / "accounts.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    os.utime(path, (made, made))
    return path


def account(**more: Any) -> dict[str, Any]:
    org = {"domain": "larchbank.example", "sfin-url": "https://bridge.example"}
    told = {"org": org, "id": "A", "name": "Checking", "currency": "EUR", "balance": "10.00", "balance-date": NOON}
    return told | {"transactions": []} | more


def set_of(*accounts: object, **more: Any) -> dict[str, Any]:
    return {"errors": [], "accounts": list(accounts)} | more


def booking(**more: Any) -> dict[str, Any]:
    return {"id": "T", "posted": NOON, "amount": "-1.00", "description": "Kiosk"} | more


def bookings(folder: Path, *given: object, clock: Clock = BERLIN, **more: Any) -> list[dict[str, Any]]:
    """The accepted bookings of one account."""
    path = file_of(folder, set_of(account(transactions=list(given), **more)))
    return [row for row in rows(SOURCE, path, clock) if "booked_on" in row]


def claims(path: Path) -> list[tuple[str, date, Decimal, str]]:
    told = SOURCE.parse(Original.at(path), BERLIN)
    return [(each.kind, each.day, each.value, each.unit) for each in told if isinstance(each, Claim)]


@pytest.mark.parametrize(
    ("zone", "posted", "day"),
    [
        ("Europe/Berlin", NOON, "2026-03-06"),
        ("America/Los_Angeles", NOON - 6 * HOUR, "2026-03-05"),
        ("Pacific/Auckland", NOON, "2026-03-07"),
        ("Europe/Berlin", NOON + 11 * HOUR, "2026-03-07"),
    ],
)
def test_a_booking_day_is_the_person_s_own(tmp_path: Path, zone: str, posted: int, day: str) -> None:
    (row,) = bookings(tmp_path, booking(posted=posted), clock=Clock.fixed(ZoneInfo(zone)))
    assert str(row["booked_on"]) == day


@pytest.mark.parametrize(
    ("given_as", "pending", "day"),
    [
        ({"posted": 0, "transacted_at": NOON - DAY, "pending": True}, True, "2026-03-05"),
        ({"posted": 0, "transacted_at": NOON - DAY}, True, "2026-03-05"),
        ({"posted": "0", "transacted_at": str(NOON - DAY)}, True, "2026-03-05"),
        ({"posted": None, "transacted_at": NOON - DAY}, True, "2026-03-05"),
        ({"transacted_at": NOON - DAY, "pending": True}, True, "2026-03-05"),
        ({"posted": NOON, "transacted_at": NOON - DAY, "pending": True}, True, "2026-03-06"),
        ({"posted": NOON, "transacted_at": NOON - DAY, "pending": False}, None, "2026-03-06"),
        ({"posted": float(NOON), "transacted_at": NOON - DAY}, None, "2026-03-06"),
    ],
)
def test_what_is_announced_is_pending_on_the_day_it_happened(
    tmp_path: Path, given_as: dict[str, object], pending: bool | None, day: str
) -> None:
    told = {name: value for name, value in booking().items() if name != "posted"} | given_as
    (row,) = bookings(tmp_path, told)
    assert (row.get("pending"), str(row["booked_on"])) == (pending, day)


@pytest.mark.parametrize(
    ("amount", "value"),
    [
        ("-33293.43", "-33293.43"),
        (-12.5, "-12.5"),
        (7, "7"),
        ("0", "0"),
        ("1,234.56", "1234.56"),
        (" 5.00 ", "5"),
        (1e-05, "0.00001"),
    ],
)
def test_amounts_are_texts_or_numbers(tmp_path: Path, amount: object, value: str) -> None:
    (row,) = bookings(tmp_path, booking(amount=amount))
    assert row["amount"] == Decimal(value)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"amount": "1.234,56"}, "amount: not a number: '1.234,56'"),
        ({"amount": None}, "amount: missing"),
        ({"amount": ""}, "amount: missing"),
        ({"amount": True}, "amount: not a number: 'True'"),
        ({"amount": {"value": 1}}, "amount: not a number: \"{'value': 1}\""),
        ({"amount": "1e5"}, "amount: not a number: '1e5'"),
        ({"posted": "soon"}, "posted: not seconds since 1970: 'soon'"),
        ({"posted": NOON * 1_000_000}, f"posted: not seconds since 1970: '{NOON * 1_000_000}'"),
        ({"posted": 0}, "booked_on: missing: neither posted nor transacted_at says when"),
        ({"posted": NOON * 100}, "booked_on: not between 1900 and 2099: '7587-"),
    ],
)
def test_a_wrong_booking_is_rejected_with_its_reason(tmp_path: Path, wrong: dict[str, object], said: str) -> None:
    path = file_of(tmp_path, set_of(account(transactions=[booking(), booking(**wrong)])))
    (reason,) = reasons(SOURCE, path)
    assert reason.startswith(said)


def test_words_and_everything_else_are_kept(tmp_path: Path) -> None:
    plainly, named, both = bookings(
        tmp_path,
        booking(),
        booking(payee="Kiosk Ltd", extra={"category": "Food"}, mcc="5994"),
        booking(payee="Kiosk Ltd", memo="card 1", transacted_at=NOON - DAY),
    )
    assert (plainly["payee"], plainly["memo"], plainly["key"]) == ("Kiosk", "", "id:T")
    assert (named["payee"], named["memo"], named["category"]) == ("Kiosk Ltd", "Kiosk", "Food")
    assert json.loads(named["extra"]) == {"extra": {"category": "Food"}, "mcc": "5994"}
    assert (both["payee"], both["memo"]) == ("Kiosk Ltd", "card 1")
    assert json.loads(both["extra"]) == {"description": "Kiosk", "transacted_at": NOON - DAY}


def test_a_booking_without_id_is_known_by_its_words(tmp_path: Path) -> None:
    (row,) = bookings(tmp_path, {"posted": NOON, "amount": "-1.00", "description": "CAFÉ  Eck"})
    assert (row["bank_id"], row["key"]) == ("", "words:|café eck|")


@pytest.mark.parametrize(
    ("org", "name"),
    [
        ({"domain": "www.LarchBank.example", "name": "Larch"}, "larchbank.example/A"),
        ({"url": "https://www.larchbank.example/login", "name": "Larch"}, "larchbank.example/A"),
        ({"domain": "", "name": "Larch"}, "Larch/A"),
        ({"domain": None, "id": "INST-1"}, "INST-1/A"),
        ({"domain": "http://[bad"}, "A"),
        (None, "A"),
        ("Larch", "A"),
    ],
)
def test_an_account_is_called_by_its_institution_and_its_id(tmp_path: Path, org: object, name: str) -> None:
    (row,) = bookings(tmp_path, booking(), org=org)
    assert row["account"] == name


def test_both_versions_of_a_bridge_call_an_account_alike(tmp_path: Path) -> None:
    old = file_of(tmp_path, set_of(account(transactions=[booking()])))
    (first,) = [row["account"] for row in rows(SOURCE, old) if "booked_on" in row]
    connection = {"conn_id": "C", "name": "Larch - Ada", "org_id": "I", "org_url": "https://www.larchbank.example"}
    told = {name: value for name, value in account(transactions=[booking()]).items() if name != "org"} | {
        "conn_id": "C"
    }
    new = file_of(tmp_path, {"accounts": [told], "connections": [connection], "errlist": []})
    (second,) = [row["account"] for row in rows(SOURCE, new) if "booked_on" in row]
    assert first == second == "larchbank.example/A"


def test_two_connections_to_one_bank_may_repeat_an_id(tmp_path: Path) -> None:
    org = {"org_url": "https://larchbank.example"}
    path = file_of(
        tmp_path,
        {
            "errlist": [],
            "connections": [{"conn_id": "C1"} | org, {"conn_id": "C2"} | org],
            "accounts": [
                account(org=None, conn_id="C1", transactions=[booking()]),
                account(org=None, conn_id="C2", transactions=[booking()]),
            ],
        },
    )
    named = [row["account"] for row in rows(SOURCE, path) if "booked_on" in row]
    assert named == ["larchbank.example/C1/A", "larchbank.example/C2/A"]


def test_a_currency_that_is_none_is_told_and_kept(tmp_path: Path) -> None:
    url = "https://alder.example/miles"
    path = file_of(tmp_path, set_of(account(currency=url, transactions=[booking()])))
    (row,) = [each for each in rows(SOURCE, path) if "booked_on" in each]
    assert (row["currency"], json.loads(row["extra"])) == ("XXX", {"currency": url})
    assert notices(SOURCE, path) == [
        f"account larchbank.example/A counts in the currency {url}, which has no ISO code; its amounts are kept as XXX"
    ]
    assert claims(path) == [("closing_balance", date(2026, 3, 6), Decimal("10.00"), "XXX")]


def test_a_missing_currency_is_the_person_s(tmp_path: Path) -> None:
    clock = Clock.fixed(ZoneInfo("Europe/Berlin"), "CHF")
    assert bookings(tmp_path, booking(), currency="", clock=clock)[0]["currency"] == "CHF"
    assert bookings(tmp_path, booking(), currency=" usd ")[0]["currency"] == "USD"


@pytest.mark.parametrize(
    ("made", "posted", "kind"),
    [
        (NOON + 2 * DAY, NOON - DAY, "closing_balance"),
        (NOON + 2 * DAY, NOON, "closing_balance"),
        (NOON + 2 * DAY, NOON + HOUR, "interim_balance"),
        (NOON + 2 * DAY, NOON + DAY, "closing_balance"),
        (NOON + HOUR, NOON, "interim_balance"),
        (NOON + 12 * HOUR, NOON, "closing_balance"),
    ],
)
def test_a_balance_proves_a_day_that_was_over_and_whose_bookings_it_holds(
    tmp_path: Path, made: int, posted: int, kind: str
) -> None:
    path = file_of(tmp_path, set_of(account(transactions=[booking(posted=posted)])), made)
    assert claims(path) == [(kind, date(2026, 3, 6), Decimal("10.00"), "EUR")]


def test_what_moves_with_the_market_proves_no_bookings(tmp_path: Path) -> None:
    holding = {"id": "H", "shares": "2", "symbol": "ALDTX", "market_value": "10.00", "currency": ""}
    path = file_of(tmp_path, set_of(account(holdings=[holding], **{"available-balance": "3.00"})))
    assert [kind for kind, *_ in claims(path)] == ["account_value", "available_balance"]
    (held,) = [row for row in rows(SOURCE, path) if "held_on" in row]
    assert (held["held_on"], held["units"], held["currency"], held["security"]) == (
        date(2026, 3, 6),
        Decimal(2),
        "EUR",
        "ALDTX",
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"balance-date": None},
            ["the balance of account larchbank.example/A can't be placed: it has no balance-date"],
        ),
        ({"balance-date": "x"}, ["the balance of account larchbank.example/A can't be placed: it has no balance-date"]),
        ({"balance": "?"}, ["the balance of account larchbank.example/A can't be read: balance: not a number: '?'"]),
        ({"balance": None}, []),
    ],
)
def test_a_balance_that_can_not_be_read_is_told(tmp_path: Path, more: dict[str, object], said: list[str]) -> None:
    path = file_of(tmp_path, set_of(account(**more)))
    assert notices(SOURCE, path) == said
    assert claims(path) == []


def test_messages_of_the_provider_are_told_once_and_harmless(tmp_path: Path) -> None:
    nasty = "Log in to <i>Larch</i>\u202e at https://me:hidden@larch.example \x1b[31m"
    path = file_of(tmp_path, set_of(errors=[nasty, nasty, "", 12, None], errlist=[{"code": "con.auth", "msg": nasty}]))
    assert notices(SOURCE, path) == [
        "the provider says: con.auth: Log in to ‹i›Larch‹/i› at https://larch.example (31m",
        "the provider says: 12",
    ]


@pytest.mark.parametrize(
    ("text", "recognised"),
    [
        ('{"errors": [], "accounts": []}', True),
        ('\ufeff {"accounts": [ {"balance-date": 1} ]}', True),
        ('{"errlist":[],"accounts":[]}', True),
        ('{"accounts": []}', False),
        ('[{"accounts": [], "errors": []}]', False),
        ('{"accounts": {}, "errors": []}', False),
        ("accounts,errors\n", False),
        ("", False),
    ],
)
def test_it_is_recognised_by_its_lists(tmp_path: Path, text: str, recognised: bool) -> None:
    assert SOURCE.recognises(Original.at(file_of(tmp_path, text))) is recognised


@pytest.mark.parametrize("accounts", [None, 12, "x", {}, [[]], [[1]], [12, None, "x"], [{}], [{"transactions": {}}]])
def test_accounts_that_are_none_are_rejected_or_unreadable(tmp_path: Path, accounts: object) -> None:
    path = file_of(tmp_path, {"errors": [], "accounts": accounts})
    try:
        with read(Original.at(path), SOURCE, BERLIN) as reading:
            assert sum(counts.accepted for counts in reading.counts.values()) <= 1
    except UnreadableFile:
        assert not isinstance(accounts, list)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_FIELDS = (
    "id",
    "posted",
    "amount",
    "description",
    "payee",
    "memo",
    "pending",
    "transacted_at",
    "extra",
    "shares",
    "currency",
)
_LOOSE = st.dictionaries(st.sampled_from(_FIELDS), _JSON, max_size=8)


_ACCOUNT_FIELDS = ("org", "currency", "balance", "balance-date", "id", "conn_id")


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(_LOOSE | _JSON, max_size=5), st.dictionaries(st.sampled_from(_ACCOUNT_FIELDS), _JSON))
def test_whatever_stands_in_it_every_row_is_accepted_or_rejected(
    tmp_path_factory: pytest.TempPathFactory, given_rows: list[object], more: dict[str, object]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    path = file_of(folder, set_of(account(**({"transactions": given_rows, "holdings": given_rows} | more))))
    with read(Original.at(path), SOURCE, BERLIN) as reading:
        counts = {name: each.read for name, each in reading.counts.items()}
    assert counts.get("transaction", 0) == counts.get("holding", 0) == len(given_rows)
    assert counts["register_entry"] == 1
