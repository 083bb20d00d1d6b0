"""How money is shown on a terminal: rules, transfers, budgets, recurring payments, bookings."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from rich.table import Table
from rich.text import Text

from twinning_pipelines.marts.books.budgets import BudgetUse
from twinning_pipelines.marts.books.categories import Reason
from twinning_pipelines.marts.books.listing import ListedBooking, ToldIn, Uncategorised
from twinning_pipelines.marts.books.recurring import Recurring
from twinning_pipelines.marts.books.rulebook import Rule, Rulebook
from twinning_pipelines.marts.books.transfers import Proposal
from twinning_pipelines.shown import OUT


def show_rules(
    rulebook: Rulebook, uses: Sequence[int], unknown: Sequence[str], open_ones: Sequence[Uncategorised]
) -> None:
    """Each rule with the bookings that it decides, and what is still without a category."""
    table = Table("rule", "line", "bookings", "sets", box=None, pad_edge=False)
    table.columns[0].justify = table.columns[1].justify = table.columns[2].justify = "right"
    for number, (rule, line, n) in enumerate(zip(rulebook.rules, rulebook.lines, uses, strict=True), 1):
        table.add_row(str(number), str(line), f"{n:,}", Text(sets_of(rule), style="" if n else "yellow"))
    OUT.print(table)
    for name in unknown:
        OUT.print(Text(f"no account is called {name!r}: a rule that asks for it never fits", style="yellow"))
    if open_ones:
        OUT.print("without a category, the most money first:")
        rest = Table("money", "bookings", "payee", box=None, pad_edge=False)
        rest.columns[0].justify = rest.columns[1].justify = "right"
        for each in open_ones:
            rest.add_row(_money(each.amount, each.currency), f"{each.n:,}", Text(each.payee))
        OUT.print(rest)


def sets_of(rule: Rule) -> str:
    """What a rule sets, in one line."""
    to = f"transfer to {rule.transfer_to}" if rule.transfer_to else rule.category
    parts = [to, f"payee {rule.payee}" if rule.payee else None, *(f"#{tag}" for tag in rule.tags)]
    return ", ".join(part for part in parts if part)


def show_proposals(waiting: Sequence[Proposal]) -> None:
    """Pairs of bookings that may be one transfer."""
    if not waiting:
        OUT.print("no transfer waits for your word")
        return
    table = Table("out", "in", "from", "to", "money", "why", box=None, pad_edge=False)
    for each in waiting:
        money = _money(-each.out_amount, each.out_currency)
        if each.in_currency != each.out_currency:
            money += f" → {_money(each.in_amount, each.in_currency)}"
        table.add_row(
            str(each.out_id), str(each.in_id), Text(f"{each.out_on} {each.out_account}"),
            Text(f"{each.in_on} {each.in_account}"), money, Text(each.why),
        )  # fmt: skip
    OUT.print(table)
    OUT.print("`twinning transfers confirm OUT IN` or `twinning transfers reject OUT IN`")


def show_budgets(month: date, used: Sequence[BudgetUse]) -> None:
    """How much of each budget is spent, beside how much of the month is over."""
    OUT.print(f"[bold]{month:%Y-%m}[/bold]")
    table = Table("budget", "spent", "of", "left", "spent, %", "month, %", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for each in used:
        share = each.spent / each.budgeted * 100 if each.budgeted else None
        style = "red" if each.left < 0 else ("yellow" if share is not None and share > each.gone * 100 else "")
        table.add_row(
            Text(each.budget, style=style), f"{each.spent:,.2f}", _money(each.budgeted, each.currency), f"{each.left:,.2f}",
            f"{share:.0f}" if share is not None else "—", f"{each.gone * 100:.0f}",
        )  # fmt: skip
        for part in each.categories:
            table.add_row(Text(f"  {part.name}"), f"{part.amount:,.2f}", "", "", "", "")
        for part in each.apart:
            table.add_row("  no rate known", f"{part.amount:,.2f}", part.name, "", "", "")
    OUT.print(table if used else "no budget; write one into your rulebook, see `twinning rules`")


def show_recurring(found: Sequence[Recurring], today: date) -> None:
    """Payments that come again, the next due first."""
    table = Table(
        "payee", "every", "money", "between", "times", "since", "last", "next", "account", box=None, pad_edge=False
    )
    table.columns[2].justify = table.columns[4].justify = "right"
    for each in found:
        series = each.series
        between = "" if series.low == series.high else f"{series.low:,.2f} … {series.high:,.2f}"
        due = "ended" if each.has_ended(today) else series.next_on.isoformat()
        table.add_row(
            Text(each.payee), series.every, _money(series.amount, each.currency), between, str(series.n),
            series.first_on.isoformat(), series.last_on.isoformat(), due, Text(each.account),
        )  # fmt: skip
    OUT.print(table if found else "nothing comes again so far")


def show_bookings(bookings: Sequence[ListedBooking]) -> None:
    """Bookings as a list."""
    table = Table("id", "day", "money", "payee", "category", "tags", "account", box=None, pad_edge=False)
    table.columns[0].justify = table.columns[2].justify = "right"
    for each in bookings:
        what = "transfer" if each.is_transfer else each.category or ""
        table.add_row(
            str(each.id), each.booked_on.isoformat(), _money(each.amount, each.currency), Text(each.payee or each.memo),
            Text(what), Text(", ".join(each.tags)), Text(each.account),
        )  # fmt: skip
    OUT.print(table if bookings else "no such booking")


def show_booking(
    booking: ListedBooking, reasons: Sequence[Reason], tellings: Sequence[ToldIn], units: dict[str, str]
) -> None:
    """One booking: what it says, who says so, and where it stands in which files."""
    OUT.print(
        Text(
            f"{booking.id} · {booking.booked_on} · {_money(booking.amount, booking.currency)} · {booking.account}",
            "bold",
        )
    )
    if booking.memo:
        OUT.print(Text(f"  memo: {booking.memo}"))
    if booking.is_transfer:
        OUT.print("  a transfer between own accounts: no spending, no income")
    for reason in reasons:
        OUT.print(Text(f"  {reason}"))
    table = Table("file", "where", "account there", "payee there", box=None, pad_edge=False)
    for each in tellings:
        where = f"{units.get(each.source, 'line')} {each.at}"
        table.add_row(Text(each.file), where, Text(each.account), Text(each.payee or each.memo))
    OUT.print(table)


def _money(amount: Decimal, currency: str) -> str:
    return f"{amount:,.2f} {currency}"
