"""The summary that needs no model: sentences chosen by a rule, varied from day to day, the biggest news first.

It is good to read by itself, and it is what a model's text has to beat. No more than three sentences for each domain; of
facts that say the same (steps, distance, energy) only the one with the most news.
"""

from collections.abc import Iterator, Mapping, Sequence, Set

from msgspec import Struct, field

from twinning_pipelines.marts.telling.told import Told
from twinning_pipelines.products.summary.carriers import (
    CARRIERS,
    DUE_OPENINGS,
    GOAL_OPENINGS,
    HEADED,
    ORDINARY,
    PLAIN,
    REST,
    SILENT_OPENINGS,
    UNCOMPARED,
)
from twinning_pipelines.products.summary.figures import day_name, month_name
from twinning_pipelines.products.summary.render import Sentence, filled, forms

MOST_SENTENCES = 3
_NOTABLE, _HEADLINE = 0.9, 1.2
# What every day is asked for, whether or not it is news.
_CORE = {
    "health": ("sleep", "steps", "resting_heart_rate", "workouts"),
    "nutrition": ("energy", "protein"),
    "finance": ("spend",),
    "time": ("hours",),
}
_FAMILIES = (
    {"sleep", "time_in_bed", "sleep_core", "sleep_awake", "sleep_deep", "sleep_rem"},
    {"steps", "distance", "active_energy"},
    {"workouts", "exercise"},
    {"resting_heart_rate", "heart_rate", "heart_rate_variability"},
    {"energy", "carbs", "fat"},
    {"spend", "spend_by_category"},
    {"income", "income_by_category"},
    {"hours", "hours_by_project", "billable_share"},
    {"invoices_open", "invoices_due"},
)
# These are told even where a part of them was.
_LEADING = {"sleep", "steps", "energy", "spend", "hours"}
_PARTS = {"spend": "spend_by_category", "hours": "hours_by_project"}


class _Page(Struct):
    """What has been said so far."""

    facts: Mapping[str, Told]
    headed: frozenset[str]
    sentences: list[Sentence] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    families: set[str] = field(default_factory=set)

    def say(self, domain: str, text: str) -> None:
        """One sentence more."""
        sentence = Sentence.of(domain, text, self.facts)
        self.sentences.append(sentence)
        self.told |= set(sentence.facts)
        for name in sentence.facts:
            self.families |= _family(self.facts[name])

    def is_told(self, told: Told) -> bool:
        """Has it been told, or something that says the same?"""
        may_repeat = told.required or told.fact in _LEADING
        return told.id in self.told or (not may_repeat and bool(_family(told) & self.families))


def sentences_of(facts: Sequence[Told]) -> list[Sentence]:
    """The sentences of a day or period, in the order in which they are read; none without facts."""
    page = _Page({each.id: each for each in facts}, frozenset(each.id for each in _heads(facts)))
    for domain in _domains(facts):
        some = [each for each in facts if each.domain == domain]
        _tell_domain(page, domain, some)
    _tell_silences(page, [each for each in facts if each.why == "silent"])
    return page.sentences


def headline_of(facts: Sequence[Told]) -> str:
    """The two biggest news, of two domains; an ordinary day says so. Every figure in it is a fact's."""
    if not facts:
        return "Nothing is known of this day"
    heads = _heads(facts)
    if not heads:
        one = facts[0]
        return {
            "day": f"An ordinary {day_name(one.day)}",
            "week": "An ordinary week",
            "month": f"An ordinary {month_name(one.day)}",
        }[one.kind]
    first, *second = [_head(each) for each in heads[:2]]
    return first + "".join(f"; {_inside(words, heads[1])}" for words in second)


def _heads(facts: Sequence[Told]) -> list[Told]:
    """The facts of the headline."""
    heads: list[Told] = []
    for each in sorted(facts, key=lambda told: -told.news):
        is_news = each.is_unusual and each.why != "silent" and each.news >= _HEADLINE
        if is_news and each.domain not in {head.domain for head in heads}:
            heads.append(each)
    return heads[:2]


def _head(told: Told) -> str:
    return filled(f"{{{told.id}|head}}", {told.id: told})


def _inside(head: str, told: Told) -> str:
    """A headline as the second half of one; names and abbreviations keep their capitals."""
    return head if told.why == "due" or head[1:2].isupper() else head[:1].lower() + head[1:]


def _domains(facts: Sequence[Told]) -> list[str]:
    news: dict[str, float] = {}
    for each in facts:
        if each.domain != "sources":
            news[each.domain] = max(news.get(each.domain, 0.0), each.news)
    return sorted(news, key=lambda domain: (-news[domain], domain))


def _tell_domain(page: _Page, domain: str, facts: Sequence[Told]) -> None:
    start = len(page.sentences)
    dues = [each for each in facts if each.why == "due"]
    rest = [each for each in facts if each.why != "due"]
    room = MOST_SENTENCES - bool(dues)
    notable = [each for each in rest if each.required or (each.is_unusual and each.news >= _NOTABLE)]
    core = [each for each in rest if each.fact in _CORE.get(domain, ())]
    goals = [each for each in notable if each.required]
    if len(goals) > 1:
        page.say(domain, _one_of(GOAL_OPENINGS, goals[0]) + "; ".join(f"{{{each.id}}}" for each in goals) + ".")
    for told in _apart(page, notable):
        # The last sentence is kept for what is ordinary, unless goals need it.
        if len(page.sentences) - start < room - (bool(core) and not told.required):
            page.say(domain, _notable(told, facts, page.told, may_head=told.id not in page.headed))
    for told in _apart(page, [each for each in core if each.fact in _LEADING and not _is_as_usual(each)]):
        if len(page.sentences) - start < room - 1 and told.fact not in _PARTS:
            page.say(domain, _notable(told, facts, page.told, may_head=False))
    if len(page.sentences) - start < room:
        _tell_ordinary(page, domain, core, facts, has_news=len(page.sentences) > start)
    if dues:
        opening = _one_of(DUE_OPENINGS, dues[0])
        page.say(domain, opening + "; ".join(f"{{{each.id}}}" for each in dues) + ".")


