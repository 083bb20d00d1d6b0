"""Laboratory results kept by hand.

From: our own template, `lab_results.csv`. To: LabResult. A result that is no number ("negative", "< 0.5") is kept as
text; a limit is no measured value. Units and reference ranges stay as the laboratory printed them.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.cells import DAY, NUMBER, Reading, Styles, words
from twinning_pipelines.formats.columns import Cells, Column, Table
from twinning_pipelines.original import Original
from twinning_pipelines.records.medical import LAB_RESULT
from twinning_pipelines.source import Item, Source, gather


def _result(cell: str, styles: Styles) -> float | str:
    try:
        return float(styles.numbers.read(cell))
    except ValueError:
        return cell


_RESULT = Reading("a number, or the result in words", _result, "number")
_FLAG = words({"low": ("l", "-", "↓"), "normal": ("n", "ok"), "high": ("h", "+", "↑")})

TABLE = Table(
    record=LAB_RESULT,
    columns=(
        Column("day", ("date",), DAY, required=True),
        Column("analyte", ("analyte",), required=True),
        Column("value", ("value",), _RESULT, required=True, meaning="the result: a number, or words like negative"),
        Column("unit", ("unit",)),
        Column("low", ("low",), NUMBER),
        Column("high", ("high",), NUMBER),
        Column("flag", ("flag",), _FLAG),
        Column("laboratory", ("laboratory",), default=""),
        Column("note", ("note",)),
    ),
    marks=("date", "analyte", "value"),
)


def _lab_result(cells: Cells) -> Mapping[str, object]:
    return dict(cells.values) | {"value": cells.get("value", float), "text": cells.get("value", str)}


def parse(original: Original, clock: Clock) -> Iterator[Item]:
    """Laboratory results, line by line. Raises UnreadableFile."""
    return gather(TABLE.rows(original, clock, _lab_result), (LAB_RESULT,))


SOURCE = Source(
    name="health.lab_results",
    title="Laboratory results, our template",
    recognition="a CSV with the columns date, analyte and value",
    records=(LAB_RESULT,),
    recognises=TABLE.recognises,
    parse=parse,
    expect_every=timedelta(days=366),
    template="lab_results.csv",
)
