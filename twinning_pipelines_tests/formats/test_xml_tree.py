"""One element as a tree: lines, raw texts, outlines; and counts of names in any text."""

from xml.etree import ElementTree as ET
from xml.parsers.expat import ExpatError

import pytest

from twinning_pipelines.formats.xml_tree import counted, elements_in, tree_of

TEXT = """<Workout a='1 > 0' b="x/>y">
  <Event c="1"><Entry key="&lt;e&gt;"/></Event ><Empty/>
  <!-- <Event/> -->
  <Event c="2"></Event>
</Workout>"""


def test_every_node_has_its_line_and_its_own_text() -> None:
    tree = tree_of(TEXT, 10)
    told = [(node.at, node.name, node.attributes) for node in tree.walk()]
    assert told == [
        (10, "Workout", {"a": "1 > 0", "b": "x/>y"}),
        (11, "Event", {"c": "1"}),
        (11, "Entry", {"key": "<e>"}),
        (11, "Empty", {}),
        (13, "Event", {"c": "2"}),
    ]
    assert tree.raw == TEXT
    assert [child.raw for child in tree.children] == [
        '<Event c="1"><Entry key="&lt;e&gt;"/></Event >',
        "<Empty/>",
        '<Event c="2"></Event>',
    ]
    assert tree.children[0].children[0].raw == '<Entry key="&lt;e&gt;"/>'


def test_an_outline_leaves_children_out() -> None:
    tree = tree_of(TEXT)
    (empty,) = tree.named("Empty")
    assert tree.outline(empty) == """<Workout a='1 > 0' b="x/>y">\n<Empty/>\n</Workout>"""
    assert tree.outline() == """<Workout a='1 > 0' b="x/>y">\n</Workout>"""
    assert empty.outline() == "<Empty/>"
    assert ET.fromstring(tree.outline(empty)).attrib == tree.attributes


def test_what_stands_behind_the_element_is_not_looked_at() -> None:
    assert tree_of("<a><b/></a> words & <c/>").raw == "<a><b/></a>"
    assert tree_of("<a/>\n<!-- more -->").raw == "<a/>"
    for broken in ("<a><b></a>", "<a", "", "words"):
        with pytest.raises(ExpatError):
            tree_of(broken)


def test_names_are_counted_in_whole_and_in_broken_text() -> None:
    assert elements_in(TEXT) == {"Workout": 1, "Event": 2, "Entry": 1, "Empty": 1} == counted([tree_of(TEXT)])
    assert elements_in('<Record a b="1"/>\n<Record\n x') == {"Record": 2}
    assert elements_in("<!-- <a/> --><![CDATA[<b/>]]><?c <d/> ?><e/>") == {"e": 1}
    assert elements_in("no element, 1 < 2") == {}
