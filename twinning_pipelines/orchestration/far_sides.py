"""What the retry policy of a step that talks to a far side may try again."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from twinning_pipelines.errors import FarSideUnavailable, TwinningError


@contextmanager
def only_silence_is_retried() -> Iterator[None]:
    """Lets FarSideUnavailable through to be tried again; everything else fails the step at once, as dg.Failure."""
    try:
        yield
    except FarSideUnavailable:
        raise
    except TwinningError as refusal:
        raise dg.Failure(str(refusal), allow_retries=False) from refusal
    except Exception as bug:
        # The retry policy tries anything again, and a bug or a wrong setting does not mend itself in a minute.
        raise dg.Failure(f"{type(bug).__name__}: {bug}", allow_retries=False) from bug
