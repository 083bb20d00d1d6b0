"""The rows behind what is told of a day's money, as SQL: see `marts.facts` for what each query gives.

Bookings between own accounts are no spending and no income. Where a file splits a booking, its parts count by their own
categories, unless a rule or the person has put the whole under one; a part that goes to an own account is a transfer.
"""

from twinning_pipelines.marts.books.balances import MOVEMENTS, STATED

# A transfer is paired and confirmed, or a file or a rule names the own account on the other side.
IS_OWN_TRANSFER = """(
    b.transfer_to is not null
    or exists (select 1 from transfer x where x.state = 'confirmed' and b.id in (x.out_id, x.in_id)))"""

_WHICH = f"""
    b.person_id = :person and b.gone_since is null and b.booked_on between :first and :last
        and not {IS_OWN_TRANSFER}"""

# The parts of a booking, whichever of its tellings names them. Those that do not add up to it, or that a rule or the person
# has overruled, are left out.
_DIVIDED = f"""
    select distinct on (b.id) b.id, t.splits
    from booking b
    join booking_telling l on l.booking_id = b.id
    join transaction t on t.id = l.transaction_id and t.absent_since is null
    where {_WHICH} and b.category_by is distinct from 'rule' and b.category_by is distinct from 'person'
        and case when jsonb_typeof(t.splits) = 'array'
            then (select sum((s ->> 'amount')::numeric) from jsonb_array_elements(t.splits) s) = b.amount end
    order by b.id, t.id = b.transaction_id desc, t.file_id desc, t.id"""
# As QIF writes an own account: `[Savings]`.
_IS_OWN_PART = "coalesce(s ->> 'category', '') ~ '^\\[.+\\]'"


def money(sign: str) -> str:
    """Bookings of one direction, `<` out or `>` in, their amounts positive."""
    turned = "-" if sign == "<" else ""
    return f"""
        select b.booked_on as day, '' as part, b.currency as unit, p.amount, 1::numeric as base,
            'transaction' as record, b.file_id, b.at, coalesce(nullif(b.payee, ''), b.memo) as label
        from booking b
        left join ({_DIVIDED}) d on d.id = b.id
        cross join lateral (
            select {turned}b.amount as amount where d.id is null
            union all
            select {turned}sum((s ->> 'amount')::numeric) from jsonb_array_elements(d.splits) s
                where not {_IS_OWN_PART} having count(*) > 0
        ) p
        where {_WHICH} and b.amount {sign} 0"""


def money_by_category(sign: str) -> str:
    """The same by category; a booking's parts may go both ways, and count where the whole does."""
    turned = "-" if sign == "<" else ""
    return f"""
        select b.booked_on as day, coalesce(nullif(p.category, ''), 'uncategorised') as part, b.currency as unit,
            {turned}p.amount as amount, 1::numeric as base, 'transaction' as record, b.file_id, b.at,
            coalesce(nullif(b.payee, ''), b.memo) as label
        from booking b
        left join ({_DIVIDED}) d on d.id = b.id
        cross join lateral (
            select b.category, b.amount where d.id is null
            union all
            select s ->> 'category', (s ->> 'amount')::numeric from jsonb_array_elements(d.splits) s
                where not {_IS_OWN_PART}
        ) p
        where {_WHICH} and b.amount {sign} 0"""


# Each day's newest balance of each account, as `account_balance` keeps it.
BALANCE_TOTALS = """
    select d::date as day, b.name as part, b.currency as unit, b.balance as value, b.n
    from (
        select a.name, k.*, lead(k.day) over (partition by k.account_id, k.currency order by k.day) - 1 as until
        from account_balance k join account a on a.id = k.account_id where a.person_id = :person
    ) as b
    cross join lateral generate_series(greatest(b.day, cast(:first as date)),
        least(coalesce(b.until, cast(:last as date)), cast(:last as date)), interval '1 day') d"""

# The same from its beginnings: a stated balance and the bookings since, else the bookings before the first one stated.
BALANCE_ROWS = f"""
    with stated as materialized (
        select s.*, a.name from ({STATED}) s join account a on a.id = s.account_id
        where a.person_id = :person and exists (
            select 1 from account_balance k
            where k.account_id = s.account_id and k.currency = s.currency and k.day <= :last)
    ),
    anchor as (
        select distinct on (account_id, currency) *, day <= :last as is_before
        from stated order by account_id, currency, day <= :last desc, abs(cast(:last as date) - day)
    ),
    moved as (
        select b.*, a.name as account, n.day as anchored_on, n.is_before
        from ({MOVEMENTS}) b join account a on a.id = b.account_id
        left join anchor n on n.account_id = b.account_id and n.currency = b.currency
    )
    select cast(:last as date) as day, name as part, currency as unit, value as amount, 1::numeric as base, 'claim' as record,
        file_id, at, 'balance stated on ' || day as label from anchor
    union all
    select cast(:last as date), account, currency, case when not is_before then -amount else amount end, 1, record,
        file_id, at, day || ' ' || label
    from moved
    where case when is_before then day > anchored_on and day <= :last
        when is_before is null then day <= :last
        else day > :last and day <= anchored_on end"""
