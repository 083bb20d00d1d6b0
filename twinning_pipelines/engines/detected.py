"""A model server whose dialect nobody named: it is asked which one it speaks before it is asked anything else."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from twinning_pipelines.engines.chat import Message, Reply
from twinning_pipelines.engines.known_model import Standing
from twinning_pipelines.engines.model_server import ModelServer, json_object
from twinning_pipelines.engines.ollama import Ollama
from twinning_pipelines.engines.openai_chat import OpenAiChat

Dialect = Literal["auto", "ollama", "openai"]


class Detected:
    """A model of a server of either dialect. `name` and `model` are those that were found, once it has been asked."""

    def __init__(self, server: ModelServer, model: str = "") -> None:
        self.server, self._model = server, model.strip()
        self._found: Ollama | OpenAiChat | None = None

    @property
    def name(self) -> str:
        """The dialect; `auto` before the first question."""
        return self._found.name if self._found else "auto"

    @property
    def model(self) -> str:
        """What it is asked for; may be empty before the first question."""
        return self._found.model if self._found else self._model

    def ask(self, messages: Sequence[Message], schema: Mapping[str, Any], *, deadline: float) -> Reply:
        """As ChatEngine.ask."""
        until = self.server.deadline(deadline)
        return self.found(deadline).ask(messages, schema, deadline=until.left)

    def standing(self, *, deadline: float) -> Standing:
        """What the server tells of itself. Raises FarSideUnavailable, FarSideRefused."""
        until = self.server.deadline(deadline)
        return self.found(deadline).standing(deadline=until.left)

    def found(self, deadline: float) -> Ollama | OpenAiChat:
        """The engine of the dialect that the server speaks; it is looked for once. Raises FarSideUnavailable, FarSideRefused."""
        if self._found is None:
            # Ollama speaks both, and alone tells a version there.
            with self.server.asked("GET", "/api/version", deadline=self.server.deadline(deadline)) as answer:
                if answer.status >= 500:
                    raise answer.refusal("what it is")
                told = json_object(answer.text()) if answer.status == 200 else {}
            speaks = isinstance(told.get("version"), str)
            self._found = Ollama(self.server, self._model) if speaks else OpenAiChat(self.server, self._model)
        return self._found


Engine = Ollama | OpenAiChat | Detected


def engine_of(server: ModelServer, model: str = "", dialect: Dialect = "auto") -> Engine:
    """The engine that speaks a dialect, or finds out which; nothing is asked yet."""
    if dialect == "ollama":
        return Ollama(server, model)
    return OpenAiChat(server, model) if dialect == "openai" else Detected(server, model)
