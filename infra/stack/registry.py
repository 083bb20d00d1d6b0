"""Asks image registries for the digest behind a tag: the registry HTTP API, version 2, without a log-in."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http.client import HTTPMessage
from typing import Any

INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
DOCKER_HUB = "registry-1.docker.io"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
REFERENCE = re.compile(
    r"(?:(?P<host>[A-Za-z0-9.-]+\.[A-Za-z0-9.-]+(?::\d+)?|localhost(?::\d+)?)/)?"
    r"(?P<name>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?\Z"
)
LARGEST = 4 * 1024 * 1024
TRIES = 5
TRIES_UNREACHED = 3
LONGEST_WAIT = 60.0
SECONDS = 30
# For tests alone: `HOST=http://127.0.0.1:PORT` pairs, blank-separated; nothing but this machine is accepted.
OVERRIDE = "TWINNING_STACK_TEST_REGISTRIES"


class RegistryProblem(Exception):
    """A registry cannot be asked, does not know the tag, or contradicts itself."""


@dataclass(frozen=True)
class Reference:
    """An image as a Compose file names it: `host/name:tag`, without a host that of Docker Hub."""

    text: str
    host: str
    name: str
    tag: str
    digest: str = ""


@dataclass(frozen=True)
class Answer:
    """What a tag stands for now: the digest, and the platforms of a multi-arch image (none for a single one)."""

    digest: str
    platforms: tuple[str, ...] = ()


def reference(text: str) -> Reference:
    """The parts of an image's name. Raises RegistryProblem without a tag, for `latest` is whatever it is that day."""
    found = REFERENCE.match(text)
    if not found or not (found["tag"] or found["digest"]):
        raise RegistryProblem(f"{text!r} is no image with a tag")
    host, name = found["host"] or DOCKER_HUB, found["name"]
    if host in ("docker.io", "index.docker.io"):
        host = DOCKER_HUB
    if host == DOCKER_HUB and "/" not in name:
        name = f"library/{name}"
    return Reference(text.partition("@")[0], host, name, found["tag"] or "", found["digest"] or "")


