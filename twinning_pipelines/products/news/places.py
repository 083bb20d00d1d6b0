"""Where an address stands: at home, or with somebody else."""

import ipaddress
from urllib.parse import SplitResult, parse_qs, urlsplit

_HOME_ENDINGS = (".local", ".lan", ".home", ".home.arpa", ".internal", ".localhost")
# Addresses that a private overlay network hands out.
_SHARED = ipaddress.ip_network("100.64.0.0/10")
# Kinds of Apprise URLs whose host is where the words go; of the others it may be a token or an account.
_WITH_HOST = frozenset({"json", "xml", "form", "gotify", "hassio", "ntfy", "mqtt"})


def stands_at_home(host: str) -> bool:
    """Is it this machine, a private address, or a name that only a home network knows?"""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.lower().rstrip(".")
        return name == "localhost" or name.endswith(_HOME_ENDINGS) or (bool(name) and "." not in name)
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.is_loopback or mapped.is_private or (mapped.version == 4 and mapped in _SHARED)


def apprise_stays_at_home(url: str) -> bool:
    """Does an Apprise URL surely lead to a host at home? Where in doubt it does not."""
    parts = split(url)
    scheme = parts.scheme.lower()
    if scheme.removesuffix("s") not in _WITH_HOST or not parts.hostname or not stands_at_home(parts.hostname):
        return False
    # `ntfy://topic` names a topic on the public server, not a host.
    asked = parse_qs(parts.query).get("mode", [""])[0].lower()
    return not scheme.startswith("ntfy") or (parts.path.strip("/") != "" and "cloud".find(asked or "-") != 0)


def split(url: str) -> SplitResult:
    """A URL in parts; empty ones where it is none."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        return urlsplit("")
    return parts
