"""Files that would hurt: bombs, slips, links, entities, odd names. Each gets a clear answer and stops nobody else."""

import os
import stat
import zipfile
from pathlib import Path

import pytest

from twinning_pipelines import original as original_module
from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.home import Home
from twinning_pipelines.ingest.inbox import scan
from twinning_pipelines.ingest.road import look
from twinning_pipelines.ingest.sweep import drain, sweep
from twinning_pipelines.original import Original
from twinning_pipelines.sources import SOURCES
from twinning_pipelines_tests.goldens import BERLIN

_LATER_NS = 4_000_000_000 * 10**9
_OFX = (
    "OFXHEADER:100\n\n<OFX><STMTRS><CURDEF>CHF<BANKTRANLIST>"
    "<STMTTRN><DTPOSTED>20260101<TRNAMT>-1<FITID>{}<NAME>x</STMTTRN></BANKTRANLIST></STMTRS></OFX>"
)


def _zip(path: Path, members: dict[str, bytes], *, link: str | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        if link:
            info = zipfile.ZipInfo(link)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, "/etc/passwd")
    return path


@pytest.mark.parametrize(
    "name", ["../../evil.xml", "/etc/evil.xml", "a/../../b.xml", "..\\..\\evil.xml", "C:/evil.xml"]
)
def test_a_member_that_leaves_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    path = _zip(tmp_path / "slip.zip", {name: b"<HealthData/>"})
    with pytest.raises(HostileFile, match="leaves the archive"):
        _ = Original.at(path).members


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = _zip(tmp_path / "link.zip", {"a.xml": b"x"}, link="passwd")
    with pytest.raises(HostileFile, match="link"):
        _ = Original.at(path).members


def test_a_bomb_by_ratio_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(original_module, "RATIO_FREE_BYTES", 1_000_000)
    path = _zip(tmp_path / "bomb.zip", {"export.xml": bytes(20_000_000)})
    with pytest.raises(HostileFile, match="bomb"):
        _ = Original.at(path).members


def test_a_member_that_holds_more_than_it_says_is_stopped(tmp_path: Path) -> None:
    path = _zip(tmp_path / "liar.zip", {"export.xml": b"x" * 5_000})
    data = bytearray(path.read_bytes())
    # The size in the central directory, little-endian, at offset 24 of its entry.
    entry = data.index(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = (100).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(UnreadableFile), Original.at(path).open("export.xml") as stream:
        stream.read()


def test_a_truncated_zip_says_so(tmp_path: Path) -> None:
    path = _zip(tmp_path / "cut.zip", {"export.xml": os.urandom(10_000)})
    path.write_bytes(path.read_bytes()[:6_000])
    assert "zip" in (look(path, BERLIN, SOURCES).problem or "")


@pytest.mark.parametrize("depth", [1, 9])
def test_entities_are_never_expanded(tmp_path: Path, depth: int) -> None:
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(depth))
    path = tmp_path / "export.xml"
    path.write_text(
        f'<?xml version="1.0"?><!DOCTYPE HealthData [<!ENTITY e0 "boom">{entities}'
        '<!ENTITY secret SYSTEM "file:///etc/passwd">]>\n'
        f'<HealthData locale="en">\n <Record type="HKQuantityTypeIdentifierStepCount" sourceName="&e{depth};&secret;" '
        'unit="count" startDate="2026-01-01 10:00:00 +0100" endDate="2026-01-01 10:01:00 +0100" value="1"/>\n</HealthData>'
    )
    receipt = look(path, BERLIN, SOURCES)
    assert receipt.accepted == 0
    assert receipt.problem is not None or receipt.rejected


def test_one_bad_file_never_stops_the_others(home: Home) -> None:
    inbox = home.inbox / "ada" / "deep" / "er"
    inbox.mkdir(parents=True)
    (inbox / "good.ofx").write_text(_OFX.format(1))
    (inbox / "empty.ofx").write_bytes(b"")
    (inbox / "noise.bin").write_bytes(os.urandom(5_000))
    (inbox / "=cmd|' calc'!A0 $(touch x) \N{RIGHT-TO-LEFT OVERRIDE}.ofx").write_text(_OFX.format(2))
    _zip(inbox / "slip.zip", {"../x.xml": b"<HealthData/>"})
    (inbox / ".hidden.ofx").write_text(_OFX.format(3))
    (inbox / "half.ofx.part").write_text(_OFX.format(4))
    (inbox / "link.ofx").symlink_to("/etc/passwd")
    with home.opened() as opened:
        swept = sweep(home.folders, opened.store, SOURCES, now_ns=_LATER_NS, still_seconds=5)
        receipts = drain(opened.store.pending("finance.ofx"), home.folders, opened.store, SOURCES)
    assert len(swept.routed) == 2
    assert len(swept.put_aside) == 3
    assert [receipt.accepted for receipt in receipts] == [1, 1]
    assert sorted(path.name for path in inbox.iterdir()) == [".hidden.ofx", "half.ofx.part", "link.ofx"]
    notes = [path.read_text() for path in (home.quarantine / "ada").glob("*.why.txt")]
    assert len(notes) == 3
    assert any("empty" in note for note in notes)


def test_a_file_that_is_still_written_waits(home: Home) -> None:
    path = home.inbox / "ada" / "statement.ofx"
    path.parent.mkdir(parents=True)
    path.write_text(_OFX.format(1))
    now = path.stat().st_mtime_ns
    with home.opened() as opened:
        for seconds, waiting in ((1, 1), (6, 0)):
            swept = sweep(home.folders, opened.store, SOURCES, now_ns=now + seconds * 10**9, still_seconds=5)
            assert swept.waiting == waiting
    assert not path.exists()


def test_links_out_of_the_inbox_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "inbox" / "ada").mkdir(parents=True)
    (tmp_path / "inbox" / "ada" / "root").symlink_to("/")
    (tmp_path / "inbox" / "mallory").symlink_to("/etc")
    assert list(scan(tmp_path / "inbox")) == []


def test_a_member_is_read_in_place(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", {"folder/a.txt": b"hello", "__MACOSX/folder/._a.txt": b"litter"})
    original = Original.at(path)
    assert [member.name for member in original.members] == ["folder/a.txt"]
    with original.open("folder/a.txt") as stream:
        assert stream.read() == b"hello"
