"""One table for each record, as `records` describes it."""

import sqlalchemy as sa

from twinning_pipelines.records import RECORDS
from twinning_pipelines.records.record import Record
from twinning_pipelines.stores.postgres.schema.pieces import INSTANT, METADATA, file, key, person, sql_type


def _table(record: Record) -> sa.Table:
    return sa.Table(
        record.name,
        METADATA,
        key(sa.BigInteger),
        person(),
        sa.Column("source", sa.Text, nullable=False),
        file(),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("occurrence", sa.Integer, nullable=False),
        sa.Column("absent_since", INSTANT),
        *(
            sa.Column(each.name, sql_type(each.kind), nullable=not each.required, comment=each.meaning)
            for each in record.fields
        ),
        sa.UniqueConstraint("person_id", "source", *record.identity, "occurrence", name=f"{record.name}_identity_key"),
        *([sa.Index(None, "person_id", record.window)] if record.window else []),
        sa.Index(None, "file_id"),
        comment=record.meaning,
    )


def _sightings(record: Record) -> sa.Table:
    """Which files tell each fact, and where."""
    told = sa.ForeignKey(f"{record.name}.id", ondelete="CASCADE")
    return sa.Table(
        f"{record.name}_sighting",
        METADATA,
        sa.Column("file_id", sa.Integer, sa.ForeignKey("intake_file.id", ondelete="CASCADE"), primary_key=True),
        sa.Column(f"{record.name}_id", sa.BigInteger, told, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Index(None, f"{record.name}_id"),
    )


RECORD_TABLES: dict[str, sa.Table] = {record.name: _table(record) for record in RECORDS if not record.series}
SIGHTING_TABLES: dict[str, sa.Table] = {record.name: _sightings(record) for record in RECORDS if record.sighted}
