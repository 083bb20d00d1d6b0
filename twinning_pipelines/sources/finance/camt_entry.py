"""What an entry of a CAMT statement means: one booking, or one for each transaction of a batch.

Fields have the names of ISO 20022, with dots: `TxDtls.Refs.EndToEndId`, `BkTxCd.Prtry.Cd`, `AmtDtls.TxAmt.Amt.Ccy`. One
that comes again is `TxDtls.RmtInf.Ustrd#2`. The wrapper NtryDtls around TxDtls is left out.
"""

import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from msgspec import Struct

from twinning_pipelines.formats import camt
from twinning_pipelines.records.money import key_of

# What banks write where the format wants a reference and they have none.
_NOTHING = frozenset({"NOTPROVIDED", "NONREF"})
_LINE_BREAK = re.compile(r"\s*[\r\n]\s*")
# The amount of one transaction; up to version 001.02 it stands in AmtDtls alone.
_AMOUNTS = ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt")
_ORIGINAL = ("AmtDtls.InstdAmt.Amt", "AmtDtls.TxAmt.Amt")
_REFERENCES = ("TxDtls.Refs.EndToEndId", "TxDtls.Refs.MsgId", "TxDtls.Refs.PmtInfId")
_BATCH_REFERENCES = tuple(f"{place}.{name}" for place in ("NtryDtls.Btch", "Btch") for name in ("MsgId", "PmtInfId"))
_MEMO = (
    *("TxDtls.RmtInf.Ustrd", "TxDtls.RmtInf.Strd.CdtrRefInf.Ref", "TxDtls.RmtInf.Strd.CdtrRefInf.CdtrRef"),
    *("TxDtls.AddtlTxInf", "AddtlNtryInf"),
)
_IDS_OF_A_PART = ("TxDtls.Refs.EndToEndId", "TxDtls.Refs.TxId", "TxDtls.Refs.InstrId")


def signed(amount: str, direction: str) -> Decimal:
    """An amount with the sign that its CdtDbtInd gives it. Raises ValueError."""
    value = camt.amount_of(amount)
    if value < 0:
        raise ValueError(f"negative, while CdtDbtInd tells the direction: {amount!r}")
    if direction not in ("CRDT", "DBIT"):
        raise ValueError(f"CdtDbtInd is neither CRDT nor DBIT: {direction[:60]!r}")
    return -value if value and direction == "DBIT" else value


def currency_of(node: camt.Node, path: str = "Amt") -> str:
    """The currency of an amount, '' where none is given."""
    return next((amount.attributes.get("Ccy", "") for amount in node.find(path)), "").strip().upper()


class Booking(Struct, frozen=True):
    """One row to be: its line and raw text, its fields, its currency, and its amount where it is a part of a batch.

    Without a booking date it is booked on its value date.
    """

    line: int
    raw: str
    fields: "Fields"
    currency: str
    part: Decimal | None = None

    def values(self, account: str) -> dict[str, object]:
        """The values of the row, but for its account. Raises ValueError that begins with the field's name."""
        fields, part = self.fields, self.part is not None
        amount = self._amount()
        fields.let_go("Sts", "BOOK")
        fields.let_go("Sts.Cd", "BOOK")
        original, original_currency = _original(fields, self.currency, part=part)
        places = ("TxDtls.Refs.AcctSvcrRef", "AcctSvcrRef")
        bank_id = fields.text(*(places if part else reversed(places)))
        payee, memo, check = _payee(fields, account, amount), _memo(fields), fields.text("TxDtls.Refs.ChqNb")
        ids = [fields.seen(name) for name in _IDS_OF_A_PART]
        booked_on, valued_on = _day(fields, "booked_on", "BookgDt"), _day(fields, "valued_on", "ValDt")
        return {
            "booked_on": booked_on or valued_on,
            "amount": amount,
            "currency": self.currency or None,
            "key": _part_key(bank_id, ids, payee, memo) if part else key_of(bank_id, payee, memo, check, ids[0]),
            "bank_id": bank_id,
            "payee": payee,
            "memo": memo,
            "kind": _kind(fields),
            "valued_on": valued_on,
            "check_number": check or None,
            "reference": fields.text(*_REFERENCES, *_BATCH_REFERENCES) or None,
            "original_amount": original if original is None or amount >= 0 else -original,
            "original_currency": original_currency,
            "extra": fields.rest(),
        }

    def _amount(self) -> Decimal:
        """What the booking adds to the account. Fields that repeat it are let go."""
        fields, amount = self.fields, self.part
        direction = fields.seen("CdtDbtInd")
        if amount is None:
            try:
                amount = signed(fields.text("Amt"), direction)
            except ValueError as wrong:
                raise ValueError(f"amount: {wrong}") from None
            fields.let_go("Amt.Ccy", self.currency)
        for path in (*_AMOUNTS[:2], *(f"TxDtls/{name}" for name in _AMOUNTS)):
            name = path.replace("/", ".")
            if fields.money(name, self.currency) == (abs(amount), self.currency):
                fields.take(name, f"{name}.Ccy")
        fields.take("CdtDbtInd")
        if not amount or fields.seen("TxDtls.CdtDbtInd") == ("DBIT" if amount < 0 else "CRDT"):
            fields.take("TxDtls.CdtDbtInd")
        return amount


