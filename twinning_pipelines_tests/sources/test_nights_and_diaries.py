"""What holds for sleep apps, food diaries and the health tables kept by hand: no byte of a file can do harm."""

import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.ingest.check import check
from twinning_pipelines.original import Original
from twinning_pipelines.source import Batch, Source
from twinning_pipelines.sources.health import body_measurements, lab_results, sleep_as_android, sleep_cycle
from twinning_pipelines.sources.nutrition import lose_it, macrofactor, myfitnesspal
from twinning_pipelines_tests.goldens import BERLIN, samples

HERE = Path(__file__).parent
SOURCES: dict[str, Source] = {
    "health/body_measurements": body_measurements.SOURCE,
    "health/lab_results": lab_results.SOURCE,
    "health/sleep_as_android": sleep_as_android.SOURCE,
    "health/sleep_cycle": sleep_cycle.SOURCE,
    "nutrition/lose_it": lose_it.SOURCE,
    "nutrition/macrofactor": macrofactor.SOURCE,
    "nutrition/myfitnesspal": myfitnesspal.SOURCE,
}
SAMPLES = [
    pytest.param(source, sample, id=f"{source.name}-{sample.name}")
    for folder, source in SOURCES.items()
    for sample in samples(HERE / folder, ".csv", ".zip")
]
_NASTY = [
    b'"',
    b",",
    b";",
    b"\n",
    b"\r",
    b"\t",
    b"\x00",
    b"\xff",
    b"0",
    b"-",
    b"{",
    b"9" * 400,
    b"1e999",
    b"\xe2\x80\xa8",
]


def _mangled(data: st.DataObject, content: bytes) -> bytes:
    changed = content
    for place in data.draw(st.lists(st.integers(0, max(len(content) - 1, 0)), min_size=1, max_size=4)):
        changed = changed[:place] + data.draw(st.sampled_from(_NASTY)) + changed[place + 1 :]
    return changed


def _rewritten(data: st.DataObject, sample: Path, path: Path) -> None:
    """The sample with bytes changed; those of a zip are changed inside one of its members."""
    if sample.suffix != ".zip":
        path.write_bytes(_mangled(data, sample.read_bytes()))
        return
    with zipfile.ZipFile(sample) as whole, zipfile.ZipFile(path, "w") as archive:
        chosen = data.draw(st.sampled_from(whole.namelist()))
        for name in whole.namelist():
            content = whole.read(name)
            archive.writestr(name, _mangled(data, content) if name == chosen else content)


@pytest.mark.parametrize(("source", "sample"), SAMPLES)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_bytes_changed_anywhere_give_rows_rejections_or_a_refusal(
    source: Source, sample: Path, data: st.DataObject, tmp_path: Path
) -> None:
    path = tmp_path / sample.name
    _rewritten(data, sample, path)
    original = Original.at(path)
    try:
        source.recognises(original)
        batches = [item for item in source.parse(original, BERLIN) if isinstance(item, Batch)]
    except UnreadableFile:
        return
    for batch in batches:
        accepted, rejected = check(batch)
        assert batch.read == accepted.num_rows + len(rejected)


@pytest.mark.parametrize("source", SOURCES.values(), ids=list(SOURCES))
@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 50, b"a,b\n", b"\xff\xfe", b'"' * 99, b"{}", b"<a/>", b"Id;Tz;From\n"]
)
def test_what_is_nothing_of_ours_is_not_claimed(source: Source, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "anything"
    path.write_bytes(content)
    assert not source.recognises(Original.at(path))
    with pytest.raises(UnreadableFile):
        list(source.parse(Original.at(path), BERLIN))


@pytest.mark.parametrize("source", SOURCES.values(), ids=list(SOURCES))
def test_a_zip_of_something_else_is_not_claimed(source: Source, tmp_path: Path) -> None:
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in (
            "a.jpg",
            "notes.csv",
            "sleep-export.csv",
            "weights.csv",
            "Nutrition-Summary.csv",
            "xl/workbook.xml",
        ):
            archive.writestr(name, "nothing,of,ours\n1,2,3\n")
    assert not source.recognises(Original.at(path))
    with pytest.raises(UnreadableFile):
        list(source.parse(Original.at(path), BERLIN))
