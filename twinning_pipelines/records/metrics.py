"""What can be measured: name, canonical unit, how a day is totalled, what is plausible, and how other units convert.

The one list of metrics: a source names a metric and the unit it found, and `conversion` answers how to reach ours.
A metric that is not listed is still stored, under its own name and unit: unknown is listed, never dropped.
"""

from typing import Literal

from msgspec import Struct

# `none`: a day of it is told elsewhere, and no rollup is made.
Total = Literal["sum", "mean", "min", "max", "last", "none"]


class Metric(Struct, frozen=True):
    """One measurable quantity. `low` and `high` bound a single sample in the canonical unit, both included."""

    name: str
    unit: str
    total: Total
    low: float
    high: float
    title: str


class Conversion(Struct, frozen=True):
    """canonical = value * factor + offset."""

    factor: float
    offset: float = 0.0


_LB, _OZ, _ST, _INCH, _FOOT, _MILE, _YARD = 0.45359237, 0.028349523125, 6.35029318, 0.0254, 0.3048, 1609.344, 0.9144
_SAME = Conversion(1.0)

# (found unit, canonical unit) -> conversion. Factors are the exact definitions; a dietary calorie is a kilocalorie.
_CONVERSIONS: dict[tuple[str, str], Conversion] = {
    ("Cal", "kcal"): _SAME, ("kJ", "kcal"): Conversion(1 / 4.184), ("cal", "kcal"): Conversion(0.001),
    ("J", "kcal"): Conversion(1 / 4184),
    ("km", "m"): Conversion(1000), ("mi", "m"): Conversion(_MILE), ("yd", "m"): Conversion(_YARD),
    ("ft", "m"): Conversion(_FOOT), ("in", "m"): Conversion(_INCH), ("cm", "m"): Conversion(0.01),
    ("m", "cm"): Conversion(100), ("in", "cm"): Conversion(2.54), ("ft", "cm"): Conversion(30.48),
    ("lb", "kg"): Conversion(_LB), ("st", "kg"): Conversion(_ST), ("g", "kg"): Conversion(0.001),
    ("oz", "g"): Conversion(28.349523125), ("mg", "g"): Conversion(0.001), ("kg", "g"): Conversion(1000),
    ("mcg", "g"): Conversion(1e-6), ("µg", "g"): Conversion(1e-6), ("lb", "g"): Conversion(_LB * 1000),
    ("mg", "mcg"): Conversion(1000), ("g", "mcg"): Conversion(1e6), ("µg", "mcg"): _SAME,
    ("g", "mg"): Conversion(1000), ("mcg", "mg"): Conversion(0.001), ("µg", "mg"): Conversion(0.001),
    ("L", "mL"): Conversion(1000), ("fl_oz_us", "mL"): Conversion(29.5735295625), ("cup_us", "mL"): Conversion(236.5882365),
    ("mL", "L"): Conversion(0.001), ("mL/min", "L/min"): Conversion(0.001), ("L/s", "L/min"): Conversion(60),
    ("mS", "mcS"): Conversion(1000), ("S", "mcS"): Conversion(1e6), ("kW", "W"): Conversion(1000),
    ("MET", "kcal/hr·kg"): _SAME, ("kcal/kg·hr", "kcal/hr·kg"): _SAME,
    ("degF", "degC"): Conversion(5 / 9, -160 / 9), ("K", "degC"): Conversion(1.0, -273.15),
    ("mmol<180.1558800000541>/L", "mg/dL"): Conversion(18.01558800000541), ("mmol/L", "mg/dL"): Conversion(18.01558800000541),
    ("count/s", "count/min"): Conversion(60), ("bpm", "count/min"): _SAME,
    ("s", "min"): Conversion(1 / 60), ("hr", "min"): Conversion(60), ("h", "min"): Conversion(60),
    ("ms", "s"): Conversion(0.001), ("min", "s"): Conversion(60), ("s", "ms"): Conversion(1000),
    ("mL/min·kg", "mL/kg·min"): _SAME, ("ml/(kg*min)", "mL/kg·min"): _SAME, ("mL/(kg*min)", "mL/kg·min"): _SAME,
    ("km/hr", "m/s"): Conversion(1 / 3.6), ("mi/hr", "m/s"): Conversion(0.44704), ("km/h", "m/s"): Conversion(1 / 3.6),
    ("mph", "m/s"): Conversion(0.44704), ("%", "fraction"): _SAME, ("percent", "fraction"): Conversion(0.01),
    ("kPa", "mmHg"): Conversion(7.500615758456564), ("cmH2O", "mmHg"): Conversion(0.7355591),
}  # fmt: skip

