"""The settings as the environment gives them: what is wrong is named, what is secret is shown nowhere."""

import os
import traceback
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.settings import Secret, Settings, is_given, is_secret, settings_of_environment

SECRETS = [each.name for each in fields(Settings) if is_secret(each)]
PLANTED = "planted-0123456789"


def _shown(secret: Secret | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def test_without_variables_every_setting_has_its_default() -> None:
    told = settings_of_environment()
    assert told == Settings()
    assert (told.zone, told.currency, told.still_seconds, told.keep_runs_days) == ("UTC", "XXX", 5.0, 60)
    assert told.home.is_absolute()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("home", "/srv/twinning", Path("/srv/twinning")),
        ("zone", "Asia/Kolkata", "Asia/Kolkata"),
        ("currency", "CHF", "CHF"),
        ("date_order", "DMY", "DMY"),
        ("date_order", "", ""),
        ("still_seconds", "0.5", 0.5),
        ("still_seconds", "0", 0.0),
        ("model_api", "ollama", "ollama"),
        ("firefly_attach", "Yes", True),
        ("firefly_attach", "0", False),
        ("model_anywhere", "true", True),
        ("keep_runs_days", "7", 7),
        ("notify_urls", "json://a json://b", Secret("json://a json://b")),
    ],
)
def test_a_variable_is_read_as_what_it_means(
    name: str, text: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"TWINNING_{name.upper()}", text)
    assert getattr(settings_of_environment(), name) == value
    assert is_given(name)
    assert not is_given("person")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *[("zone", each) for each in ("Mars/Olympus", "", "../etc/passwd", "/etc/localtime", "Europe")],
        *[("person", each) for each in ("", " ", "../ada", ".ada")],
        *[("currency", each) for each in ("chf", "CHFR", "", "CHF\n")],
        *[("date_order", each) for each in ("dmy", "YDM")],
        *[("still_seconds", each) for each in ("-1", "nan", "inf", "soon", "")],
        *[("model_api", each) for each in ("gemini", "")],
        *[("firefly_attach", each) for each in ("maybe", "")],
        *[("keep_runs_days", each) for each in ("0", "-3", "1.5", "²", "")],
    ],
)
def test_a_wrong_value_is_told_by_its_variable(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"TWINNING_{name.upper()}", text)
    with pytest.raises(WrongUsage, match=f"^TWINNING_{name.upper()}: "):
        settings_of_environment()


def test_all_that_is_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINNING_ZONE", "Mars/Olympus")
    monkeypatch.setenv("TWINNING_CURRENCY", "francs")
    monkeypatch.setenv("TWINNING_INFLUX_TOKEN", PLANTED)
    monkeypatch.setenv("TWINNING_INFLUX_TOKEN_FILE", "/nowhere/at/all")
    with pytest.raises(WrongUsage) as told:
        settings_of_environment()
    said = str(told.value).replace("; keep one of them", "").split("; ")
    assert [each.partition(":")[0] for each in said] == [
        "TWINNING_ZONE",
        "TWINNING_CURRENCY",
        "TWINNING_INFLUX_TOKEN and TWINNING_INFLUX_TOKEN_FILE are both set",
    ]


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_secret_comes_from_the_variable_or_from_a_file(
    name: str, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret"
    path.write_bytes(f" {PLANTED} ü{ending}".encode())
    monkeypatch.setenv(f"TWINNING_{name.upper()}_FILE", str(path))
    told = settings_of_environment()
    assert _shown(getattr(told, name)) == f" {PLANTED} ü"
    assert PLANTED not in f"{told!r} {told} {getattr(told, name)}"
    # Compose hands over an empty variable where nothing is set.
    monkeypatch.setenv(f"TWINNING_{name.upper()}", "")
    assert _shown(getattr(settings_of_environment(), name)) == f" {PLANTED} ü"
    monkeypatch.setenv(f"TWINNING_{name.upper()}_FILE", "")
    monkeypatch.setenv(f"TWINNING_{name.upper()}", PLANTED)
    assert _shown(getattr(settings_of_environment(), name)) == PLANTED


def test_only_one_newline_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"two\nlines\n\n")
    monkeypatch.setenv("TWINNING_MODEL_TOKEN_FILE", str(path))
    assert _shown(settings_of_environment().model_token) == "two\nlines\n"


def test_the_secrets_are_these() -> None:
    assert SECRETS == ["database_url", "influx_token", "firefly_token", "notify_urls", "model_token"]
    # What stands in no file is read from its variable alone.
    assert not is_secret(next(each for each in fields(Settings) if each.name == "zone"))


@pytest.mark.parametrize("name", SECRETS)
def test_a_variable_and_its_file_together_are_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = f"TWINNING_{name.upper()}"
    (tmp_path / "secret").write_text(PLANTED)
    monkeypatch.setenv(variable, PLANTED)
    monkeypatch.setenv(f"{variable}_FILE", str(tmp_path / "secret"))
    with pytest.raises(WrongUsage, match=f"^{variable} and {variable}_FILE are both set") as told:
        settings_of_environment()
    assert PLANTED not in str(told.value)


def _unreadable(folder: Path) -> dict[str, Path]:
    (folder / "folder").mkdir()
    (folder / "latin").write_bytes(PLANTED.encode() + b"\xff\n")
    (folder / "closed").write_text(PLANTED)
    (folder / "closed").chmod(0)
    (folder / "loop").symlink_to("loop")
    names = ["missing", "folder", "latin", "loop"] + (["closed"] if os.geteuid() else [])
    return {name: folder / name for name in names}


@pytest.mark.parametrize("name", SECRETS)
def test_a_file_that_can_not_be_read_is_told_by_variable_and_path_without_its_content(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = f"TWINNING_{name.upper()}_FILE"
    for path in _unreadable(tmp_path).values():
        monkeypatch.setenv(variable, str(path))
        secret = getattr(settings_of_environment(), name)
        with pytest.raises(WrongUsage) as told:
            secret.get_secret_value()
        assert str(told.value).startswith(f"{variable}: {path} ")
        assert PLANTED not in "".join(traceback.format_exception(told.value))


@pytest.mark.parametrize("text", ["", "x"])
def test_a_secret_is_compared_but_not_shown(text: str) -> None:
    secret: Any = Secret(text)
    assert (bool(secret), secret == Secret(text), secret == Secret("y"), repr(secret)) == (
        bool(text),
        True,
        False,
        "Secret(file='', variable='')",
    )


def test_a_secret_of_a_file_may_come_and_change_while_we_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINNING_FIREFLY_TOKEN_FILE", str(tmp_path / "token"))
    secret = settings_of_environment().firefly_token
    assert secret
    for token in ("first", "second"):
        (tmp_path / "token").write_text(f"{token}\n")
        assert secret.get_secret_value() == token


def test_an_empty_variable_of_what_may_be_left_out_leaves_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "PG_BIN", "INFLUX_URL", "FIREFLY_URL", "MODEL_URL", "SPEECH_URL"):
        monkeypatch.setenv(f"TWINNING_{name}", "")
    assert settings_of_environment() == Settings()
