"""Every TWINNING_* variable: its type, its default, its meaning. Read once, at the top; nothing below reads the environment.

A secret may stand in a file instead, as containers hand it over: TWINNING_<NAME>_FILE names the file.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.ingest.inbox import named

_YES, _NO = ("1", "on", "t", "true", "y", "yes"), ("0", "off", "f", "false", "n", "no")


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that no print and no log shows; an empty one is false.

    It stands here, or in the file that `variable` names, which is read whenever the secret is asked for: a far side may
    make its token after we started, and another one later.
    """

    _text: str = field(default="", repr=False)
    file: str = ""
    variable: str = ""

    def __bool__(self) -> bool:
        return bool(self._text or self.file)

    def get_secret_value(self) -> str:
        """The text itself; of a file, without the newline at its end. Raises WrongUsage, which names variable and file."""
        if not self.file:
            return self._text
        try:
            return re.sub(r"\r?\n\Z", "", Path(self.file).read_bytes().decode("utf-8"))
        except OSError as wrong:
            raise WrongUsage(f"{self.variable}: {self.file} can't be read: {wrong.strerror}") from None
        except ValueError:
            # Without the original, whose text holds the bytes themselves.
            raise WrongUsage(f"{self.variable}: {self.file} is no UTF-8 text") from None


def _default_home() -> Path:
    import platformdirs  # noqa: PLC0415  (only where TWINNING_HOME is not set)

    return Path(platformdirs.user_data_dir("twinning", appauthor=False))


def _zone(text: str) -> str:
    if text not in available_timezones():
        raise ValueError(f"{text!r} is not an IANA time zone such as Europe/Zurich")
    return text


def _currency(text: str) -> str:
    if not re.fullmatch("[A-Z]{3}", text):
        raise ValueError(f"{text!r} is not an ISO 4217 code such as EUR")
    return text


def _one_of(*allowed: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"{text!r} is none of {', '.join(filter(None, allowed))}")
        return text

    return read


def _yes_or_no(text: str) -> bool:
    if text.lower() not in (*_YES, *_NO):
        raise ValueError(f"{text!r} is neither yes nor no")
    return text.lower() in _YES


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number of seconds") from None
    if not (isfinite(seconds) and seconds >= 0):
        raise ValueError(f"{text!r} is not a number of seconds from 0 up")
    return seconds


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        raise ValueError(f"{text!r} is not a number of whole days from 1 up")
    return int(text)


def _reads(meaning: str, read: Callable[[str], object] = str) -> Mapping[str, object]:
    """What a setting means, and how it is read from the text of its variable: a function that raises ValueError."""
    return {"meaning": meaning, "read": read}


