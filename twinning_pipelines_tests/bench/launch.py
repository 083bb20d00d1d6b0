"""Runs a command and writes what it used to a file, as JSON: `python launch.py FILE COMMAND…`.

Linux counts the memory of the process that starts another as the other's own peak, so a small one has to start it.
"""

import json
import os
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.execvp(sys.argv[2], sys.argv[2:])
    _, status, usage = os.wait4(child, 0)
    used = {"cpu": usage.ru_utime + usage.ru_stime, "wall": time.monotonic() - started, "peak": usage.ru_maxrss}
    Path(sys.argv[1]).write_text(json.dumps(used))
    sys.exit(os.waitstatus_to_exitcode(status))
