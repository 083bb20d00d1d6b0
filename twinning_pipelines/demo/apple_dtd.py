"""The document type that Apple writes in front of an export, version 14: from a table of its elements.

From: Apple's export, iOS 17 to 26. The content models and attributes are Apple's; an attribute with `*` is required.
"""

from collections.abc import Mapping

_ORIGIN = "sourceName* sourceVersion device creationDate startDate* endDate*"
_EYE = " ".join(
    f"{name} {name}Unit"
    for name in (
        "sphere", "cylinder", "axis", "add", "vertex", "prismAmount", "prismAngle", "farPD", "nearPD", "baseCurve", "diameter",
    )
)  # fmt: skip
_EAR = " ".join(
    f"{side}EarValue {side}EarUnit {side}EarMasked {side}EarClampingRangeLowerBound {side}EarClampingRangeUpperBound"
    for side in ("left", "right")
)
_ME = " ".join(
    f"HKCharacteristicTypeIdentifier{name}*"
    for name in ("DateOfBirth", "BiologicalSex", "BloodType", "FitzpatrickSkinType", "CardioFitnessMedicationsUse")
)

_WORKOUT = (
    "workoutActivityType* duration durationUnit totalDistance totalDistanceUnit totalEnergyBurned totalEnergyBurnedUnit"
)
_SUMMARY = " ".join(
    ["dateComponents", "activeEnergyBurned", "activeEnergyBurnedGoal", "activeEnergyBurnedUnit"]
    + [f"{name}{goal}" for name in ("appleMoveTime", "appleExerciseTime", "appleStandHours") for goal in ("", "Goal")]
)
_KINDS = "Record|Correlation|Workout|ActivitySummary|ClinicalRecord|Audiogram|VisionPrescription"

# Element -> (content model, attributes).
_ELEMENTS: Mapping[str, tuple[str, str]] = {
    "HealthData": (f"(ExportDate,Me,({_KINDS})*)", "locale*"),
    "ExportDate": ("EMPTY", "value*"),
    "Me": ("EMPTY", _ME),
    "Record": ("((MetadataEntry|HeartRateVariabilityMetadataList)*)", f"type* unit value {_ORIGIN}"),
    "Correlation": ("((MetadataEntry|Record)*)", f"type* {_ORIGIN}"),
    "Workout": ("((MetadataEntry|WorkoutEvent|WorkoutRoute|WorkoutStatistics)*)", f"{_WORKOUT} {_ORIGIN}"),
    "WorkoutActivity": ("((MetadataEntry)*)", "uuid* startDate* endDate duration durationUnit"),
    "WorkoutEvent": ("((MetadataEntry)*)", "type* date* duration durationUnit"),
    "WorkoutStatistics": ("EMPTY", "type* startDate* endDate* average minimum maximum sum unit"),
    "WorkoutRoute": ("((MetadataEntry|FileReference)*)", _ORIGIN),
    "FileReference": ("EMPTY", "path*"),
    "ActivitySummary": ("EMPTY", _SUMMARY),
    "MetadataEntry": ("EMPTY", "key* value*"),
    "HeartRateVariabilityMetadataList": ("(InstantaneousBeatsPerMinute*)", ""),
    "InstantaneousBeatsPerMinute": ("EMPTY", "bpm* time*"),
    "ClinicalRecord": (
        "EMPTY",
        "type* identifier* sourceName* sourceURL* fhirVersion* receivedDate* resourceFilePath*",
    ),
    "Audiogram": ("((MetadataEntry|SensitivityPoint)*)", f"type* {_ORIGIN}"),
    "SensitivityPoint": ("EMPTY", f"frequencyValue* frequencyUnit* {_EAR}"),
    "VisionPrescription": (
        "((RightEye|LeftEye|Attachment|MetadataEntry)*)",
        "type* dateIssued* expirationDate brand",
    ),
    "RightEye": ("EMPTY", _EYE),
    "LeftEye": ("EMPTY", _EYE),
    "Attachment": ("EMPTY", "identifier"),
}

_NOTES: Mapping[str, str] = {
    "Correlation": "Any Records that appear as children of a correlation also appear as top-level records in this document.",
    "HeartRateVariabilityMetadataList": "Heart Rate Variability records captured by Apple Watch may include an associated "
    "list of instantaneous beats-per-minute readings.",
}


def _declared(name: str, content: str, attributes: str) -> str:
    note = f"<!-- Note: {_NOTES[name]} -->\n" if name in _NOTES else ""
    element = f"{note}<!ELEMENT {name} {content}>\n"
    if not attributes:
        return element
    width = max(len(each.rstrip("*")) for each in attributes.split())
    lines = "".join(
        f"  {each.rstrip('*'):<{width}} CDATA #{'REQUIRED' if each.endswith('*') else 'IMPLIED'}\n"
        for each in attributes.split()
    )
    return f"{element}<!ATTLIST {name}\n{lines}>\n"


DOCTYPE = (
    "<!DOCTYPE HealthData [\n<!-- HealthKit Export Version: 14 -->\n"
    + "".join(_declared(name, *declaration) for name, declaration in _ELEMENTS.items())
    + "]>\n"
)
