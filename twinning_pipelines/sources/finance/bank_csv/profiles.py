"""Mappings that are shipped: exports of named banks that have no header, or whose words do not say all."""

from functools import cache
from importlib.resources import files

from twinning_pipelines.sources.finance.bank_csv.mapping import Mapping
from twinning_pipelines.sources.finance.bank_csv.written import read

_PLACE = "profiles"


@cache
def shipped() -> tuple[Mapping, ...]:
    """Every shipped mapping, by its file's name; read when a file is first asked about that no other source knows."""
    folder = files(__package__) / _PLACE
    found = sorted((each for each in folder.iterdir() if each.name.endswith(".yaml")), key=lambda each: each.name)
    return tuple(read(each.read_text(encoding="utf-8"), each.name) for each in found)
