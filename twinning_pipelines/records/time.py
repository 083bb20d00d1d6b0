"""Time facts: who worked on what, from when to when."""

from twinning_pipelines.records.record import COUNT, DAY, FLAG, INSTANT, JSON, MONEY, TEXT, Field, Record
from twinning_pipelines.records.rules import CURRENCY, PLAUSIBLE_DAY, PLAUSIBLE_INSTANT, between, ordered

TIME_ENTRY = Record(
    name="time_entry",
    domain="time",
    meaning="one stretch of tracked time",
    fields=(
        Field("worker", TEXT, "whose time it is: e-mail or name; empty for a personal tracker", required=True),
        Field("started_at", INSTANT, "when it began, UTC", required=True, rules=(PLAUSIBLE_INSTANT,)),
        Field("ended_at", INSTANT, "when it ended, UTC; null while it runs", rules=(PLAUSIBLE_INSTANT,)),
        Field("day", DAY, "the local day it began on, where the source kept it", rules=(PLAUSIBLE_DAY,)),
        Field("seconds", COUNT, "how long, seconds; null while it runs", rules=(between(0, 366 * 86_400),)),
        Field("client", TEXT, "for whom, as written"),
        Field("project", TEXT, "on what, as written"),
        Field("task", TEXT, "which task, as written"),
        Field("description", TEXT, "what was done"),
        Field("tags", JSON, "list of tags"),
        Field("billable", FLAG, "true, false, or null when the source does not say"),
        Field("amount", MONEY, "billed amount, where the source states it"),
        Field("currency", TEXT, "ISO 4217 code of the amount", rules=(CURRENCY,)),
        Field("zone", TEXT, "the IANA zone by which the wall time was read"),
    ),
    identity=("worker", "started_at"),
    window="started_at",
    until="ended_at",
    scope=("worker",),
    rules=(ordered("started_at", "ended_at"),),
)

RECORDS = (TIME_ENTRY,)
