"""Voice notes: what each container says of itself, what dates one, what is refused."""

import os
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.ingest.check import check
from twinning_pipelines.original import Original
from twinning_pipelines.source import Batch
from twinning_pipelines.sources.journal.voice_note import SOURCE, named_time
from twinning_pipelines_tests import recordings
from twinning_pipelines_tests.goldens import BERLIN, notices, rows, samples

HERE = Path(__file__).parent
EIGHT = datetime(2026, 3, 31, 6, 15, tzinfo=UTC)
SAMPLES = samples(HERE, ".m4a", ".mp3", ".opus", ".ogg", ".wav", ".webm")


def said(tmp_path: Path, content: bytes, name: str = "note") -> dict[str, Any]:
    """The row of a recording that is recognised."""
    path = tmp_path / name
    path.write_bytes(content)
    os.utime(path, (EIGHT.timestamp() + 7200, EIGHT.timestamp() + 7200))
    assert SOURCE.recognises(Original.at(path))
    (row,) = rows(SOURCE, path)
    return row


def is_ours(tmp_path: Path, content: bytes, name: str = "note") -> bool:
    """Whether a file is recognised."""
    path = tmp_path / name
    path.write_bytes(content)
    return SOURCE.recognises(Original.at(path))


def refusal(tmp_path: Path, content: bytes, name: str = "note.m4a") -> str:
    """Why a recording that is recognised can't be read."""
    path = tmp_path / name
    path.write_bytes(content)
    assert SOURCE.recognises(Original.at(path))
    with pytest.raises(UnreadableFile) as refused:
        list(SOURCE.parse(Original.at(path), BERLIN))
    return str(refused.value)


@pytest.mark.parametrize(
    ("content", "container", "seconds"),
    [
        (recordings.m4a(12.5), "mp4", 12.5),
        (recordings.m4a(12.5, wide=True, index_first=True, brand=b"mp42"), "mp4", 12.5),
        (recordings.mp3(40), "mp3", 0.96),
        (recordings.mp3(40, xing=40), "mp3", 0.96),
        (recordings.mp3(40, tags={"TIT2": "x"}), "mp3", 0.96),
        (recordings.wav(0.5), "wav", 0.5),
        (recordings.opus(3), "ogg", 3),
        (recordings.opus(3, codec="vorbis"), "ogg", 3),
        (recordings.webm(4), "webm", 4),
        (recordings.webm(4, live=False), "webm", 4),
    ],
)
def test_a_recording_is_known_by_its_bytes_whatever_its_name(
    tmp_path: Path, content: bytes, container: str, seconds: float
) -> None:
    row = said(tmp_path, content, "report.csv")
    assert (row["container"], row["seconds"]) == (container, seconds)


@pytest.mark.parametrize(
    "content",
    [
        recordings.m4a(made=EIGHT),
        recordings.m4a(made=None, day="2026-03-31T08:15:00+0200"),
        recordings.m4a(made=None, day="2026-03-31T08:15:00"),
        recordings.m4a(made=datetime(2026, 4, 9, tzinfo=UTC), apple="2026-03-31T08:15:00+02:00"),
        recordings.wav(0.1, bext="2026-03-3108:15:00"),
        recordings.wav(0.1, bext="2026:03:3108-15-00"),
        recordings.wav(0.1, info={"ICRD": "2026-03-31 08:15:00"}),
        recordings.opus(tags={"DATE": "2026-03-31T06:15:00Z"}),
        recordings.opus(tags={"creation_time": "2026-03-31T06:15:00.000000Z"}),
        recordings.mp3(tags={"TDRC": "2026-03-31T08:15:00"}),
        recordings.mp3(tags={"TYER": "2026", "TDAT": "3103", "TIME": "0815"}, version=3),
        recordings.webm(made=EIGHT),
    ],
)
def test_a_tag_dates_it_before_anything_else(tmp_path: Path, content: bytes) -> None:
    row = said(tmp_path, content, "Recording 2020-01-01 00.00.m4a")
    assert (row["recorded_at"], row["dated_by"]) == (EIGHT, "tag")


