"""Mappings as YAML: written with the open questions beside their keys, and read back equal."""

from collections.abc import Mapping as Words
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.sources.finance.bank_csv.mapping import OPEN, BrokenMapping, Mapping, OwnMapping

_FILES = "*.y*ml"
_HEAD = """\
# How to read a CSV that has these words or columns. Save it in the folder mappings/ of TWINNING_HOME.
# `?` leaves it to each file; where a file does not tell, its rows are put aside until you set the key here.
"""
_ASKS = {
    "encoding": "UTF-8 is seen by itself; else for example cp1252, cp1250, cp932",
    "delimiter": 'one of "," ";" "\\t" "|"',
    "dates": "DMY (31.12.2026), MDY (12/31/2026), YMD (26/12/31), or a pattern such as %d.%m.%Y",
    "decimal": '"." or ","',
    "sign": "signed, money out (amounts without a sign left the account), money in, or words with columns.direction",
    "account": "the account's name or number, where the file names none",
    "currency": "an ISO 4217 code such as EUR, where the file names none",
}


def written(mapping: Mapping, asks: Words[str, str] | None = None) -> str:
    """The YAML of a mapping. asks: alternatives for its open keys, by key, where they are known better than in general."""
    questions = _ASKS | dict(asks or {})
    lines = [_HEAD]
    for key, value in mapping.model_dump().items():
        if isinstance(value, dict):
            lines.append(f"{key}:\n")
            for name, each in value.items():
                lines += _question(f"{key}.{name}", each, questions, "  ")
                lines += _cells(each, questions) if name == "cells" else [f"  {_scalar(name)}: {_scalar(each)}\n"]
        else:
            lines += _question(key, value, questions, "")
            lines.append(f"{key}: {_scalar(value)}\n")
    return "".join(lines)


def read(text: str, called: str) -> Mapping:
    """The mapping that a YAML text holds. Raises WrongUsage, which names the file, the key and what is allowed."""
    import yaml  # noqa: PLC0415  (only where a mapping is written as YAML)

    try:
        found = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    # A day such as 2026-13-01 is no error of YAML for its reader, nor are a thousand brackets.
    except (yaml.YAMLError, ValueError, RecursionError) as wrong:
        raise WrongUsage(f"{called}: not YAML: {' '.join(str(wrong).split())}") from None
    if not isinstance(found, dict):
        raise WrongUsage(f"{called}: a mapping has keys such as name, recognised_by and columns")
    try:
        return Mapping.model_validate(found)
    except ValidationError as wrong:
        raise WrongUsage(f"{called}: {'; '.join(_said(each) for each in wrong.errors())}") from None


def read_folder(folder: Path) -> tuple[OwnMapping, ...]:
    """The mappings of a folder in the order of their file names; one that can't be used keeps its place."""
    found: list[OwnMapping] = []
    try:
        # `glob` would find nothing in a folder that can't be looked into.
        paths = sorted(path for path in folder.iterdir() if path.match(_FILES)) if folder.is_dir() else []
    except OSError as wrong:
        return (BrokenMapping(f"{folder}: can't be read: {wrong.strerror}"),)
    for path in paths:
        try:
            found.append(read(path.read_text(encoding="utf-8"), str(path)))
        except (OSError, UnicodeDecodeError) as wrong:
            found.append(BrokenMapping(f"{path}: can't be read: {_reason(wrong)}"))
        except WrongUsage as wrong:
            found.append(BrokenMapping(str(wrong)))
    return tuple(found)


def _reason(wrong: OSError | UnicodeDecodeError) -> str:
    return wrong.strerror or str(wrong) if isinstance(wrong, OSError) else "no UTF-8"


def _cells(patterns: Sequence[str], questions: Words[str, str]) -> list[str]:
    """The pattern of each column on a line of its own, with its number and what the file had there."""
    found = ["  cells:\n"]
    for place, pattern in enumerate(patterns, 1):
        shown = _remark(questions.get(f"cells.{place}", ""))
        found.append(f"    - {_scalar(pattern)}  # {place}{f': {shown}' if shown else ''}\n")
    return found


def _question(key: str, value: object, questions: Words[str, str], indent: str) -> list[str]:
    if value != OPEN or key not in questions:
        return []
    return [f"{indent}# {_remark(questions[key])}\n"]


def _remark(text: str) -> str:
    """A text as a comment: on one line, without characters that YAML does not allow."""
    return "".join(each if each.isprintable() else "\ufffd" for each in " ".join(text.split()))


def _scalar(value: Any) -> str:
    import yaml  # noqa: PLC0415

    text: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**9, sort_keys=False)
    return text.removesuffix("...\n").strip("\n")


def _said(error: Any) -> str:
    """One error in words: where it stands, and what is allowed there."""
    # Steps that only pydantic knows (which member of a union) say nothing to a person.
    where = ".".join(str(step) for step in _steps(error["loc"]))
    kind, said = error["type"], error["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        allowed = ", ".join(Mapping.model_fields)
        return f"{where}: no such key; allowed: {allowed}" if len(error["loc"]) == 1 else f"{where}: no such key"
    if kind == "literal_error":
        return f"{where}: {error['input']!r}; allowed: {error['ctx']['expected']}"
    if kind == "missing":
        return f"{where}: missing"
    return f"{where}: {said}" if where else said


def _steps(location: Sequence[int | str]) -> list[int | str]:
    return [
        step for step in location if not (isinstance(step, str) and ("[" in step or step in ("str", "int", "[key]")))
    ]
