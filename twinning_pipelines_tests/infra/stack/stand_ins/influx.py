"""The command line client of InfluxDB 2 (2.7.5 and later) and the server behind it, in one: state in $STAND_IN_STATE.

It knows the flags of the commands that the first start uses, and refuses all others as the real one does. Tokens are
shown at their making only, as InfluxDB 2.9 does, which keeps digests.
"""

import hashlib
import json
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

COMMON = {
    "--host",
    "--configs-path",
    "--active-config",
    "--token",
    "--json",
    "--hide-headers",
    "--skip-verify",
    "--http-debug",
}
ORGANISATION = {"--org", "--org-id"}
FLAGS = {
    ("bucket", "list"): COMMON | ORGANISATION | {"--id", "--name", "--limit", "--offset", "--page-size"},
    ("bucket", "create"): COMMON
    | ORGANISATION
    | {"--name", "--description", "--retention", "--shard-group-duration", "--schema-type"},
    ("bucket", "update"): COMMON | {"--id", "--name", "--description", "--retention", "--shard-group-duration"},
    ("auth", "list"): COMMON | ORGANISATION | {"--id", "--user", "--user-id"},
    ("auth", "create"): COMMON | ORGANISATION | {"--user", "--description", "--read-bucket", "--write-bucket"},
    ("auth", "delete"): COMMON | {"--id"},
}
SWITCHES = {"--json", "--hide-headers", "--skip-verify", "--http-debug"}
REPEATED = {"--read-bucket", "--write-bucket"}


def fail(words: str) -> None:
    sys.stderr.write(f"Error: {words}\n")
    sys.exit(1)


def parsed(words: list[str], allowed: set[str]) -> dict[str, Any]:
    flags: dict[str, Any] = {name: [] for name in REPEATED}
    while words:
        flag, _, value = words.pop(0).partition("=")
        if flag not in allowed:
            fail(f"flag provided but not defined: {flag}")
        if flag in SWITCHES:
            flags[flag] = True
            continue
        value = value or (words.pop(0) if words else "")
        if not value:
            fail(f"flag needs an argument: {flag}")
        if flag in REPEATED:
            flags[flag].append(value)
        else:
            flags[flag] = value
    return flags


def seconds(text: str) -> int:
    if text == "0":
        return 0
    units = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
    if not re.fullmatch(r"(\d+[wdhms])+", text):
        fail("duration must be week(w), day(d), hour(h), min(m), sec(s), millisec(ms), microsec(us), or nanosec(ns)")
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([wdhms])", text))


def duration(number: int) -> str:
    return f"{number // 3600}h{number % 3600 // 60}m{number % 60}s"


def digest(token: str) -> str:
    return hashlib.sha512(token.encode()).hexdigest()