@pytest.mark.parametrize(
    ("name", "wall", "day_only"),
    [
        ("Recording 2026-03-31 08.15.m4a", "2026-03-31T08:15:00", False),
        ("20260331_081500.m4a", "2026-03-31T08:15:00", False),
        ("20260331081507.m4a", "2026-03-31T08:15:07", False),
        ("PTT-20260331-WA0001.opus", "2026-03-31T00:00:00", True),
        ("AUD-20260331-WA0012.m4a", "2026-03-31T00:00:00", True),
        ("WhatsApp Ptt 2026-03-31 at 08.15.07.ogg", "2026-03-31T08:15:07", False),
        ("WhatsApp Audio 2026-03-31 at 8.15.07 PM.ogg", "2026-03-31T20:15:07", False),
        ("audio_2026-03-31_08-15-07.ogg", "2026-03-31T08:15:07", False),
        ("signal-2026-03-31-08-15-07-123.m4a", "2026-03-31T08:15:07", False),
        ("260331_0815.mp3", "2026-03-31T08:15:00", False),
        ("Voice 260331_081507.m4a", "2026-03-31T08:15:07", False),
        ("2026-03-31.m4a", "2026-03-31T00:00:00", True),
        ("memo 2026-13-31 then 2026-03-31.m4a", "2026-03-31T00:00:00", True),
    ],
)
def test_a_name_tells_a_wall_time(name: str, wall: str, day_only: bool) -> None:
    found = named_time(name)
    assert found is not None
    assert (found.at.isoformat(), found.day_only) == (wall, day_only)


@pytest.mark.parametrize(
    "name", ["New Recording 12.m4a", "Voice 001.m4a", "1774937700000.m4a", "2026-02-30.m4a", "4711-2026.m4a", ""]
)
def test_a_name_without_a_day_tells_nothing(name: str) -> None:
    assert named_time(name) is None


def test_without_a_tag_the_name_dates_it_in_the_zone_of_the_person_and_else_the_file(tmp_path: Path) -> None:
    named = said(tmp_path, recordings.opus(), "audio_2026-03-31_08-15-00.ogg")
    assert (named["recorded_at"], named["dated_by"]) == (EIGHT, "name")
    day = said(tmp_path, recordings.opus(), "PTT-20260331-WA0001.opus")
    assert (day["recorded_at"], day["dated_by"]) == (datetime(2026, 3, 31, 10, tzinfo=UTC), "name")
    unnamed = said(tmp_path, recordings.opus(), "note.ogg")
    assert (unnamed["recorded_at"], unnamed["dated_by"]) == (datetime(2026, 3, 31, 8, 15, tzinfo=UTC), "file")
    # A tag that tells only the day gives way to a name that tells the time, and is better than the file's time.
    tagged = recordings.opus(tags={"DATE": "2026-03-30"})
    assert said(tmp_path, tagged, "audio_2026-03-31_08-15-00.ogg")["dated_by"] == "name"
    assert said(tmp_path, tagged, "note.ogg")["recorded_at"] == datetime(2026, 3, 30, 10, tzinfo=UTC)
    # The zero of the recorder's clock is no date.
    assert said(tmp_path, recordings.m4a(made=datetime(1970, 1, 1, tzinfo=UTC)))["dated_by"] == "file"


def test_titles_are_kept_and_what_a_recorder_left_open_is_told(tmp_path: Path) -> None:
    titled = {
        "a.m4a": recordings.m4a(title="Zürich walk"),
        "a.mp3": recordings.mp3(tags={"TIT2": "Zürich walk"}, version=3),
        "a.wav": recordings.wav(0.1, info={"INAM": "Zürich walk"}),
        "a.ogg": recordings.opus(tags={"title": "Zürich walk"}),
        "a.webm": recordings.webm(title="Zürich walk"),
    }
    assert {said(tmp_path, content, name)["title"] for name, content in titled.items()} == {"Zürich walk"}
    open_ended = tmp_path / "open.wav"
    wave = recordings.wav(0.5)
    open_ended.write_bytes(wave[:40] + b"\xff\xff\xff\xff" + wave[44:])
    assert rows(SOURCE, open_ended)[0]["seconds"] == 0.5
    assert "taken to the file's end" in notices(SOURCE, open_ended)[0]
    cut = tmp_path / "cut.mp3"
    cut.write_bytes(recordings.mp3(40)[:-20])
    assert "last frame" in notices(SOURCE, cut)[0]


