"""Where Apple's workouts led: routes inside the XML, and the GPX files beside it.

Exports of 2016 to 2018 have the points as Location elements; later ones name a file, `/workout-routes/route_….gpx`. That
name is made from the phone's clock, and so is the name in the file: both change with a journey and identify nothing. A
route is called by the activity of its workout. The table has no place for the metadata of a route, which say how it was
synchronised: they are left out and told.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import BinaryIO

from msgspec import Struct

from twinning_pipelines.errors import UnreadableFile
from twinning_pipelines.formats.gpx import tracks
from twinning_pipelines.formats.track import Point, is_position, row_values
from twinning_pipelines.formats.xml_tree import Node
from twinning_pipelines.records.sessions import ROUTE
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.apple_health.account import ROUTE_RULE, Page
from twinning_pipelines.sources.health.apple_health.values import (
    METADATA,
    given_text,
    metadata_of,
    moment,
    number,
    origin_of,
    refuse,
)
from twinning_pipelines.sources.health.apple_health.words import activity_of

ELEMENT, FILE, LOCATION = "WorkoutRoute", "FileReference", "Location"
# A GPX that no workout refers to says neither what was done nor, at times, who recorded it.
NAMELESS, APP = "route", "Apple Health Export"


class Reference(Struct, frozen=True):
    """A route whose points stand in a file: its path as printed, and what is known of it otherwise.

    An empty `origin` is the app that wrote the file.
    """

    at: int
    raw: str
    path: str
    name: str = NAMELESS
    origin: str = ""
    workout_at: datetime | None = None

    def row(self, points: list[Point], origin: str) -> Row:
        """The row of the route. Raises ValueError when no point has a time."""
        values: dict[str, object] = {"name": self.name, "origin": origin, "workout_at": self.workout_at}
        return Row(ROUTE, self.at, self.raw, values | row_values([_valid(point) for point in points]))


def routes(workout: Node, page: Page, references: list[Reference]) -> Iterator[Row | Rejection]:
    """The routes of a workout that stand in the XML; those in files are added to `references`, to be read later."""
    for node in workout.named(ELEMENT):
        metadata, files = list(node.named(METADATA)), list(node.named(FILE))
        page.hold(node, *files, *node.named(LOCATION))
        page.ignore(ROUTE_RULE, *metadata)
        page.left_on_routes.update(metadata_of(metadata).keys())
        points, rejections, good = _points(node.named(LOCATION))
        yield from rejections
        try:
            told = _reference(workout, node, node.outline(*files, *good))
            if points:
                yield told.row(points, told.origin)
            elif not files and not rejections:
                raise ValueError("neither a file nor points")
            for file in files:
                path = given_text(file.attributes, "path", "a path")
                raw = told.raw if len(files) == 1 and not points else file.raw
                references.append(Reference(node.at, raw, path, told.name, told.origin, told.workout_at))
        except (ValueError, OverflowError) as wrong:
            yield Rejection(node.at, ROUTE.name, f"{ELEMENT}: {wrong}", node.outline(*files, *good))


def _reference(workout: Node, node: Node, raw: str) -> Reference:
    given = node.attributes
    return Reference(
        node.at,
        raw,
        "",
        activity_of(given_text(workout.attributes, "workoutActivityType", "an activity")),
        origin_of(given if "sourceName" in given else workout.attributes),
        moment(workout.attributes, "startDate"),
    )


def _points(locations: Iterable[Node]) -> tuple[list[Point], list[Rejection], list[Node]]:
    """The points of Location elements, those that can't be read, and the elements that can."""
    points: list[Point] = []
    rejections: list[Rejection] = []
    good: list[Node] = []
    for each in locations:
        try:
            points.append(_point(each))
            good.append(each)
        except ValueError as wrong:
            rejections.append(Rejection(each.at, ROUTE.name, f"{LOCATION}: {wrong}", each.raw))
    return points, rejections, good


def _point(node: Node) -> Point:
    given = node.attributes
    latitude, longitude = number(given, "latitude"), number(given, "longitude")
    if latitude is None or longitude is None:
        refuse("latitude" if latitude is None else "longitude", None, "a number")
    if not is_position(latitude, longitude):
        raise ValueError(f"latitude, longitude: no place on Earth: {latitude:g}, {longitude:g}")
    return Point(
        moment(given, "date"),
        latitude,
        longitude,
        number(given, "altitude"),
        number(given, "speed"),
        number(given, "course"),
        number(given, "horizontalAccuracy"),
        number(given, "verticalAccuracy"),
    )


def _valid(point: Point) -> Point:
    """Without the figures below zero by which Core Location says that it does not know."""
    speed, course, across, up = (
        None if figure is None or figure < 0 else figure
        for figure in (point.speed, point.course, point.horizontal_accuracy, point.vertical_accuracy)
    )
    return point._replace(speed=speed, course=course, horizontal_accuracy=across, vertical_accuracy=up)


def from_file(stream: BinaryIO, reference: Reference, oddities: Counter[str]) -> list[Row | Rejection]:
    """The route of one GPX file, or its rejection; points that can't be read are rejected one by one.

    `oddities` counts what a file says beside its points, which no table of routes holds.
    """
    found: list[Row | Rejection] = []
    try:
        for track in tracks(stream):
            origin = reference.origin or track.creator or APP
            found += [
                Rejection(reference.at, ROUTE.name, f"{reference.path}: line {line}: {reason}", raw)
                for (line, reason), raw in zip(track.misread, track.raws, strict=True)
            ]
            oddities["single measures of points that can't be read"] += len(track.odd)
            series = (track.rates, track.cadences, track.temperatures, track.powers)
            oddities["heart rates and other measures of points"] += sum(map(len, series))
            if track.points:
                found.append(reference.row(track.points, origin))
    except (UnreadableFile, ValueError, OverflowError) as wrong:
        return [refused(reference, str(wrong))]
    return found or [refused(reference, "no track in it")]


def refused(reference: Reference, reason: str) -> Rejection:
    """The rejection of a route whose file can't be read."""
    return Rejection(reference.at, ROUTE.name, f"{reference.path}: {reason}", reference.raw)
