"""Made-up exports of an Apple Health for tests, and what is in them."""

import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from twinning_pipelines.demo.apple_health import write_export
from twinning_pipelines.sources.health.apple_health import SOURCE
from twinning_pipelines_tests.goldens import rows

ZURICH = ZoneInfo("Europe/Zurich")
FIRST, LAST = date(2024, 3, 20), date(2024, 4, 14)
MADE = datetime(2024, 4, 15, 8, 30, tzinfo=ZURICH)


def export(path: Path, **changes: Any) -> int:
    given: dict[str, Any] = {"seed": 5, "first": FIRST, "last": LAST, "zone": ZURICH, "exported_at": MADE} | changes
    return write_export(path, **given)


def xml_of(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        assert [Path(name).name for name in archive.namelist()][:2] == ["export.xml", "export_cda.xml"]
        return archive.read(archive.namelist()[0]).decode()


def members(path: Path) -> dict[str, str]:
    """What stands beside the XML, by its name below the folder."""
    with zipfile.ZipFile(path) as archive:
        return {name.partition("/")[2]: archive.read(name).decode() for name in archive.namelist()[2:]}


def facts(path: Path) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "at"} for row in rows(SOURCE, path)]
