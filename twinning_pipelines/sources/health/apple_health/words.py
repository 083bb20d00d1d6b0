"""Apple's words and ours: identifiers of HealthKit to metrics, sleep stages, categories, activities.

Names are Apple's identifiers without their prefixes. Facts: Apple's HealthKit documentation of each identifier and
category value, and real exports. An identifier that is not listed is kept under its own name, `apple:<Name>`.
"""

import re
from collections.abc import Mapping
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from twinning_pipelines.records.health import SAMPLE
from twinning_pipelines.records.metrics import METRIC_BY_NAME, Conversion, conversion
from twinning_pipelines.records.record import Record
from twinning_pipelines.records.sessions import SLEEP_STAGE

QUANTITY = "HKQuantityTypeIdentifier"
CATEGORY = "HKCategoryTypeIdentifier"
CATEGORY_VALUE = "HKCategoryValue"
WORKOUT_ACTIVITY = "HKWorkoutActivityType"
UNREGISTERED = "apple:"

METRIC_OF: Mapping[str, str] = {
    "StepCount": "steps",
    "DistanceWalkingRunning": "distance_walking_running",
    "DistanceCycling": "distance_cycling",
    "DistanceSwimming": "distance_swimming",
    "DistanceWheelchair": "distance_wheelchair",
    "DistanceDownhillSnowSports": "distance_snow_sports",
    "DistanceCrossCountrySkiing": "distance_cross_country_skiing",
    "DistancePaddleSports": "distance_paddling",
    "DistanceRowing": "distance_rowing",
    "DistanceSkatingSports": "distance_skating",
    "FlightsClimbed": "flights_climbed",
    "PushCount": "wheelchair_pushes",
    "SwimmingStrokeCount": "swimming_strokes",
    "NikeFuel": "nike_fuel",
    "NumberOfTimesFallen": "falls",
    "ActiveEnergyBurned": "active_energy",
    "BasalEnergyBurned": "basal_energy",
    "AppleExerciseTime": "exercise_time",
    "AppleStandTime": "stand_time",
    "AppleMoveTime": "move_time",
    "TimeInDaylight": "time_in_daylight",
    "PhysicalEffort": "physical_effort",
    "WorkoutEffortScore": "workout_effort",
    "EstimatedWorkoutEffortScore": "workout_effort_estimated",
    "HeartRate": "heart_rate",
    "RestingHeartRate": "resting_heart_rate",
    "WalkingHeartRateAverage": "walking_heart_rate",
    "HeartRateRecoveryOneMinute": "heart_rate_recovery",
    "HeartRateVariabilitySDNN": "heart_rate_variability",
    "AtrialFibrillationBurden": "atrial_fibrillation_burden",
    "PeripheralPerfusionIndex": "peripheral_perfusion",
    "RespiratoryRate": "respiratory_rate",
    "OxygenSaturation": "oxygen_saturation",
    "ForcedVitalCapacity": "forced_vital_capacity",
    "ForcedExpiratoryVolume1": "forced_expiratory_volume",
    "PeakExpiratoryFlowRate": "peak_expiratory_flow",
    "InhalerUsage": "inhaler_usage",
    "BloodPressureSystolic": "blood_pressure_systolic",
    "BloodPressureDiastolic": "blood_pressure_diastolic",
    "BloodGlucose": "blood_glucose",
    "InsulinDelivery": "insulin_delivery",
    "BloodAlcoholContent": "blood_alcohol",
    "NumberOfAlcoholicBeverages": "alcoholic_drinks",
    "ElectrodermalActivity": "electrodermal_activity",
    "BodyTemperature": "body_temperature",
    "BasalBodyTemperature": "basal_body_temperature",
    "AppleSleepingWristTemperature": "sleeping_wrist_temperature",
    "AppleSleepingBreathingDisturbances": "sleeping_breathing_disturbances",
    "BodyMass": "body_mass",
    "LeanBodyMass": "lean_body_mass",
    "BodyFatPercentage": "body_fat",
    "BodyMassIndex": "body_mass_index",
    "Height": "height",
    "WaistCircumference": "waist_circumference",
    "VO2Max": "vo2_max",
    "SixMinuteWalkTestDistance": "six_minute_walk",
    "WalkingSpeed": "walking_speed",
    "WalkingStepLength": "walking_step_length",
    "WalkingAsymmetryPercentage": "walking_asymmetry",
    "WalkingDoubleSupportPercentage": "walking_double_support",
    "AppleWalkingSteadiness": "walking_steadiness",
    "StairAscentSpeed": "stair_speed_up",
    "StairDescentSpeed": "stair_speed_down",
    "RunningSpeed": "running_speed",
    "RunningPower": "running_power",
    "RunningStrideLength": "running_stride_length",
    "RunningVerticalOscillation": "running_vertical_oscillation",
    "RunningGroundContactTime": "running_ground_contact_time",
    "CyclingSpeed": "cycling_speed",
    "CyclingPower": "cycling_power",
    "CyclingCadence": "cycling_cadence",
    "CyclingFunctionalThresholdPower": "cycling_threshold_power",
    "CrossCountrySkiingSpeed": "cross_country_skiing_speed",
    "PaddleSportsSpeed": "paddling_speed",
    "RowingSpeed": "rowing_speed",
    "UnderwaterDepth": "underwater_depth",
    "WaterTemperature": "water_temperature",
    "UVExposure": "uv_exposure",
    "EnvironmentalAudioExposure": "audio_exposure_environment",
    "EnvironmentalSoundReduction": "sound_reduction",
    "HeadphoneAudioExposure": "audio_exposure_headphone",
    "DietaryEnergyConsumed": "dietary_energy",
    "DietaryProtein": "dietary_protein",
    "DietaryCarbohydrates": "dietary_carbohydrates",
    "DietaryFiber": "dietary_fiber",
    "DietarySugar": "dietary_sugar",
    "DietaryFatTotal": "dietary_fat",
    "DietaryFatSaturated": "dietary_fat_saturated",
    "DietaryFatMonounsaturated": "dietary_fat_monounsaturated",
    "DietaryFatPolyunsaturated": "dietary_fat_polyunsaturated",
    "DietaryCholesterol": "dietary_cholesterol",
    "DietarySodium": "dietary_sodium",
    "DietaryPotassium": "dietary_potassium",
    "DietaryCalcium": "dietary_calcium",
    "DietaryIron": "dietary_iron",
    "DietaryMagnesium": "dietary_magnesium",
    "DietaryZinc": "dietary_zinc",
    "DietaryVitaminC": "dietary_vitamin_c",
    "DietaryVitaminD": "dietary_vitamin_d",
    "DietaryVitaminB12": "dietary_vitamin_b12",
    "DietaryWater": "dietary_water",
    "DietaryCaffeine": "dietary_caffeine",
}

