"""The home: the folders, the database and the far sides of one installation, put together from its settings."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.ingest.archive import place_of
from twinning_pipelines.ingest.reading import Progress
from twinning_pipelines.ingest.road import receive, take
from twinning_pipelines.ingest.sweep import Folders
from twinning_pipelines.marts.books.kept_rulebook import keep_rulebook_files
from twinning_pipelines.marts.daily_facts import refresh_facts
from twinning_pipelines.marts.rollups import refresh_rollups
from twinning_pipelines.receipt import Receipt
from twinning_pipelines.settings import Settings, settings_of_environment
from twinning_pipelines.source import Source
from twinning_pipelines.sources import SOURCES, sources_of_home
from twinning_pipelines.stores.embedded_postgres import Cluster
from twinning_pipelines.stores.postgres.database import connect, in_plain_words, migrate
from twinning_pipelines.stores.postgres.store import PostgresStore

if TYPE_CHECKING:
    from twinning_pipelines.engines.detected import Engine
    from twinning_pipelines.engines.speech import SpeechEngine, SpokenLanguages
    from twinning_pipelines.stores.firefly.access import FireflyAccess
    from twinning_pipelines.stores.influx import Influx

log = logging.getLogger(__name__)


class Home(Struct, frozen=True, dict=True):
    """One installation. Making it touches nothing; folders and database come with `opened`."""

    settings: Settings
    sources: Sequence[Source] = SOURCES

    @property
    def inbox(self) -> Path:
        """Where people drop files: `inbox/<person>/…`."""
        return self.settings.home / "inbox"

    @property
    def archive(self) -> Path:
        """Where every original is kept, by sha256."""
        return self.settings.home / "archive"

    @property
    def quarantine(self) -> Path:
        """Where files go that nobody could read."""
        return self.settings.home / "quarantine"

    @property
    def rules(self) -> Path:
        """Where people write their rulebooks: `rules/<person>.yaml`."""
        return self.settings.home / "rules"

    @property
    def folders(self) -> Folders:
        """The three folders of the road."""
        return Folders(self.inbox, self.archive, self.quarantine)

    @property
    def exports(self) -> Path:
        """Where what we write out goes."""
        return self.settings.home / "exports"

    @cached_property
    def cluster(self) -> Cluster:
        """The embedded Postgres of this home, whether it is used or not."""
        return Cluster(self.settings.home / "db", self.settings.pg_bin)

    @contextmanager
    def opened(self) -> Iterator["OpenHome"]:
        """The home with its folders made and its database running and migrated."""
        self._make_folders()
        if self.settings.database_url is not None:
            with migrated(self.settings.database_url.get_secret_value()) as engine:
                yield OpenHome(self, engine)
        else:
            with self.cluster.lease() as url, migrated(url) as engine:
                yield OpenHome(self, engine)

    def _make_folders(self) -> None:
        for folder in (self.inbox, self.archive, self.quarantine, self.exports, self.rules):
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as wrong:
                raise WrongUsage(f"TWINNING_HOME: {folder} can't be made: {wrong.strerror}") from None

    def influx(self) -> "Influx | None":
        """The InfluxDB that the settings name; None when they name none."""
        from twinning_pipelines.stores.influx import Influx  # noqa: PLC0415  (its client takes a quarter of a second)

        settings = self.settings
        if settings.influx_url is None:
            return None
        token = settings.influx_token.get_secret_value() if settings.influx_token else ""
        try:
            return Influx(settings.influx_url, token, settings.influx_org, settings.influx_bucket, precision="ns")
        except ValueError as wrong:
            raise WrongUsage(f"TWINNING_INFLUX_URL or TWINNING_INFLUX_TOKEN: {wrong}") from wrong

    def firefly(self) -> "FireflyAccess | None":
        """The Firefly III that the settings name, with its tokens; None when they name none."""
        from twinning_pipelines.stores.firefly.access import FireflyAccess  # noqa: PLC0415  (only who pushes needs httpx)

        settings = self.settings
        if settings.firefly_url is None:
            return None
        tokens = settings.firefly_token.get_secret_value() if settings.firefly_token else ""
        try:
            return FireflyAccess.of(settings.firefly_url, tokens)
        except ValueError as wrong:
            raise WrongUsage(f"TWINNING_FIREFLY_URL or TWINNING_FIREFLY_TOKEN: {wrong}") from wrong

    def chat_engine(self) -> "Engine | None":
        """The language model that the settings name, a ChatEngine; None when they name none. Asks nothing yet."""
        from twinning_pipelines.engines.detected import engine_of  # noqa: PLC0415  (httpx takes a tenth of a second)
        from twinning_pipelines.engines.model_server import ModelServer  # noqa: PLC0415

        settings = self.settings
        if not settings.model_url:
            return None
        token = settings.model_token.get_secret_value() if settings.model_token else ""
        try:
            server = ModelServer(settings.model_url, token=token, anywhere=settings.model_anywhere)
        except ValueError as wrong:
            raise WrongUsage(f"TWINNING_MODEL_URL or TWINNING_MODEL_TOKEN: {wrong}") from wrong
        return engine_of(server, settings.model, settings.model_api)

    def speech(self) -> "SpeechEngine | None":
        """The speech engine that the settings name; None when they name none. Raises WrongUsage."""
        from twinning_pipelines.engines.chosen_speech import speech_engine  # noqa: PLC0415  (few verbs need it)

        settings = self.settings
        try:
            return speech_engine(settings.speech_url, settings.speech_model, anywhere=settings.model_anywhere)
        except ValueError as wrong:
            raise WrongUsage(str(wrong)) from None

    def spoken_languages(self) -> "SpokenLanguages":
        """What each person speaks. Raises WrongUsage."""
        from twinning_pipelines.engines.speech import SpokenLanguages  # noqa: PLC0415  (few verbs need it)

        try:
            return SpokenLanguages.of(self.settings.speech_language)
        except ValueError as wrong:
            raise WrongUsage(f"TWINNING_SPEECH_LANGUAGE {wrong}") from None

    @property
    def attached_original(self) -> Callable[[str], bytes] | None:
        """Reads an archived file by its sha256 for Firefly III; None where files are not to be attached there."""
        archive = self.archive
        return (lambda sha256: place_of(archive, sha256).read_bytes()) if self.settings.firefly_attach else None


class OpenHome(Struct, frozen=True, dict=True):
    """A home whose database answers."""

    home: Home
    engine: sa.Engine

    @cached_property
    def store(self) -> PostgresStore:
        """The system of record; every load counts the touched days afresh."""
        return PostgresStore(self.engine, self.home.settings.clock, refresh_rollups)

    def count_facts(self) -> int:
        """Settles books and counts the facts of every stale day, by everybody's rulebook as it stands; answers how many days.

        A rulebook that can't be used leaves the last one that could.
        """
        with self.engine.begin() as connection:
            keep_rulebook_files(connection, self.home.settings.home)
        with self.engine.begin() as connection:
            return refresh_facts(connection)

    def ingest(self, path: Path, person: str, *, called: str, progress: Progress | None = None) -> Receipt:
        """Takes one file down the road now; its receipt calls it `called`. The file itself stays where it is."""
        entry = receive(path, person, self.store, self.home.archive)
        receipt = take(entry, self.store, self.home.archive, self.home.sources, progress=progress)
        return replace(receipt, file=called)


@contextmanager
def migrated(url: str) -> Iterator[sa.Engine]:
    """The database of a URL with today's schema."""
    engine = connect(url)
    try:
        migrate(engine)
        with in_plain_words():
            yield engine
    finally:
        engine.dispose()


def home_of_environment() -> Home:
    """The home that the TWINNING_* variables describe now. Raises WrongUsage, which names the wrong ones."""
    settings = settings_of_environment()
    return Home(settings, sources_of_home(settings.home))
