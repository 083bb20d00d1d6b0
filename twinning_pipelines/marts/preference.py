"""A person's own order of devices and apps: which one is believed where several saw the same steps or the same night."""

from collections.abc import Sequence

import sqlalchemy as sa
from msgspec import Struct

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.stores.postgres.origins import DEVICES, kind_of


class Preferred(Struct, frozen=True):
    """An origin in its place: what kind of device it is, and whether the person themself put it there."""

    origin: str
    device: str
    preferred: bool


def set_order(connection: sa.Connection, person: str, origins: Sequence[str]) -> list[Preferred]:
    """Puts these origins of a person first, in this order, and marks what has to be counted afresh; none: the default.

    Answers the whole order. Raises WrongUsage when nobody is called so, or none of their origins is.
    """
    person_id = connection.execute(sa.text("select id from person where name = :name"), {"name": person}).scalar()
    if person_id is None:
        raise WrongUsage(f"nobody is called {person!r}")
    known = {each.origin for each in order_of(connection, person_id)}
    unknown = [origin for origin in origins if origin not in known]
    if unknown:
        raise WrongUsage(f"no device or app is called {unknown[0]!r}; there are {_listed(known)}")
    # One order for all that is being counted: a load would mix the old one with the new.
    connection.execute(sa.text("select pg_advisory_xact_lock(1, :person)"), {"person": person_id})
    connection.execute(sa.text("delete from origin_preference where person_id = :person"), {"person": person_id})
    rows = [
        {"person": person_id, "place": place, "origin": origin}
        for place, origin in enumerate(dict.fromkeys(origins), 1)
    ]
    if rows:
        connection.execute(sa.text(_PUT), rows)
    for statement in (_STALE, _STALE_DAYS):
        connection.execute(sa.text(statement), {"person": person_id})
    return order_of(connection, person_id)


def order_of(connection: sa.Connection, person_id: int) -> list[Preferred]:
    """Every device and app that ever told something of a person, in the order in which they are asked."""
    told = [
        (row.place, DEVICES.index(row.device or kind_of(row.name)), row.name)
        for row in connection.execute(sa.text(_ORIGINS), {"person": person_id})
    ]
    # A name that several sources tell stands once, as the best of them.
    best: dict[str, tuple[int | None, int]] = {}
    for place, device, name in sorted(told, key=lambda each: (each[2], each[1])):
        best.setdefault(name, (place, device))
    last = 1 << 15
    ordered = sorted(best.items(), key=lambda each: (last if each[1][0] is None else each[1][0], each[1][1], each[0]))
    return [Preferred(name, DEVICES[device], place is not None) for name, (place, device) in ordered]


def _listed(names: set[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names)) or "none yet"


_PUT = "insert into origin_preference (person_id, place, origin) values (:person, :place, :origin)"

_ORIGINS = """
    with told as (
        select o.source, o.name from origin o
        where o.id in (select origin_id from sample_chunk where person_id = :person)
        union select source, origin from sleep_session where person_id = :person and absent_since is null
    )
    select t.name, o.device,
        (select min(place) from origin_preference p where p.person_id = :person and p.origin = t.name) as place
    from told t left join origin o on o.source = t.source and o.name = t.name"""

# Where one device alone has told of a metric, the order changes nothing.
_STALE = """
    insert into stale_rollup (person_id, metric_id, first, last)
    select person_id, metric_id, min(day) - 1, max(day) + 1 from sample_chunk where person_id = :person
    group by 1, 2 having count(distinct origin_id) > 1"""
_STALE_DAYS = """
    insert into stale_day (person_id, day)
    select person_id, generate_series(first, last, interval '1 day')::date from stale_rollup where person_id = :person
    union select person_id, day from night where person_id = :person
    on conflict do nothing"""
