"""One element as bytes: what stands in it, and where it ends when more follows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.formats.xml_element import first_element, told_by
from twinning_pipelines.formats.xml_pieces import joined, piece

ENDS = ("", "\n", "  \n ", " <!-- <a/> -->\n", " letters />", "<?told?>", "<![CDATA[</a>]]>", "\u00a0", " > ")
ELEMENTS = (
    "<a/>", "<a />", '<a x="/>"/>', "<a x='>' />", "<a></a>", "<a>/></a>", "<a><b/></a>", "<a><a></a ></a\n>", '<a x="é">ü</a>',
    "<a><!-- </a> --></a>", "<a><![CDATA[</a>]]></a>", '<a x="&lt;"\n y="1">\n <b/>\n</a>', "<a:b-c.d/>", "<é></é>",
)  # fmt: skip


@pytest.mark.parametrize("element", ELEMENTS)
def test_an_element_ends_with_its_tag_whatever_follows(element: str) -> None:
    for end in ENDS:
        found = first_element((element + end).encode())
        assert found.decode().startswith(element)
        assert end in (" letters />", " > ", "\u00a0") or found.decode() == element
    assert first_element((element + " letters <!-- -->").encode()).decode() == element


def test_what_an_element_holds_comes_in_order_with_its_depth() -> None:
    told = told_by(b'<a x="&lt;1&#62;"><b><c/></b><d/></a>', deepest=2)
    assert told == [(0, "a", {"x": "<1>"}), (1, "b", {}), (2, "c", {}), (1, "d", {})]


@pytest.mark.parametrize(
    "text", ["", "<a>", "<a/><b/>", "<a/> b", "a", "<a x='1' x='2'/>", "<a></b>", "<a>&b;</a>", '<a x="\ufffe"/>']
)
def test_what_is_no_whole_element_tells_nothing(text: str) -> None:
    assert told_by(text.encode(), deepest=9) is None


def test_too_deep_tells_nothing() -> None:
    assert told_by(b"<a><b><c/></b></a>", deepest=1) is None


@pytest.mark.parametrize(
    "text", ["<a>", "</a>", "<!--", "<![CDATA[", "<a b=", "</Root><Root>", "&b;", "<?x", "<a/></Root>"]
)
def test_a_piece_that_is_not_whole_in_itself_is_none(text: str) -> None:
    assert piece(text.encode(), "Root", 1, inside=True) is None


@given(
    st.lists(st.sampled_from(["<a/>\n", " <a>\n  <b x='1'/>\n </a>\n", "<!-- -->", "\n", "<c/><d/>"]), max_size=8),
    st.integers(0, 8),
)
def test_pieces_joined_are_the_whole(parts: list[str], cut: int) -> None:
    first, second = "".join(parts[:cut]), "".join(parts[cut:])
    pieces = [
        piece(first.encode(), "Root", 3, inside=True),
        piece(second.encode(), "Root", 3 + first.count("\n"), inside=True),
        piece((first + second).encode(), "Root", 3, inside=True),
    ]
    one, two, whole = (each for each in pieces if each is not None)
    both = joined([one, two])
    assert list(both.elements("a", "c", "d")) == list(whole.elements("a", "c", "d"))
    assert list(both.inner) == list(whole.inner)
    assert both.counts == whole.counts


def test_a_piece_may_begin_with_the_root() -> None:
    found = piece(b'<Root\n x=">">\n <a/>\n', "Root", 5, inside=False)
    assert found is not None
    assert (found.names, found.lines.tolist(), found.counts) == (["a"], [7], {"a": 1})
