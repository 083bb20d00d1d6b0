"""Weights of a Whisper that was never trained, in the format of CTranslate2, with the tokenizer that faster-whisper wants.

As in `whisper_weights`, it is a music box: at each place of its answer a direction of its own is strong, and one token
lies in that direction. It knows English only, so that nothing but its start stands before what it says.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_WIDTH, _PLACES, _SOUND_PLACES, _BANDS = 64, 448, 1_500, 80
_START, _END, _TIMES = "<|startoftranscript|>", "<|endoftext|>", 1_501
_MARKS = (
    _END, _START, "<|en|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>",
    "<|notimestamps|>",
)  # fmt: skip


def write_music_box(folder: Path, words: Sequence[str], *, seconds: float = 2.0) -> None:
    """A folder of weights that say these words, from the beginning up to so many seconds."""
    package: Any = import_module("ctranslate2.specs")
    folder.mkdir()
    bytewise = import_module("tokenizers").pre_tokenizers.ByteLevel
    spoken = [f"Ġ{word}" for word in words]
    letters = [*sorted(bytewise.alphabet()), *spoken]
    marks = [*_MARKS, *(f"<|{place * 0.02:.2f}|>" for place in range(_TIMES))]
    vocabulary = [*letters, *marks]
    said = ["<|0.00|>", *spoken, f"<|{seconds:.2f}|>", _END]
    spec = package.WhisperSpec(1, 1, 1, 1)
    _fill(spec, len(vocabulary))
    for step, token in enumerate(said):
        number = vocabulary.index(token)
        spec.decoder.embeddings.weight[number, step] = spec.decoder.projection.weight[number, step] = 5
        spec.decoder.position_encodings.encodings[step, step] = 100
    spec.register_vocabulary(vocabulary)
    spec.config.suppress_ids = spec.config.suppress_ids_begin = []
    spec.config.lang_ids, spec.config.alignment_heads = [vocabulary.index("<|en|>")], [(0, 0)]
    spec.validate()
    spec.optimize()
    spec.save(str(folder))
    _write_tokenizer(folder / "tokenizer.json", letters, marks)


def _fill(spec: Any, tokens: int) -> None:
    """Everything is zero, so that layers hand on what they get."""
    encoder, decoder = spec.encoder, spec.decoder
    for layer, bands in ((encoder.conv1, _BANDS), (encoder.conv2, _WIDTH)):
        layer.weight, layer.bias = _zeros(_WIDTH, bands, 3), _zeros(_WIDTH)
    encoder.position_encodings.encodings = _zeros(_SOUND_PLACES, _WIDTH)
    decoder.position_encodings.encodings = _zeros(_PLACES, _WIDTH)
    decoder.embeddings.weight, decoder.projection.weight = _zeros(tokens, _WIDTH), _zeros(tokens, _WIDTH)
    for half in (encoder, decoder):
        _norm(half.layer_norm)
        for layer in half.layer:
            _attend(layer.self_attention, (3, 1))
            if half is decoder:
                _attend(layer.attention, (1, 2, 1))
            _norm(layer.ffn.layer_norm)
            _link(layer.ffn.linear_0, 4 * _WIDTH, _WIDTH)
            _link(layer.ffn.linear_1, _WIDTH, 4 * _WIDTH)


def _attend(attention: Any, widths: Sequence[int]) -> None:
    _norm(attention.layer_norm)
    for link, width in zip(attention.linear, widths, strict=True):
        _link(link, width * _WIDTH, _WIDTH)


def _norm(norm: Any) -> None:
    norm.gamma, norm.beta = np.ones(_WIDTH, np.float32), _zeros(_WIDTH)


def _link(link: Any, out: int, into: int) -> None:
    link.weight, link.bias = _zeros(out, into), _zeros(out)


def _zeros(*shape: int) -> npt.NDArray[np.float32]:
    return np.zeros(shape, np.float32)


def _write_tokenizer(path: Path, letters: Sequence[str], marks: Sequence[str]) -> None:
    package: Any = import_module("tokenizers")
    vocabulary = {token: number for number, token in enumerate(letters)}
    tokenizer = package.Tokenizer(package.models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = package.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = package.decoders.ByteLevel()
    tokenizer.add_special_tokens([package.AddedToken(mark, special=True) for mark in marks])
    tokenizer.save(str(path))
