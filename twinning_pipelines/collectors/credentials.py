"""The file of secrets, `collectors.yaml`: who is asked for whom, and with which secret.

    - person: ada
      simplefin: {access_url: "https://name:password@bridge.example/simplefin"}
    - person: ben
      name: trades            # tells two of one kind apart
      ibkr_flex: {token: "…", query: "123456"}

Only its owner may read it (mode 0600). Errors name the entry and the key, never a value. Every scalar is read as the
text that stands there: YAML would take a token of digits for a number and lose its zeros.
"""

import os
import re
import stat
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import ClassVar

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from twinning_pipelines.collectors.asking import access_of, safe_address
from twinning_pipelines.collectors.logbook import replace_file
from twinning_pipelines.errors import WrongUsage

FLEX_ADDRESS = "https://ndcdyn.interactivebrokers.com/AccountManagement/FlexWebService"
_KEY = re.compile("[a-z_]{1,20}")


class _Strict(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SimpleFinAccess(_Strict):
    """A SimpleFIN bridge. access_url: what a setup token was exchanged for.

    since: the first day that is asked for (at most 366 days back), else 90 days ago. overlap_days: how far each visit
    looks back behind the one before, for what banks book late. pending: also what is announced and not yet booked.
    """

    access_url: SecretStr
    since: date | None = None
    overlap_days: int = Field(14, ge=1, le=40)
    pending: bool = True

    @field_validator("access_url")
    @classmethod
    def _is_an_access_url(cls, url: SecretStr) -> SecretStr:
        access_of(url.get_secret_value())
        return url


class FlexAccess(_Strict):
    """The Flex web service. query: the id of an activity query whose format is XML."""

    token: SecretStr = Field(min_length=8)
    query: str = Field(pattern=r"^\d{1,20}$")
    address: str = FLEX_ADDRESS

    @field_validator("address")
    @classmethod
    def _is_safe(cls, address: str) -> str:
        return safe_address(address)


class Entry(_Strict):
    """What one person has. `person` is a folder of the inbox, `name` a part of one."""

    person: str = Field(pattern=r"^\w[\w @+.-]{0,62}\w$|^\w$")
    name: str = Field("", pattern=r"^[\w-]{0,40}$")
    simplefin: SimpleFinAccess | None = None
    ibkr_flex: FlexAccess | None = None

    @model_validator(mode="after")
    def _has_something(self) -> "Entry":
        if self.simplefin is None and self.ibkr_flex is None:
            raise ValueError("names no provider: simplefin or ibkr_flex")
        return self

    @property
    def kinds(self) -> tuple[str, ...]:
        """The providers that it names."""
        return tuple(kind for kind in ("simplefin", "ibkr_flex") if getattr(self, kind) is not None)


_ENTRIES = TypeAdapter(list[Entry])


# YAML without guesses: every scalar is a text.
_Texts: type[yaml.SafeLoader] = type("_Texts", (yaml.SafeLoader,), {"yaml_implicit_resolvers": {}})


def read(path: Path) -> list[Entry]:
    """The entries; none where there is no file. Raises WrongUsage."""
    return _checked(path, _documents(path, _text(path)))


def add(path: Path, person: str, name: str, kind: str, values: Mapping[str, str], *, replace: bool = False) -> None:
    """Writes a provider into the file, beside what is there; `replace` puts it in the place of the one that is.

    Comments stay unless something is replaced. Raises WrongUsage.
    """
    text = _text(path)
    documents = _documents(path, text)
    _checked(path, documents)
    wanted = {"person": person} | ({"name": name} if name else {})
    old = [each for each in documents if (each["person"], each.get("name", ""), kind in each) == (person, name, True)]
    if old and not replace:
        raise WrongUsage(f"{person} has {kind} already; `--replace` puts the new one in its place")
    if old:
        known = old[0][kind]
        assert isinstance(known, dict)
        old[0][kind] = known | dict(values)
        told = _written(documents)
    else:
        told = (f"{text.rstrip()}\n" if text.strip() else "") + _written([wanted | {kind: dict(values)}])
        documents = [*documents, wanted | {kind: dict(values)}]
        if not _says(told, documents):
            # Somebody's own way to write the list can't be added to.
            told = _written(documents)
    _checked(path, documents)
    replace_file(path, told.encode())


def rehearse(path: Path, person: str, name: str, kind: str, *, replace: bool) -> None:
    """Everything that `add` may fall over, before a token is spent that works but once. Raises WrongUsage or OSError."""
    found = [entry for entry in read(path) if (entry.person, entry.name) == (person, name) and kind in entry.kinds]
    if found and not replace:
        raise WrongUsage(f"{person} has {kind} already; `--replace` puts the new one in its place")
    try:
        Entry.model_validate({"person": person, "name": name, "ibkr_flex": {"token": "rehearsal", "query": "1"}})
    except ValidationError as wrong:
        said = _said(wrong)
    else:
        said = ""
    if said:
        raise WrongUsage(said)
    trial = path.with_name(f".{path.name}-rehearsal")
    replace_file(trial, b"")
    trial.unlink()


def _text(path: Path) -> str:
    """What stands in the file. Raises WrongUsage when others than its owner may read it."""
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            data = stream.read()
    except FileNotFoundError:
        return ""
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise WrongUsage(f"{path} holds secrets and others may open it (mode {stat.S_IMODE(mode):04o}): chmod 600 it")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        wrong = f"{path} is not UTF-8"
    raise WrongUsage(wrong)


def _documents(path: Path, text: str) -> list[dict[str, object]]:
    """The list in the file as it stands there. Raises WrongUsage, with the line and without the text."""
    try:
        found = _documents_of(text)
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
    else:
        if isinstance(found, list) and all(isinstance(each, dict) for each in found):
            return found
        where = ""
    # Outside of the handler: the fault quotes the line.
    raise WrongUsage(f"{path}{where}: must be a YAML list of entries, each with `person` and a provider")


def _documents_of(text: str) -> object:
    loader = _Texts(text)
    try:
        return loader.get_single_data() or []
    finally:
        loader.dispose()


def _says(text: str, documents: list[dict[str, object]]) -> bool:
    try:
        return _documents_of(text) == documents
    except yaml.YAMLError:
        return False


def _checked(path: Path, documents: list[dict[str, object]]) -> list[Entry]:
    try:
        entries = _ENTRIES.validate_python(documents)
    except ValidationError as wrong:
        said = _said(wrong)
    else:
        keys = [(entry.person, entry.name, kind) for entry in entries for kind in entry.kinds]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is None:
            return entries
        said = f"{twice[0]} has {twice[2]} twice: tell them apart by `name`"
    raise WrongUsage(f"{path}: {said}")


def _said(wrong: ValidationError) -> str:
    """Entries by number, keys by name. A key that looks like none of ours may be a secret at the wrong place."""
    told = []
    for each in wrong.errors(include_input=False, include_context=False, include_url=False):
        where = [_place(part) for part in each["loc"]]
        told.append(f"{'.'.join(where)}: {each['msg']}" if where else each["msg"])
    return "; ".join(told)


def _place(part: int | str) -> str:
    if isinstance(part, int):
        return f"entry {part + 1}"
    return part if _KEY.fullmatch(part) else "(a key)"


def _written(documents: list[dict[str, object]]) -> str:
    return str(yaml.safe_dump(documents, sort_keys=False, allow_unicode=True, width=10_000))
