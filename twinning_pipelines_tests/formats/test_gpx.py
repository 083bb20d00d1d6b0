"""GPX to tracks, and what a hostile or broken one does."""

import io
from collections import Counter
from datetime import UTC, datetime

import pytest

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats import xml_feed
from twinning_pipelines.formats.gpx import Track, tracks

POINT = '<trkpt lat="47.5" lon="8.5"><ele>400</ele><time>2026-03-29T01:30:00Z</time></trkpt>'


def read(text: str | bytes, unread: Counter[str] | None = None) -> list[Track]:
    return list(tracks(io.BytesIO(text.encode() if isinstance(text, str) else text), unread))


def gpx(inside: str) -> str:
    return f'<?xml version="1.0"?>\n<gpx version="1.1" creator="App">\n{inside}\n</gpx>'


def track(points: str) -> str:
    return f"<trk><trkseg>{points}</trkseg></trk>"


def test_prefixes_of_namespaces_do_not_matter_for_points_and_extensions() -> None:
    inside = """<trk><trkseg><trkpt lat="1" lon="2"><extensions><x:TrackPointExtension><x:hr>120</x:hr>
    <x:cad>80</x:cad></x:TrackPointExtension></extensions><time>2026-03-29T01:30:00Z</time></trkpt></trkseg></trk>"""
    [found] = read(gpx(inside))
    at = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert found.rates == [(at, 120.0)]
    assert found.cadences == [(at, 80.0)]


def test_segments_of_a_track_are_joined_and_a_route_is_told_apart() -> None:
    route = '<rte><name>plan</name><rtept lat="1" lon="2"/></rte>'
    first, second = read(gpx(f"<trk><trkseg>{POINT}</trkseg><trkseg>{POINT}</trkseg></trk>{route}"))
    assert (len(first.points), first.planned, first.creator) == (2, False, "App")
    assert (second.name, second.planned) == ("plan", True)


def test_names_inside_points_and_links_are_not_the_name_of_the_track() -> None:
    link, point = "<link><text>t</text><type>web</type></link>", '<trkpt lat="1" lon="2"><name>n</name></trkpt>'
    inside = f"<trk>{link}<trkseg>{point}</trkseg></trk>"
    [found] = read(gpx(inside))
    assert (found.name, found.kind) == (None, None)


def test_a_time_without_a_zone_is_utc_and_one_with_an_offset_is_converted() -> None:
    times = ("2026-03-29T01:30:00", "2026-03-29T03:30:00.250+02:00")
    points = "".join(f'<trkpt lat="1" lon="2"><time>{each}</time></trkpt>' for each in times)
    [found] = read(gpx(track(points)))
    assert [point.at for point in found.points] == [
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, 0, 250_000, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ('<trkpt lat="1"/>', "lon: missing"),
        ('<trkpt lat="1,5" lon="2"/>', "lat: not a number: '1,5'"),
        ('<trkpt lat="1_0" lon="2"/>', "lat: not a number: '1_0'"),
        ('<trkpt lat="nan" lon="2"/>', "lat: not a number: 'nan'"),
        ('<trkpt lat="-90.1" lon="2"/>', "lat, lon: no place on Earth: -90.1, 2"),
        ('<trkpt lat="1" lon="2"><time>0001-01-01T00:00:00+23:00</time></trkpt>', "time: not a moment: "),
    ],
)
def test_a_point_that_cannot_be_read_is_told_with_its_line(point: str, reason: str) -> None:
    [found] = read(gpx(track(f"\n{point}\n{POINT}")))
    assert len(found.points) == 1
    [(line, told)] = found.misread
    assert line == 4
    assert told.startswith(reason)
    assert found.raws[0].startswith("<trkpt lat=")


def test_a_measure_that_cannot_be_read_costs_itself_and_not_the_point() -> None:
    [found] = read(gpx(track('<trkpt lat="1" lon="2"><ele>high</ele><course>90</course></trkpt>')))
    assert (found.points[0].elevation, found.points[0].course) == (None, 90.0)
    assert found.odd == ((3, "ele: not a number: 'high'"),)


def test_waypoints_are_counted_and_not_read() -> None:
    unread: Counter[str] = Counter()
    assert read(gpx('<metadata/><wpt lat="1" lon="2"/><wpt lat="1" lon="2"/>'), unread) == []
    assert unread == {"wpt": 2}


def test_lines_are_right_beyond_the_first_block_and_memory_holds_one_track(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_feed, "BLOCK_BYTES", 200)
    document = gpx("\n".join(track(f"\n{POINT}\n") for _ in range(30)))
    lines = [each.line for each in read(document)]
    assert lines == list(range(3, 3 + 3 * 30, 3))


def test_a_control_character_is_not_the_end_of_the_file() -> None:
    [found] = read(gpx(f"<trk><name>a\x0bb\x00c</name><trkseg>{POINT}</trkseg></trk>"))
    assert found.name == "abc"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file is empty"),
        ("<kml></kml>", "no <gpx>"),
        (gpx(track(POINT))[:-10], "the file breaks off here"),
        (gpx("<trk></rte>"), "line 3: broken XML"),
        (gpx("<trk><name>&nothing;</name></trk>"), "line 3: broken XML"),
    ],
)
def test_a_file_that_is_no_gpx_is_refused(text: str, says: str) -> None:
    with pytest.raises(UnreadableFile, match=says):
        read(text)


HOSTILE = [
    '<!DOCTYPE gpx [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><gpx><trk><name>&b;</name></trk></gpx>',
    '<!DOCTYPE gpx [<!ENTITY x SYSTEM "file:///etc/passwd">]><gpx><trk><name>&x;</name></trk></gpx>',
    gpx("<trk>" + "<a>" * 70),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_entities_and_deep_nesting_are_hostile(text: str) -> None:
    with pytest.raises(HostileFile):
        read(text)


def test_a_tag_without_end_is_hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_feed, "LONGEST_TOKEN_BYTES", 1024**2)
    with pytest.raises(HostileFile, match="a tag of more than 1 MiB"):
        read(gpx(f'<trk a="{"x" * 5_000_000}'))


def test_a_text_without_end_is_cut() -> None:
    [found] = read(gpx(f"<trk><name>{'x' * 3_000_000}</name></trk>"))
    assert found.name == "x" * 1_000
