"""Recorded tracks: the points of a way that somebody went, and what a stored route says of them."""

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

# The mean radius of the Earth (IUGG), for great circles.
_EARTH_M = 6_371_008.8
_DEGREE_DIGITS = 7
_DIGITS = 3


class Point(NamedTuple):
    """One position: when (aware), degrees north and east, metres up, metres a second, degrees from north, metres."""

    at: datetime | None
    latitude: float
    longitude: float
    elevation: float | None = None
    speed: float | None = None
    course: float | None = None
    horizontal_accuracy: float | None = None
    vertical_accuracy: float | None = None


def row_values(points: Sequence[Point]) -> dict[str, object]:
    """The fields started_at, ended_at, points, distance_m, ascent_m and track of a route, from its points in order.

    It begins at the earliest time and ends at the latest, whatever the order. Seconds and measures are rounded to
    thousandths, degrees to seven decimals (a centimetre). Raises ValueError when no point has a time.
    """
    times = [point.at for point in points if point.at is not None]
    if not times:
        raise ValueError("started_at: no point of the track has a time")
    started = min(times).astimezone(UTC)
    return {
        "started_at": started,
        "ended_at": max(times).astimezone(UTC),
        "points": len(points),
        "distance_m": round(_distance(points), 1),
        "ascent_m": round(_ascent(points), 1),
        "track": json.dumps([_listed(point, started) for point in points], separators=(",", ":")),
    }


def is_position(latitude: float, longitude: float) -> bool:
    """Is there such a place? False for figures outside ±90 and ±180 degrees, and for those that are no numbers."""
    return -90 <= latitude <= 90 and -180 <= longitude <= 180


def _listed(point: Point, started: datetime) -> list[float | None]:
    at, latitude, longitude, *measures = point
    return [
        None if at is None else _plain((at - started).total_seconds()),
        round(latitude, _DEGREE_DIGITS),
        round(longitude, _DEGREE_DIGITS),
        *map(_plain, measures),
    ]


def _plain(number: float | None) -> float | None:
    """Rounded, and whole where it is; None for what JSON has no word for."""
    if number is None or not math.isfinite(number):
        return None
    rounded = round(number, _DIGITS)
    return int(rounded) if rounded == int(rounded) else rounded


def _distance(points: Sequence[Point]) -> float:
    """Metres along great circles from point to point."""
    degrees: npt.NDArray[np.float64] = np.array([(point.latitude, point.longitude) for point in points], np.float64)
    latitudes, longitudes = np.radians(degrees).T
    north = np.sin(np.diff(latitudes) / 2) ** 2
    east = np.cos(latitudes[:-1]) * np.cos(latitudes[1:]) * np.sin(np.diff(longitudes) / 2) ** 2
    return float(2 * _EARTH_M * np.arcsin(np.sqrt(np.minimum(north + east, 1))).sum())


def _ascent(points: Sequence[Point]) -> float:
    """Metres of all rises from one known elevation to the next."""
    known = [point.elevation for point in points if point.elevation is not None and math.isfinite(point.elevation)]
    return float(np.maximum(np.diff(np.array(known, np.float64)), 0).sum())
