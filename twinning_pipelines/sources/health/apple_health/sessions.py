"""The elements of Apple's export that are few: each to its rows, or to its rejection, with its page of the account.

A Workout has its module, `workouts`, and its routes theirs, `routes`; what a doctor would ask for is in `medical`. The
rings of a day are here.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct, field

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.xml_stream import Element
from twinning_pipelines.formats.xml_tree import Node, tree_of
from twinning_pipelines.records.health import ACTIVITY_RING
from twinning_pipelines.records.medical import CORRELATION, DOCUMENT, HEARING, PRESCRIPTION, TRAIT
from twinning_pipelines.records.record import Record
from twinning_pipelines.records.sessions import WORKOUT
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.apple_health import medical, routes, workouts
from twinning_pipelines.sources.health.apple_health.account import REPEATED_RULE, UNKNOWN_RULE, Ledger, Page
from twinning_pipelines.sources.health.apple_health.moments import day_of
from twinning_pipelines.sources.health.apple_health.values import METADATA, measure, number, refuse, whole

# Our field -> Apple's attribute, with the one of its unit. iOS 13 wrote appleMoveMinutes, later appleMoveTime.
_RING_ENERGIES = {"move_kcal": "activeEnergyBurned", "move_goal_kcal": "activeEnergyBurnedGoal"}
_RING_ENERGY_UNIT = "activeEnergyBurnedUnit"
_RING_MINUTES = {
    "move_min": ("appleMoveTime", "appleMoveMinutes"),
    "move_goal_min": ("appleMoveTimeGoal", "appleMoveMinutesGoal"),
    "exercise_min": ("appleExerciseTime",),
    "exercise_goal_min": ("appleExerciseTimeGoal",),
}
_RING_HOURS = {"stand_hours": "appleStandHours", "stand_goal_hours": "appleStandHoursGoal"}


class Findings(Struct):
    """What the few elements leave to be done or told once the XML was read.

    references and documents: files of the zip. unknown: elements that no table holds. unset: traits that are not told.
    left_on_routes: keys of metadata that stand in routes.
    """

    ledger: Ledger
    clock: Clock
    references: list[routes.Reference] = field(default_factory=list)
    documents: list[medical.Document] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    unregistered: Counter[str] = field(default_factory=Counter)
    unset: Counter[str] = field(default_factory=Counter)
    left_on_routes: Counter[str] = field(default_factory=Counter)


_Rows = Iterable[Row | Rejection]


def rows(elements: Iterator[Element], findings: Findings) -> Iterator[Row | Rejection]:
    """The rows of each element, or its rejection: whole where it is its own fault, in part where a part can't be read."""
    page = Page()
    for element in elements:
        node = _tree_of(element)
        record, read = _READERS[element.name]
        try:
            found = list(read(node, page, findings))
        except (ValueError, OverflowError) as wrong:
            page.clear()
            yield _refused(node, page, record, str(wrong))
        else:
            yield from found
        _enter(page, node, findings)
        page.clear()


def leave(elements: Iterator[Element], findings: Findings) -> None:
    """Elements that no table holds, with all that stands in them."""
    for element in elements:
        page = Page()
        page.ignore(UNKNOWN_RULE, _tree_of(element))
        findings.unknown[element.name] += 1
        findings.ledger.enter(page)


def _tree_of(element: Element) -> Node:
    if element.children:
        return tree_of(element.raw, element.at)
    # Thousands of rings have nothing inside; they were parsed already.
    text = element.raw.encode()
    return Node(element.at, element.name, element.attributes, text, 0, len(text), [])


def _refused(node: Node, page: Page, record: Record, reason: str) -> Rejection:
    """The rejection of a whole element; Records inside a Correlation have rows of their own all the same."""
    apart = list(node.named(medical.RECORD)) if record is CORRELATION else []
    page.ignore(REPEATED_RULE, *apart)
    if not apart:
        page.hold_all(node)
        return Rejection(node.at, record.name, reason, node.raw)
    metadata = list(node.named(METADATA))
    page.hold(node, *metadata)
    return Rejection(node.at, record.name, reason, node.outline(*metadata))


def _enter(page: Page, node: Node, findings: Findings) -> None:
    unknown = page.unknown_in(node)
    findings.ledger.enter(page)
    if unknown:
        findings.ledger.ignore(UNKNOWN_RULE, unknown)
        findings.unknown.update(unknown)
    for told, counts in (
        (findings.unregistered, page.unregistered),
        (findings.unset, page.unset),
        (findings.left_on_routes, page.left_on_routes),
    ):
        if counts:
            told.update(counts)


def _workout(node: Node, page: Page, findings: Findings) -> Iterator[Row | Rejection]:
    yield from workouts.rows(node, page)
    yield from routes.routes(node, page, findings.references)


def _document(node: Node, page: Page, findings: Findings) -> _Rows:
    """Its row is made when its file is looked for."""
    findings.documents.append(medical.document(node, page))
    return ()


def _ring(node: Node, page: Page, _findings: Findings) -> _Rows:
    given = node.attributes
    printed = given.get("dateComponents")
    day = None if printed is None else day_of(printed)
    if day is None:
        refuse("dateComponents", printed, "a day")
    values: dict[str, object] = {"day": day}
    for name, attribute in _RING_ENERGIES.items():
        values[name] = measure(given, attribute, _RING_ENERGY_UNIT, "kcal")
    for name, attributes in _RING_MINUTES.items():
        values[name] = next((number(given, each) for each in attributes if each in given), None)
    for name, attribute in _RING_HOURS.items():
        values[name] = whole(given, attribute)
    page.hold(node)
    return [Row(ACTIVITY_RING, node.at, node.outline(), values)]


_READERS: Mapping[str, tuple[Record, Callable[[Node, Page, Findings], _Rows]]] = {
    "Workout": (WORKOUT, _workout),
    "ActivitySummary": (ACTIVITY_RING, _ring),
    "Correlation": (CORRELATION, lambda node, page, _: medical.correlation(node, page)),
    "Me": (TRAIT, lambda node, page, _: medical.traits(node, page)),
    "Audiogram": (HEARING, lambda node, page, _: medical.audiogram(node, page)),
    "VisionPrescription": (
        PRESCRIPTION,
        lambda node, page, findings: medical.prescription(node, page, findings.clock),
    ),
    "ClinicalRecord": (DOCUMENT, _document),
}
NAMES = tuple(_READERS)
# The table that a broken element would have filled.
TABLES: Mapping[str, Record] = {name: record for name, (record, _) in _READERS.items()}
