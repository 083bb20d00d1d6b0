"""The devices and apps that tell series: their names, their numbers, and whether one is a watch, a phone or something else."""

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

# In the order in which they are asked, where a person has not said otherwise.
DEVICES = ("watch", "phone", "other")

# Headphones and earphones count nothing.
_PHONE = re.compile(r"(?<!head)(?<!ear)phone|pixel|galaxy", re.IGNORECASE)


def kind_of(name: str) -> str:
    """What a device is by its name alone: `Ada's Apple Watch` a watch, `Pixel 8` a phone, all else `other`."""
    if "watch" in name.lower():
        return "watch"
    return "phone" if _PHONE.search(name) else "other"


def origin_ids(connection: sa.Connection, source: str, names: Sequence[str]) -> "npt.NDArray[np.int64]":
    """The ids of origins; those that are new get their rows, with the kind of device that their names suggest."""
    if names:
        rows = [{"source": source, "name": name, "device": kind_of(name)} for name in sorted(names)]
        connection.execute(sa.text(_NAME), rows)
    found = connection.execute(sa.text("select name, id from origin where source = :source"), {"source": source})
    ids = dict(found.tuples().all())
    return np.array([ids[name] for name in names], np.int64)


def know_devices(connection: sa.Connection, source: str, told: Mapping[str, str]) -> None:
    """Notes what kinds of device a source says its origins are. Where it was thought otherwise, their days become stale."""
    if not told:
        return
    rows = [{"source": source, "name": name, "device": told[name]} for name in sorted(told)]
    connection.execute(sa.text(_NAME), rows)
    known = connection.execute(
        sa.text("select name, id, device from origin where source = :source"), {"source": source}
    )
    changed = [
        {"id": row.id, "device": told[row.name]} for row in known if told.get(row.name, row.device) != row.device
    ]
    if changed:
        connection.execute(sa.text("update origin set device = :device where id = :id"), changed)
        mark_origins(connection, [row["id"] for row in changed])


def mark_origins(connection: sa.Connection, ids: Iterable[int], person_id: int | None = None) -> None:
    """Marks every day to be counted afresh that these origins tell of: everybody's, or one person's."""
    for statement in (_STALE, _STALE_DAYS):
        connection.execute(sa.text(statement), {"ids": list(ids), "person": person_id})


_NAME = "insert into origin (source, name, device) values (:source, :name, :device) on conflict do nothing"
_THEIRS = "origin_id = any(:ids) and (cast(:person as integer) is null or person_id = :person)"
_STALE = f"""
    insert into stale_rollup (person_id, metric_id, first, last)
    select person_id, metric_id, min(day) - 1, max(day) + 1 from sample_chunk where {_THEIRS} group by 1, 2"""  # noqa: S608
_STALE_DAYS = f"""
    insert into stale_day (person_id, day)
    select distinct person_id, day + shift from sample_chunk, generate_series(-1, 1) as shift where {_THEIRS}
    on conflict do nothing"""  # noqa: S608
