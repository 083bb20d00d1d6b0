"""Which mapping reads a file, and the file read by it: a person's own first, then the shipped, then the proposal."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from twinning_pipelines.clock import Clock
from twinning_pipelines.errors import UnreadableFile, WaitingFile
from twinning_pipelines.formats.columns import text_of
from twinning_pipelines.formats.delimited import looks_delimited
from twinning_pipelines.formats.text import decode
from twinning_pipelines.original import Original
from twinning_pipelines.records.money import TRANSACTION
from twinning_pipelines.source import Item, Notice, gather
from twinning_pipelines.sources.finance.bank_csv import draft
from twinning_pipelines.sources.finance.bank_csv.bookings import items_of
from twinning_pipelines.sources.finance.bank_csv.evidence import Settled, evidence_of, settled
from twinning_pipelines.sources.finance.bank_csv.mapping import OPEN, BrokenMapping, Mapping, OwnMapping
from twinning_pipelines.sources.finance.bank_csv.profiles import shipped
from twinning_pipelines.sources.finance.bank_csv.proposal import is_central_european, other_list, proposal_of
from twinning_pipelines.sources.finance.bank_csv.statement import Statement, fits, opened

# What banks write where it is neither UTF-8 nor Western: Central European, Cyrillic, Baltic, Japanese.
_CODECS = ("", "cp1250", "cp1251", "cp1257", "cp932")
_WESTERN = ("cp1252", "iso8859-1")
OWN, SHIPPED, FROM_HEADINGS = "your mapping", "the shipped mapping", "the mapping proposed from its headings"


class Chosen(Struct, frozen=True):
    """The mapping that reads a file, whose it is, and the codec in which the file is read where it is no UTF-8."""

    mapping: Mapping
    whose: str
    codec: str


def chosen_for(head: bytes, own: Sequence[OwnMapping]) -> Chosen | None:
    """The first mapping that fits the head of a file, else the proposal; None where nothing fits.

    Raises WaitingFile where a mapping that can't be used comes before one that fits: it might be the one.
    """
    texts: dict[str, str] = {}

    def text_in(codec: str) -> str:
        if codec not in texts:
            texts[codec] = decode(head, codec).text
        return texts[codec]

    for whose, mappings in ((OWN, own), (SHIPPED, shipped())):
        for mapping in mappings:
            if isinstance(mapping, BrokenMapping):
                raise WaitingFile(f"{mapping.problem}; this file may be for that mapping, and waits until you mend it")
            codec = "" if mapping.encoding == OPEN else mapping.encoding
            if fits(text_in(codec), mapping):
                return Chosen(mapping, whose, codec)
    for codec in _CODECS:
        # No bytes are words of two codecs by chance; what is UTF-8 is read as that whatever is proposed.
        proposal = proposal_of(text_in(codec))
        if proposal is not None:
            # Headings without accents are the same in each codec; their language tells which it is.
            if not codec and is_central_european(proposal) and decode(head).codec in _WESTERN:
                continue
            read_as = decode(head, codec).codec
            return Chosen(proposal.but(encoding=read_as if codec and read_as == codec else OPEN), FROM_HEADINGS, codec)
    return None


def recognises(original: Original, own: Sequence[OwnMapping]) -> bool:
    """Is it a table of bookings, or one of which we can say what else it lists, or that it has no header?

    Raises WaitingFile for a table that may be for a mapping that can't be used.
    """
    if original.is_zip:
        return False
    text = original.text_head
    try:
        if chosen_for(original.head, own) is not None:
            return True
    except WaitingFile:
        if looks_delimited(text) or recognises(original, ()):
            raise
        return False
    return bool(other_list(text)) or draft.draft_of(text) is not None


def parse(original: Original, clock: Clock, own: Sequence[OwnMapping]) -> Iterator[Item]:
    """Every booking, line by line. Raises UnreadableFile."""
    statement, found, whose = understood(original, clock, own)
    if found.mapping.sign == OPEN:
        raise UnreadableFile(
            "no amount has a minus, so nothing tells money that came from money that went: set `sign` to "
            "`money out` or `money in` in a mapping (`twinning mapping FILE` writes one), or add a column Type "
            "that says debit or credit in every row, and drop it again"
        )
    if found.undecided:
        raise UnreadableFile(
            f"{found.undecided}, and no number shows which: set `decimal` to `.` or `,` in a mapping "
            "(`twinning mapping FILE` writes one), and drop it again"
        )
    yield Notice(f"read by {whose}{in_words(found.mapping, whose)}")
    yield from gather(items_of(statement, found, clock), (TRANSACTION,))


def understood(original: Original, clock: Clock, own: Sequence[OwnMapping]) -> tuple[Statement, Settled, str]:
    """The opened file, its mapping with all that the file decides, and whose mapping it is. Raises FileError."""
    chosen = chosen_for(original.head, own)
    if chosen is None:
        kind = other_list(original.text_head)
        if kind:
            raise UnreadableFile(f"a list of {kind}, not of bookings")
        _refuse_without_header(original.text_head)
        raise UnreadableFile("no header that names a day, an amount and what it was for")
    text = text_of(original, chosen.codec)
    statement = opened(text, chosen.mapping)
    found = settled(statement, evidence_of(statement), clock, original)
    return opened(text, found.mapping), found, chosen.whose


def in_words(mapping: Mapping, whose: str) -> str:
    """What a mapping says, as a sentence of a receipt."""
    columns = ", ".join(
        f"{field} from {' and '.join(repr(place) if isinstance(place, str) else f'column {place}' for place in places)}"
        for field, places in mapping.columns.items()
    )
    decided = [
        f"{key} {value!r}{f' ({mapping.why[key]})' if key in mapping.why else ''}"
        for key, value in (("dates", mapping.dates), ("decimal", mapping.decimal), ("sign", mapping.sign))
        if value != OPEN
    ]
    name = "" if whose == FROM_HEADINGS else f" {mapping.name}"
    return f"{name}: {'; '.join([columns, *decided])}"


def _refuse_without_header(text: str) -> None:
    found = draft.draft_of(text)
    if found is None:
        return
    if found.moves:
        raise UnreadableFile("a list of moves between accounts, not of bookings")
    raise UnreadableFile(
        "a table without a header; `twinning mapping FILE` writes what its columns seem to be, for you to complete"
    )
