"""The shipped nginx files as a tree, includes unfolded: what a test walks so that nothing escapes it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_WORD = re.compile(
    r"""#[^\n]*|"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|(\$\{\w+\}[^\s;{}]*|[^\s;{}"'#](?:\$\{\w+\}|[^\s;{}])*)|([;{}])"""
)


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive: its words, and what is in its braces."""

    words: tuple[str, ...]
    inside: list["Directive"] = field(default_factory=list)
    file: str = ""

    @property
    def name(self) -> str:
        return self.words[0]

    def all(self, name: str) -> Iterator["Directive"]:
        """Every directive of that name in here, however deep."""
        for each in self.inside:
            if each.name == name:
                yield each
            yield from each.all(name)


def shipped_directives(folder: Path) -> Directive:
    """nginx.conf with its includes and both templates of the world. Raises FileNotFoundError for a lost include."""
    return Directive(("main",), list(_read(folder, "nginx.conf")))


def _read(folder: Path, name: str) -> Iterator[Directive]:
    words = ((m[0], m.lastindex == 4) for m in _WORD.finditer((folder / name).read_text()) if not m[0].startswith("#"))
    yield from _block(folder, name, words)


def _block(folder: Path, name: str, words: Iterator[tuple[str, bool]]) -> Iterator[Directive]:
    said = list[str]()
    for word, is_mark in words:
        if not is_mark:
            said.append(word.strip("\"'"))
        elif word == "}":
            return
        elif word == "{":
            yield Directive(tuple(said), list(_block(folder, name, words)), name)
            said.clear()
        else:
            yield from _one(folder, name, tuple(said))
            said.clear()


def _one(folder: Path, name: str, said: tuple[str, ...]) -> Iterator[Directive]:
    if said[0] != "include":
        yield Directive(said, [], name)
    elif said[1] == "/tmp/nginx/world/*.conf":
        for template in sorted(folder.glob("*.conf.template")):
            yield from _read(folder, template.name)
    else:
        yield from _read(folder, said[1])
