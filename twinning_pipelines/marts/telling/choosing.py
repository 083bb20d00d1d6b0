"""Which facts of a day, a week or a month are told: the most news first, at most forty, none without data."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from msgspec import Struct, field
from msgspec.structs import replace

from twinning_pipelines.marts.telling.dues import Due, dues_of
from twinning_pipelines.marts.telling.goals import Goal
from twinning_pipelines.marts.telling.histories import History, day_histories, first_of, period_histories
from twinning_pipelines.marts.telling.judging import Judgement, judge, judge_period
from twinning_pipelines.marts.telling.payments import Payment, largest_payments
from twinning_pipelines.marts.telling.silences import Silence, silences_of
from twinning_pipelines.marts.telling.told import Aim, Kind, Told, Why
from twinning_pipelines.marts.telling.used_up import UsedUp, used_up
from twinning_pipelines.source import Source

MOST_FACTS = 40
_LONGEST_WORDS = 48
# How much a fact matters to most people, beside others of its day.
WEIGHTS = {
    "sleep": 1.3, "time_in_bed": 0.4, "sleep_deep": 0.5, "sleep_rem": 0.5, "sleep_core": 0.3, "sleep_awake": 0.3,
    "naps": 0.6, "steps": 1.1, "distance": 0.6, "active_energy": 0.6, "exercise": 0.7, "heart_rate": 0.5,
    "heart_rate_variability": 0.8, "weight": 0.8, "workouts": 1.1, "carbs": 0.4, "fat": 0.4, "protein": 0.7, "energy": 0.9,
    "spend": 1.2, "income": 1.3, "spend_by_category": 0.8, "income_by_category": 0.5, "balance": 0.4,
    "hours_by_project": 0.7, "billable_share": 0.7, "pipeline_weighted": 0.6, "invoiced": 1.2, "invoices_due": 1.1,
    "invoices_open": 0.7,
}  # fmt: skip
_LARGE_DUE, _SMALL_DUE, _LARGE = 3.5, 2.0, 100
_SILENT_NEWS, _GOAL_NEWS = 0.5, 3.0

_REASONS: dict[Why, str] = {
    "goal": "a goal of their own", "due": "due soon", "silent": "a source has fallen silent", "record": "a record",
    "change": "out of the ordinary for them", "streak": "for days on one side of what is ordinary",
    "event": "happens on some days only", "moved": "has moved", "usual": "ordinary, told for completeness",
}  # fmt: skip


class Whose(Struct, frozen=True):
    """Whose day, week or month: told in full, or so far only (`is_over` false), when little can be said of it yet."""

    person_id: int
    kind: Kind
    day: date
    is_over: bool = True
    goals: Sequence[Goal] = field(default_factory=tuple)
    sources: Sequence[Source] = field(default_factory=tuple)

    @property
    def first(self) -> date:
        """Its first day."""
        return first_of(self.kind, self.day)


def worth_telling(connection: sa.Connection, whose: Whose) -> list[Told]:
    """The facts of a day or period that are worth telling, the biggest news first."""
    if whose.kind == "day":
        histories = day_histories(connection, whose.person_id, whose.day)
    else:
        histories = period_histories(connection, whose.person_id, whose.kind, whose.day)
    told = [_told(history, whose) for history in histories]
    if whose.kind == "day":
        told += [_due(due, whose) for due in dues_of(connection, whose.person_id, whose.day)]
    if whose.kind == "day":
        told += [_payment(each, whose) for each in largest_payments(connection, whose.person_id, whose.day)]
    if whose.kind != "week":
        told += [_used_up(each, whose) for each in used_up(connection, whose.person_id, whose.day)]
    told += [_silent(each, whose) for each in silences_of(connection, whose.person_id, whose.day, whose.sources)]
    ordered = sorted(told, key=lambda each: (not each.required, -each.news, each.fact, each.part, each.unit))
    kept = sorted(ordered[:MOST_FACTS], key=lambda each: (-each.news, each.fact, each.part, each.unit))
    return _named(kept)


def cleaned(words: str) -> str:
    """A name from a file as it may stand in a sentence: one line, nothing invisible, not too long."""
    folded = unicodedata.normalize("NFC", words)
    seen = "".join(" " if each.isspace() else each for each in folded if each.isprintable() or each.isspace())
    # Braces would look like slots, and angle brackets like markup, to whoever reads the stored text.
    line = " ".join(re.sub(r"[{}<>|`]", " ", seen).split())
    return line if len(line) <= _LONGEST_WORDS else line[: _LONGEST_WORDS - 1].rstrip() + "…"


def _told(history: History, whose: Whose) -> Told:
    fact = history.fact
    judged = _judged(history, whose)
    aim = _aim(history, whose)
    weight = WEIGHTS.get(fact.name, 0.9)
    part = cleaned(history.part)
    spelled = f"{fact.name}:{history.part}" if history.part else fact.name
    why, news, required = judged.why, judged.news * weight, False
    if aim is not None:
        why, news, required = "goal", max(news, 1.5 if aim.met else _GOAL_NEWS), True
    return Told(
        id=fact.name, fact=fact.name, part=history.part, domain=fact.domain, label=fact.title, definition=fact.definition,
        unit=history.unit, value=history.points[-1].value, rows=history.rows, kind=whose.kind, day=whose.day,
        first=whose.first, how=history.how, why=why, reason=_REASONS[why], news=round(news + 0.01 * weight, 4),
        required=required, yardstick=judged.yardstick, record=judged.record, streak=judged.streak, gap=judged.gap, aim=aim,
        words=part, mixed=history.mixed, handle=f"twinning explain {_quoted(spelled)} --day {whose.day}",
    )  # fmt: skip


def _judged(history: History, whose: Whose) -> Judgement:
    if not whose.is_over and history.measure != "level":
        # Half a day is always less than a whole one.
        return Judgement("usual", 0.0)
    if whose.kind == "day":
        return judge(history.points, history.measure, lows=history.tells_lows)
    return judge_period(history.points, history.measure, lows=history.tells_lows)


def _aim(history: History, whose: Whose) -> Aim | None:
    if whose.kind != "day":
        return None
    wanted = [goal for goal in whose.goals if goal.fits(history.fact.name, history.part, history.unit)]
    aim = wanted[0].aim(history.points) if wanted else None
    is_open = aim is not None and not whose.is_over and aim.met is (aim.side == "low")
    return None if is_open else aim


def _due(due: Due, whose: Whose) -> Told:
    is_in = due.what == "invoice" or due.amount > 0
    label = "Invoice due" if due.what == "invoice" else "Income expected" if is_in else "Payment expected"
    said = (
        "unpaid invoices that fall due in the next two days"
        if due.what == "invoice"
        else "the next payment of a series that comes again, as large as the last one"
    )
    return Told(
        id="due", fact="due", part="", domain="business" if due.what == "invoice" else "finance", label=label,
        definition=said, unit=due.currency, value=abs(due.amount), rows=due.rows, kind=whose.kind, day=whose.day,
        first=whose.first, how="value", why="due", reason=_REASONS["due"], required=True,
        news=_LARGE_DUE if is_in or abs(due.amount) >= _LARGE else _SMALL_DUE,
        words=cleaned(due.words), on=due.on, handle=due.handle,
    )  # fmt: skip


def _used_up(budget: UsedUp, whose: Whose) -> Told:
    return Told(
        id="budget", fact="budget", part="", domain="finance", label="Budget", unit=budget.currency, value=budget.spent,
        definition="what was spent of a month's budget so far", rows=budget.rows, kind=whose.kind, day=whose.day,
        first=whose.day.replace(day=1), how="value", why="goal", reason=_REASONS["goal"], news=_GOAL_NEWS, required=True,
        aim=Aim("low", budget.budgeted, met=False, row=0), words=cleaned(budget.name),
        handle=f"twinning budgets --month {whose.day:%Y-%m}",
    )  # fmt: skip


def _payment(payment: Payment, whose: Whose) -> Told:
    return Told(
        id="payment", fact="payment", part="", domain="finance", label="Largest payment",
        definition="the largest payment of the day, own transfers left out", unit=payment.currency, value=payment.amount,
        rows=1, kind=whose.kind, day=whose.day, first=whose.first, how="value", why="usual", reason=_REASONS["usual"],
        news=0.05, words=cleaned(payment.payee), handle=f"twinning explain spend --day {whose.day}",
    )  # fmt: skip


def _silent(silence: Silence, whose: Whose) -> Told:
    return Told(
        id="silent", fact="silent", part=silence.source, domain="sources", label="No data from a source",
        definition="days since the newest file of a source that usually comes more often", unit="d",
        value=Decimal(silence.days), rows=silence.files, kind=whose.kind, day=whose.day, first=whose.first, how="value",
        why="silent", reason=_REASONS["silent"], news=_SILENT_NEWS, required=True, words=cleaned(silence.title),
        on=silence.since, handle="twinning status",
    )  # fmt: skip


def _named(told: Iterable[Told]) -> list[Told]:
    """Gives each an id of its own, of letters alone: digits in a sentence are always a figure's."""
    taken: set[str] = set()
    named = []
    for each in told:
        name = each.fact + (f".{_slug(each.words)}" if each.words else "")
        if name in taken and each.unit.isalpha():
            name += f"{'_' if each.words else '.'}{each.unit.lower()}"
        tries = (
            name if not n else f"{name if '.' in name else name + '.'}{_letters(n)}" for n in range(MOST_FACTS + 1)
        )
        one = next(each for each in tries if each not in taken)
        taken.add(one)
        named.append(replace(each, id=one))
    return named


def _slug(words: str) -> str:
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z]+", "_", plain).strip("_")[:24].strip("_") or "other"


def _letters(n: int) -> str:
    return "_" + (chr(96 + n) if n <= 26 else chr(96 + n // 26) + chr(97 + n % 26))


def _quoted(spelled: str) -> str:
    """As a shell takes it."""
    return spelled if re.fullmatch(r"[\w:.-]+", spelled) else "'" + spelled.replace("'", "'\\''") + "'"
