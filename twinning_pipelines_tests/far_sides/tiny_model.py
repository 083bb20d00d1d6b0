"""A language model of half a megabyte with random weights, made on the spot: a real llama.cpp loads it and talks nonsense.

What it says is noise; how it is asked, tokenised, held to a schema, cut off and streamed is what any model does.
"""

from pathlib import Path

import gguf
import numpy as np

_LAYERS, _WIDTH, _HEADS, _FEED_FORWARD = 2, 64, 4, 128
_CONTEXT = 8192
# ChatML: llama.cpp knows it by itself, without its template language.
_TEMPLATE = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def write_tiny_model(path: Path, seed: int = 7) -> Path:
    """Writes a GGUF file, the same bytes for the same seed."""
    tokens, scores, kinds = _vocabulary()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(_CONTEXT)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_FEED_FORWARD)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(_TEMPLATE)
    for name, shape in _tensors(len(tokens)):
        writer.add_tensor(name, _weights(name, shape, seed))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _vocabulary() -> tuple[list[bytes], list[float], list[int]]:
    """A SentencePiece vocabulary: three marks, every byte, the printable letters."""
    marks = [b"<unk>", b"<s>", b"</s>"]
    every_byte = [f"<0x{byte:02X}>".encode() for byte in range(256)]
    letters = ["▁".encode(), *(bytes([code]) for code in range(33, 127))]
    kind = gguf.TokenType
    kinds = [kind.UNKNOWN, kind.CONTROL, kind.CONTROL, *[kind.BYTE] * 256, *[kind.NORMAL] * len(letters)]
    scores = [0.0] * 259 + [-float(place) for place in range(len(letters))]
    return marks + every_byte + letters, scores, [int(each) for each in kinds]


def _tensors(tokens: int) -> list[tuple[str, tuple[int, ...]]]:
    each = {
        "attn_norm": (_WIDTH,),
        "attn_q": (_WIDTH, _WIDTH),
        "attn_k": (_WIDTH, _WIDTH),
        "attn_v": (_WIDTH, _WIDTH),
        "attn_output": (_WIDTH, _WIDTH),
        "ffn_norm": (_WIDTH,),
        "ffn_gate": (_FEED_FORWARD, _WIDTH),
        "ffn_up": (_FEED_FORWARD, _WIDTH),
        "ffn_down": (_WIDTH, _FEED_FORWARD),
    }
    layers = [(f"blk.{n}.{name}.weight", shape) for n in range(_LAYERS) for name, shape in each.items()]
    ends = [
        ("token_embd.weight", (tokens, _WIDTH)),
        ("output_norm.weight", (_WIDTH,)),
        ("output.weight", (tokens, _WIDTH)),
    ]
    return ends + layers


def _weights(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    if len(shape) == 1:
        return np.ones(shape, np.float32)
    dice = np.random.default_rng([seed, *name.encode()])
    return (dice.standard_normal(shape) * 0.3).astype(np.float32)
