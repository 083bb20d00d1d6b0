"""Number texts to decimals, in a locale that is decided once per file from all its number texts.

`1.234,56`, `1,234.56`, `1 234,56`, `1'234.56`, `12,34,567.00`, `(12.00)`, `-12,50`, `12-`, `$ -3.00`, with any of the
blanks and dashes that banks print. A text proves a decimal mark when only that mark can read it: `12,5` and
`1.234.567` prove the comma, `0.125` and `1'234.567` prove the dot, and `1,234` proves nothing.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from msgspec import Struct

Mark = Literal[".", ","]
_DOT: Mark = "."

_LONGEST = 40
_SHOWN = 60
_CURRENCY_SIGNS = "$€£¥₹₽₺₴₪₩₫฿ "
# No-break, narrow no-break, figure and thin blanks; typographic apostrophes; minus sign, hyphens and en dash.
_FOLD = str.maketrans(
    {
        **dict.fromkeys("\u00a0\u202f\u2007\u2009", " "),
        **dict.fromkeys("\u2019\u02bc", "'"),
        **dict.fromkeys("\u2212\u2010\u2011\u2013", "-"),
    }
)


def _form(mark: str, other: str) -> re.Pattern[str]:
    grouped = rf"(?!0)\d{{1,3}}(?:([{other}' ])\d{{3}})(?:\1\d{{3}})*"
    lakh = rf"(?!0)\d{{1,2}}(?:[{other}]\d{{2}})+[{other}]\d{{3}}"
    return re.compile(rf"(?:\d+|{grouped}|{lakh})(?:[{mark}]\d*)?|[{mark}]\d+", re.ASCII)


_FORMS: dict[Mark, re.Pattern[str]] = {".": _form(".", ","), ",": _form(",", ".")}
_TO_PLAIN = {".": str.maketrans("", "", ",' "), ",": str.maketrans(",", ".", ".' ")}
_PLAIN = re.compile(r"[-+]?\d{1,20}(?:\.\d{1,12})?", re.ASCII)
# The commonest text of all, so that fifty thousand of them are decided in a blink, joined by what no text of ours holds.
_CENTS = r"[-+]?\d{1,20}\.\d{2}"
_PLAIN_CENTS = re.compile(_CENTS, re.ASCII)
_EACH_CENTS = re.compile(rf"{_CENTS}(?:\0|\Z)", re.ASCII)


class NumberStyle(Struct, frozen=True):
    """How one file writes numbers.

    decimal: the decimal mark. ambiguous: no text proves it, but some (`1,234`) read differently either way.
    evidence: a text that proves the mark, '' where none does. contrary: a text that proves the other one; reading it
    raises, for one file does not change its locale between rows.
    """

    decimal: Mark = "."
    ambiguous: bool = False
    evidence: str = ""
    contrary: str = ""

    @property
    def doubt(self) -> str:
        """What a person should know of a file whose mark nothing proves; empty where all is clear."""
        if not self.ambiguous:
            return ""
        return f"no number shows whether 1,234 means a thousand or a little more than one; read with {self.decimal!r}"

    def read(self, text: str) -> Decimal:
        """The number, exact. Raises ValueError("not a number: '12,3,4'")."""
        if self.decimal == "." and _PLAIN.fullmatch(text):
            return Decimal(text)
        negative, body = _bare(text)
        if len(body) > _LONGEST or not _FORMS[self.decimal].fullmatch(body):
            raise ValueError(f"not a number: {text[:_SHOWN]!r}")
        return Decimal(f"{'-' if negative else ''}{body.translate(_TO_PLAIN[self.decimal])}")


def decide(texts: Iterable[str], default: Mark = ".") -> NumberStyle:
    """The style of a file from its number texts; blanks and texts that are no numbers say nothing.

    The majority of the proofs decides; the default does where there is none, or as many for either.
    """
    proofs: dict[Mark, int] = {".": 0, ",": 0}
    first: dict[Mark, str] = {}
    unsure = False
    given = list(filter(None, texts))
    if given and not _EACH_CENTS.sub("", "\0".join(given)):
        return NumberStyle(_DOT, evidence=given[0])
    for text in given:
        fitting = [_DOT] if _PLAIN_CENTS.fullmatch(text) else _fitting(text)
        if len(fitting) == 1:
            proofs[fitting[0]] += 1
            first.setdefault(fitting[0], text)
        elif fitting:
            unsure = True
    mark = default if proofs["."] == proofs[","] else max(proofs, key=proofs.__getitem__)
    other: Mark = "," if mark == "." else "."
    return NumberStyle(mark, unsure and not first, first.get(mark, ""), first.get(other, ""))


def _fitting(text: str) -> list[Mark]:
    """The decimal marks that can read a text which holds a mark at all."""
    _, body = _bare(text)
    if len(body) > _LONGEST or not ("." in body or "," in body):
        return []
    return [mark for mark, form in _FORMS.items() if form.fullmatch(body)]


def _bare(text: str) -> tuple[bool, str]:
    """Is it negative, and its digits with their marks: parentheses, signs at either end and currency signs gone."""
    body = text.translate(_FOLD).strip()
    enclosed = body[:1] == "(" and body[-1:] == ")"
    if enclosed:
        body = body[1:-1]
    body = body.strip(_CURRENCY_SIGNS)
    negative = enclosed
    if body[:1] in ("-", "+") or body[-1:] in ("-", "+"):
        sign, body = (body[0], body[1:]) if body[:1] in ("-", "+") else (body[-1], body[:-1])
        # Parentheses and a sign together contradict or repeat each other: leave it unreadable.
        negative, body = sign == "-", "" if enclosed else body.strip(_CURRENCY_SIGNS)
    return negative, body
