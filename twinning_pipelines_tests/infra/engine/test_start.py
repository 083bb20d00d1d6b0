"""One command starts everything, and what is dropped becomes rows."""

import json
import urllib.request
from datetime import date, timedelta

import pytest

from twinning_pipelines_tests.infra.engine import docker
from twinning_pipelines_tests.infra.engine.conftest import Measured
from twinning_pipelines_tests.infra.engine.stack import PERSON, Stack, long_runners, wait_until

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

HEADING = "date,time,metric,value,unit,note"
_GRAPHQL = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"


def test_one_command_brings_everything_up_healthy(started: tuple[Stack, float], measured: Measured) -> None:
    stack, seconds = started
    measured("seconds until everything is healthy, first start", seconds)
    containers = stack.containers()
    assert set(containers) == set(stack.shipped["services"])
    states = stack.states()
    for name in long_runners(containers):
        checked = "Healthcheck" in containers[name]["Config"]
        assert states[name] == ("healthy" if checked else "running"), name
    for name in containers.keys() - set(long_runners(containers)):
        assert states[name] == "exited 0", name


def test_a_dropped_file_becomes_rows_and_leaves_the_inbox(stack: Stack, measured: Measured) -> None:
    days = [date(2026, 3, 1) + timedelta(days=each) for each in range(20)]
    before = samples(stack)
    drop(stack, "weights.csv", [f"{day},07:00,weight,{70 + day.day / 10},kg," for day in days])
    seconds = wait_until("loaded", lambda: samples(stack) == before + len(days), 240)
    measured("seconds from a drop to its rows", seconds)
    wait_until("gone from the inbox", lambda: "weights.csv" not in inbox(stack), 60)
    kept = stack.execute("code", "find", "/srv/twinning/archive", "-type", "f").split()
    assert kept
    assert not stack.execute("code", "ls", "/srv/twinning/quarantine").split()


def test_what_a_run_printed_is_shown_by_the_webserver(stack: Stack) -> None:
    """Runs live with the code location; the webserver reads what they printed from the volume that both have."""
    stack.execute("code", "sh", "-c", "mkdir -p /var/lib/dagster/storage && echo words >/var/lib/dagster/storage/probe")
    assert stack.execute("webserver", "cat", "/var/lib/dagster/storage/probe") == "words\n"
    stack.execute("code", "rm", "/var/lib/dagster/storage/probe")


def test_the_webserver_answers_through_its_door_and_knows_the_code_location(stack: Stack) -> None:
    asked = urllib.request.Request(
        f"http://{stack.door(3001)}/graphql",
        data=json.dumps({"query": _GRAPHQL}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        told = json.load(answer)
    locations = [node["location"]["name"] for node in told["data"]["repositoriesOrError"]["nodes"]]
    assert locations == ["twinning"]


def test_the_metrics_are_told(stack: Stack) -> None:
    script = "import urllib.request; print(urllib.request.urlopen('http://metrics:9464/metrics').read().decode())"
    told = stack.execute("webserver", "python", "-c", script)
    assert "twinning_build_info" in told


def test_down_and_up_again_keeps_the_rows(stack: Stack) -> None:
    drop(stack, "kept.csv", ["2025-01-05,07:00,weight,71,kg,", "2025-01-06,07:00,weight,71.5,kg,"])
    kept = "select count(*) from sample where started_at between '2025-01-01' and '2025-02-01'"
    wait_until("loaded", lambda: rows(stack, kept) == 2, 240)
    runs = stack.query("select count(*) from runs", "dagster")
    stack.down()
    assert not stack.containers()
    stack.up()
    assert rows(stack, kept) == 2
    assert int(stack.query("select count(*) from runs", "dagster")[0]) >= int(runs[0])


def drop(stack: Stack, name: str, lines: list[str]) -> None:
    """Drops a file as Nextcloud does: as www-data, into the person's folder, with the rights that others may have."""
    text = "\n".join([HEADING, *lines, ""])
    stack.execute(
        "nextcloud", "sh", "-c", f"umask 0027; cat >'/srv/inbox/{PERSON}/{name}'", user="33:33", input_text=text
    )


def inbox(stack: Stack) -> list[str]:
    """The names in the person's inbox."""
    return stack.execute("nextcloud", "ls", f"/srv/inbox/{PERSON}").split()


def samples(stack: Stack) -> int:
    """How many samples of body mass are stored."""
    return rows(stack, "select count(*) from sample")


def rows(stack: Stack, statement: str) -> int:
    """What a counting statement answers; 0 while the first run has not made the tables yet."""
    try:
        return int(stack.query(statement)[0])
    except docker.EngineFailed as failed:
        if "does not exist" in str(failed):
            return 0
        raise
