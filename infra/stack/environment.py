"""infra/.env: what differs from home to home. Read, made from the example, completed; never overwritten."""

from __future__ import annotations

import errno
import ipaddress
import os
import platform
import re
import zoneinfo
from collections.abc import Mapping
from pathlib import Path

NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}\Z")
DOMAIN = re.compile(r"(?=.{4,190}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}\Z")
EMAIL = re.compile(r"[^@\s\"'\\#$]+@[^@\s\"'\\#$]+\.[^@\s\"'\\#$]+\Z")
ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*\Z")
LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)\Z")
PROFILES = ("core", "monitoring", "edge", "ai", "ai-pull", "backup", "scale")
PLACES = ("mac", "vps")
TLS = ("acme-http", "local-ca")


def parse(text: str) -> dict[str, str]:
    """The settings of an .env file, as Compose reads such simple ones."""
    settings = {}
    for line in text.splitlines():
        found = LINE.match(line)
        if found and not line.lstrip().startswith("#"):
            value = found[2].strip()
            if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
                value = value[1:-1]
            else:
                value = re.sub(r"(^|\s)#.*", "", value).strip()
            settings[found[1]] = value
    return settings


def read(file: Path) -> dict[str, str]:
    """The settings of a file; none if it is not there. Raises OSError, also for what is no text."""
    if not file.exists():
        return {}
    try:
        # Some editors put a mark before the first letter, which Compose looks past as well.
        return parse(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise OSError(errno.EILSEQ, "is not written in UTF-8", str(file)) from None


def here() -> dict[str, str]:
    """What this machine tells about itself."""
    found = {
        "TWINNING_PLACE": "mac" if platform.system() == "Darwin" else "vps",
        "TWINNING_CPUS": str(min(os.cpu_count() or 1, 4)),
    }
    try:
        target = str(Path("/etc/localtime").readlink())
    except OSError:
        target = ""
    zone = target.partition("zoneinfo/")[2].replace("Etc/UTC", "UTC")
    if zone and ZONE.match(zone):
        found["TWINNING_ZONE"] = zone
    if found["TWINNING_PLACE"] == "mac":
        # There the model runs on macOS itself, and nothing is open to the internet.
        found["TWINNING_PUBLIC"] = "127.0.0.1"
    return found


def filled(example: str, values: Mapping[str, str]) -> str:
    """The example with these values in place of its own."""
    lines = []
    for line in example.splitlines():
        found = LINE.match(line)
        name = found[1] if found and not line.lstrip().startswith("#") else ""
        lines.append(f"{name}={values[name]}" if name in values else line)
    return "\n".join(lines) + "\n"


def missing(example: str, present: Mapping[str, str], values: Mapping[str, str]) -> str:
    """The lines that an older file lacks, with what is said about each in the example."""
    lines: list[str] = []
    about: list[str] = []
    for line in example.splitlines():
        found = LINE.match(line)
        if line.startswith("#"):
            about.append(line)
        elif found and found[1] not in present:
            lines += ["", *about, f"{found[1]}={values.get(found[1], found[2])}"]
            about = []
        else:
            about = []
    return "\n".join(lines) + "\n" if lines else ""


def write(file: Path, text: str) -> None:
    """Writes the file whole or not at all, readable by its owner only: addresses of news may hold tokens."""
    new = file.with_name(f"{file.name}.{os.getpid()}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def faults(settings: Mapping[str, str]) -> list[str]:
    """What is wrong with the settings, one sentence each."""
    found = [
        _one_of(settings, "TWINNING_PLACE", PLACES),
        _one_of(settings, "TWINNING_TLS", TLS),
        _like(settings, "TWINNING_OWNER", NAME, "a name of small letters and digits"),
        _like(settings, "TWINNING_OWNER_EMAIL", EMAIL, "an e-mail address"),
        _like(settings, "TWINNING_DOMAIN", DOMAIN, "a domain name such as home.example.org"),
        _zone(settings),
        _like(settings, "TWINNING_CURRENCY", re.compile(r"[A-Z]{3}\Z"), "a currency of three capital letters"),
        _one_of(settings, "TWINNING_DATE_ORDER", ("", "DMY", "MDY", "YMD")),
        _bind(settings.get("TWINNING_BIND", "")),
        _subnet(
            settings.get("TWINNING_SUBNET", ""),
            settings.get("TWINNING_SUBNET_RANGE", ""),
            settings.get("TWINNING_NGINX_ADDRESS", ""),
        ),
    ]
    people = settings.get("TWINNING_PEOPLE", "").split()
    found += [] if people else ["TWINNING_PEOPLE names nobody"]
    found += [
        f"TWINNING_PEOPLE: {person!r} is no name of small letters, digits, _ and -, beginning with a letter"
        for person in people
        if not NAME.match(person)
    ]
    profiles = settings.get("TWINNING_PROFILES", "").replace(",", " ").split()
    found += [
        f"TWINNING_PROFILES: {name!r} is none of {', '.join(PROFILES)}" for name in profiles if name not in PROFILES
    ]
    if settings.get("TWINNING_TLS") == "acme-http" and settings.get("TWINNING_DOMAIN", "").endswith(
        (".home.arpa", ".local")
    ):
        found.append("TWINNING_TLS=acme-http wants a domain of the internet; TWINNING_DOMAIN is one of the home")
    return [fault for fault in found if fault]


def _one_of(settings: Mapping[str, str], name: str, words: tuple[str, ...]) -> str | None:
    value = settings.get(name, "")
    return None if value in words else f"{name} is {value!r}; it is one of {', '.join(filter(None, words))}"


def _like(settings: Mapping[str, str], name: str, pattern: re.Pattern[str], what: str) -> str | None:
    value = settings.get(name, "")
    return None if pattern.match(value) else f"{name} is {value!r}, not {what}"


def _zone(settings: Mapping[str, str]) -> str | None:
    """A machine may know no zones at all; then any is taken that looks like one."""
    known = zoneinfo.available_timezones()
    if known and settings.get("TWINNING_ZONE", "") not in known:
        return f"TWINNING_ZONE is {settings.get('TWINNING_ZONE', '')!r}, not a time zone such as Europe/Zurich"
    return _like(settings, "TWINNING_ZONE", ZONE, "a time zone such as Europe/Zurich")


def _bind(value: str) -> str | None:
    """The doors have no log-in: they are on this machine's own address or one of a private network."""
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return f"TWINNING_BIND is {value!r}, not an address such as 127.0.0.1"
    if address.version == 6:
        return f"TWINNING_BIND is {value!r}; an address of IPv4 is wanted"
    if address.is_unspecified:
        return f"TWINNING_BIND={value} opens doors without a log-in to everybody; use 127.0.0.1 or the address in WireGuard"
    shared = ipaddress.ip_network("100.64.0.0/10")
    if not (address.is_private or address.is_loopback or address in shared):
        return f"TWINNING_BIND={value} is an address of the internet; the doors there have no log-in"
    return None


def _subnet(subnet: str, given_out: str, address: str) -> str | None:
    """Others trust what comes from nginx' address, so it has to be one of the stack's own network, which is private.

    Addresses are given out from a part of it that nginx' is not in.
    """
    try:
        network, nginx = ipaddress.ip_network(subnet), ipaddress.ip_address(address)
        others = ipaddress.ip_network(given_out)
    except ValueError as problem:
        return f"TWINNING_SUBNET, TWINNING_SUBNET_RANGE, TWINNING_NGINX_ADDRESS are no networks and address: {problem}"
    if not network.is_private or network.num_addresses < 64:
        return f"TWINNING_SUBNET={subnet} is no private network with room for the services"
    if nginx not in network or nginx == network.network_address + 1:
        return f"TWINNING_NGINX_ADDRESS={address} is no address of TWINNING_SUBNET={subnet}, or that of its gateway"
    if others.version != network.version or not others.subnet_of(network) or nginx in others:  # type: ignore[arg-type]
        return f"TWINNING_SUBNET_RANGE={given_out} is no part of TWINNING_SUBNET={subnet}, or holds {address} of nginx"
    return None
