"""Files inside files, read as if dropped alone."""

import zipfile
from pathlib import Path

import pytest

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats import part
from twinning_pipelines.formats.part import Part, base_name, head_part, part_of, told_in
from twinning_pipelines.original import Original
from twinning_pipelines.source import Notice, Rejection


def _zipped(path: Path, name: str, data: bytes) -> Original:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, data)
    return Original.at(path)


def test_a_member_is_an_original_of_its_own(tmp_path: Path) -> None:
    original = _zipped(tmp_path / "x.zip", "folder/steps.csv", b"Date,Value\n")
    found = part_of(original, original.members[0])
    assert (found.name, found.size, found.head, found.is_zip) == ("steps.csv", 11, b"Date,Value\n", False)
    with found.open() as stream:
        assert stream.read() == b"Date,Value\n"
    assert head_part(original, original.members[0]).text_head == "Date,Value\n"


def test_a_zip_inside_a_zip_is_not_looked_into(tmp_path: Path) -> None:
    inner = _zipped(tmp_path / "inner.zip", "a.csv", b"a,b\n").path.read_bytes()
    original = _zipped(tmp_path / "outer.zip", "inner.zip", inner)
    found = part_of(original, original.members[0])
    assert found.is_zip
    assert found.members == ()
    with pytest.raises(UnreadableFile, match="no members"), found.open("a.csv"):
        pass


def test_damage_is_an_error_when_read_and_nothing_when_only_looked_at(tmp_path: Path) -> None:
    original = _zipped(tmp_path / "x.zip", "steps.csv", b"Date,Value\n")
    broken = tmp_path / "broken.zip"
    broken.write_bytes(original.path.read_bytes().replace(b"Date", b"Data"))
    damaged = Original.at(broken)
    assert head_part(damaged, damaged.members[0]).head == b""
    with pytest.raises(UnreadableFile, match="damaged zip"):
        part_of(damaged, damaged.members[0])


def test_a_part_beyond_all_measure_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "PART_BYTES", 3)
    original = _zipped(tmp_path / "x.zip", "steps.csv", b"Date")
    with pytest.raises(UnreadableFile, match=r"steps\.csv: more than"):
        part_of(original, original.members[0])
    assert base_name(original.members[0]) == "steps.csv"


def test_what_a_person_reads_names_the_part() -> None:
    told = list(told_in("a.csv", [Rejection(1, "sample", "empty", ""), Notice("odd"), "other"]))
    assert told == [Rejection(1, "sample", "a.csv: empty", ""), Notice("a.csv: odd"), "other"]
    assert Part(Path("x"), "x", Original.at(Path(__file__)).modified_at).size == 0
