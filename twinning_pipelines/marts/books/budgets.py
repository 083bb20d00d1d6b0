"""What a person wants to spend in a month, and what they have spent of it.

Spent is what the facts tell by category: own transfers are left out, the parts of a split booking count by their own
categories, and money that comes back makes it less. What is in another currency counts at the rate of its day; where no
rate is known it is told apart.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from msgspec import Struct, field

from twinning_pipelines.marts.books.dated_rates import DatedRates, dated_rates
from twinning_pipelines.marts.books.months import in_month, later
from twinning_pipelines.marts.books.rows import money_by_category
from twinning_pipelines.marts.books.rulebook import Rulebook

_BELOW = ":"


class Spent(Struct, frozen=True):
    """What bookings of a category, or of a currency that no rate is known for, come to. Money out is positive."""

    name: str
    amount: Decimal
    n: int


class BudgetUse(Struct, frozen=True):
    """A budget in one month. gone: the share of the month that is over, 0 to 1.

    categories: each one's part of `spent`. apart: by currency what could not be converted, and is not in `spent`.
    """

    budget: str
    currency: str
    budgeted: Decimal
    spent: Decimal
    gone: Decimal
    categories: tuple[Spent, ...]
    apart: tuple[Spent, ...]

    @property
    def left(self) -> Decimal:
        """What may still be spent; negative when it was too much."""
        return self.budgeted - self.spent


class _Budget(Struct, frozen=True):
    name: str
    currency: str
    categories: tuple[str, ...]
    amount: Decimal


class _Part(Struct, frozen=True):
    """A booking, or a part of one. amount: money out is positive."""

    day: date
    category: str
    currency: str
    amount: Decimal


class _Sum(Struct):
    amount: Decimal = Decimal(0)
    n: int = 0

    def add(self, amount: Decimal) -> None:
        self.amount += amount
        self.n += 1


class _Sums(Struct):
    converted: dict[str, _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    apart: dict[str, _Sum] = field(default_factory=lambda: defaultdict(_Sum))


def keep_budgets(connection: sa.Connection, person_id: int, rulebook: Rulebook) -> int:
    """Makes the stored budgets of a person those of their rulebook; answers how many changed.

    No day becomes stale: a budget's use is counted when it is asked for.
    """
    values: dict[str, object] = {
        "person": person_id,
        "names": [each.name for each in rulebook.budgets],
        "currencies": [each.monthly[1] or rulebook.currency for each in rulebook.budgets],
        "since": [each.since for each in rulebook.budgets],
        "categories": [_BETWEEN.join(each.categories) for each in rulebook.budgets],
        "amounts": [each.monthly[0] for each in rulebook.budgets],
        "between": _BETWEEN,
    }
    gone = connection.execute(sa.text(_DROP), values).rowcount
    return gone + connection.execute(sa.text(_KEEP), values).rowcount


def budget_use(connection: sa.Connection, person_id: int, month: date, today: date | None = None) -> list[BudgetUse]:
    """How much of each budget of a month is used, in the order of their names. month: any day of it.

    today: the person's own day, where none is given.
    """
    first = month.replace(day=1)
    following = in_month(first, 1, 1)
    values = {"person": person_id, "first": first, "following": following, "last": later(following, days=-1)}
    if today is None:
        statement = sa.text("select local_day(:person, now())")
        today = connection.execute(statement, {"person": person_id}).scalar_one()
    length = (following - first).days
    gone = Decimal(min(max((today - first).days + 1, 0), length)) / length
    budgets = [_Budget(row[0], row[1], tuple(row[2]), row[3]) for row in connection.execute(sa.text(_BUDGETS), values)]
    parts = [_Part(*row) for row in connection.execute(sa.text(_PARTS), values)] if budgets else []
    asked = {(part.currency, budget.currency, part.day) for part in parts for budget in budgets}
    rates = dated_rates(connection, person_id, asked)
    return [_use(budget, parts, rates, gone) for budget in budgets]


def _use(budget: _Budget, parts: Sequence[_Part], rates: DatedRates, gone: Decimal) -> BudgetUse:
    sums = _Sums()
    for part in parts:
        category = holding(budget.categories, part.category)
        if category is None:
            continue
        rate = rates.rate(part.currency, budget.currency, part.day)
        if rate is None:
            sums.apart[part.currency].add(part.amount)
        else:
            # Amounts in the budget's own currency stay exact; others are rounded once, as an account would.
            exact = part.currency == budget.currency
            sums.converted[category].add(part.amount if exact else (part.amount * rate).quantize(Decimal("0.01")))
    spent = sum((each.amount for each in sums.converted.values()), Decimal(0))
    return BudgetUse(budget.name, budget.currency, budget.amount, spent, gone, _told(sums.converted), _told(sums.apart))


def holding(categories: Sequence[str], category: str) -> str | None:
    """Which of a budget's categories holds this one, None where none does."""
    name = category.casefold()
    for each in categories:
        wide = each.casefold()
        if name == wide or name.startswith(wide + _BELOW):
            return each
    return None


def _told(sums: dict[str, _Sum]) -> tuple[Spent, ...]:
    return tuple(Spent(name, each.amount, each.n) for name, each in sorted(sums.items()))


_BETWEEN = "\x1f"
_WANTED = """
    with wanted as (
        select w.name, w.currency, w.since, string_to_array(w.categories, :between) as categories, w.amount
        from unnest(cast(:names as text[]), cast(:currencies as text[]), cast(:since as date[]),
            cast(:categories as text[]), cast(:amounts as numeric[])) as w (name, currency, since, categories, amount)
    )"""
_DROP = f"""{_WANTED}
    delete from budget b where b.person_id = :person and not exists (
        select 1 from wanted w where (w.name, w.currency, w.since) = (b.name, b.currency, b.since))"""
_KEEP = f"""{_WANTED}
    insert into budget (person_id, name, currency, since, categories, amount)
    select :person, name, currency, since, categories, amount from wanted
    on conflict (person_id, name, currency, since) do update
        set categories = excluded.categories, amount = excluded.amount
        where (budget.categories, budget.amount) is distinct from (excluded.categories, excluded.amount)"""
# Of a budget that has changed over time the newest version that has begun.
_BUDGETS = """
    select distinct on (name) name, currency, categories, amount from budget
    where person_id = :person and since < :following
    order by name, since desc, currency"""
_PARTS = f"""
    select day, part, unit, amount from ({money_by_category("<")}) paid
    union all
    select day, part, unit, -amount from ({money_by_category(">")}) got"""
