"""A summary that is asked of Ollama's protocol: what reaches the checker, and that trouble ends in the template in time."""

import time

import pytest

from twinning_pipelines.engines.model_server import ModelServer
from twinning_pipelines.engines.ollama import Ollama
from twinning_pipelines.products.summary.slots import WrittenSummary, read_reply
from twinning_pipelines.products.summary.template import sentences_of
from twinning_pipelines.products.summary.writing import Written, write
from twinning_pipelines_tests.far_sides import answer_troubles as trouble
from twinning_pipelines_tests.far_sides.model_voices import Canned
from twinning_pipelines_tests.far_sides.ollama_front import OllamaFront
from twinning_pipelines_tests.far_sides.real_llama import real_llama
from twinning_pipelines_tests.products.summary.test_writing import FACTS, GOOD, READ, WRONG


def written_at(front: OllamaFront, *, model: str = "tiny", deadline: float = 20.0) -> Written:
    return write(FACTS, ["slept well"], Ollama(ModelServer(front.url), model), deadline=deadline)


def test_a_model_without_sense_keeps_to_the_schema_and_is_refused_by_the_checker() -> None:
    with OllamaFront(real_llama()) as front:
        written = written_at(front, deadline=40)
        assert front.complaints == []
    assert written.path == "template"
    assert written.asked is not None
    assert len(written.asked.replies) == 2
    assert all(isinstance(read_reply(each), WrittenSummary) for each in written.asked.replies)
    assert all(each for each in written.asked.faults)
    assert written.asked.digest


@pytest.mark.parametrize(("replies", "path"), [((GOOD,), "model"), ((WRONG, GOOD), "retry"), ((WRONG,), "template")])
def test_every_path_over_the_wire(replies: tuple[str, ...], path: str) -> None:
    with OllamaFront(Canned(*replies)) as front:
        written = written_at(front)
    assert written.path == path
    if path != "template":
        assert [each.rendered for each in written.sentences] == READ


@pytest.mark.parametrize(
    "wrong",
    [
        trouble.refuse(404, "model 'tiny' not found"),
        trouble.refuse(503, "server busy, please try again.  maximum pending requests exceeded"),
        trouble.after(2, trouble.json_line({"error": "an error was encountered while running the model"})),
        trouble.after(2),
        trouble.break_off(1),
        trouble.page(),
    ],
    ids=["not found", "busy", "error in the middle", "no end", "broken off", "a page"],
)
def test_trouble_ends_in_the_template(wrong: trouble.Trouble) -> None:
    with OllamaFront(Canned(GOOD)) as front:
        front.troubles.append(wrong)
        written = written_at(front)
    assert written.path == "template"
    assert list(written.sentences) == sentences_of(FACTS)
    assert written.asked is not None
    assert any(written.asked.faults)


def test_a_trickle_and_nobody_there_end_in_the_template_within_the_deadline() -> None:
    with OllamaFront(Canned(GOOD)) as front:
        front.troubles.append(trouble.trickle(0.3))
        began = time.monotonic()
        written = written_at(front, deadline=3.5)
        assert written.path == "template"
        assert time.monotonic() - began < 10
    assert written_at(front).path == "template"
