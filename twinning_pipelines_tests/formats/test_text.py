"""Bytes to text: what the bytes are wins over what the file says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.formats import text

# Letters that UTF-8, Windows-1252 and code page 437 write with different bytes.
NAMES = "Zürich, Café"


@pytest.mark.parametrize(
    ("written_as", "declared", "codec", "lied"),
    [
        ("utf-8", "", "utf-8", False),
        ("utf-8", "UTF-8", "utf-8", False),
        ("utf-8", "1252", "utf-8", True),
        ("utf-8", "USASCII", "utf-8", True),
        ("utf-8-sig", "1252", "utf-8-sig", True),
        ("utf-16", "", "utf-16", False),
        ("utf-16-le", "", "utf-16-le", False),
        ("utf-16-be", "1252", "utf-16-be", True),
        ("utf-32", "", "utf-32", False),
        ("cp1252", "1252", "cp1252", False),
        ("cp1252", "", "cp1252", False),
        ("cp1252", "UTF-8", "cp1252", True),
        ("latin-1", "8859-1", "iso8859-1", False),
        ("latin-1", "ISO-8859-1", "iso8859-1", False),
        ("cp437", "437", "cp437", False),
        ("cp850", "850", "cp850", False),
    ],
)
def test_text_is_read_as_it_was_written(written_as: str, declared: str, codec: str, lied: bool) -> None:
    decoded = text.decode(NAMES.encode(written_as), declared)
    assert (decoded.text, decoded.codec, decoded.lied) == (NAMES, codec, lied)


@pytest.mark.parametrize("declared", ["", "1252", "USASCII", "UTF-8", "437", "NONE", "no-such-charset"])
def test_plain_ascii_makes_no_single_byte_declaration_lie(declared: str) -> None:
    decoded = text.decode(b"plain", declared)
    assert (decoded.text, decoded.lied) == ("plain", False)


def test_single_bytes_under_a_declared_utf_16_are_a_lie() -> None:
    decoded = text.decode(b"<OFX></OFX>", "utf-16")
    assert (decoded.text, decoded.lied) == ("<OFX></OFX>", True)


def test_the_euro_sign_in_a_file_that_declares_latin_1_means_windows_1252() -> None:
    decoded = text.decode(b"12 \x80 na\xefve", "ISO-8859-1")
    assert (decoded.text, decoded.codec, decoded.lied) == ("12 € naïve", "cp1252", True)


def test_bytes_that_windows_1252_lacks_are_latin_1() -> None:
    assert text.decode(b"\x81\xe9").codec == "iso8859-1"


def test_utf_8_cut_inside_a_character_is_utf_8_still() -> None:
    decoded = text.decode("Zürich Zü".encode()[:-1], "1252")
    assert (decoded.text, decoded.codec) == ("Zürich Z\ufffd", "utf-8")


@pytest.mark.parametrize(
    "declared", ["zlib", "base64", "idna", "punycode", "unicode_escape", "utf-7", "rot13", "x\0y", "é"]
)
def test_only_codecs_of_text_can_be_declared(declared: str) -> None:
    assert text.codec_named(declared) == ""


def test_nul_never_reaches_a_store() -> None:
    assert text.decode(b"ab\0cd, and a little more").text == "ab\ufffdcd, and a little more"


def test_binary_bytes_are_told_from_text() -> None:
    assert text.decode(bytes(range(256)) * 10).is_binary
    assert not text.decode("Text,\twith\r\nlines and ünïcode\x1a".encode()).is_binary
    assert not text.decode(b"").is_binary


@given(st.binary(max_size=300), st.sampled_from(["", "1252", "8859-1", "UTF-8", "437", "utf-16", "ascii", "shift_jis"]))
def test_any_bytes_become_text_that_a_store_takes(data: bytes, declared: str) -> None:
    decoded = text.decode(data, declared)
    assert "\0" not in decoded.text
    decoded.text.encode()


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_utf_8_comes_back_whatever_is_declared(words: str) -> None:
    # A text that begins like a byte-order mark, or looks like UTF-16, is not written as UTF-8 by anyone.
    if not words.startswith("\ufeff"):
        assert text.decode(words.encode(), "1252").text == words
