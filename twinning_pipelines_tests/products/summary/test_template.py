"""The text that needs no model: goldens, and its laws."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from msgspec.structs import replace

from twinning_pipelines.marts.telling.told import Aim, Record, Told
from twinning_pipelines.products.summary.kept import paragraphs_of
from twinning_pipelines.products.summary.template import MOST_SENTENCES, headline_of, sentences_of
from twinning_pipelines_tests.products.summary.told_facts import THURSDAY, due, silent, told, usual

BUSY = [
    told("sleep", "5.2", news=5.1, why="record", yardstick=usual("7.25"), record=Record("low", 112, whole=False)),
    due("Gerold Immobilien", "1850"),
    told("spend", "213.40", "CHF", news=2.4, why="change", yardstick=usual("42.30", "20")),
    told("steps", "5996", news=2.0, why="change", yardstick=usual("10233", "900")),
    told("hours", "7.42", news=0.1, yardstick=usual("7.3", "0.5")),
    told("resting_heart_rate", "51", news=0.1, yardstick=usual("51", "1", "days", 28, 28)),
    told("workouts", "40", news=0.1, yardstick=usual("38", "5")),
    told("energy", "1893", news=0.1, yardstick=usual("1800", "300")),
    told("protein", "74", news=0.09, yardstick=usual("80", "10")),
    told("distance", "4200", news=0.9, why="change", yardstick=usual("9000", "900")),
    told("spend_by_category", "180.20", "CHF", part="Groceries", news=0.3, yardstick=usual("40", "20")),
    told("hours_by_project", "4", part="Trailer site", slot="hours_by_project.trailer_site", news=0.05),
    told("hours_by_project", "1.5", part="Office", slot="hours_by_project.office", news=0.05),
    told("pipeline_weighted", "54150", "EUR", news=0.0, yardstick=usual("54150", "1000", "before")),
    silent("Toggl Track"),
]


def _text(facts: list[Told]) -> str:
    return f"{headline_of(facts)}\n{paragraphs_of(sentences_of(facts))}"


def test_a_busy_day() -> None:
    assert _text(BUSY) == (
        "Shortest night in 112 days; Gerold Immobilien due on Friday\n"
        "5 h 12 min asleep, the shortest in 112 days and 2 h 3 min less than on your usual Thursday. "
        "You walked 5,996 steps, 4,237 fewer than on your usual Thursday. "
        "The rest was ordinary: a resting heart rate of 51 bpm and 40 min of workouts.\n"
        "You spent 213.40 CHF, 171.10 CHF more than on your usual Thursday; 180.20 CHF of it on Groceries. "
        "Ahead: 1,850.00 CHF to Gerold Immobilien, expected on Friday 27 November.\n"
        "Much as usual: 1,893 kcal eaten and 74 g of protein.\n"
        "7 h 25 min tracked, much as on a usual Thursday; 4 h of it on Trailer site and 1 h 30 min on Office.\n"
        "No data from Toggl Track (since Thursday 12 November)."
    )


def test_a_quiet_day() -> None:
    quiet = [each for each in BUSY if each.why == "usual"]
    assert headline_of(quiet) == "An ordinary Thursday"
    assert "214" not in _text(quiet)


def test_a_week() -> None:
    week = [
        told("sleep", "7.37", kind="week", how="mean", rows=7, news=1.5, why="change", yardstick=usual("7.9", "0.1", "before")),
        told("spend", "318.20", "EUR", kind="week", how="total", rows=3, news=1.3, why="record",
            record=Record("high", 13, whole=True), yardstick=usual("49.90", "90", "before")),
    ]  # fmt: skip
    assert _text(week) == (
        "Sleep 32 min below the week before; biggest spending of the last 13 weeks\n"
        "Nights brought 7 h 22 min of sleep a night, 32 min less than the week before.\n"
        "318.20 EUR went out, the most of the last 13 weeks and 268.30 EUR more than the week before."
    )


def test_nothing_known_says_nothing() -> None:
    assert sentences_of([]) == []
    assert headline_of([]) == "Nothing is known of this day"


def test_no_more_than_three_sentences_a_domain_and_every_fact_once() -> None:
    sentences = sentences_of(BUSY)
    assert max(Counter(each.domain for each in sentences).values()) <= MOST_SENTENCES
    told_facts = [name for each in sentences for name in each.facts]
    assert len(told_facts) == len(set(told_facts))
    # What the way on foot says, the steps have said.
    assert "distance" not in told_facts
    assert {"due.gerold_immobilien", "silent.toggl_track"} <= set(told_facts)


def test_required_facts_are_told_however_many_there_are() -> None:
    aim = Aim("high", Decimal(9000), met=False, row=0)
    goals = [
        told(name, "5996", slot=name, required=True, why="goal", news=3, aim=aim)
        for name in ("exercise", "naps", "weight")
    ]
    dues = [due(name, "100") for name in ("Rent", "Gym", "Phone")]
    silences = [silent(name) for name in ("Toggl", "Oura", "Whoop", "Fitbit")]
    told_facts = {name for each in sentences_of([*goals, *BUSY, *dues, *silences]) for name in each.facts}
    assert {each.id for each in [*goals, *dues, *silences]} <= told_facts


def test_the_same_facts_are_told_in_other_words_the_next_day() -> None:
    openings = []
    for ahead in range(14):
        day = THURSDAY + timedelta(days=ahead)
        openings.append(sentences_of([replace(each, day=day, first=day) for each in BUSY])[0].rendered[:9])
    assert all(one != other for one, other in pairwise(openings))
    assert sentences_of(BUSY) == sentences_of(BUSY)
