"""The traps of GPX files, and every GPX of the corpus."""

from pathlib import Path

import pytest

from twinning_pipelines.original import Original
from twinning_pipelines.sources.health.gpx_file import SOURCE
from twinning_pipelines_tests.goldens import notices, reasons, rows
from twinning_pipelines_tests.shared import corpus

HERE = Path(__file__).parent


def of(sample: str, record: str) -> list[dict[str, object]]:
    series = record == "sample"
    return [row for row in rows(SOURCE, HERE / sample) if ("metric" in row) == series]


def test_a_running_cadence_is_in_steps_and_a_cycling_cadence_in_turns() -> None:
    run = [row["value"] for row in of("evening_run.gpx", "sample") if row["metric"] == "step_cadence"]
    ride = [row["value"] for row in of("old_and_rejected.gpx", "sample") if row["metric"] == "cycling_cadence"]
    assert (run, ride) == ([168, 176], [80])


def test_an_hour_that_the_autumn_change_repeats_stays_an_hour() -> None:
    [route] = of("apple_route.gpx", "route")
    assert str(route["track"]).startswith("[[0,")
    assert "[3600," in str(route["track"])


def test_a_plan_and_waypoints_are_announced_and_left_out() -> None:
    assert len(of("evening_run.gpx", "route")) == 1
    assert "left out: routes without times, which are plans (1), waypoints (1)" in notices(
        SOURCE, HERE / "evening_run.gpx"
    )


def test_bad_points_cost_themselves_and_the_track_stays() -> None:
    sample = HERE / "old_and_rejected.gpx"
    [route] = of(sample.name, "route")
    assert route["points"] == 3
    assert len(reasons(SOURCE, sample)) == 6


def test_the_address_of_an_app_is_no_part_of_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.gpx"
    point = '<trkpt lat="1" lon="2"><time>2026-01-01T00:00:00Z</time></trkpt>'
    for creator, origin in (
        ("Runkeeper - http://www.runkeeper.com", "Runkeeper"),
        ("", "GPX"),
        ("http://x", "http://x"),
    ):
        path.write_text(f'<gpx creator="{creator}"><trk><trkseg>{point}</trkseg></trk></gpx>', encoding="utf-8")
        assert rows(SOURCE, path)[0]["origin"] == origin


def test_what_only_mentions_gpx_is_not_recognised(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    for text in ("<kml><gpx></gpx></kml>", "gpx", "<!-- <gpx> --><html>", '{"gpx": "<gpx >"}'):
        path.write_text(text, encoding="utf-8")
        assert not SOURCE.recognises(Original.at(path))


EXPECTED = {
    "dogsheep-route_2019-06-11_3.00pm.gpx": (1, 3),
    # Its first route has one time, the second none; of its tracks the second has no point.
    "gpxpy-gpx1.1_with_all_fields.gpx": (2, 4),
    "gpxpy-gpx1.1_with_extensions.gpx": (0, 0),
    "gpxpy-gpx_with_garmin_extension.gpx": (0, 0),
    "gpxpy-track-with-less-sec-time.gpx": (1, 2),
    "gpxpy-unicode_with_bom.gpx": (0, 0),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_corpus_is_read(name: str) -> None:
    path = corpus("health", "gpx", name)
    assert SOURCE.recognises(Original.at(path))
    points = [row["points"] for row in rows(SOURCE, path) if "points" in row]
    assert (len(points), sum(points)) == EXPECTED[name]
    assert reasons(SOURCE, path) == []


def test_no_gpx_of_the_corpus_is_forgotten() -> None:
    assert {path.name for path in corpus("health", "gpx").iterdir()} == set(EXPECTED)
