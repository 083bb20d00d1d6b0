"""What lies in the inbox: names of people, and a folder that can't be looked into."""

from pathlib import Path

import pytest

from twinning_pipelines.home import Home
from twinning_pipelines.ingest.inbox import named, scan
from twinning_pipelines.ingest.sweep import sweep
from twinning_pipelines.sources import SOURCES
from twinning_pipelines.stores.postgres.store import PostgresStore

CASH = "own account,day,amount,currency\nWallet,2026-03-01,-3.50,CHF\n"


@pytest.mark.parametrize("name", ["ada", "Ada B", "Jürgen", "o'brien"])
def test_a_person_is_called_as_a_folder_may_be(name: str) -> None:
    assert named(name) == name


@pytest.mark.parametrize("name", ["", " ", ".", "..", "../ada", "a/b", ".ada", "~ada", "ada.part"])
def test_what_the_inbox_would_not_look_at_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="can't be the name of a person's folder"):
        named(name)


@pytest.fixture
def closed(home: Home, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of somebody else's in the inbox, between two with a file each; it is closed to root as well."""
    for name in ("a", "closed", "z"):
        (home.inbox / "ada" / name).mkdir(parents=True)
        (home.inbox / "ada" / name / "cash.csv").write_text(CASH)
    folder = home.inbox / "ada" / "closed"
    folder.chmod(0)
    look = Path.iterdir

    def iterdir(path: Path) -> object:
        if path == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    return folder


def test_a_folder_that_can_not_be_looked_into_is_a_candidate_itself(home: Home, closed: Path) -> None:
    folder = home.inbox / "ada"
    assert [each.path for each in scan(home.inbox)] == [folder / "a/cash.csv", closed, folder / "z/cash.csv"]


def test_it_waits_and_the_others_are_taken(
    home: Home, store: PostgresStore, closed: Path, caplog: pytest.LogCaptureFixture
) -> None:
    swept = sweep(home.folders, store, SOURCES, now_ns=2**62, still_seconds=0)
    assert len(swept.routed) == 2
    assert (swept.put_aside, swept.waiting) == ((), 1)
    assert f"{closed} stays in the inbox" in caplog.text
