"""What every asset returns: figures for its page and verdicts of its checks. The rows themselves are in Postgres already."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    Materialised = dg.MaterializeResult[None]
else:
    # Dagster looks for the bare class in annotations; mypy wants it complete.
    Materialised = dg.MaterializeResult


def materialised(figures: Mapping[str, dg.MetadataValue], checks: Sequence[dg.AssetCheckResult] = ()) -> Materialised:
    """The asset is made; `figures` are counts, never anybody's values."""
    return dg.MaterializeResult(metadata=figures, check_results=checks)
