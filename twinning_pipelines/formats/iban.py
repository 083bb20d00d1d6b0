"""International bank account numbers (ISO 13616)."""

import re
from collections.abc import Iterator

# How long an IBAN of each country is, as the registry of ISO 13616 says.
_COUNTRIES = {
    15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK", 21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST",
    26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HN HU LB NI PL SV", 29: "BR EG PS QA UA",
    30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
}  # fmt: skip
_LENGTH_OF = {country: length for length, countries in _COUNTRIES.items() for country in countries.split()}
_HEAD = re.compile(r"(?=([A-Z]{2})\d{2}[A-Z0-9]{11})", re.ASCII)
_SHAPE = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", re.ASCII)


def is_iban(text: str) -> bool:
    """Is it an IBAN whose check digits are right? Without blanks, in capitals."""
    return has_its_shape(text) and int("".join(str(int(each, 36)) for each in text[4:] + text[:4])) % 97 == 1


def has_its_shape(text: str) -> bool:
    """Does it look like an IBAN, whatever its check digits? Without blanks, in capitals."""
    return _SHAPE.fullmatch(text) is not None


def ibans_in(text: str) -> Iterator[str]:
    """Every IBAN in a text without blanks, in capitals. What stands around it may be letters and digits as well."""
    for match in _HEAD.finditer(text):
        begin = match.start()
        found = text[begin : begin + _LENGTH_OF.get(match[1], 0)]
        if is_iban(found):
            yield found
