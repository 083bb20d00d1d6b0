"""The one-shot that makes InfluxDB's bucket and tokens, against a strict stand-in of client and server."""

import json
import os
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from twinning_pipelines_tests.infra.programs import REPOSITORY
from twinning_pipelines_tests.infra.stack.stand_ins import influx

SCRIPT = REPOSITORY / "infra" / "influxdb" / "buckets.sh"
OPERATOR = "Operator" + "t" * 56
HOST = "http://influxdb:8086"


@dataclass(frozen=True)
class Place:
    """A server's state, the secrets, the tokens, and the client on a PATH of its own."""

    folder: Path

    @property
    def tokens(self) -> Path:
        return self.folder / "tokens"

    def state(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((self.folder / "state").read_text())
        return told

    def change(self, **changes: Any) -> None:
        (self.folder / "state").write_text(json.dumps({**self.state(), "calls": [], **changes}))

    def run(self, **environment: str) -> "subprocess.CompletedProcess[str]":
        variables = {
            "PATH": f"{self.folder / 'bin'}:{os.defpath}",
            "INFLUX_HOST": HOST,
            "SECRETS_DIRECTORY": str(self.folder / "secrets"),
            "TOKENS_DIRECTORY": str(self.tokens),
            "GRAFANA_TOKENS_DIRECTORY": str(self.tokens),
            "TMPDIR": str(self.folder / "work"),
            "STAND_IN_STATE": str(self.folder / "state"),
        }
        return subprocess.run(
            ["sh", str(SCRIPT)], env=variables | environment, capture_output=True, text=True, timeout=60, check=False
        )

    def verbs(self) -> list[str]:
        return [" ".join(call[:2]) for call in self.state()["calls"]]

    def token(self, name: str) -> str:
        return (self.tokens / name).read_text()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    for name in ("bin", "secrets", "tokens", "work"):
        (tmp_path / name).mkdir()
    program = tmp_path / "bin" / "influx"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {influx.__file__} "$@"\n')
    program.chmod(0o755)
    (tmp_path / "secrets" / "influxdb_admin_token").write_text(OPERATOR)
    bucket = {"id": "00000000000000aa", "name": "_monitoring", "every": 604800, "shard": 86400}
    state = {
        "host": HOST,
        "org": "twinning",
        "user": "twinning",
        "operator": OPERATOR,
        "buckets": [bucket],
        "auths": [],
        "next": 0,
    }
    (tmp_path / "state").write_text(json.dumps({**state, "calls": []}))
    return Place(tmp_path)


def made(place: Place) -> Place:
    done = place.run()
    assert (done.returncode, done.stderr) == (0, "")
    return place


def test_first_start_makes_the_bucket_and_two_tokens(place: Place) -> None:
    made(place)
    state = place.state()
    bucket = next(one for one in state["buckets"] if one["name"] == "twinning")
    assert (bucket["every"], bucket["shard"]) == (0, 91 * 86400)
    by_digest = {one["digest"]: one for one in state["auths"]}
    ours, grafanas = (by_digest[influx.digest(place.token(name))] for name in ("influxdb_twinning", "influxdb_grafana"))
    assert (ours["read"], ours["write"]) == ([bucket["id"]], [bucket["id"]])
    assert (grafanas["read"], grafanas["write"]) == ([bucket["id"]], [])
    assert {stat.S_IMODE(file.stat().st_mode) for file in place.tokens.iterdir()} == {0o444}
    assert sorted(file.name for file in place.tokens.iterdir()) == ["influxdb_grafana", "influxdb_twinning"]
    assert list((place.folder / "work").iterdir()) == []


def test_twice_is_once(place: Place) -> None:
    made(place)
    before, tokens = place.state(), [place.token("influxdb_twinning"), place.token("influxdb_grafana")]
    place.change()
    made(place)
    after = place.state()
    assert {key: after[key] for key in ("buckets", "auths")} == {key: before[key] for key in ("buckets", "auths")}
    assert [place.token("influxdb_twinning"), place.token("influxdb_grafana")] == tokens
    assert set(place.verbs()) == {"bucket list"}


def test_the_bucket_of_the_images_own_setup_gets_longer_shards(place: Place) -> None:
    place.change(buckets=[{"id": "00000000000000bb", "name": "twinning", "every": 0, "shard": 604800}])
    made(place)
    assert place.state()["buckets"] == [{"id": "00000000000000bb", "name": "twinning", "every": 0, "shard": 91 * 86400}]


def test_a_bucket_that_would_forget_keeps_everything_again(place: Place) -> None:
    place.change(buckets=[{"id": "00000000000000bb", "name": "twinning", "every": 30 * 86400, "shard": 91 * 86400}])
    made(place)
    assert place.state()["buckets"][0]["every"] == 0


def test_a_lost_token_is_made_anew_and_the_old_one_ends(place: Place) -> None:
    made(place)
    kept = place.token("influxdb_grafana")
    (place.tokens / "influxdb_twinning").unlink()
    made(place)
    known = {one["digest"] for one in place.state()["auths"]}
    assert known == {influx.digest(place.token("influxdb_twinning")), influx.digest(kept)}
    assert place.token("influxdb_grafana") == kept


def test_tokens_of_a_server_that_was_made_anew_are_replaced(place: Place) -> None:
    made(place)
    before = place.token("influxdb_twinning")
    place.change(buckets=[], auths=[])
    made(place)
    assert place.token("influxdb_twinning") != before
    assert len(place.state()["auths"]) == 2


def test_a_token_for_another_bucket_is_replaced(place: Place) -> None:
    made(place)
    before = place.token("influxdb_grafana")
    place.change(auths=[{**one, "read": ["00000000000000cc"]} for one in place.state()["auths"]])
    made(place)
    assert place.token("influxdb_grafana") != before


def test_no_token_is_on_a_command_line(place: Place) -> None:
    made(place)
    told = json.dumps(place.state()["calls"])
    assert OPERATOR not in told
    assert place.token("influxdb_twinning") not in told


def test_what_the_environment_says_of_tokens_does_not_count(place: Place) -> None:
    done = place.run(INFLUX_TOKEN="another", INFLUX_ORG="elsewhere", INFLUX_ACTIVE_CONFIG="none")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("change", "words"), [({"operator": "another"}, "unauthorized"), ({"host": "http://x:1"}, "refused")]
)
def test_a_server_that_refuses_leaves_the_tokens(place: Place, change: dict[str, str], words: str) -> None:
    made(place)
    tokens = [place.token("influxdb_twinning"), place.token("influxdb_grafana")]
    place.change(**change)
    done = place.run()
    assert done.returncode != 0
    assert words in done.stderr
    assert [place.token("influxdb_twinning"), place.token("influxdb_grafana")] == tokens


def test_it_serves_as_a_script_of_the_images_first_start(place: Place) -> None:
    place.change(host="http://localhost:9999")
    done = place.run(
        INFLUX_HOST="http://localhost:9999",
        DOCKER_INFLUXDB_INIT_ORG="twinning",
        DOCKER_INFLUXDB_INIT_USERNAME="twinning",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert os.access(SCRIPT, os.X_OK)
