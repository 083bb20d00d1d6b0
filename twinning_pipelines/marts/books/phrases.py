"""Phrases that texts are looked through for: words that stand somewhere, or a regular expression.

Words are compared without case, accents and punctuation, whole: `ing` is not in `shopping`; `amzn*` is what a word begins with.
`Zürich` is found as `ZURICH` and as `ZUERICH`. Regular expressions are those of RE2, which never go back over a text; what
they unfold to is limited all the same, for RE2's own worst case is its size times the length of the text.
"""

import re
import time
import unicodedata
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

Bools = npt.NDArray[np.bool_]

_LONGEST = 200
_LARGEST_PATTERN = 150
COSTLIEST_RULEBOOK = 3_000
# What stands behind this place of a text is not looked at.
_TEXT_LENGTH = 400
_BLOCK_ROWS = 500
_WORD = re.compile(r"[^\W\d_]+|\d+")
_REPEAT = re.compile(r"\{(\d*)(?:,(\d*))?\}")
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


class Phrase(Struct, frozen=True):
    """Words, or the pattern between two slashes."""

    text: str
    is_pattern: bool = False

    def __str__(self) -> str:
        """As the rulebook writes it."""
        return f"/{self.text}/" if self.is_pattern else self.text


class TooSlow(Exception):
    """Regular expressions took more time than they are given."""


class Stopwatch:
    """The time that all regular expressions of one run may take together, in seconds."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def spend(self, seconds: float) -> None:
        """Takes time away. Raises TooSlow when none is left."""
        self._left -= seconds
        if self._left < 0:
            raise TooSlow


def read_phrase(text: object) -> Phrase:
    """Reads a phrase. Raises ValueError which says what is allowed."""
    if not isinstance(text, str) or not text:
        raise ValueError("words are meant, or a /regular expression/")
    if len(text) > _LONGEST:
        raise ValueError(f"at most {_LONGEST} characters are allowed")
    if len(text) > 2 and text[0] == text[-1] == "/":
        return _pattern(text[1:-1])
    if not bare(text).strip():
        raise ValueError(f"{text[:60]!r} has neither a letter nor a digit to look for")
    return Phrase(text)


def _pattern(text: str) -> Phrase:
    try:
        pc.match_substring_regex(pa.array([""]), text)
    except pa.ArrowInvalid as wrong:
        said = str(wrong).removeprefix("Invalid regular expression: ")
        raise ValueError(f"/{text[:60]}/ is no regular expression of RE2: {said}") from None
    if unfolded_size(text) > _LARGEST_PATTERN:
        raise ValueError(f"/{text[:60]}/ repeats too much; at most {_LARGEST_PATTERN} characters when unfolded")
    return Phrase(text, is_pattern=True)


def cost_of(phrase: Phrase) -> int:
    """What a phrase adds to what a rulebook may cost."""
    return unfolded_size(phrase.text) if phrase.is_pattern else 0


def unfolded_size(pattern: str) -> int:
    """About how many states an expression has when its counted repetitions are written out."""
    sizes = [0]
    last = 0
    place = 0
    while place < len(pattern):
        char = pattern[place]
        step = 1
        if char == "\\":
            step, last = 2, 1
            sizes[-1] += 1
        elif char == "[":
            # A bracket right behind the opening one is a member, and so is an escaped one.
            closing = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]").match(pattern, place)
            step, last = (closing.end() - place if closing else 1), 1
            sizes[-1] += 1
        elif char == "(":
            sizes.append(0)
            last = 0
        elif char == ")" and len(sizes) > 1:
            last = sizes.pop() or 1
            sizes[-1] += last
        elif char == "{" and (match := _REPEAT.match(pattern, place)):
            step = match.end() - place
            times = max(int(match[1] or 0), int(match[2] or 0), 1)
            sizes[-1] += last * (times - 1)
            last *= times
        else:
            sizes[-1] += 1
            last = 1
        place += step
    return sum(sizes)


def bare(text: str) -> str:
    """A text as words: lower case, without accents and punctuation, letters and digits apart, a blank around each."""
    plain = text[:_TEXT_LENGTH]
    if not plain.isascii():
        decomposed = unicodedata.normalize("NFKD", plain.casefold())
        plain = "".join(each for each in decomposed if not unicodedata.combining(each))
    return f" {' '.join(_WORD.findall(plain.casefold()))} "


class Texts:
    """Texts to be looked through, each different one once."""

    def __init__(self, texts: Sequence[str], stopwatch: Stopwatch) -> None:
        encoded = pa.array(texts, pa.string()).dictionary_encode()
        self._places = encoded.indices.to_numpy(zero_copy_only=False)
        self._raw: pa.Array = encoded.dictionary
        self._bare: list[str] | None = None
        self._places_of: dict[str, list[int]] = defaultdict(list)
        self._stopwatch = stopwatch
        self._found: dict[Phrase, Bools] = {}

    def hold(self, phrases: Sequence[Phrase]) -> Bools:
        """Which of the texts hold one of the phrases. Raises TooSlow."""
        found = np.zeros(len(self._raw), np.bool_)
        for phrase in phrases:
            if phrase not in self._found:
                self._found[phrase] = self._match(phrase) if phrase.is_pattern else self._words(phrase.text)
            found |= self._found[phrase]
        answer: Bools = found[self._places]
        return answer

    def _words(self, text: str) -> Bools:
        if self._bare is None:
            self._bare = list(map(bare, self._raw.to_pylist()))
            for place, words in enumerate(self._bare):
                for word in set(words.split()):
                    self._places_of[word].append(place)
        found = np.zeros(len(self._bare), np.bool_)
        for spelling in {text, text.translate(_GERMAN)}:
            wanted = bare(spelling)
            # Where each word stands is known; what only begins or ends so has to be looked for everywhere.
            places: Sequence[int] = range(len(self._bare))
            if text.startswith("*") or text.endswith("*"):
                wanted = wanted[text.startswith("*") : len(wanted) - text.endswith("*")]
            else:
                places = min((self._places_of.get(word, []) for word in wanted.split()), key=len)
            found[[place for place in places if wanted in self._bare[place]]] = True
        return found

    def _match(self, phrase: Phrase) -> Bools:
        found = [np.zeros(0, np.bool_)]
        for begin in range(0, len(self._raw), _BLOCK_ROWS):
            began = time.monotonic()
            some = pc.utf8_slice_codeunits(self._raw.slice(begin, _BLOCK_ROWS), 0, _TEXT_LENGTH)
            matched = pc.match_substring_regex(some, phrase.text, ignore_case=True)
            found.append(matched.to_numpy(zero_copy_only=False))
            self._stopwatch.spend(time.monotonic() - began)
        return np.concatenate(found)