# Plausible ranges are wide on purpose: they catch unit mix-ups and sensor faults, not unusual people.
METRICS: tuple[Metric, ...] = (
    Metric("steps", "count", "sum", 0, 100_000, "Steps"),
    Metric("distance_walking_running", "m", "sum", 0, 500_000, "Walking and running distance"),
    Metric("distance_cycling", "m", "sum", 0, 1_000_000, "Cycling distance"),
    Metric("distance_swimming", "m", "sum", 0, 200_000, "Swimming distance"),
    Metric("flights_climbed", "count", "sum", 0, 2_000, "Flights climbed"),
    Metric("active_energy", "kcal", "sum", 0, 20_000, "Active energy"),
    Metric("basal_energy", "kcal", "sum", 0, 20_000, "Resting energy"),
    Metric("exercise_time", "min", "sum", 0, 1_440, "Exercise minutes"),
    Metric("stand_time", "min", "sum", 0, 1_440, "Stand minutes"),
    Metric("stand_hour", "count", "sum", 0, 1, "Stand hours"),
    Metric("sleep_stage", "min", "none", 0, 2_880, "Stretches of sleep, by stage"),
    Metric("mindful_minutes", "min", "sum", 0, 1_440, "Mindful minutes"),
    Metric("heart_rate", "count/min", "mean", 20, 300, "Heart rate"),
    Metric("resting_heart_rate", "count/min", "last", 20, 200, "Resting heart rate"),
    Metric("walking_heart_rate", "count/min", "last", 20, 250, "Walking heart rate"),
    Metric("heart_rate_recovery", "count/min", "last", -50, 150, "Heart rate recovery, one minute"),
    Metric("heart_rate_variability", "ms", "mean", 0, 1_000, "Heart rate variability (SDNN)"),
    Metric("heart_rate_variability_rmssd", "ms", "mean", 0, 1_000, "Heart rate variability (RMSSD)"),
    Metric("respiratory_rate", "count/min", "mean", 2, 80, "Respiratory rate"),
    Metric("oxygen_saturation", "fraction", "mean", 0.3, 1.0, "Blood oxygen"),
    Metric("blood_pressure_systolic", "mmHg", "mean", 40, 300, "Blood pressure, systolic"),
    Metric("blood_pressure_diastolic", "mmHg", "mean", 20, 200, "Blood pressure, diastolic"),
    Metric("blood_glucose", "mg/dL", "mean", 10, 1_000, "Blood glucose"),
    Metric("body_temperature", "degC", "mean", 25, 45, "Body temperature"),
    Metric("body_mass", "kg", "last", 0.5, 500, "Weight"),
    Metric("lean_body_mass", "kg", "last", 0.5, 300, "Lean body mass"),
    Metric("muscle_mass", "kg", "last", 0.5, 300, "Muscle mass"),
    Metric("bone_mass", "kg", "last", 0.1, 30, "Bone mass"),
    Metric("body_fat", "fraction", "last", 0, 0.9, "Body fat"),
    Metric("body_water", "fraction", "last", 0, 1, "Body water"),
    Metric("body_mass_index", "count", "last", 5, 150, "Body mass index"),
    Metric("height", "cm", "last", 20, 280, "Height"),
    Metric("vo2_max", "mL/kg·min", "last", 5, 100, "Cardio fitness (VO2 max)"),
    Metric("walking_speed", "m/s", "mean", 0, 10, "Walking speed"),
    Metric("walking_step_length", "cm", "mean", 0, 300, "Step length"),
    Metric("walking_asymmetry", "fraction", "mean", 0, 1, "Walking asymmetry"),
    Metric("walking_double_support", "fraction", "mean", 0, 1, "Double support time"),
    Metric("walking_steadiness", "fraction", "last", 0, 1, "Walking steadiness"),
    Metric("stair_speed_up", "m/s", "mean", 0, 5, "Stair speed, up"),
    Metric("stair_speed_down", "m/s", "mean", 0, 5, "Stair speed, down"),
    Metric("audio_exposure_environment", "dBASPL", "mean", 0, 200, "Environmental sound level"),
    Metric("audio_exposure_headphone", "dBASPL", "mean", 0, 200, "Headphone sound level"),
    Metric("dietary_energy", "kcal", "sum", 0, 20_000, "Dietary energy"),
    Metric("dietary_protein", "g", "sum", 0, 2_000, "Protein"),
    Metric("dietary_carbohydrates", "g", "sum", 0, 5_000, "Carbohydrates"),
    Metric("dietary_fat", "g", "sum", 0, 2_000, "Fat"),
    Metric("dietary_water", "mL", "sum", 0, 20_000, "Water"),
    Metric("dietary_caffeine", "mg", "sum", 0, 5_000, "Caffeine"),
    Metric("sleep_duration_goal", "min", "last", 0, 1_440, "Sleep goal"),
    Metric("move_time", "min", "sum", 0, 1_440, "Move minutes"),
    Metric("time_in_daylight", "min", "sum", 0, 1_440, "Time in daylight"),
    Metric("distance_wheelchair", "m", "sum", 0, 500_000, "Wheelchair distance"),
    Metric("distance_snow_sports", "m", "sum", 0, 500_000, "Downhill snow sports distance"),
    Metric("distance_cross_country_skiing", "m", "sum", 0, 500_000, "Cross-country skiing distance"),
    Metric("distance_paddling", "m", "sum", 0, 500_000, "Paddle sports distance"),
    Metric("distance_rowing", "m", "sum", 0, 500_000, "Rowing distance"),
    Metric("distance_skating", "m", "sum", 0, 500_000, "Skating sports distance"),
    Metric("distance", "m", "sum", 0, 1_000_000, "Distance, however it was covered"),
    Metric("total_energy", "kcal", "sum", 0, 50_000, "Energy, active and resting together"),
    Metric("heart_points", "count", "sum", 0, 2_000, "Heart points"),
    Metric("sedentary_time", "min", "sum", 0, 1_440, "Sedentary minutes"),
    Metric("light_activity_time", "min", "sum", 0, 1_440, "Lightly active minutes"),
    Metric("moderate_activity_time", "min", "sum", 0, 1_440, "Moderately active minutes"),
    Metric("vigorous_activity_time", "min", "sum", 0, 1_440, "Very active minutes"),
    Metric("wheelchair_pushes", "count", "sum", 0, 100_000, "Wheelchair pushes"),
    Metric("swimming_strokes", "count", "sum", 0, 100_000, "Swimming strokes"),
    Metric("nike_fuel", "count", "sum", 0, 100_000, "NikeFuel"),
    Metric("falls", "count", "sum", 0, 1_000, "Falls"),
    Metric("physical_effort", "kcal/hr·kg", "mean", 0, 100, "Physical effort"),
    Metric("workout_effort", "appleEffortScore", "last", 0, 10, "Workout effort"),
    Metric("workout_effort_estimated", "appleEffortScore", "last", 0, 10, "Workout effort, estimated"),
    Metric("running_speed", "m/s", "mean", 0, 20, "Running speed"),
    Metric("running_power", "W", "mean", 0, 3_000, "Running power"),
    Metric("running_stride_length", "m", "mean", 0, 5, "Running stride length"),
    Metric("running_vertical_oscillation", "cm", "mean", 0, 100, "Running vertical oscillation"),
    Metric("running_ground_contact_time", "ms", "mean", 0, 5_000, "Running ground contact time"),
    Metric("step_cadence", "count/min", "mean", 0, 500, "Step cadence"),
    Metric("cycling_speed", "m/s", "mean", 0, 50, "Cycling speed"),
    Metric("cycling_power", "W", "mean", 0, 3_000, "Cycling power"),
    Metric("cycling_cadence", "count/min", "mean", 0, 300, "Cycling cadence"),
    Metric("cycling_threshold_power", "W", "last", 0, 1_000, "Functional threshold power"),
    Metric("cross_country_skiing_speed", "m/s", "mean", 0, 30, "Cross-country skiing speed"),
    Metric("paddling_speed", "m/s", "mean", 0, 20, "Paddle sports speed"),
    Metric("rowing_speed", "m/s", "mean", 0, 20, "Rowing speed"),
    Metric("six_minute_walk", "m", "last", 0, 1_500, "Six-minute walk distance"),
    Metric("underwater_depth", "m", "max", 0, 400, "Underwater depth"),
    Metric("water_temperature", "degC", "mean", -5, 60, "Water temperature"),
    Metric("device_temperature", "degC", "mean", -60, 100, "Temperature at the device"),
    Metric("uv_exposure", "count", "max", 0, 30, "UV index"),
    Metric("sound_reduction", "dBASPL", "mean", 0, 200, "Environmental sound reduction"),
    Metric("waist_circumference", "cm", "last", 20, 300, "Waist circumference"),
    Metric("basal_body_temperature", "degC", "last", 25, 45, "Basal body temperature"),
    Metric("sleeping_wrist_temperature", "degC", "last", 15, 45, "Wrist temperature asleep"),
    Metric("sleeping_breathing_disturbances", "count", "last", 0, 200, "Breathing disturbances asleep"),
    Metric("snoring", "min", "sum", 0, 1_440, "Snoring"),
    Metric("peripheral_perfusion", "fraction", "mean", 0, 1, "Peripheral perfusion index"),
    Metric("electrodermal_activity", "mcS", "mean", 0, 1_000, "Electrodermal activity"),
    Metric("atrial_fibrillation_burden", "fraction", "last", 0, 1, "Atrial fibrillation history"),
    Metric("forced_vital_capacity", "L", "last", 0, 15, "Forced vital capacity"),
    Metric("forced_expiratory_volume", "L", "last", 0, 15, "Forced expiratory volume, one second"),
    Metric("peak_expiratory_flow", "L/min", "last", 0, 1_500, "Peak expiratory flow rate"),
    Metric("inhaler_usage", "count", "sum", 0, 500, "Inhaler usage"),
    Metric("insulin_delivery", "IU", "sum", 0, 1_000, "Insulin delivery"),
    Metric("blood_alcohol", "fraction", "max", 0, 0.01, "Blood alcohol content"),
    Metric("alcoholic_drinks", "count", "sum", 0, 100, "Alcoholic beverages"),
    Metric("dietary_fiber", "g", "sum", 0, 1_000, "Fiber"),
    Metric("dietary_sugar", "g", "sum", 0, 5_000, "Sugar"),
    Metric("dietary_fat_saturated", "g", "sum", 0, 2_000, "Saturated fat"),
    Metric("dietary_fat_monounsaturated", "g", "sum", 0, 2_000, "Monounsaturated fat"),
    Metric("dietary_fat_polyunsaturated", "g", "sum", 0, 2_000, "Polyunsaturated fat"),
    Metric("dietary_cholesterol", "mg", "sum", 0, 20_000, "Cholesterol"),
    Metric("dietary_sodium", "mg", "sum", 0, 100_000, "Sodium"),
    Metric("dietary_potassium", "mg", "sum", 0, 100_000, "Potassium"),
    Metric("dietary_calcium", "mg", "sum", 0, 50_000, "Calcium"),
    Metric("dietary_iron", "mg", "sum", 0, 5_000, "Iron"),
    Metric("dietary_magnesium", "mg", "sum", 0, 50_000, "Magnesium"),
    Metric("dietary_zinc", "mg", "sum", 0, 5_000, "Zinc"),
    Metric("dietary_vitamin_c", "mg", "sum", 0, 100_000, "Vitamin C"),
    Metric("dietary_vitamin_d", "mcg", "sum", 0, 100_000, "Vitamin D"),
    Metric("dietary_vitamin_b12", "mcg", "sum", 0, 100_000, "Vitamin B12"),
)

METRIC_BY_NAME: dict[str, Metric] = {metric.name: metric for metric in METRICS}


def conversion(found: str, canonical: str) -> Conversion | None:
    """How to get from the unit that a file uses to the canonical one; None when nobody knows."""
    if found == canonical:
        return _SAME
    return _CONVERSIONS.get((found, canonical))
