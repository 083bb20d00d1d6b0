"""The workouts of an export: pauses, statistics, and where some of them led.

Today's exports keep the track in a file of its own and name it; those of about 2017 hold it inside the workout.
"""

import math
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from twinning_pipelines.demo.agency import dice
from twinning_pipelines.demo.apple_days import SLOT_SECONDS, Day, Life, Session, rng_of
from twinning_pipelines.demo.apple_kinds import WATCH, metadata
from twinning_pipelines.demo.apple_pen import Pen
from twinning_pipelines.demo.apple_style import Style

_TRACKED = 1 / 12
_PAUSED = 1 / 3
_SECONDS_BETWEEN = 20
_EARTH_METRES = 6_371_000
_METRES_PER_DEGREE = math.tau * _EARTH_METRES / 360


class Point(Struct, frozen=True):
    """One point of a track: when, where, how high, and how fast (metres a second) into which direction (degrees)."""

    at: int
    latitude: float
    longitude: float
    metres_up: float
    speed: float
    course: float


class Track(Struct, frozen=True):
    """Where a training led: a loop from the door and back to it."""

    day: Day
    session: Session
    ends_locally: datetime

    @property
    def file(self) -> str:
        """The file it stands in, named after the wall clock at its end."""
        return f"route_{self.ends_locally:%Y-%m-%d}_{self._clock.replace(':', '.')}.gpx"

    @property
    def title(self) -> str:
        """Its own name."""
        return f"Route {self.ends_locally:%Y-%m-%d} {self._clock}"

    @property
    def _clock(self) -> str:
        local = self.ends_locally
        return f"{local.hour % 12 or 12}:{local:%M}{'am' if local.hour < 12 else 'pm'}"

    def points(self, life: Life) -> Iterator[Point]:
        """Its points, none in a pause."""
        home, rng = dice(life.seed, "home"), rng_of(life.seed, "track", self.day.day)
        north, east = 46.9 + home.random() * 0.4, 7.4 + home.random()
        pause = pause_of(self.day, self.session, life.seed)
        moving = [at for at in range(self.session.start, self.session.end, _SECONDS_BETWEEN) if at not in range(*pause)]
        radius = metres(self.day, self.session) / math.tau
        speed = metres(self.day, self.session) / (len(moving) * _SECONDS_BETWEEN)
        phase, wide = rng.random() * math.tau, _METRES_PER_DEGREE * math.cos(math.radians(north))
        for index, at in enumerate(moving):
            turn = phase + math.tau * index / len(moving)
            yield Point(
                at, north + radius * (math.sin(turn) - math.sin(phase)) / _METRES_PER_DEGREE,
                east + radius * (math.cos(turn) - math.cos(phase)) / wide, 430 + 18 * math.sin(2 * turn) + rng.random(),
                speed * (0.9 + 0.2 * rng.random()), -math.degrees(turn) % 360,
            )  # fmt: skip


def metres(day: Day, each: Session) -> float:
    """How far a training led."""
    own = _slots(day, each)
    return sum(day.slots.walked[own]) + sum(day.slots.ridden[own])


def pause_of(day: Day, each: Session, seed: int) -> tuple[int, int]:
    """The pause of a training, first second and end; the two are the same when there is none."""
    rng = rng_of(seed, f"pause {each.start - day.starts}", day.day)
    start = each.start + (each.end - each.start) * 2 // 5
    return start, start + (rng.randrange(60, 240) if rng.random() < _PAUSED else 0)


def track_of(day: Day, each: Session, life: Life) -> Track | None:
    """The track of a training, for a share of those outdoors."""
    tracked = rng_of(life.seed, f"tracked {each.start - day.starts}", day.day).random() < _TRACKED
    if each.sport.distance is None or not tracked:
        return None
    return Track(day, each, datetime.fromtimestamp(each.end, ZoneInfo(life.zone)))


def sessions_of(life: Life) -> Iterator[tuple[Day, Session]]:
    """Every training that had ended by the time of the export."""
    return ((day, each) for day in life.days for each in day.sessions if each.end <= life.until)


def tracks_of(life: Life) -> Iterator[Track]:
    """Every track of the export."""
    return (track for day, each in sessions_of(life) if (track := track_of(day, each, life)) is not None)


