"""The files at the accounts in Firefly III: each once, whatever breaks off, and away where somebody took them away."""

from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines.ingest.archive import place_of
from twinning_pipelines.products.firefly import statements
from twinning_pipelines_tests.far_sides.firefly import FakeFirefly
from twinning_pipelines_tests.far_sides.firefly_front import firewall
from twinning_pipelines_tests.far_sides.scripted_server import HalfAnswer, HangUp
from twinning_pipelines_tests.products.firefly.household_files import Ada, rows

FIRST, WEEK, LAST = date(2026, 1, 25), date(2026, 1, 31), date(2026, 2, 28)
NAMES = ("giro.ofx", "savings.xml")


@pytest.fixture
def ada(home: Home, fake: FakeFirefly, tmp_path: Path) -> Ada:
    """Ada, with nothing in her home yet."""
    return Ada(home, fake, tmp_path)


@pytest.fixture
def opened(ada: Ada) -> Iterator[OpenHome]:
    """Her home with two exports in it, pushed without their files."""
    with ada.opened() as opened:
        ada.drop(opened, FIRST, WEEK, NAMES)
        ada.push(opened)
        yield opened


def attach(ada: Ada, opened: OpenHome, **manner: Any) -> Any:
    """A push that takes the files along."""
    return ada.push(opened, original=lambda digest: place_of(ada.home.archive, digest).read_bytes(), **manner)


def there(fake: FakeFirefly) -> list[tuple[str, str, bytes]]:
    """Account, name and content of what is attached."""
    books = fake.books
    return sorted(
        (books.accounts[int(each["attachable_id"])].name, each["filename"], each["content"] or b"")
        for each in books.attachments.values()
    )


def expected(ada: Ada, day: date = WEEK) -> list[tuple[str, str, bytes]]:
    """The two exports of a day."""
    names = {"Household": f"{day}-giro.ofx", "Savings": f"{day}-savings.xml"}
    return [(account, name, (ada.folder / name).read_bytes()) for account, name in names.items()]


def test_each_file_is_attached_once_to_its_account_with_its_sha256(ada: Ada, opened: OpenHome) -> None:
    assert there(ada.fake) == []
    assert attach(ada, opened).acts == {"attach": 2}
    assert there(ada.fake) == expected(ada)
    digests = {row.sha256 for row in rows(opened, "select sha256 from intake_file")}
    assert {each["notes"].split()[-1] for each in ada.fake.books.attachments.values()} == digests
    before = ada.fake.writes()
    assert attach(ada, opened).acts == {}
    assert ada.fake.writes() == before
    ada.drop(opened, FIRST, LAST, NAMES)
    assert attach(ada, opened).acts["attach"] == 2
    assert there(ada.fake) == sorted(expected(ada) + expected(ada, LAST))


@pytest.mark.parametrize("fault", [HangUp(stored=True), HalfAnswer(), HangUp(stored=False)])
@pytest.mark.parametrize("path", ["/attachments", "/upload"])
def test_a_lost_answer_makes_no_double(ada: Ada, opened: OpenHome, fault: Any, path: str) -> None:
    honest = ada.fake.meet

    def lossy(request: Any) -> Any:
        if request.method == "POST" and request.path.endswith(path) and not ada.fake.script:
            ada.fake.script.append(fault)
            ada.fake.meet = honest  # type: ignore[method-assign]
        return honest(request)

    ada.fake.meet = lossy  # type: ignore[method-assign]
    assert attach(ada, opened).acts == {"attach": 2}
    assert there(ada.fake) == expected(ada)


def test_a_push_that_dies_between_the_place_and_the_content_is_finished_by_the_next(ada: Ada, opened: OpenHome) -> None:
    ada.fake.most_bytes = 0
    assert len(attach(ada, opened).file_problems) == 2
    assert ada.fake.books.attachments == {}
    # As if it had died after the server made the place, before any content came.
    with opened.engine.begin() as connection:
        connection.exec_driver_sql("update firefly_outbox set state = 'sending' where booking_ids = '{}'")
    for account, name in (("Household", "giro.ofx"), ("Savings", "savings.xml")):
        (number,) = (each.id for each in ada.fake.books.accounts.values() if each.name == account)
        digest = sha256((ada.folder / f"{WEEK}-{name}").read_bytes()).hexdigest()
        sent = {"filename": f"{WEEK}-{name}", "attachable_type": "Account", "attachable_id": str(number)}
        for _ in range(2):
            ada.fake.books.attach(sent | {"notes": f"twinning: sha256 {digest}"})
    ada.fake.most_bytes = 1_000_000
    assert attach(ada, opened).acts == {"attach": 2}
    assert there(ada.fake) == expected(ada)


def test_what_somebody_takes_away_there_stays_away_and_a_lost_database_finds_the_rest(
    ada: Ada, opened: OpenHome
) -> None:
    attach(ada, opened)
    ada.fake.books.attachments.popitem()
    left = there(ada.fake)
    assert attach(ada, opened, again=True).acts == {}
    assert there(ada.fake) == left
    with opened.engine.begin() as connection:
        connection.exec_driver_sql("delete from firefly_outbox")
    ada.fake.books.attachments[next(iter(ada.fake.books.attachments))]["notes"] = "filed"
    assert attach(ada, opened).acts["attach"] == 1
    assert [content for _, _, content in there(ada.fake)] == [content for _, _, content in expected(ada)]


def test_a_file_that_is_not_let_in_is_told_and_the_others_go_on(ada: Ada, opened: OpenHome) -> None:
    ada.fake.front = firewall("<OFX>")
    done = attach(ada, opened)
    assert done.acts == {"attach": 1}
    assert [said.partition(" HTTP")[0] for said in done.file_problems] == ["not let in, although others may be:"]
    assert len(ada.fake.books.attachments) == 1
    ada.fake.front = lambda request: None
    assert attach(ada, opened, again=True).acts == {"attach": 1}
    assert there(ada.fake) == expected(ada)


def test_what_can_not_be_attached_is_told(ada: Ada, opened: OpenHome, monkeypatch: pytest.MonkeyPatch) -> None:
    giro, savings = rows(opened, "select sha256, name from intake_file order by name")
    place = place_of(ada.home.archive, giro.sha256)
    content = place.read_bytes()
    place.chmod(0o600)
    place.write_bytes(content + b" ")
    place_of(ada.home.archive, savings.sha256).rename(ada.folder / "elsewhere")
    done = attach(ada, opened)
    assert [("its sha256 differs" in said, "can't be read" in said) for said in done.file_problems] == [
        (True, False),
        (False, True),
    ]
    assert attach(ada, opened).file_problems == []
    place.write_bytes(content)
    monkeypatch.setattr(statements, "LARGEST_BYTES", len(content) - 1)
    assert "has more than" in attach(ada, opened, again=True).file_problems[0]
    assert ada.fake.books.attachments == {}
    monkeypatch.undo()
    assert attach(ada, opened, again=True).acts == {"attach": 1}
