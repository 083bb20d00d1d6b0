"""International bank account numbers (ISO 13616)."""

import re

_SHAPE = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", re.ASCII)


def is_iban(text: str) -> bool:
    """Is it an IBAN whose check digits are right? Without blanks, in capitals."""
    return has_its_shape(text) and int("".join(str(int(each, 36)) for each in text[4:] + text[:4])) % 97 == 1


def has_its_shape(text: str) -> bool:
    """Does it look like an IBAN, whatever its check digits? Without blanks, in capitals."""
    return _SHAPE.fullmatch(text) is not None
