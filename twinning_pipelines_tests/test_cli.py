"""The command-line contract: words, JSON documents, exit codes."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from twinning_pipelines.home import Home

SAMPLES = Path(__file__).parent / "sources" / "finance"
CHECKING = SAMPLES / "ofx_statement" / "checking.ofx"


@pytest.fixture
def twinning(home: Home) -> "Twinning":
    return Twinning(home)


class Twinning:
    """Runs the command as a script would."""

    def __init__(self, home: Home) -> None:
        url = home.settings.database_url
        self.environment = {
            "PATH": os.environ["PATH"],
            "TWINNING_HOME": str(home.settings.home),
            "TWINNING_DATABASE_URL": url.get_secret_value() if url else "",
            "TWINNING_ZONE": "Europe/Zurich",
        }

    def __call__(self, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "twinning_pipelines.cli", *words]
        return subprocess.run(
            command, env=self.environment | more, capture_output=True, text=True, check=False, timeout=120
        )

    def documents(self, *words: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self(*words, "--json").stdout.splitlines()]


def test_what_only_writes_json_does_not_wait_for_what_draws_on_terminals() -> None:
    code = (
        f"import sys; sys.argv = ['twinning', 'check', {str(CHECKING)!r}, '--json']; import twinning_pipelines.cli as cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "assert 'rich' not in sys.modules\n"
        "from twinning_pipelines import shown\n"
        "assert (shown.OUT.stderr, shown.ERR.stderr, shown.OUT is shown.OUT) == (False, True, True)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=120)


def test_check_needs_no_database_and_answers_one_document_for_each_file(twinning: Twinning, tmp_path: Path) -> None:
    (tmp_path / "noise.bin").write_bytes(b"\x00\x01\x02 nobody knows me")
    told = twinning(
        "check", str(CHECKING), str(tmp_path), "--json", TWINNING_DATABASE_URL="postgresql://nowhere:1/none"
    )
    assert told.returncode == 1
    first, second = map(json.loads, told.stdout.splitlines())
    assert first == {
        "file": str(CHECKING),
        "source": "finance.ofx",
        "read": 9,
        "accepted": 6,
        "rejected": 3,
        "tables": {"transaction": {"accepted": 6, "rejected": 3}},
        "rejections": [
            {"at": "line 21", "table": "transaction", "reason": "amount: not a number: '12,3,4'"},
            {"at": "line 22", "table": "transaction", "reason": "booked_on: not a date: '20261340'"},
            {"at": "line 23", "table": "transaction", "reason": "amount: missing"},
        ],
        "notices": ["its header says cp1252, its bytes are utf-8; the bytes were believed"],
    }
    assert second["source"] is None
    assert "no source recognises" in second["error"]


def test_ingest_twice_then_explain_and_summarise(twinning: Twinning) -> None:
    (first,) = twinning.documents("ingest", str(CHECKING), "--person", "ada")
    (second,) = twinning.documents("ingest", str(CHECKING), "--person", "ada")
    counts = {"accepted": 6, "rejected": 3, "edited": 0, "absent": 0}
    assert first["tables"] == {"transaction": counts | {"new": 6, "same": 0}}
    assert second["tables"] == {"transaction": counts | {"new": 0, "same": 6}}
    (explained,) = twinning.documents("explain", "spend", "--day", "2026-03-01")
    assert explained["values"] == [{"part": "", "unit": "CHF", "value": 20.9, "n": 3}]
    assert [(row["amount"], row["at"]) for row in explained["rows"]] == [
        (12.5, "line 16"),
        (4.2, "line 17"),
        (4.2, "line 18"),
    ]
    assert {row["file"] for row in explained["rows"]} == {"checking.ofx"}
    (summary,) = twinning.documents("summary", "--day", "2026-03-01")
    assert summary["person"] == "ada"
    assert summary["path"] == "template"
    assert "20.90 CHF" in summary["text"]
    (spend,) = [fact for fact in summary["facts"] if fact["id"] == "spend"]
    assert (spend["value"], spend["unit"], spend["rendered"]) == (20.9, "CHF", "20.90 CHF")
    assert spend["explain"] == "twinning explain spend --day 2026-03-01"
    assert summary["figures_verified"] == summary["figures"] > 0
    (status,) = twinning.documents("status")
    assert status["files"] == {"loaded": 1}
    assert status["rejected_rows"] == 3
    assert status["freshness"][0]["source"] == "finance.ofx"
    assert status["ring_gaps"] == 0


def test_redrive_reads_the_rejected_rows_again_from_the_archive(twinning: Twinning) -> None:
    twinning("ingest", str(CHECKING))
    (again,) = twinning.documents("redrive")
    assert (again["read"], again["rejected"], again["tables"]["transaction"]["same"]) == (9, 3, 6)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("explain", "happiness"), "no fact is called"),
        (("ingest", "/nowhere/at/all"), "does not exist"),
        (("person", "ada", "--zone", "Mars/Olympus"), "not an IANA time zone"),
        (("person", "", "--zone", "Europe/Zurich"), "can't be the name of a person's folder"),
        (("ingest", str(CHECKING), "--person", "../ada"), "can't be the name of a person's folder"),
        (("influx", "push"), "no InfluxDB is configured"),
        (("nonsense",), "No such command"),
    ],
)
def test_wrong_usage_is_told_in_a_sentence(twinning: Twinning, words: tuple[str, ...], said: str) -> None:
    told = twinning(*words)
    assert told.returncode == 2
    assert said in " ".join(told.stderr.split())
    assert "Traceback" not in told.stderr


def test_what_a_person_mends_on_the_disk_is_told_in_one_line(twinning: Twinning, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for words, code, said in (
        (("status",), 2, f"TWINNING_HOME: {tmp_path}/file/inbox can't be made: Not a directory"),
        (("collect",), 1, f"{tmp_path}/file/collectors.yaml: Not a directory"),
    ):
        told = twinning(*words, TWINNING_HOME=str(tmp_path / "file"))
        assert (told.returncode, told.stderr) == (code, f"twinning: {said}\n")


def test_a_file_that_can_not_be_opened_is_told_and_the_others_are_taken(twinning: Twinning, tmp_path: Path) -> None:
    place = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as closed:
        closed.bind(str(place))
        told = twinning("ingest", str(place), str(CHECKING), "--json")
    assert told.returncode == 1
    first, second = map(json.loads, told.stdout.splitlines())
    assert (first["file"], first["error"]) == (str(place), "can't be opened: No such device or address")
    assert second["tables"]["transaction"]["new"] == 6


def test_where_there_is_nothing_to_read_that_is_told(twinning: Twinning, tmp_path: Path) -> None:
    (tmp_path / "drops").mkdir()
    (tmp_path / "drops" / "statement.csv.part").touch()
    for words, said in (
        (("check", f"{tmp_path}/drops"), f"no file in {tmp_path}/drops; hidden and partial ones are left out"),
        (("ingest", f"{tmp_path}/drops"), f"no file in {tmp_path}/drops; hidden and partial ones are left out"),
        (("redrive",), "nothing waits to be read again"),
    ):
        told = twinning(*words, "--json")
        assert (told.returncode, told.stdout, told.stderr) == (0, "", f"{said}\n")


def test_a_bad_setting_is_told_by_its_name(twinning: Twinning) -> None:
    told = twinning("status", TWINNING_ZONE="Mars/Olympus")
    assert told.returncode == 2
    assert "TWINNING_ZONE" in told.stderr


def test_a_database_that_is_not_there_is_told_in_a_sentence(twinning: Twinning) -> None:
    told = twinning("status", TWINNING_DATABASE_URL="postgresql://127.0.0.1:1/none")
    assert told.returncode == 1
    assert "Postgres does not answer" in told.stderr
    assert "Traceback" not in told.stderr


def test_moving_house_counts_the_days_afresh(twinning: Twinning, tmp_path: Path) -> None:
    log = tmp_path / "timew.json"
    log.write_text('[{"id":1,"start":"20260301T233000Z","end":"20260302T003000Z","tags":["late"]}]')
    twinning("ingest", str(log), "--person", "ada")
    day = {"TWINNING_PERSON": "ada"}
    assert twinning("explain", "hours", "--day", "2026-03-02", "--json", **day).stdout.count('"at"') == 1
    assert twinning("person", "ada", "--zone", "America/New_York").returncode == 0
    (told,) = twinning.documents("explain", "hours", "--day", "2026-03-01")
    assert told["values"] == [{"part": "", "unit": "h", "value": 1.0, "n": 1}]


def test_the_order_of_devices_is_set_shown_and_taken_back(twinning: Twinning, tmp_path: Path) -> None:
    records = [
        f' <Record type="HKQuantityTypeIdentifierStepCount" sourceName="{name}" unit="count" '
        'creationDate="2026-03-02 12:00:00 +0100" startDate="2026-03-02 10:00:00 +0100" '
        f'endDate="2026-03-02 11:00:00 +0100" value="{value}"/>'
        for name, value in (("Ada Watch", 1000), ("iPhone", 2000))
    ]
    (tmp_path / "export.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<HealthData locale="en_CH">\n'
        ' <ExportDate value="2026-03-09 08:00:00 +0100"/>\n' + "\n".join(records) + "\n</HealthData>\n"
    )
    twinning("ingest", str(tmp_path / "export.xml"), "--person", "ada")

    def steps() -> float:
        (told,) = twinning.documents("explain", "steps", "--day", "2026-03-02")
        return float(told["values"][0]["value"])

    assert steps() == 1000
    (told,) = twinning.documents("prefer", "iPhone")
    assert told["person"] == "ada"
    assert told["order"] == [
        {"origin": "iPhone", "device": "phone", "preferred": True},
        {"origin": "Ada Watch", "device": "watch", "preferred": False},
    ]
    assert steps() == 2000
    shown = twinning("prefer")
    assert shown.stdout.index("Ada Watch") < shown.stdout.index("iPhone")
    assert steps() == 1000
    unknown = twinning("prefer", "Radio")
    assert unknown.returncode == 2
    assert "'Radio'; there are 'Ada Watch', 'iPhone'" in " ".join(unknown.stderr.split())


def test_sources_are_listed(twinning: Twinning) -> None:
    listed = twinning.documents("sources")
    assert {"health.apple_health", "finance.ofx", "finance.qif"} <= {each["source"] for each in listed}
    assert all(each["recognises"] and each["produces"] for each in listed)
