"""Model, retry, template: which way a summary comes about, and that one always does in time."""

from collections.abc import Callable
from itertools import count

import pytest

from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable
from twinning_pipelines.products.summary.template import sentences_of
from twinning_pipelines.products.summary.writing import write
from twinning_pipelines_tests.products.summary.told_facts import Answers, due, reply_of, told

FACTS = [told("sleep", "6.87"), told("steps", "8312"), due("Rent", "1850")]
RENT = ("finance", [("Coming your way: {due.rent}.", ["due.rent"])])
GOOD = reply_of(("health", [("You had {sleep}.", ["sleep"])]), RENT)
WRONG = reply_of(("health", [("You had {sleep}, the best of 9.", ["sleep"])]), RENT)
READ = ["You had 6 h 52 min of sleep.", "Coming your way: 1,850.00 CHF to Rent, expected on Friday 27 November."]


def test_a_good_answer_is_rendered() -> None:
    engine = Answers([GOOD])
    written = write(FACTS, ["slept well"], engine)
    assert (written.path, [each.rendered for each in written.sentences]) == ("model", READ)
    assert written.asked is not None
    assert (written.asked.model, written.asked.digest, written.asked.replies) == ("parrot", "sha256:abc", (GOOD,))
    assert written.asked.faults == ((),)
    assert "slept well" in written.asked.prompt
    assert engine.asked[0][1]["properties"]["sections"]["minItems"] == 1


def test_a_wrong_answer_is_asked_for_once_more_with_its_faults() -> None:
    engine = Answers([WRONG, GOOD])
    written = write(FACTS, [], engine)
    assert (written.path, [each.rendered for each in written.sentences]) == ("retry", READ)
    said = [each.content for each in engine.asked[1][0]]
    assert len(engine.asked) == 2
    assert "'best' is a comparison" in said[-1]
    assert not any(each.isnumeric() for words in said for each in words)
    assert written.asked is not None
    assert written.asked.replies == (WRONG, GOOD)
    assert written.asked.faults[1] == ()


@pytest.mark.parametrize(
    "answers",
    [
        [WRONG, WRONG],
        [FarSideUnavailable("no answer"), GOOD],
        [FarSideRefused("no such model"), GOOD],
        [WRONG, FarSideUnavailable("gone")],
        [RuntimeError("a bug of ours"), GOOD],
        [WRONG, MemoryError()],
        ["", "{}"],
        ["\0", "[1, 2"],
    ],
)
def test_whatever_goes_wrong_the_template_writes(answers: list[str | Exception]) -> None:
    written = write(FACTS, [], Answers(answers))
    assert written.path == "template"
    assert list(written.sentences) == sentences_of(FACTS)
    assert written.asked is not None
    assert any(written.asked.faults)


def test_an_answer_that_was_cut_off_is_none() -> None:
    written = write(FACTS, [], Answers([GOOD, GOOD], complete=False))
    assert written.path == "template"
    assert written.asked is not None
    assert written.asked.faults == (("the answer was cut off",),) * 2


def test_without_a_model_or_facts_nobody_is_asked() -> None:
    engine = Answers([])
    assert write(FACTS).path == "template"
    empty = write([], ["something was said"], engine)
    assert (empty.path, empty.sentences, engine.asked) == ("template", (), [])


def _clock(*steps: float) -> Callable[[], float]:
    ticks = iter(steps)
    last = [0.0]

    def now() -> float:
        last[0] = next(ticks, last[0])
        return last[0]

    return now


def test_the_deadline_is_for_everything() -> None:
    engine = Answers([WRONG, GOOD])
    # It begins at 0, asks at 0.5, hears after 30 s, asks again at 31, ends at 40.
    written = write(FACTS, [], engine, deadline=45, now=_clock(0, 0.5, 31, 40))
    assert [asked[2] for asked in engine.asked] == [44.5, 14]
    assert (written.path, written.seconds) == ("retry", 40)


def test_no_second_try_without_time_for_it() -> None:
    engine = Answers([WRONG, GOOD])
    written = write(FACTS, [], engine, deadline=45, now=_clock(0, 0, 43))
    assert (written.path, len(engine.asked)) == ("template", 1)
    assert written.asked is not None
    assert written.asked.faults[-1] == ("no time is left for another try",)


def test_a_model_that_talks_about_itself_is_kept_word_for_word() -> None:
    odd = ["I am sorry, I can't do that.", GOOD.replace("You had", "You\\u0000 had")]
    numbers = count()
    written = write(FACTS, [], Answers([lambda: odd[next(numbers)], lambda: odd[next(numbers)]]))
    assert written.asked is not None
    assert written.asked.replies == tuple(odd)
