"""`twinning metrics`: what it prints, what it serves, how it ends; and that no other verb pays for it."""

import contextlib
import http.client
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import dagster as dg
import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.home import Home
from twinning_pipelines.products.metrics.gauges import BY_NAME, GAUGES
from twinning_pipelines.verbs.metrics import metrics
from twinning_pipelines_tests.infra.programs import needs
from twinning_pipelines_tests.test_cli import CHECKING, Twinning

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"
_ROW = re.compile(r"^\| `(\w+)(?:\{([\w,]+)\})?` \| ([^|]+) \| `([^`]+)` \|$", re.MULTILINE)


@pytest.fixture
def twinning(home: Home) -> Twinning:
    return Twinning(home)


@pytest.fixture
def dagster_home(tmp_path: Path) -> str:
    """A folder of Dagster's in which something has run before."""
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.get_runs_count() == 0
    return str(tmp_path)


def test_the_words_and_the_json_say_the_same(twinning: Twinning, dagster_home: str) -> None:
    assert twinning("ingest", str(CHECKING), "--person", "ada").returncode == 0
    told = twinning("metrics", DAGSTER_HOME=dagster_home)
    assert (told.returncode, told.stderr) == (0, "")
    families = {each.name: each for each in text_string_to_metric_families(told.stdout)}
    assert list(families) == [each.name for each in GAUGES]
    (document,) = twinning("metrics", "--json", DAGSTER_HOME=dagster_home).stdout.splitlines()
    found = json.loads(document)
    assert all(list(each) == ["name", "labels", "value"] for each in found)
    changing = {"twinning_collect_seconds", "twinning_database_bytes"}
    as_words = {(each.name, *sorted(each.labels.items())): each.value for f in families.values() for each in f.samples}
    as_json = {(each["name"], *sorted(each["labels"].items())): each["value"] for each in found}
    assert as_json.keys() == as_words.keys()
    assert {key: value for key, value in as_json.items() if key[0] not in changing} == {
        key: value for key, value in as_words.items() if key[0] not in changing
    }
    assert not any(each["value"] for each in found if each["name"] == "twinning_collect_failed")
    assert [each["labels"] for each in found if each["name"] == "twinning_files"] == [
        {"person": "ada", "source": "finance.ofx", "state": "loaded"}
    ]


def test_without_dagster_it_says_so_and_tells_the_rest(twinning: Twinning) -> None:
    told = twinning("metrics")
    assert told.returncode == 0
    assert 'twinning_collect_failed{part="runs"} 1.0' in told.stdout
    assert 'twinning_collect_failed{part="ledger"} 0.0' in told.stdout
    assert "the part runs can't be had: DagsterHomeNotSetError" in told.stderr


def test_one_or_the_other() -> None:
    with pytest.raises(WrongUsage, match="--json"):
        CliRunner().invoke(metrics, ["--json", "--listen", "127.0.0.1:0"], catch_exceptions=False)


def test_no_other_verb_waits_for_dagster_or_prometheus(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['twinning', 'metrics', '--help']; import twinning_pipelines.cli as cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "loaded = {'dagster', 'prometheus_client'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=120)


@contextlib.contextmanager
def listening(twinning: Twinning, **more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command at a free port: the process, and HOST:PORT."""
    command = [sys.executable, "-m", "twinning_pipelines.cli", "metrics", "--listen", "127.0.0.1:0"]
    environment = twinning.environment | more
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    # Whatever goes wrong, nothing is left behind and nobody waits for ever.
    watchdog = threading.Timer(120, process.kill)
    watchdog.start()
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert said.startswith("listening on http://127.0.0.1:"), said
        yield process, urlsplit(said.split()[-1]).netloc
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate(timeout=60)


def get(address: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, body


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_end(twinning: Twinning, dagster_home: str, how: signal.Signals) -> None:
    with listening(twinning, DAGSTER_HOME=dagster_home) as (process, address):
        assert get(address, "/-/healthy") == (200, "healthy\n")
        status, body = get(address, "/metrics")
        assert status == 200
        assert {each.name for each in text_string_to_metric_families(body)} == set(BY_NAME)
        assert 'twinning_collect_failed{part="runs"} 0.0' in body
        process.send_signal(how)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (0, "", "")


def test_it_can_be_stopped_before_anybody_asked(twinning: Twinning) -> None:
    with listening(twinning) as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=60) == ("", "")
        assert process.returncode == 0


def test_a_server_without_a_database_answers_all_the_same(twinning: Twinning, tmp_path: Path) -> None:
    nowhere = {"TWINNING_DATABASE_URL": f"postgresql://nobody@/none?host={tmp_path}", "DAGSTER_HOME": str(tmp_path)}
    with listening(twinning, **nowhere) as (process, address):
        status, body = get(address, "/metrics")
        assert status == 200
        assert 'twinning_collect_failed{part="ledger"} 1.0' in body
        assert 'twinning_collect_failed{part="inbox"} 0.0' in body
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert "the part ledger can't be had: Postgres does not answer" in err
    assert "Traceback" not in err


def test_the_page_lists_every_gauge_with_its_labels_and_meaning() -> None:
    rows = _ROW.findall(PAGE.read_text(encoding="utf-8"))
    written = [(name, tuple(filter(None, labels.split(","))), meaning) for name, labels, meaning, _ in rows]
    assert written == [(each.name, each.labels, each.help) for each in GAUGES]
    assert all(name in example for name, _, _, example in rows)


def test_the_examples_of_the_page_are_what_prometheus_understands(tmp_path: Path) -> None:
    promtool = needs("promtool")
    text = PAGE.read_text(encoding="utf-8")
    examples = [each[3] for each in _ROW.findall(text)]
    examples += [line.strip() for line in re.findall(r"^    (\S.*twinning_.*)$", text, re.MULTILINE)]
    rules = [{"record": f"example:of:{n}", "expr": each} for n, each in enumerate(examples)]
    path = tmp_path / "rules.json"
    path.write_text(json.dumps({"groups": [{"name": "page", "rules": rules}]}))
    told = subprocess.run([promtool, "check", "rules", path], capture_output=True, text=True, check=False, timeout=60)
    assert told.returncode == 0, told.stdout + told.stderr
    assert f"{len(examples)} rules found" in told.stdout
