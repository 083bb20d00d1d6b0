"""Starts the whole home and keeps its secrets: `python3 infra/stack VERB`. Needs Python 3.9 and nothing else.

Exit codes: 0 done, 1 something is wrong and said, 2 the command line is.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import authelia_users
import checks
import environment
import image_lock
import secret_files
import watched
from engine import EVERYTHING, FOLDER, EngineProblem, Stack, carry_out
from registry import Registries, RegistryProblem

OPTIONS = {
    "people": "TWINNING_PEOPLE",
    "owner": "TWINNING_OWNER",
    "email": "TWINNING_OWNER_EMAIL",
    "domain": "TWINNING_DOMAIN",
    "zone": "TWINNING_ZONE",
    "currency": "TWINNING_CURRENCY",
    "place": "TWINNING_PLACE",
}
STARTS = ("up", "create", "start", "restart", "run", "pull", "build", "watch")


class Refused(Exception):
    """What was asked for is not done; the words say why and what to do instead."""


def _stack() -> Stack:
    return Stack(FOLDER, environment.read(FOLDER / ".env"))


def init(arguments: argparse.Namespace) -> int:
    """Makes what is missing of infra/.env and infra/secrets, and tells the first log-in."""
    given = {
        name: getattr(arguments, option) for option, name in OPTIONS.items() if getattr(arguments, option) is not None
    }
    if "TWINNING_DOMAIN" in given and "TWINNING_OWNER_EMAIL" not in given:
        given["TWINNING_OWNER_EMAIL"] = f"{given.get('TWINNING_OWNER', 'owner')}@{given['TWINNING_DOMAIN']}"
    example = (FOLDER / ".env.example").read_text(encoding="utf-8")
    file = FOLDER / ".env"
    present = environment.read(file)
    differing = [name for name, value in given.items() if name in present and present[name] != value]
    if arguments.email is None and "TWINNING_OWNER_EMAIL" in differing:
        differing.remove("TWINNING_OWNER_EMAIL")
    if differing:
        raise Refused(
            "\n".join(f"infra/.env already says {name}={present[name]}; change it there" for name in differing)
        )
    values = {**environment.here(), **given}
    faults = environment.faults({**environment.parse(example), **values, **present})
    if faults:
        raise Refused("\n".join(faults))
    if not file.exists():
        environment.write(file, environment.filled(example, values))
        print("made infra/.env")
    else:
        more = environment.missing(example, present, values)
        if more:
            environment.write(file, file.read_text(encoding="utf-8").rstrip("\n") + "\n" + more)
            print("infra/.env has new lines:", *environment.parse(more))
    _make_secrets(environment.read(file))
    return 0


def _make_secrets(settings: dict[str, str]) -> None:
    folder = FOLDER / "secrets"
    secret_files.prepare(folder)
    made = []
    for secret in secret_files.SECRETS:
        if not (folder / secret.name).exists():
            secret_files.write(folder / secret.name, secret.make())
            made.append(secret.name)
    users, owner, email = folder / secret_files.USERS_FILE, settings["TWINNING_OWNER"], settings["TWINNING_OWNER_EMAIL"]
    if not users.exists():
        password = (folder / secret_files.OF_THE_OWNER).read_text(encoding="utf-8")
        secret_files.write(users, authelia_users.users_file(owner, email, password))
        made.append(secret_files.USERS_FILE)
    print(f"made {len(made)} files in infra/secrets: {' '.join(made)}" if made else "infra/secrets is complete")
    if made:
        _tell_log_ins(settings, made, is_first=len(made) > len(secret_files.SECRETS))


def _tell_log_ins(settings: dict[str, str], made: Sequence[str], *, is_first: bool) -> None:
    """Where the passwords are: all of them when the home is made, later those that are new, and what they need."""
    owner, email = settings["TWINNING_OWNER"], settings["TWINNING_OWNER_EMAIL"]
    every = (
        ("Authelia", owner, secret_files.OF_THE_OWNER),
        ("Nextcloud", owner, "nextcloud_admin_password"),
        ("Grafana", owner, "grafana_admin_password"),
        ("Firefly III", email, "firefly_owner_password"),
        ("InfluxDB", "twinning", "influxdb_admin_password"),
    )
    lines = [f"  {name:<12} {who:<24} infra/secrets/{file}" for name, who, file in every if file in made]
    if lines:
        which = "The first log-in" if is_first else "New"
        print(f"\n{which} (the passwords are in the files, and should go from there into a password manager):")
        print(*lines, sep="\n")
    if not is_first:
        print(
            "\nA stack that ran with a lost one holds it still: `python3 infra/stack rotate NAME` tells what has to follow."
            "\nKeep a copy of what is new off this machine."
        )
        return
    print(
        "\nAuthelia asks for a code before it enrols the first device:\n"
        "  python3 infra/stack compose exec authelia cat /tmp/notification.txt\n"
        "\nKeep a copy of infra/secrets and infra/.env off this machine: a backup cannot be read without them."
        "\nNext: python3 infra/stack up"
    )


def rotate(arguments: argparse.Namespace) -> int:
    """Gives secrets new values and tells what has to follow; with --apply does it."""
    stack = _stack()
    folder = FOLDER / "secrets"
    chosen = [_rotatable(name, folder, lose_data_ok=arguments.lose_data_ok) for name in dict.fromkeys(arguments.names)]
    restart: list[str] = []
    for secret in chosen:
        value = secret.make()
        if secret.name == secret_files.OF_THE_OWNER:
            users = folder / secret_files.USERS_FILE
            owner = stack.settings.get("TWINNING_OWNER", "owner")
            try:
                changed = authelia_users.with_password(users.read_text(encoding="utf-8"), owner, value)
            except (OSError, ValueError) as problem:
                raise Refused(f"{secret.name}: {problem}") from None
            secret_files.write(users, changed, replace=True)
        secret_files.write(folder / secret.name, value, replace=True)
        restart += [service for service in secret.restart if service not in restart]
        print(f"{secret.name} has a new value ({secret.purpose})")
    return _follow(stack, chosen, restart, apply=arguments.apply)


def _rotatable(name: str, folder: Path, *, lose_data_ok: bool) -> secret_files.Secret:
    if name == secret_files.USERS_FILE:
        raise Refused(f"{name} holds digests only: rotate {secret_files.OF_THE_OWNER}, or change a user's line in it")
    secret = secret_files.BY_NAME.get(name)
    if secret is None:
        raise Refused(f"there is no secret {name}; there are: {' '.join(secret_files.BY_NAME)}")
    if not (folder / name).exists():
        raise Refused(f"{name} does not exist yet: python3 infra/stack init")
    if secret.fixed:
        raise Refused(f"{name} is not rotated here: {secret.fixed}")
    if secret.loses and not lose_data_ok:
        raise Refused(f"{name} is not rotated: {secret.loses}\nIf that is meant: add --lose-data-ok")
    return secret


def _follow(stack: Stack, chosen: Sequence[secret_files.Secret], restart: Sequence[str], *, apply: bool) -> int:
    there = _known(stack) or list(restart)
    services = [service for service in restart if service in there]
    # Who waits for something that ends is told that it ended.
    wait = ["--wait"] if set(services) - {"roles"} else []
    follow = ["up", "--detach", *wait, "--force-recreate", "--no-build", *services]
    if services and apply:
        code = carry_out(stack.command(*follow, profiles=[EVERYTHING]))
        if code:
            return code
    elif services:
        print("Now let those that read it start anew; until then they have the old value:")
        print(f"  python3 infra/stack compose {shlex.join(follow)}")
    for secret in chosen:
        if secret.then:
            print(f"And for {secret.name}:\n  {secret.then}")
    return 0


def _known(stack: Stack) -> list[str]:
    """The services that have containers, else those that would be started; none if Compose can't tell."""
    try:
        return stack.there()
    except EngineProblem:
        pass
    try:
        return stack.enabled()
    except EngineProblem:
        return []


