"""Members of a zip come out whole, or with a reason: inflated here, guarded by what the zip's directory promised."""

import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.original import Original

CONTENTS = {
    "empty": b"", "short": b"x", "lines": b"one line after another\n" * 100_000, "noise": bytes(range(256)) * 999,
}  # fmt: skip


def packed(folder: Path, how: int = zipfile.ZIP_DEFLATED, level: int = 6, before: bytes = b"") -> Path:
    path = folder / "packed.zip"
    with zipfile.ZipFile(path, "w", how, compresslevel=level) as archive:
        for name, content in CONTENTS.items():
            with archive.open(f"folder/{name}.txt", "w", force_zip64=name == "noise") as member:
                member.write(content)
    path.write_bytes(before + path.read_bytes())
    return path


def opened(path: Path, name: str, size: int = -1) -> bytes:
    pieces = []
    with Original.at(path).open(f"folder/{name}.txt") as stream:
        while piece := stream.read(size):
            pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("how", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2])
def test_a_member_comes_out_whole(name: str, how: int, tmp_path: Path) -> None:
    path = packed(tmp_path, how)
    for size in (-1, 1_000, 1 << 20, 5 << 20):
        assert opened(path, name, size) == CONTENTS[name]


@pytest.mark.parametrize("level", [0, 1, 9])
def test_every_level_of_packing_is_read_also_behind_other_bytes(level: int, tmp_path: Path) -> None:
    path = packed(tmp_path, level=level)
    assert opened(path, "lines") == CONTENTS["lines"]
    with zipfile.ZipFile(tmp_path / "appended.zip", "w") as archive:
        archive.writestr("first.txt", b"first")
    with zipfile.ZipFile(tmp_path / "appended.zip", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/lines.txt", CONTENTS["lines"])
    assert opened(tmp_path / "appended.zip", "lines") == CONTENTS["lines"]


def with_entry(path: Path, name: str, place: int, value: int) -> None:
    """Writes another number into the directory entry of a member; `place` counts from the entry's beginning."""
    raw = bytearray(path.read_bytes())
    entry = raw.rindex(b"PK\1\2", 0, raw.rindex(f"folder/{name}.txt".encode()))
    raw[entry + place : entry + place + 4] = value.to_bytes(4, "little")
    path.write_bytes(bytes(raw))


CRC, PACKED, SIZE = 16, 20, 24


def test_a_member_that_holds_more_than_promised_is_hostile(tmp_path: Path) -> None:
    path = packed(tmp_path)
    with_entry(path, "lines", SIZE, 1_000)
    with pytest.raises(HostileFile, match="holds more than its directory entry says"):
        opened(path, "lines")


@pytest.mark.parametrize(
    ("place", "value", "reason"), [(CRC, 7, "Bad CRC-32"), (SIZE, 9_999_999, "Bad CRC-32"), (PACKED, 99, "breaks off")]
)
def test_a_member_that_is_not_what_was_promised_is_damaged(place: int, value: int, reason: str, tmp_path: Path) -> None:
    path = packed(tmp_path)
    with_entry(path, "lines", place, value)
    with pytest.raises(UnreadableFile, match=f"damaged zip: .*{reason}"):
        opened(path, "lines")


def test_the_last_byte_is_not_given_before_the_sum_is_right(tmp_path: Path) -> None:
    path = packed(tmp_path)
    with_entry(path, "short", CRC, 7)
    with Original.at(path).open("folder/short.txt") as stream, pytest.raises(UnreadableFile, match="Bad CRC-32"):
        stream.read(1)


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True), letter=st.integers(1, 255))
def test_a_bent_byte_gives_the_content_or_a_reason(share: float, letter: int, tmp_path: Path) -> None:
    path = packed(tmp_path)
    raw = bytearray(path.read_bytes())
    raw[int(share * len(raw))] ^= letter
    path.write_bytes(bytes(raw))
    for name, content in CONTENTS.items():
        with suppress(UnreadableFile):
            assert opened(path, name) == content
