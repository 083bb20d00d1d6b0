"""What Firefly III has now of what we wrote or adopted: the group under the number that a row has, or nothing any more.

Asked by `apply`, before it changes anything, by `push`, before it forgets a deletion, and by `drift`, which names the
difference.
"""

from twinning_pipelines.products.firefly.outbox import Row
from twinning_pipelines.stores.firefly.client import Firefly
from twinning_pipelines.stores.firefly.groups import RemoteGroup


def name_there(row: Row) -> str:
    """The external id that its group has there: ours, but for a group that was adopted without any."""
    return row.external_id if row.written.held is None else row.written.held.external_id


def held(firefly: Firefly, row: Row) -> RemoteGroup | None:
    """The group under the number that a row has; None where it is gone, or the number is of somebody else's group now."""
    remote = firefly.group(row.remote_id) if row.remote_id is not None else None
    return remote if remote is not None and remote.group.external_id == name_there(row) else None


def is_there(firefly: Firefly, row: Row) -> bool:
    """Whether its group is there, under whatever number; one without an external id has but its number."""
    return bool(firefly.find(row.external_id)) if name_there(row) else held(firefly, row) is not None


def is_remembered(firefly: Firefly, row: Row) -> bool:
    """Whether the server knows of a deletion: else it is another one than before, or restored, or was purged.

    What has no external id there can't be asked for, and counts as deleted.
    """
    return not name_there(row) or firefly.count(row.external_id) > row.written.removed
