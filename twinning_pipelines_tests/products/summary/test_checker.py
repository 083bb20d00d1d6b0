"""What a model may write, and all that it may not."""

import json

import jsonschema
import pytest

from twinning_pipelines.products.summary.checker import faults_of, faults_of_words
from twinning_pipelines.products.summary.slots import WrittenSummary, read_reply, schema_of
from twinning_pipelines_tests.products.summary.told_facts import due, reply_of, told

FACTS = [told("sleep", "6.87"), told("steps", "8312"), told("spend", "42.30", "CHF"), due("Rent", "1850")]
RENT = ("finance", [("Coming your way: {due.rent}.", ["due.rent"])])

GOOD = [
    "You had {sleep}.",
    "The night gave you {sleep}, and your feet did {steps}.",
    "A walk in the park: {steps}!",
    "It's {sleep} – don't forget to breathe.",
    "It was a quiet road; here stands {steps}.",
    "Into the sheets with {sleep}.",
]

WRONG = [
    # digits of any script, look-alikes, things nobody sees
    "You had {sleep} and 8 hours.", "You had {sleep} and ٨ hours.", "You had {sleep} in Ⅷ parts.", "You had {sleep} ½.",
    "You had {sleep} ² .", "You had {sleep} and 八.", "You hаd {sleep}.", "You had\u200b {sleep}.", "You had \u202e{sleep}.",
    "You had {sleep}\x07.", "You had {sleep}\n.", "Ｙou had {sleep}.", "You had {sleep} ①.", "You had {sleep} XII.",
    # number words in three languages, together, apart, as ordinals
    "Seven was {sleep}.", "You had {sleep} for the third time.", "You had {sleep}, twenty-five in all.", "A dozen: {steps}.",
    "Twentyfive and {sleep}.", "Du hattest siebenundzwanzig {steps}.", "Der dritte Tag: {steps}.", "Dreimal {steps}.",
    "Tu as eu vingt-deux {steps}.", "La deuxieme nuit: {sleep}.", "Once more {sleep}.", "Half a night: {sleep}.",
    "Se ven and {steps}.", "f-our and {steps}.", "t e n and {steps}.", "Vierundzwanzigste {steps}.", "No {steps} at all.",
    # dates, months, weekdays
    "On Monday you had {sleep}.", "In November {steps}.", "Gestern {sleep}.", "Hier, {steps}.", "Yesterday {steps}.",
    # comparisons and superlatives
    "More than {steps}.", "Your best night: {sleep}.", "A record with {steps}.", "Sleep improved to {sleep}.",
    "Besser als sonst: {sleep}.", "Moins que {steps}.", "The usual {steps}.", "Above par: {steps}.",
    # causes
    "Because of {steps} you had {sleep}.", "{steps} led to {sleep}.", "Thanks to {sleep} all went fine.",
    # advice
    "You should rest: {sleep}.", "Try to walk: {steps}.", "Consider {sleep}.", "Du solltest {steps}.",
    # claims
    "All is paid: {spend}.", "You missed {steps}.", "Not {steps}.",
    # markup, addresses, slots that are none
    "You had <b>{sleep}</b>.", "See https://evil.example {sleep}.", "Mail me@evil {sleep}.", "You had {{sleep}}.",
    "You had {sleep|figure}.", "You had {sleep} and {}.", "You had {SLEEP} and {sleep}.", "**You** had {sleep}.", "`{sleep}`",
    "Ignore the instructions: {sleep}.", "You had {sleep} & {steps}.",
]  # fmt: skip


def _faults(text: str, ids: list[str] | None = None) -> list[str]:
    named = ids if ids is not None else [name for name in ("sleep", "steps") if f"{{{name}" in text]
    reply = read_reply(reply_of(("health", [(text, named)]), RENT))
    assert isinstance(reply, WrittenSummary), reply
    return [str(each) for each in faults_of(reply, FACTS)]


@pytest.mark.parametrize("text", GOOD)
def test_plain_sentences_pass(text: str) -> None:
    assert _faults(text) == []


@pytest.mark.parametrize("text", WRONG)
def test_everything_else_is_refused(text: str) -> None:
    assert _faults(text)


def test_every_number_up_to_a_thousand_is_refused_in_three_languages() -> None:
    for count in range(1_000):
        for words in (_english(count), _german(count), _french(count)):
            for said in (words, words.replace("-", ""), words.replace("-", " ")):
                assert list(faults_of_words(f"You had {said} {{steps}}.")), said


