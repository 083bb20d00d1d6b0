"""How things are shown on a terminal: tables and receipts on standard output, progress and remarks on standard error.

OUT and ERR are the consoles. rich is loaded with the first of them: what only writes JSON does not wait for it.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import asdict

from twinning_pipelines.receipt import Receipt
from twinning_pipelines.source import Source

if TYPE_CHECKING:
    from rich.console import Console

    OUT: Console
    ERR: Console

# A pipe or a log has no width of its own: wide enough for a table.
_WIDTH = None if sys.stdout.isatty() else 132
EXIT_OK, EXIT_UNREADABLE, EXIT_USAGE = 0, 1, 2


def __getattr__(name: str) -> "Console":
    if name not in ("OUT", "ERR"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _console(is_error=name == "ERR")


@cache
def _console(*, is_error: bool) -> "Console":
    from rich.console import Console  # noqa: PLC0415

    if is_error:
        return Console(stderr=True, highlight=False, soft_wrap=True)
    return Console(highlight=False, soft_wrap=True, width=_WIDTH)


def as_json(document: object) -> None:
    """One document, one line, nothing else."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, default=_plain) + "\n")
    sys.stdout.flush()


def _plain(value: object) -> object:
    return asdict(value) if isinstance(value, Struct) else str(value)


@contextmanager
def progress_on(name: str, size: int) -> Iterator[Callable[[int], None] | None]:
    """A bar for one file, on a terminal only: rows so far, and the size of what is read."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(pulse_style="cyan"), TimeElapsedColumn())
    with Progress(*columns, console=_console(is_error=True), transient=True) as bars:
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
    from rich.text import Text  # noqa: PLC0415

    out = _console(is_error=False)
    if receipt.problem is not None:
        out.print(Text.assemble(("✗ ", "red"), (receipt.file, "bold"), f": {receipt.problem}"))
        return
    mark = ("✓ ", "green") if not receipt.rejected else ("! ", "yellow")
    head = (
        f" · {receipt.source} · read {receipt.read:,} = accepted {receipt.accepted:,} + rejected {receipt.rejected:,}"
    )
    out.print(Text.assemble(mark, (receipt.file, "bold"), head))
    if receipt.changes is not None:
        for name, change in receipt.changes.items():
            told = f"new {change.new:,}, edited {change.edited:,}, same {change.same:,}, absent {change.absent:,}"
            out.print(f"    {name}: {told}")
    if receipt.elements:
        stored, rejected = (
            sum(each.stored for each in receipt.elements),
            sum(each.rejected for each in receipt.elements),
        )
        aside = sum(each.count for each in receipt.elements) - stored - rejected
        out.print(f"    elements: {stored:,} stored, {rejected:,} rejected, {aside:,} set aside by rule")
    for rejection in receipt.rejections:
        out.print(Text.assemble(("    rejected ", "yellow"), f"{receipt.unit} {rejection.at}: {rejection.reason}"))
    for notice in receipt.notices:
        out.print(Text.assemble(("    note ", "cyan"), notice))


def told_of_paths(receipts: Sequence[Receipt], paths: Sequence[Path]) -> int:
    """The exit code for files that a person named; says so where there were none."""
    if not receipts:
        where = ", ".join(map(str, paths))
        _console(is_error=True).print(f"no file in {where}; hidden and partial ones are left out", markup=False)
    return exit_code(receipts)


def show_sources(sources: Sequence[Source]) -> None:
    """Every source: name, what it recognises, what it produces."""
    from rich.table import Table  # noqa: PLC0415

    table = Table("source", "recognises", "produces", "template", box=None, pad_edge=False)
    for source in sources:
        produces = ", ".join(record.name for record in source.records)
        table.add_row(source.name, source.recognition, produces, source.template or "")
    _console(is_error=False).print(table)


def exit_code(receipts: Sequence[Receipt]) -> int:
    """0 when every file was read, rejected rows included; 1 when one is unreadable or nobody recognises it."""
    return EXIT_UNREADABLE if any(receipt.problem is not None for receipt in receipts) else EXIT_OK
