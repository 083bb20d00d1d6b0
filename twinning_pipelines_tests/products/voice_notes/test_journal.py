"""The journal: what a person said, by day and by word."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from twinning_pipelines.engines.openai_speech import OpenAiSpeech
from twinning_pipelines.engines.speech import Segment
from twinning_pipelines.products.voice_notes.journal import Entry, entries
from twinning_pipelines_tests import recordings
from twinning_pipelines_tests.far_sides.speech_server import FakeSpeech
from twinning_pipelines_tests.products.voice_notes.listener import Listener

FIRST = datetime(2026, 3, 30, 6, 15, tzinfo=UTC)
TOLD = (
    "A walk in the rain",
    "Ein guter Einfall für die Küche",
    "No walk today, snow instead",
    "Rain again; a walk in the snow",
)


@pytest.fixture
def told(listener: Listener, fake: FakeSpeech, small: OpenAiSpeech) -> Listener:
    """Four days of Ada's, and one of Ben's."""
    for day, words in enumerate(TOLD):
        note = recordings.m4a(5, made=FIRST + timedelta(days=day), title=f"Note {day}")
        fake.can(note, Segment(0, 5, words, 0, -0.1))
        listener.drop(note, f"{day}.m4a")
    other = recordings.m4a(6, made=FIRST)
    fake.can(other, Segment(0, 5, "Ben walks in the rain", 0, -0.1))
    listener.drop(other, "ben.m4a", "ben")
    assert listener.states(small) == ["done"] * 5
    return listener


def found(told: Listener, person: str = "ada", **asked: object) -> list[Entry]:
    """What is found."""
    with told.home.engine.connect() as connection:
        return list(entries(connection, person, **asked))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ("", [2, 1, 31, 30]),
        ("walk", [2, 1, 30]),
        ("WALK rain", [2, 30]),
        ("walk -rain", [1]),
        ('"in the snow"', [2]),
        ("küche or snow", [2, 1, 31]),
        ("nothing", []),
        ("'; drop table journal_entry; --", []),
        ("& | ! ( :*", []),
    ],
)
def test_words_find_entries_of_their_person_the_newest_first(told: Listener, words: str, days: list[int]) -> None:
    if words == "& | ! ( :*":
        # Nothing in it is a word, so that nothing is found, and nothing breaks.
        assert found(told, words=words) == []
        return
    assert [each.day.day for each in found(told, words=words)] == days


def test_a_day_a_beginning_and_a_limit_narrow_it(told: Listener) -> None:
    assert [each.text for each in found(told, day=date(2026, 3, 31))] == [TOLD[1]]
    assert [each.text for each in found(told, since=date(2026, 4, 1))] == [TOLD[3], TOLD[2]]
    assert [each.text for each in found(told, since=date(2026, 3, 31), words="rain")] == [TOLD[3]]
    assert [each.text for each in found(told, limit=1)] == [TOLD[3]]
    assert [each.text for each in found(told, "ben")] == ["Ben walks in the rain"]
    assert found(told, "nobody") == []


def test_an_entry_says_when_by_which_model_and_from_which_file(told: Listener) -> None:
    (entry,) = found(told, day=date(2026, 3, 30))
    assert entry.document() == {
        "person": "ada",
        "day": "2026-03-30",
        "said_at": "2026-03-30T08:15:00+02:00",
        "text": TOLD[0],
        "title": "Note 0",
        "seconds": 5.0,
        "language": "en",
        "model": "small",
        "dated_by": "tag",
        "file": "0.m4a",
    }


def test_words_are_looked_up_in_the_index(told: Listener) -> None:
    with told.home.engine.begin() as connection:
        connection.execute(sa.text("set local enable_seqscan = off"))
        connection.execute(sa.text("set local enable_indexscan = off"))
        plan = connection.execute(
            sa.text(
                "explain select j.id from journal_entry j"
                " where to_tsvector('simple', j.text) @@ websearch_to_tsquery('simple', 'walk')"
            )
        ).scalars()
        assert "journal_entry_words_idx" in "\n".join(plan)
