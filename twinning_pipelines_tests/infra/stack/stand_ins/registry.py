"""An image registry on this machine: the HTTP API, version 2, with tokens as Docker Hub and GitHub want them."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

INDEX = "application/vnd.oci.image.index.v1+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
SINGLE = "application/vnd.oci.image.manifest.v1+json"


def index(*platforms: str, kind: str = INDEX) -> bytes:
    """The bytes of a multi-arch image."""
    manifests = [
        {
            "mediaType": SINGLE,
            "digest": f"sha256:{hashlib.sha256(one.encode()).hexdigest()}",
            "size": 1000,
            "platform": dict(zip(("os", "architecture"), one.split("/"), strict=True)),
        }
        for one in (*platforms, "unknown/unknown")
    ]
    return json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": manifests}, indent=3).encode()


def single() -> bytes:
    """The bytes of an image for one architecture."""
    return json.dumps({"schemaVersion": 2, "mediaType": SINGLE, "config": {}, "layers": []}).encode()


def digest(body: bytes) -> str:
    """What a registry calls these bytes."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@dataclass
class Registry:
    """What it holds by `name:tag`, how it misbehaves, and what it was asked."""

    images: dict[str, bytes] = field(default_factory=dict)
    anonymous: bool = False
    busy: list[tuple[int, str]] = field(default_factory=list)  # answers to give first: status and Retry-After
    told_digest: str = ""
    realm: str = ""
    tokens: int = 0
    asked: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)  # the Authorization of each question for a manifest
    redirect: str = ""
    token_problem: bool = False
    address: str = ""


class _Handler(BaseHTTPRequestHandler):
    registry: Registry

    def log_message(self, *_: Any) -> None:
        """Says nothing."""

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status: int, code: str, **headers: str) -> None:
        self.answer(
            status, json.dumps({"errors": [{"code": code}]}).encode(), Content_Type="application/json", **headers
        )

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        self.registry.asked.append(self.path)
        if address.path == "/token":
            self.token(parse_qs(address.query))
        elif address.path.startswith("/v2/") and "/manifests/" in address.path:
            self.manifest(*address.path.removeprefix("/v2/").split("/manifests/"))
        else:
            self.refuse(404, "UNSUPPORTED")

    def token(self, query: dict[str, list[str]]) -> None:
        if query.get("service") != ["registry.test"] or "Authorization" in self.headers:
            self.refuse(400, "BAD")
        elif self.registry.token_problem:
            self.answer(200, b"{}", Content_Type="application/json")
        else:
            self.registry.tokens += 1
            self.answer(200, json.dumps({"token": f"for {query['scope'][0]}".replace(" ", "-")}).encode())

    def manifest(self, name: str, tag: str) -> None:
        registry = self.registry
        registry.heard.append(self.headers.get("Authorization", ""))
        if registry.busy:
            status, after = registry.busy.pop(0)
            if after == "date":
                after = formatdate(time(), usegmt=True)
            self.refuse(status, "TOOMANYREQUESTS", **({"Retry_After": after} if after else {}))
            return
        scope = f"repository:{name}:pull"
        if not registry.anonymous and self.headers.get("Authorization") != f"Bearer for-{scope}":
            realm = registry.realm or f"{registry.address}/token"
            challenge = f'Bearer realm="{realm}",service="registry.test",scope="{scope}"'
            self.refuse(401, "UNAUTHORIZED", WWW_Authenticate=challenge)
            return
        if registry.redirect:
            self.answer(307, Location=f"{registry.redirect}{self.path}")
            return
        body = registry.images.get(f"{name}:{tag}")
        accepted = {one.strip() for one in self.headers.get("Accept", "").split(",")}
        if body is None:
            self.refuse(404, "MANIFEST_UNKNOWN")
            return
        kind = json.loads(body)["mediaType"] if body.startswith(b"{") else "text/plain"
        if kind not in accepted and kind != "text/plain":
            self.refuse(404, "MANIFEST_UNKNOWN")
            return
        self.answer(200, body, Content_Type=kind, Docker_Content_Digest=registry.told_digest or digest(body))


@contextmanager
def serve(registry: Registry) -> Iterator[Registry]:
    """The registry at an address of this machine, while the block runs."""
    handler = type("Handler", (_Handler,), {"registry": registry})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    registry.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
