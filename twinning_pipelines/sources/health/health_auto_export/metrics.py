"""Health Auto Export's metrics: their names and ours, and the rows of a data point.

Names are those of Apple's types in the app's own spelling; percentages are hundredths. A metric that is not listed is
kept under its own name, `hae:<name>`, in the unit of the file. Facts: the app's page "API Export, JSON Format".
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec import Struct, field

from twinning_pipelines.clock import Clock
from twinning_pipelines.formats.json_values import detail_of, json_of, number_of, object_of, optional_number, text_of
from twinning_pipelines.formats.quantities import canonical
from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.medical import CORRELATION
from twinning_pipelines.source import Rejection, Row
from twinning_pipelines.sources.health.exercise import Oddities
from twinning_pipelines.sources.health.health_auto_export.stamps import Grain, instant, span, stamp
from twinning_pipelines.sources.health.places import Place

ORIGIN = "Health Auto Export"
PREFIX = "hae:"
HEART_RATE = "heart_rate"
BLOOD_PRESSURE = "blood_pressure"

METRIC_OF: Mapping[str, str] = {
    "step_count": "steps",
    "walking_running_distance": "distance_walking_running",
    "cycling_distance": "distance_cycling",
    "swimming_distance": "distance_swimming",
    "wheelchair_distance": "distance_wheelchair",
    "distance_downhill_snow_sports": "distance_snow_sports",
    "push_count": "wheelchair_pushes",
    "swimming_stroke_count": "swimming_strokes",
    "flights_climbed": "flights_climbed",
    "active_energy": "active_energy",
    "basal_energy_burned": "basal_energy",
    "apple_exercise_time": "exercise_time",
    "apple_stand_time": "stand_time",
    "apple_move_time": "move_time",
    "time_in_daylight": "time_in_daylight",
    "mindful_minutes": "mindful_minutes",
    "heart_rate": HEART_RATE,
    "resting_heart_rate": "resting_heart_rate",
    "walking_heart_rate_average": "walking_heart_rate",
    "heart_rate_variability": "heart_rate_variability",
    "cardio_recovery": "heart_rate_recovery",
    "respiratory_rate": "respiratory_rate",
    "blood_oxygen_saturation": "oxygen_saturation",
    "blood_glucose": "blood_glucose",
    "blood_alcohol_content": "blood_alcohol",
    "alcohol_consumption": "alcoholic_drinks",
    "insulin_delivery": "insulin_delivery",
    "inhaler_usage": "inhaler_usage",
    "number_of_times_fallen": "falls",
    "atrial_fibrillation_burden": "atrial_fibrillation_burden",
    "peripheral_perfusion_index": "peripheral_perfusion",
    "electrodermal_activity": "electrodermal_activity",
    "forced_vital_capacity": "forced_vital_capacity",
    "forced_expiratory_volume_1": "forced_expiratory_volume",
    "peak_expiratory_flow_rate": "peak_expiratory_flow",
    "body_temperature": "body_temperature",
    "basal_body_temperature": "basal_body_temperature",
    "apple_sleeping_wrist_temperature": "sleeping_wrist_temperature",
    "breathing_disturbances": "sleeping_breathing_disturbances",
    "weight_body_mass": "body_mass",
    "lean_body_mass": "lean_body_mass",
    "body_fat_percentage": "body_fat",
    "body_mass_index": "body_mass_index",
    "height": "height",
    "waist_circumference": "waist_circumference",
    "vo2_max": "vo2_max",
    "six_minute_walking_test_distance": "six_minute_walk",
    "walking_speed": "walking_speed",
    "walking_step_length": "walking_step_length",
    "walking_asymmetry_percentage": "walking_asymmetry",
    "walking_double_support_percentage": "walking_double_support",
    "stair_speed_up": "stair_speed_up",
    "stair_speed_down": "stair_speed_down",
    "running_speed": "running_speed",
    "running_power": "running_power",
    "running_stride_length": "running_stride_length",
    "running_vertical_oscillation": "running_vertical_oscillation",
    "running_ground_contact_time": "running_ground_contact_time",
    "cycling_speed": "cycling_speed",
    "cycling_power": "cycling_power",
    "cycling_cadence": "cycling_cadence",
    "cycling_functional_threshold_power": "cycling_threshold_power",
    "physical_effort": "physical_effort",
    "underwater_depth": "underwater_depth",
    "underwater_temperature": "water_temperature",
    "uv_exposure": "uv_exposure",
    "environmental_audio_exposure": "audio_exposure_environment",
    "headphone_audio_exposure": "audio_exposure_headphone",
    "dietary_energy": "dietary_energy",
    "protein": "dietary_protein",
    "carbohydrates": "dietary_carbohydrates",
    "fiber": "dietary_fiber",
    "dietary_sugar": "dietary_sugar",
    "total_fat": "dietary_fat",
    "saturated_fat": "dietary_fat_saturated",
    "monounsaturated_fat": "dietary_fat_monounsaturated",
    "polyunsaturated_fat": "dietary_fat_polyunsaturated",
    "cholesterol": "dietary_cholesterol",
    "sodium": "dietary_sodium",
    "potassium": "dietary_potassium",
    "calcium": "dietary_calcium",
    "iron": "dietary_iron",
    "magnesium": "dietary_magnesium",
    "zinc": "dietary_zinc",
    "vitamin_c": "dietary_vitamin_c",
    "vitamin_d": "dietary_vitamin_d",
    "vitamin_b12": "dietary_vitamin_b12",
    "dietary_water": "dietary_water",
    "caffeine": "dietary_caffeine",
}

# What the app calls units that Apple spells otherwise.
_UNIT_OF = {"spm": "count/min", "breaths/min": "count/min", "kmph": "km/hr", "dB": "dBASPL", "dBA": "dBASPL"} | dict.fromkeys(
    ("ml/(kg·min)", "mL/(kg·min)", "ml/kg·min", "ml/kg/min", "mL/min·kg"), "mL/kg·min"
)  # fmt: skip

_STARTS, _ENDS = ("startDate", "start", "date"), ("endDate", "end")
_OWN_FIELDS = frozenset({*_STARTS, *_ENDS, "qty", "Avg"})


class Told(Struct):
    """What holds for a whole file: the person's clock, how finely it aggregates, and what a person should know of it.

    grain is of all metrics but the heart rate, which the app aggregates by itself.
    """

    clock: Clock
    oddities: Oddities
    grain: Grain = Grain.MOMENT
    heart_grain: Grain = Grain.MOMENT
    undrawn: int = field(default=0)

    def grain_of(self, metric: str) -> Grain:
        """How finely a metric is aggregated."""
        return self.heart_grain if metric == HEART_RATE else self.grain


def point_rows(name: str, units: str, value: object, place: Place, told: Told) -> Iterator[Row | Rejection]:
    """The samples of one data point of a metric; a blood pressure is two and their correlation."""
    try:
        point = object_of("data", value)
        if name == BLOOD_PRESSURE:
            yield from _pressure(units, point, place, told)
        else:
            yield sample_row(METRIC_OF.get(name, PREFIX + name), units, point, place, told)
    except (ValueError, OverflowError) as fault:
        yield place.rejection(SAMPLE, fault)


def sample_row(
    metric: str, units: str, point: Mapping[str, object], place: Place, told: Told, *, origin: str = ORIGIN
) -> Row:
    """One sample. The app merges its sources before it prints, so they are a detail and not the origin. Raises ValueError."""
    started, ended, origin = _when(point, told.grain_of(metric), told.clock, origin)
    value, unit = quantity(metric, number(point), units, told.oddities)
    others = {key: each for key, each in point.items() if key not in _OWN_FIELDS}
    label = others.pop("value", None)
    values = {
        "metric": metric,
        "origin": origin,
        "started_at": started,
        "ended_at": ended,
        "value": value,
        "label": text_of(label) or None,
        "detail": detail_of(others | {"unit": unit}),
    }
    return Row(SAMPLE, place.at, place.raw, values)


def quantity(metric: str, value: float, units: str, oddities: Oddities) -> tuple[float, str | None]:
    """A value in our unit; as it is, with its unit, where nobody registered the metric. Raises ValueError."""
    if metric.startswith(PREFIX):
        oddities.unregistered[metric] += 1
        return value, units or None
    return canonical(metric, value, _UNIT_OF.get(units, units)), None


def number(point: Mapping[str, object]) -> float:
    """What a data point says: its quantity, or the mean of its stretch; counts by kind are summed. Raises ValueError."""
    for key in ("qty", "Avg"):
        if point.get(key) is not None:
            return number_of(key, point[key])
    counts = [each for each in point.values() if isinstance(each, (int, float)) and not isinstance(each, bool)]
    if counts and "Min" not in point:
        return number_of("qty", sum(counts))
    raise ValueError("qty: missing")


def _when(point: Mapping[str, object], grain: Grain, clock: Clock, origin: str) -> tuple[datetime, datetime, str]:
    """From when to when, and who measured it: unaggregated points say where they end, and come from one source each."""
    key = next((key for key in _STARTS if point.get(key) is not None), "date")
    printed = stamp(key, point.get(key))
    ends = next((key for key in _ENDS if point.get(key) is not None), None)
    if ends is None:
        return *span(printed, grain, clock), origin
    return instant(key, point[key], clock), instant(ends, point[ends], clock), text_of(point.get("source")) or origin


def _pressure(units: str, point: Mapping[str, object], place: Place, told: Told) -> Iterator[Row | Rejection]:
    shared = {key: value for key, value in point.items() if key not in ("systolic", "diastolic")}
    rows = []
    for side in ("systolic", "diastolic"):
        value = optional_number(side, point.get(side))
        if value is not None:
            metric = f"{BLOOD_PRESSURE}_{side}"
            rows.append(sample_row(metric, units, shared | {"qty": value}, place, told))
    if not rows:
        raise ValueError("systolic: missing")
    yield from rows
    yield correlation(rows, place)


def correlation(rows: list[Row], place: Place) -> Row:
    """That some samples of one moment belong together as a blood pressure."""
    first = rows[0].values
    members = [[row.values["metric"], _iso(row.values["started_at"]), row.values["value"]] for row in rows]
    values = {
        "kind": BLOOD_PRESSURE,
        "origin": first["origin"],
        "started_at": first["started_at"],
        "ended_at": first["ended_at"],
        "members": json_of(members),
    }
    return Row(CORRELATION, place.at, place.raw, values)


def _iso(moment: object) -> str:
    return moment.isoformat() if isinstance(moment, datetime) else ""
