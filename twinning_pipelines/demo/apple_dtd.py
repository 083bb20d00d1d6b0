"""The document type that Apple writes in front of an export, version 14 and an old one: from a table of its elements.

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
_ELEMENTS: dict[str, tuple[str, str]] = {
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


# What an export of about 2017 declared otherwise; the version numbers between 3 (2016) and 11 (2020) are a guess.
_OLD: dict[str, tuple[str, str]] = {
    "HealthData": ("(ExportDate,Me,(Record|Correlation|Workout|ActivitySummary)*)", "locale*"),
    "Me": ("EMPTY", _ME.removesuffix(" HKCharacteristicTypeIdentifierCardioFitnessMedicationsUse*")),
    "Record": ("(MetadataEntry*)", f"type* unit value {_ORIGIN}"),
    "Workout": ("((MetadataEntry|WorkoutEvent|WorkoutRoute)*)", f"{_WORKOUT} {_ORIGIN}"),
    "WorkoutEvent": ("EMPTY", "type* date*"),
    "WorkoutRoute": ("((MetadataEntry|Location)*)", _ORIGIN),
    "Location": ("EMPTY", "date* latitude* longitude* altitude* horizontalAccuracy* verticalAccuracy* course* speed*"),
    "ActivitySummary": ("EMPTY", " ".join(name for name in _SUMMARY.split() if "MoveTime" not in name)),
}
_YOUNGER = (
    "WorkoutActivity",
    "WorkoutStatistics",
    "FileReference",
    "HeartRateVariabilityMetadataList",
    "InstantaneousBeatsPerMinute",
    "ClinicalRecord",
    "Audiogram",
    "SensitivityPoint",
    "VisionPrescription",
    "RightEye",
    "LeftEye",
    "Attachment",
)


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


def _doctype(version: int, elements: Mapping[str, tuple[str, str]]) -> str:
    declared = "".join(_declared(name, *declaration) for name, declaration in elements.items())
    return f"<!DOCTYPE HealthData [\n<!-- HealthKit Export Version: {version} -->\n{declared}]>\n"


DOCTYPE = _doctype(14, _ELEMENTS)
OLD_DOCTYPE = _doctype(8, {name: each for name, each in (_ELEMENTS | _OLD).items() if name not in _YOUNGER})
# Two ways in which iOS 16 broke its own: declarations without their end, and an end too many.
UNTERMINATED_DOCTYPE = DOCTYPE.replace(">\n<!ELEMENT RightEye", "<!ELEMENT RightEye").removesuffix(">\n]>\n") + "]>\n"
STRAY_DOCTYPE = DOCTYPE.replace("\n<!ELEMENT Audiogram", "\n>\n<!ELEMENT Audiogram")
