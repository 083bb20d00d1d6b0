"""A home with voice notes in it, and a speech server."""

from collections.abc import Iterator

import pytest

from twinning_pipelines.engines.model_server import ModelServer
from twinning_pipelines.engines.openai_speech import OpenAiSpeech
from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines.sources.journal import voice_note
from twinning_pipelines_tests.far_sides.speech_server import FakeSpeech
from twinning_pipelines_tests.products.voice_notes.listener import Listener


@pytest.fixture
def opened(home: Home) -> Iterator[OpenHome]:
    """A home that reads voice notes."""
    with Home(home.settings, (voice_note.SOURCE,)).opened() as opened:
        yield opened


@pytest.fixture
def listener(opened: OpenHome) -> Listener:
    """Somebody who hears."""
    return Listener(opened)


@pytest.fixture
def fake() -> Iterator[FakeSpeech]:
    """A server with two models."""
    with FakeSpeech(("small", "large")) as fake:
        yield fake


@pytest.fixture
def small(fake: FakeSpeech) -> OpenAiSpeech:
    """Its lesser model."""
    return OpenAiSpeech(ModelServer(fake.url), "small")


@pytest.fixture
def large(fake: FakeSpeech) -> OpenAiSpeech:
    """Its better one."""
    return OpenAiSpeech(ModelServer(fake.url), "large")
