"""Whether the mark in a file's figures divides thousands or decimals, where none of them proves it by its form.

`-45.300` is read as nothing before something in the file decides: another cell, a currency without cents, balances that
follow, or whole amounts beside it. Else a person is asked.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal

from twinning_pipelines.formats import numbers
from twinning_pipelines.formats.numbers import Mark, NumberStyle
from twinning_pipelines.sources.finance.bank_csv import signs
from twinning_pipelines.sources.finance.bank_csv.figures import bare_figure, currency_in, is_currency
from twinning_pipelines.sources.finance.bank_csv.statement import Statement

_COMMA: Mark = ","
_DOT: Mark = "."
# ISO 4217: of these nobody pays a part.
_ISO_4217 = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_WITHOUT_CENTS = frozenset(_ISO_4217.split())
_WITH_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
Money = Sequence[tuple[int, str, str]]


def style_of(
    statement: Statement, figures: Iterable[str], amounts: Collection[str], money: Money, currencies: Collection[str]
) -> tuple[NumberStyle, str]:
    """The style of the figures and its reason; ambiguous where nothing decides.

    amounts: those of the figures that were paid; money: line, amount and balance of each row; currencies: of the amounts.
    """
    # Where the comma separates numbers' decimals, spreadsheets separate cells by semicolons.
    default = _COMMA if statement.sheet.delimiter == ";" else _DOT
    style = numbers.decide((bare_figure(cell)[0] for cell in figures), default)
    if style.evidence:
        return style, f"{style.evidence!r} proves it"
    if not style.ambiguous:
        return style, ""
    found = (
        _by_other_cells(statement)
        or _by_currency(amounts, currencies)
        or _by_balances(money)
        or _by_whole_ones(amounts, currencies)
    )
    return (NumberStyle(found[0]), found[1]) if found else (style, "")


def either(figures: Iterable[str]) -> str:
    """The first figure that reads otherwise with the other mark, and how."""
    for cell in figures:
        read = _read_both_ways(cell)
        if read and read[0] != read[1]:
            return f"{cell!r} is {read[0]:f} if its decimal mark is {_DOT!r}, and {read[1]:f} if it is {_COMMA!r}"
    return ""


def _read_both_ways(cell: str) -> tuple[Decimal, Decimal] | None:
    text = bare_figure(cell)[0]
    try:
        return NumberStyle(_DOT).read(text), NumberStyle(_COMMA).read(text)
    except ValueError:
        return None


Found = tuple[Mark, str] | None


def _by_other_cells(statement: Statement) -> Found:
    """A number in the lines above, in totals, or in columns that nobody asked for."""
    style = numbers.decide(_numbers_elsewhere(statement))
    return None if not style.evidence or style.contrary else (style.decimal, f"{style.evidence!r} proves it")


def _numbers_elsewhere(statement: Statement) -> Iterator[str]:
    delimiter = statement.sheet.delimiter
    above = [cell.strip('" ') for line in statement.sheet.preamble.splitlines() for cell in line.split(delimiter)]
    for cells in (above, *(entry.line.cells for entry in statement.entries())):
        for cell in cells:
            # A day or a time is written with a dot, and may look like a number.
            if "," in cell or cell[:1] in ("-", "+") or currency_in(cell):
                yield bare_figure(cell)[0]


def _by_currency(amounts: Iterable[str], currencies: Collection[str]) -> Found:
    marks = {mark for cell in amounts for mark in (_DOT, _COMMA) if mark in bare_figure(cell)[0]}
    if not currencies or not _WITHOUT_CENTS.issuperset(currencies) or len(marks) != 1:
        return None
    return _COMMA if marks == {_DOT} else _DOT, f"{' and '.join(sorted(currencies))} has no cents"


def _by_balances(money: Money) -> Found:
    following = [mark for mark in (_DOT, _COMMA) if signs.balances_follow(money, NumberStyle(mark))]
    return (following[0], "the balances follow only so") if len(following) == 1 else None


def _by_whole_ones(amounts: Iterable[str], currencies: Collection[str]) -> Found:
    """200 and 45.300: whoever writes decimals writes 200.000, and whoever leaves zeros out writes 45.3.

    Nor is 45.305 beside 200 an amount of a currency with cents.
    """
    has_cents = bool(currencies) and all(map(is_currency, currencies)) and _WITH_THREE_DECIMALS.isdisjoint(currencies)
    texts = [bare_figure(cell)[0] for cell in amounts]
    whole = next((text for text in texts if text.strip("+-").isdecimal() and text.strip("+-0")), "")
    for mark, other in ((_DOT, _COMMA), (_COMMA, _DOT)):
        grouped = [text for text in texts if mark in text]
        if whole and grouped and not any(other in text for text in texts):
            ending = next((text for text in grouped if has_cents or text.endswith("0")), "")
            return (other, f"{ending!r} beside {whole!r} has no decimals") if ending else None
    return None
