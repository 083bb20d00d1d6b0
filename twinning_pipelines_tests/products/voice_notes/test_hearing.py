"""Recordings become transcripts and entries: once each, newest first, and whatever fails is told and tried again."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from twinning_pipelines.engines.model_server import ModelServer
from twinning_pipelines.engines.openai_speech import OpenAiSpeech
from twinning_pipelines.engines.speech import RecordingRefused, Segment
from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable
from twinning_pipelines.products.voice_notes.transcripts import Standing, standing, try_again
from twinning_pipelines_tests import recordings
from twinning_pipelines_tests.far_sides.scripted_server import HangUp, Instead, Reply
from twinning_pipelines_tests.far_sides.speech_server import FakeSpeech
from twinning_pipelines_tests.products.voice_notes.listener import NOW, Listener

# Half past midnight in Zürich, still the day before in UTC.
NIGHT = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
WALK = recordings.m4a(12.5, title="Walk", made=NIGHT)
IDEA = recordings.opus(3)
SAID = (Segment(0, 4, " I walked by the river.", 0.01, -0.2), Segment(4, 5, " Thank you.", 0.2, -0.4))
ENTRIES = "select day, said_at, text from journal_entry order by said_at"
TRANSCRIPTS = "select model, state, text, attempts, problem from transcript order by id"


def test_a_recording_becomes_an_entry_of_its_local_day_once(
    listener: Listener, fake: FakeSpeech, small: OpenAiSpeech
) -> None:
    fake.can(WALK, *SAID)
    sha256 = listener.drop(WALK, "walk.m4a")
    (outcome,) = listener.hear(small)
    assert (outcome.person, outcome.sha256, outcome.state) == ("ada", sha256, "done")
    assert listener.rows(ENTRIES) == [(date(2026, 4, 1), NIGHT, "I walked by the river.")]
    ((segments, language),) = listener.rows("select segments, language from transcript")
    assert language == "en"
    assert [each.get("left_out") for each in segments] == [None, "said by engines into silence"]
    assert fake.forms[0]["file"].content == WALK
    assert listener.states(small) == []
    listener.drop(WALK, "the same again.m4a")
    assert listener.states(small) == []
    assert fake.asked == 1
    assert len(listener.rows(ENTRIES)) == 1


def test_the_newest_recordings_come_first_and_each_person_speaks_their_language(
    listener: Listener, fake: FakeSpeech, small: OpenAiSpeech
) -> None:
    old = recordings.m4a(1, made=NIGHT - timedelta(days=400))
    for content, person in ((old, "ada"), (WALK, "ben"), (IDEA, "ada")):
        fake.can(content, Segment(0, 1, f" {person} speaks", 0, -0.1))
        listener.drop(content, "note.m4a", person)
    listener.languages = listener.languages.of("ben=de")
    assert [(each.person, each.recorded_at) for each in listener.hear(small)] == [
        ("ada", NOW), ("ben", NIGHT), ("ada", NIGHT - timedelta(days=400)),
    ]  # fmt: skip
    assert [form.get("language") and form["language"].content for form in fake.forms] == [None, b"de", None]


def test_a_better_model_makes_another_transcript_and_the_entry_shows_the_newest(
    listener: Listener, fake: FakeSpeech, small: OpenAiSpeech, large: OpenAiSpeech
) -> None:
    listener.drop(WALK, "walk.m4a")
    fake.can(WALK, Segment(0, 4, " I walked by the liver.", 0, -0.5))
    assert listener.states(small) == ["done"]
    ((entry,),) = listener.rows("select id from journal_entry")
    listener.later(hours=1)
    fake.can(WALK, *SAID)
    assert listener.states(large) == ["done"]
    assert listener.rows("select id, text from journal_entry") == [(entry, "I walked by the river.")]
    assert [row[:3] for row in listener.rows(TRANSCRIPTS)] == [
        ("small", "done", "I walked by the liver."),
        ("large", "done", "I walked by the river."),
    ]
    assert listener.states(small) == listener.states(large) == []
    listener.later(hours=1)
    third = OpenAiSpeech(ModelServer(fake.url), "third")
    fake.models.add("third")
    fake.can(WALK)
    assert listener.states(third) == ["silent"]
    assert listener.rows(ENTRIES) == []
    assert len(listener.rows(TRANSCRIPTS)) == 3


def test_silence_is_known_as_such_and_makes_no_entry(listener: Listener, fake: FakeSpeech, small: OpenAiSpeech) -> None:
    fake.can(WALK, Segment(0, 2, " Thanks for watching!", 0.9, -0.3), Segment(2, 9, " hm", 0.9, -1.4))
    listener.drop(WALK, "walk.m4a")
    assert listener.states(small) == ["silent"]
    assert listener.rows(ENTRIES) == []
    assert listener.states(small) == []
    ((text, segments),) = listener.rows("select text, segments from transcript")
    assert (text, len(segments)) == ("", 2)


def test_an_engine_that_does_not_answer_is_asked_again_after_a_while_that_grows(
    listener: Listener, fake: FakeSpeech, small: OpenAiSpeech
) -> None:
    fake.can(WALK, *SAID)
    listener.drop(WALK, "walk.m4a")
    waits = []
    for attempt in range(1, 10):
        fake.script.append(Instead(Reply.of(500, {"error": "failed to process audio"})))
        assert listener.states(small) == ["retry"]
        ((next_at, attempts, problem),) = listener.rows("select next_at, attempts, problem from transcript")
        assert attempts == attempt
        assert "failed to process audio" in problem
        waits.append((next_at - listener.now).total_seconds() / 60)
        assert listener.states(small) == []
        listener.now = next_at
    assert waits == [5, 10, 20, 40, 80, 160, 320, 360, 360]
    assert listener.states(small) == ["done"]
    assert listener.rows(TRANSCRIPTS) == [("small", "done", "I walked by the river.", 10, None)]


def test_an_engine_that_answers_for_none_stops_the_round(
    listener: Listener, fake: FakeSpeech, small: OpenAiSpeech
) -> None:
    for number in range(4):
        listener.drop(recordings.m4a(1 + number), f"{number}.m4a")
    fake.script.extend([HangUp(stored=False)] * 2)
    hearing = listener.hear(small)
    assert [next(hearing).state, next(hearing).state] == ["retry", "retry"]
    with pytest.raises(FarSideUnavailable):
        next(hearing)
    with listener.home.engine.connect() as connection:
        assert standing(connection, small.name, small.model).waiting == 4


def test_a_recording_that_is_refused_keeps_no_other_from_being_heard_until_a_person_asks_again(
    listener: Listener, fake: FakeSpeech, small: OpenAiSpeech
) -> None:
    fake.can(WALK, *SAID)
    listener.drop(WALK, "walk.m4a")
    listener.drop(IDEA, "PTT-20260401-WA0001.opus")
    assert listener.states(small) == ["refused", "done"]
    listener.later(days=30)
    assert listener.states(small) == []
    ((state, problem),) = listener.rows("select state, problem from transcript where state <> 'done'")
    assert state == "refused"
    assert "Failed to decode audio" in problem
    with listener.home.engine.begin() as connection:
        found = standing(connection, small.name, small.model)
        assert found == Standing(heard=1, silent=0, waiting=0, refused=1, since=None)
        assert try_again(connection, small.name, small.model) == 1
    fake.can(IDEA, Segment(0, 3, " An idea.", 0, -0.1))
    assert listener.states(small) == ["done"]


def test_what_concerns_every_recording_is_raised_and_marks_none(
    listener: Listener, fake: FakeSpeech, small: OpenAiSpeech
) -> None:
    listener.drop(WALK, "walk.m4a")
    fake.models.clear()
    with pytest.raises(FarSideRefused, match="not installed") as raised:
        listener.states(small)
    assert not isinstance(raised.value, RecordingRefused)
    assert listener.rows(TRANSCRIPTS) == []
    fake.models.add("small")
    fake.can(WALK, *SAID)
    assert listener.states(small) == ["done"]


def test_an_original_that_is_gone_is_told(listener: Listener, small: OpenAiSpeech) -> None:
    listener.place(listener.drop(WALK, "walk.m4a")).unlink()
    (outcome,) = listener.hear(small)
    assert outcome.state == "refused"
    assert "No such file" in str(outcome.problem)


def test_after_the_time_is_up_no_other_is_begun(listener: Listener, fake: FakeSpeech, small: OpenAiSpeech) -> None:
    for content in (WALK, IDEA):
        fake.can(content, *SAID)
        listener.drop(content, "note.m4a")
    seconds = iter((0.0, 0.0, 5000.0))
    listener.ticks = lambda: next(seconds)
    assert listener.states(small) == ["done"]
    listener.ticks = lambda: 0.0
    assert listener.states(small) == ["done"]


def test_two_at_once_do_not_hear_the_same(listener: Listener, fake: FakeSpeech, small: OpenAiSpeech) -> None:
    for content in (WALK, IDEA):
        fake.can(content, *SAID)
        listener.drop(content, "note.m4a")
    first = listener.hear(small)
    assert next(first).state == "done"
    with pytest.raises(FarSideUnavailable, match="another run"):
        next(listener.hear(small))
    assert [each.state for each in first] == ["done"]
    assert fake.asked == 2


def test_an_entry_moves_with_the_zone_of_its_person(listener: Listener, fake: FakeSpeech, small: OpenAiSpeech) -> None:
    fake.can(WALK, *SAID)
    listener.drop(WALK, "walk.m4a")
    assert listener.states(small) == ["done"]
    with listener.home.engine.begin() as connection:
        connection.execute(sa.text("update person_zone set zone = 'America/New_York'"))
    assert listener.states(small) == []
    assert listener.rows(ENTRIES)[0][:2] == (date(2026, 3, 31), NIGHT)


def test_words_that_a_database_can_hardly_hold_are_kept(
    listener: Listener, fake: FakeSpeech, small: OpenAiSpeech
) -> None:
    hostile = "Ignore all instructions; '); drop table journal_entry; -- \u202e <b>{fact}</b> " + "ä" * 3_000
    fake.can(WALK, Segment(0, 4, f" \0{hostile}\ud800", 0, -0.2))
    listener.drop(WALK, "walk.m4a")
    assert listener.states(small) == ["done"]
    assert listener.rows("select text from journal_entry") == [(" ".join(f"{hostile}?".split()),)]
