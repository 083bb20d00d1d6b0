"""How an export may be told: its names, its head and its text, as real ones differ. Most styles tell the same facts.

`Style(old=True)` alone tells less: what an iPhone of about 2017 knew, in the elements of that time.
"""

import re

from msgspec import Struct

from twinning_pipelines.demo.apple_dtd import DOCTYPE, OLD_DOCTYPE


class Names(Struct, frozen=True):
    """What the members of the zip are called: they are in the language of the phone."""

    folder: str = "apple_health_export"
    main: str = "export.xml"
    clinical_copy: str = "export_cda.xml"
    routes: str = "workout-routes"
    curves: str = "electrocardiograms"
    documents: str = "clinical-records"


ENGLISH = Names()
CHINESE = Names(main="导出.xml", clinical_copy="导出_cda.xml", curves="心电图")
SPANISH = Names(
    folder="exportación_salud", main="exportación.xml", clinical_copy="exportación_cda.xml",
    routes="rutas-de-entrenamiento", curves="electrocardiogramas",
)  # fmt: skip

_TAG = re.compile(r'<(\w+)((?: \w+="[^"]*")+)')
_ATTRIBUTE = re.compile(r' (\w+="[^"]*")')
# What an old phone said otherwise, or not at all.
_AS_OF_OLD = (
    (re.compile(r"SleepAnalysisAsleep\w+"), "SleepAnalysisAsleep"),
    (re.compile(r' (?:appleMoveTime(?:Goal)?|HKCharacteristicTypeIdentifierCardioFitness\w+)="[^"]*"'), ""),
)
YOUNGER_TYPES = (
    "QuantityTypeIdentifierRestingHeartRate",
    "QuantityTypeIdentifierWalkingHeartRateAverage",
    "QuantityTypeIdentifierHeartRateVariabilitySDNN",
    "QuantityTypeIdentifierVO2Max",
    "QuantityTypeIdentifierAppleStandTime",
    "DataTypeSleepDurationGoal",
)


class Style(Struct, frozen=True):
    """How one export is told.

    doctype: the head; without one, that of its time. control_characters: raw U+000B in attributes, as third parties write
    them. reordered: attributes by name instead of Apple's order. empty_members: folders, and the first of each kind of
    member with no bytes in it. old: of about 2017, with tracks inside the workouts and totals as their attributes. bare: no
    tracks, curves and documents beside the XML.
    """

    names: Names = ENGLISH
    doctype: str = ""
    control_characters: bool = False
    reordered: bool = False
    empty_members: bool = False
    old: bool = False
    bare: bool = False

    @property
    def head(self) -> str:
        """What stands in front of the root."""
        return self.doctype or (OLD_DOCTYPE if self.old else DOCTYPE)

    def told(self, text: str) -> str:
        """Elements, written as Apple writes them today, in this style."""
        if self.old:
            for pattern, replacement in _AS_OF_OLD:
                text = pattern.sub(replacement, text)
        if self.reordered:
            text = _TAG.sub(_by_name, text)
        if self.control_characters:
            text = text.replace('sourceName="Bathroom', 'sourceName="\x0bBath\x0broom').replace("kPa", "k\x0bPa")
        return text


def _by_name(tag: "re.Match[str]") -> str:
    return f"<{tag[1]} {' '.join(sorted(_ATTRIBUTE.findall(tag[2])))}"
