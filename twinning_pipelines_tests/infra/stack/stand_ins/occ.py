"""`php /var/www/html/occ …` as the hooks use it: strict about each command and option; state in $STAND_IN_STATE."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any, NoReturn

COMMON = {"--no-interaction", "--no-ansi"}


def fail(words: str, code: int = 1) -> NoReturn:
    sys.stdout.write(words + "\n")
    sys.exit(code)


def say(words: str) -> None:
    sys.stdout.write(words + "\n")


def split(words: list[str], valued: set[str], switches: set[str]) -> tuple[list[str], dict[str, str]]:
    """Arguments and options; an option's value follows it, or `=`."""
    arguments, options = [], {}
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if name in valued:
            options[name] = value if equals else words.pop(0)
        elif word in switches:
            options[word] = ""
        elif word.startswith("-"):
            fail(f'  The "{name}" option does not exist.')
        else:
            arguments.append(word)
    return arguments, options


def table(mounts: list[dict[str, Any]]) -> None:
    headers = [
        "Mount ID",
        "Mount Point",
        "Storage",
        "Authentication Type",
        "Configuration",
        "Options",
        "Applicable Users",
        "Applicable Groups",
    ]
    rows = [
        [
            str(one["id"]),
            one["point"],
            "Local",
            "None",
            f'datadir: "{one["datadir"]}"',
            "",
            "" if one["groups"] else "All",
            ", ".join(one["groups"]),
        ]
        for one in mounts
    ]
    widths = [max(len(line[column]) for line in [headers, *rows]) for column in range(len(headers))]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    say(rule)
    for line in [headers, *rows]:
        say("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |")
        if line is headers:
            say(rule)
    say(rule)


def groups(state: dict[str, Any], command: str, words: list[str]) -> None:
    if command == "group:list":
        split(words, {"--limit", "--offset", "--output"}, set())
        for name, members in state["groups"].items():
            say(f"  - {name}:")
            for member in members:
                say(f"    - {member}")
    elif command == "group:add":
        (name,), _ = split(words, {"--display-name"}, set())
        if name in state["groups"]:
            fail(f'Group "{name}" already exists.')
        state["groups"][name] = []
        say(f'Created group "{name}"')
    else:
        (name, user), _ = split(words, set(), set())
        if name not in state["groups"]:
            fail("group not found")
        if user not in state["users"]:
            fail("user not found")
        state["groups"][name] = sorted({*state["groups"][name], user})


def mounts(state: dict[str, Any], command: str, words: list[str]) -> None:
    if "files_external" not in state["enabled"]:
        fail('There are no commands defined in the "files_external" namespace.')
    known = state["mounts"]
    if command == "files_external:list":
        split(words, {"--output"}, {"--all", "--full", "--show-password"})
        table(known) if known else say("No admin mounts configured")
        return
    if command == "files_external:create":
        (point, backend, authentication), options = split(words, {"--config", "--output", "--user"}, {"--dry"})
        if (backend, authentication) != ("local", "null::null"):
            fail("Storage backend not found", 404)
        key, _, value = options["--config"].partition("=")
        if key != "datadir":
            fail(f'Unknown configuration for backends "{key}"')
        state["next"] += 1
        known.append({"id": state["next"], "point": point, "datadir": value, "groups": []})
        say(str(state["next"]) if options.get("--output") == "json" else f"Storage created with id {state['next']}")
        return
    arguments, options = split(
        words, {"--add-group", "--remove-group", "--add-user", "--remove-user", "--output"}, set()
    )
    mount = next((one for one in known if str(one["id"]) == arguments[0]), None)
    if mount is None:
        fail(f'Mount with id "{arguments[0]} not found', 404)
    if command == "files_external:applicable":
        if options.get("--add-group", "") not in state["groups"]:
            fail(f'Group "{options.get("--add-group")}" not found', 404)
        mount["groups"] = sorted({*mount["groups"], options["--add-group"]})
    else:
        if arguments[1] != "datadir" or options:
            fail("unknown key")
        mount["datadir"] = arguments[2]


def apps(state: dict[str, Any], command: str, words: list[str]) -> None:
    names, _ = split(words, {"--groups"}, {"--force"})
    for name in names:
        if command == "app:disable":
            state["enabled"] = [one for one in state["enabled"] if one != name]
        elif not (Path(sys.argv[1]).parent / "apps" / name).is_dir():
            fail(f"{name} cannot be installed because the App Store is disabled")
        elif name not in state["enabled"]:
            state["enabled"].append(name)


def run(state: dict[str, Any], command: str, words: list[str]) -> None:
    if command.startswith("group:"):
        groups(state, command, words)
    elif command in (
        "files_external:list",
        "files_external:create",
        "files_external:applicable",
        "files_external:config",
    ):
        mounts(state, command, words)
    elif command in ("app:enable", "app:disable"):
        apps(state, command, words)
    elif command == "config:app:set":
        (app, key), options = split(words, {"--value", "--type"}, set())
        state["app_values"][f"{app}/{key}"] = options["--value"]
    elif command == "twofactorauth:enforce":
        _, options = split(words, {"--group", "--exclude"}, {"--on", "--off"})
        if not {"twofactor_totp"} & set(state["enabled"]):
            fail("nobody could log in")
        state["enforced"] = "--on" in options
    elif command == "background:cron" and not words:
        state["background"] = "cron"
    else:
        fail(f'Command "{command}" is not defined.')


def main() -> None:
    file = Path(os.environ["STAND_IN_STATE"])
    state = json.loads(file.read_text())
    words = [word for word in sys.argv[2:] if word not in COMMON]
    if sys.argv[1] != state["occ"] or not words or not re.fullmatch(r"[a-z_]+:[a-z]+(:[a-z]+)?", words[0]):
        fail(f"Could not open input file: {sys.argv[1:]}")
    state["calls"].append(words[0])
    run(state, words[0], words[1:])
    file.write_text(json.dumps(state))


if __name__ == "__main__":
    main()
