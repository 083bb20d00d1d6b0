"""The verb of the `twinning` command that writes a mapping for a bank's CSV. It needs no database."""

from pathlib import Path

import click

from twinning_pipelines import shown
from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.original import Original
from twinning_pipelines.settings import settings_of_environment
from twinning_pipelines.sources.finance.bank_csv import MAPPINGS
from twinning_pipelines.sources.finance.bank_csv.offered import name_for, offered
from twinning_pipelines.sources.finance.bank_csv.written import read_folder


@click.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--save", metavar="NAME", help="Write it as NAME.yaml into the folder mappings/ of TWINNING_HOME.")
def mapping(path: Path, save: str | None) -> None:
    """Print how a bank's CSV is read, as YAML to save and edit; what the file leaves open is a `?` with its alternatives.

    `twinning check` shows what a saved mapping makes of a file; `twinning redrive` reads again what was read before.
    """
    settings = settings_of_environment()
    folder = settings.home / MAPPINGS
    original = Original.at(path)
    text = offered(original, settings.clock, read_folder(folder), save or name_for(original))
    if save is None:
        click.echo(text, nl=False)
        return
    place = folder / f"{save}.yaml"
    if place.parent != folder or place.exists():
        raise WrongUsage(f"{place} is there already" if place.exists() else f"{save!r} is not the name of a file")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    place.write_text(text, encoding="utf-8")
    shown.ERR.print(f"written to {place}", markup=False)


COMMANDS: tuple[click.Command, ...] = (mapping,)
