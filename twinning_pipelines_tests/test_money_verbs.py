"""The verbs about money, on statements that went down the whole road: their words, their JSON, their exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.home import Home
from twinning_pipelines.marts.books.rulebook import read_rulebook
from twinning_pipelines.verbs.money import COMMANDS

IBAN = "CH9300762011623852957"
CHECKING = [
    ("20260105", "-12.30", "MIGROS ZUERICH", ""), ("20260106", "-1850.00", "HAUSVERWALTUNG NORD", "Miete"),
    ("20260110", "-500.00", "ADA", f"an {IBAN}"), ("20260115", "-50.00", "ADA", ""), ("20260120", "-80.00", "KIOSK", ""),
]  # fmt: skip
SAVINGS = [("20260112", "500.00", "ADA", ""), ("20260116", "50.00", "ADA", ""), ("20260117", "50.00", "BOB", "")]
RULES = """currency: CHF
accounts:
  - {name: Household, same_as: 230/4711}
rules:
  - if: {payee: migros}
    category: Groceries
budgets:
  - {name: Food, categories: Groceries, monthly: 100, since: 2026-01}
"""


def _ofx(path: Path, bank: str, account: str, rows: list[tuple[str, str, str, str]]) -> Path:
    told = "".join(
        f"<STMTTRN><TRNTYPE>OTHER<DTPOSTED>{day}<TRNAMT>{amount}<FITID>{account}-{n}<NAME>{name}<MEMO>{memo}</STMTTRN>\n"
        for n, (day, amount, name, memo) in enumerate(rows)
    )
    path.write_text(
        "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>CHF<BANKACCTFROM>"
        f"<BANKID>{bank}<ACCTID>{account}<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST>\n{told}</BANKTRANLIST>"
        "</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n"
    )
    return path


class Twinning:
    """Calls the verbs as the command does, on the home of the test."""

    def __init__(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        assert home.settings.database_url is not None
        monkeypatch.setenv("TWINNING_HOME", str(home.settings.home))
        monkeypatch.setenv("TWINNING_DATABASE_URL", home.settings.database_url.get_secret_value())
        monkeypatch.setenv("TWINNING_ZONE", "Europe/Zurich")
        self.verbs = {str(command.name): command for command in COMMANDS}

    def __call__(self, verb: str, *words: str) -> Result:
        return CliRunner().invoke(self.verbs[verb], list(words))

    def document(self, verb: str, *words: str) -> dict[str, Any]:
        told = self(verb, *words, "--json")
        assert told.exception is None or isinstance(told.exception, SystemExit), told.output
        (line,) = told.stdout.splitlines()
        document: dict[str, Any] = json.loads(line)
        return document


@pytest.fixture
def twinning(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Twinning:
    with home.opened() as opened:
        for name, bank, account, rows in (("a", "230", "4711", CHECKING), ("b", "762", IBAN, SAVINGS)):
            receipt = opened.ingest(_ofx(tmp_path / f"{name}.ofx", bank, account, rows), "ada", called=name)
            assert receipt.accepted == len(rows)
    return Twinning(home, monkeypatch)


def _rules(home: Home, text: str) -> None:
    folder = home.settings.home / "rules"
    folder.mkdir(exist_ok=True)
    (folder / "ada.yaml").write_text(text, encoding="utf-8")


def test_a_rulebook_to_begin_with_can_be_read_and_is_never_overwritten(twinning: Twinning, home: Home) -> None:
    told = twinning.document("rules")
    assert (told["exists"], told["problem"], told["rules"]) == (False, None, [])
    assert [each["payee"] for each in told["uncategorised"]][:2] == ["HAUSVERWALTUNG NORD", "ADA"]
    told = twinning.document("rules", "--init")
    path = Path(told["path"])
    assert (told["exists"], told["problem"]) == (True, None)
    text = path.read_text(encoding="utf-8")
    assert {"4711" in name or IBAN in name for name in (each.name for each in read_rulebook(text).accounts)} == {True}
    assert '- if: {payee: "HAUSVERWALTUNG NORD"}' in text
    # What is suggested holds once the marks before it are taken away.
    uncommented = "\n".join(line[1:] if line.startswith("#  ") else line for line in text.splitlines())
    assert len(read_rulebook(uncommented.replace("category: ", "category: A")).rules) == 5
    assert isinstance(twinning("rules", "--init").exception, WrongUsage)
    assert path.read_text(encoding="utf-8") == text


def test_rules_are_checked_and_counted_and_a_wrong_file_changes_nothing(twinning: Twinning, home: Home) -> None:
    _rules(home, RULES)
    told = twinning.document("rules")
    assert told["rules"] == [{"number": 1, "line": 5, "sets": "Groceries", "bookings": 1}]
    assert "MIGROS ZUERICH" not in [each["payee"] for each in told["uncategorised"]]
    _rules(home, RULES.replace("payee:", "paye:"))
    wrong = twinning("rules")
    assert wrong.exit_code == 1
    assert "line 5: rules.1.if.paye: is not known here" in wrong.output
    told = twinning.document("rules")
    assert told["rules"][0]["bookings"] == 1
    _rules(home, RULES + "transfers: {days: 1}\n")
    assert "1" in twinning("rules").output
    assert twinning.document("rules")["problem"] is None


def test_transfers_are_listed_confirmed_and_refused(twinning: Twinning) -> None:
    (waiting,) = twinning.document("transfers")["proposed"]
    assert (waiting["out_amount"], waiting["in_on"]) == ("-50", "2026-01-16")
    assert "twinning transfers confirm" in twinning("transfers").output
    legs = str(waiting["out_id"]), str(waiting["in_id"])
    assert twinning.document("transfers", "reject", *legs)["state"] == "rejected"
    assert twinning.document("transfers")["proposed"] == []
    assert twinning.document("transfers", "confirm", *legs)["state"] == "confirmed"
    assert isinstance(twinning("transfers", "confirm", legs[1], legs[0]).exception, WrongUsage)
    found = twinning.document("bookings", "--text", "ada")["bookings"]
    assert [each["is_transfer"] for each in found] == [True] * 4
    assert "no transfer waits" in twinning("transfers").output


def test_budgets_of_a_month(twinning: Twinning, home: Home) -> None:
    assert "no budget" in twinning("budgets").output
    _rules(home, RULES)
    twinning("rules")
    told = twinning.document("budgets", "--month", "2026-01")
    assert told["month"] == "2026-01"
    (food,) = told["budgets"]
    assert (food["budget"], food["spent"], food["left"], food["gone"]) == ("Food", "12.3", "87.7", "1")
    assert food["categories"] == [{"name": "Groceries", "amount": "12.3", "n": 1}]
    assert "87.70" in twinning("budgets", "--month", "2026-01").output


def test_what_comes_again(twinning: Twinning) -> None:
    assert twinning.document("recurring") == {"person": "ada", "recurring": []}
    assert "nothing comes again" in twinning("recurring").output


def test_bookings_are_listed_and_one_tells_where_it_stands_and_can_be_set(twinning: Twinning, home: Home) -> None:
    _rules(home, RULES)
    twinning("rules")
    account = twinning.document("bookings", "--text", "migros")["bookings"][0]["account"].upper()
    found = twinning.document("bookings", "--account", account, "--since", "2026-01-05", "--until", "2026-01-06")[
        "bookings"
    ]
    assert [each["payee"] for each in found] == ["HAUSVERWALTUNG NORD", "MIGROS ZUERICH"]
    assert len(twinning.document("bookings", "--limit", "3")["bookings"]) == 3
    assert len(twinning.document("bookings", "--category", "")["bookings"]) == 7
    assert [each["category"] for each in twinning.document("bookings", "--category", "groceries")["bookings"]] == [
        "Groceries"
    ]
    assert "MIGROS" in twinning("bookings", "--text", "migros").output
    number = str(found[1]["id"])
    told = twinning.document("booking", number)
    assert {"field": "category", "value": "Groceries", "by": "rule", "rule": 1, "line": 5} in told["why"]
    (telling,) = told["told_in"]
    assert (telling["file"], telling["source"], telling["at"]) == ("a.ofx", "finance.ofx", "line 6")
    told = twinning.document("booking", number, "--category", "Gifts", "--tag", "x", "--tag", "y", "--note", "for Bob")
    assert (told["category"], told["category_by"], told["tags"], told["note"]) == (
        "Gifts",
        "person",
        ["x", "y"],
        "for Bob",
    )
    assert "category: Gifts, by the person" in twinning("booking", number).output
    told = twinning.document("booking", number, "--category", "", "--tag", "", "--note", "")
    assert (told["category"], told["category_by"], told["tags"], told["note"]) == ("Groceries", "rule", [], None)
    assert isinstance(twinning("booking", "999999").exception, WrongUsage)
    assert isinstance(twinning("bookings", "--person", "nobody").exception, WrongUsage)
