"""Whom a payment goes to, without what differs from one payment to the next."""

import re

from twinning_pipelines.formats.text import without_accents

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_WORDS_OF_A_MEMO = 6
_SHORTEST = 2
_MONTH_NAMES = (
    "january february march april may june july august september october november december jan feb mar apr jun jul aug sep sept "
    "oct nov dec januar februar marz maerz mai juni juli oktober dezember okt dez janvier fevrier mars avril juin juillet aout "
    "septembre octobre novembre decembre gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre dicembre "
    "enero febrero abril mayo junio julio septiembre octubre noviembre diciembre maart mei augustus"
)
_MONTHS = frozenset(_MONTH_NAMES.split())


def payee_key(payee: str, memo: str) -> str:
    """The words of a payee, of the memo where there is none: no numbers, dates, months, and no ids of mandates or invoices.

    Case and accents do not matter. Empty where nothing remains.
    """
    words = _lasting(payee)
    return " ".join(words or _lasting(memo)[:_WORDS_OF_A_MEMO])


def _lasting(text: str) -> list[str]:
    # A word with a digit in it is a number, a date or an id.
    words = (word for word in _WORD.findall(without_accents(text).casefold()) if not any(map(str.isdigit, word)))
    return [word for word in words if len(word) >= _SHORTEST and word not in _MONTHS]
