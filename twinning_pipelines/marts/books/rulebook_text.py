"""YAML as a rulebook is written in it: plain maps, lists and texts, each with its line.

Every scalar stays the text that stands there: `-9.90` is no float and `no` no boolean. Anchors, aliases and tags are refused,
and so is what nests deeper or is larger than any rulebook: reading never costs more than its text.
"""

from collections.abc import Iterator

import yaml
from msgspec import Struct

from twinning_pipelines.errors import WrongUsage

MAX_BYTES = 256 * 1024
TOO_LARGE = f"a rulebook has at most {MAX_BYTES // 1024} KiB"
_DEEPEST = 10
# The same reader in C, where it was built.
_LOADER: type = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

Path = tuple[str | int, ...]
Tree = str | list["Tree"] | dict[str, "Tree"]


class Problem(Struct, frozen=True):
    """One thing that is wrong: its line, where it stands (`rules.2.if.amount`), and what is allowed there."""

    line: int
    place: str
    said: str

    def __str__(self) -> str:
        """As a person reads it."""
        return f"line {self.line}: {self.place + ': ' if self.place else ''}{self.said}"


class WrongRulebook(WrongUsage):
    """A rulebook can't be used; `problems` says what and where."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, problems)))


class Document(Struct, frozen=True):
    """What a text says, and on which line each of its places stands."""

    tree: dict[str, Tree]
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """The line of a place, or of what it stands in."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_text(text: str) -> Document:
    """The maps, lists and texts of a YAML document. Raises WrongRulebook."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise WrongRulebook([Problem(1, "", TOO_LARGE)])
    try:
        _refuse_tricks(text)
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        said = ", ".join(filter(None, (wrong.context, wrong.problem)))
        raise WrongRulebook([Problem(mark.line + 1 if mark else 1, "", f"this is no YAML: {said}")]) from None
    except (yaml.YAMLError, UnicodeError) as wrong:
        raise WrongRulebook([Problem(1, "", f"this is no YAML: {wrong}")]) from None
    lines: dict[Path, int] = {}
    problems: list[Problem] = []
    tree = _grown(node, (), lines, problems) if node is not None else {}
    if tree == "":
        tree = {}
    if not isinstance(tree, dict):
        problems.append(Problem(1, "", "a rulebook is a map: currency, accounts, rules, budgets, transfers"))
    if problems or not isinstance(tree, dict):
        raise WrongRulebook(problems)
    return Document(tree, lines)


def _refuse_tricks(text: str) -> None:
    depth = 0
    for event in _events(text):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise WrongRulebook([Problem(line, "", "anchors and aliases (& and *) are not allowed")])
        if getattr(event, "tag", None):
            raise WrongRulebook([Problem(line, "", "tags (!) are not allowed; put it in quotes")])
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise WrongRulebook([Problem(line, "", f"nested deeper than {_DEEPEST} levels")])


def _events(text: str) -> Iterator[yaml.Event]:
    events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
    return events


def _grown(node: yaml.Node, path: Path, lines: dict[Path, int], problems: list[Problem]) -> Tree:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_grown(each, (*path, place), lines, problems) for place, each in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return str(node.value).strip()
    tree: dict[str, Tree] = {}
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            problems.append(Problem(line, spelled(path), "a key is a word"))
        elif name in tree:
            problems.append(Problem(line, spelled((*path, name)), "is here twice"))
        else:
            lines[(*path, name)] = line
            tree[name] = _grown(value, (*path, name), lines, problems)
    return tree


def spelled(path: Path) -> str:
    """`rules.2.if.amount`: lists are counted from one."""
    return ".".join(str(each + 1) if isinstance(each, int) else each for each in path)
