"""Two people, a clock that only the test moves, and far sides to tell."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from twinning_pipelines_tests.far_sides.hook_receiver import HookReceiver, Pager
from twinning_pipelines_tests.products.news.desk import Desk


@pytest.fixture
def desk(engine: sa.Engine) -> Desk:
    with engine.begin() as connection:
        for name in ("ada", "ben"):
            person = connection.execute(
                sa.text("insert into person (name) values (:name) returning id"), {"name": name}
            ).scalar_one()
            connection.execute(
                sa.text("insert into person_zone values (:person, '2000-01-01Z', 'Europe/Zurich')"), {"person": person}
            )
    return Desk(engine)


@pytest.fixture
def receiver() -> Iterator[HookReceiver]:
    with HookReceiver() as receiver:
        yield receiver
        receiver.let_go.set()


@pytest.fixture
def pager() -> Iterator[Pager]:
    with Pager() as pager:
        yield pager
