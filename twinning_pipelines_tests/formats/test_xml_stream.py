"""Elements below the root: the same in every portioning, each on its line; hostile and broken documents refused."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats.xml_stream import DEEPEST, Element, Portion, portions

NAMES = ("Record", "Workout", "Me")


def read(text: str | bytes, portion_bytes: int = 4096, root: str = "Root") -> list[Portion]:
    raw = text.encode() if isinstance(text, str) else text
    return list(portions(io.BytesIO(raw), root, portion_bytes=portion_bytes))


def elements(found: list[Portion]) -> list[Element]:
    return [element for portion in found for element in portion.elements(*NAMES)]


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=12)
ATTRIBUTES = st.dictionaries(st.sampled_from(["type", "value", "sourceName"]), TEXTS, max_size=3)
CHILDREN = st.lists(st.tuples(st.sampled_from(["Entry", "Record"]), ATTRIBUTES), max_size=3)
GAPS = st.sampled_from(["", "\n", " ", "\n\n  ", "\r\n", "<!-- <Record/>\n -->", "<![CDATA[ <Record/> ]]>"])


@dataclass(frozen=True)
class Made:
    text: str
    told: list[tuple[int, str, dict[str, str], list[str], str]]


@st.composite
def documents(draw: st.DrawFn) -> Made:
    text = (
        draw(st.sampled_from(["", "<?xml version='1.0'?>\n", "<!DOCTYPE Root [\n<!ATTLIST broken >>\n]>\n"])) + "<Root>"
    )
    told = []
    for _ in range(draw(st.integers(0, 8))):
        text += draw(GAPS)
        name, given_attributes, children = draw(st.sampled_from(NAMES)), draw(ATTRIBUTES), draw(CHILDREN)
        blank = draw(st.sampled_from([" ", "\n  "]))
        inside = "".join(f"{draw(GAPS)}<{child} {_printed(values, ' ')}/>" for child, values in children)
        raw = f"<{name}{blank}{_printed(given_attributes, blank)}>{inside}</{name}>"
        told.append((text.count("\n") + 1, name, given_attributes, [child for child, _ in children], raw))
        text += raw
    return Made(text + "\n</Root>\n", told)


def _printed(values: dict[str, str], blank: str) -> str:
    return blank.join(f"{name}={quoteattr(value)}" for name, value in values.items())


@settings(deadline=None)
@given(made=documents(), portion_bytes=st.integers(1, 300))
def test_every_portioning_finds_the_same_elements_on_their_lines(made: Made, portion_bytes: int) -> None:
    found = elements(read(made.text, portion_bytes))
    assert [(each.at, each.name, each.attributes) for each in found] == [each[:3] for each in made.told]
    assert [[child.name for child in each.children] for each in found] == [each[3] for each in made.told]
    # Between two elements there may be comments; they go with the one before.
    assert all(each.raw.startswith(raw) for each, (*_, raw) in zip(found, made.told, strict=True))
    for each in found:
        assert ET.fromstring(f"<x>{each.raw}</x>")[0].attrib == each.attributes


@settings(deadline=None)
@given(made=documents(), share=st.floats(0, 1, exclude_max=True))
def test_cut_anywhere_it_is_unreadable(made: Made, share: float) -> None:
    whole = made.text.rstrip().encode()
    with pytest.raises(UnreadableFile):
        read(whole[: int(len(whole) * share)], 64)


def test_lines_hold_far_beyond_65535_and_portions_are_bounded() -> None:
    count = 100_000
    text = "<Root>\n" + "".join(f'<Record value="{index}"/>\n' for index in range(count)) + "</Root>"
    found = read(text, 1 << 16)
    assert [int(line) for portion in found for line in portion.lines] == list(range(2, count + 2))
    assert max(len(portion.text) for portion in found) < 2 * (1 << 16)
    assert [each["value"] for portion in found for each in portion.attributes] == [str(index) for index in range(count)]


def test_what_stands_inside_comes_with_its_depth() -> None:
    (portion,) = read('<Root><Workout><Part><Entry key="a"/></Part><Entry key="b"/></Workout><Record/></Root>')
    assert portion.names == ["Workout", "Record"]
    assert list(portion.inner) == [(0, 1, "Part", {}), (0, 2, "Entry", {"key": "a"}), (0, 1, "Entry", {"key": "b"})]
    workout, record = portion.elements("Workout", "Record")
    assert [child.name for child in workout.children] == ["Part", "Entry"]
    assert record.children == ()


def test_control_characters_are_removed_and_line_ends_kept() -> None:
    (portion,) = read(b'<Root>\n<Record value="a\x0bb\x00\x1f&#10;c"/>\n\x01<Me/></Root>\x00\x00')
    assert [each.at for each in portion.elements(*NAMES)] == [2, 3]
    assert portion.attributes[0] == {"value": "ab\nc"}


def test_a_block_of_nothing_but_removed_bytes_is_no_end() -> None:
    assert len(elements(read(b"<Root><Record/>" + b"\0" * 500 + b"<Me/></Root>", 16))) == 2


BROKEN = {
    "an empty file": (b"", "the file is empty"),
    "blanks and NULs": (b" \n\0\0", "the file is empty"),
    "no root": (b"<Other><Record/></Other>", "no <Root> in the first 1024 KiB"),
    "a longer name": (b"<RootCanal/>", "no <Root> in the first 1024 KiB"),
    "a tag that does not close": (b"<Root>\n<Record>\n</Me>\n</Root>", "line 3: broken XML: mismatched tag"),
    "no end": (b"<Root>\n<Record/>\n", "line 3: the file breaks off here"),
    "half a tag": (b"<Root>\n<Record/>\n<Rec", "line 3: the file breaks off here"),
    "half a letter": (b'<Root>\n<Record value="\xc3', "line 2: the file breaks off here"),
    "no UTF-8": (b'<Root>\n<Record value="\xff"/></Root>', "line 2: broken XML: not well-formed (invalid token)"),
    "attribute names with blanks": (
        b'<Root>\n<Record/>\n<Record Health Mate App Version="2"/>\n</Root>',
        "line 3: broken XML: not well-formed (invalid token)",
    ),
    "more behind the root": (b"<Root></Root>\n<Root></Root>", "line 2: broken XML: junk after document element"),
    "an entity of nobody": (
        b'<?xml version="1.0"?>\n<Root>\n<Me a="&lol;"/></Root>',
        "line 3: broken XML: undefined entity",
    ),
    "another encoding": (
        b"<?xml version='1.0' encoding='ISO-8859-1'?><Root/>",
        "encoding 'ISO-8859-1': only UTF-8 is read",
    ),
    "two bytes a letter": ("<Root></Root>".encode("utf-16"), "no <Root> in the first 1024 KiB"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("portion_bytes", [16, 4096])
def test_broken_documents_say_where(name: str, portion_bytes: int) -> None:
    raw, message = BROKEN[name]
    with pytest.raises(UnreadableFile) as refusal:
        read(raw, portion_bytes)
    assert str(refusal.value) == message


def test_declared_entities_are_refused_before_any_parser_sees_them() -> None:
    laughs = '<!DOCTYPE Root [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>\n<Root><Me a="&b;"/></Root>'
    outside = '<!DOCTYPE Root [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<Root>&x;</Root>'
    for text in (laughs, outside):
        with pytest.raises(HostileFile, match="declares entities"):
            read(text)
    with pytest.raises(UnreadableFile, match="broken XML"):
        read('<Root><!DOCTYPE Root [<!ENTITY a "ha">]><Me a="&a;"/></Root>')


def test_elements_without_a_bottom_are_refused() -> None:
    assert len(read("<Root>" + "<a>" * DEEPEST + "</a>" * DEEPEST + "</Root>")[0].names) == 1
    with pytest.raises(HostileFile, match="nested deeper than 64"):
        read("<Root>" + "<a>" * 100_000)


class _Endless(io.RawIOBase):
    """A start tag whose attribute never ends."""

    def __init__(self) -> None:
        self._pieces: Iterator[bytes] = iter([b'<Root><Record value="'])

    def read(self, size: int = -1) -> bytes:
        return next(self._pieces, b"x" * size)


def test_an_element_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(HostileFile, match="an element of more than 64 MiB"):
        list(portions(_Endless(), "Root"))  # type: ignore[arg-type]
