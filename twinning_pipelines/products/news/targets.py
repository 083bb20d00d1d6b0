"""`news.yaml`: who hears of what, where, and when not.

    link: "http://twinning.lan:3000"           # sent along, if you like
    targets:
      - name: phone                            # how lists call it; its address stands nowhere but here
        person: ada                            # whose news; without it those of the house
        apprise: "ntfy://ntfy.lan/ada"
        kinds: [summary, payment_missing]      # default: all of a person; run_failed for the house
        quiet: "22:00-07:00"                   # by the person's own clock
        details: true                          # bodies too; default: only where the address stands at home
      - name: hub
        person: ben
        webhook: {url: "https://hub.example/twinning", secret: "at least sixteen letters"}

Only its owner may read it (mode 0600). Errors name the line and the key, never a value.
"""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from datetime import time
from pathlib import Path
from typing import ClassVar, Literal, get_args

import yaml
from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.products.news.channels import AppriseChannel, Channel, WebhookChannel
from twinning_pipelines.products.news.places import apprise_stays_at_home, split, stands_at_home

FILE = "news.yaml"
Kind = Literal[
    "run_failed",
    "summary",
    "file_rejected",
    "balance_gap",
    "payment_missing",
    "budget_used_up",
    "goal_reached",
    "limit_passed",
    "unusual",
    "source_silent",
]
# The weightiest first: of a burst these are told one by one.
KINDS: tuple[Kind, ...] = get_args(Kind)
OF_THE_HOUSE: frozenset[Kind] = frozenset({"run_failed"})
OF_A_PERSON: frozenset[Kind] = frozenset(KINDS) - OF_THE_HOUSE

_QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_DEEPEST = 6


class Quiet(Struct, frozen=True):
    """Hours of the day in which nothing is sent; they may go over midnight."""

    since: time
    until: time

    def holds(self, wall: time) -> bool:
        """Is it quiet at this time of the day?"""
        if self.since <= self.until:
            return self.since <= wall < self.until
        return wall >= self.since or wall < self.until


class Target(Struct, frozen=True):
    """Somewhere that a person, or the house, hears of news. `channel` holds what is secret."""

    name: str
    person: str | None
    kinds: frozenset[Kind]
    details: bool
    quiet: Quiet | None
    channel: Channel

    def wants(self, kind: str, person: str | None) -> bool:
        """Does it want news of a kind about somebody? Those of the house go to whoever asks for them."""
        return kind in self.kinds and (person is None or person == self.person)


class Audience(Struct, frozen=True):
    """Everybody who hears something. problem: why `news.yaml` can't be used; then only the settings' own targets hear."""

    targets: tuple[Target, ...] = ()
    link: str = ""
    problem: str = ""


