"""Weights of a Whisper that was never trained, in the format of whisper.cpp: too small to be worth anything, and real.

`write_mute` has no tensors, which whisper.cpp takes for a model of zeros: it hears nothing in anything. `write_music_box`
says the same words whatever it hears: at each place of its answer a direction of its own is strong, and one token lies
in that direction.
"""

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

_VOCABULARY, _WIDTH, _LAYERS, _PLACES = 51_865, 64, 4, 448
_SOUND_PLACES, _BANDS, _BINS = 1_500, 80, 201
_END, _FIRST_TIME = 50_257, 50_364
# Start, language and task stand before what it says.
_PROMPT = 3
_F32, _F16 = 0, 1

Numbers = npt.NDArray[np.float32]


def write_mute(path: Path) -> None:
    """A model that hears nothing."""
    with path.open("wb") as file:
        _write_head(file, [" "])


def write_music_box(path: Path, words: Sequence[str], *, seconds: float = 2.0) -> None:
    """A model that says these words, from the beginning up to so many seconds."""
    vocabulary = [" ", *(f" {word}" for word in words)]
    said = [_FIRST_TIME, *range(1, len(vocabulary)), _FIRST_TIME + int(seconds * 50), _END]
    tokens = np.zeros((_VOCABULARY, _WIDTH), np.float32)
    places = np.zeros((_PLACES, _WIDTH), np.float32)
    for step, token in enumerate(said):
        tokens[token, step] = 5
        places[_PROMPT - 1 + step, step] = 100
    with path.open("wb") as file:
        _write_head(file, vocabulary)
        for name, tensor in _tensors(tokens, places):
            _write_tensor(file, name, tensor)


def _write_head(file: BinaryIO, vocabulary: Sequence[str]) -> None:
    file.write(struct.pack("<I", 0x67676D6C))
    shape = (_VOCABULARY, _SOUND_PLACES, _WIDTH, 1, _LAYERS, _PLACES, _WIDTH, 1, _LAYERS, _BANDS, _F16)
    file.write(struct.pack("<11i", *shape))
    file.write(struct.pack("<2i", _BANDS, _BINS) + np.full((_BANDS, _BINS), 0.01, "<f4").tobytes())
    file.write(struct.pack("<i", len(vocabulary)))
    file.writelines(struct.pack("<i", len(token.encode())) + token.encode() for token in vocabulary)


def _tensors(tokens: Numbers, places: Numbers) -> Iterator[tuple[str, Numbers]]:
    """All that whisper.cpp wants to find; whatever is not told is zero, so that layers hand on what they get."""
    yield "encoder.positional_embedding", _zeros(_SOUND_PLACES, _WIDTH)
    for name, bands in (("encoder.conv1", _BANDS), ("encoder.conv2", _WIDTH)):
        yield f"{name}.weight", _zeros(_WIDTH, bands, 3)
        yield f"{name}.bias", _zeros(_WIDTH, 1)
    yield from _norm("encoder.ln_post")
    yield "decoder.positional_embedding", places
    yield "decoder.token_embedding.weight", tokens
    yield from _norm("decoder.ln")
    for half, attentions in (("encoder", ("attn",)), ("decoder", ("attn", "cross_attn"))):
        for layer in range(_LAYERS):
            block = f"{half}.blocks.{layer}"
            yield from _norm(f"{block}.mlp_ln")
            for number, shape in (("0", (4 * _WIDTH, _WIDTH)), ("2", (_WIDTH, 4 * _WIDTH))):
                yield f"{block}.mlp.{number}.weight", _zeros(*shape)
                yield f"{block}.mlp.{number}.bias", _zeros(shape[0])
            for attention in attentions:
                yield from _norm(f"{block}.{attention}_ln")
                for part in ("query", "key", "value", "out"):
                    yield f"{block}.{attention}.{part}.weight", _zeros(_WIDTH, _WIDTH)
                    if part != "key":
                        yield f"{block}.{attention}.{part}.bias", _zeros(_WIDTH)


def _norm(name: str) -> Iterator[tuple[str, Numbers]]:
    yield f"{name}.weight", np.ones(_WIDTH, np.float32)
    yield f"{name}.bias", _zeros(_WIDTH)


def _zeros(*shape: int) -> Numbers:
    return np.zeros(shape, np.float32)


def _write_tensor(file: BinaryIO, name: str, tensor: Numbers) -> None:
    small = tensor.ndim < 2 or name.endswith((".bias", "positional_embedding"))
    kind, form = (_F32, "<f4") if small else (_F16, "<f2")
    file.write(struct.pack("<3i", tensor.ndim, len(name), kind))
    file.write(struct.pack(f"<{tensor.ndim}i", *reversed(tensor.shape)) + name.encode())
    file.write(tensor.astype(form).tobytes())
