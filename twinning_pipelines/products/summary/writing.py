"""How a summary comes about: a model is asked, checked, asked once more with its faults, and else the template writes.

Whatever the model or its server does, a true page appears within the deadline.
"""

import time
from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct, field

from twinning_pipelines.engines.chat import ChatEngine, Message, Reply
from twinning_pipelines.errors import TwinningError
from twinning_pipelines.marts.telling.told import Told
from twinning_pipelines.products.summary.checker import faults_of
from twinning_pipelines.products.summary.prompt import again, asked_of, messages_of
from twinning_pipelines.products.summary.render import Sentence
from twinning_pipelines.products.summary.slots import WrittenSummary, read_reply, schema_of
from twinning_pipelines.products.summary.template import headline_of, sentences_of

DEADLINE_SECONDS = 45.0
# Less is not worth asking for: the answer would not be finished.
_SHORTEST_TRY = 3.0

Path = Literal["model", "retry", "template"]


class Asked(Struct, frozen=True):
    """What a model was asked and what it answered, word for word; faults: of each answer, or why there is none."""

    engine: str
    model: str
    digest: str | None
    prompt: str
    replies: tuple[str, ...]
    faults: tuple[tuple[str, ...], ...]


class Written(Struct, frozen=True):
    """A summary in sentences, how it came about, and how long that took."""

    path: Path
    headline: str
    sentences: tuple[Sentence, ...]
    seconds: float
    asked: Asked | None = None


class _Talk(Struct):
    """A conversation with a model, while it lasts."""

    engine: ChatEngine
    facts: Sequence[Told]
    ends: float
    now: Callable[[], float]
    messages: list[Message]
    replies: list[Reply] = field(default_factory=list)
    faults: list[tuple[str, ...]] = field(default_factory=list)

    def ask(self) -> WrittenSummary | None:
        """Asks once; None where the answer is wrong, late or missing, and then `faults` says why."""
        left = self.ends - self.now()
        if left < _SHORTEST_TRY:
            self.faults.append(("no time is left for another try",))
            return None
        try:
            reply = self.engine.ask(self.messages, schema_of(self.facts), deadline=left)
        except TwinningError as trouble:
            self.faults.append((f"{type(trouble).__name__}: {trouble}",))
            return None
        except Exception as trouble:  # noqa: BLE001  (whatever an engine does, the page appears)
            self.faults.append((f"the engine broke: {type(trouble).__name__}",))
            return None
        self.replies.append(reply)
        written = read_reply(reply.text)
        if not reply.complete:
            found: tuple[str, ...] = ("the answer was cut off",)
        elif isinstance(written, str):
            found = (written,)
        else:
            found = tuple(map(str, faults_of(written, self.facts)))
        self.faults.append(found)
        return written if not found and isinstance(written, WrittenSummary) else None

    def asked(self) -> Asked:
        """What is kept of it."""
        last = self.replies[-1] if self.replies else None
        prompt = "\n\n".join(f"[{each.role}]\n{each.content}" for each in self.messages)
        return Asked(
            self.engine.name, last.model if last else self.engine.model, last.digest if last else None, prompt,
            tuple(each.text for each in self.replies), tuple(self.faults),
        )  # fmt: skip


def write(
    facts: Sequence[Told],
    notes: Sequence[str] = (),
    engine: ChatEngine | None = None,
    *,
    deadline: float = DEADLINE_SECONDS,
    now: Callable[[], float] = time.monotonic,
) -> Written:
    """Writes a summary of some facts. notes: what the person said, as content. deadline: seconds for everything."""
    started = now()
    if engine is None or not facts:
        return Written("template", headline_of(facts), tuple(sentences_of(facts)), now() - started)
    wanted = asked_of(facts)
    talk = _Talk(engine, wanted, started + deadline, now, messages_of(wanted, notes))
    path: Path = "model"
    written = talk.ask()
    if written is None and talk.replies:
        path = "retry"
        talk.messages = again(talk.messages, talk.replies[-1].text, talk.faults[-1])
        written = talk.ask()
    if written is None:
        sentences = tuple(sentences_of(facts))
        return Written("template", headline_of(facts), sentences, now() - started, talk.asked())
    sentences = _rendered(written, wanted)
    return Written(path, headline_of(facts), sentences, now() - started, talk.asked())


def _rendered(written: WrittenSummary, facts: Sequence[Told]) -> tuple[Sentence, ...]:
    known = {each.id: each for each in facts}
    return tuple(
        Sentence.of(section.domain, each.text.strip(), known)
        for section in written.sections
        for each in section.sentences
    )
