"""The shape of a table as a person sees it on the asset's page: a plot and a small table of rows per month."""

import io
from base64 import b64encode
from datetime import date

from tabulate import tabulate

from twinning_pipelines.orchestration.figures import Months

_SHOWN_MONTHS = 12
# The event log keeps every preview of every run: sixteen colours make one of 2 kB.
_COLOURS = 16
# Matplotlib counts days from here.
_EPOCH = date(1970, 1, 1).toordinal()


def preview(by_month: Months, noun: str = "rows") -> str:
    """Markdown: the plot of all months, and the newest twelve in figures."""
    if not by_month:
        return "Nothing is stored yet."
    newest = list(reversed(by_month))
    rows = [(f"{month:%Y-%m}", f"{count:,}") for month, count in newest[:_SHOWN_MONTHS]]
    if earlier := newest[_SHOWN_MONTHS:]:
        rows.append((f"{len(earlier)} earlier months", f"{sum(count for _, count in earlier):,}"))
    table = tabulate(
        rows, headers=("month", noun), tablefmt="github", colalign=("left", "right"), disable_numparse=True
    )
    image = b64encode(plot(by_month, noun)).decode("ascii")
    return f"![{noun} per month](data:image/png;base64,{image})\n\n{table}"


def plot(by_month: Months, noun: str) -> bytes:
    """A PNG of the counts per month."""
    # A second of imports that only a run that shows something should pay; Agg needs no display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    figure = Figure(figsize=(7, 1.8), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    months = [month.toordinal() - _EPOCH for month, _ in by_month]
    axes.bar(months, [count for _, count in by_month], width=25, align="edge", color="#4f43dd")
    axes.xaxis_date()
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_title(f"{noun} per month", fontsize=9, loc="left")
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    drawn, smaller = io.BytesIO(), io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(drawn, format="png")
    Image.open(drawn).convert("RGB").quantize(_COLOURS).save(smaller, "PNG", optimize=True)
    return smaller.getvalue()
