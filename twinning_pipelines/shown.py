"""How things are shown on a terminal: tables and receipts on standard output, progress and remarks on standard error."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from twinning_pipelines.marts.daily_facts import Evidence, ToldFact
from twinning_pipelines.marts.facts import FACT_BY_NAME, Fact
from twinning_pipelines.marts.freshness import Status
from twinning_pipelines.marts.preference import Preferred
from twinning_pipelines.products.summary import Summary, rendered, spelled
from twinning_pipelines.receipt import Receipt
from twinning_pipelines.source import Source

# A pipe or a log has no width of its own: wide enough for a table.
_WIDTH = None if sys.stdout.isatty() else 132
OUT = Console(highlight=False, soft_wrap=True, width=_WIDTH)
ERR = Console(stderr=True, highlight=False)


def as_json(document: object) -> None:
    """One document, one line, nothing else."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


@contextmanager
def progress_on(name: str, size: int) -> Iterator[Callable[[int], None] | None]:
    """A bar for one file, on a terminal only: rows so far, and the size of what is read."""
    if not ERR.is_terminal:
        yield None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(pulse_style="cyan"), TimeElapsedColumn())
    with Progress(*columns, console=ERR, transient=True) as bars:
        task = bars.add_task(f"{name} ({size / 1e6:,.1f} MB)", total=None)
        yield lambda rows: bars.update(task, description=f"{name} ({size / 1e6:,.1f} MB): {rows:,} rows")


def print_receipt(receipt: Receipt, *, in_json: bool) -> None:
    """A receipt as its JSON document or for people."""
    if in_json:
        as_json(receipt.document())
    else:
        show_receipt(receipt)


def show_receipt(receipt: Receipt) -> None:
    """What became of one file, in a few lines."""
    if receipt.problem is not None:
        OUT.print(Text.assemble(("✗ ", "red"), (receipt.file, "bold"), f": {receipt.problem}"))
        return
    mark = ("✓ ", "green") if not receipt.rejected else ("! ", "yellow")
    head = (
        f" · {receipt.source} · read {receipt.read:,} = accepted {receipt.accepted:,} + rejected {receipt.rejected:,}"
    )
    OUT.print(Text.assemble(mark, (receipt.file, "bold"), head))
    if receipt.changes is not None:
        for name, change in receipt.changes.items():
            told = f"new {change.new:,}, edited {change.edited:,}, same {change.same:,}, absent {change.absent:,}"
            OUT.print(f"    {name}: {told}")
    if receipt.elements:
        stored, rejected = (
            sum(each.stored for each in receipt.elements),
            sum(each.rejected for each in receipt.elements),
        )
        aside = sum(each.count for each in receipt.elements) - stored - rejected
        OUT.print(f"    elements: {stored:,} stored, {rejected:,} rejected, {aside:,} set aside by rule")
    for rejection in receipt.rejections:
        OUT.print(Text.assemble(("    rejected ", "yellow"), f"{receipt.unit} {rejection.at}: {rejection.reason}"))
    for notice in receipt.notices:
        OUT.print(Text.assemble(("    note ", "cyan"), notice))


def show_sources(sources: Sequence[Source]) -> None:
    """Every source: name, what it recognises, what it produces."""
    table = Table("source", "recognises", "produces", "template", box=None, pad_edge=False)
    for source in sources:
        produces = ", ".join(record.name for record in source.records)
        table.add_row(source.name, source.recognition, produces, source.template or "")
    OUT.print(table)


def show_facts(summary: Summary) -> None:
    """The facts of one day as a table."""
    table = Table("fact", "value", "rows", "what it means", box=None, pad_edge=False)
    table.columns[1].justify = table.columns[2].justify = "right"
    for fact in summary.facts:
        table.add_row(spelled(fact), rendered(fact), f"{fact.n:,}", FACT_BY_NAME[fact.fact].definition)
    OUT.print(f"[bold]{summary.person}[/bold] · {summary.day.isoformat()}")
    OUT.print(table)


def show_summary(summary: Summary) -> None:
    """The summary's text."""
    OUT.print(f"[bold]{summary.person}[/bold] · {summary.day.isoformat()}")
    OUT.print(Text(summary.text))


def show_status(status: Status) -> None:
    """How things stand."""
    OUT.print("files: " + (", ".join(f"{count:,} {name}" for name, count in status.files.items()) or "none yet"))
    OUT.print(f"rejected rows in quarantine: {status.rejected_rows:,}")
    table = Table("person", "source", "files", "newest", "silent", box=None, pad_edge=False)
    for each in status.freshness:
        silent = f"{each.silent_days} days" + (" — overdue" if each.is_stale else "")
        table.add_row(each.person, each.source, str(each.files), each.as_of.date().isoformat(), silent)
    OUT.print(table)
    for gap in status.balance_gaps:
        OUT.print(
            f"{gap.person}, account {gap.account}: from {gap.since} to {gap.until} the balance moved by {gap.stated} "
            f"{gap.currency}, the bookings by {gap.booked}: {gap.missing} is missing",
            style="yellow",
        )
    if status.ring_gaps:
        OUT.print(f"days that Apple's activity rings tell otherwise than we: {status.ring_gaps:,}", style="yellow")
    OUT.print(
        f"days to be counted afresh: {status.stale_days:,}; newest day with facts: {status.newest_fact_day or '—'}"
    )
    OUT.print(f"InfluxDB: {status.influx_outbox:,} days queued, {status.influx_dead_letters:,} points refused")


def show_order(person: str, order: Sequence[Preferred]) -> None:
    """A person's devices and apps in the order in which they are asked."""
    OUT.print(f"[bold]{person}[/bold]: asked in this order when several saw the same")
    table = Table("", "origin", "kind", "why here", box=None, pad_edge=False)
    for place, each in enumerate(order, 1):
        table.add_row(str(place), Text(each.origin), each.device, "preferred" if each.preferred else "by kind and name")
    OUT.print(table)


def show_evidence(
    fact: Fact, told: Sequence[ToldFact], rows: Sequence[Evidence], units: dict[str, str], limit: int
) -> None:
    """From a number to the rows and file lines behind it."""
    OUT.print(f"[bold]{fact.title}[/bold]: {fact.definition}")
    for each in told:
        OUT.print(f"  {spelled(each)} = {rendered(each)}, from {each.n:,} rows")
    table = Table("adds", "what", "table", "file", "where", box=None, pad_edge=False)
    table.columns[0].justify = "right"
    for row in rows[:limit]:
        where = f"{units.get(row.source, 'line')} {row.at}"
        table.add_row(f"{row.amount:,.2f}", row.label, row.record, row.file, where)
    OUT.print(table)
    if len(rows) > limit:
        OUT.print(f"… and {len(rows) - limit:,} more; --all shows them")
