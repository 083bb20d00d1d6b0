"""`news.yaml`: what it says, who may read it, and that no error quotes a value."""

from datetime import time
from pathlib import Path

import pytest

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.products.news.channels import AppriseChannel, WebhookChannel
from twinning_pipelines.products.news.places import apprise_stays_at_home, stands_at_home
from twinning_pipelines.products.news.targets import (
    OF_A_PERSON,
    OF_THE_HOUSE,
    Quiet,
    audience_of,
    read_file,
    write_beginning,
)

GOOD = """
link: "http://twinning.lan:3000"
targets:
  - name: phone
    person: ada
    apprise: ntfy://ntfy.lan/planted-topic
    kinds: [summary, unusual]
    quiet: 22:00-07:00
  - name: relay
    person: ben
    apprise: tgram://123456789:planted-token/42
  - name: hub
    webhook: {url: "https://hub.example/planted-path", secret: "planted-secret-1234"}
    details: yes
"""


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "news.yaml"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_what_a_file_says(tmp_path: Path) -> None:
    audience = read_file(written(tmp_path, GOOD))
    phone, relay, hub = audience.targets
    assert (phone.name, phone.person, sorted(phone.kinds)) == ("phone", "ada", ["summary", "unusual"])
    assert phone.quiet == Quiet(time(22), time(7))
    assert isinstance(phone.channel, AppriseChannel)
    assert phone.details
    assert (relay.kinds, relay.quiet, relay.details) == (OF_A_PERSON, None, False)
    assert (hub.person, hub.kinds, hub.details) == (None, OF_THE_HOUSE, True)
    assert isinstance(hub.channel, WebhookChannel)
    assert audience.link == "http://twinning.lan:3000"
    assert "planted" not in repr(audience)


def test_who_hears_of_what(tmp_path: Path) -> None:
    phone, _relay, hub = read_file(written(tmp_path, GOOD)).targets
    assert phone.wants("summary", "ada")
    assert not phone.wants("summary", "ben")
    assert not phone.wants("balance_gap", "ada")
    assert not phone.wants("run_failed", None)
    assert hub.wants("run_failed", None)


def test_without_a_file_only_the_settings_are_heard(tmp_path: Path) -> None:
    assert read_file(tmp_path / "news.yaml").targets == ()
    (only,) = audience_of(tmp_path, ["json://host/planted"]).targets
    assert (only.name, only.person, only.kinds) == ("notify-url-1", None, OF_THE_HOUSE)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path, GOOD, mode)
    with pytest.raises(WrongUsage, match="chmod 600"):
        read_file(path)
    audience = audience_of(tmp_path, ["json://host"])
    assert [target.name for target in audience.targets] == ["notify-url-1"]
    assert "chmod 600" in audience.problem


@pytest.mark.parametrize(
    ("wrong", "line", "key"),
    [
        ('"planted-secret-1234"', 13, '"planted"'),
        ("https://hub.example/planted-path", 13, "http://hub.example/planted-path"),
        ("https://hub.example/planted-path", 13, "https://planted:planted@hub.example/"),
        ("22:00-07:00", 8, "planted"),
        ("[summary, unusual]", 7, "[summary, planted]"),
        ("apprise: tgram://123456789:planted-token/42", 11, "tgram://planted: tgram://planted"),
        ("name: relay", 9, "name: phone"),
        ("name: relay", 9, "name: 'planted planted'"),
        ("person: ben", 10, "person: ../planted"),
        ("details: yes", 14, "details: planted"),
        ("details: yes", 14, "planted: [: planted"),
        ("details: yes", 12, "apprise: json://planted"),
    ],
)
def test_errors_name_line_and_key_and_never_a_value(tmp_path: Path, wrong: str, line: int, key: str) -> None:
    assert wrong in GOOD
    with pytest.raises(WrongUsage) as raised:
        read_file(written(tmp_path, GOOD.replace(wrong, key)))
    said = str(raised.value)
    assert said.startswith(f"news.yaml: line {line}: ")
    assert "planted" not in said
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


@pytest.mark.parametrize("text", ["[1, 2]", "targets: 5", "\x00", "a: &a [*a]", "{" * 50])
def test_anything_else_is_refused_with_a_message(tmp_path: Path, text: str) -> None:
    with pytest.raises(WrongUsage, match=r"news\.yaml"):
        read_file(written(tmp_path, text))


def test_the_commented_beginning_is_private_and_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "home" / "news.yaml"
    write_beginning(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_file(path).targets == ()
    with pytest.raises(WrongUsage, match="already"):
        write_beginning(path)
    # Every line of the example holds as it stands.
    lines = path.read_text().replace("targets: []", "targets:").splitlines()
    kept = [line.removeprefix("#") if line.startswith(("#  -", "#    ")) else line for line in lines]
    path.write_text("\n".join(kept))
    assert [target.name for target in read_file(path).targets] == ["phone", "hub"]


@pytest.mark.parametrize(
    ("host", "is_home"),
    [
        *(
            (each, True)
            for each in ("localhost", "127.0.0.1", "::1", "192.168.1.4", "10.0.0.1", "fd00::1", "100.64.3.2")
        ),
        *((each, True) for each in ("hub", "ntfy.lan", "nas.local", "box.home.arpa", "::ffff:192.168.0.9")),
        *((each, False) for each in ("ntfy.sh", "8.8.8.8", "2a00:1450::1", "lan.example.org", "", "::ffff:8.8.8.8")),
    ],
)
def test_which_hosts_stand_at_home(host: str, is_home: bool) -> None:
    assert stands_at_home(host) is is_home


@pytest.mark.parametrize(
    ("url", "is_home"),
    [
        ("ntfy://ntfy.lan/topic", True),
        ("ntfy://topic", False),
        ("ntfy://topic/", False),
        ("ntfy://ntfy.lan/topic?mode=cloud", False),
        ("ntfys://ntfy.sh/topic", False),
        ("json://127.0.0.1:80/x", True),
        ("jsons://user:pass@hub.lan/x", True),
        ("jsons://hub.example/x", False),
        ("gotify://gotify/token", True),
        ("hassio://192.168.1.2/token", True),
        ("tgram://token/42", False),
        ("discord://token/token", False),
        ("mailto://user:pass@gmail.com", False),
        ("slack://token", False),
        ("nonsense", False),
        ("json://[", False),
    ],
)
def test_which_apprise_urls_surely_stay_at_home(url: str, is_home: bool) -> None:
    assert apprise_stays_at_home(url) is is_home


def test_quiet_hours_go_over_midnight() -> None:
    night, noon = Quiet(time(22), time(7)), Quiet(time(12), time(13))
    assert [night.holds(time(hour)) for hour in (21, 22, 0, 6, 7, 12)] == [False, True, True, True, False, False]
    assert [noon.holds(time(hour)) for hour in (11, 12, 13)] == [False, True, False]
