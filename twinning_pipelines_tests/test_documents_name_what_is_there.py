"""Links, commands, services and variables that the documents name are there."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest
import yaml

from twinning_pipelines.cli import cli
from twinning_pipelines.settings import Settings, is_secret, variable_of

ROOT = Path(__file__).parents[1]
PAGES = tuple(
    sorted([*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")), *(ROOT / "docs").glob("*.md")])
) + tuple(sorted((ROOT / "infra").glob("*/README.md")))
EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
STACK_VERBS = {"init", "rotate", "check", "up", "config", "down", "ps", "logs", "compose", "images"}


def _anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


def _code(page: Path) -> Iterator[str]:
    """Every code span and every line of an indented block, in one line and without its comment."""
    text = page.read_text(encoding="utf-8")
    yield from (" ".join(each.split()) for each in re.findall(r"`([^`]+)`", text))
    yield from (each.split("  #")[0].strip() for each in re.findall(r"^    (\S.*)$", text, re.MULTILINE))


@EACH_PAGE
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


@EACH_PAGE
def test_every_command_and_option_exists(page: Path) -> None:
    for code in _code(page):
        if not re.match(r"twinning [a-z]", code):
            continue
        words = code.replace("[", "").replace("]", "").replace("…", "").split()[1:]
        command = cli.get_command(click.Context(cli), words.pop(0).strip(","))
        assert command is not None, code
        while isinstance(command, click.Group) and words and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        needs_a_verb = isinstance(command, click.Group) and not command.invoke_without_command
        assert not (needs_a_verb and words and not words[0].startswith("-")), code
        known = {option for param in command.params for option in param.opts}
        assert {word for word in words if word.startswith("--") and word != "--"} <= known | {"--help"}, code


@EACH_PAGE
def test_every_verb_and_service_of_the_stack_exists(page: Path) -> None:
    services = set[str]()
    for name in ("compose.yaml", "compose.vps.yaml"):
        services |= set(yaml.safe_load((ROOT / "infra" / name).read_text(encoding="utf-8"))["services"])
    for code in _code(page):
        stack = re.match(r"(?:python3 infra/stack|(?=compose ))(.*)", code)
        if stack is None or "'" in code.split(" sh ")[0]:
            continue
        verb, *words = stack[1].replace("…", "").split() or ["compose"]
        assert verb in STACK_VERBS, code
        if verb == "compose" and words[:1] == ["exec"]:
            plain = [word for word in words[1:] if not word.startswith("-") and word != "www-data"]
            assert plain[0] in services, code
        elif words and (verb == "logs" or words[0] == "restart"):
            assert set(words[verb == "compose" :]) <= services | {"NAME"}, code


def _of_the_stack() -> set[str]:
    return set(re.findall(r"^#? ?(TWINNING_\w+)=", (ROOT / "infra/.env.example").read_text("utf-8"), re.MULTILINE))


@EACH_PAGE
def test_every_variable_is_read(page: Path) -> None:
    known = {variable_of(each) for each in fields(Settings)} | _of_the_stack()
    known |= {f"{variable_of(each)}_FILE" for each in fields(Settings) if is_secret(each)}
    named = set(re.findall(r"\bTWINNING_[A-Z][A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8")))
    assert {each for each in named - known if not each.startswith(("TWINNING_TEST_", "TWINNING_WRITE_"))} == set()


def test_the_example_of_the_stacks_settings_names_all_that_its_files_read_and_no_other() -> None:
    files = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "infra").glob("compose*.yaml"))
    by_the_tool = {"TWINNING_PLACE", "TWINNING_PROFILES"}
    assert set(re.findall(r"\$\{(TWINNING_\w+)", files)) - {"TWINNING_FILES_DIGEST"} == _of_the_stack() - by_the_tool
