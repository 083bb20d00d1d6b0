"""What a fact is: one `Record` per table, one module per domain, no I/O.

Reading order: `record` (the vocabulary), `rules` (what a value may be), `metrics` (what can be measured), the domains.
`RECORDS` is the whole list, in the order in which the tables are made.
"""

from twinning_pipelines.records import business, health, journal, medical, money, nutrition, sessions, time
from twinning_pipelines.records.record import Record

RECORDS: tuple[Record, ...] = (
    *health.RECORDS,
    *sessions.RECORDS,
    *medical.RECORDS,
    *nutrition.RECORDS,
    *money.RECORDS,
    *time.RECORDS,
    *business.RECORDS,
    *journal.RECORDS,
)

__all__ = ["RECORDS", "Record"]
