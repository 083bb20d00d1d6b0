"""Small exports for tests, made of elements; and what a source tells of them beside rows."""

import zipfile
from pathlib import Path

from twinning_pipelines.original import Original
from twinning_pipelines.source import Account
from twinning_pipelines.sources.health.apple_health import SOURCE
from twinning_pipelines_tests.goldens import BERLIN

SPAN = 'startDate="2024-06-30 10:00:00 +0200" endDate="2024-06-30 10:05:00 +0200"'


def export_of(folder: Path, *elements: str, prolog: str = "") -> Path:
    """An export.xml of these elements, one a line as Apple writes them, without blanks in front."""
    path = folder / "export.xml"
    path.write_text(f'{prolog}<HealthData locale="en">\n' + "\n".join(elements) + "\n</HealthData>\n", encoding="utf-8")
    return path


def record(kind: str, value: str | None, unit: str | None = None, more: str = "") -> str:
    """One Record of a watch."""
    given_unit = "" if unit is None else f' unit="{unit}"'
    given_value = "" if value is None else f' value="{value}"'
    return f'<Record type="{kind}" sourceName="Watch"{given_unit} {SPAN}{given_value}>{more}</Record>'


def workout(*children: str, more: str = "") -> str:
    """One run of five minutes."""
    inside = "".join(f"\n  {child}" for child in children)
    return f'<Workout workoutActivityType="HKWorkoutActivityTypeRunning" sourceName="Watch" {more}{SPAN}>{inside}\n </Workout>'


def statistic(kind: str, figures: str, unit: str, span: str = SPAN) -> str:
    """One WorkoutStatistics."""
    return f'<WorkoutStatistics type="HKQuantityTypeIdentifier{kind}" {span} {figures} unit="{unit}"/>'


def zipped(folder: Path, members: dict[str, bytes]) -> Path:
    """A zip of these members."""
    path = folder / "whatever.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def accounts(path: Path) -> dict[str, Account]:
    """The account of an export, by the names of its elements."""
    told = SOURCE.parse(Original.at(path), BERLIN)
    return {item.element: item for item in told if isinstance(item, Account)}
