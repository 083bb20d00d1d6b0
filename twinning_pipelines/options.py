"""The options and arguments that several verbs of the `twinning` command share."""

from pathlib import Path

import click

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output and nothing else.")
PERSON = click.option("--person", help="Whose. Default: the only person there is, else TWINNING_PERSON.")
PATHS = click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
DAY = click.option(
    "--day", type=click.DateTime(["%Y-%m-%d"]), help="The day, YYYY-MM-DD. Default: the newest with facts."
)