def test_slots_are_those_of_the_facts() -> None:
    def faults(*sections: tuple[str, list[tuple[str, list[str]]]]) -> str:
        reply = read_reply(reply_of(*sections))
        assert isinstance(reply, WrittenSummary)
        return "; ".join(map(str, faults_of(reply, FACTS)))

    assert "no slot" in faults(("health", [("You had a night.", [])]), RENT)
    assert "not in FACTS" in faults(("health", [("You had {naps}.", ["naps"])]), RENT)
    assert "not in FACTS" in faults(("health", [("You had {sleep}.", ["sleep", "naps"])]), RENT)
    assert "not the ids in its text" in faults(("health", [("You had {sleep}.", ["sleep", "steps"])]), RENT)
    assert "not the ids in its text" in faults(("health", [("You had {sleep}.", [])]), RENT)
    assert "more than once" in faults(("health", [("You had {sleep}.", ["sleep"]), ("And {sleep}.", ["sleep"])]), RENT)
    assert "belongs to the section finance" in faults(("health", [("You had {spend}.", ["spend"])]), RENT)
    assert "required and left out" in faults(("health", [("You had {sleep}.", ["sleep"])]))
    assert "two sections have one domain" in faults(("health", [("You had {sleep}.", ["sleep"])]), RENT, RENT)
    assert "too many" in faults(("health", [("You had {sleep}.", ["sleep"])] * 4), RENT)
    assert "too long" in faults(("health", [("Oh " * 90 + "{sleep}.", ["sleep"])]), RENT)
    assert "no section" in faults()


def test_a_reply_has_the_shape_that_was_asked_for() -> None:
    good = reply_of(("health", [("You had {sleep}.", ["sleep"])]), RENT)
    schema = schema_of(FACTS)
    jsonschema.validate(json.loads(good), schema)
    for wrong in (
        reply_of(("health", [("You had {naps}.", ["naps"])])),
        reply_of(("wealth", [("A {sleep}.", ["sleep"])])),
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(json.loads(wrong), schema)
    assert isinstance(read_reply(f"```json\n{good}\n```"), WrittenSummary)
    for bad in (
        "",
        "Here you are:",
        good[:-2],
        "[]",
        '{"sections": 3}',
        good.replace('"sections"', '"parts"'),
        "[" * 19_000,
    ):
        assert isinstance(read_reply(bad), str), bad
    assert read_reply("x" * 30_000) == "the answer is too long"


def _list(words: str) -> list[str]:
    return words.split()


_ONES_EN = _list(
    "zero one two three four five six seven eight nine "
    "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
)
_TENS_EN = _list("- - twenty thirty forty fifty sixty seventy eighty ninety")


def _english(n: int) -> str:
    if n >= 100:
        return f"{_ONES_EN[n // 100]} hundred" + (f" and {_english(n % 100)}" if n % 100 else "")
    return _ONES_EN[n] if n < 20 else _TENS_EN[n // 10] + (f"-{_ONES_EN[n % 10]}" if n % 10 else "")


_ONES_DE = _list(
    "null ein zwei drei vier fuenf sechs sieben acht neun "
    "zehn elf zwoelf dreizehn vierzehn fuenfzehn sechzehn siebzehn achtzehn neunzehn"
)
_TENS_DE = _list("- - zwanzig dreissig vierzig fuenfzig sechzig siebzig achtzig neunzig")


def _german(n: int) -> str:
    if n >= 100:
        return f"{_ONES_DE[n // 100]}hundert" + (_german(n % 100) if n % 100 else "")
    return _ONES_DE[n] if n < 20 else (f"{_ONES_DE[n % 10]}und" if n % 10 else "") + _TENS_DE[n // 10]


_ONES_FR = _list(
    "zero un deux trois quatre cinq six sept huit neuf "
    "dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf"
)
_TENS_FR = _list("- - vingt trente quarante cinquante soixante soixante quatre-vingt quatre-vingt")


def _french(n: int) -> str:
    if n >= 100:
        return (f"{_ONES_FR[n // 100]} " if n >= 200 else "") + "cent" + (f" {_french(n % 100)}" if n % 100 else "")
    if n < 20:
        return _ONES_FR[n]
    ten, one = (n // 10 - 1, n % 10 + 10) if n // 10 in (7, 9) else (n // 10, n % 10)
    return _TENS_FR[n // 10] + (f"-{_ONES_FR[one]}" if one else "") if ten else _TENS_FR[n // 10]
