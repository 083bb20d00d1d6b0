"""What facts are called in a sentence: how their figure becomes a phrase, and what their extremes are called.

A fact that is not listed gets its title; so does one that is new.
"""

from msgspec import Struct

from twinning_pipelines.marts.telling.told import Told


class Noun(Struct, frozen=True):
    """phrase: `{}` is the figure, `<>` the part. more, less: how two values compare. high, low: the extremes.

    longest, shortest: the extremes with their noun, for a headline; empty: made of the extreme and the label. each: what a
    mean is of, in a week. subject: what it is called in front of a change, its label where empty.
    """

    phrase: str
    more: str = "more"
    less: str = "less"
    high: str = "most"
    low: str = "least"
    longest: str = ""
    shortest: str = ""
    each: str = "a day"
    subject: str = ""


def _level(phrase: str, each: str = "on average") -> Noun:
    return Noun(phrase, "higher", "lower", "highest", "lowest", each=each)


def _night(phrase: str, longest: str = "", shortest: str = "") -> Noun:
    return Noun(phrase, high="longest", low="shortest", longest=longest, shortest=shortest, each="a night")


NOUNS: dict[str, Noun] = {
    "sleep": _night("{} of sleep", "Longest night", "Shortest night"),
    "time_in_bed": _night("{} in bed", "Longest time in bed", "Shortest time in bed"),
    "sleep_deep": _night("{} of deep sleep"),
    "sleep_rem": _night("{} of REM sleep"),
    "sleep_core": _night("{} of core sleep"),
    "sleep_awake": _night("{} awake in bed", "Longest awake in bed", "Shortest awake in bed"),
    "naps": _night("{} of naps"),
    "steps": Noun("{} steps", "more", "fewer", "most", "fewest"),
    "distance": Noun(
        "{} on foot", "farther", "less", "farthest", "shortest", "Farthest on foot", "Shortest way on foot"
    ),
    "active_energy": Noun("{} of active energy"),
    "exercise": Noun("{} of exercise"),
    "resting_heart_rate": _level("a resting heart rate of {}"),
    "heart_rate": _level("a mean heart rate of {}"),
    "heart_rate_variability": _level("a heart rate variability of {}"),
    "weight": Noun("a weight of {}", "more", "less", "highest", "lowest", each="on average"),
    "workouts": Noun("{} of workouts"),
    "energy": Noun("{} eaten"),
    "protein": Noun("{} of protein"),
    "carbs": Noun("{} of carbohydrates"),
    "fat": Noun("{} of fat"),
    "spend": Noun("{} spent", longest="Biggest spending"),
    "spend_by_category": Noun("{} on <>", longest="Most spent on <>", subject="Spending on <>"),
    "income": Noun("{} of income", high="highest"),
    "income_by_category": Noun("{} of income from <>", longest="Most income from <>", subject="Income from <>"),
    "balance": Noun("{} in <>", "higher", "lower", "highest", "lowest", each="on average", subject="Balance of <>"),
    "hours": Noun("{} tracked", longest="Most hours tracked", shortest="Fewest hours tracked"),
    "hours_by_project": Noun(
        "{} on <>", longest="Most hours on <>", shortest="Fewest hours on <>", subject="Hours on <>"
    ),
    "billable_share": _level("{} of the hours billable", each="overall"),
    "pipeline_weighted": _level("a weighted pipeline of {}"),
    "invoiced": Noun("{} invoiced", high="highest"),
    "invoices_open": _level("{} in unpaid invoices"),
    "invoices_due": _level("{} in invoices due"),
    "budget": Noun("{} spent of the budget <>"),
    "portfolio_value": _level("{} in <>"),
    "net_worth": _level("a net worth of {}"),
    "payment": Noun("{} to <>"),
    "expenses": Noun("{} of business expenses", high="highest"),
}


def noun_of(told: Told) -> Noun:
    """What a fact is called."""
    found = NOUNS.get(told.fact)
    if found is not None:
        return found
    label = told.label[:1].lower() + told.label[1:] if told.label[1:2].islower() else told.label
    return Noun(
        f"{label} of {{}}" + (" for <>" if told.words else ""),
        "higher",
        "lower",
        "highest",
        "lowest",
        each="on average",
    )
