"""Imported first by the command line: keeps its libraries from doing at their start what none of our commands needs.

numpy starts threads for linear algebra: measured, 0.1 CPU seconds of every command; one is enough for what never runs.
pyarrow imports pandas the first time that it makes an array of a list, to ask whether the list is one of its objects:
0.2 CPU seconds and 45 MB of every command. Once it has looked and found none, it does not look again.
pydantic looks through all that is installed for plugins: 0.03 CPU seconds.
glibc hands buffers of some MB back to the system, which clears each page of them when they are asked for again, for every
block of a file: 0.2 CPU seconds for a million Apple records.
Python's garbage collector walks all that modules define, again and again, while they are loaded: 0.15 CPU seconds.
"""

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG = 20_000
# Of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3

gc.disable()
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

import pyarrow as pa  # noqa: E402


class _WithoutPandas:
    """A finder that finds no pandas."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> None:
        """Raises for pandas; leaves everything else to the finders behind it."""
        if name == "pandas":
            raise ModuleNotFoundError(name)


def _keep_freed_buffers() -> None:
    """Buffers come out of the heap, and it is trimmed only when far more than a batch is free. Nothing without glibc."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 32 * 1024**2)
        mallopt(_M_TRIM_THRESHOLD, 64 * 1024**2)


_keep_freed_buffers()
if "pandas" not in sys.modules:
    sys.meta_path.insert(0, _WithoutPandas)
    pa.array([0])
    sys.meta_path.remove(_WithoutPandas)


@contextmanager
def loading() -> Iterator[None]:
    """Modules are loaded inside without a look for garbage."""
    gc.disable()
    try:
        yield
    finally:
        loaded()


def loaded() -> None:
    """Garbage is looked for again, but not in what is defined by now, and less often: batches are made of many pieces."""
    gc.freeze()
    gc.set_threshold(_YOUNG, 10, 10)
    gc.enable()
