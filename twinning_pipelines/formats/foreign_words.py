"""Words that others wrote, a provider's message or a bank's text, made fit to be shown to a person, logged and kept.

On one line and short; without characters that steer a terminal or turn the reading order, without what a page would
take for markup or a link, and without the name and password of a URL.
"""

import re
import unicodedata
from collections.abc import Collection

LONGEST = 300

_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")
_MARKUP = str.maketrans({"<": "‹", ">": "›", "[": "(", "]": ")", "`": "'", "|": "¦"})


def plain(text: str, secrets: Collection[str] = (), longest: int = LONGEST) -> str:
    """The text, harmless. Each of `secrets` that is longer than three letters becomes `(secret)` wherever it stands."""
    # A name of three letters stands in every other word, and hiding it would hide nothing.
    for secret in sorted((each for each in secrets if len(each) > 3), key=len, reverse=True):
        text = text.replace(secret, "(secret)")
    # More than is shown, for much of it may be blanks.
    visible = "".join(_visible(each) for each in text[: 8 * longest])
    told = " ".join(_CREDENTIALS.sub("", visible).translate(_MARKUP).split())
    return told if len(told) <= longest else told[: longest - 1] + "…"


def _visible(character: str) -> str:
    """Control and format characters become blanks, as do halves of surrogate pairs and what nobody has assigned."""
    return " " if unicodedata.category(character).startswith("C") else character
