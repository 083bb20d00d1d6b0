"""Where a model may live: at home. Addresses of this machine, of the house's network, of a tunnel between one's own machines.

What counts is the address that a connection leads to, looked at before anything is sent. Of names, only those count that
nobody outside can own: in a house with IPv6 a `.local` machine may well have an address that all the world could reach.
"""

from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

# This machine; private networks, containers and their host among them; link-local; carrier-grade (Tailscale); their IPv6 kin.
_HOME = tuple(
    map(
        ip_network,
        (
            *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"),
            *("::1/128", "fc00::/7", "fe80::/10"),
        ),
    )
)

# Of RFC 6761, 6762 and 8375, and ICANN's for private use (host.docker.internal): the public name system has none of them.
_HOME_NAMES = ("localhost", "local", "internal", "home.arpa")


def server_address(url: str) -> str:
    """The URL of a model server, without the slash or the /v1 at its end. Raises ValueError, which does not quote it."""
    try:
        parts = urlsplit(url.strip())
        host, _port = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.scheme not in {"http", "https"} or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must read http://host:port, without name, password and query")
    if not url.strip().isprintable() or " " in url.strip():
        raise ValueError("must read http://host:port, without blanks")
    # Servers of either dialect are often written with the /v1 of one of them.
    return url.strip().rstrip("/").removesuffix("/v1").rstrip("/")


def is_home_name(host: str) -> bool:
    """Whether a host's name is one that means a machine of the house wherever it leads."""
    name = host.lower().rstrip(".")
    return any(name == each or name.endswith(f".{each}") for each in _HOME_NAMES)


def is_at_home(address: str) -> bool:
    """Whether an IP address, as text, belongs to this machine or to a private network."""
    try:
        found = ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found.version == network.version and found in network for network in _HOME)
