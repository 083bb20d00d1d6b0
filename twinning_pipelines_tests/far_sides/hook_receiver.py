"""A receiver of our webhooks that believes nothing: it checks the signature and the age of what it gets, and knows again
what it has taken already. Pagers take what Apprise sends.
"""

import hashlib
import hmac
import json
import time
from collections import deque
from collections.abc import Callable
from threading import Event
from typing import Any

from twinning_pipelines_tests.far_sides.scripted_server import Reply, Request, ScriptedServer

WINDOW_SECONDS = 300
SECRET = "a-secret-of-the-receiver"
PATH = "/hooks/quite-secret-path"


class HookReceiver(ScriptedServer):
    """The receiver. `taken`: documents, each once. `ignored`: delivery ids that came again. `refused`: why others were.

    answers: what it says next instead of 200, after a good look at what came; what it answered otherwise is not taken.
    holding: while it is set, every request waits for `let_go`.
    """

    def __init__(self, secret: str = SECRET, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.secret, self.clock = secret, clock
        self.answers = deque[Reply]()
        self.taken = dict[str, dict[str, Any]]()
        self.ignored, self.refused, self.tried = list[str](), list[str](), list[str]()
        self.holding, self.let_go = False, Event()

    @property
    def address(self) -> str:
        """Where it takes hooks; the path is part of what is secret."""
        return f"{self.url}{PATH}"

    def answer(self, request: Request) -> Reply:
        """Looks at a delivery."""
        if self.holding:
            self.let_go.wait(30)
        trouble = self._trouble(request)
        if trouble:
            self.refused.append(trouble)
            return Reply.of(401, {"error": trouble})
        delivery = request.headers["X-Twinning-Delivery"]
        self.tried.append(delivery)
        if self.answers:
            return self.answers.popleft()
        if delivery in self.taken:
            self.ignored.append(delivery)
            return Reply.of(200, {"state": "known"})
        self.taken[delivery] = json.loads(request.body)
        return Reply.of(200, {"state": "taken"})

    def _trouble(self, request: Request) -> str:
        if (request.method, request.path) != ("POST", PATH):
            return "no such hook"
        stamp = request.headers.get("X-Twinning-Timestamp", "")
        if not stamp.isdecimal() or abs(self.clock() - int(stamp)) > WINDOW_SECONDS:
            return "too old, or from the future"
        made = hmac.new(self.secret.encode(), stamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(f"sha256={made}", request.headers.get("X-Twinning-Signature", "")):
            return "wrong signature"
        if len(request.headers.get("X-Twinning-Delivery", "")) != 36:
            return "no delivery id"
        return ""


class Pager(ScriptedServer):
    """Takes whatever Apprise sends."""

    def answer(self, request: Request) -> Reply:
        """Takes it."""
        return Reply.of(200, {"id": "1", "appid": 1})

    @property
    def heard(self) -> list[str]:
        """Every body."""
        return [request.body.decode() for request, _ in self.exchanges]

    def at(self, scheme: str, path: str = "") -> str:
        """An Apprise URL that leads here."""
        return f"{self.url.replace('http://', f'{scheme}://')}{path}"
