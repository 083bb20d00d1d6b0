"""What one user's Firefly III holds, in memory: accounts, groups of journals, what is deleted softly, sums.

The rules are those of v6.6: who is made on the fly, what counts as a double.
"""

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from twinning_pipelines_tests.far_sides.firefly_fields import (
    CURRENCIES,
    DAYS,
    DESTINATIONS,
    LENGTHS,
    MADE_ON_THE_FLY,
    SOURCES,
    TEXTS,
    DeletedByRule,
    Fields,
    Refused,
    amount_of,
    check_texts,
    day_of,
    iban_is_valid,
)


@dataclass(slots=True)
class Account:
    """An account of any type."""

    id: int
    type: str
    name: str
    currency: str = "EUR"
    role: str | None = None
    iban: str | None = None
    number: str | None = None
    opening: Decimal = Decimal(0)
    opening_day: date | None = None
    notes: str | None = None
    card_type: str | None = None
    card_day: str | None = None


@dataclass(slots=True)
class Journal:
    """One split."""

    id: int
    type: str
    day: date
    amount: Decimal
    currency: str
    source: Account
    destination: Account
    texts: Fields
    days: dict[str, date | None]
    foreign_amount: Decimal | None = None
    foreign_currency: str | None = None
    tags: list[str] = field(default_factory=list)
    order: int = 0
    reconciled: bool = False
    has_attachments: bool = False
    hash: str = ""
    deleted: bool = False


@dataclass(slots=True)
class Group:
    """A group of journals."""

    id: int
    title: str | None
    journals: list[Journal]
    deleted: bool = False

    def living(self) -> list[Journal]:
        """Those that nobody deleted."""
        return [each for each in self.journals if not each.deleted]

    def listed(self) -> list[Journal]:
        """The same as the server lists them: the latest day first, then by order, and of the same order the newest first."""
        return sorted(self.living(), key=lambda each: (-each.day.toordinal(), each.order, -each.id))


class Numbers:
    """Ids, which all users of a server share."""

    def __init__(self) -> None:
        self._of = {
            name: itertools.count(start)
            for name, start in (("account", 1), ("group", 101), ("journal", 501), ("attachment", 901))
        }

    def next(self, name: str) -> int:
        """The next one."""
        return next(self._of[name])


Rule = Callable[[Journal], str | None]


