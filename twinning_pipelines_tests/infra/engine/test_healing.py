"""Whatever dies comes back: process 1 of each container is killed from outside, and everything is healthy soon after."""

import time

import pytest

from twinning_pipelines_tests.infra.engine import docker, images
from twinning_pipelines_tests.infra.engine.conftest import Measured
from twinning_pipelines_tests.infra.engine.stack import Stack, long_runners, wait_until

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1800)]

HEALED_SECONDS = 30


def test_every_killed_container_heals(stack: Stack, measured: Measured) -> None:
    late = dict[str, float]()
    for name in long_runners(stack.containers()):
        wait_until("well before it is killed", lambda: is_well(stack), 120)
        seconds = kill_and_wait(stack, name)
        measured(f"seconds until {name} is healthy again", seconds)
        if seconds >= HEALED_SECONDS:
            late[name] = seconds
    assert not late


def test_after_the_database_died_everybody_finds_it_again(stack: Stack) -> None:
    wait_until("well", lambda: is_well(stack), 120)
    kill_and_wait(stack, "postgres")
    wait_until("well again", lambda: is_well(stack), 120)
    statement = "select count(*) from daemon_heartbeats where timestamp > now() at time zone 'utc' - interval '45 s'"
    wait_until("daemons that tell their pulse", lambda: int(stack.query(statement, "dagster")[0]) >= 4, 120)


def kill_and_wait(stack: Stack, service: str) -> float:
    """Kills process 1 of a container as a crash would, not as `docker kill`, which counts as stopped by hand.

    Answers after how many seconds a new process 1 is healthy.
    """
    before = stack.containers()[service]
    began = time.monotonic()
    docker.run(
        "run", "--rm", "--pid", "host", "--network", "none", images.debian_with_python(),
        "sh", "-c", f"kill -9 {before['State']['Pid']}",
    )  # fmt: skip

    def healed() -> bool:
        state = docker.inspect([before["Id"]])[0]["State"]
        again = state["Running"] and state["StartedAt"] != before["State"]["StartedAt"]
        return bool(again and state.get("Health", {"Status": "healthy"})["Status"] == "healthy")

    wait_until(f"{service} healthy again", healed, 120)
    return time.monotonic() - began


def is_well(stack: Stack) -> bool:
    """Is every service that stays running, and healthy where it has a check?"""
    states = stack.states()
    return all(states[name] in ("healthy", "running") for name in long_runners(stack.containers()))