def check(arguments: argparse.Namespace) -> int:
    """Tells what is wrong on this machine, one line each."""
    del arguments
    stack = _stack()
    found = checks.findings(stack)
    for line in found:
        print(line)
    for line in checks.hints(stack):
        print(f"hint: {line}")
    if not found:
        print("all is well")
    return 1 if found else 0


def up(arguments: argparse.Namespace) -> int:
    """Checks, then starts the profiles and waits until all is healthy."""
    stack = _stack()
    profiles = arguments.profile or stack.profiles
    watched_too = {*stack.profiles, *profiles}
    stack = Stack(FOLDER, {**stack.settings, **({"TWINNING_PROFILES": " ".join(profiles)} if stack.settings else {})})
    found = checks.findings(stack)
    if found:
        print(*found, sep="\n", file=sys.stderr)
        if not arguments.anyway:
            print("nothing was started", file=sys.stderr)
            return 1
    for line in checks.hints(stack):
        print(f"hint: {line}", file=sys.stderr)
    watched.choose(FOLDER / "prometheus", stack.place, watched_too, stack.settings.get("TWINNING_DOMAIN", ""))
    # What is built here has no version of its own that Compose could compare.
    build = [] if "--no-build" in arguments.rest else ["--build"]
    return carry_out(stack.command("up", "--detach", "--wait", *build, *arguments.rest, profiles=profiles))


