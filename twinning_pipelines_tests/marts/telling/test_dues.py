"""What is due after a day, as that day knew it."""

from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from twinning_pipelines.marts.telling.dues import dues_of
from twinning_pipelines.stores.postgres.schema import METADATA

DAY = date(2026, 11, 26)


def test_an_invoice_that_was_paid_later_was_still_due(engine: sa.Engine) -> None:
    usual: dict[str, object] = {
        "source": "told", "client": "Acme", "gross": 100, "currency": "CHF", "status": "sent",
        "issued_on": date(2026, 11, 1), "due_on": date(2026, 11, 28),
    }  # fmt: skip
    rows: list[dict[str, object]] = [
        {"number": "1"},
        {"number": "2", "status": "paid", "paid": 100, "paid_on": date(2026, 11, 27)},
        {"number": "3", "status": "paid", "paid": 100, "paid_on": date(2026, 11, 20)},
        {"number": "4", "paid": 40},
        {"number": "5", "issued_on": date(2026, 11, 27)},
        {"number": "6", "due_on": date(2026, 11, 29)},
        {"number": "7", "status": "void"},
    ]
    file = """
        insert into intake_file (person_id, sha256, name, bytes, modified_at, as_of, source, status)
        values (:person, 'x', 'told', 1, now(), now(), 'told', 'loaded') returning id"""
    with engine.begin() as connection:
        person = connection.execute(sa.text("insert into person (name) values ('ada') returning id")).scalar_one()
        shared = usual | {
            "person_id": person,
            "file_id": connection.execute(sa.text(file), {"person": person}).scalar_one(),
        }
        for at, row in enumerate(rows, start=1):
            connection.execute(sa.insert(METADATA.tables["invoice"]), shared | {"at": at, "occurrence": at} | row)
        dues = dues_of(connection, person, DAY)
    assert {each.words: each.amount for each in dues} == {
        "1 Acme": Decimal(100),
        "2 Acme": Decimal(100),
        "4 Acme": Decimal(60),
    }
