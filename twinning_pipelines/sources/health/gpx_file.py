"""Tracks of GPX files: where somebody went, and what the sensors said on the way.

From: any app or device that records ways and exports GPX 1.0 or 1.1: Apple Health, Garmin, Strava, Komoot, OsmAnd.
To: Route, Sample (heart rate, cadence, power and temperature out of the extensions of Garmin and others).

A GPX says where and when, not what was done with which result, so no workout is made of it. Routes without any time
are plans, and waypoints are places: both are announced and left out.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.gpx import Timed, Track, tracks
from twinning_pipelines.formats.xml_feed import root_of
from twinning_pipelines.original import Original
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.sessions import ROUTE
from twinning_pipelines.source import Item, Notice, Rejection, Row, Source, gather
from twinning_pipelines.sources.health.exercise import Oddities, activity_of, gauge_of, route, sample

_WEB_ADDRESS = re.compile(r"\s*[-–]?\s*(?:with barometer|https?://\S*)", re.IGNORECASE)
_SHOWN = 3


def recognises(original: Original) -> bool:
    """By the root element."""
    return not original.is_zip and root_of(original.head) == "gpx"


def parse(original: Original, _clock: Clock) -> Iterator[Item]:
    """Routes and samples, track by track. Raises UnreadableFile, with the line, where the XML is broken or breaks off."""
    return gather(_rows(original), (ROUTE, SAMPLE))


def _rows(original: Original) -> Iterator[Row | Rejection | Notice]:
    oddities, unread = Oddities(), Counter[str]()
    odd: list[tuple[int, str]] = []
    with original.open() as stream:
        for track in tracks(stream, unread):
            odd += track.odd
            yield from _track(track, oddities)
    names = {"wpt": "waypoints"}
    oddities.left_out.update({names.get(name, name): count for name, count in unread.items()})
    yield from oddities.notices()
    if odd:
        first = "; ".join(f"line {line}: {reason}" for line, reason in odd[:_SHOWN])
        yield Notice(f"single measures that can't be read, left out of their points: {len(odd)}; {first}")


def _track(track: Track, oddities: Oddities) -> Iterator[Row | Rejection]:
    for (line, reason), raw in zip(track.misread, track.raws, strict=True):
        yield Rejection(line, ROUTE.name, reason, raw)
    if not track.points:
        # A track whose points were all rejected has been told of already.
        oddities.left_out["tracks without points"] += not track.misread
        return
    if track.planned and all(point.at is None for point in track.points):
        oddities.left_out["routes without times, which are plans"] += 1
        return
    origin = _app(track.creator)
    activity = activity_of(track.kind)
    yield route(track.line, track.points, origin, track.name or activity or "track")
    series: dict[str, list[Timed]] = {
        "heart_rate": track.rates,
        "cadence": track.cadences,
        "power": track.powers,
        "temperature": track.temperatures,
    }
    for name, timed in series.items():
        gauge = gauge_of(name, activity, "gpx")
        yield from oddities.rated(sample(track.line, gauge, origin, at, value) for at, value in timed)


def _app(creator: str | None) -> str:
    """The app without its web address: `Runkeeper - http://www.runkeeper.com` is Runkeeper."""
    name = _WEB_ADDRESS.sub("", creator or "").strip()
    return name or (creator or "").strip() or "GPX"


SOURCE = Source(
    name="health.gpx",
    title="GPX tracks",
    recognition="an XML whose root is gpx",
    records=(ROUTE, SAMPLE),
    recognises=recognises,
    parse=parse,
    unit="line",
    expect_every=timedelta(days=90),
)
