"""Broken documents read on: the broken element is set aside, all others are found as if it were not there."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats import xml_stream
from twinning_pipelines.formats.xml_mend import Broken
from twinning_pipelines.formats.xml_stream import Portion, portions

NAMES = ("Record", "Group")
INVALID = "broken XML: not well-formed (invalid token)"


def read(text: str, portion_bytes: int = 4096) -> list[Portion]:
    return list(portions(io.BytesIO(text.encode()), "Root", portion_bytes=portion_bytes, resume=NAMES))


def told(found: list[Portion]) -> list[tuple[int, str, dict[str, str], str]]:
    return [
        (int(line), name, values, portion.raw(index))
        for portion in found
        for index, (line, name, values) in enumerate(zip(portion.lines, portion.names, portion.attributes, strict=True))
    ]


def aside(found: list[Portion]) -> list[Broken]:
    return [each for portion in found for each in portion.broken]


WHOLE = [
    '<Record a="1"/>',
    '<Record a="2">\n  <Entry/>\n </Record>',
    '<Group>\n  <Record a="x > y"/>\n  <Record/>\n </Group>',
    '<Other a="3"/>',
]
BAD = [
    ('<Record Health Mate="1"/>', "Record", INVALID),
    ('<Record>\n  <Entry b c="1"/>\n </Record>', "Record", INVALID),
    ('<Group>\n  <Record/>\n  <Record b b="1"/>\n </Group>', "Group", INVALID),
    ('<Record a="&nobody;"/>', "Record", "broken XML: undefined entity"),
    ("<Record></Group>", "Record", "broken XML: mismatched tag"),
    ('<Record a="1" a="2"/>', "Record", "broken XML: duplicate attribute"),
    ("<Strange b/>", "Strange", INVALID),
    ("</Record>", "", "broken XML: mismatched tag"),
]


@settings(deadline=None, max_examples=200)
@given(
    elements=st.lists(st.one_of(st.sampled_from(WHOLE), st.sampled_from([each[0] for each in BAD])), max_size=8),
    portion_bytes=st.integers(1, 300),
)
def test_what_is_whole_is_found_on_its_line_in_every_portioning(elements: list[str], portion_bytes: int) -> None:
    whole: list[tuple[int, str]] = []
    bad: list[tuple[int, str, str, str]] = []
    reasons = {text: (name, reason) for text, name, reason in BAD}
    line = 2
    # What is no known element is set aside together with what follows it up to one.
    for text in elements:
        if text in reasons:
            bad.append((line, *reasons[text], text))
        elif bad and text.startswith("<Other") and bad[-1][0] + bad[-1][3].count("\n") + 1 == line:
            bad[-1] = (*bad[-1][:3], f"{bad[-1][3]}\n {text}")
        else:
            whole.append((line, text))
        line += text.count("\n") + 1
    document = "<Root>\n" + "".join(f" {text}\n" for text in elements) + "</Root>"
    found = read(document, portion_bytes)
    assert [(at, raw) for at, _, _, raw in told(found)] == whole
    told_bad = [(each.at, each.name, each.reason, each.raw) for each in aside(found)]
    assert "".join(raw for *_, raw in told_bad).count("<") == "".join(raw for *_, raw in bad).count("<")
    assert {at for at, *_ in told_bad} <= {at for at, *_ in bad}


@pytest.mark.parametrize(("text", "name", "reason"), BAD)
@pytest.mark.parametrize("portion_bytes", [7, 4096])
def test_what_is_broken_comes_with_its_line_its_reason_and_its_text(
    text: str, name: str, reason: str, portion_bytes: int
) -> None:
    found = read(f'<Root>\n <Record a="1"/>\n {text}\n <Record a="2"/>\n</Root>', portion_bytes)
    assert aside(found) == [Broken(3, name, reason, text)]
    assert [values for _, _, values, _ in told(found)] == [{"a": "1"}, {"a": "2"}]
    counts = sum((portion.counts for portion in found), start=type(found[0].counts)())
    assert counts == {"Root": 1, "Record": 2}


def test_an_element_without_an_end_tag_takes_no_other_with_it() -> None:
    found = read('<Root>\n <Record a="1">\n  <Entry/>\n <Record a="2"/>\n <Record a="3"/>\n</Root>')
    assert aside(found) == [Broken(2, "Record", "broken XML: mismatched tag", '<Record a="1">\n  <Entry/>')]
    assert [values["a"] for _, _, values, _ in told(found)] == ["2", "3"]


def test_an_element_without_an_end_tag_is_found_out_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_stream, "_SUSPICIOUS_BYTES", 1000)
    monkeypatch.setattr(xml_stream, "LONGEST_ELEMENT_BYTES", 2000)
    text = '<Root>\n <Record a="x">\n' + "".join(f' <Record a="{number}"/>\n' for number in range(500)) + "</Root>"
    found = read(text, 100)
    assert len(told(found)) == 500
    assert [(each.at, each.raw) for each in aside(found)] == [(2, '<Record a="x">')]
    long = "<Root>\n <Record>\n" + "  <Entry/>\n" * 500 + " </Record>\n</Root>"
    with pytest.raises(HostileFile, match="an element of more than"):
        read(long, 100)


def test_a_document_that_breaks_off_is_unreadable_all_the_same() -> None:
    with pytest.raises(UnreadableFile, match="line 4: the file breaks off here"):
        read('<Root>\n <Record b c="1"/>\n <Record/>\n <Rec')
    with pytest.raises(UnreadableFile, match="line 2: broken XML: not well-formed"):
        read('<Root>\n <Record b c="1"/>\n <Other/>\n <Oth')


def test_elements_on_one_line_go_with_the_broken_one_before_them() -> None:
    found = read('<Root><Record a="1"/><Record b c="1"/><Record a="2"/>\n<Record a="3"/></Root>')
    assert [values["a"] for _, _, values, _ in told(found)] == ["1", "3"]
    assert [each.raw for each in aside(found)] == ['<Record b c="1"/><Record a="2"/>']


def test_ten_thousand_broken_elements_are_set_aside_in_no_time() -> None:
    text = "<Root>\n" + ' <Record b c="1"/>\n <Record/>\n' * 10_000 + "</Root>"
    found = read(text, 1 << 20)
    assert (len(told(found)), len(aside(found))) == (10_000, 10_000)
    assert [each.at for each in aside(found)][-1] == 20_000
