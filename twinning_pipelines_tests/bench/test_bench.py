"""The benchmarks measure what they say: a process by itself, medians, goals by name. The benchmarks themselves are not run."""

import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines_tests.bench import __main__ as bench
from twinning_pipelines_tests.bench import many_samples, queries
from twinning_pipelines_tests.bench.health import Exports
from twinning_pipelines_tests.bench.measure import Cost, cost_of, run_measured
from twinning_pipelines_tests.bench.table import Goal, median_of, print_costs


def test_the_memory_of_a_process_is_its_own() -> None:
    ballast = bytearray(300_000_000)
    small, said = run_measured([sys.executable, "-c", "print('done')"], {})
    large = cost_of([sys.executable, "-c", "bytearray(150_000_000)"], {})
    assert said == "done\n"
    assert small.peak_mib < 60 < 140 < large.peak_mib < 220 < len(ballast) / 2**20


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match="no such luck"):
        cost_of([sys.executable, "-c", "raise SystemExit('no such luck')"], {})


def test_medians_are_taken_of_each_figure() -> None:
    assert median_of([Cost(1, 9, 5), Cost(3, 7, 6), Cost(2, 8, 4)]) == Cost(2, 8, 5)


def test_a_goal_is_reached_or_missed(capsys: pytest.CaptureFixture[str]) -> None:
    costs = {"peer": Cost(10, 10, 100), "fast": Cost(1, 1, 100), "slow": Cost(9, 9, 400), "alone": Cost(1, 1, 1)}
    print_costs("Title", costs, {"fast": Goal(0.2, "peer"), "slow": Goal(0.2, "peer"), "alone": Goal(1, "x")}, 1_000)
    peer, fast, slow, alone = capsys.readouterr().out.splitlines()[2:6]
    assert "goal" not in peer
    assert fast.endswith("0.100 x peer, goal 0.20 reached; peak goal 300 MB reached")
    assert slow.endswith("0.900 x peer, goal 0.20 MISSED; peak goal 300 MB MISSED")
    assert alone.endswith("x was not measured")


def test_sections_go_by_name(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "health", "wealth"])
    with pytest.raises(SystemExit):
        bench.main()
    assert (
        "no section is called wealth; there are health, bank, files, insights, queries, summary"
        in capsys.readouterr().err
    )


def test_the_exports_of_the_benchmark_hold_as_many_records_as_asked(tmp_path: Path) -> None:
    exports = Exports.made(tmp_path, 5_000)
    assert exports.records == 5_000
    assert len({path.read_bytes() for path in (exports.first, exports.again, exports.grown)}) == 3


def test_every_question_is_answered(
    home: Home, engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many_samples, "YEARS", 1)
    monkeypatch.setattr(many_samples, "LAST", many_samples.LAST.replace(year=many_samples.FIRST_YEAR))
    monkeypatch.setattr(many_samples, "PEOPLE", many_samples.PEOPLE[:1])
    opened = OpenHome(home, engine)
    opened.home.archive.mkdir(parents=True)
    loaded = many_samples.load(opened, tmp_path, 30_000)
    assert 25_000 < loaded < 45_000
    with engine.connect() as connection:
        answers = {name: ask() for name, ask in queries.questions(opened, connection)}
    assert len(answers) > 45
    assert [name for name, rows in answers.items() if not rows and not name.startswith("rows behind")] == []
