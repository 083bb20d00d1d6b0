"""The laws of three-way comparison: only our own changes are sent, never over a person's, and one round settles it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from twinning_pipelines.products.firefly.outbox import Row, Written
from twinning_pipelines.products.firefly.plan import (
    Act,
    after_adopting,
    after_breaking_off,
    after_changing,
    after_keeping,
    after_storing,
    decide,
    is_untouched,
    obstacle,
    work,
)
from twinning_pipelines.products.firefly.wanted import Movement
from twinning_pipelines.stores.firefly.groups import Group, RemoteGroup, Split

NOW = datetime(2026, 11, 27, tzinfo=UTC)
FIELDS = ("description", "amount", "category_name", "notes", "tags", "date")
values = st.fixed_dictionaries(
    {
        "description": st.sampled_from("abc"),
        "amount": st.sampled_from([Decimal(1), Decimal(2)]),
        "category_name": st.sampled_from([None, "x", "y"]),
        "notes": st.sampled_from([None, "n", "n\ntwinning: f line 1", "m"]),
        "tags": st.sampled_from([(), ("t",), ("t", "u")]),
        "date": st.sampled_from([date(2026, 3, 1), date(2026, 3, 2)]),
    }
)
FIXED: dict[str, Any] = {"type": "withdrawal", "currency_code": "EUR", "source_id": "1", "external_id": "k"}
splits = values.map(lambda told: Split(**(FIXED | told)))
groups = (
    st.integers(1, 3).flatmap(lambda n: st.lists(splits, min_size=n, max_size=n)).map(lambda parts: Group(tuple(parts)))
)


def row(wanted: Group | None, known: Written, bookings: Sequence[int] = (1,), **fields: Any) -> Row:
    values: dict[str, Any] = {"id": 1, "external_id": "k", "state": "done", "remote_id": "9"}
    values |= {"movements": tuple(Movement("booking", each) for each in bookings)}
    values |= {"attempts": 1, "next_at": None, "problem": None}
    return Row(wanted=wanted, written=known, **(values | fields))


def remote(group: Group, first: int = 0) -> RemoteGroup:
    return RemoteGroup("9", group, tuple(str(first + n) for n in range(len(group.splits))), ("h",) * len(group.splits))


def put(there: RemoteGroup, changes: tuple[dict[str, Any], ...]) -> RemoteGroup:
    """What a server does with a PUT: named splits change, others are made or deleted."""
    known = dict(zip(there.journals, there.group.splits, strict=True))
    journals, parts = [], []
    for n, change in enumerate(changes):
        journal = change.get("transaction_journal_id", f"new{n}")
        said = {name: value or None for name, value in change.items() if name != "transaction_journal_id"}
        parts.append(Split.of({**(known[journal].document() if journal in known else {}), **said}))
        journals.append(journal)
    return RemoteGroup(there.id, Group(tuple(parts)), tuple(journals), there.hashes)


@given(groups, groups, groups)
def test_a_persons_change_is_never_sent_over_and_ours_is_sent_once(last: Group, wanted: Group, now: Group) -> None:
    known = after_storing(last, remote(last), Written())
    there = remote(now)
    decision = decide(row(wanted, known), there)
    if decision.act is Act.UPDATE:
        stored = put(there, decision.changes)
        for journal, before, after in zip(there.journals, there.group.splits, stored.group.splits, strict=False):
            held = dict(zip(known.journals, last.splits, strict=True)).get(journal)
            for name in FIELDS:
                if held is not None and name != "notes" and getattr(before, name) != getattr(held, name):
                    assert getattr(after, name) == getattr(before, name), "a person's field was changed"
        after_it = after_changing(wanted, there, stored, known)
    else:
        assert decision.act in {Act.NOTHING, Act.KEEP}
        stored = there
        after_it = after_keeping(wanted, there, known) if decision.act is Act.KEEP else known
    assert decide(row(wanted, after_it), stored).act is Act.NOTHING
    if not is_untouched(known, there):
        assert not is_untouched(after_it, stored) or stored.group == wanted, "a person's change was forgotten"


@given(groups, groups)
def test_what_nobody_changed_becomes_what_we_want(last: Group, wanted: Group) -> None:
    there, known = remote(last), after_storing(last, remote(last), Written())
    decision = decide(row(wanted, known), there)
    if decision.act is Act.UPDATE:
        stored = put(there, decision.changes)
        assert len(stored.group.splits) == len(wanted.splits)
        assert is_untouched(after_changing(wanted, there, stored, known), stored)
        for want, held in zip(wanted.splits, stored.group.splits, strict=True):
            assert all(getattr(want, name) == getattr(held, name) for name in FIELDS if name != "notes")
    else:
        assert decision.act is Act.NOTHING


@given(groups, groups)
def test_a_group_of_which_we_know_nothing_is_adopted_as_it_is(wanted: Group, now: Group) -> None:
    there = remote(now)
    assert decide(row(wanted, Written()), there).act is Act.ADOPT
    known = after_adopting(wanted, there, Written())
    assert decide(row(wanted, known), there).act is Act.NOTHING
    differing = any(
        getattr(a, n) != getattr(b, n) for a, b in zip(wanted.splits, now.splits, strict=False) for n in FIELDS
    )
    if not differing and len(wanted.splits) == len(now.splits):
        assert decide(row(None, known), there).act is Act.DELETE


@given(groups, groups, st.booleans(), groups)
def test_a_change_that_broke_off_is_neither_lost_nor_taken_for_a_persons(
    last: Group, wanted: Group, arrived: bool, newer: Group
) -> None:
    there, known = remote(last), after_storing(last, remote(last), Written())
    decision = decide(row(wanted, known), there)
    now = put(there, decision.changes) if arrived and decision.act is Act.UPDATE else there
    recovered = after_breaking_off(replace(known, sending=wanted), now)
    assert recovered.sending is None
    assert is_untouched(recovered, now)
    assert decide(row(newer, recovered), now).act in {Act.NOTHING, Act.UPDATE}


@given(groups, groups)
def test_only_what_nobody_changed_is_deleted(last: Group, now: Group) -> None:
    known = after_storing(last, remote(last), Written())
    act = decide(row(None, known), remote(now)).act
    assert act is (Act.DELETE if is_untouched(known, remote(now)) else Act.PARK)
    assert decide(row(None, known), remote(now, first=50)).act is Act.PARK


def test_what_is_not_there_is_made_withdrawn_or_left_deleted() -> None:
    (split,) = (
        Split(type="withdrawal", date=date(2026, 3, 1), amount=Decimal(1), currency_code="EUR", description="x"),
    )
    group = Group((split,))
    assert decide(row(group, Written(), remote_id=None), None).act is Act.CREATE
    assert decide(row(None, Written(), remote_id=None), None).act is Act.WITHDRAW
    assert decide(row(group, Written()), None).act is Act.DELETED_THERE
    assert decide(row(None, Written()), None).act is Act.DELETED_THERE


@pytest.mark.parametrize(
    ("others", "act"),
    [
        ([], None),
        ([{"state": "withdrawn", "remote_id": None, "bookings": (1,)}], None),
        ([{"state": "pending", "remote_id": None, "bookings": (1,)}], None),
        ([{"state": "refused", "bookings": (1,)}], Act.PARK),
        ([{"state": "sending", "remote_id": None, "bookings": (1,)}], Act.WAIT),
        ([{"state": "done", "bookings": (1,)}], Act.WAIT),
        ([{"state": "deleted_there", "bookings": (1,)}], Act.PARK),
        (
            [{"state": "deleted_there", "bookings": (1,)}, {"state": "rule_deleted", "bookings": (2,)}],
            Act.DELETED_THERE,
        ),
        ([{"state": "deleted_there", "bookings": (1, 2, 3)}], Act.DELETED_THERE),
    ],
)
def test_a_group_waits_for_what_has_its_bookings(others: list[dict[str, Any]], act: Act | None) -> None:
    found = obstacle(row(None, Written(), bookings=(1, 2)), [row(None, Written(), id=9, **each) for each in others])
    assert (found.act if found else None) is act


def test_work_comes_in_the_order_of_its_danger() -> None:
    group = Group(
        (Split(type="deposit", date=date(2026, 3, 1), amount=Decimal(1), currency_code="EUR", description="x"),)
    )
    known = after_storing(group, remote(group), Written())
    other = replace(group, splits=(replace(group.splits[0], amount=Decimal(2)),))
    later = NOW + timedelta(hours=1)
    rows = [
        row(group, Written(), id=1, state="pending", remote_id=None),
        row(other, known, id=2),
        row(None, known, id=3),
        row(group, Written(), id=4, state="sending"),
        row(group, known, id=5),
        row(group, Written(), id=6, state="retry", remote_id=None, next_at=later),
        row(group, Written(), id=7, state="refused", remote_id=None),
        row(group, Written(), id=8, state="deleted_there"),
        row(None, Written(), id=9, state="withdrawn", remote_id=None),
    ]
    assert [each.id for each in work(rows, NOW, again=False)] == [4, 3, 2, 1]
    assert [each.id for each in work(rows, NOW, again=True)] == [4, 3, 2, 1, 6, 7]
    assert [each.id for each in work(rows, later, again=False)] == [4, 3, 2, 1, 6]
