"""Twinning: a source turns one file into batches of rows; everything after that is the same road for all.

The package in reading order, low to high; imports run one way, and each room knows only those above it here:

    errors           every exception that is raised on purpose, drawn as a tree
    records/         what a fact is: one table per record, the fields, what is plausible; no I/O
    clock, original  whose day it is; a dropped file, read in place
    source           what a source is: recognise a file, turn it into batches of rows; the registry loads them by need
    receipt          what travels between the rooms: an arrival, a reading, a receipt
    formats/         how to read a syntax (OFX, QIF, delimited, streamed XML): rows, no meaning
    stores/          Postgres, the system of record, with its launcher and migrations; InfluxDB, Firefly III
    engines/         models that run at home, for words and for speech
    marts/           what the facts add up to, as SQL: daily rollups, daily facts, the household's books, freshness
    sources/         one module or package = one source; `sources/__init__.py` is the registry
    ingest/          the road: inbox, archive, route, check, load
    collectors/      providers that are asked instead of waited for: what they answer becomes a file in the inbox
    products/        what is made of the facts for people and the outside world
    settings, home   every TWINNING_* variable; one installation put together from them
    shown, demo/     how things look on a terminal; sample exports of two people
    verbs/           the verbs of the command line, a module for each subject
    orchestration/   the assets, checks, sensors and schedules: the only room that knows Dagster
    definitions, cli the two doors: `dagster dev` and `twinning`

`dagster asset materialize -m twinning_pipelines --select '*'` finds `defs` here: all assets but the partitioned products,
because Dagster refuses to run those without a `--partition`. `twinning_pipelines.definitions` has everything.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dagster as dg

    defs: dg.Definitions


def __getattr__(name: str) -> object:
    """Makes `defs` when it is first asked for: the command line must not wait for Dagster's import."""
    if name != "defs":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from twinning_pipelines.definitions import build_defs  # noqa: PLC0415

    return globals().setdefault("defs", build_defs(partitioned=False))


def __dir__() -> list[str]:
    """Dagster looks for definitions among the names that a module lists."""
    return sorted({*globals(), "defs"})
