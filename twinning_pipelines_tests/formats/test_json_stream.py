"""JSON as a stream: what is walked and what is decoded whole, in blocks of any size; cut, broken and hostile documents."""

import io
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats.json_stream import Path, values

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=20
)


def two_levels(path: Path) -> bool:
    return len(path) < 2


def read(text: str | bytes, block_bytes: int = 1 << 20) -> list[tuple[Path, object]]:
    data = text.encode() if isinstance(text, str) else text
    found = values(io.BytesIO(data), two_levels, block_bytes=block_bytes)
    return [(value.path, value.value) for value in found]


def leaves(value: object, path: Path = ()) -> list[tuple[Path, object]]:
    """The same by the standard library."""
    if isinstance(value, dict) and two_levels(path):
        return [leaf for key, each in value.items() for leaf in leaves(each, (*path, key))]
    if isinstance(value, list) and two_levels(path):
        return [leaf for place, each in enumerate(value) for leaf in leaves(each, (*path, place))]
    return [(path, value)]


@given(document=JSON, block_bytes=st.integers(1, 40), indent=st.none() | st.integers(0, 2))
def test_it_says_what_the_standard_library_says(document: object, block_bytes: int, indent: int | None) -> None:
    text = json.dumps(document, indent=indent).replace("\\u0000", "")
    assert read(text, block_bytes) == leaves(json.loads(text))


@given(document=JSON.filter(lambda value: isinstance(value, dict | list)), share=st.floats(0, 1))
def test_a_document_cut_anywhere_breaks_off(document: object, share: float) -> None:
    text = json.dumps(document, ensure_ascii=False).encode()
    cut = text[: min(int(len(text) * share), len(text) - 1)]
    with pytest.raises(UnreadableFile, match=r"breaks off|the file is empty"):
        read(cut, 7)


@pytest.mark.parametrize("block_bytes", range(1, 12))
def test_a_number_is_not_torn_by_the_end_of_a_block(block_bytes: int) -> None:
    assert read("[10.25, -3e-7, 12345, 0]", block_bytes) == [((0,), 10.25), ((1,), -3e-7), ((2,), 12345), ((3,), 0)]


def test_a_value_comes_with_its_own_text() -> None:
    found = list(values(io.BytesIO(b'[ {"a" : 1.50}, 2 ]'), two_levels))
    assert [value.raw for value in found] == ["1.50", "2"]


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings(codec: str) -> None:
    assert read('{"näme": ["„x“ 😀"]}'.encode(codec), 5) == [(("näme", 0), "„x“ 😀")]


def test_control_characters_nul_and_halves_of_pairs_do_not_stop_it() -> None:
    assert read('["a\x0bb", "a\\u0000b", "\\ud800", "\\ud83d\\ude00"]') == [
        ((0,), "a\x0bb"),
        ((1,), "a\ufffdb"),
        ((2,), "\ufffd"),
        ((3,), "😀"),
    ]
    assert read(b'["a\x00b"]') == [((0,), "a\ufffdb")]


def test_numbers_of_any_length_are_read_and_nan_is_null() -> None:
    digits = "9" * 5_000
    assert read(f"[{digits}, 1e999, NaN, -Infinity, 12]") == [
        ((0,), float("inf")),
        ((1,), float("inf")),
        ((2,), None),
        ((3,), None),
        ((4,), 12),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the file is empty"),
        ("\0\0\0", "the file is empty"),
        ('{\n"a" 1}', "line 2: broken JSON, a colon is missing"),
        ("[1,\n\n2 3]", "line 3: broken JSON, a comma or ']' is missing: '3]'"),
        ("[1,]", "line 1: broken JSON, Expecting value"),
        ('{"a": 1,}', "a key is missing"),
        ("[1] 2", "something follows the end"),
        ("hello", "line 1: broken JSON"),
        ('["\\x"]', "line 1: broken JSON"),
    ],
)
def test_what_is_no_json_says_where(text: str, reason: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(text)
    assert reason in str(refused.value)


@pytest.mark.parametrize("mark", ["[", '{"a":'])
def test_nesting_without_end_is_hostile(mark: str) -> None:
    with pytest.raises(HostileFile, match="nested too deep"):
        read(mark * 200_000)


def test_a_value_without_end_is_hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twinning_pipelines.formats.json_stream.LONGEST_VALUE", 10_000)
    with pytest.raises(HostileFile, match="a value of more than"):
        read('["' + "x" * 50_000, 1_000)


def test_memory_is_bounded_by_the_block_and_not_by_the_file() -> None:
    document = b'{"a": [' + b'{"date": "2024-03-01", "qty": 12.5},' * 200_000 + b"{}]}"
    tracemalloc.start()
    count = sum(1 for _ in values(io.BytesIO(document), two_levels, block_bytes=1 << 16))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 200_001
    assert peak < 2_000_000