def _apart(page: _Page, facts: Sequence[Told]) -> Iterator[Told]:
    """Those that say something of their own; asked one by one, for each sentence tells some."""
    for told in facts:
        if not page.is_told(told):
            yield told


def _notable(told: Told, facts: Sequence[Told], said: Set[str], *, may_head: bool) -> str:
    known = forms(told)
    if may_head and "record" in known and _turn(told, 2) == 1:
        text = _one_of(HEADED, told)
        return (
            _with(text.replace("<change>", ", {|change}" if _is_compared(known, told) else ""), told)
            + _parts(told, facts, said)
            + "."
        )
    carriers = CARRIERS.get((told.fact, told.how == "mean")) or PLAIN
    tail = ", {|tail}" if "tail" in known else ""
    return _with(_one_of(carriers, told) + _payee(told, facts) + tail, told) + _parts(told, facts, said) + "."


def _is_compared(known: Mapping[str, str], told: Told) -> bool:
    return told.aim is None and known.get("change", "as").split(" ")[0] not in ("as", "much")


def _tell_ordinary(page: _Page, domain: str, core: Sequence[Told], facts: Sequence[Told], *, has_news: bool) -> None:
    """What a day is asked for, in one sentence: as usual only where there is a usual to compare with."""
    order = {name: place for place, name in enumerate(_CORE.get(domain, ()))}
    left = sorted((each for each in core if not page.is_told(each)), key=lambda each: order[each.fact])
    alone = [each for each in left if each.fact in _PARTS]
    if alone and _is_one_part(page, alone[0]):
        return
    if alone:
        page.say(domain, _notable(alone[0], facts, page.told, may_head=False))
        return
    usual = [each for each in left if _is_as_usual(each)]
    is_led = any(each.fact in _LEADING and each not in usual for each in left)
    chosen = usual if len(usual) >= len(left) / 2 and not is_led else left
    if not chosen:
        return
    words = _listed([f"{{{each.id}|short}}" for each in chosen[:3]])
    patterns = (REST if has_news else ORDINARY) if chosen is usual else UNCOMPARED
    if chosen is not usual:
        words = _listed([f"{{{each.id}}}" for each in left[:3]], between="; ", last="; ")
    page.say(domain, _one_of(patterns, chosen[0]).replace("<list>", words))


def _is_one_part(page: _Page, told: Told) -> bool:
    """Has its only part been told? Then there is no more to it."""
    said = (page.facts[name] for name in page.told)
    return any(each.fact == _PARTS[told.fact] and each.value == told.value for each in said)


def _is_as_usual(told: Told) -> bool:
    stick = told.yardstick
    return stick is not None and stick.against in ("weekday", "days") and abs(told.value - stick.middle) < stick.spread


def _tell_silences(page: _Page, silences: Sequence[Told]) -> None:
    if silences:
        opening = _one_of(SILENT_OPENINGS, silences[0])
        page.say("sources", opening + _listed([f"{{{each.id}|since}}" for each in silences]) + ".")


def _parts(told: Told, facts: Sequence[Told], said: Set[str]) -> str:
    """`; 3 h of it on Trailer site`: what the largest parts of a sum are, where it has several."""
    parts = [
        each for each in facts
        if each.fact == _PARTS.get(told.fact) and each.unit == told.unit and 0 < each.value < told.value and each.id not in said
        and each.words not in ("uncategorised", "no project", "")
    ]  # fmt: skip
    payee = next((each for each in facts if each.fact == "payment" and each.unit == told.unit), None)
    if told.fact == "spend" and payee is not None and payee.value < told.value and not parts:
        return f"; {{{payee.id}|figure}} of it to {{{payee.id}|name}}"
    largest = sorted(parts, key=lambda each: (-each.value, each.id))[:2]
    if not largest or told.required:
        return ""
    words = [f"{{{largest[0].id}|of_it}}", *(f"{{{each.id}|on}}" for each in largest[1:])]
    return "; " + " and ".join(words)


def _payee(told: Told, facts: Sequence[Told]) -> str:
    """`, all to Migros`: where one payment was all that was spent."""
    found = (each for each in facts if each.fact == "payment" and each.unit == told.unit and each.value == told.value)
    payee = next(found, None) if told.fact == "spend" else None
    return f", all to {{{payee.id}|name}}" if payee is not None else ""


def _with(text: str, told: Told) -> str:
    """`{|tail}` is a slot of this fact."""
    return text.replace("{|", f"{{{told.id}|")


def _one_of(patterns: Sequence[str], told: Told) -> str:
    return patterns[_turn(told, len(patterns))]


def _turn(told: Told, n: int) -> int:
    """Another one each day (week, month), and not the same one for each fact of a day."""
    step = {
        "day": told.day.toordinal(),
        "week": told.day.toordinal() // 7,
        "month": told.day.year * 12 + told.day.month,
    }
    return (step[told.kind] + sum(map(ord, told.id))) % n


def _listed(words: Sequence[str], between: str = ", ", last: str = " and ") -> str:
    return last.join([between.join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _family(told: Told) -> set[str]:
    for family in _FAMILIES:
        if told.fact in family:
            # Money of another currency, and parts of another name, say something else.
            mark = f":{told.unit}" if told.domain == "finance" else ""
            return {min(family) + mark}
    return {told.id}