def bookings_of(entry: camt.Entry, account_currency: str) -> Iterator[Booking]:
    """One booking, or one for each part of a batch whose parts all have amounts that add up to it."""
    node, details = entry.node, entry.details
    currency = currency_of(node) or account_currency
    parts = _parts(node, details, currency)
    own = _leaves(node)
    if len(details) == 1 or parts:
        head, tail = entry.around(details)
        for index, detail in enumerate(details):
            fields = Fields([*own, *_leaves(detail, "TxDtls.", "TxDtls.")])
            if parts:
                yield Booking(detail.line, head + detail.raw_in(node) + tail, fields, currency, parts[index])
            else:
                yield Booking(node.line, node.raw, fields, currency)
        return
    for number, detail in enumerate(details, 1):
        # The word of one of several is not the word of the entry: their names differ from what is asked for.
        own += _leaves(detail, f"TxDtls#{number}.", f"TxDtls#{number}.")
    yield Booking(node.line, node.raw, Fields(own), currency)


def _parts(entry: camt.Node, details: list[camt.Node], currency: str) -> list[Decimal]:
    """The amount of every transaction of a batch; none where one is missing or they don't add up."""
    if len(details) < 2:
        return []
    direction = entry.first("CdtDbtInd")
    try:
        whole = signed(entry.first("Amt"), direction)
        parts = [_part(detail, direction, currency) for detail in details]
    except ValueError:
        return []
    return parts if sum(parts) == whole else []


def _part(detail: camt.Node, direction: str, currency: str) -> Decimal:
    for path in _AMOUNTS:
        if detail.first(path) and (currency_of(detail, path) or currency) == currency:
            return signed(detail.first(path), detail.first("CdtDbtInd") or direction)
    raise ValueError(f"no amount in {currency}")


def _part_key(bank_id: str, ids: list[str], payee: str, memo: str) -> str:
    """The parts of a batch share the bank's id: their own ids tell them apart, or else their words."""
    words = key_of("", *ids) if any(ids) else key_of("", payee, memo)
    return f"{key_of(bank_id)}|{words}" if bank_id else words


Leaf = tuple[str, str, str]


def _leaves(node: camt.Node, name: str = "", key: str = "") -> list[Leaf]:
    """Every value in an element but those of its transactions: its name, its name with numbers, its text."""
    found: list[Leaf] = []
    _gather(node, name, key, found)
    return found


def _gather(node: camt.Node, name: str, key: str, found: list[Leaf]) -> None:
    met: dict[str, int] = {}
    for child in node.children:
        if child.name == "TxDtls":
            continue
        number = met[child.name] = met.get(child.name, 0) + 1
        inner = f"{name}{child.name}"
        numbered = f"{key}{child.name}" if number == 1 else f"{key}{child.name}#{number}"
        if child.value:
            found.append((inner, numbered, child.value))
        for attribute, value in child.attributes.items():
            if ":" not in attribute and attribute != "xmlns":
                found.append((f"{inner}.{attribute}", f"{numbered}.{attribute}", value.strip()))
        if child.children:
            _gather(child, f"{inner}.", f"{numbered}.", found)


