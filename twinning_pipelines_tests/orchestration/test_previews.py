"""The shape of a table: small enough for the event log, and true."""

from datetime import date

from twinning_pipelines.orchestration.previews import plot, preview

MONTHS = tuple((date(2010 + n // 12, n % 12 + 1, 1), 100 + n) for n in range(190))


def test_a_plot_is_a_small_png() -> None:
    png = plot(MONTHS, "rows")
    assert png.startswith(b"\x89PNG")
    assert len(png) < 6_000


def test_the_newest_year_is_told_month_by_month_and_the_rest_as_one() -> None:
    text = preview(MONTHS)
    assert "data:image/png;base64," in text
    assert "| 2025-10 " in text
    assert "| 2024-11 " in text
    assert "| 2024-10 " not in text
    assert f"{sum(count for _, count in MONTHS[:-12]):,}" in text
    assert "178 earlier months" in text


def test_an_empty_table_says_so() -> None:
    assert preview(()) == "Nothing is stored yet."
