"""A mapping that can't be used: what may be for it waits in the inbox with the reason, and everything else goes on."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from twinning_pipelines.cli import cli
from twinning_pipelines.home import Home
from twinning_pipelines.ingest.road import look
from twinning_pipelines.ingest.sweep import Swept, drain, sweep
from twinning_pipelines.sources import sources_of_home
from twinning_pipelines.sources.finance.bank_csv.written import read_folder
from twinning_pipelines.stores.postgres.store import PostgresStore
from twinning_pipelines_tests.goldens import BERLIN
from twinning_pipelines_tests.sources.finance.bank_csv.test_own_mappings import CARD, SPENT

BROKEN = CARD.replace("name: my-card", "name: broken").replace("sign: money out", "sgin: money out")
KNOWN = "Date,Details,Amount\n2026-02-05,Shop,-3.00\n"
OFX = Path(__file__).parents[1] / "ofx_statement" / "checking.ofx"
SAID = "b.yaml: sgin: no such key"


@pytest.fixture
def mappings(home: Home) -> Path:
    """The folder of a home, with a mapping that has a slip in a key."""
    folder = home.settings.home / "mappings"
    folder.mkdir(parents=True)
    (folder / "b.yaml").write_text(BROKEN, encoding="utf-8")
    return folder


def drop(home: Home, **files: str) -> None:
    folder = home.inbox / "ada"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")


def swept(home: Home, store: PostgresStore) -> Swept:
    every = sources_of_home(home.settings.home)
    return sweep(home.folders, store, every, now_ns=2**62, still_seconds=0)


def left(home: Home) -> list[str]:
    return sorted(path.name for path in (home.inbox / "ada").iterdir())


@pytest.mark.usefixtures("mappings")
def test_what_may_be_for_it_stays_in_the_inbox_and_the_others_are_taken(
    home: Home, store: PostgresStore, caplog: pytest.LogCaptureFixture
) -> None:
    drop(home, spent=SPENT, known=KNOWN)
    (home.inbox / "ada" / "a.ofx").write_bytes(OFX.read_bytes())
    (home.inbox / "ada" / "prose.csv").write_text("Dear Sir,\nthank you.\n", encoding="utf-8")
    done = swept(home, store)
    assert done.routed == (("a.ofx", "finance.ofx"),)
    assert [name for name, _ in done.put_aside] == ["prose.csv"]
    assert (done.waiting, left(home)) == (2, ["known.csv", "spent.csv"])
    assert "spent.csv stays in the inbox: " in caplog.text
    assert SAID in caplog.text


def test_nothing_of_it_is_put_aside_and_it_is_read_once_the_mapping_is_mended(
    home: Home, store: PostgresStore, mappings: Path, engine: sa.Engine
) -> None:
    drop(home, spent=SPENT)
    swept(home, store)
    (receipt,) = drain(store.pending(), home.folders, store, sources_of_home(home.settings.home))
    assert receipt.waits
    assert SAID in (receipt.problem or "")
    assert not list(home.quarantine.rglob("*"))
    (mappings / "b.yaml").write_text(CARD, encoding="utf-8")
    assert swept(home, store).routed == (("spent.csv", "finance.bank_csv"),)
    (receipt,) = drain(store.pending("finance.bank_csv"), home.folders, store, sources_of_home(home.settings.home))
    assert (receipt.accepted, left(home)) == (2, [])
    with engine.connect() as connection:
        assert connection.execute(sa.text("select distinct account from transaction")).scalars().all() == ["Card 77"]


def test_what_was_read_before_is_not_read_again_meanwhile(home: Home, store: PostgresStore, mappings: Path) -> None:
    (mappings / "b.yaml").write_text(CARD, encoding="utf-8")
    drop(home, spent=SPENT)
    swept(home, store)
    drain(store.pending("finance.bank_csv"), home.folders, store, sources_of_home(home.settings.home))
    (mappings / "b.yaml").write_text(BROKEN, encoding="utf-8")
    sources = sources_of_home(home.settings.home)
    (source,) = (each for each in sources if each.name == "finance.bank_csv")
    outdated = store.outdated(source)
    assert [receipt.waits for receipt in drain(outdated, home.folders, store, sources)] == [True] * len(outdated)
    assert [entry.status for entry in store.outdated(source)] == ["loaded"] * len(outdated)
    assert store.refused() == []


def test_a_mapping_whose_file_comes_before_it_reads_its_files(home: Home, mappings: Path, tmp_path: Path) -> None:
    path = tmp_path / "spent.csv"
    path.write_text(SPENT, encoding="utf-8")
    for name, accepted in (("a.yaml", 2), ("c.yaml", 0)):
        (mappings / name).write_text(CARD, encoding="utf-8")
        receipt = look(path, BERLIN, sources_of_home(home.settings.home))
        assert receipt.accepted == accepted
        assert (SAID in (receipt.problem or "")) == (not accepted)
        (mappings / name).unlink()


@pytest.mark.parametrize("kind", ["bytes", "link", "folder", "closed"])
def test_what_is_no_text_or_can_not_be_opened_is_named(
    home: Home, mappings: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = mappings / "b.yaml"
    path.unlink()
    if kind == "bytes":
        path.write_bytes(b"name: Fr\xfch")
    elif kind == "link":
        path.symlink_to(mappings / "nowhere")
    elif kind == "folder":
        path.mkdir()
    else:
        # Root may look into any folder.
        monkeypatch.setattr(
            Path, "iterdir", lambda path: (_ for _ in ()).throw(PermissionError(13, "Permission denied"))
        )
        path = mappings
    (wrong,) = read_folder(mappings)
    assert f"{path}: can't be read: " in repr(wrong)
    assert len(sources_of_home(home.settings.home)) > 1


def test_verbs_go_on_and_tell_of_it(
    home: Home, mappings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = home.settings.database_url
    monkeypatch.setenv("TWINNING_HOME", str(home.settings.home))
    monkeypatch.setenv("TWINNING_DATABASE_URL", url.get_secret_value() if url else "")
    path = tmp_path / "spent.csv"
    path.write_text(SPENT, encoding="utf-8")
    done = CliRunner().invoke(cli, ["status", "--json"])
    assert done.exit_code == 0
    (wrong,) = json.loads(done.stdout)["wrong_mappings"]
    assert wrong.startswith(f"{mappings}/{SAID}")
    assert SAID in CliRunner().invoke(cli, ["status"]).stdout
    assert CliRunner().invoke(cli, ["ingest", str(OFX)]).exit_code == 0
    assert CliRunner().invoke(cli, ["bookings"]).exit_code == 0
    for verb in ("check", "ingest"):
        done = CliRunner().invoke(cli, [verb, str(path), "--json"])
        assert done.exit_code == 1
        assert SAID in json.loads(done.stdout)["error"]
    assert SAID in str(CliRunner().invoke(cli, ["mapping", str(path)]).exception)
