"""Which speech engine two settings mean: a server's address and a model, or a folder of weights alone."""

from pathlib import Path

from twinning_pipelines.engines.faster_whisper import FasterWhisper
from twinning_pipelines.engines.model_server import ModelServer
from twinning_pipelines.engines.openai_speech import OpenAiSpeech
from twinning_pipelines.engines.speech import SpeechEngine


def speech_engine(url: str | None, model: str, *, anywhere: bool = False) -> SpeechEngine | None:
    """The engine; None where neither is set. Opens no connection and loads nothing.

    anywhere: the server may be outside the home. Raises ValueError, which names the setting.
    """
    if url is None:
        return FasterWhisper(Path(model).expanduser()) if model.strip() else None
    if not model.strip():
        raise ValueError("TWINNING_SPEECH_MODEL: say which model of the server shall hear, by its own name for it")
    try:
        return OpenAiSpeech(ModelServer(url, anywhere=anywhere), model)
    except ValueError as wrong:
        raise ValueError(f"TWINNING_SPEECH_URL {wrong}") from None
