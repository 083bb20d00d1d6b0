"""What the clients of far sides share: whose certificates they trust, and how long a server asks them to wait."""

import ssl
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import cache


@cache
def certificates() -> ssl.SSLContext:
    """The authorities that this machine trusts, loaded once."""
    return ssl.create_default_context()


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of Retry-After, a date being by the server's own clock; None for nonsense and the past."""
    asked = headers.get("Retry-After", "")
    if asked.isdecimal():
        return float(asked) or None
    try:
        apart = parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return max(apart.total_seconds(), 0) or None