class Fields:
    """The values of one booking by name; what is not taken as a value of the row is its rest."""

    def __init__(self, leaves: list[Leaf]) -> None:
        self._values: dict[str, str] = {}
        self._keys: dict[str, list[str]] = {}
        for name, key, value in leaves:
            if value and value.upper() not in _NOTHING:
                self._values[key] = value
                self._keys.setdefault(name, []).append(key)

    def seen(self, name: str) -> str:
        """The first value of that name, '' where there is none."""
        return self._values[self._keys[name][0]] if name in self._keys else ""

    def texts(self, name: str) -> list[str]:
        """All values of that name, taken."""
        keys = self._keys.pop(name, [])
        return [self._values.pop(key) for key in keys]

    def take(self, *names: str) -> None:
        """Says that the first value of each name is no part of the rest."""
        for name in names:
            keys = self._keys.get(name, [])
            if keys:
                del self._values[keys.pop(0)]
            if not keys:
                self._keys.pop(name, None)

    def text(self, *names: str) -> str:
        """The first value of the first of these names that has one, taken; '' where none has."""
        for name in names:
            if text := self.seen(name):
                self.take(name)
                return text
        return ""

    def let_go(self, name: str, value: str) -> None:
        """Takes a value that says nothing new."""
        if self.seen(name).upper() == value:
            self.take(name)

    def money(self, name: str, currency: str) -> tuple[Decimal, str] | None:
        """An amount and its currency, None where it can't be read; one without a currency is in the entry's."""
        try:
            return camt.amount_of(self.seen(name)), self.seen(f"{name}.Ccy").upper() or currency
        except ValueError:
            return None

    def rest(self) -> str | None:
        """Every value that was not taken, as JSON."""
        return json.dumps(self._values, ensure_ascii=False, sort_keys=True) if self._values else None


def _day(fields: Fields, field: str, name: str) -> date | None:
    text = fields.text(f"{name}.Dt", f"{name}.DtTm")
    try:
        return camt.day_of(text) if text else None
    except ValueError as wrong:
        raise ValueError(f"{field}: {wrong}") from None


def _original(fields: Fields, currency: str, *, part: bool) -> tuple[Decimal | None, str | None]:
    """The amount in the currency it was spent in, where that is another one."""
    names = [f"TxDtls.{name}" for name in (*_ORIGINAL, "Amt")]
    for name in names if part else (*names, *_ORIGINAL):
        money = fields.money(name, currency)
        if money is not None and money[1] != currency:
            fields.take(name, f"{name}.Ccy")
            return money
    return None, None


def _payee(fields: Fields, account: str, amount: Decimal) -> str:
    """Who is on the other side: not the one whose account this is, else by the direction.

    A booking that takes another back names the two as that one did.
    """
    from_here, to_here = (
        _iban(fields.seen(f"TxDtls.RltdPties.{side}Acct.Id.IBAN")) == account for side in ("Dbtr", "Cdtr")
    )
    turned = fields.seen("RvslInd").lower() in ("true", "1")
    paid = from_here if from_here != to_here else (amount < 0) != turned
    side = "Cdtr" if paid else "Dbtr"
    return fields.text(*(f"TxDtls.RltdPties.{side}.{name}" for name in ("Nm", "Pty.Nm", "Agt.FinInstnId.Nm")))


def _iban(text: str) -> str:
    return "".join(text.split()).upper()


def _memo(fields: Fields) -> str:
    """What the bank writes about it; lines of one text are joined by a blank, texts by a semicolon."""
    texts = (" ".join(_LINE_BREAK.sub(" ", text) for text in fields.texts(name)) for name in _MEMO)
    # Some banks write one text into two elements.
    return "; ".join(dict.fromkeys(text for text in texts if text))


def _kind(fields: Fields) -> str | None:
    """The bank transaction code: `PMNT-RCDT-ESCT`, or the bank's own. A transaction's goes before its entry's."""
    for place in ("TxDtls.BkTxCd.", "BkTxCd."):
        names = [f"{place}Domn.{name}" for name in ("Cd", "Fmly.Cd", "Fmly.SubFmlyCd")]
        codes = [fields.seen(name) for name in names]
        if codes[0]:
            fields.take(*names)
            return "-".join(code for code in codes if code)
    return fields.text("TxDtls.BkTxCd.Prtry.Cd", "BkTxCd.Prtry.Cd") or None
