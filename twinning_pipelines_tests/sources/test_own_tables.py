"""What holds for every source that reads time, business or food: no other claims its samples, no cut breaks it."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.ingest.check import check
from twinning_pipelines.original import Original
from twinning_pipelines.source import Batch, Source
from twinning_pipelines.sources.business import deals, expenses, hubspot, invoices
from twinning_pipelines.sources.nutrition import cronometer
from twinning_pipelines.sources.nutrition import template as nutrition_template
from twinning_pipelines.sources.time import template as time_template
from twinning_pipelines.sources.time import timewarrior, toggl
from twinning_pipelines_tests.goldens import BERLIN, samples

HERE = Path(__file__).parent
OWN: dict[str, Source] = {
    "time/template": time_template.SOURCE,
    "time/toggl": toggl.SOURCE,
    "time/timewarrior": timewarrior.SOURCE,
    "business/deals": deals.SOURCE,
    "business/expenses": expenses.SOURCE,
    "business/hubspot": hubspot.SOURCE,
    "business/invoices": invoices.SOURCE,
    "nutrition/template": nutrition_template.SOURCE,
    "nutrition/cronometer": cronometer.SOURCE,
}
SAMPLES = [
    (source, sample) for folder, source in OWN.items() for sample in samples(HERE / folder, ".csv", ".json", ".data")
]
IDS = [f"{source.name}-{sample.name}" for source, sample in SAMPLES]


@pytest.mark.parametrize(("source", "sample"), SAMPLES, ids=IDS)
def test_one_source_claims_a_sample(source: Source, sample: Path) -> None:
    original = Original.at(sample)
    assert [each.name for each in OWN.values() if each.recognises(original)] == [source.name]


@pytest.mark.parametrize(("source", "sample"), SAMPLES, ids=IDS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_cut_anywhere_gives_rows_rejections_or_a_refusal(
    source: Source, sample: Path, data: st.DataObject, tmp_path: Path
) -> None:
    whole = sample.read_bytes()
    path = tmp_path / sample.name
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    original = Original.at(path)
    source.recognises(original)
    try:
        batches = [item for item in source.parse(original, BERLIN) if isinstance(item, Batch)]
    except UnreadableFile:
        return
    for batch in batches:
        accepted, rejected = check(batch)
        assert batch.read == accepted.num_rows + len(rejected)


@pytest.mark.parametrize(("source", "sample"), SAMPLES, ids=IDS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_bytes_changed_anywhere_do_no_harm(source: Source, sample: Path, data: st.DataObject, tmp_path: Path) -> None:
    mangled = bytearray(sample.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(mangled) - 1), min_size=1, max_size=5)):
        mangled[place] = data.draw(st.sampled_from(b'",;\n\r\t\x00\xff0-{}[]9'))
    path = tmp_path / sample.name
    path.write_bytes(bytes(mangled))
    try:
        for item in source.parse(Original.at(path), BERLIN):
            if isinstance(item, Batch):
                check(item)
    except UnreadableFile:
        return


@pytest.mark.parametrize("source", OWN.values(), ids=list(OWN))
@pytest.mark.parametrize("content", [b"", b"\x00" * 50, b"PK\x03\x04rest", b"a,b\n", b"\xff\xfe", b'"' * 99])
def test_what_is_nothing_of_ours_is_not_claimed(source: Source, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "anything"
    path.write_bytes(content)
    assert not source.recognises(Original.at(path))
    with pytest.raises(UnreadableFile):
        list(source.parse(Original.at(path), BERLIN))


@pytest.mark.parametrize("source", OWN.values(), ids=list(OWN))
def test_each_says_when_silence_is_too_long(source: Source) -> None:
    assert source.expect_every is not None
    assert source.domain == source.name.split(".", maxsplit=1)[0]
