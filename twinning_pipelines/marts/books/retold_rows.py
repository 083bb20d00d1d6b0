"""Rows that other rows of their source tell again, under an identity of their own.

A finance program gives a booking an id of its own, and keeps it when its owner changes the day or the account. What
identifies a row has both in it, so that the moved one comes as a new row beside the old: the newest file that tells an id
tells where it stands. A booking that stays in its account is left to `successors`, which keep its edits.

What an account holds on a day is what the newest file of a source states of it, and nothing beside: what was sold since the
first statement of the day is left out by the second, and lots of a position may be one line in it.

IBKR tells a trade in a confirmation by its `tradeID`, or by that of its execution, and in a statement by a `transactionID`
with the others beside it: the statement counts.
"""

import sqlalchemy as sa

# Sources whose ids are never given twice; those of banks are.
_OWN_IDS = ("finance.portfolio_performance", "finance.ghostfolio")

_LEAVE = """
    with told as (
        select t.id, t.account, first_value(t.file_id) over newest_first as newest,
            first_value(t.account) over newest_first as newest_account
        from "{table}" t join intake_file f on f.id = t.file_id
        where t.person_id = :person and t.absent_since is null and t.bank_id <> '' and t.source = any(:sources)
        window newest_first as (partition by t.source, t.bank_id order by f.as_of desc, f.sha256 desc)
    ),
    gone as (
        update "{table}" t set absent_since = f.as_of
        from told o join intake_file f on f.id = o.newest
        where t.id = o.id and t.file_id <> o.newest and {condition}
        returning t.{day} as day
    )"""
_STATED = """
    with told as (
        select t.id, first_value(t.file_id) over (
            partition by t.source, t.account, t.held_on order by f.as_of desc, f.sha256 desc) as newest
        from holding t join intake_file f on f.id = t.file_id
        where t.person_id = :person and t.absent_since is null
    ),
    gone as (
        update holding t set absent_since = f.as_of
        from told o join intake_file f on f.id = o.newest
        where t.id = o.id and t.file_id <> o.newest
        returning t.held_on as day
    )"""
_CONFIRMED = """
    with stated as (
        select t.account, t.bank_id, v.number, f.as_of
        from trade t join intake_file f on f.id = t.file_id,
            lateral (values (t.extra ->> 'tradeID'), (t.extra ->> 'ibExecID')) as v (number)
        where t.person_id = :person and t.absent_since is null and t.source = 'finance.ibkr_flex' and v.number is not null
    ),
    gone as (
        update trade t set absent_since = s.as_of
        from stated s
        where t.person_id = :person and t.absent_since is null and t.source = 'finance.ibkr_flex'
            and t.account = s.account and t.bank_id = s.number and s.bank_id <> s.number and t.extra ->> 'tradeID' is null
        returning t.traded_on as day
    )"""
_MARK = """
    insert into stale_day (person_id, day)
    select cast(:person as smallint), day::date
    from (select min(day) as first from gone) as since, generate_series(first, current_date + 1, interval '1 day') as day
    on conflict do nothing"""
_STATEMENTS = (
    _LEAVE.format(table="trade", day="traded_on", condition="true"),
    _LEAVE.format(table="transaction", day="booked_on", condition="o.account <> o.newest_account"),
    _STATED,
    _CONFIRMED,
)


def leave_retold_rows(connection: sa.Connection, person_id: int) -> None:
    """Marks as absent what other rows tell again, and the days that this changes."""
    values = {"person": person_id, "sources": list(_OWN_IDS)}
    for statement in _STATEMENTS:
        connection.execute(sa.text(statement + _MARK), values)