class Books:
    """One user's books. A rule may change a new journal, or answer "delete"."""

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self.accounts = dict[int, Account]()
        self.groups = dict[int, Group]()
        self.budgets = list[str]()
        self.rules = list[Rule]()
        self.attachments = dict[int, Fields]()
        self.unfinished_batch = 0

    # ------------------------------------------------------------------------------------ looking

    def living(self) -> list[Group]:
        """Groups that nobody deleted, the newest first, as the server lists them."""
        there = [group for group in self.groups.values() if not group.deleted]
        return sorted(there, key=lambda group: (max(each.day for each in group.living()), group.id), reverse=True)

    def journals(self) -> Iterator[Journal]:
        """Journals that nobody deleted."""
        for group in self.groups.values():
            if not group.deleted:
                yield from group.living()

    def balances(self, account: Account, until: date) -> dict[str, Decimal]:
        """What an account holds at the end of a day, by currency."""
        found = {
            account.currency: account.opening if account.opening_day and account.opening_day <= until else Decimal(0)
        }
        for each in self.journals():
            if each.day > until:
                continue
            if each.source is account:
                found[each.currency] = found.get(each.currency, Decimal(0)) - each.amount
            if each.destination is account:
                foreign = each.type == "transfer" and each.foreign_amount is not None
                currency = each.foreign_currency if foreign else each.currency
                amount = each.foreign_amount if foreign else each.amount
                assert currency is not None
                assert amount is not None
                found[currency] = found.get(currency, Decimal(0)) + amount
        return found

    def counted(self, external_id: str, *, deleted_too: bool) -> int:
        """How many journals have or had this external id."""
        return sum(
            each.texts.get("external_id") == external_id and (deleted_too or not (group.deleted or each.deleted))
            for group in self.groups.values()
            for each in group.journals
        )

    def found(self, query: str) -> list[Group]:
        """What a search finds: external_id_is, internal_reference_is, any_external_id; nothing for an unknown word."""
        if exact := re.fullmatch(r'(external_id|internal_reference)_is:"([^"\s]*)"', query):
            name, value = exact.groups()
            return [group for group in self.living() if any(each.texts.get(name) == value for each in group.living())]
        if query == "any_external_id:true":
            return [group for group in self.living() if any(each.texts.get("external_id") for each in group.living())]
        return []

    # ----------------------------------------------------------------------------------- accounts

    def add_account(self, sent: Fields) -> Account:
        """A new account. Raises Refused."""
        kind, name = sent.get("type"), sent.get("name")
        if kind not in {"asset", "expense", "revenue", "cash", "liability"}:
            raise Refused("type", "The selected type is invalid.")
        if not isinstance(name, str) or not 1 <= len(name) <= 1024:
            raise Refused("name", "The name field is required.")
        account = Account(0, kind, name, sent.get("currency_code", "EUR"), sent.get("account_role"))
        account.iban, account.number = sent.get("iban"), sent.get("account_number")
        account.notes, account.card_type = sent.get("notes"), sent.get("credit_card_type")
        account.card_day = sent.get("monthly_payment_date")
        self._check_account(account)
        self._open(account, sent)
        account.id = self.numbers.next("account")
        self.accounts[account.id] = account
        return account

    def change_account(self, account: Account, sent: Fields) -> None:
        """Changes the name and the opening balance. Raises Refused."""
        if "name" not in sent:
            raise Refused("name", "The name field is required.")
        account.name = sent["name"]
        account.notes = sent.get("notes", account.notes)
        self._open(account, sent)

    def _open(self, account: Account, sent: Fields) -> None:
        if ("opening_balance" in sent) != ("opening_balance_date" in sent):
            raise Refused(
                "opening_balance_date", "The opening balance date field is required with the opening balance."
            )
        if "opening_balance" in sent:
            account.opening = amount_of("opening_balance", sent["opening_balance"], signed=True)
            account.opening_day = day_of("opening_balance_date", sent["opening_balance_date"])

    def _check_account(self, new: Account) -> None:
        if new.currency not in CURRENCIES:
            raise Refused("currency_code", "The selected currency code is invalid.")
        if new.type == "asset":
            if new.role not in {"defaultAsset", "sharedAsset", "savingAsset", "ccAsset", "cashWalletAsset"}:
                raise Refused("account_role", "The account role field is required when type is asset.")
            if new.role == "ccAsset" and (new.card_type != "monthlyFull" or new.card_day is None):
                raise Refused(
                    "credit_card_type", "The credit card type field is required when account role is ccAsset."
                )
        if new.iban is not None and not iban_is_valid(new.iban):
            raise Refused("iban", "This is not a valid IBAN.")
        for each in self.accounts.values():
            if each.type == new.type and each.name == new.name:
                raise Refused("name", "This account name is already in use.")
            if new.iban is not None and each.iban == new.iban:
                raise Refused("iban", "This IBAN is already in use.")
            if new.number is not None and each.number == new.number and each.type == new.type:
                raise Refused("account_number", "This account number is already in use.")

    def attach(self, sent: Fields) -> tuple[int, Fields]:
        """A place for a file at an account, still without content, and its number. Raises Refused."""
        if not isinstance(sent.get("filename"), str) or not 1 <= len(sent["filename"]) <= 255:
            raise Refused("filename", "The filename field is required.")
        if sent.get("attachable_type") != "Account":
            raise Refused("attachable_type", "The selected attachable type is invalid.")
        account = self.accounts.get(int(sent["attachable_id"])) if str(sent.get("attachable_id")).isdecimal() else None
        if account is None:
            raise Refused("attachable_id", "This ID does not exist or does not belong to you.")
        if len(sent.get("notes") or "") > LENGTHS["notes"]:
            raise Refused("notes", "The notes may not be greater than 32768 characters.")
        number = self.numbers.next("attachment")
        self.attachments[number] = {**sent, "attachable_id": str(account.id), "content": None}
        return number, self.attachments[number]

    # ------------------------------------------------------------------------------- transactions

    def store(self, sent: Fields) -> Group:
        """A new group. Raises Refused, and DeletedByRule after it was stored."""
        splits = sent.get("transactions")
        if not isinstance(splits, list) or not splits:
            raise Refused("transactions", "The transactions field is required.")
        if len(splits) > 1 and not sent.get("group_title"):
            raise Refused("group_title", "The group title field is required when there is more than one split.")
        if len({each.get("type") for each in splits}) > 1:
            raise Refused("transactions.0.type", "All splits must be of the same type.")
        number, group = self.numbers.next("group"), None
        made = list[Journal]()
        batch = {"batch_submission": sent["batch_submission"]} if "batch_submission" in sent else {}
        for place, split in enumerate(splits):
            digest = hashlib.sha256(json.dumps(split | batch, sort_keys=True).encode()).hexdigest()
            if sent.get("error_if_duplicate_hash") and (twin := self._hashed(digest, made, number)):
                raise Refused(f"transactions.{place}.description", f"Duplicate of transaction #{twin}.")
            made.append(self._journal(place, split, digest))
        self._check_equal_accounts(made)
        group = Group(number, sent.get("group_title") if len(splits) > 1 else None, made)
        self.groups[number] = group
        self.unfinished_batch += bool(batch)
        if sent.get("apply_rules", True):
            told = [rule(journal) for rule in self.rules for journal in group.journals]
            if "delete" in told:
                self.delete(group)
                raise DeletedByRule
        return group

    def _hashed(self, digest: str, made: list[Journal], number: int) -> int | None:
        """The group that holds a journal with this hash, deleted or not."""
        if any(each.hash == digest for each in made):
            return number
        groups = self.groups.values()
        return next((group.id for group in groups if any(each.hash == digest for each in group.journals)), None)

    def change(self, group: Group, sent: Fields) -> None:
        """PUT: splits that are named are changed, others made or deleted. Raises Refused and changes nothing then."""
        if "group_title" in sent:
            group.title = sent["group_title"]
        if (splits := sent.get("transactions")) is None:
            return
        there = {str(each.id): each for each in group.living()}
        named = [str(each["transaction_journal_id"]) for each in splits if "transaction_journal_id" in each]
        for place, name in enumerate(named):
            if name not in there:
                raise Refused(
                    f"transactions.{place}.transaction_journal_id", "This split does not belong to the group."
                )
        if len(splits) > 1 and not group.title:
            raise Refused("group_title", "The group title field is required when there is more than one split.")
        changed = list[Journal]()
        for place, split in enumerate(splits):
            old = there.get(str(split.get("transaction_journal_id")))
            merged = (as_sent(old) if old else {}) | {k: v for k, v in split.items() if k != "transaction_journal_id"}
            journal = self._journal(place, merged, old.hash if old else "")
            if old is not None:
                journal.id = old.id
                journal.reconciled, journal.has_attachments = old.reconciled, old.has_attachments
                if old.reconciled:
                    journal.amount, journal.source, journal.destination = old.amount, old.source, old.destination
            changed.append(journal)
        self._check_equal_accounts(changed)
        kept = {each.id for each in changed}
        for each in group.living():
            if each.id not in kept:
                each.deleted = True
        group.journals = [each for each in group.journals if each.deleted] + changed

    def delete(self, group: Group) -> None:
        """Softly: the hashes stay."""
        group.deleted = True

    def _journal(self, place: int, sent: Fields, digest: str) -> Journal:
        def at(name: str) -> str:
            return f"transactions.{place}.{name}"

        kind = sent.get("type")
        if kind not in SOURCES:
            raise Refused(at("type"), "Invalid transaction type.")
        day, amount = day_of(at("date"), sent.get("date")), amount_of(at("amount"), sent.get("amount"))
        check_texts(at, sent)
        source, destination = (self._side(at, side, kind, sent) for side in ("source", "destination"))
        if source is destination:
            raise Refused(at("source_id"), "The source account is equal to the destination account.")
        own = destination if kind == "deposit" else source
        foreign = self._foreign(at, sent)
        return Journal(
            id=self.numbers.next("journal"),
            type=kind,
            day=day,
            amount=amount,
            # The account's own currency overrules what is sent.
            currency=own.currency,
            source=source,
            destination=destination,
            texts={name: sent.get(name) for name in TEXTS if name != "budget_name"} | self._budget(kind, sent),
            days={name: day_of(at(name), sent[name]) if sent.get(name) else None for name in DAYS},
            foreign_amount=foreign[0],
            foreign_currency=foreign[1],
            tags=sorted(dict.fromkeys(sent.get("tags") or [])),
            order=sent.get("order") or 0,
            hash=digest,
        )

    def _budget(self, kind: str, sent: Fields) -> Fields:
        """Only what is spent has a budget, and one that does not exist is left aside."""
        name = sent.get("budget_name")
        return {"budget_name": name if kind == "withdrawal" and name in self.budgets else None}

    def _foreign(self, at: Callable[[str], str], sent: Fields) -> tuple[Decimal | None, str | None]:
        if sent.get("currency_code") is not None and sent["currency_code"] not in CURRENCIES:
            raise Refused(at("currency_code"), "The selected currency code is invalid.")
        if sent.get("foreign_amount") is None:
            return None, None
        if (code := sent.get("foreign_currency_code")) not in CURRENCIES:
            raise Refused(at("foreign_currency_code"), "The foreign currency code is required with a foreign amount.")
        return amount_of(at("foreign_amount"), sent["foreign_amount"]), code

    def _side(self, at: Callable[[str], str], side: str, kind: str, sent: Fields) -> Account:
        allowed = (SOURCES if side == "source" else DESTINATIONS)[kind]
        iban = sent.get(f"{side}_iban")
        if iban is not None and not iban_is_valid(iban):
            raise Refused(at(f"{side}_iban"), "This is not a valid IBAN.")
        if sent.get(f"{side}_id") is not None:
            found = self.accounts.get(int(sent[f"{side}_id"]))
            if found is None or found.type not in allowed:
                raise Refused(at(f"{side}_id"), f"Could not find a valid {side} account when searching for this ID.")
            return found
        name = sent.get(f"{side}_name")
        for found in self.accounts.values():
            if found.type in allowed and found.name == name:
                return found
        made = MADE_ON_THE_FLY.get((kind, side))
        if made is None or not name:
            raise Refused(at(f"{side}_name"), f"Could not find a valid {side} account when searching for this name.")
        if len(name) > 255:
            raise Refused(at(f"{side}_name"), "The name may not be greater than 255 characters.")
        account = Account(self.numbers.next("account"), made, name, iban=iban)
        self.accounts[account.id] = account
        return account

    def _check_equal_accounts(self, journals: list[Journal]) -> None:
        kind = journals[0].type
        if kind in {"withdrawal", "transfer"} and len({each.source.id for each in journals}) > 1:
            raise Refused("transactions.0.source_id", "All splits must have the same source account.")
        if kind in {"deposit", "transfer"} and len({each.destination.id for each in journals}) > 1:
            raise Refused("transactions.0.destination_id", "All splits must have the same destination account.")


def as_sent(journal: Journal) -> Fields:
    """A journal as it would be sent to make it."""
    told: Fields = {"type": journal.type, "date": journal.day.isoformat(), "amount": str(journal.amount)}
    told |= {"source_id": str(journal.source.id), "destination_id": str(journal.destination.id), "tags": journal.tags}
    told |= journal.texts | {name: day.isoformat() if day else None for name, day in journal.days.items()}
    if journal.foreign_amount is not None:
        told |= {"foreign_amount": str(journal.foreign_amount), "foreign_currency_code": journal.foreign_currency}
    return told | {"order": journal.order}