def table(rows: list[list[str]], *, hide: bool, headers: list[str]) -> None:
    """As Go's tabwriter lays it out: cells are padded with tabs, as many as the longest of the column asks for."""
    lines = rows if hide else [headers, *rows]
    widths = [max((len(line[column]) // 8 + 1 for line in lines), default=1) for column in range(len(headers))]
    for line in lines:
        cells = [cell + "\t" * (width - len(cell) // 8) for cell, width in zip(line[:-1], widths, strict=False)]
        sys.stdout.write("".join(cells) + line[-1] + "\n")


class Server:
    """What the server knows."""

    def __init__(self) -> None:
        self.file = Path(os.environ["STAND_IN_STATE"])
        self.state: dict[str, Any] = json.loads(self.file.read_text())

    def keep(self) -> None:
        self.file.write_text(json.dumps(self.state))

    def enter(self, flags: dict[str, Any]) -> set[str] | None:
        """The buckets that the token may read; None for all."""
        path = os.environ.get("INFLUX_CONFIGS_PATH", flags.get("--configs-path"))
        if not path or not Path(path).exists():
            fail("401 Unauthorized: unauthorized access")
        configs = tomllib.loads(Path(str(path)).read_text())
        active = next(iter([one for one in configs.values() if one.get("active")] or configs.values()))
        if os.environ.get("INFLUX_HOST", active["url"]) != self.state["host"]:
            fail(f'Get "{active["url"]}": dial tcp: connection refused')
        token = os.environ.get("INFLUX_TOKEN", flags.get("--token", active["token"]))
        if Path(str(path)).stat().st_mode & 0o077:
            fail("the stand-in wants a file with a token to be its owner's")
        if token == self.state["operator"]:
            return None
        for auth in self.state["auths"]:
            if auth["digest"] == digest(token):
                return set(auth["read"])
        fail("401 Unauthorized: unauthorized access")
        return set()

    def organised(self, flags: dict[str, Any]) -> None:
        if "--org" in flags and "--org-id" in flags:
            fail("ambiguous org: use OrgId or OrgName, but not both")
        if flags.get("--org", self.state["org"]) != self.state["org"]:
            fail(f'failed to find org "{flags["--org"]}"')

    def identity(self) -> str:
        self.state["next"] += 1
        return f"{self.state['next']:016x}"


def buckets(server: Server, verb: str, flags: dict[str, Any], may: set[str] | None) -> None:
    known = server.state["buckets"]
    if verb == "list":
        seen = [one for one in known if may is None or one["id"] in may]
        if "--name" in flags:
            seen = [one for one in seen if one["name"] == flags["--name"]]
            if not seen:
                fail(f'failed to find bucket by name: 404 Not Found: bucket "{flags["--name"]}" not found')
        rows = [
            [
                one["id"],
                one["name"],
                "infinite" if not one["every"] else duration(one["every"]),
                duration(one["shard"]),
                "0000",
                "implicit",
            ]
            for one in seen
        ]
        headers = ["ID", "Name", "Retention", "Shard group duration", "Organization ID", "Schema Type"]
        table(rows, hide=bool(flags.get("--hide-headers")), headers=headers)
        return
    if may is not None:
        fail("401 Unauthorized: unauthorized access")
    if verb == "create":
        if "--name" not in flags:
            fail('Required flag "name" not set')
        if any(one["name"] == flags["--name"] for one in known):
            fail(
                f"failed to create bucket: 422 Unprocessable Entity: bucket with name {flags['--name']} already exists"
            )
        known.append({"id": server.identity(), "name": flags["--name"], "every": 0, "shard": 604800})
        target = known[-1]
    else:
        if flags.get("--id") not in [one["id"] for one in known]:
            fail(f"failed to update bucket {flags.get('--id')}: bucket not found")
        target = next(one for one in known if one["id"] == flags["--id"])
    # The client's own trap: any rule that it sends begins with 30 days, and 0 at the making does not change that.
    every, shard = flags.get("--retention"), flags.get("--shard-group-duration")
    if verb == "create":
        if (every and seconds(every)) or (shard and seconds(shard)):
            target["every"] = seconds(every or "0") or 30 * 86400
    elif every or shard:
        target["every"] = 30 * 86400 if every is None else seconds(every)
    target["shard"] = seconds(shard) if shard else target["shard"]
    server.keep()


def auths(server: Server, verb: str, flags: dict[str, Any], may: set[str] | None) -> None:
    if may is not None:
        fail("401 Unauthorized: unauthorized access")
    known = server.state["auths"]
    if verb == "list":
        rows = [[one["id"], one["description"], "", "twinning", "0001", "[read:buckets]"] for one in known]
        headers = ["ID", "Description", "Token", "User Name", "User ID", "Permissions"]
        table(rows, hide=bool(flags.get("--hide-headers")), headers=headers)
    elif verb == "create":
        if flags.get("--user", "") not in ("", server.state["user"]):
            fail(f'could not find user with name "{flags["--user"]}"')
        for bucket in flags["--read-bucket"] + flags["--write-bucket"]:
            if not re.fullmatch(r"[0-9a-f]{16}", bucket):
                fail(f"invalid bucket ID '{bucket}': id must have a length of 16 bytes")
        token = f"{server.identity()}{os.urandom(32).hex()}=="
        made = {
            "id": server.identity(),
            "description": flags.get("--description", ""),
            "digest": digest(token),
            "read": flags["--read-bucket"],
            "write": flags["--write-bucket"],
        }
        known.append(made)
        server.keep()
        told = {
            "id": made["id"],
            "description": made["description"],
            "token": token,
            "status": "active",
            "userName": "twinning",
        }
        if flags.get("--json"):
            sys.stdout.write(
                json.dumps({**told, "userID": "0001", "permissions": ["read:buckets"]}, indent="\t") + "\n"
            )
        else:
            fail("the stand-in shows a token as JSON only")
    else:
        if not any(one["id"] == flags.get("--id") for one in known):
            fail(f'could not find auth with ID "{flags.get("--id")}"')
        server.state["auths"] = [one for one in known if one["id"] != flags["--id"]]
        server.keep()


def main() -> None:
    words = sys.argv[1:]
    command = (words[0], words[1]) if len(words) > 1 else ("", "")
    if command not in FLAGS:
        fail(f'command "{" ".join(words[:2])}" not recognized')
    server = Server()
    flags = parsed(words[2:], FLAGS[command])
    server.organised(flags)
    may = server.enter(flags)
    server.state["calls"].append(sys.argv[1:])
    server.keep()
    (buckets if command[0] == "bucket" else auths)(server, command[1], flags, may)


if __name__ == "__main__":
    main()