def workout(day: Day, each: Session, pen: Pen, life: Life, style: Style) -> str:
    """One Workout with all that is in it."""
    span = f'startDate="{pen.moment(each.start)}" endDate="{pen.moment(each.end)}"'
    lasted = f'duration="{_minutes(day, each, life):.12g}" durationUnit="min"'
    rng = rng_of(life.seed, "workout", day.day)
    known = {
        "HKTimeZone": life.zone, "HKIndoorWorkout": "0", "HKAverageMETs": f"{rng.uniform(4, 11):.5f} kcal/hr·kg",
        "HKWeatherTemperature": f"{rng.uniform(35, 80):.1f} degF", "HKWeatherHumidity": f"{rng.randrange(3000, 9000)} %",
    }  # fmt: skip
    entries = "".join(metadata(key, value) for key, value in known.items())
    events = list(_events(day, each, pen, life, style))
    if style.old:
        inside, lasted = [entries, *_at_depth(2, events)], f"{lasted} {_totals(day, each)}"
    else:
        parts = [*events, *(f"<WorkoutStatistics {attributes}/>\n" for attributes in _statistics(day, each, span))]
        inside = [
            entries, f'  <WorkoutActivity uuid="{pen.identifier(rng)}" {span} {lasted}>\n', *_at_depth(3, parts),
            metadata("HKIndoorWorkout", "0", 3), "  </WorkoutActivity>\n", *_at_depth(2, parts),
        ]  # fmt: skip
    return (
        f' <Workout workoutActivityType="HKWorkoutActivityType{each.sport.activity}" {lasted} {pen.origin(WATCH)} '
        f'creationDate="{pen.moment(each.end + 4)}" {span}>\n{"".join(inside)}{_route(day, each, pen, life, style)} </Workout>\n'
    )


def _at_depth(depth: int, lines: list[str]) -> list[str]:
    return [" " * depth + line for line in lines]


def _slots(day: Day, each: Session) -> slice:
    return slice(day.slot(each.start), day.slot(each.start) + (each.end - each.start) // SLOT_SECONDS)


def _minutes(day: Day, each: Session, life: Life) -> float:
    """Active minutes: without the pause."""
    start, end = pause_of(day, each, life.seed)
    return each.minutes - (end - start) / 60


def _events(day: Day, each: Session, pen: Pen, life: Life, style: Style) -> Iterator[str]:
    """One segment over all of it, and the pause. Old exports knew no duration."""
    lasted = "" if style.old else f' duration="{each.minutes:.12g}" durationUnit="min"'
    yield f'<WorkoutEvent type="HKWorkoutEventTypeSegment" date="{pen.moment(each.start)}"{lasted}/>\n'
    start, end = pause_of(day, each, life.seed)
    if start < end:
        by_itself = "Motion" if each.sport.activity == "Running" else ""
        yield f'<WorkoutEvent type="HKWorkoutEventType{by_itself}Pause{"d" * bool(by_itself)}" date="{pen.moment(start)}"/>\n'
        yield f'<WorkoutEvent type="HKWorkoutEventType{by_itself}Resume{"d" * bool(by_itself)}" date="{pen.moment(end)}"/>\n'


def _statistics(day: Day, each: Session, span: str) -> Iterator[str]:
    """The attributes of each statistic."""
    kcal, bpm = _kcal(day, each), day.slots.bpm[_slots(day, each)]
    yield _statistic("ActiveEnergyBurned", span, f'sum="{kcal:.3f}" unit="kcal"')
    yield _statistic("BasalEnergyBurned", span, f'sum="{day.weight_kg * 22 / 1440 * each.minutes:.3f}" unit="kcal"')
    if each.sport.distance is not None:
        yield _statistic(each.sport.distance, span, f'sum="{metres(day, each) / 1000:.6g}" unit="km"')
    average = f'average="{sum(bpm) / len(bpm):.4f}" minimum="{min(bpm)}" maximum="{max(bpm)}"'
    yield _statistic("HeartRate", span, f'{average} unit="count/min"')


def _statistic(name: str, span: str, values: str) -> str:
    return f'type="HKQuantityTypeIdentifier{name}" {span} {values}'


def _kcal(day: Day, each: Session) -> float:
    return sum(day.slots.kcal[_slots(day, each)])


def _totals(day: Day, each: Session) -> str:
    """What old exports said instead of statistics."""
    return (
        f'totalDistance="{metres(day, each) / 1000:.6g}" totalDistanceUnit="km" '
        f'totalEnergyBurned="{_kcal(day, each):.3f}" totalEnergyBurnedUnit="kcal"'
    )


def _route(day: Day, each: Session, pen: Pen, life: Life, style: Style) -> str:
    track = None if style.bare else track_of(day, each, life)
    if track is None:
        return ""
    points = list(track.points(life)) if style.old else []
    inside = "".join(
        f'   <Location date="{pen.moment(point.at)}" latitude="{point.latitude:.6f}" longitude="{point.longitude:.6f}" '
        f'altitude="{point.metres_up:.4f}" horizontalAccuracy="4.1" verticalAccuracy="3.2" course="{point.course:.3f}" '
        f'speed="{point.speed:.5f}"/>\n'
        for point in points
    )
    if not style.old:
        inside = metadata("HKMetadataKeySyncVersion", "2", 3) + (
            f'   <FileReference path="/{style.names.routes}/{track.file}"/>\n'
        )
    return (
        f'  <WorkoutRoute {pen.origin(WATCH)} creationDate="{pen.moment(each.end + 6)}" '
        f'startDate="{pen.moment(each.start)}" endDate="{pen.moment(each.end)}">\n{inside}  </WorkoutRoute>\n'
    )
