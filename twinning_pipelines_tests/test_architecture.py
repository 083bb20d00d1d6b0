"""The shape of the house, held by machine where import contracts can't hold it."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "twinning_pipelines"
MODULES = sorted(PACKAGE.rglob("*.py"))
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "core"}
LONGEST_FILE, LONGEST_FUNCTION = 400, 50


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_says_what_it_is_and_stays_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "no docstring"
    assert path.stem not in DRAWERS
    if "versions" in path.parts:
        return
    assert len(text.splitlines()) <= LONGEST_FILE
    long = [node.name for node in _functions(tree) if (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION]
    assert not long


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_settings_read_our_environment(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    # `lean` reads nothing: it sets what numpy reads.
    if path.name not in ("settings.py", "postgres_place.py", "postgres_programs.py", "lean.py"):
        assert "os.environ" not in text
        assert "os.getenv" not in text


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_expression_repeats_a_group_without_going_back(path: Path) -> None:
    """Python 3.11.2, Debian 12's own, finds what is not there with `(...)++` and the like: gh-106052."""
    assert not re.search(r"\)(?:[*+?]|\{\d[\d,]*\})\+(?!=)|\(\?>", path.read_text(encoding="utf-8"))


def test_a_dry_run_loads_neither_pandas_nor_a_database_driver(tmp_path: Path) -> None:
    path = tmp_path / "steps.csv"
    path.write_text("day,metric,value,unit\n2026-03-01,weight,70,kg\n")
    code = (
        f"import sys; sys.argv = ['twinning', 'check', {str(path)!r}]; import twinning_pipelines.cli as cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "loaded = {'pandas', 'sqlalchemy', 'psycopg', 'dagster'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_importing_the_package_brings_neither_dagster_nor_a_database_driver() -> None:
    code = (
        "import sys, twinning_pipelines, twinning_pipelines.sources; "
        "print(sorted(name for name in ('dagster', 'psycopg', 'matplotlib') if name in sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.strip() == "[]"


def test_no_index_address_and_no_machine_path_is_kept() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
    if files.returncode:
        pytest.skip("not a git checkout")
    words = ("files.pythonhosted" + ".org", "pypi" + ".org/simple", "--index" + "-url", "--find" + "-links")
    for name in files.stdout.split():
        path = ROOT / name
        if path.is_file() and path.suffix in {".lock", ".toml", ".yaml", ".yml", ".md", ".py", ""}:
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not [word for word in words if word in text], name