# Apple's own data types that are neither a quantity nor a category by their name.
QUANTITY_BY_FULL_NAME: Mapping[str, str] = {"HKDataTypeSleepDurationGoal": "sleep_duration_goal"}

# Categories that are intervals: their value is how long they lasted.
MINUTES_OF: Mapping[str, str] = {"MindfulSession": "mindful_minutes"}

# Categories whose words are numbers. Bare integers, which other apps write, are HealthKit's raw values: stood is 0.
NUMBER_OF: Mapping[str, tuple[str, Mapping[str, float]]] = {
    "AppleStandHour": ("stand_hour", {"Stood": 1.0, "Idle": 0.0, "0": 1.0, "1": 0.0}),
}

SLEEP = "SleepAnalysis"
# `Asleep` is what iOS wrote before 16; the integers are HealthKit's raw values.
STAGE_OF: Mapping[str, str] = {
    "InBed": "in_bed", "Asleep": "asleep", "AsleepUnspecified": "asleep", "Awake": "awake",
    "AsleepCore": "core", "AsleepDeep": "deep", "AsleepREM": "rem",
    "0": "in_bed", "1": "asleep", "2": "awake", "3": "core", "4": "deep", "5": "rem",
}  # fmt: skip

CORRELATION = "HKCorrelationTypeIdentifier"
CLINICAL = "HKClinicalTypeIdentifier"
CHARACTERISTIC = "HKCharacteristicTypeIdentifier"
WORKOUT_EVENT = "HKWorkoutEventType"

# Our names for what Apple knows of a person; another one is kept under Apple's.
TRAIT_OF: Mapping[str, str] = {"CardioFitnessMedicationsUse": "cardio_fitness_medications"}

