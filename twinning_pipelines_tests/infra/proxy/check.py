"""The shipped configuration before nginx itself and before gixy; for `make lint`.

    python -m twinning_pipelines_tests.infra.proxy.check

Gates and doors, with a certificate made for the moment. What is not at hand is named; what is wrong is shown, exit code 1.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from twinning_pipelines_tests.infra.programs import program
from twinning_pipelines_tests.infra.proxy.shipped import Scratch


def gixy() -> Path | None:
    """gixy of this environment, or on PATH."""
    beside = Path(sys.executable).parent / "gixy"
    found = str(beside) if beside.exists() else shutil.which("gixy")
    return Path(found) if found else None


def complaints(folder: Path) -> Iterator[str]:
    """What nginx and gixy have to say against the configuration; a folder that does not exist yet is used."""
    scratch = Scratch.at(folder)
    made = scratch.keep("once")
    if made.returncode:
        yield made.stderr
        return
    tested = subprocess.run(
        scratch.start("check"), env=scratch.environment(), capture_output=True, text=True, timeout=60, check=False
    )
    if tested.returncode or tested.stderr:
        yield f"nginx -t: {tested.stderr}"
    looker = gixy()
    if looker is not None:
        looked = subprocess.run(
            [str(looker), str(folder / "nginx" / "nginx.conf")], capture_output=True, text=True, timeout=60, check=False
        )
        if looked.returncode:
            yield f"gixy: {looked.stdout}{looked.stderr}"


def main() -> int:
    """Looks; answers the exit code."""
    if program("nginx") is None or program("openssl") is None:
        sys.stderr.write("the proxy's configuration is not looked at, for want of nginx or openssl\n")
        return 0
    if gixy() is None:
        sys.stderr.write("the proxy's configuration is not looked at by gixy, which is not installed\n")
    with tempfile.TemporaryDirectory() as folder:
        found = list(complaints(Path(folder) / "x"))
    sys.stderr.write("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
