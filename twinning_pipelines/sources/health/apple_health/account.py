"""The account of an export: what became of each of its elements, by name, so that none is lost in silence."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from twinning_pipelines.formats.xml_tree import Node, counted, elements_in
from twinning_pipelines.source import Account, Rejection

ROOT_RULE = "the root: it holds the others"
DATE_RULE = "told as the export's date"
NO_DATE_RULE = "not a moment: told in a notice"
REPEATED_RULE = "repeated at the top level"
AGAIN_RULE = "told again inside WorkoutActivity"
UNSET_RULE = "nothing in it is set"
ELSEWHERE_RULE = "its file is not in the XML: drop the zip"
UNKNOWN_RULE = "no table holds it"
SLEEP_RULE = "a sleep stage keeps its zone alone"
ROUTE_RULE = "a route keeps its points alone"


@dataclass(slots=True)
class Page:
    """What became of the elements of one tree. Whatever is neither held by a row nor left out by a rule is unknown.

    unregistered: metrics of statistics that nobody knows. unset: traits that the person has not told. left_on_routes:
    keys of metadata.
    """

    held: Counter[str] = field(default_factory=Counter)
    ignored: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    unregistered: Counter[str] = field(default_factory=Counter)
    unset: Counter[str] = field(default_factory=Counter)
    left_on_routes: Counter[str] = field(default_factory=Counter)

    def hold(self, *nodes: Node) -> None:
        """A row, or its rejection, holds these elements; what stands in them is told apart."""
        self.held.update(node.name for node in nodes)

    def hold_all(self, *nodes: Node) -> None:
        """A row, or its rejection, holds these elements and all that stands in them."""
        self.held.update(counted(nodes))

    def ignore(self, rule: str, *nodes: Node) -> None:
        """These elements are left out, with all that stands in them."""
        self.ignored[rule].update(counted(nodes))

    def unknown_in(self, tree: Node) -> Counter[str]:
        """The elements of a tree of which nothing was said."""
        told = self.held.copy()
        for names in self.ignored.values():
            told.update(names)
        return counted([tree]) - told


@dataclass(slots=True)
class Ledger:
    """The whole export: elements met, those left out by a rule, and those in the raw text of rejections."""

    met: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    ignored: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def ignore(self, rule: str, names: Mapping[str, int]) -> None:
        """So many elements of these names are left out."""
        self.ignored[rule].update(names)

    def enter(self, page: Page) -> None:
        """The page of one tree."""
        for rule, names in page.ignored.items():
            self.ignored[rule].update(names)

    def reject(self, rejections: Iterable[Rejection]) -> None:
        """The elements that stand in these rejections."""
        for each in rejections:
            self.rejected.update(elements_in(each.raw))

    def accounts(self) -> Iterator[Account]:
        """One for each name, in the order of the names."""
        for name in sorted(+self.met):
            ignored = {rule: names[name] for rule, names in sorted(self.ignored.items()) if names[name]}
            rejected = self.rejected[name]
            yield Account(name, self.met[name] - rejected - sum(ignored.values()), rejected, ignored)
