"""How days are shown on a terminal: facts, summaries, the state of things, and the rows behind a number."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from twinning_pipelines.marts.daily_facts import Evidence, ToldFact
from twinning_pipelines.marts.facts import FACT_BY_NAME, Fact
from twinning_pipelines.marts.freshness import Status
from twinning_pipelines.marts.preference import Preferred
from twinning_pipelines.products.summary.render import change
from twinning_pipelines.products.summary.summary import Summary, rendered, spelled
from twinning_pipelines.shown import OUT


def show_facts(summary: Summary) -> None:
    """The facts that are worth telling as a table, the biggest news first."""
    table = Table("fact", "value", "compared", "rows", "what it means", box=None, pad_edge=False)
    table.columns[1].justify = table.columns[3].justify = "right"
    for fact in summary.kept.facts:
        compared = change(fact) if fact.fact in FACT_BY_NAME else ""
        table.add_row(Text(spelled(fact)), rendered(fact), compared, f"{fact.rows:,}", fact.definition)
    OUT.print(Text.assemble((summary.kept.person, "bold"), f" · {summary.title}"))
    OUT.print(table)


def show_summary(summary: Summary) -> None:
    """The summary's text, and how its figures stand."""
    kept = summary.kept
    OUT.print(Text.assemble((kept.person, "bold"), f" · {summary.title}"))
    OUT.print(Text(kept.headline, "bold"))
    OUT.print(Text(kept.text))
    by = "by rule" if kept.path == "template" else f"by {kept.model}, {kept.path}"
    OUT.print(Text(f"{summary.verdict} · written {by}", "dim"))


def show_status(status: Status, wrong_mappings: Sequence[str] = ()) -> None:
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
    for wrong in wrong_mappings:
        OUT.print(f"{wrong}; banks' CSV that may be for it waits", style="yellow", markup=False)
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
