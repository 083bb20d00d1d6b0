"""Ollama, by its own API: `/api/chat` with a schema, streamed; its models, and downloading one when a person asks for it.

A model whose name ends in `cloud`, or that the server fetches from elsewhere, is refused before anything is asked of it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from twinning_pipelines.engines.chat import Message, Reply
from twinning_pipelines.engines.known_model import KnownModel, Standing, refuse_cloud
from twinning_pipelines.engines.model_server import Answer, Deadline, ModelServer, json_object, unfenced
from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable

DEFAULT_MODEL = "qwen3.5:4b"
# What it takes at most to check the sum of some gigabytes; while it downloads it says so many times a second.
_SILENT_SECONDS = 900.0
# Of a download's errors: those that another try does not mend.
_IN_VAIN = ("no space left", "newer version", "unauthorized")
_MOST_PROGRESS_BYTES = 256 * 1024**2


class Download(Struct, frozen=True):
    """A moment of a download: what is being done, to which part, how many of its bytes are here; 0 where untold."""

    status: str
    digest: str = ""
    completed: int = 0
    total: int = 0


class Ollama:
    """A model of one Ollama server. context, most_tokens: how long question and answer together, and the answer, may be.

    keep_alive: how long the model stays in memory after an answer.
    """

    name = "ollama"

    def __init__(
        self,
        server: ModelServer,
        model: str = "",
        *,
        context: int = 8192,
        most_tokens: int = 600,
        seed: int = 0,
        keep_alive: str = "10m",
    ) -> None:
        self.server, self.model = server, model.strip() or DEFAULT_MODEL
        self._options = {"temperature": 0, "seed": seed, "num_ctx": context, "num_predict": most_tokens}
        self._keep_alive = keep_alive
        self._seen_here = set[str | None]()

    def ask(self, messages: Sequence[Message], schema: Mapping[str, Any], *, deadline: float) -> Reply:
        """As ChatEngine.ask. Never downloads a model."""
        until = self.server.deadline(deadline)
        digest = self.chosen(until).digest
        body = {
            "model": self.model,
            "messages": [{"role": each.role, "content": each.content} for each in messages],
            "format": dict(schema),
            "think": False,
            # Too long a question is an error; by default its beginning would be dropped without a word.
            "truncate": False,
            "stream": True,
            "options": self._options,
            "keep_alive": self._keep_alive,
        }
        with self.server.asked("POST", "/api/chat", body, deadline=until) as answer:
            if answer.status != 200:
                raise answer.refusal(f"for words of {self.model!r}")
            return self._reply(answer, digest, until)

    def standing(self, *, deadline: float) -> Standing:
        """Its version and its models. Raises FarSideUnavailable, FarSideRefused."""
        until = self.server.deadline(deadline)
        return Standing(self.name, self.version(until), self.models(until))

    def version(self, until: Deadline) -> str:
        """Its version. Raises FarSideUnavailable, FarSideRefused."""
        found = self._document("GET", "/api/version", None, until, "for its version").get("version")
        if not isinstance(found, str):
            raise self._strange("it tells no version")
        return self.server.safe(found)

    def models(self, until: Deadline) -> tuple[KnownModel, ...]:
        """The models that it lists, those elsewhere too. Raises FarSideUnavailable, FarSideRefused."""
        listed = self._document("GET", "/api/tags", None, until, "for its models").get("models", [])
        if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
            raise self._strange("its list of models is none")
        return tuple(self._known(each) for each in listed)

    def details(self, model: str, until: Deadline) -> KnownModel:
        """One model as it describes it: context, and where it runs. Raises FarSideUnavailable, FarSideRefused."""
        about = self._document("POST", "/api/show", {"model": model}, until, f"about {model!r}")
        info = about.get("model_info")
        lengths = [
            length
            for name, length in (info if isinstance(info, dict) else {}).items()
            if name.endswith(".context_length") and isinstance(length, int)
        ]
        return KnownModel(model, context=lengths[0] if lengths else None, elsewhere=_elsewhere(about))

    def described(self, until: Deadline) -> KnownModel:
        """The model that is asked, with its context. Raises FarSideUnavailable, FarSideRefused."""
        return replace(self.chosen(until), context=self.details(self.model, until).context)

    def pull(
        self, model: str, progress: Callable[[Download], None], *, silent_seconds: float = _SILENT_SECONDS
    ) -> None:
        """Has the server download a model, for as long as that takes; `progress` hears of each step.

        Raises FarSideUnavailable where it stops or says nothing for so long, FarSideRefused where there is no such model.
        """
        refuse_cloud(model)
        until = self.server.deadline(silent_seconds)
        body = {"model": model, "stream": True}
        with self.server.asked("POST", "/api/pull", body, deadline=until, most_bytes=_MOST_PROGRESS_BYTES) as answer:
            if answer.status != 200:
                raise answer.refusal(f"to download {model!r}")
            for line in filter(str.strip, answer.lines()):
                until.renew()
                if self._pulled(model, json_object(line), progress):
                    return
        raise FarSideUnavailable(f"{self.server.host} stopped downloading {model!r}; again, it goes on where it was")

    def _pulled(self, model: str, event: Mapping[str, Any], progress: Callable[[Download], None]) -> bool:
        words = self.server.safe(event.get("error", ""))
        if "file does not exist" in words or "not found" in words:
            raise FarSideRefused(f"there is no model {model!r} to download: {words}")
        if any(each in words for each in _IN_VAIN):
            raise FarSideRefused(f"{self.server.host} can't download {model!r}: {words}")
        if words:
            raise FarSideUnavailable(f"{self.server.host} can't download {model!r}: {words}")
        if not isinstance(event.get("status"), str):
            raise self._strange("it does not say how the download goes")
        status, digest = self.server.safe(event["status"]), self.server.safe(event.get("digest", ""))
        progress(Download(status, digest, _count(event.get("completed")) or 0, _count(event.get("total")) or 0))
        return status == "success"

    def chosen(self, until: Deadline) -> KnownModel:
        """The model that is asked, on this very server. Raises FarSideUnavailable; FarSideRefused: missing, or elsewhere."""
        refuse_cloud(self.model)
        wanted = _full_name(self.model)
        found = next((each for each in self.models(until) if _full_name(each.name) == wanted), None)
        if found is None:
            raise FarSideRefused(
                f"Ollama at {self.server.host} has no model {self.model!r}: `twinning model pull {self.model}` downloads it"
            )
        elsewhere = found.elsewhere
        if not elsewhere and found.digest not in self._seen_here:
            elsewhere = self.details(self.model, until).elsewhere
        if elsewhere:
            raise FarSideRefused(
                f"{self.model!r} runs on {elsewhere}, not here: what it is asked would leave the house"
            )
        self._seen_here.add(found.digest)
        return found

    def _reply(self, answer: Answer, digest: str | None, until: Deadline) -> Reply:
        if answer.kind != "application/x-ndjson":
            raise self._strange(f"it answers with {self.server.safe(answer.kind) or 'no content type'}")
        said = list[str]()
        for line in filter(str.strip, answer.lines()):
            event = json_object(line)
            if "error" in event:
                words = self.server.safe(event["error"])
                raise FarSideUnavailable(f"{self.server.host} broke off in the middle of an answer: {words}")
            message = event.get("message")
            if not isinstance(message, dict) or not isinstance(message.get("content", ""), str):
                raise self._strange(f"in the middle of an answer it says {self.server.safe(line[:80])!r}")
            if elsewhere := _elsewhere(event):
                raise FarSideRefused(f"{self.model!r} ran on {elsewhere}, not here")
            said.append(message.get("content", ""))
            if event.get("done") is True:
                return Reply(
                    text=unfenced("".join(said)),
                    model=self.model,
                    digest=digest,
                    complete=event.get("done_reason", "stop") == "stop",
                    seconds=until.passed,
                    prompt_tokens=_count(event.get("prompt_eval_count")),
                    tokens=_count(event.get("eval_count")),
                )
        raise FarSideUnavailable(f"{self.server.host} broke off: its answer has no end")

    def _known(self, listed: Mapping[str, Any]) -> KnownModel:
        digest = listed.get("digest")
        return KnownModel(
            name=self.server.safe(listed.get("name") or listed.get("model") or ""),
            digest=self.server.safe(digest) if isinstance(digest, str) and digest else None,
            size=_count(listed.get("size")),
            elsewhere=_elsewhere(listed),
        )

    def _document(self, method: str, path: str, body: object, until: Deadline, asked_for: str) -> dict[str, Any]:
        with self.server.asked(method, path, body, deadline=until) as answer:
            if answer.status != 200:
                raise answer.refusal(asked_for)
            if not (found := json_object(answer.text())):
                raise self._strange(f"{path} gives no JSON object")
            return found

    def _strange(self, what: str) -> FarSideRefused:
        return FarSideRefused(f"{self.server.host} does not answer as Ollama does: {what}")


def _full_name(model: str) -> str:
    name = model.strip().lower()
    return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"


def _elsewhere(told: Mapping[str, Any]) -> str:
    return str(told.get("remote_host") or told.get("remote_model") or "")[:200]


def _count(number: object) -> int | None:
    return number if isinstance(number, int) and not isinstance(number, bool) and number >= 0 else None
