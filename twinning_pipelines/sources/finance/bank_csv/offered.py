"""The mapping of one file as YAML, for a person to save and edit: what reads it now, and the questions it leaves open."""

import re
from collections.abc import Sequence

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.dates import DateStyle
from twinning_pipelines.formats.text import decode
from twinning_pipelines.original import Original
from twinning_pipelines.sources.finance.bank_csv import draft
from twinning_pipelines.sources.finance.bank_csv.evidence import Evidence, Settled, evidence_of
from twinning_pipelines.sources.finance.bank_csv.figures import bare_day
from twinning_pipelines.sources.finance.bank_csv.mapping import ACCOUNT, CURRENCY, OPEN, OwnMapping
from twinning_pipelines.sources.finance.bank_csv.proposal import other_list
from twinning_pipelines.sources.finance.bank_csv.source import chosen_for, understood
from twinning_pipelines.sources.finance.bank_csv.statement import Statement
from twinning_pipelines.sources.finance.bank_csv.written import written

_NO_NAME = re.compile(r"[^a-z0-9]+")


def name_for(original: Original) -> str:
    """A name for the mapping of a file: that of the file, without the days and numbers in it."""
    stem = original.name.rpartition(".")[0] or original.name
    return _NO_NAME.sub("-", re.sub(r"\d{2,}", "", stem.lower())).strip("-") or "my-bank"


def offered(original: Original, clock: Clock, own: Sequence[OwnMapping], name: str) -> str:
    """The YAML of the mapping that reads the file, under a name of its own. Raises FileError."""
    if chosen_for(original.head, own) is None:
        text = decode(original.head).text
        found = draft.draft_of(text)
        if found is not None and not found.moves:
            mapping, asks = found.mapping(name)
            return written(mapping, asks)
        below = draft.draft_below_a_header(text) if found is None and not other_list(text) else None
        if below is not None:
            mapping, asks = below[0].mapping(name, below[1])
            return written(mapping, asks)
    statement, settled, _ = understood(original, clock, own)
    mapping = settled.mapping.but(name=name)
    return written(mapping, _asks(statement, settled, evidence_of(statement)))


def _asks(statement: Statement, settled: Settled, evidence: Evidence) -> dict[str, str]:
    """What this file says about its own open questions."""
    asks: dict[str, str] = {}
    if settled.dates.ambiguous:
        asks["dates"] = _either(evidence)
    elif settled.mapping.dates == OPEN:
        asks["dates"] = "needs no order: the year stands in front, or the month has its name"
    if settled.undecided:
        asks["decimal"] = f"{settled.undecided}; no number here shows which"
    if ACCOUNT in statement.places:
        asks["account"] = "each row names its own"
    elif settled.account:
        asks["account"] = f"here {settled.account}, which the file says itself; leave the ? for files of other accounts"
    if CURRENCY in statement.places:
        asks["currency"] = "each row names its own"
    if settled.mapping.sign == OPEN:
        asks["sign"] = (
            "no amount here has a minus: `money out` if all of it left the account (a card's purchases), "
            "`money in` if all of it came, `words` with columns.direction if a column says which"
        )
    return asks


def _either(evidence: Evidence) -> str:
    for day in map(bare_day, evidence.days):
        try:
            one, other = DateStyle("DMY").read(day), DateStyle("MDY").read(day)
        except ValueError:
            continue
        if one != other:
            return f"{day} is {one} as DMY and {other} as MDY; no row here proves which"
    return "DMY or MDY"
