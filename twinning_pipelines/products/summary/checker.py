"""Reads what a model wrote, and finds what must not stand in it. Whatever it lets pass states no figure of its own.

It can't tell whether words around a slot suit it: that is why a slot's phrase carries its own noun and direction, and why the
table of facts stands below the text.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct

from twinning_pipelines.formats.text import without_accents
from twinning_pipelines.marts.telling.told import Told
from twinning_pipelines.products.summary.forbidden import CATEGORIES, COMPOUNDS, NUMBER_WORDS
from twinning_pipelines.products.summary.render import SLOT
from twinning_pipelines.products.summary.slots import (
    LONGEST,
    MOST_SECTIONS,
    MOST_SENTENCES,
    MOST_SLOTS,
    SHORTEST,
    WrittenSection,
    WrittenSentence,
    WrittenSummary,
)

# Latin letters and simple punctuation: no digit of any script, no look-alike, nothing invisible, no markup gets through.
_ALLOWED = re.compile(r"[A-Za-z ,.;:!?'’\-–—]*")
_WORD = re.compile(r"[A-Za-z]+")
_MOST_WORDS = 30
# What an apostrophe leaves behind (it's, don't) is no letter that stands alone.
_CLIPPED = re.compile(r"(?<=[a-z])['’](?:s|t|d|m|re|ve|ll)\b")
_JOINS = re.compile(r"['’\-–—]")
_LONGEST_TEXT = 2_400


class Fault(Struct, frozen=True):
    """What is wrong, and where: `sentence 2 of health`."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


def faults_of(written: WrittenSummary, facts: Sequence[Told]) -> list[Fault]:
    """Everything that is wrong with a summary; nothing where it may be rendered."""
    known = {each.id: each for each in facts}
    faults = list(_faults_of_shape(written))
    used: list[str] = []
    for section in written.sections:
        for number, sentence in enumerate(section.sentences):
            where = f"{_name(section)}, sentence {'abcdefghij'[min(number, 9)]}"
            slots = [match[1] for match in SLOT.finditer(sentence.text)]
            faults += [Fault(where, what) for what in _faults_of_slots(section, sentence, slots, known)]
            faults += [Fault(where, what) for what in faults_of_words(sentence.text)]
            used += slots
    faults += [Fault("", f"{{{name}}} is used more than once") for name in sorted(set(used)) if used.count(name) > 1]
    missing = [each.id for each in facts if each.required and each.id not in used]
    faults += [Fault("", f"{{{name}}} is required and left out") for name in missing]
    return faults


def faults_of_words(text: str) -> Iterator[str]:
    """What is wrong with the words of a sentence outside its slots."""
    bare = SLOT.sub(" ", text)
    if not SHORTEST <= len(text) <= LONGEST:
        yield "too short or too long"
    wrong = next((each for each in bare if not _ALLOWED.fullmatch(each)), None)
    if wrong is not None:
        yield f"the character {_called(wrong)} may not stand outside a slot"
    words = _WORD.findall(bare)
    if len(words) > _MOST_WORDS:
        yield "too many words beside its slots"
    if any(len(word) == 1 and word not in "aAI" for word in _WORD.findall(_CLIPPED.sub("", bare))):
        yield "letters that stand alone"
    if any(len(word) > 1 and word.isupper() for word in words):
        yield "a word in capitals"
    for word in _read(bare):
        category = _category(word)
        if category is not None:
            yield f"{word!r} is {category}"


def _faults_of_shape(written: WrittenSummary) -> Iterator[Fault]:
    if not written.sections:
        yield Fault("", "there is no section")
    if len(written.sections) > MOST_SECTIONS:
        yield Fault("", "there are too many sections")
    domains = [section.domain for section in written.sections]
    if len(set(domains)) < len(domains):
        yield Fault("", "two sections have one domain")
    if sum(len(each.text) for section in written.sections for each in section.sentences) > _LONGEST_TEXT:
        yield Fault("", "it is too long as a whole")
    for section in written.sections:
        if not 1 <= len(section.sentences) <= MOST_SENTENCES:
            yield Fault(_name(section), "it has no sentence, or too many")


def _faults_of_slots(
    section: WrittenSection, sentence: WrittenSentence, slots: Sequence[str], known: Mapping[str, Told]
) -> Iterator[str]:
    if not slots:
        yield "it has no slot"
    if len(slots) > MOST_SLOTS:
        yield "it has too many slots"
    if any(match[2] for match in SLOT.finditer(sentence.text)):
        yield "a slot holds an id and nothing else"
    for name in dict.fromkeys([*slots, *sentence.facts]):
        if name not in known:
            yield "it names an id that is not in FACTS"
        elif known[name].domain != section.domain:
            yield f"{{{name}}} belongs to the section {known[name].domain}"
    if sorted(set(slots)) != sorted(set(sentence.facts)):
        yield "its facts are not the ids in its text"


def _category(word: str) -> str | None:
    for called, words in CATEGORIES:
        if word in words:
            return called
    is_compound = len(word) > 5 and any(each.fullmatch(word) for each in COMPOUNDS)
    return "a number word" if is_compound else None


def _read(bare: str) -> Iterator[str]:
    """Each word once, also as it reads without hyphens, and two words that make a number word together."""
    plain = without_accents(bare).casefold()
    apart, joined = _WORD.findall(plain), _WORD.findall(_JOINS.sub("", plain))
    pairs = [one + other for one, other in pairwise(apart)]
    numbers = [pair for pair in pairs if pair in NUMBER_WORDS]
    yield from dict.fromkeys([*apart, *joined, *numbers])


def _name(section: WrittenSection) -> str:
    return section.domain if section.domain.isascii() and section.domain.isalpha() else "a section"


def _called(character: str) -> str:
    return (
        repr(character)
        if character.isascii() and character.isprintable()
        else unicodedata.name(character, "without a name")
    )
