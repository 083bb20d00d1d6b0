"""The `twinning` command: thin, each verb calls one function. Scripts depend on its words, its JSON and its exit codes.

Here are the first verbs that need no database; the others are loaded when one of them is called.
"""

from twinning_pipelines import lean  # noqa: I001  (before anything that uses pyarrow)

import errno
import sys
from importlib import import_module
from pathlib import Path

import click

from twinning_pipelines import shown
from twinning_pipelines.errors import TwinningError, WrongUsage
from twinning_pipelines.ingest.inbox import walk_files
from twinning_pipelines.ingest.road import look
from twinning_pipelines.options import JSON, PATHS
from twinning_pipelines.settings import settings_of_environment
from twinning_pipelines.sources import SOURCES, sources_of_home

lean.loaded()

_OTHERS = (
    "house",
    "summary",
    "mapping",
    "money",
    "collect",
    "firefly",
    "news",
    "insights",
    "journal",
    "model",
    "dashboards",
    "metrics",
)


class _Verbs(click.Group):
    """The verbs of this module, and those of the others once one of them is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every verb."""
        self._load()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One verb."""
        if cmd_name not in self.commands:
            self._load()
        return super().get_command(ctx, cmd_name)

    def _load(self) -> None:
        for name in _OTHERS:
            with lean.loading():
                verbs = import_module(f"twinning_pipelines.verbs.{name}")
            for command in verbs.COMMANDS:
                self.add_command(command)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="twinning")
def cli() -> None:
    """Own your data: drop exports into a folder, and every number can be traced to the line it came from.

    \b
    Start with
      twinning demo             realistic exports for two people, through the whole road
      twinning check FILE       what would be read from a file; stores nothing
      twinning ingest FILE      read and store it now
      twinning status           what is there, what is overdue, what waits
    """


@cli.command()
@PATHS
@JSON
def check(paths: tuple[Path, ...], as_json: bool) -> None:
    """Dry run: which source claims each file, counts per table, the first rejections. Needs no database."""
    settings = settings_of_environment()
    every = sources_of_home(settings.home)
    receipts = []
    for path in walk_files(list(paths)):
        with shown.progress_on(path.name, path.stat().st_size) as progress:
            receipt = look(path, settings.clock, every, progress=progress)
        shown.print_receipt(receipt, in_json=as_json)
        receipts.append(receipt)
    sys.exit(shown.told_of_paths(receipts, paths))


@cli.command()
@JSON
def sources(as_json: bool) -> None:
    """Every source: domain, what it recognises, what it produces."""
    if not as_json:
        shown.show_sources(SOURCES)
        return
    for source in SOURCES:
        shown.as_json(
            {
                "source": source.name,
                "domain": source.domain,
                "title": source.title,
                "recognises": source.recognition,
                "produces": [record.name for record in source.records],
                "template": source.template,
            }
        )


def main() -> None:
    """The console script: foreseen trouble becomes one line on standard error."""
    try:
        cli()
    except WrongUsage as wrong:
        shown.ERR.print(f"twinning: {wrong}", markup=False)
        sys.exit(shown.EXIT_USAGE)
    except TwinningError as trouble:
        shown.ERR.print(f"twinning: {trouble}", markup=False)
        sys.exit(shown.EXIT_UNREADABLE)
    except OSError as trouble:
        # A full disk, a closed folder, a port in use: a person mends these and wants no traceback.
        disk = "the disk of TWINNING_HOME or TMPDIR" if trouble.errno in (errno.ENOSPC, errno.EDQUOT) else None
        where = trouble.filename or disk
        shown.ERR.print(f"twinning: {f'{where}: ' if where else ''}{trouble.strerror or trouble}", markup=False)
        sys.exit(shown.EXIT_UNREADABLE)


def run() -> None:
    """The console script as a process of its own, which ends with it."""
    try:
        main()
    except SystemExit as end:
        if isinstance(end.code, int):
            lean.leave(end.code)
        raise


if __name__ == "__main__":
    run()
