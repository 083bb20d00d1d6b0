"""The options and arguments that several verbs of the `twinning` command share."""

from pathlib import Path

import click

from twinning_pipelines.ingest.inbox import named

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output and nothing else.")
PERSON = click.option("--person", help="Whose. Default: the only person there is, else TWINNING_PERSON.")
PATHS = click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
DAY = click.option(
    "--day", type=click.DateTime(["%Y-%m-%d"]), help="The day, YYYY-MM-DD. Default: the newest with facts."
)


def a_name(_: click.Context, __: click.Parameter, given: str | None) -> str | None:
    """Of a person who may be new, and shall have a folder in the inbox."""
    try:
        return given if given is None else named(given)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong)) from None