@dataclass(frozen=True)
class Settings:
    """The settings of one installation."""

    home: Path = field(
        default_factory=_default_home, metadata=_reads("Folder of inbox, archive, quarantine, db and exports.", Path)
    )
    person: str = field(
        default="me", metadata=_reads("Whose files are meant when the command line names nobody.", named)
    )
    database_url: Secret | None = field(
        default=None, metadata=_reads("Postgres to use instead of the embedded one.", Secret)
    )
    pg_bin: Path | None = field(
        default=None, metadata=_reads("Folder of the Postgres programs for the embedded database.", Path)
    )
    zone: str = field(
        default="UTC", metadata=_reads("IANA zone of people whose zone nobody has set, and of the schedules.", _zone)
    )
    currency: str = field(default="XXX", metadata=_reads("ISO 4217 code where a file names no currency.", _currency))
    date_order: Literal["", "DMY", "MDY", "YMD"] = field(
        default="", metadata=_reads("Order of dates that no row of a file decides.", _one_of("", "DMY", "MDY", "YMD"))
    )
    still_seconds: float = field(
        default=5.0, metadata=_reads("How long a dropped file must stay unchanged, seconds.", _seconds)
    )
    influx_url: str | None = field(
        default=None, metadata=_reads("InfluxDB 2 to keep a projection of the series in; none without it.")
    )
    influx_token: Secret | None = field(default=None, metadata=_reads("Its API token.", Secret))
    influx_org: str = field(default="twinning", metadata=_reads("Its organisation."))
    influx_bucket: str = field(default="twinning", metadata=_reads("Its bucket; made if it is missing."))
    firefly_url: str | None = field(
        default=None, metadata=_reads("Firefly III 6.6 or newer to keep the bookings in; none without it.")
    )
    firefly_token: Secret | None = field(
        default=None, metadata=_reads("Its personal access token, or `person=token` pairs separated by blanks.", Secret)
    )
    firefly_attach: bool = field(
        default=False,
        metadata=_reads("`yes`: the original files are attached to the accounts there, each once.", _yes_or_no),
    )
    notify_urls: Secret = field(
        default=Secret(), metadata=_reads("Apprise URLs, separated by blanks, that hear of failed runs.", Secret)
    )
    model_url: str | None = field(
        default=None, metadata=_reads("Ollama or another server of a language model at home; all works without.")
    )
    model: str = field(
        default="",
        metadata=_reads("Which of its models; by default qwen3.5:4b of Ollama, the only one of other servers."),
    )
    model_api: Literal["auto", "ollama", "openai"] = field(
        default="auto",
        metadata=_reads(
            "Its dialect: that of Ollama, that of OpenAI, or whichever it is found to speak.",
            _one_of("auto", "ollama", "openai"),
        ),
    )
    model_token: Secret | None = field(default=None, metadata=_reads("Its bearer token, where it wants one.", Secret))
    model_anywhere: bool = field(
        default=False,
        metadata=_reads("The model server may be outside the home; then words of your days leave it.", _yes_or_no),
    )
    speech_url: str | None = field(
        default=None,
        metadata=_reads("Speech server at home that writes voice notes down (speaches, whisper.cpp); none without it."),
    )
    speech_model: str = field(
        default="",
        metadata=_reads(
            "Its model; without a server, a folder of faster-whisper weights that are used in this process."
        ),
    )
    speech_language: str = field(
        default="", metadata=_reads("What people speak: `de`, or `ada=de ben=en`; else the model finds out.")
    )
    keep_runs_days: int = field(
        default=60, metadata=_reads("How long Dagster keeps its runs and their logs, days.", _days)
    )

    @cached_property
    def clock(self) -> Clock:
        """What is meant where neither a file nor its owner says otherwise."""
        return Clock.fixed(ZoneInfo(self.zone), self.currency, self.date_order)


def variable_of(setting: Field[Any]) -> str:
    """The variable that a setting is read from."""
    return _variable(setting.name)


def is_secret(setting: Field[Any]) -> bool:
    """Whether a setting may come as a file: then its variable with `_FILE` behind it names the file."""
    return setting.metadata["read"] is Secret


def is_given(name: str) -> bool:
    """Whether the environment says something of a setting, be it only its default."""
    return _variable(name) in os.environ


def _variable(name: str) -> str:
    return f"TWINNING_{name.upper()}"


def settings_of_environment() -> Settings:
    """What the TWINNING_* variables say now. Raises WrongUsage, which names all that are wrong, and tells no secret."""
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for setting in fields(Settings):
        variable = variable_of(setting)
        try:
            if is_secret(setting):
                value: object = _secret(variable)
            else:
                value = _read(setting, os.environ.get(variable))
            if value is not None:
                values[setting.name] = value
        except WrongUsage as fault:
            wrong.append(str(fault))
        except ValueError as fault:
            wrong.append(f"{variable}: {fault}")
    if wrong:
        raise WrongUsage("; ".join(wrong))
    return Settings(**values)


def _read(setting: Field[Any], text: str | None) -> object:
    """None where nothing is given: Compose hands over an empty variable where nothing is set.

    An empty home is the usual one, and not the folder where we happen to be.
    """
    if text is None or (text == "" and setting.default in (None, MISSING)):
        return None
    value: object = setting.metadata["read"](text)
    return value


def _secret(variable: str) -> Secret | None:
    """A secret from its variable, or from the file that the variable with `_FILE` names; an empty `_FILE` names none."""
    text, file = os.environ.get(variable), os.environ.get(f"{variable}_FILE")
    if not file:
        return Secret(text) if text else None
    if text:
        raise WrongUsage(f"{variable} and {variable}_FILE are both set; keep one of them")
    return Secret(file=file, variable=f"{variable}_FILE")
