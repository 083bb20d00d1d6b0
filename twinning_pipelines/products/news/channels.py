"""The two ways out: Apprise URLs and signed webhooks. Each says what became of one delivery, and raises nothing.

A webhook gets a POST of JSON with

    X-Twinning-Timestamp: 1795770000
    X-Twinning-Signature: sha256=HMAC-SHA256(secret, timestamp + "." + body), in hex
    X-Twinning-Delivery: a UUID, the same at every try of one delivery

so that a receiver can tell who sent it, refuse what is old, and know again what it has seen.

What is secret stands in URLs here, so nothing that Apprise and its libraries log while they send is let through, and
no words of an exception are passed on.
"""

import hashlib
import hmac
import http.client
import json
import logging
import ssl
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from msgspec import Struct
from pydantic import SecretStr

from twinning_pipelines.products.news.places import split

VERSION = 1
USER_AGENT = "Twinning/0.1"
# A whole delivery, name look-up and trickling answers included; and the longest silence on its socket.
SECONDS, _SILENCE = 10.0, 5.0
_MOST_ANSWER = 4096
_LONGEST_WAIT = 86_400.0
_LOGGERS = (
    "apprise",
    "requests",
    "urllib3.connectionpool",
    "urllib3.connection",
    "urllib3.util.retry",
    "requests_oauthlib.oauth2_session",
    "asyncio",
)
_sending = ContextVar("sending", default=False)


class Parcel(Struct, frozen=True):
    """One delivery of one piece of news. body: None where only the title may go."""

    delivery: UUID
    news_id: int
    kind: str
    person: str | None
    title: str
    body: str | None
    made_at: datetime
    link: str = ""


class Outcome(NamedTuple):
    """What became of a try. retry: later, after `wait_seconds` at least; refused: not this one; gone: nothing ever again."""

    state: Literal["delivered", "retry", "refused", "gone"]
    problem: str = ""
    wait_seconds: float = 0.0


class Channel(Protocol):
    """A way out."""

    def send(self, parcel: Parcel) -> Outcome:
        """Tries once, within some ten seconds. Raises nothing."""


class AppriseChannel(Struct, frozen=True):
    """One Apprise URL."""

    url: SecretStr
    seconds: float = SECONDS

    def send(self, parcel: Parcel) -> Outcome:
        """Tries once. Relays make odd things of an empty message: without a body the title is the message."""
        title, body = parcel.title, parcel.body
        if not body:
            title, body = "Twinning", title
        if parcel.link:
            body = f"{body}\n{parcel.link}"
        return bounded(lambda: _by_apprise(self.url.get_secret_value(), title, body), self.seconds)


class WebhookChannel(Struct, frozen=True):
    """One webhook."""

    url: SecretStr
    secret: SecretStr
    seconds: float = SECONDS
    clock: Callable[[], float] = time.time

    def send(self, parcel: Parcel) -> Outcome:
        """Tries once. Redirects are not followed."""
        body = json.dumps(_document(parcel), ensure_ascii=False).encode()
        stamp = str(int(self.clock()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": USER_AGENT,
            "Connection": "close",
            "X-Twinning-Timestamp": stamp,
            "X-Twinning-Signature": signature(self.secret.get_secret_value(), stamp, body),
            "X-Twinning-Delivery": str(parcel.delivery),
        }
        url = self.url.get_secret_value()
        return bounded(lambda: _post(url, body, headers), self.seconds)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What stands in X-Twinning-Signature."""
    return "sha256=" + hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def bounded(send: Callable[[], Outcome], seconds: float) -> Outcome:
    """Waits so long for a try and no longer, whatever it hangs in; a late end of it is not heard."""
    heard: list[Outcome] = []

    def run() -> None:
        _sending.set(True)
        try:
            heard.append(send())
        except Exception as fault:  # noqa: BLE001  (told by its type alone: its words may quote the URL)
            heard.append(Outcome("retry", f"could not be sent: {type(fault).__name__}"))

    thread = threading.Thread(target=run, name="news", daemon=True)
    thread.start()
    thread.join(seconds)
    return heard[0] if heard else Outcome("retry", f"no answer within {seconds:g} s")


def _by_apprise(url: str, title: str, body: str) -> Outcome:
    _hush()
    import apprise  # noqa: PLC0415  (half a second that only news should cost)

    service = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False))
    if not service.add(url):
        return Outcome("refused", "Apprise can't read the URL")
    if service.notify(title=title, body=body):
        return Outcome("delivered")
    return Outcome("retry", "Apprise could not deliver it")


def _post(url: str, body: bytes, headers: dict[str, str]) -> Outcome:
    parts = split(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=_SILENCE, context=_certificates()
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_SILENCE)
    try:
        connection.request("POST", path, body, headers)
        with connection.getresponse() as answer:
            # What it says is of no interest; a receiver that is still talking should not see us hang up.
            answer.read(_MOST_ANSWER)
            return _judged(answer.status, answer.getheader("Retry-After", ""))
    finally:
        connection.close()


def _judged(status: int, retry_after: str) -> Outcome:
    said = f"answered {status}"
    if 200 <= status < 300:
        return Outcome("delivered")
    if status == 410:
        return Outcome("gone", said)
    if status in (408, 425, 429) or status >= 500:
        return Outcome("retry", said, _wait(retry_after))
    if 300 <= status < 400:
        return Outcome("refused", f"{said}: it sends us on, which is not followed")
    return Outcome("refused", said)


def _document(parcel: Parcel) -> dict[str, object]:
    told: dict[str, object] = {
        "version": VERSION,
        "id": str(parcel.news_id),
        "kind": parcel.kind,
        "person": parcel.person,
        "title": parcel.title,
        "at": parcel.made_at.isoformat(),
    }
    if parcel.body is not None:
        told["body"] = parcel.body
    if parcel.link:
        told["link"] = parcel.link
    return told


def _wait(asked: str) -> float:
    """Seconds of Retry-After, or until the date in it, a day at most; none for nonsense."""
    asked = asked.strip()
    if asked.isdecimal() and asked.isascii() and len(asked) < 8:
        return min(float(asked), _LONGEST_WAIT)
    try:
        apart = (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return 0.0
    return min(max(apart, 0.0), _LONGEST_WAIT)


@cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Hush(logging.Filter):
    """Lets nothing through of the thread that sends; others are heard as ever."""

    def filter(self, _record: logging.LogRecord) -> bool:
        return not _sending.get()


@cache
def _hush() -> None:
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_HUSH)


_HUSH = _Hush()