class _SameHostOnly(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but gives a token to nobody else."""

    def redirect_request(self, req: urllib.request.Request, *told: Any, **named: Any) -> urllib.request.Request | None:
        """The request that a redirect asks for."""
        new = super().redirect_request(req, *told, **named)
        if new is not None and _host(new.full_url) != _host(req.full_url):
            new.remove_header("Authorization")
        return new


def _host(address: str) -> str:
    return urllib.parse.urlsplit(address).netloc


class Registries:
    """All registries, each asked for a token once per repository."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._origins = _overridden(os.environ if environment is None else environment)
        self._tokens: dict[tuple[str, str], str] = {}
        self._opener = urllib.request.build_opener(_SameHostOnly())

    def resolve(self, image: Reference) -> Answer:
        """The digest of the tag, from the very bytes that it names. Raises RegistryProblem."""
        address = f"{self._origin(image.host)}/v2/{image.name}/manifests/{image.tag or image.digest}"
        body, headers = self._manifest(address, image)
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        told = headers.get("Docker-Content-Digest", digest)
        if not DIGEST.match(told):
            raise RegistryProblem(f"{image.text}: {image.host} tells {told[:80]!r} for a digest")
        if told != digest:
            raise RegistryProblem(f"{image.text}: {image.host} tells the digest {told}, its bytes have {digest}")
        if image.digest and image.digest != digest:
            raise RegistryProblem(f"{image.text}: {image.host} has {digest}, the Compose file {image.digest}")
        return Answer(digest, _platforms(body, headers.get("Content-Type", ""), image))

    def _origin(self, host: str) -> str:
        return self._origins.get(host, f"https://{host}")

    def _manifest(self, address: str, image: Reference) -> tuple[bytes, HTTPMessage]:
        accept = {"Accept": ", ".join(INDEXES + MANIFESTS)}
        place = (image.host, image.name)
        for _ in range(2):
            token = self._tokens.get(place)
            headers = {**accept, "Authorization": f"Bearer {token}"} if token else accept
            try:
                return self._get(address, headers, image)
            except urllib.error.HTTPError as refusal:
                challenge = refusal.headers.get("WWW-Authenticate", "")
                if refusal.code == 404:
                    raise RegistryProblem(f"{image.text}: {image.host} knows no such tag (404)") from None
                if refusal.code != 401 or not challenge:
                    raise RegistryProblem(f"{image.text}: {image.host} answers {refusal.code}") from None
                self._tokens[place] = self._token(challenge, image)
        raise RegistryProblem(f"{image.text}: {image.host} refuses the token that it gave (401)")

    def _token(self, challenge: str, image: Reference) -> str:
        """A token for reading, as the challenge says where to get it."""
        scheme, _, rest = challenge.partition(" ")
        parts = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        realm = parts.get("realm", "")
        trusted = realm.startswith("https://") or (
            image.host in self._origins and realm.startswith(f"{self._origins[image.host]}/")
        )
        if scheme.lower() != "bearer" or not trusted:
            raise RegistryProblem(
                f"{image.text}: {image.host} wants a log-in that is not known here: {challenge[:120]}"
            )
        query = {"service": parts.get("service", ""), "scope": parts.get("scope") or f"repository:{image.name}:pull"}
        address = f"{realm}?{urllib.parse.urlencode({key: value for key, value in query.items() if value})}"
        try:
            body, _ = self._get(address, {"Accept": "application/json"}, image)
            told = json.loads(body)
            token = told.get("token") or told.get("access_token")
        except urllib.error.HTTPError as refusal:
            raise RegistryProblem(f"{image.text}: {image.host} gives no token ({refusal.code})") from None
        except (ValueError, AttributeError):
            token = None
        if not isinstance(token, str) or not re.match(r"[\x21-\x7e]+\Z", token):
            raise RegistryProblem(f"{image.text}: {image.host} gives no token")
        return token

    def _get(self, address: str, headers: Mapping[str, str], image: Reference) -> tuple[bytes, HTTPMessage]:
        """One answer, after as many tries as a busy registry asks for. Raises HTTPError for a refusal."""
        for number in range(1, TRIES + 1):
            request = urllib.request.Request(address, headers=dict(headers))  # noqa: S310 — https, or a test's own
            wait = float(2 ** (number - 1))
            try:
                with self._opener.open(request, timeout=SECONDS) as response:
                    body: bytes = response.read(LARGEST + 1)
                    if len(body) > LARGEST:
                        raise RegistryProblem(f"{image.text}: {image.host} answers with more than {LARGEST} bytes")
                    return body, response.headers
            except urllib.error.HTTPError as refusal:
                if refusal.code != 429 and refusal.code < 500:
                    raise
                why, tries = f"answers {refusal.code}", TRIES
                wait = _retry_after(refusal.headers.get("Retry-After"), wait)
            except (OSError, ValueError) as problem:
                why, tries = f"cannot be reached: {getattr(problem, 'reason', problem)}", TRIES_UNREACHED
            if number >= tries or wait > LONGEST_WAIT:
                raise RegistryProblem(f"{image.text}: {image.host} {why}")
            time.sleep(wait)
        raise AssertionError("unreachable")


def _retry_after(told: str | None, otherwise: float) -> float:
    """Seconds to wait: the header holds them, or a date."""
    if not told:
        return otherwise
    if told.strip().isdigit():
        return float(told)
    try:
        moment = parsedate_to_datetime(told)
    except (TypeError, ValueError):
        return otherwise
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())


def _platforms(body: bytes, content_type: str, image: Reference) -> tuple[str, ...]:
    """The platforms of an index; none for the manifest of one. Raises RegistryProblem if it is neither."""
    try:
        told: Any = json.loads(body)
        kind = told.get("mediaType") or content_type.partition(";")[0].strip()
        if kind in MANIFESTS:
            return ()
        if kind not in INDEXES:
            raise RegistryProblem(f"{image.text}: {image.host} answers with {kind or 'something'}, no manifest")
        platforms = [entry.get("platform", {}) for entry in told["manifests"]]
        return tuple(
            sorted(
                {
                    f"{p.get('os')}/{p.get('architecture')}"
                    for p in platforms
                    if p.get("architecture") not in (None, "unknown")
                }
            )
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RegistryProblem(f"{image.text}: {image.host} answers with no manifest") from None


def _overridden(environment: Mapping[str, str]) -> dict[str, str]:
    origins = {}
    for pair in environment.get(OVERRIDE, "").split():
        host, _, origin = pair.partition("=")
        try:
            local = ipaddress.ip_address(urllib.parse.urlsplit(origin).hostname or "").is_loopback
        except ValueError:
            local = False
        if not local:
            raise RegistryProblem(f"{OVERRIDE} is for tests on this machine only; {origin!r} is elsewhere")
        origins[host] = origin.rstrip("/")
    return origins
