"""Every TWINNING_* variable: its type, its default, its meaning. Read once, at the top; nothing below reads the environment."""

import os
from functools import cached_property
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import WrongUsage


def _default_home() -> Path:
    return Path(platformdirs.user_data_dir("twinning", appauthor=False))


class Settings(BaseModel):
    """The settings of one installation."""

    model_config = ConfigDict(frozen=True)

    home: Path = Field(
        default_factory=_default_home, description="Folder of inbox, archive, quarantine, db and exports."
    )
    person: str = Field("me", description="Whose files are meant when the command line names nobody.")
    database_url: SecretStr | None = Field(None, description="Postgres to use instead of the embedded one.")
    pg_bin: Path | None = Field(None, description="Folder of the Postgres programs for the embedded database.")
    zone: str = Field("UTC", description="IANA zone of people whose zone nobody has set, and of the schedules.")
    currency: str = Field("XXX", pattern="^[A-Z]{3}$", description="ISO 4217 code where a file names no currency.")
    date_order: Literal["", "DMY", "MDY", "YMD"] = Field(
        "", description="Order of dates that no row of a file decides."
    )
    still_seconds: float = Field(5.0, ge=0, description="How long a dropped file must stay unchanged, seconds.")
    influx_url: str | None = Field(
        None, description="InfluxDB 2 to keep a projection of the series in; none without it."
    )
    influx_token: SecretStr | None = Field(None, description="Its API token.")
    influx_org: str = Field("twinning", description="Its organisation.")
    influx_bucket: str = Field("twinning", description="Its bucket; made if it is missing.")
    firefly_url: str | None = Field(
        None, description="Firefly III 6.6 or newer to keep the bookings in; none without it."
    )
    firefly_token: SecretStr | None = Field(
        None, description="Its personal access token, or `person=token` pairs separated by blanks."
    )
    firefly_attach: bool = Field(
        False, description="`yes`: the original files are attached to the accounts there, each once."
    )
    notify_urls: str = Field("", description="Apprise URLs, separated by blanks, that hear of failed runs.")
    model_url: str | None = Field(
        None, description="Ollama or another server of a language model at home; all works without."
    )
    model: str = Field(
        "", description="Which of its models; by default qwen3.5:4b of Ollama, the only one of other servers."
    )
    model_api: Literal["auto", "ollama", "openai"] = Field(
        "auto", description="Its dialect: that of Ollama, that of OpenAI, or whichever it is found to speak."
    )
    model_token: SecretStr | None = Field(None, description="Its bearer token, where it wants one.")
    model_anywhere: bool = Field(
        False, description="The model server may be outside the home; then words of your days leave it."
    )
    speech_url: str | None = Field(
        None, description="Speech server at home that writes voice notes down (speaches, whisper.cpp); none without it."
    )
    speech_model: str = Field(
        "", description="Its model; without a server, a folder of faster-whisper weights that are used in this process."
    )
    speech_language: str = Field(
        "", description="What people speak: `de`, or `ada=de ben=en`; else the model finds out."
    )
    keep_runs_days: int = Field(60, ge=1, description="How long Dagster keeps its runs and their logs, days.")

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError(f"{zone!r} is not an IANA time zone such as Europe/Zurich")
        return zone

    @classmethod
    def of_environment(cls) -> "Settings":
        """What the TWINNING_* variables say now. Raises ValidationError."""
        variables = {name: f"TWINNING_{name.upper()}" for name in cls.model_fields}
        given = {name: os.environ[variable] for name, variable in variables.items() if variable in os.environ}
        return cls.model_validate(given)

    @cached_property
    def clock(self) -> Clock:
        """What is meant where neither a file nor its owner says otherwise."""
        return Clock.fixed(ZoneInfo(self.zone), self.currency, self.date_order)


def settings_of_environment() -> Settings:
    """What the TWINNING_* variables say now. Raises WrongUsage, which names the wrong ones."""
    try:
        return Settings.of_environment()
    except ValidationError as wrong:
        said = [f"TWINNING_{'_'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in wrong.errors()]
        # Without the original, whose text holds the values themselves.
        raise WrongUsage("; ".join(said)) from None