class _Strict(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _Webhook(_Strict):
    url: SecretStr
    secret: SecretStr = Field(min_length=16, max_length=500)

    @field_validator("url")
    @classmethod
    def _can_be_posted_to(cls, url: SecretStr) -> SecretStr:
        text = url.get_secret_value().strip()
        parts = split(text)
        host = parts.hostname
        if not host or not text.isascii() or not text.isprintable() or " " in text or "@" in parts.netloc:
            raise ValueError("must read https://host/path, without name and password")
        if parts.scheme != "https" and not (parts.scheme == "http" and stands_at_home(host)):
            raise ValueError("must begin with https:// (http:// will do for a host at home)")
        return url


class _Entry(_Strict):
    name: str = Field(pattern=r"^[\w-]{1,40}$")
    person: str | None = Field(None, pattern=r"^\w[\w @+.-]{0,62}\w$|^\w$")
    apprise: SecretStr | None = None
    webhook: _Webhook | None = None
    kinds: frozenset[Kind] | None = None
    quiet: str = ""
    details: bool | None = None

    @field_validator("quiet")
    @classmethod
    def _are_hours(cls, quiet: str) -> str:
        if quiet and _QUIET.fullmatch(quiet) is None:
            raise ValueError('must read "22:00-07:00"')
        return quiet

    @model_validator(mode="after")
    def _has_one_way_out(self) -> "_Entry":
        if (self.apprise is None) == (self.webhook is None):
            raise ValueError("needs one of apprise and webhook")
        return self

    def target(self) -> Target:
        """The target that it describes."""
        if self.webhook is not None:
            channel: Channel = WebhookChannel(self.webhook.url, self.webhook.secret)
            at_home = stands_at_home(split(self.webhook.url.get_secret_value()).hostname or "")
        else:
            assert self.apprise is not None
            channel = AppriseChannel(self.apprise)
            at_home = apprise_stays_at_home(self.apprise.get_secret_value())
        numbers = _QUIET.fullmatch(self.quiet)
        quiet = None
        if numbers is not None:
            hours = [int(each) for each in numbers.groups()]
            quiet = Quiet(time(hours[0], hours[1]), time(hours[2], hours[3]))
        kinds = self.kinds if self.kinds is not None else (OF_A_PERSON if self.person else OF_THE_HOUSE)
        details = at_home if self.details is None else self.details
        return Target(self.name, self.person, kinds, details, quiet, channel)


class _File(_Strict):
    link: str = Field("", pattern=r"^(https?://[^\s@]{1,300})?$")
    targets: tuple[_Entry, ...] = ()


_OURS = frozenset(name for model in (_File, _Entry, _Webhook) for name in model.model_fields)

# YAML without guesses: every scalar is a text.
_Texts: type[yaml.SafeLoader] = type("_Texts", (yaml.SafeLoader,), {"yaml_implicit_resolvers": {}})


def audience_of(home: Path, notify_urls: Sequence[str]) -> Audience:
    """Who hears of what: the targets of `news.yaml`, and the URLs of the settings, which hear of failed runs."""
    ours = tuple(
        Target(f"notify-url-{place}", None, OF_THE_HOUSE, True, None, AppriseChannel(SecretStr(url)))
        for place, url in enumerate(notify_urls, start=1)
    )
    try:
        read = read_file(home / FILE)
    except WrongUsage as wrong:
        return Audience(ours, problem=str(wrong))
    return Audience((*ours, *read.targets), read.link)


def read_file(path: Path) -> Audience:
    """What `news.yaml` says; nobody where there is no file. Raises WrongUsage, with line and key, without any value."""
    text = _text(path)
    wrong, entries = "", _File()
    try:
        document, lines = _document(text)
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        wrong = f"{f'line {mark.line + 1}: ' if mark else ''}is not YAML, or too deep"
    else:
        try:
            entries = _File.model_validate(document if document is not None else {})
        except ValidationError as faults:
            wrong = _said(faults, lines)
    if not wrong:
        names = [entry.name for entry in entries.targets]
        twice = next((place for place, name in enumerate(names) if name in names[:place]), None)
        if twice is None:
            return Audience(tuple(entry.target() for entry in entries.targets), entries.link)
        wrong = f"line {lines.get(('targets', twice), 0)}: name: another target is called so"
    # Outside of the handlers: the faults quote what stands in the file.
    raise WrongUsage(f"{path.name}: {wrong}")


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            data = stream.read()
    except FileNotFoundError:
        return ""
    except OSError as fault:
        wrong = f"{path.name} can't be opened: {fault.strerror}"
    else:
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            said = f"{path.name} holds secrets and others may open it (mode {stat.S_IMODE(mode):04o}): chmod 600 it"
            raise WrongUsage(said)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            wrong = f"{path.name} is not UTF-8"
    raise WrongUsage(wrong)


_Place = tuple[int | str, ...]


def _document(text: str) -> tuple[object, dict[_Place, int]]:
    """What stands in the file, and on which line each of its keys. Raises YAMLError."""
    loader = _Texts(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, {}
        lines = dict(_lines(node, ()))
        return loader.construct_document(node), lines
    finally:
        loader.dispose()


def _lines(node: yaml.Node, place: _Place) -> Iterator[tuple[_Place, int]]:
    if len(place) > _DEEPEST:
        raise yaml.YAMLError("too deep")
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*place, str(key.value))
            yield from _lines(value, below)
            yield below, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _lines(value, (*place, number))


def _said(faults: ValidationError, lines: dict[_Place, int]) -> str:
    """Each fault with its line and key. A key that is none of ours may be a secret at the wrong place."""
    told = []
    for each in faults.errors(include_input=False, include_context=False, include_url=False):
        place = each["loc"]
        found = next((place[:end] for end in range(len(place), -1, -1) if place[:end] in lines), ())
        names = [part if part in _OURS else "(a key)" for part in place if isinstance(part, str)]
        where = f"line {lines.get(found, 1)}: " + "".join(f"{name}: " for name in names[-1:])
        told.append(where + each["msg"].removeprefix("Value error, "))
    return "; ".join(told)


BEGINNING = """\
# Who hears of what. Only its owner may read this file (mode 0600); nothing in it is ever logged or stored elsewhere.
# `twinning news test` sends a word to every target.

# Sent along with every word, if you like: where your dashboard stands.
# link: "http://twinning.lan:3000"

targets: []
#  - name: phone                 # how lists call it
#    person: ada                 # whose news; without it those of the house (failed runs)
#    apprise: "ntfy://ntfy.lan/ada"            # any Apprise URL
#    kinds: [summary, payment_missing]         # default: all of these
#      # {kinds}
#    quiet: "22:00-07:00"        # nothing is sent in these hours of the person's day; it waits
#    details: true               # bodies as well: names, amounts, figures. Default: only to hosts at home
#  - name: hub
#    person: ada
#    webhook: {{url: "https://hub.example/twinning", secret: "at least sixteen letters"}}
""".format(kinds=", ".join(KINDS))


def write_beginning(path: Path) -> None:
    """Writes a commented file to begin with. Raises WrongUsage where there is one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(BEGINNING)
        return
    raise WrongUsage(f"{path} is there already")
