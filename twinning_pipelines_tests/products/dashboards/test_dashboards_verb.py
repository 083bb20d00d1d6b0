"""`twinning dashboards`: the folder that Grafana reads."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from twinning_pipelines.cli import cli
from twinning_pipelines.errors import WrongUsage
from twinning_pipelines_tests.products.dashboards.conftest import DASHBOARDS


def run(*arguments: str) -> str:
    done = CliRunner().invoke(cli, ["dashboards", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_every_dashboard_is_a_file_that_anybody_may_read(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "for grafana"
    told = [json.loads(line) for line in run("--to", str(folder), "--json").splitlines()]
    assert [each["dashboard"] for each in told] == [each.name for each in DASHBOARDS]
    for each, dashboard in zip(told, DASHBOARDS, strict=True):
        document = json.loads(Path(each["file"]).read_text(encoding="utf-8"))
        assert document["uid"] == each["uid"] == dashboard.uid
        assert sum(panel["type"] != "row" for panel in document["panels"]) == each["panels"] == len(dashboard.panels)
        assert Path(each["file"]).stat().st_mode & 0o777 == 0o644
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{each.name}.json" for each in DASHBOARDS)


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    run("--to", str(tmp_path))
    first = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert "Today" in run("--to", str(tmp_path))
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == first


def test_what_is_no_more_goes_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text('{"uid": "twinning-old"}')
    (tmp_path / "mine.json").write_text('{"uid": "mine"}')
    (tmp_path / "broken.json").write_text("{")
    run("--to", str(tmp_path))
    left = {path.name for path in tmp_path.iterdir()} - {f"{each.name}.json" for each in DASHBOARDS}
    assert left == {"mine.json", "broken.json"}


def test_links_lead_to_dagster_where_it_is(tmp_path: Path) -> None:
    run("--to", str(tmp_path), "--dagster-url", "https://dagster.home.example/")
    text = (tmp_path / "today.json").read_text(encoding="utf-8")
    assert "https://dagster.home.example/assets/daily_facts" in text
    assert "127.0.0.1" not in text


def test_a_folder_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(WrongUsage, match="can't be written"):
        CliRunner().invoke(cli, ["dashboards", "--to", str(tmp_path / "taken" / "below")], catch_exceptions=False)


def test_the_other_verbs_do_not_load_the_dashboards() -> None:
    code = (
        "import sys; from twinning_pipelines.cli import cli; cli.list_commands(None); "
        "print([name for name in sys.modules if name.startswith('twinning_pipelines.products.dashboards')])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert told.stdout.strip() == "[]"
