"""How figures and facts read."""

from decimal import Decimal

import pytest

from twinning_pipelines.marts.telling.told import Aim, Record, Streak, Told
from twinning_pipelines.products.summary.figures import difference, figure
from twinning_pipelines.products.summary.render import Sentence, filled, forms
from twinning_pipelines_tests.products.summary.told_facts import due, silent, told, usual


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        ("6.87", "h", "6 h 52 min"), ("7", "h", "7 h"), ("0.4", "h", "24 min"), ("412", "min", "6 h 52 min"), ("0", "h", "0 min"),
        ("143.999", "h", "144 h"), ("-1.5", "h", "-1 h 30 min"), ("0.999", "h", "1 h"), ("8312.4", "count", "8,312"),
        ("58", "count/min", "58 bpm"), ("12947", "m", "12.9 km"), ("640", "m", "640 m"), ("0.748", "fraction", "75 %"),
        ("82.29", "kg", "82.3 kg"), ("75.6", "g", "76 g"), ("1447.7", "kcal", "1,448 kcal"), ("1200", "CHF", "1,200.00 CHF"),
        ("-29504.5", "CHF", "-29,504.50 CHF"), ("-0.001", "CHF", "0.00 CHF"), ("1", "d", "1 day"), ("15", "d", "15 days"),
        ("60.75", "ms", "61 ms"), ("3.14159", "widgets", "3.14 widgets"),
    ],
)  # fmt: skip
def test_figures(value: str, unit: str, words: str) -> None:
    assert figure(Decimal(value), unit) == words


def test_a_difference_is_that_of_what_is_shown() -> None:
    assert difference(Decimal("82.29"), Decimal("81.76"), "kg") == Decimal("0.5")
    assert figure(Decimal("82.29"), "kg") == "82.3 kg"
    assert figure(Decimal("81.76"), "kg") == "81.8 kg"


SLEEP = told("sleep", "6.87", yardstick=usual("7.25"), why="change")


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (SLEEP, "6 h 52 min of sleep, 23 min less than on your usual Thursday"),
        (told("sleep", "7.2", yardstick=usual("7.25")), "7 h 12 min of sleep, much as on a usual Thursday"),
        (told("sleep", "7.25", yardstick=usual("7.25")), "7 h 15 min of sleep, as on a usual Thursday"),
        (
            told("steps", "16200", yardstick=usual("12100", "900"), record=Record("high", 41, whole=False)),
            "16,200 steps, the most in 41 days and 4,100 more than on your usual Thursday",
        ),
        (told("steps", "5000", yardstick=usual("9000", "900", "days")), "5,000 steps, 4,000 fewer than usual"),
        (
            told("resting_heart_rate", "58", yardstick=usual("52", "1", "days"), record=Record("high", 700, whole=True)),
            "a resting heart rate of 58 bpm, the highest in all 700 days on record and 6 bpm higher than usual",
        ),
        (told("weight", "82.3", yardstick=usual("82", "0.4", "last")), "a weight of 82.3 kg, 0.3 kg more than 84 days before"),
        (told("income", "1450", "EUR", gap=31, mixed=True), "1,450.00 EUR of income, the first in EUR in 31 days"),
        (told("income", "1450", "EUR", gap=2), "1,450.00 EUR of income"),
        (told("workouts", "40", streak=Streak(None, 4)), "40 min of workouts, day 4 in a row"),
        (
            told("billable_share", "0.75", yardstick=usual("0.7", "0.01", "days")),
            "75 % of the hours billable, 5 percentage points higher than usual",
        ),
        (
            told("balance", "1224.63", "CHF", part="CH5604835012345678009", yardstick=usual("24.63", "5", "before")),
            "1,224.63 CHF in account …8009, 1,200.00 CHF higher than the day before",
        ),
        (
            told("steps", "9020", aim=Aim("high", Decimal(8000), met=True, row=3)),
            "9,020 steps, your goal of 8,000 reached for 3 days running",
        ),
        (told("steps", "6800", aim=Aim("high", Decimal(8000), met=False, row=0)), "6,800 steps, 1,200 short of your goal of 8,000"),
        (
            told("spend", "70", "CHF", aim=Aim("low", Decimal(60), met=False, row=0)),
            "70.00 CHF spent, 10.00 CHF over your limit of 60.00 CHF",
        ),
        (due("Rent", "1850"), "1,850.00 CHF to Rent, expected on Friday 27 November"),
        (due("Acme", "1850", label="Income expected"), "1,850.00 CHF from Acme, expected on Friday 27 November"),
        (
            due("2026-12 Acme", "900", "EUR", label="Invoice due", domain="business"),
            "invoice 2026-12 Acme over 900.00 EUR, due on Friday 27 November",
        ),
        (silent("Toggl"), "no data from Toggl since Thursday 12 November, 15 days now"),
        (
            told("sleep", "7.37", kind="week", how="mean", yardstick=usual("7.3", "0.1", "before")),
            "7 h 22 min of sleep a night, 4 min more than the week before",
        ),
    ],
)  # fmt: skip
def test_phrases(fact: Told, words: str) -> None:
    assert forms(fact)["phrase"] == words


def test_a_slot_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        filled("You had {naps}.", {"sleep": SLEEP})
    with pytest.raises(KeyError):
        filled("You had {sleep|record}.", {"sleep": SLEEP})


def test_a_sentence_knows_its_facts_and_begins_with_a_capital() -> None:
    sentence = Sentence.of("health", "{sleep|change}, {sleep|figure}.", {"sleep": SLEEP})
    assert sentence.facts == ("sleep",)
    assert sentence.rendered == "23 min less than on your usual Thursday, 6 h 52 min."


AIMED = told("steps", "1", aim=Aim("low", Decimal(2), met=True, row=1), record=Record("low", 30, whole=False), gap=9)


@pytest.mark.parametrize("fact", [SLEEP, due("Rent", "1850"), silent("Toggl"), AIMED])
def test_a_fact_survives_its_storage(fact: Told) -> None:
    assert Told.of_document(fact.document()) == fact
