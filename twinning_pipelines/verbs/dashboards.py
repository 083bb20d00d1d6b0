"""The verb `twinning dashboards`: writes the dashboards that Grafana reads."""

from pathlib import Path

import click

from twinning_pipelines import shown
from twinning_pipelines.options import JSON
from twinning_pipelines.sources import SOURCES


@click.command()
@click.option(
    "--to", "folder", required=True, type=click.Path(path_type=Path, file_okay=False), help="The folder to fill."
)
@click.option(
    "--dagster-url",
    default="http://127.0.0.1:3001",
    show_default=True,
    help="Where a browser finds Dagster, for the links.",
)
@JSON
def dashboards(folder: Path, dagster_url: str, as_json: bool) -> None:
    """Writes every Grafana dashboard as a JSON file: today, sleep, money and so on. Needs no database.

    Grafana's file provider reads the folder. What was written there before and is no more is removed.
    """
    # Not at the top: the other verbs are loaded beside this one, and need none of it.
    from twinning_pipelines.products.dashboards.every import every_dashboard  # noqa: PLC0415
    from twinning_pipelines.products.dashboards.vocabulary import Installation  # noqa: PLC0415
    from twinning_pipelines.products.dashboards.written import write_dashboards  # noqa: PLC0415

    expected = {source.name: source.expect_every for source in SOURCES if source.expect_every is not None}
    pages = every_dashboard(Installation(dagster_url, expected))
    for page, path in zip(pages, write_dashboards(pages, folder), strict=True):
        if as_json:
            shown.as_json({"dashboard": page.name, "uid": page.uid, "panels": len(page.panels), "file": str(path)})
        else:
            shown.OUT.print(f"{path}  {page.title}, {len(page.panels)} panels", markup=False)


COMMANDS: tuple[click.Command, ...] = (dashboards,)
