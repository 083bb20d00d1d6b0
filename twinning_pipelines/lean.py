"""Imported first by the command line: keeps its libraries from doing at their start what none of our commands needs.

numpy starts threads for linear algebra: measured, 0.1 CPU seconds of every command; one is enough for what never runs.
pyarrow imports pandas the first time that it makes an array of a list, to ask whether the list holds objects of it: 0.2 CPU
seconds and 45 MB of every command. Once it has looked and found none, it does not look again; for dateutil it does.
pyarrow keeps a heap of its own beside that of the process: a tenth of the CPU seconds of a check, and 25 to 60 MB.
pyarrow writes the documentation of its three hundred functions out of that of their options: 0.02 CPU seconds.
pydantic looks through all that is installed for plugins: 0.03 CPU seconds.
glibc hands buffers of some MB back to the system, which clears each page of them when they are asked for again, for every
block of a file: 0.2 CPU seconds for a million Apple records.
Python's garbage collector walks all that modules define, again and again, while they are loaded: 0.15 CPU seconds.
At its end Python takes all of that down, object by object, which the system does at once: 0.04 CPU seconds.
"""

import atexit
import ctypes
import gc
import importlib
import inspect
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from types import ModuleType

_YOUNG = 20_000
# Of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3

gc.disable()
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

import pyarrow as pa  # noqa: E402


class _WithoutLists:
    """A finder that finds none of the libraries whose objects a list might hold."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> None:
        """Raises for pandas and dateutil; leaves everything else to the finders behind it."""
        if name in ("pandas", "dateutil"):
            raise ModuleNotFoundError(name)


def _keep_freed_buffers() -> None:
    """Buffers come out of the heap, and it is trimmed only when far more than a batch is free. Nothing without glibc."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 32 * 1024**2)
        mallopt(_M_TRIM_THRESHOLD, 64 * 1024**2)


def _load_functions() -> None:
    """pyarrow's functions, whose documentation leaves their options out: nobody reads it here."""
    reader = ModuleType("pyarrow.vendored.docscrape")
    reader.NumpyDocString = lambda _text: {"Parameters": ()}  # type: ignore[attr-defined]
    signature = inspect.signature
    # Many functions share their options, whose signature is asked for at each.
    inspect.signature = cache(signature)
    sys.modules[reader.__name__] = reader
    try:
        importlib.import_module("pyarrow.compute")
    finally:
        inspect.signature = signature
        del sys.modules[reader.__name__]


_keep_freed_buffers()
# Of another version than we know it may want them otherwise; then it loads them itself.
with suppress(ImportError, TypeError):
    _load_functions()
if "pandas" not in sys.modules:
    sys.meta_path.insert(0, _WithoutLists)
    pa.array([0])
    sys.meta_path.remove(_WithoutLists)


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


def leave(code: int) -> None:
    """Ends the process now, its output written and what was to be done at its end done.

    Returns where that can't be: another thread is at work, or nobody takes the output.
    """
    if threading.active_count() > 1:
        return
    try:
        # Either is None where its descriptor is closed.
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
    except (OSError, ValueError):
        return
    atexit._run_exitfuncs()  # noqa: SLF001  (what `sys.exit` runs as well; nothing public does)
    with suppress(OSError, ValueError):
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
    os._exit(code)
