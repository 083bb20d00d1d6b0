"""What the documents say is what the code does: settings, commands, and the worked example of a new source."""

import importlib.util
import os
import re
import sys
from dataclasses import fields
from pathlib import Path

import click
import pytest

from twinning_pipelines.cli import cli
from twinning_pipelines.home import Home
from twinning_pipelines.ingest.road import look
from twinning_pipelines.marts.books.rulebook import read_rulebook
from twinning_pipelines.settings import Secret, Settings, is_secret, variable_of
from twinning_pipelines.source import Source
from twinning_pipelines.sources import SOURCES, registered
from twinning_pipelines.sources.catalogue import sources_page
from twinning_pipelines_tests.goldens import BERLIN

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
_TABLE = re.compile(r"(<!-- settings -->\n).*?(<!-- /settings -->)", re.DOTALL)


def _settings_table() -> str:
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for setting in fields(Settings):
        default = "the platform's user data folder" if setting.name == "home" else f"`{setting.default}`"
        shown = "none" if setting.default in (None, "", Secret()) else default
        rows.append(f"| `{variable_of(setting)}` | {shown} | {setting.metadata['meaning']} |")
    return "\n".join(rows) + "\n"


def test_the_readme_lists_every_setting_with_its_default() -> None:
    text = README.read_text(encoding="utf-8")
    wanted = _TABLE.sub(lambda match: match[1] + _settings_table() + match[2], text)
    if os.environ.get("TWINNING_WRITE_GOLDENS") == "1":
        README.write_text(wanted, encoding="utf-8")
    assert README.read_text(encoding="utf-8") == wanted


def test_the_readme_names_the_file_of_every_secret() -> None:
    text = README.read_text(encoding="utf-8")
    assert all(f"`{variable_of(each)}_FILE`" in text for each in fields(Settings) if is_secret(each))


def test_the_readme_names_every_command() -> None:
    text = README.read_text(encoding="utf-8")
    # They are loaded only when asked for.
    for name in cli.list_commands(click.Context(cli)):
        command = cli.commands[name]
        assert re.search(rf"`(?:twinning )?{name}[ `]", text), name
        assert command.help, name
        if isinstance(command, click.Group):
            assert all(each in text for each in command.commands), name


@pytest.fixture
def example(tmp_path: Path) -> Source:
    """The module of CONTRIBUTING's worked example, imported as written there."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 1
    path = tmp_path / "receipts.py"
    path.write_text(blocks[0], encoding="utf-8")
    spec = importlib.util.spec_from_file_location("receipts", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["receipts"] = module
    spec.loader.exec_module(module)
    source: Source = module.SOURCE
    return source


def test_the_worked_example_reads_its_own_sample(example: Source, tmp_path: Path) -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    sample = tmp_path / "export.csv"
    lines = [line.strip() for line in page.splitlines() if re.match(r"    (Spent|2026)", line)]
    sample.write_text("\n".join([*lines, "2026-13-01,Nowhere,1.00,CHF,Office,1"]) + "\n", encoding="utf-8")
    receipt = look(sample, BERLIN, registered(*SOURCES, example))
    assert (receipt.source, receipt.read, receipt.accepted, receipt.rejected) == ("business.receipts", 3, 2, 1)
    assert receipt.rejections[0].reason.startswith("spent_on: month 13")


def test_the_worked_example_brings_asset_checks_and_documentation(example: Source, tmp_path: Path) -> None:
    import dagster as dg

    from twinning_pipelines.definitions import build_defs

    sources = registered(*SOURCES, example)
    before = build_defs(Home(Settings(home=tmp_path))).resolve_asset_graph()
    after = build_defs(Home(Settings(home=tmp_path), sources)).resolve_asset_graph()
    key = dg.AssetKey(["business", "receipts"])
    assert after.get_all_asset_keys() - before.get_all_asset_keys() == {key}
    assert {check.asset_key for check in after.asset_check_keys - before.asset_check_keys} == {key}
    assert dg.AssetKey(["table", "expense"]) in after.get(key).child_keys
    assert "| `business.receipts` |" in sources_page(sources)


def test_the_version_is_told_once() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in changes


def test_the_rulebook_of_the_money_page_can_be_used() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "money.md").read_text(encoding="utf-8"), re.DOTALL)
    rulebook = read_rulebook(block)
    assert [account.name for account in rulebook.accounts] == ["Household"]
    assert len(rulebook.rules) == 2
