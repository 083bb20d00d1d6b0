"""Requests to a Firefly III that end: with an answer, or with FarSideUnavailable within the budget.

Reading, changing and deleting may be repeated, for a second time changes nothing. Creating may not: after a lost answer
nobody knows whether the server has it, so such a request says so instead of being sent again.
"""

import json
import logging
import random
import re
import time
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urlsplit

import httpx
from msgspec import Struct

from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable
from twinning_pipelines.stores.http import certificates, retry_after

_LOG = logging.getLogger(__name__)
_CONNECT_SECONDS = 10
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 1.0, 60.0
_REASON_CHARACTERS = 500
# The server's mark on "this transaction was stored and a rule deleted it again"; it comes as an error 500.
DELETED_BY_A_RULE = "200032"
_PASSING = frozenset({0, 408, 429})
# The request was never looked at: it may go out again, whatever it does.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Answer(Struct, frozen=True):
    """What the server says. Status 0: nothing arrived; then `text` says what happened."""

    status: int
    text: str = ""
    wait_seconds: float | None = None
    sent: bool = True

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object; empty for anything else."""
        try:
            body = json.loads(self.text)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    @property
    def message(self) -> str:
        """The server's words: its field errors, its `message`, or the page of whatever stands before it."""
        body = self.body
        errors = body.get("errors")
        if isinstance(errors, dict) and errors:
            said = [f"{name}: {' '.join(map(str, each))}" for name, each in errors.items() if isinstance(each, list)]
            return "; ".join(said) or str(errors)
        return str(body.get("message") or self.text)

    @property
    def passing(self) -> bool:
        """Whether another try may succeed."""
        if DELETED_BY_A_RULE in self.message:
            return False
        return self.status in _PASSING or self.status >= 500

    @property
    def unknown(self) -> bool:
        """Whether the server may have carried the request out although it does not say so."""
        return self.passing and self.sent and self.status != 429


class Connection:
    """One user of one server. `sleep`, `jitter` and `clock` are there for tests."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout_seconds: float = 60,
        budget_seconds: float = 180,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Opens no connection yet. Raises ValueError for a URL or a token that no request could carry."""
        self.url, self._token = plain_url(url), plain_token(token)
        self._budget_seconds = budget_seconds
        self._sleep, self._jitter, self._clock = sleep, jitter, clock
        # The system's certificates, and no proxy from the environment: money goes where the setting says.
        self._http = httpx.Client(
            base_url=f"{self.url}/api/v1",
            headers={"Authorization": f"Bearer {self._token}", "Accept": "application/json"},
            timeout=httpx.Timeout(timeout_seconds, connect=min(_CONNECT_SECONDS, timeout_seconds)),
            verify=certificates(),
            trust_env=False,
        )

    def __repr__(self) -> str:
        return f"Connection({self.url!r})"

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def ask(self, method: str, path: str, accepted: Collection[int], **request: Any) -> Answer:
        """An answer with an accepted status, repeated while trouble passes. Raises FarSideUnavailable, FarSideRefused."""
        answer = self._asked(method, path, lambda answer: answer.passing, request)
        if answer.passing:
            raise self._unavailable(method, path, answer)
        return self._accepted(method, path, accepted, answer)

    def look(self, path: str) -> Answer:
        """One try at something that is always there, without patience: whether anybody answers at all."""
        answer = self._send("GET", path, {})
        if answer.passing:
            raise FarSideUnavailable(f"Firefly III at {self.url} does not answer: {self.said(answer)}")
        return self._accepted("GET", path, {200}, answer)

    def ask_once(self, method: str, path: str, accepted: Collection[int], **request: Any) -> Answer:
        """The same for what must not happen twice: an answer that is `unknown` is given back as it is."""
        answer = self._asked(method, path, lambda answer: answer.passing and not answer.unknown, request)
        if answer.unknown:
            _LOG.warning("Firefly III: %s %s may or may not have happened: %s", method, path, self.said(answer))
            return answer
        if answer.passing:
            raise self._unavailable(method, path, answer)
        return self._accepted(method, path, accepted, answer)

    def said(self, answer: Answer) -> str:
        """The server's words as they may be logged, raised and kept: short, on one line, without the token."""
        words = f"HTTP {answer.status}: {answer.message}" if answer.status else answer.text
        return " ".join(words.replace(self._token, "[token]").split())[:_REASON_CHARACTERS]

    def not_understood(self, what: str) -> FarSideRefused:
        """For an answer in which the expected part is missing."""
        return FarSideRefused(f"{self.url} does not answer as Firefly III does: {what}")

    def pause(self, attempt: int) -> None:
        """Waits before the next look at something uncertain, longer each time."""
        self._sleep(self._backoff(attempt))

    def _asked(self, method: str, path: str, again: Callable[[Answer], bool], request: dict[str, Any]) -> Answer:
        deadline, attempt = self._clock() + self._budget_seconds, 0
        while again(answer := self._send(method, path, request)):
            wait = answer.wait_seconds or self._backoff(attempt)
            if self._clock() + wait > deadline:
                break
            _LOG.warning("Firefly III, trying again in %.1f s: %s", wait, self.said(answer))
            self._sleep(wait)
            attempt += 1
        return answer

    def _send(self, method: str, path: str, request: dict[str, Any]) -> Answer:
        try:
            response = self._http.request(method, path, **request)
        except httpx.RequestError as fault:
            return Answer(0, f"{type(fault).__name__}: {fault}", sent=not isinstance(fault, _NOT_SENT))
        return Answer(response.status_code, response.text, retry_after(response.headers))

    def _backoff(self, attempt: int) -> float:
        return min(_FIRST_WAIT_SECONDS * 2.0**attempt, _LONGEST_WAIT_SECONDS) * (1 + self._jitter()) / 2

    def _unavailable(self, method: str, path: str, answer: Answer) -> Exception:
        trouble = self.said(answer)
        if "CERTIFICATE_VERIFY_FAILED" in trouble:
            return FarSideRefused(f"the certificate of {self.url} is not trusted: {trouble}")
        budget = f"within {self._budget_seconds:g} s"
        return FarSideUnavailable(f"Firefly III at {self.url}: {method} {path} did not succeed {budget}: {trouble}")

    def _accepted(self, method: str, path: str, accepted: Collection[int], answer: Answer) -> Answer:
        if answer.status in accepted:
            return answer
        sentences = {
            401: "does not accept the token: make a new personal access token there and set TWINNING_FIREFLY_TOKEN",
            403: f"does not let this token's owner do {method} {path}: use the token of a user who may",
        }
        other = f"answers {method} {path} unexpectedly: check TWINNING_FIREFLY_URL"
        said = sentences.get(answer.status, other)
        return self._refuse(f"Firefly III at {self.url} {said} (it says: {self.said(answer)})")

    def _refuse(self, sentence: str) -> Answer:
        raise FarSideRefused(sentence)


def plain_url(url: str) -> str:
    """The server's address, without a slash at its end. Raises ValueError, without quoting what may hold a password."""
    parts = urlsplit(url)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or "@" in parts.netloc
        or parts.query
        or parts.fragment
    ):
        raise ValueError("Firefly III's URL must read http://host:port or https://host/path, without a password")
    return url.rstrip("/").removesuffix("/api/v1").removesuffix("/api")


def plain_token(token: str) -> str:
    """The token without the line break that files end with. The error hides it, as httpx's own would not."""
    if not re.fullmatch(r"[!-~]+", plain := token.strip()):
        raise ValueError("the Firefly III token is empty or holds characters that no HTTP header can carry")
    return plain
