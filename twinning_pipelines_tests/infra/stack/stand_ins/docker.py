"""Docker's client as the stack's tool uses it: strict about each argument, its answers and its memory in $STAND_IN_STATE."""

import json
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

VALUED = {"-f", "--env-file", "--profile"}


def fail(words: str, code: int = 1) -> NoReturn:
    sys.stderr.write(words + "\n")
    sys.exit(code)


def compose(words: list[str], state: dict[str, Any]) -> int:
    options: dict[str, list[str]] = {name: [] for name in VALUED}
    while words and words[0] in VALUED:
        options[words[0]].append(words[1])
        del words[:2]
    if words == ["version", "--short"]:
        sys.stdout.write(f"{state['compose']}\n")
        return 0
    for file in options["-f"] + options["--env-file"]:
        if not Path(file).is_file():
            fail(f"open {file}: no such file or directory", 14)
    if not words or words[0].startswith("-"):
        fail(f"unknown flag: {words[0] if words else ''}", 16)
    if words == ["config", "--format", "json"]:
        place = Path(options["-f"][1]).stem.partition(".")[2]
        services = {**state["services"], **state.get(f"services_{place}", {})}
        if state.get("refuses"):
            fail(f"validating {options['-f'][0]}: {state['refuses']}", 15)
        sys.stdout.write(json.dumps({"name": "twinning", "services": services}))
        return 0
    if state.get("engine") is None:
        fail("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?")
    if words == ["ps", "--all", "--services"]:
        sys.stdout.write("\n".join(state["there"]))
        return 0
    kept = Path(os.environ["STAND_IN_STATE"])
    state["calls"].append(
        {
            "files": [Path(one).name for one in options["-f"]],
            "profiles": options["--profile"],
            "words": words,
            "digest": os.environ.get("TWINNING_FILES_DIGEST", ""),
        }
    )
    kept.write_text(json.dumps(state))
    return int(state.get("code", 0))


def main() -> None:
    state = json.loads(Path(os.environ["STAND_IN_STATE"]).read_text())
    words = sys.argv[1:]
    if words[:1] == ["compose"]:
        sys.exit(compose(words[1:], state))
    if words != ["version", "--format", "{{.Server.Version}}"]:
        fail(f"docker: unknown command: docker {words[0] if words else ''}")
    if state.get("engine") is None:
        fail("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?")
    sys.stdout.write(f"{state['engine']}\n")


if __name__ == "__main__":
    main()
