"""What Nextcloud's start does: settings, apps, the inbox. `occ` is a strict stand-in; the settings are read by real PHP."""

import json
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from twinning_pipelines_tests.infra.programs import REPOSITORY, program
from twinning_pipelines_tests.infra.stack.stand_ins import occ

FOLDER = REPOSITORY / "infra" / "nextcloud"
HOOKS = FOLDER / "hooks" / "before-starting"
BUNDLED = (
    "files_external",
    "admin_audit",
    "twofactor_totp",
    "twofactor_backupcodes",
    "survey_client",
    "federation",
    "support",
)


@dataclass(frozen=True)
class Cloud:
    """An installed Nextcloud, as far as the hooks see it."""

    folder: Path

    @property
    def html(self) -> Path:
        return self.folder / "html"

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    def state(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((self.folder / "state").read_text())
        return told

    def start(self, people: str = "ada ben") -> "subprocess.CompletedProcess[str]":
        """Runs the hooks in the order of the image's entry point, which stops at the first that fails."""
        environment = {
            "PATH": f"{self.folder / 'bin'}:{os.defpath}",
            "NEXTCLOUD_DIRECTORY": str(self.html),
            "NEXTCLOUD_SETTINGS": str(FOLDER / "twinning.config.php"),
            "INBOX_DIRECTORY": str(self.inbox),
            "NEXTCLOUD_ADMIN_USER": "owner",
            "TWINNING_PEOPLE": people,
            "STAND_IN_STATE": str(self.folder / "state"),
        }
        done = None
        for hook in sorted(HOOKS.iterdir()):
            assert os.access(hook, os.X_OK)
            done = subprocess.run(
                [hook], env=environment, capture_output=True, text=True, timeout=120, check=False, cwd=self.html
            )
            if done.returncode:
                return done
        assert done is not None
        return done


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    for name in BUNDLED:
        (tmp_path / "html" / "apps" / name).mkdir(parents=True)
    (tmp_path / "html" / "config").mkdir()
    (tmp_path / "inbox" / "ada").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    php = tmp_path / "bin" / "php"
    php.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {occ.__file__} "$@"\n')
    php.chmod(0o755)
    state = {
        "occ": str(tmp_path / "html" / "occ"),
        "enabled": ["survey_client", "federation", "twofactor_backupcodes"],
        "users": ["owner"],
        "groups": {"admin": ["owner"]},
        "mounts": [{"id": 7, "point": "/Photos", "datadir": "/photos", "groups": []}],
        "next": 7,
        "app_values": {},
        "enforced": False,
        "background": "ajax",
        "calls": [],
    }
    (tmp_path / "state").write_text(json.dumps(state))
    return Cloud(tmp_path)


def test_first_start(cloud: Cloud) -> None:
    done = cloud.start()
    assert done.returncode == 0, done.stdout + done.stderr
    state = cloud.state()
    assert set(state["enabled"]) == {"files_external", "admin_audit", "twofactor_totp", "twofactor_backupcodes"}
    assert state["enforced"] is True
    assert state["background"] == "cron"
    assert set(state["app_values"].values()) == {"no"}
    assert state["groups"] == {"admin": ["owner"], "inbox": ["owner"], "inbox-ada": [], "inbox-ben": []}
    inbox = str(cloud.inbox)
    assert [(one["point"], one["datadir"], one["groups"]) for one in state["mounts"]] == [
        ("/Photos", "/photos", []),
        ("/Inbox", inbox, ["inbox"]),
        ("/Inbox of ada", f"{inbox}/ada", ["inbox-ada"]),
        ("/Inbox of ben", f"{inbox}/ben", ["inbox-ben"]),
    ]
    assert stat.S_IMODE((cloud.inbox / "ben").stat().st_mode) == 0o2770
    copied = cloud.html / "config" / "twinning.config.php"
    assert copied.read_bytes() == (FOLDER / "twinning.config.php").read_bytes()
    assert [file.name for file in copied.parent.iterdir()] == ["twinning.config.php"]


def test_twice_is_once_and_a_new_person_is_added(cloud: Cloud) -> None:
    cloud.start()
    before = cloud.state()
    assert cloud.start().returncode == 0
    after = cloud.state()
    assert {**after, "calls": []} == {**before, "calls": []}
    assert cloud.start("ada ben cleo").returncode == 0
    assert [one["point"] for one in cloud.state()["mounts"]][-1] == "/Inbox of cleo"
    assert len(cloud.state()["mounts"]) == 5


def test_a_mount_that_lost_its_group_gets_it_back(cloud: Cloud) -> None:
    cloud.start()
    state = cloud.state()
    state["mounts"][2]["groups"] = []
    (cloud.folder / "state").write_text(json.dumps(state))
    cloud.start()
    assert cloud.state()["mounts"][2]["groups"] == ["inbox-ada"]


def test_older_settings_are_replaced_whole(cloud: Cloud) -> None:
    (cloud.html / "config" / "twinning.config.php").write_text("<?php $CONFIG = [];")
    assert cloud.start().returncode == 0
    assert "updatechecker" in (cloud.html / "config" / "twinning.config.php").read_text()


def test_a_missing_app_stops_the_start_rather_than_leaving_log_ins_without_a_second_factor(cloud: Cloud) -> None:
    (cloud.html / "apps" / "twofactor_totp").rmdir()
    done = cloud.start()
    assert done.returncode != 0
    assert "twofactor_totp" in done.stdout
    assert cloud.state()["mounts"] == [{"id": 7, "point": "/Photos", "datadir": "/photos", "groups": []}]


@pytest.mark.parametrize("people", ["../ada", "Ada", "a;b"])
def test_a_name_that_is_none_stops_the_start(cloud: Cloud, people: str) -> None:
    done = cloud.start(people)
    assert done.returncode == 1
    assert "TWINNING_PEOPLE" in done.stderr
    assert not (cloud.folder / "ada").exists()


def test_real_php_reads_the_settings(tmp_path: Path) -> None:
    php = program("php") or program("php8.2")
    if php is None:
        pytest.skip("php is not here")
    script = tmp_path / "told.php"
    shutil.copy(FOLDER / "twinning.config.php", tmp_path)
    script.write_text('<?php $CONFIG = []; include __DIR__."/twinning.config.php"; echo json_encode($CONFIG);')
    environment = {
        "NEXTCLOUD_TRUSTED_DOMAINS": "cloud.example.org  127.0.0.1:8080 localhost",
        "NEXTCLOUD_NETWORKS": "172.30.0.0/24",
        "NEXTCLOUD_PROXY": "172.30.0.2",
        "TWINNING_ZONE": "Europe/Zurich",
    }
    told = json.loads(
        subprocess.run([php, "-n", script], env=environment, capture_output=True, check=True, timeout=60).stdout
    )
    assert told["trusted_domains"] == ["localhost", "nextcloud", "cloud.example.org", "127.0.0.1:8080"]
    assert (told["trusted_proxies"], told["openmetrics_allowed_clients"]) == (["172.30.0.2"], ["172.30.0.0/24"])
    assert told["localstorage.umask"] == 2
    off = ("has_internet_connection", "updatechecker", "appstoreenabled")
    assert [told[name] for name in off] == [False] * 3
    assert told["logtimezone"] == "Europe/Zurich"
    assert told["lookup_server"] == ""
