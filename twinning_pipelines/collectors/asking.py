"""Requests to a far side that tell nobody a secret, bring no more than is wanted, and go nowhere else.

Secrets travel in URLs here (Flex has its token in the query, SimpleFIN its setup token in the path), and httpx logs
every URL. So while a request is under way nothing of httpx and httpcore is logged, and no exception of theirs, which
holds the request, is chained to ours.
"""

import base64
import logging
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import NamedTuple, Self
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

import httpx
from msgspec import Struct

from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable, TwinningError
from twinning_pipelines.formats.foreign_words import plain

MOST_BYTES = 64 * 1024**2
USER_AGENT = "Twinning/0.1"

_CONNECT_SECONDS, _ANSWER_SECONDS, _BUDGET_SECONDS = 10.0, 120.0, 300.0
_MOST_REDIRECTS = 3
_LOOKED_AT = 16 * 1024
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_LOGGERS = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))
_asking = ContextVar("asking", default=False)


class _Hush(logging.Filter):
    """Lets nothing through while this thread asks with a secret; others are heard as ever."""

    def filter(self, _record: logging.LogRecord) -> bool:
        return not _asking.get()


_HUSH = _Hush()


class Access(NamedTuple):
    """Where to ask, without name and password, and these two."""

    address: str
    username: str
    password: str

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every form in which the password may come back."""
        pair = f"{self.username}:{self.password}"
        encoded = (
            quote(self.username, safe=""),
            quote(self.password, safe=""),
            base64.b64encode(pair.encode()).decode(),
        )
        return (self.username, self.password, pair, *encoded)


class Answer(Struct, frozen=True):
    """What a far side says. wait_seconds: how long it asks to be left alone."""

    status: int
    body: bytes
    wait_seconds: float | None = None


def safe_address(url: str) -> str:
    """The URL of a far side without a slash at its end. Raises ValueError, which does not quote it."""
    try:
        parts = urlsplit(url.strip())
        host, _port = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or "@" in parts.netloc or parts.query or parts.fragment or not url.strip().isprintable():
        raise ValueError("must read https://host/path, without name, password and query")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise ValueError("must begin with https://, for secrets and bookings travel on it")
    return url.strip().rstrip("/")


def access_of(url: str) -> Access:
    """A URL with name and password, taken apart. Raises ValueError, which does not quote it."""
    wanted = "must read https://name:password@host/path"
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        parts = urlsplit("")
    credentials, _, place = parts.netloc.rpartition("@")
    username, _, password = credentials.partition(":")
    if not (username and password and place):
        raise ValueError(wanted)
    address = safe_address(urlunsplit((parts.scheme, place, parts.path, parts.query, parts.fragment)))
    return Access(address, unquote(username), unquote(password))


class Asker:
    """One far side; a `with` block closes its connections.

    secrets: what must not appear in any message, beside name and password of the access.
    FarSideUnavailable means that trying later is right, FarSideRefused that a person has to change something.
    """

    def __init__(
        self,
        address: str,
        *,
        access: Access | None = None,
        secrets: Sequence[str] = (),
        most_bytes: int = MOST_BYTES,
        answer_seconds: float = _ANSWER_SECONDS,
        budget_seconds: float = _BUDGET_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Opens no connection yet. Raises ValueError for an address that is not safe."""
        self._address = safe_address(address)
        self._secrets = (*secrets, *(access.secrets if access else ()))
        self._most_bytes, self._budget_seconds, self._clock = most_bytes, budget_seconds, clock
        self._http = httpx.Client(
            auth=(access.username, access.password) if access else None,
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
            timeout=httpx.Timeout(answer_seconds, connect=min(_CONNECT_SECONDS, answer_seconds)),
            verify=_certificates() if self._address.startswith("https:") else False,
            trust_env=False,
            follow_redirects=False,
        )
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(_HUSH)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        hushed = _asking.set(True)
        self._http.close()
        _asking.reset(hushed)

    @property
    def host(self) -> str:
        """Who is asked, as a person knows it."""
        return urlsplit(self._address).netloc

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not stand in any words of the far side."""
        return self._secrets

    def safe(self, text: str) -> str:
        """Words of the far side, harmless and without our secrets."""
        return plain(text, self._secrets)

    def beginning(self, answer: Answer) -> str:
        """The first words of an answer, for a person to see what it is instead."""
        # Far more than is shown: a secret that was cut in two would not be found.
        return plain(answer.body[:_LOOKED_AT].decode("utf-8", "replace"), self._secrets, longest=80)

    def ask(self, method: str, path: str = "", params: Mapping[str, str] | None = None) -> Answer:
        """One request, whatever the status of its answer. A redirect is followed on the same host alone, and by GET.

        Raises FarSideUnavailable, and FarSideRefused for an answer that is too long, a redirect elsewhere, a certificate
        that nobody vouches for.
        """
        hushed = _asking.set(True)
        try:
            return self._followed(method, self._address + path, params)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as fault:
            trouble = self._trouble(fault)
        finally:
            _asking.reset(hushed)
        # Outside of the handler: a chained exception would bring the URL along.
        raise trouble

    def _followed(self, method: str, url: str, params: Mapping[str, str] | None) -> Answer:
        for _ in range(_MOST_REDIRECTS + 1):
            answer, location = self._once(method, url, params)
            if not location:
                return answer
            target = urljoin(url, location)
            if method != "GET" or _origin(target) != _origin(self._address):
                host = plain(urlsplit(target).hostname or "nowhere", self._secrets)
                raise FarSideRefused(f"{self.host} sends us on to {host}; not followed, for it would learn the secret")
            # Where it leads has its own parameters.
            url, params = target, None
        raise FarSideRefused(f"{self.host} sends us on and on")

    def _once(self, method: str, url: str, params: Mapping[str, str] | None) -> tuple[Answer, str]:
        deadline, body = self._clock() + self._budget_seconds, bytearray()
        with self._http.stream(method, url, params=params) as response:
            for block in response.iter_bytes():
                body += block
                if len(body) > self._most_bytes:
                    raise FarSideRefused(f"{self.host} answers with more than {self._most_bytes / 1024**2:g} MiB")
                if self._clock() > deadline:
                    raise FarSideUnavailable(f"{self.host} is not done answering after {self._budget_seconds:g} s")
            location = response.headers.get("Location", "") if response.is_redirect else ""
            return Answer(response.status_code, bytes(body), _wait(response.headers)), location

    def _trouble(self, fault: Exception) -> TwinningError:
        words = self.safe(str(fault))
        said = f"{type(fault).__name__}: {words}" if words else type(fault).__name__
        if "CERTIFICATE_VERIFY_FAILED" in words:
            return FarSideRefused(f"the certificate of {self.host} is not trusted: {said}")
        return FarSideUnavailable(f"no answer from {self.host}: {said}")


@cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _wait(headers: Mapping[str, str]) -> float | None:
    """Seconds of Retry-After, or until the date in it; None for nonsense and the past."""
    asked = headers.get("Retry-After", "").strip()
    if asked.isdecimal() and len(asked) < 8:
        return float(asked) or None
    try:
        apart = parsedate_to_datetime(asked) - datetime.now(UTC)
    except (TypeError, ValueError):
        return None
    return max(apart.total_seconds(), 0) or None
