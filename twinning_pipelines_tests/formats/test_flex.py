"""Flex documents: every entry with its line and statement, stamps in every setting, and nothing hostile."""

import io
from datetime import UTC, datetime

import pytest

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats import flex
from twinning_pipelines.formats.dates import DateStyle

DOCUMENT = b"""<?xml version="1.0"?>
<FlexQueryResponse queryName="Q" type="AF"><FlexStatements count="1">
<FlexStatement accountId="U1" toDate="20260131">
<AccountInformation currency="CHF"/>
<OptionEAE>
<OptionEAE symbol="A &amp; B" note='say "hi"'
  tradeID="--"/>
</OptionEAE><Trades />
</FlexStatement>
<FlexStatement accountId="U2"><Trades><Trade symbol="B"/></Trades></FlexStatement>
</FlexStatements></FlexQueryResponse>"""


def entries(data: bytes, root: str = "FlexQueryResponse") -> list[flex.Entry]:
    return list(flex.entries(io.BytesIO(data), root))


def test_an_entry_has_its_line_and_its_statement_and_a_section_is_none() -> None:
    found = [(each.line, each.name, each.statement.get("accountId")) for each in entries(DOCUMENT)]
    assert found == [
        (3, "FlexStatement", "U1"),
        (4, "AccountInformation", "U1"),
        (6, "OptionEAE", "U1"),
        (10, "FlexStatement", "U2"),
        (10, "Trade", "U2"),
    ]


def test_signs_for_nothing_say_nothing_and_the_raw_text_is_xml_again() -> None:
    entry = entries(DOCUMENT)[2]
    assert (entry.get("tradeID"), entry.get("tradeID", "symbol")) == ("", "A & B")
    again = b"<FlexStatements>" + entry.raw.encode() + b"</FlexStatements>"
    assert entries(again, "FlexStatements")[0].attributes == entry.attributes


@pytest.mark.parametrize("at", range(60, len(DOCUMENT) - 1, 7))
def test_a_cut_document_is_unreadable_with_its_line(at: int) -> None:
    with pytest.raises(UnreadableFile, match=r"^line \d+: "):
        entries(DOCUMENT[:at])


def test_broken_xml_says_where() -> None:
    with pytest.raises(UnreadableFile, match=r"^line 10: broken XML"):
        entries(DOCUMENT.replace(b'<Trade symbol="B"/>', b"<Trade symbol=B/>"))


def test_entities_and_deep_nesting_are_refused() -> None:
    with pytest.raises(HostileFile, match="entities"):
        entries(b'<!DOCTYPE x [<!ENTITY a "b">]>' + DOCUMENT)
    with pytest.raises(HostileFile, match="deeper"):
        entries(b"<FlexStatements>" + b"<a>" * 100, "FlexStatements")


@pytest.mark.parametrize(
    "stamp",
    [
        "20260331;194500",
        "20260331,194500",
        "20260331 194500",
        "20260331T194500",
        "2026-03-31;19:45:00",
        "2026-03-31, 19:45:00",
        "2026-03-31T19:45:00",
        "31/03/2026;19:45:00",
        "31/03/26 19:45:00",
        "31-Mar-26;194500",
        "31-MAR-26 19:45:00 EDT",
        "31-OCT-26T19:45",
    ],
)
def test_a_stamp_is_read_in_every_setting(stamp: str) -> None:
    month, hour = (10, 23) if "OCT" in stamp else (3, 23)
    assert DateStyle("DMY").read(flex.day_text(stamp)).isoformat() == f"2026-{month:02}-31"
    assert flex.moment_of(stamp, DateStyle("DMY")) == datetime(2026, month, 31, hour, 45, tzinfo=UTC)


@pytest.mark.parametrize("day", ["20260331", "2026-03-31", "03/31/2026", "31-Mar-26"])
def test_a_bare_day_is_no_moment(day: str) -> None:
    assert flex.day_text(day) == day
    assert flex.moment_of(day, DateStyle()) is None


@pytest.mark.parametrize("stamp", ["20260331;990000", "9999-12-31;235959", "someday;120000"])
def test_an_impossible_moment_is_a_value_error(stamp: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        flex.moment_of(stamp, DateStyle())


def test_the_answer_of_the_web_service_is_read() -> None:
    text = (
        b"<FlexStatementResponse timestamp='x'><Status>Fail</Status><ErrorCode>1012</ErrorCode>"
        b"<ErrorMessage>Token has\n expired.</ErrorMessage></FlexStatementResponse>"
    )
    assert flex.answer(io.BytesIO(text)) == "Fail 1012: Token has\n expired."
