"""Code renders every figure of a summary: a slot `{sleep}` becomes `6 h 52 min of sleep, 23 min less than on your usual Tuesday`.

A slot may name a form of its fact, `{sleep|figure}`; a model may use the plain one alone. Everything is made of the told fact,
so it can be made again from what is stored.
"""

import re
from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct

from twinning_pipelines.marts.telling.told import Told
from twinning_pipelines.products.summary.figures import date_words, day_name, difference, figure
from twinning_pipelines.products.summary.nouns import Noun, noun_of

SLOT = re.compile(r"\{([a-z_]+(?:\.[a-z_]+)?)(?:\|([a-z_]+))?\}")
_ACCOUNT = re.compile(r"[A-Z0-9/-]*\d{4}[A-Z0-9/-]*")
# Closer than this many spreads to the middle is as usual.
_AS_USUAL = Decimal("0.5")
_LONG_GAP = 7


class Sentence(Struct, frozen=True):
    """One sentence with its slots, the ids of the facts in them, and how it reads."""

    domain: str
    text: str
    facts: tuple[str, ...]
    rendered: str

    @classmethod
    def of(cls, domain: str, text: str, facts: Mapping[str, Told]) -> "Sentence":
        """Renders a text. Raises KeyError for a slot that names no fact or a form that its fact does not have."""
        ids = tuple(dict.fromkeys(match[1] for match in SLOT.finditer(text)))
        return cls(domain, text, ids, filled(text, facts))


def filled(text: str, facts: Mapping[str, Told]) -> str:
    """A text with its slots rendered; its first letter is a capital. Raises KeyError."""
    words = SLOT.sub(lambda match: forms(facts[match[1]])[match[2] or "phrase"], text)
    return words[:1].upper() + words[1:]


def forms(told: Told) -> dict[str, str]:
    """Every way to write a fact. `phrase` says it all, `short` without comparison; others are there where they are true."""
    if told.fact == "due":
        return _due(told)
    if told.fact == "silent":
        return _silent(told)
    known = {
        "figure": figure(told.value, told.unit), "short": _short(told), "change": change(told), "record": _record(told),
        "streak": _streak(told), "gap": _gap(told), "aim": _aim(told),
        "amount": figure(told.value, told.unit) + (f" {noun_of(told).each}" if told.how == "mean" else ""),
        "of_it": f"{figure(told.value, told.unit)} of it on {_name(told)}",
        "on": f"{figure(told.value, told.unit)} on {_name(told)}", "name": _name(told), "title": _title(told),
    }  # fmt: skip
    known["tail"] = _tail(known, told)
    known["phrase"] = f"{known['short']}, {known['tail']}" if known["tail"] else known["short"]
    known["head"] = _head(told, known)
    return {form: words for form, words in known.items() if words}


def change(told: Told) -> str:
    """How it compares with its yardstick; empty without one."""
    stick, noun = told.yardstick, noun_of(told)
    if stick is None:
        return ""
    gap = difference(told.value, stick.middle, told.unit)
    against = _against(told)
    is_near = stick.against in ("weekday", "days") and abs(told.value - stick.middle) < _AS_USUAL * stick.spread
    if gap == 0 or is_near:
        return f"{'much ' if gap else ''}{_as(told)}"
    word = noun.more if gap > 0 else noun.less
    if told.unit == "fraction":
        points = f"{abs(gap) * 100:.0f}"
        size = f"{points} percentage point{'' if points == '1' else 's'}"
    else:
        size = figure(abs(gap), told.unit, told.value)
    return f"{size} {word} than {against}"


def _against(told: Told) -> str:
    assert told.yardstick is not None
    if told.yardstick.against == "weekday":
        return f"on your usual {day_name(told.day)}"
    if told.yardstick.against == "days":
        return "usual"
    if told.yardstick.against == "last":
        days = (told.day - told.yardstick.since).days
        return "the day before" if days == 1 else f"{days} days before"
    return {"day": "the day before", "week": "the week before", "month": "the month before"}[told.kind]


def _as(told: Told) -> str:
    assert told.yardstick is not None
    if told.yardstick.against == "weekday":
        return f"as on a usual {day_name(told.day)}"
    return "as usual" if told.yardstick.against == "days" else f"as {_against(told)}"


def _short(told: Told) -> str:
    noun = noun_of(told)
    phrase = noun.phrase.replace("{}", figure(told.value, told.unit)).replace("<>", _name(told))
    return f"{phrase} {noun.each}" if told.how == "mean" else phrase


def _name(told: Told) -> str:
    """The part, or of an account number the end alone."""
    if _ACCOUNT.fullmatch(told.words) and len(told.words) >= 8:
        return f"account …{told.words[-4:]}"
    return told.words or "something without a name"


def _title(told: Told) -> str:
    return f"{told.label}: {_name(told)}" if told.words else told.label


def _record(told: Told) -> str:
    if told.record is None:
        return ""
    noun = noun_of(told)
    word = noun.high if told.record.side == "high" else noun.low
    return f"the {word} {_span(told)}"


def _inside(told: Told) -> str:
    """Which money, where there is some in several currencies: the first in euros is not the first."""
    return f"in {told.unit} " if told.mixed and told.unit.isupper() else ""