def plain(verb: str) -> Callable[[argparse.Namespace], int]:
    """A verb that is Compose's own, for all profiles."""

    def run(arguments: argparse.Namespace) -> int:
        return carry_out(_stack().command(verb, *arguments.rest, profiles=[EVERYTHING]))

    run.__doc__ = f"`docker compose {verb}` with the stack's files and all profiles."
    return run


def compose(arguments: argparse.Namespace) -> int:
    """Any other command of Compose with the stack's files: what makes or starts containers with its profiles, else all."""
    stack = _stack()
    starts = arguments.rest[:1] and arguments.rest[0] in STARTS
    return carry_out(stack.command(*arguments.rest, profiles=stack.profiles if starts else [EVERYTHING]))


def config(arguments: argparse.Namespace) -> int:
    """Prints the command line that starts the stack, to copy or to look at."""
    stack = _stack()
    command = stack.command("up", "--detach", "--wait", profiles=arguments.profile or stack.profiles)
    print(shlex.join(command))
    return 0


def images(arguments: argparse.Namespace) -> int:
    """Locks every image of others to its digest, or tells where the lock and the Compose files differ."""
    stack = _stack()
    if arguments.what == "lock":
        print(*image_lock.lock(stack, Registries()), sep="\n")
        return 0
    differences = image_lock.differences(stack)
    print(*(differences or ["every image is locked"]), sep="\n")
    return 1 if differences else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 infra/stack", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, does: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=(does.__doc__ or "").strip(), description=does.__doc__)
        made.set_defaults(does=does, rest=[])
        return made

    made = verb("init", init)
    made.add_argument("--people", help='whose data it is, as in "ada ben"')
    made.add_argument("--owner", help="who logs in first")
    made.add_argument("--email", help="the owner's address")
    made.add_argument("--domain", help="the domain that the services are below")
    made.add_argument("--zone", help="the time zone, as in Europe/Zurich")
    made.add_argument("--currency", help="the currency of files that name none, as in CHF")
    made.add_argument("--place", choices=environment.PLACES, help="what this machine is; found out without it")
    made = verb("rotate", rotate)
    made.add_argument("names", nargs="+", metavar="NAME", help="a file of infra/secrets")
    made.add_argument("--apply", action="store_true", help="let those that read it start anew")
    made.add_argument(
        "--lose-data-ok", action="store_true", help="also where something cannot be read any more afterwards"
    )
    verb("check", check)
    for name, does in (("up", up), ("config", config)):
        made = verb(name, does)
        made.add_argument(
            "--profile", action="append", metavar="NAME", help="instead of TWINNING_PROFILES; may be repeated"
        )
        if name == "up":
            made.add_argument("--anyway", action="store_true", help="start although something was found")
    for name in ("down", "ps", "logs"):
        verb(name, plain(name))
    verb("compose", compose)
    made = verb("images", images)
    made.add_argument("what", choices=("lock", "check"))
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """One verb of the command line; its exit code."""
    words = list(sys.argv[1:] if words is None else words)
    parser = _parser()
    # What follows these is for Compose, whatever it looks like.
    if words and words[0] in ("down", "ps", "logs", "compose"):
        arguments = parser.parse_args(words[:1])
        arguments.rest = words[2:] if words[1:2] == ["--"] else words[1:]
    else:
        arguments, rest = parser.parse_known_args(words)
        if rest and arguments.verb != "up":
            parser.error(f"unrecognized arguments: {' '.join(rest)}")
        arguments.rest = rest
    try:
        code: int = arguments.does(arguments)
    except (Refused, EngineProblem, RegistryProblem) as problem:
        print(problem, file=sys.stderr)
        return 1
    except OSError as problem:
        print(f"{problem.filename or 'infra'}: {problem.strerror or problem}", file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
