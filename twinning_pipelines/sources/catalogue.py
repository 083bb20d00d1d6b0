"""The pages about sources, made from the code: what is read, and our own templates with their columns."""

import csv
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from msgspec import Struct

from twinning_pipelines.formats.columns import Column, Table
from twinning_pipelines.formats.delimited import normalised
from twinning_pipelines.source import Source
from twinning_pipelines.sources.business import deals, expenses, invoices
from twinning_pipelines.sources.finance import cash_book, exchange_rates, prices
from twinning_pipelines.sources.health import body_measurements, lab_results
from twinning_pipelines.sources.nutrition import template as nutrition_template
from twinning_pipelines.sources.time import template as time_template

FOLDER = Path(__file__).parent / "templates"

_INTRODUCTION = """\
# Templates

Ten tables that you fill yourself, in a spreadsheet or a text editor. Download the file, replace the example rows, save
it as CSV and drop it into the inbox. The files are in `twinning_pipelines/sources/templates/`.

- The order of the columns does not matter. A column may be left out unless it is required; where only the column is,
  its cells may be empty.
- Comma, semicolon, tab or `|` between the cells; UTF-8 is best, and what Excel saves is read too.
- Write days as `2026-03-31`. Other orders are read when some row of the file shows which is meant, or by the order that
  you have set for yourself; a row that may be read two ways is rejected, never guessed.
- Numbers may use a comma or a dot for decimals, the same one in the whole file.
- A row that can't be read is reported with its line and its reason, and the others are taken.
- Drop the file again whenever you like: rows that are known change nothing.

This page is made from the code; `columns_page` in `twinning_pipelines/sources/catalogue.py` writes it.
"""


class Template(Struct, frozen=True):
    """A source that reads one of our templates, and the table by which it does."""

    source: Source
    table: Table

    @property
    def path(self) -> Path:
        """The file to download."""
        return FOLDER / (self.source.template or "")


def _of(module: ModuleType) -> Template:
    return Template(module.SOURCE, module.TABLE)


TEMPLATES: tuple[Template, ...] = tuple(
    map(
        _of,
        (
            time_template,
            nutrition_template,
            body_measurements,
            lab_results,
            deals,
            invoices,
            expenses,
            cash_book,
            prices,
            exchange_rates,
        ),
    ),
)


def columns_page() -> str:
    """The page `docs/templates.md`: every column of every template, with what it holds and an example."""
    return "\n".join([_INTRODUCTION, *map(_section, TEMPLATES)])


def _section(template: Template) -> str:
    record, examples = template.table.record, _examples(template.path)
    lines = [
        f"## `{template.path.name}`",
        "",
        f"{template.source.title}: {record.meaning}. Recognised as {template.source.recognition}.",
        "",
        "| column | required | what it holds | how | example |",
        "|---|---|---|---|---|",
        *(_row(column, template.table, examples) for column in template.table.columns),
        "",
        _others(template.table),
        "",
    ]
    return "\n".join(lines)


def _row(column: Column, table: Table, examples: dict[str, str]) -> str:
    own, *synonyms = column.headings
    known_by = "the column" if own in table.marks else ""
    also = f" (also {', '.join(f'`{name}`' for name in synonyms)})" if synonyms else ""
    example = examples.get(normalised(own), "")
    cells = (
        f"`{own}`{also}",
        "yes" if column.required else known_by,
        column.meaning or table.record.field(column.field).meaning,
        column.reading.says,
        f"`{example}`" if example else "",
    )
    escaped = " | ".join(cell.replace("|", "\\|") for cell in cells)
    return f"| {escaped} |"


def _others(table: Table) -> str:
    if table.rest is None:
        return "Other columns are not kept; the receipt names them."
    return f"Other columns are kept in `{table.rest.field}`: {table.record.field(table.rest.field).meaning}."


def _examples(path: Path) -> dict[str, str]:
    """By normalised heading, the first example that is not empty."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    found: dict[str, str] = {}
    for row in rows:
        for heading, cell in row.items():
            if cell:
                found.setdefault(normalised(heading), cell)
    return found


_SOURCES_INTRODUCTION = """\
# Sources

What Twinning reads today. A file is recognised by its content, never by its name. This page is made from the code;
`sources_page` in `twinning_pipelines/sources/catalogue.py` writes it.

| source | what it is | recognised by | produces | overdue after |
|---|---|---|---|---|
"""


def sources_page(sources: Sequence[Source]) -> str:
    """The page `docs/sources.md`: one row for each source."""
    rows = []
    for source in sources:
        produces = ", ".join(f"`{record.name}`" for record in source.records)
        overdue = f"{source.expect_every.days} days" if source.expect_every else "never"
        rows.append(f"| `{source.name}` | {source.title} | {source.recognition} | {produces} | {overdue} |\n")
    return _SOURCES_INTRODUCTION + "".join(rows)
