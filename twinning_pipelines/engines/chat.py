"""What a language model is to the rest: messages and a JSON schema in, one reply out, within a deadline."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from msgspec import Struct


class Message(Struct, frozen=True):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Reply(Struct, frozen=True):
    """What a model answered, word for word. complete: it ended by itself and was not cut off.

    digest: which weights answered, where the engine tells it. prompt_tokens, tokens: None where it does not count them.
    """

    text: str
    model: str
    digest: str | None
    complete: bool
    seconds: float
    prompt_tokens: int | None = None
    tokens: int | None = None


class ChatEngine(Protocol):
    """A language model that answers. `name` is its kind of server, `model` what it is asked for."""

    @property
    def name(self) -> str:
        """What kind of server it is."""

    @property
    def model(self) -> str:
        """What it is asked for."""

    def ask(self, messages: Sequence[Message], schema: Mapping[str, Any], *, deadline: float) -> Reply:
        """Asks for a JSON document of that schema; `deadline` is in seconds for everything, loading the model included.

        Raises FarSideUnavailable (no answer in time, busy, connection lost) and FarSideRefused (no such model, a model in
        a cloud, a request that it does not take).
        """
