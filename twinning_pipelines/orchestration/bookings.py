"""The household's books: every person's bookings, settled from all that files tell."""

from collections.abc import Sequence

import dagster as dg
import sqlalchemy as sa

from twinning_pipelines.marts.books.bookings import Settled
from twinning_pipelines.marts.books.kept_rulebook import keep_rulebook_files
from twinning_pipelines.marts.books.settling import refresh_books
from twinning_pipelines.orchestration.keys import BOOKINGS
from twinning_pipelines.orchestration.results import Materialised, materialised
from twinning_pipelines.orchestration.run_home import RunHome


def bookings_asset(tables: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """The asset `bookings`."""

    @dg.asset(
        key=BOOKINGS,
        group_name="finance",
        kinds={"postgres", "table"},
        deps=tables,
        description=(
            "One row for each real booking, however many files and formats tell it; with its account, its category, and "
            "the booking that it is a transfer with. `twinning bookings` lists them."
        ),
    )
    def bookings(home: dg.ResourceParam[RunHome]) -> Materialised:
        engine = home.opened.engine
        with engine.begin() as connection:
            keep_rulebook_files(connection, home.home.settings.home)
        settled = settle_everybody(engine)
        with engine.connect() as connection:
            return materialised(_metadata(connection, settled))

    return bookings


def settle_everybody(engine: sa.Engine) -> list[Settled]:
    """Settles the books of everybody about whose money something is new, each in a transaction of its own."""
    with engine.connect() as connection:
        people = connection.execute(sa.text("select id from person order by id")).scalars().all()
    settled: list[Settled] = []
    for person_id in people:
        with engine.begin() as connection:
            done = refresh_books(connection, person_id)
        if done is not None:
            settled.append(done)
    return settled


def _metadata(connection: sa.Connection, settled: Sequence[Settled]) -> dict[str, dg.MetadataValue]:
    stored = "select count(*) from booking where gone_since is null"
    told = "select count(*) from booking_telling"
    doubted = "select count(*) from booking where gone_since is null and perhaps is not null"
    return {
        "dagster/row_count": dg.MetadataValue.int(connection.execute(sa.text(stored)).scalar_one()),
        "rows of files that tell them": dg.MetadataValue.int(connection.execute(sa.text(told)).scalar_one()),
        "new": dg.MetadataValue.int(sum(each.new for each in settled)),
        "changed": dg.MetadataValue.int(sum(each.changed for each in settled)),
        "gone": dg.MetadataValue.int(sum(each.gone for each in settled)),
        "told twice, perhaps": dg.MetadataValue.int(connection.execute(sa.text(doubted)).scalar_one()),
    }