def test_pictures_and_other_things_are_not_voice_notes(tmp_path: Path) -> None:
    assert not is_ours(tmp_path, recordings.m4a(handlers=(b"vide",), brand=b"isom"), "film.m4a")
    assert not is_ours(tmp_path, recordings.m4a(handlers=(b"vide", b"soun"), brand=b"isom"), "film.mp4")
    assert is_ours(tmp_path, recordings.m4a(handlers=(b"text", b"soun"), brand=b"isom"))
    assert not is_ours(tmp_path, recordings.webm(kinds=(1,)))
    assert not is_ours(tmp_path, recordings.webm(kinds=(1, 2)))
    for content in (
        b"",
        b"ID3",
        b"RIFF\x04\0\0\0AVI ",
        "Tag;Betrag\n".encode("utf-16"),
        b"\xff\xfb" * 40,
        b"OggS" + bytes(60),
    ):
        assert not is_ours(tmp_path, content, "note.m4a")
    assert not is_ours(tmp_path, b"ID3\x04\0\0\0\0\0\x02xxfLaC" + bytes(100))


def test_what_breaks_off_is_refused_and_says_where(tmp_path: Path) -> None:
    memo = recordings.m4a(title="Walk")
    assert "no index (moov)" in refusal(tmp_path, memo[: len(memo) // 3][:24])
    assert "breaks off" in refusal(tmp_path, memo[:-9])
    assert "breaks off" in refusal(tmp_path, recordings.m4a(brand=b"isom")[:-9])
    assert "are promised" in refusal(tmp_path, recordings.wav(0.5)[:-100])
    assert "within the page" in refusal(tmp_path, recordings.opus()[:-10])
    assert "goes beyond its end" in refusal(tmp_path, recordings.webm()[:-4])
    assert "are promised" in refusal(tmp_path, recordings.mp3(3, xing=400))
    assert "within its tag" in refusal(tmp_path, b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(30))
    spoiled = bytearray(recordings.opus())
    spoiled[38] ^= 0xFF
    assert "checksum" in refusal(tmp_path, bytes(spoiled))


def test_sizes_that_lie_cost_neither_memory_nor_time(tmp_path: Path) -> None:
    many = recordings.atom(b"moov", recordings.atom(b"free") * 30_000)
    hostile = tmp_path / "many.m4a"
    hostile.write_bytes(recordings.atom(b"ftyp", b"M4A ", bytes(4)) + many)
    with pytest.raises(HostileFile, match="atoms"):
        list(SOURCE.parse(Original.at(hostile), BERLIN))
    huge = recordings.atom(b"ftyp", b"M4A ", bytes(4)) + struct.pack(">I4sQ", 1, b"moov", 2**63)
    assert "goes beyond its end" in refusal(tmp_path, huge)
    nothing = recordings.atom(b"ftyp", b"M4A ", bytes(4)) + struct.pack(">I4s", 3, b"moov")
    assert "an atom of 3 bytes" in refusal(tmp_path, nothing)
    nested = b"".join(struct.pack(">I", 8 * left) + b"moov" for left in range(3_000, 0, -1))
    assert "movie header" in refusal(tmp_path, recordings.atom(b"ftyp", b"M4A ", bytes(4)) + nested)
    chunks = tmp_path / "many.wav"
    chunks.write_bytes(recordings.wav(0.1) + b"junk\0\0\0\0" * 3_000)
    with pytest.raises(HostileFile, match="chunks"):
        list(SOURCE.parse(Original.at(chunks), BERLIN))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_bytes_changed_anywhere_give_a_row_a_rejection_or_a_refusal(
    sample: Path, data: st.DataObject, tmp_path: Path
) -> None:
    mangled = bytearray(sample.read_bytes())
    for place in data.draw(st.lists(st.integers(0, min(len(mangled), 700) - 1), min_size=1, max_size=6)):
        mangled[place] = data.draw(st.sampled_from((0, 1, 7, 8, 0x20, 0x7F, 0x80, 0xA0, 0xFE, 0xFF)))
    path = tmp_path / sample.name
    path.write_bytes(mangled)
    SOURCE.recognises(Original.at(path))
    try:
        batches = [item for item in SOURCE.parse(Original.at(path), BERLIN) if isinstance(item, Batch)]
    except UnreadableFile:
        return
    assert sum(batch.read for batch in batches) == 1
    for batch in batches:
        accepted, rejected = check(batch)
        assert accepted.num_rows + len(rejected) == 1


def test_the_samples_are_what_the_recorder_makes() -> None:
    assert (HERE / "voice_memo.m4a").read_bytes() == recordings.m4a(12.5, title="Morning walk")
    assert (HERE / "dictaphone.wav").stat().st_size < 5_000
    assert len(SAMPLES) == 9
