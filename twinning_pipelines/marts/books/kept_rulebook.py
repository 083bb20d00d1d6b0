"""The rulebook of each person as the database keeps it: the last text that could be used, and what is wrong with a newer one."""

from pathlib import Path

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.marts.books.rulebook import Rulebook, read_rulebook
from twinning_pipelines.marts.books.rulebook_text import MAX_BYTES, TOO_LARGE, Problem, WrongRulebook

# How a problem begins that only running the rules could show.
LEFT_ASIDE = "left aside, because its regular expressions take too long"


class WrongFile(Struct, frozen=True):
    """Somebody's rulebook whose newest version can't be used; the one before still holds."""

    person: str
    problem: str


def rulebook_path(home: Path, person: str) -> Path:
    """Where a person writes their rulebook, below the home. Raises WrongUsage for a name that is no file's."""
    if person in ("", ".", "..") or "\0" in person or "/" in person or "\\" in person:
        raise WrongUsage(f"{person!r} can't be the name of a rulebook's file")
    return home / "rules" / f"{person}.yaml"


def read_rulebook_file(path: Path) -> str | None:
    """The text of a rulebook's file; None where there is none. Raises WrongRulebook."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as wrong:
        raise WrongRulebook([Problem(1, "", f"the file can't be read: {wrong.strerror}")]) from None
    if len(data) > MAX_BYTES:
        raise WrongRulebook([Problem(1, "", TOO_LARGE)])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = data.count(b"\n", 0, wrong.start) + 1
        raise WrongRulebook([Problem(line, "", "this is no UTF-8")]) from None


def keep_rulebook_files(connection: sa.Connection, home: Path) -> None:
    """Keeps what the files of everybody say now; `wrong_rulebooks` tells which can't be used."""
    for person_id, name in connection.execute(sa.text("select id, name from person order by id")).all():
        try:
            path = rulebook_path(home, name)
        except WrongUsage:
            continue
        keep_rulebook_file(connection, person_id, path)


def keep_rulebook_file(connection: sa.Connection, person_id: int, path: Path) -> str | None:
    """Keeps what a person's file says now; a file that is not there changes nothing. Answers what is wrong with it."""
    try:
        text = read_rulebook_file(path)
    except WrongRulebook as wrong:
        _tell_problem(connection, person_id, str(wrong))
        return str(wrong)
    return keep_rulebook(connection, person_id, text) if text is not None else None


def keep_rulebook(connection: sa.Connection, person_id: int, text: str) -> str | None:
    """Keeps a person's rulebook, and has their books settled if it says something new.

    A text that can't be used is answered with what is wrong with it; then the last good one stays.
    """
    try:
        read_rulebook(text)
    except WrongRulebook as wrong:
        _tell_problem(connection, person_id, str(wrong))
        return str(wrong)
    values = {"person": person_id, "text": text}
    if connection.execute(sa.text(_KEEP), values).rowcount:
        connection.execute(sa.text(_STALE), values)
    connection.execute(sa.text(_NO_PROBLEM), values | {"slow": f"{LEFT_ASIDE}%"})
    return None


def rulebook_of(connection: sa.Connection, person_id: int) -> Rulebook:
    """A person's rulebook, an empty one for those who have none."""
    statement = sa.text("select text from rulebook where person_id = :person")
    text = connection.execute(statement, {"person": person_id}).scalar_one_or_none()
    try:
        return read_rulebook(text or "")
    except WrongRulebook as wrong:
        # It was good when it was kept: a newer version of us allows less.
        _tell_problem(connection, person_id, str(wrong))
        return Rulebook()


def wrong_rulebooks(connection: sa.Connection) -> list[WrongFile]:
    """Everybody whose newest rulebook can't be used."""
    statement = """
        select p.name, r.problem from rulebook r join person p on p.id = r.person_id
        where r.problem is not null order by p.name"""
    return [WrongFile(*row) for row in connection.execute(sa.text(statement))]


def _tell_problem(connection: sa.Connection, person_id: int, problem: str) -> None:
    # It quotes what the file says, and Postgres takes no NUL.
    connection.execute(sa.text(_PROBLEM), {"person": person_id, "problem": problem.replace("\0", "\ufffd")})


_KEEP = """
    insert into rulebook (person_id, text) values (:person, :text)
    on conflict (person_id) do update set text = excluded.text, problem = null, read_at = now()
    where rulebook.text <> excluded.text"""
# What a run found out about the text that is kept stays, until it is another text.
_NO_PROBLEM = "update rulebook set problem = null where person_id = :person and problem not like :slow"
_STALE = "insert into stale_books (person_id) values (:person) on conflict do nothing"
_PROBLEM = """
    insert into rulebook (person_id, text, problem) values (:person, '', :problem)
    on conflict (person_id) do update set problem = excluded.problem, read_at = now()
    where rulebook.problem is distinct from excluded.problem"""
