"""The account of an export: what became of each of its elements, by name, so that none is lost in silence."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct, field

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


class Page(Struct):
    """What became of the elements of one tree. Whatever is neither held by a row nor left out by a rule is unknown.

    unregistered: metrics of statistics that nobody knows. unset: traits that the person has not told. left_on_routes:
    keys of metadata.
    """

    held: dict[str, int] = field(default_factory=dict)
    ignored: dict[str, Counter[str]] = field(default_factory=dict)
    unregistered: Counter[str] = field(default_factory=Counter)
    unset: Counter[str] = field(default_factory=Counter)
    left_on_routes: Counter[str] = field(default_factory=Counter)

    def hold(self, *nodes: Node) -> None:
        """A row, or its rejection, holds these elements; what stands in them is told apart."""
        held = self.held
        for node in nodes:
            held[node.name] = held.get(node.name, 0) + 1

    def hold_all(self, *nodes: Node) -> None:
        """A row, or its rejection, holds these elements and all that stands in them."""
        _add(self.held, counted(nodes))

    def ignore(self, rule: str, *nodes: Node) -> None:
        """These elements are left out, with all that stands in them."""
        if rule in self.ignored:
            _add(self.ignored[rule], counted(nodes))
        elif nodes:
            self.ignored[rule] = counted(nodes)

    def unknown_in(self, tree: Node) -> Counter[str]:
        """The elements of a tree of which nothing was said."""
        if not tree.children and tree.name in self.held:
            return Counter()
        left = counted([tree])
        for names in (self.held, *self.ignored.values()):
            for name, count in names.items():
                left[name] = left.get(name, 0) - count
        return +left if any(left.values()) else Counter()

    def clear(self) -> None:
        """Makes it the page of another tree."""
        for counts in (self.held, self.ignored, self.unregistered, self.unset, self.left_on_routes):
            counts.clear()


class Ledger(Struct):
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
            _add(self.ignored[rule], names)

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


def _add(counts: dict[str, int], more: Mapping[str, int]) -> None:
    """Adds counts to counts: what `Counter.update` does, at a tenth of its price for a few names."""
    for name, count in more.items():
        counts[name] = counts.get(name, 0) + count