def _span(told: Told) -> str:
    assert told.record is not None
    span = told.record.span
    if told.kind == "day":
        return _inside(told) + (f"in all {span:,} days on record" if told.record.whole else f"in {span:,} days")
    unit = "weeks" if told.kind == "week" else "months"
    return f"{_inside(told)}of the last {span} {unit}"


def _streak(told: Told) -> str:
    if told.streak is None:
        return ""
    if told.streak.side is None:
        return f"day {told.streak.days} in a row"
    noun = noun_of(told)
    return f"{noun.more if told.streak.side == 'high' else noun.less} than usual for {told.streak.days} days running"


def _gap(told: Told) -> str:
    return f"the first {_inside(told)}in {told.gap} days" if told.gap is not None and told.gap >= _LONG_GAP else ""


def _aim(told: Told) -> str:
    if told.aim is None:
        return ""
    limit, off = told.aim.limit, difference(told.value, told.aim.limit, told.unit)
    goal = figure(limit, told.unit)
    row = f" for {told.aim.row} days running" if told.aim.row >= 2 else ""
    if told.aim.side == "high":
        # A value that only rounds up to the goal has not reached it.
        short = f"{figure(abs(off), told.unit, limit)} short of" if off else "just short of"
        return f"your goal of {goal} reached{row}" if told.aim.met else f"{short} your goal of {goal}"
    over = f"{figure(abs(off), told.unit, limit)} over" if off else "just over"
    return f"within your limit of {goal}{row}" if told.aim.met else f"{over} your limit of {goal}"


def _tail(known: Mapping[str, str], told: Told) -> str:
    """What is said after the figure: the two weightiest things."""
    wanted = ("aim", "record", "change", "streak", "gap")
    # To be a record and as usual is no contradiction, but reads like one.
    idle = told.record is not None and (told.aim is not None or known["change"].startswith(("much as", "as ")))
    tails = [known[name] for name in wanted if known[name] and not (name == "change" and idle)]
    if told.record is not None and known["gap"] in tails:
        tails.remove(known["gap"])
    if told.streak is not None and len(tails) > 1 and known["streak"] in tails and told.streak.side is not None:
        tails.remove(known["streak"])
    return " and ".join(tails[:2])


def _head(told: Told, known: Mapping[str, str]) -> str:
    """A fact as a headline."""
    noun = noun_of(told)
    if told.aim is not None:
        short = known["short"][:1].upper() + known["short"][1:]
        kept = "goal reached" if told.aim.side == "high" else "limit kept"
        return f"{short}, {kept if told.aim.met else kept.replace('reached', 'missed').replace('kept', 'passed')}"
    if told.record is not None:
        is_high = told.record.side == "high"
        made = f"{(noun.high if is_high else noun.low).capitalize()} {_subject(told, noun)}"
        return f"{(noun.longest if is_high else noun.shortest) or made} {_span(told)}".replace("<>", _name(told))
    if known["gap"] and told.gap is not None:
        return f"First {_subject(told, noun)} {_inside(told)}in {told.gap} days"
    return _changed(told, noun) or known["short"][:1].upper() + known["short"][1:]


def _subject(told: Told, noun: Noun) -> str:
    """`spending on Groceries`, `REM sleep`."""
    subject = noun.subject or told.label
    lowered = subject[:1].lower() + subject[1:] if subject[1:2].islower() else subject
    return lowered.replace("<>", _name(told))


def _changed(told: Told, noun: Noun) -> str:
    """`Steps 4,237 below usual`; empty where it is as ever."""
    stick = told.yardstick
    gap = difference(told.value, stick.middle, told.unit) if stick is not None else Decimal(0)
    if stick is None or not gap or stick.against == "last":
        return ""
    subject = _subject(told, noun)
    is_percent = told.unit == "fraction"
    size = f"{abs(gap) * 100:.0f} points" if is_percent else figure(abs(gap), told.unit, told.value)
    against = "usual" if stick.against in ("weekday", "days") else _against(told)
    return f"{subject[:1].upper()}{subject[1:]} {size} {'above' if gap > 0 else 'below'} {against}"


def _due(told: Told) -> dict[str, str]:
    assert told.on is not None
    amount, when = figure(told.value, told.unit), f"on {date_words(told.on)}"
    if told.label == "Invoice due":
        phrase = f"invoice {told.words} over {amount}, due {when}"
    else:
        way = "from" if told.label == "Income expected" else "to"
        phrase = f"{amount} {way} {told.words}, expected {when}"
    what = told.words if told.domain != "business" else f"Invoice {told.words}"
    return {
        "phrase": phrase, "short": phrase, "figure": amount, "title": f"{told.label}: {told.words}",
        "head": f"{what} due on {day_name(told.on)}",
    }  # fmt: skip


def _silent(told: Told) -> dict[str, str]:
    assert told.on is not None
    since = date_words(told.on)
    phrase = f"no data from {told.words} since {since}, {figure(told.value, told.unit)} now"
    return {
        "phrase": phrase, "short": phrase, "figure": figure(told.value, told.unit), "title": f"{told.label}: {told.words}",
        "head": f"No data from {told.words} since {since}", "since": f"{told.words} (since {since})",
    }  # fmt: skip
