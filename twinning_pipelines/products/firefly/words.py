"""How a booking or trade reads in Firefly III. What is too long for a field goes on in the notes, so nothing gets lost."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from twinning_pipelines.formats.iban import is_iban

LONGEST_NAME, LONGEST_DESCRIPTION, LONGEST_NOTES = 255, 1000, 32_768
_LONGEST_REFERENCE = 255
NO_PAYEE, NO_DESCRIPTION = "(no payee)", "(no description)"
# What we say about ourselves in the notes: it may change without a reason to write anything.
ABOUT = "twinning: "
_CUT = "…"


def one_line(text: str | None) -> str:
    """Text without line breaks, control characters and double blanks."""
    shown = "".join(" " if unicodedata.category(each) in {"Cc", "Zl", "Zp"} else each for each in text or "")
    return " ".join(shown.split())


def cut(text: str, most: int) -> tuple[str, str]:
    """What fits, and the whole text where it does not; an empty text where it does."""
    return (text, "") if len(text) <= most else (text[: most - 1] + _CUT, text)


def name_of(text: str | None) -> tuple[str | None, str]:
    """A category's, a tag's, a payee's name; None for an empty one. With the whole text where it was cut."""
    fits, whole = cut(one_line(text), LONGEST_NAME)
    return fits or None, whole


def reference_of(text: str | None) -> str | None:
    """A bank's reference, cut where it is too long; None for an empty one."""
    return cut(one_line(text), _LONGEST_REFERENCE)[0] or None


def description_of(payee: str, memo: str) -> tuple[str, str]:
    """What the bank writes, else who is on the other side. With the whole text where it was cut."""
    return cut(one_line(memo) or one_line(payee) or NO_DESCRIPTION, LONGEST_DESCRIPTION)


def notes_of(remarks: Iterable[str], provenance: Sequence[str]) -> str:
    """The remarks, then where each telling stands: `twinning: march.ofx line 88 (tw1-…)`."""
    about = "\n".join(f"{ABOUT}{one_line(each)}" for each in provenance)
    said = "\n".join(clean for each in remarks if (clean := _lines(each)))
    room = LONGEST_NOTES - len(about) - 1
    return "\n".join(part for part in (cut(said, room)[0], about) if part)


def without_provenance(notes: str | None) -> str:
    """Notes but for the lines that `notes_of` puts last."""
    return "\n".join(line for line in (notes or "").splitlines() if not line.startswith(ABOUT)).strip()


def _lines(text: str) -> str:
    return "\n".join(one_line(line) for line in text.splitlines()).strip()


def valid_iban(text: str | None) -> str | None:
    """An IBAN without blanks; None where its check digits are wrong, as in one with masked digits."""
    plain = re.sub(r"[\s-]", "", text or "").upper()
    return plain if is_iban(plain) else None