# What a workout's own statistics must be to count as its distance; summed, because a triathlon has three.
WORKOUT_DISTANCES = tuple(f"{QUANTITY}{name}" for name in METRIC_OF if name.startswith("Distance"))
WORKOUT_ENERGY = f"{QUANTITY}ActiveEnergyBurned"
HEART_RATE = f"{QUANTITY}HeartRate"

# Every element below the root, as Apple's DTD lists them; behind a broken element the reading goes on at the next one.
TOP_LEVEL = (
    "ExportDate", "Me", "Record", "Correlation", "Workout", "ActivitySummary", "ClinicalRecord", "Audiogram",
    "VisionPrescription",
)  # fmt: skip

AS_IT_IS = Conversion(1.0)

How = Literal["number", "minutes", "word", "stage"]


class Reading(Struct, frozen=True):
    """How the Records of one type and unit are read. `refusal` is why they can't be; `name` is Apple's short name."""

    record: Record
    how: How
    name: str
    metric: str = ""
    conversion: Conversion = AS_IT_IS
    refusal: str | None = None


def reading_of(kind: str | None, unit: str | None) -> Reading:
    """How Records of a type and a unit are read; None where the attribute is missing."""
    if not kind:
        return Reading(SAMPLE, "word", "", refusal="type: missing")
    if kind.startswith(CATEGORY):
        return _category(kind.removeprefix(CATEGORY))
    name = kind.removeprefix(QUANTITY)
    metric = QUANTITY_BY_FULL_NAME.get(kind) or (METRIC_OF.get(name) if kind.startswith(QUANTITY) else None)
    if metric is None:
        return Reading(SAMPLE, "number" if kind.startswith(QUANTITY) else "word", name, UNREGISTERED + name)
    canonical = METRIC_BY_NAME[metric].unit
    how = None if unit is None else conversion(unit, canonical)
    if how is None:
        refusal = f"unit: {unknown_unit(unit, canonical)}"
        return Reading(SAMPLE, "number", name, metric, refusal=refusal)
    return Reading(SAMPLE, "number", name, metric, how)


def unknown_unit(unit: str | None, canonical: str) -> str:
    """Why a unit can't be read."""
    return "missing" if unit is None else f"don't know how to turn {shown(unit)} into {canonical}"


def _category(name: str) -> Reading:
    if name == SLEEP:
        return Reading(SLEEP_STAGE, "stage", name)
    if name in MINUTES_OF:
        return Reading(SAMPLE, "minutes", name, MINUTES_OF[name])
    if name in NUMBER_OF:
        return Reading(SAMPLE, "word", name, NUMBER_OF[name][0])
    return Reading(SAMPLE, "word", name, UNREGISTERED + name)


class Word(Struct, frozen=True):
    """What a category's value means: a number, and the word where it is one; or why it can't be read."""

    number: float = 1.0
    label: str | None = None
    refusal: str | None = None


_INTEGER = re.compile(r"-?\d{1,15}", re.ASCII)
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_SHOWN = 60


def shown(text: str) -> str:
    """A text of the file inside a reason: quoted, and cut when it is long."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def word_of(name: str, value: str | None) -> Word:
    """The value of a category, or of a type that is neither quantity nor category, by the type's short name."""
    short = short_value(name, value or "")
    if name in NUMBER_OF:
        numbers = NUMBER_OF[name][1]
        if short not in numbers:
            return Word(refusal=f"value: not one of {CATEGORY_VALUE}{name}: {shown(value or '')}")
        return Word(numbers[short], None if _INTEGER.fullmatch(short) else short)
    if NUMBER.fullmatch(short) and abs(float(short)) < float("inf"):
        return Word(float(short))
    return Word(label=short or None)


def short_value(name: str, value: str) -> str:
    """`HKCategoryValueAppleStandHourStood` of `AppleStandHour` is `Stood`."""
    return value.removeprefix(CATEGORY_VALUE).removeprefix(name)


def activity_of(kind: str) -> str:
    """`HKWorkoutActivityTypeTraditionalStrengthTraining` is `traditional_strength_training`."""
    return words_of(kind.removeprefix(WORKOUT_ACTIVITY))


def words_of(name: str) -> str:
    """`BloodPressure` is `blood_pressure`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip()).lower()


def zone_of(text: str) -> str | None:
    """The text when it names a zone of the IANA database, else None."""
    try:
        return ZoneInfo(text).key
    except (KeyError, ValueError, OSError):
        return None
