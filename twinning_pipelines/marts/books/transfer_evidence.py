"""What bookings say about the account on the other side."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from twinning_pipelines.formats.iban import ibans_in
from twinning_pipelines.marts.books.pairing import AGAINST, NAME, NOTHING, NUMBER, WORDS, Leg
from twinning_pipelines.marts.books.phrases import bare

_BLANKS = re.compile(r"\s+")
# Shorter numbers stand in texts by chance.
_LONG_NUMBER = 6
_LONG_NAME = 4
_TEXT_LENGTH = 4_000
# Stands for the accounts that the person describes and no file tells of.
UNSEEN = 0
_TRANSFER_WORDS = tuple(map(bare, (
    "transfer", "xfer", "Übertrag", "Umbuchung", "Kontoübertrag", "Eigenübertrag", "virement interne", "virement compte à compte",
    "giroconto", "trasferimento", "traspaso", "transferencia", "transferência", "overboeking eigen rekening", "overføring",
    "överföring", "oma siirto", "przelew własny", "převod", "átvezetés", "standing order savings", "top up", "from savings",
    "to savings", "credit card payment", "payment thank you", "Kreditkartenabrechnung", "Ausgleich Kreditkarte",
)))  # fmt: skip


class OwnName(Struct, frozen=True):
    """One of the names of an own account; `iban` and `number` are letters and digits only."""

    account_id: int
    name: str
    iban: str
    number: str


class Words(Struct, frozen=True):
    """What files tell of one booking: its words, and the own account on the other side where one is named.

    spoken_for: the person or a rule has said that it is something else than a transfer; by_hand: the person has.
    """

    account_id: int
    text: str
    transfer_to: str | None
    spoken_for: bool
    by_hand: bool


class _Said(Struct, frozen=True):
    numbers: frozenset[int]
    named: frozenset[int]
    words: frozenset[int]
    is_called_transfer: bool
    is_strange: bool
    spoken_for: bool
    by_hand: bool


class Evidence:
    """Judges pairs of legs by their words, each booking's read once."""

    def __init__(self, names: Sequence[OwnName], words: Mapping[int, Words]) -> None:
        self._names = names
        self._words = words
        self._said: dict[int, _Said] = {}
        self._ibans = {each.iban: each.account_id for each in names if each.iban}
        self._numbers = {
            re.compile(rf"(?<!\d)0*{re.escape(each.number)}(?!\d)"): each.account_id
            for each in names
            if len(each.number) >= _LONG_NUMBER
        }
        self._spelled: dict[int, set[str]] = defaultdict(set)
        self._bare: dict[str, set[int]] = defaultdict(set)
        for each in names:
            spelled = bare(each.name)
            self._bare[spelled].add(each.account_id)
            if len(spelled.strip()) >= _LONG_NAME:
                self._spelled[each.account_id].add(spelled)

    def strength(self, out: Leg, into: Leg) -> int | None:
        """How much speaks for a pair, see `pairing`; None where one of the legs names another own account."""
        said, heard = self._of(out), self._of(into)
        is_numbered = into.account_id in said.numbers or out.account_id in heard.numbers
        if is_numbered or into.account_id in said.named or out.account_id in heard.named:
            if said.by_hand or heard.by_hand:
                return AGAINST
            return NUMBER if is_numbered else NAME
        others = said.numbers | heard.numbers | said.named | heard.named
        if others:
            # An account that no file tells of under its name may be this one after all.
            return AGAINST if others == {UNSEEN} else None
        is_told = said.is_called_transfer or heard.is_called_transfer
        is_told = is_told or into.account_id in said.words or out.account_id in heard.words
        if said.spoken_for or heard.spoken_for:
            return AGAINST if is_told else None
        if is_told:
            return WORDS
        return AGAINST if said.is_strange or heard.is_strange else NOTHING

    def _of(self, leg: Leg) -> _Said:
        if leg.id not in self._said:
            self._said[leg.id] = self._read(self._words[leg.id])
        return self._said[leg.id]

    def _read(self, words: Words) -> _Said:
        upper = words.text[:_TEXT_LENGTH].upper()
        joined = _BLANKS.sub("", upper)
        own = {each for each in self._ibans if each in joined}
        numbers = {self._ibans[each] for each in own}
        numbers |= {account for pattern, account in self._numbers.items() if pattern.search(upper)}
        plain, to = bare(words.text), bare(words.transfer_to or "")
        named = self._bare.get(to, set()) if words.transfer_to else set()
        return _Said(
            numbers=frozenset(numbers - {words.account_id}),
            named=frozenset(named - {words.account_id}),
            words=frozenset(_spelled_in(plain, self._spelled)),
            # An account that no file has told of yet may be the other side all the same.
            is_called_transfer=bool(words.transfer_to) or any(each in plain for each in _TRANSFER_WORDS),
            # A bank may name one's own account beside it.
            is_strange=any(each not in own for each in ibans_in(joined)),
            spoken_for=words.spoken_for,
            by_hand=words.by_hand,
        )


def _spelled_in(plain: str, spelled: Mapping[int, Collection[str]]) -> Iterator[int]:
    return (account_id for account_id, names in spelled.items() if any(name in plain for name in names))
