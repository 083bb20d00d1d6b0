"""The stand-in for InfluxDB 2.8 says what the original says, as far as that can be known here.

Its reader of line protocol is held against a real 1.6.7, which has the same one; its JSON against the OpenAPI
description of 2.8; its statuses and messages against a table from the source of 2.8.0.
"""

import gzip
import json
import socket
from collections.abc import Iterator, Mapping

import httpx
import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from twinning_pipelines_tests.far_sides.influx_v1_front import Influxd, V1Front, executable
from twinning_pipelines_tests.far_sides.influx_v2 import FakeInflux
from twinning_pipelines_tests.far_sides.line_protocol_parser import Unparsable, parse, parse_line
from twinning_pipelines_tests.far_sides.scripted_server import HalfAnswer, HangUp, Instead, Reply
from twinning_pipelines_tests.shared import SHARED

DESCRIPTION = SHARED / "specs" / "influxdb-2.8-oss-openapi.json"
WEEK = 7 * 86_400

unhurried = settings(deadline=None)

# Line, and the reason in the words of InfluxDB; None where it is a point.
LINES: list[tuple[bytes, str | None]] = [
    (b"m v=1 1", None),
    (b"m,a=b v=1,w=2.5e3,x=-.5 1", None),
    (b'm,b=1,a=2 t="a \\"b\\" \\\\ ,=\n c",f=F,u=true -5', None),
    (b"m\\,\\ x,a\\=b=c\\ d v\\ w=1i 1", None),
    (b"m\\x,a=b\\y v=-9223372036854775808i 1", None),
    (b"m v=1", None),
    (b",a=b v=1 1", "missing measurement"),
    (b"m", "missing fields"),
    (b"m,a=b", "missing fields"),
    (b"m, v=1 1", "missing tag key"),
    (b"m,=b v=1 1", "missing tag key"),
    (b"m,a v=1 1", "missing tag value"),
    (b"m,a= v=1 1", "missing tag value"),
    (b"m,a=,b=c v=1 1", "missing tag value"),
    (b"m,a=b=c v=1 1", "invalid tag format"),
    (b"m,a=1,a=2 v=1 1", "duplicate tags"),
    (b"m,a=1,b=2,a=3 v=1 1", "duplicate tags"),
    (b"m v 1", "invalid field format"),
    (b"m a=1,b 1", "invalid field format"),
    (b"m =1 1", "missing field key"),
    (b"m v= 1", "missing field value"),
    (b"m v=,w=1 1", "missing field value"),
    (b"m v=NaN 1", "invalid number"),
    (b"m v=-inf 1", "invalid number"),
    (b"m v=1.2.3 1", "invalid number"),
    (b"m v=1.5i 1", "invalid number"),
    (b"m v=i 1", "invalid boolean"),
    (b"m v=yes 1", "invalid boolean"),
    (b"m v=tru 1", "invalid boolean"),
    (b"m v=1e400 1", "invalid float"),
    (
        b"m v=9223372036854775808i 1",
        f'unable to parse integer {2**63}: strconv.ParseInt: parsing "{2**63}": value out of range',
    ),
    (b'm v="open 1', "unbalanced quotes"),
    (b"m v=1 now", "bad timestamp"),
    (b"m v=1 1.5", "bad timestamp"),
    (b"m v=1 1 2", "point is invalid"),
    (b"m v=1 9223372037", "time outside range -9223372036854775806 - 9223372036854775806"),
    (b"m v=1 99999999999999999999", 'strconv.ParseInt: parsing "99999999999999999999": value out of range'),
    (b"m,a=%b v=1 1" % (b"x" * 65_535), "max key length exceeded: 65539 > 65535"),
]
# 1.6.7 has neither unsigned numbers nor reserved tags.
LINES_OF_V2: list[tuple[bytes, str | None]] = [
    (b"m v=18446744073709551615u 1", None),
    (
        b"m v=18446744073709551616u 1",
        f'unable to parse unsigned {2**64}: strconv.ParseUint: parsing "{2**64}": value out of range',
    ),
    (b"m v=-1u 1", "invalid number"),
    (b"m,time=1 v=1 1", 'cannot use reserved tag key "time"'),
    (b"m,_field=1 v=1 1", 'cannot use reserved tag key "_field"'),
]


@pytest.fixture
def fake() -> Iterator[FakeInflux]:
    with FakeInflux() as server:
        yield server


@pytest.fixture(scope="module")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    if executable() is None:
        pytest.skip("influxd is not here: infra/programs unpacks it on Debian 12")
    with Influxd(tmp_path_factory.mktemp("influxd")) as server:
        yield server


def post(server: FakeInflux | V1Front, body: bytes, **params: str) -> httpx.Response:
    place = {"org": server.org, "bucket": server.bucket, "precision": "s"} | params
    headers = {"Authorization": f"Token {server.token}"}
    return httpx.post(
        f"{server.url}/api/v2/write",
        params=place,
        content=body,
        headers=headers,
        trust_env=False,
        verify=False,
    )


@pytest.mark.parametrize(("line", "reason"), [*LINES, *LINES_OF_V2], ids=lambda part: ascii(part)[:40])
def test_a_line_is_read_or_refused(line: bytes, reason: str | None) -> None:
    _, failures = parse(line, "s")
    assert failures == ([] if reason is None else [(line, reason)])


def test_a_real_influxdb_reads_and_refuses_the_same(influxd: Influxd) -> None:
    with V1Front(influxd, "reader") as real:
        for line, reason in LINES:
            reply = post(real, line)
            expected = "" if reason is None else f"unable to parse '{line.decode()}': {reason}"
            assert (reply.status_code, reply.json()["error"] if reply.content else "") == (
                (204, "") if reason is None else (400, expected)
            )


@unhurried
@given(
    st.sampled_from([b"m", b"m,a=b", b"m,b=1,a=2", b"m,a=1,a=2", b"m,time=1", b"\xc3\xa9,a=\xff"]),
    st.sampled_from([b"1", b"-1.50", b"0.123456789", b"1e5", b"1.", b"-", b"123456789012345", b"00.5"]),
    st.integers(-(10**12), 10**12),
    st.sampled_from(["s", "ms", "ns"]),
)
def test_the_quick_way_of_reading_equals_the_general_one(key: bytes, value: bytes, at: int, precision: str) -> None:
    line = b"%b value=%b %d" % (key, value, at)
    points, failures = parse(line + b"\n" + line, precision)
    failed = str(_reason(line, precision))
    if failures:
        assert (points, failures) == ([], [(line, failed)] * 2)
    else:
        assert points == [parse_line(line, precision)] * 2


def _reason(line: bytes, precision: str) -> Unparsable | None:
    try:
        parse_line(line, precision)
    except Unparsable as reason:
        return reason
    return None


def test_a_quote_left_open_takes_the_next_line_along() -> None:
    points, failures = parse(b'm v="a 1\nm v=2 2\nm v=" 3\nm w=1 4\\\nm w=2 5', "s")
    assert [point.fields["v"].value for point in points] == ["a 1\nm v=2 2\nm v="]
    assert failures == [(b"m w=1 4\\\nm w=2 5", "bad timestamp")]


def test_names_and_strings_lose_their_escapes() -> None:
    point = parse_line(b'a\\ b\\,c\\=d,t\\=1=x\\,y f\\ g="q\\"\\\\ \\n",h=1 1700000000', "s")
    assert (point.measurement, point.tags) == ("a b,c\\=d", (("t=1", "x,y"),))
    assert {name: value for name, (_, value) in point.fields.items()} == {"f g": 'q"\\ \\n', "h": 1.0}


@pytest.mark.parametrize(("precision", "scale"), [("s", 10**9), ("ms", 10**6), ("us", 10**3), ("ns", 1)])
def test_each_precision_has_its_scale(fake: FakeInflux, precision: str, scale: int) -> None:
    assert post(fake, b"m v=1 1700", precision=precision).status_code == 204
    assert list(fake.points) == [("m", (), 1700 * scale)]


def test_one_bad_line_refuses_the_whole_batch(fake: FakeInflux) -> None:
    reply = post(fake, b"m v=1 1\nm v=x 2\n# a comment\n\nm v= 3\nm v=4 4")
    assert (reply.status_code, reply.headers["X-Platform-Error-Code"]) == (400, "invalid")
    message = "unable to parse 'm v=x 2': invalid boolean\nunable to parse 'm v= 3': missing field value"
    assert reply.json() == {"code": "invalid", "message": message}
    assert not fake.points


def test_a_clash_of_types_stores_the_rest_and_names_the_first(fake: FakeInflux) -> None:
    reply = post(fake, b"m v=1 1\nm v=2i 2\nm v=3 3\nm v=T 4")
    assert (reply.status_code, reply.headers["X-Platform-Error-Code"]) == (422, "unprocessable entity")
    assert reply.json()["message"] == (
        "failure writing points to database: partial write: field type conflict: "
        'input field "v" on measurement "m" is type integer, already exists as type float dropped=2'
    )
    assert sorted(at for _, _, at in fake.points) == [10**9, 3 * 10**9]


def test_another_week_takes_another_type(fake: FakeInflux) -> None:
    assert post(fake, b"m v=1 0\nm v=2i %d\nm w=1 1" % WEEK).status_code == 204
    assert len(fake.points) == 3


def test_a_type_is_fixed_even_by_a_point_that_is_refused(fake: FakeInflux) -> None:
    assert post(fake, b"m v=1 1").status_code == 204
    assert post(fake, b"m a=1i,v=1i 2").status_code == 422
    assert post(fake, b"m a=1 3").status_code == 422


def test_a_field_called_time_is_lost_and_alone_it_is_refused(fake: FakeInflux) -> None:
    assert post(fake, b"m time=1,v=2 1").status_code == 204
    assert [set(fields) for fields in fake.points.values()] == [{"v"}]
    assert 'input field "time" on measurement "m" is invalid dropped=1' in post(fake, b"m time=1 2").text.replace(
        '\\"', '"'
    )


def test_points_before_the_retention_are_refused(fake: FakeInflux) -> None:
    fake.add_bucket("short", retention_seconds=3600)
    reply = post(fake, b"m v=1 1\nm v=2", bucket="short")
    assert reply.status_code == 422
    assert "dropped 1 points outside retention policy of duration 1h0m0s" in reply.json()["message"]
    assert len(fake.buckets["short"].points) == 1


def test_a_string_beyond_a_mebibyte_is_refused(fake: FakeInflux) -> None:
    reply = post(fake, b'm v="%b" 1\nm v="y" 2' % (b"x" * (2**20 + 1)))
    assert (reply.status_code, len(fake.points)) == (422, 1)
    assert 'input field "v" on measurement "m" is too long, 1048577 > 1048576' in reply.json()["message"]


def test_the_same_series_and_instant_overwrites(fake: FakeInflux) -> None:
    post(fake, b"m,b=1,a=2 v=1,w=1 1\nm,a=2,b=1 v=2 1")
    ((key, fields),) = fake.points.items()
    assert key == ("m", (("a", "2"), ("b", "1")), 10**9)
    assert {name: value for name, (_, value) in fields.items()} == {"v": 2.0, "w": 1.0}


def test_gzip_counts_unpacked() -> None:
    body = b"\n".join(b"m v=1 %d" % at for at in range(1000))
    with FakeInflux(largest_body=5000) as fake:
        headers = {"Authorization": f"Bearer {fake.token}", "Content-Encoding": "gzip"}
        url = f"{fake.url}/api/v2/write?org=home&bucket=twinning&precision=s"
        reply = httpx.post(url, content=gzip.compress(body), headers=headers, trust_env=False, verify=False)
        assert (reply.status_code, reply.headers["X-Platform-Error-Code"]) == (413, "request too large")
        assert (
            httpx.post(
                url, content=gzip.compress(body[:4999]), headers=headers, trust_env=False, verify=False
            ).status_code
            == 204
        )
        assert httpx.post(url, content=b"no gzip", headers=headers, trust_env=False, verify=False).status_code == 500


@pytest.mark.parametrize(
    ("token", "params", "status", "code", "message"),
    [
        ("", {}, 401, "unauthorized", "unauthorized access"),
        ("Token wrong", {}, 401, "unauthorized", "unauthorized access"),
        ("Basic reader", {}, 401, "unauthorized", "unauthorized access"),
        ("Token reader", {}, 403, "forbidden", "insufficient permissions for write"),
        ("Token reader", {"org": "x"}, 404, "not found", 'organization name "x" not found'),
        ("Token reader", {"bucket": "x"}, 404, "not found", 'bucket "x" not found'),
        (
            "Token reader",
            {"precision": "m", "org": "x"},
            400,
            "invalid",
            "invalid precision; valid precision units are ns, us, ms, and s",
        ),
    ],
)
def test_who_may_write_where(
    fake: FakeInflux, token: str, params: dict[str, str], status: int, code: str, message: str
) -> None:
    place = {"org": fake.org, "bucket": fake.bucket} | params
    reply = httpx.post(f"{fake.url}/api/v2/write", params=place, content=b"m v=1", headers={"Authorization": token})
    assert (reply.status_code, reply.headers["X-Platform-Error-Code"]) == (status, code)
    assert reply.json() == {"code": code, "message": message}


def test_seconds_without_a_precision_land_in_1970(fake: FakeInflux) -> None:
    headers = {"Authorization": f"Token {fake.token}"}
    httpx.post(f"{fake.url}/api/v2/write?org=home&bucket=twinning", content=b"m v=1 1700000000", headers=headers)
    assert list(fake.points) == [("m", (), 1_700_000_000)]


@pytest.mark.parametrize(
    ("predicate", "left"),
    [
        ('_measurement="m" AND "person"="ada"', 3),
        ('_measurement="m" and person="ada" and source="w"', 4),
        ('"person"="ada"', 2),
        ("", 1),
    ],
)
def test_delete_takes_equality_and_both_ends(fake: FakeInflux, predicate: str, left: int) -> None:
    lines = [
        b"m,person=ada v=1 1",
        b"m,person=ada,source=w v=1 2",
        b"m,person=bob v=1 2",
        b"n,person=ada v=1 2",
    ]
    post(fake, b"\n".join([*lines, b"m,person=ada v=1 3"]))
    body = {"start": "1970-01-01T00:00:01Z", "stop": "1970-01-01T00:00:02Z", "predicate": predicate}
    assert delete(fake, body).status_code == 204
    assert len(fake.points) == left


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"predicate": 'person="ada" OR person="bob"'}, 400),
        ({"predicate": 'person!="ada"'}, 400),
        ({"predicate": "person='ada'"}, 400),
        ({"predicate": '_field="value"'}, 501),
        ({"start": "yesterday"}, 400),
        ({"stop": None}, 400),
    ],
)
def test_delete_refuses_what_the_original_refuses(
    fake: FakeInflux, changed: dict[str, str | None], status: int
) -> None:
    body: dict[str, str | None] = {"start": "1970-01-01T00:00:01Z", "stop": "1970-01-02T00:00:02.000000001Z"}
    assert delete(fake, body).status_code == 204
    assert delete(fake, body | changed).status_code == status


def delete(fake: FakeInflux, body: Mapping[str, str | None]) -> httpx.Response:
    return httpx.post(
        f"{fake.url}/api/v2/delete",
        params={"org": fake.org, "bucket": fake.bucket},
        json=body,
        headers={"Authorization": f"Token {fake.token}"},
        trust_env=False,
        verify=False,
    )


@pytest.mark.parametrize(("fault", "stored"), [(HangUp(stored=False), 0), (HangUp(stored=True), 1), (HalfAnswer(), 1)])
def test_a_dropped_connection_is_seen_as_such(fake: FakeInflux, fault: HangUp | HalfAnswer, stored: int) -> None:
    fake.script.append(fault)
    with pytest.raises(httpx.RemoteProtocolError):
        post(fake, b"m v=1 1")
    assert len(fake.points) == stored


def test_half_an_answer_has_half_a_body(fake: FakeInflux) -> None:
    fake.script.append(HalfAnswer())
    with socket.create_connection(fake.url.removeprefix("http://").split(":")) as client:  # type: ignore[arg-type]
        client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        received = b"".join(iter(lambda: client.recv(4096), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    assert 0 < len(body) < int(head.rpartition(b"Content-Length: ")[2])


def test_the_script_is_followed_in_order(fake: FakeInflux) -> None:
    fake.script.extend([Instead(Reply(503, b"", {"Retry-After": "7"})), None, Instead(Reply(429))])
    replies = [post(fake, b"m v=1 1") for _ in range(4)]
    assert [reply.status_code for reply in replies] == [503, 204, 429, 204]
    assert replies[0].headers["Retry-After"] == "7"
    assert len(fake.exchanges) == 4


@pytest.fixture(scope="module")
def schemas() -> dict[str, jsonschema.Draft202012Validator]:
    if not DESCRIPTION.exists():
        pytest.skip(f"no description of InfluxDB's API at {DESCRIPTION}")
    resource = Resource.from_contents(json.loads(DESCRIPTION.read_text()), default_specification=DRAFT202012)
    registry: Registry[object] = Registry().with_resource("urn:influxdb", resource)
    names = ["Error", "Buckets", "Bucket", "Organizations", "HealthCheck"]
    return {
        name: jsonschema.Draft202012Validator({"$ref": f"urn:influxdb#/components/schemas/{name}"}, registry=registry)
        for name in names
    }


def test_what_it_says_is_as_described(fake: FakeInflux, schemas: dict[str, jsonschema.Draft202012Validator]) -> None:
    """Errors are held against `Error`: the server's own answers lack what `LineProtocolError` requires."""
    fake.largest_body = 1000
    with httpx.Client(
        base_url=fake.url, headers={"Authorization": f"Token {fake.token}"}, trust_env=False, verify=False
    ) as client:
        client.get("/health")
        client.get("/health", headers={"Authorization": ""})
        client.get("/api/v2/orgs", params={"org": "home"})
        client.get("/api/v2/orgs", params={"org": "away"})
        client.get("/api/v2/buckets", params={"org": "home", "name": "twinning"})
        client.get("/api/v2/buckets", params={"org": "home", "name": "other"})
        rule = {"type": "expire", "everySeconds": 0, "shardGroupDurationSeconds": 86_400}
        made = {"orgID": fake.org_id, "name": "other", "retentionRules": [rule]}
        for body in (made, made, {"name": "third"}):
            client.post("/api/v2/buckets", json=body)
        for content in (b"m v=1 1", b"m v=x", b"m v=1i 2", b"m" * 1001):
            post(fake, content)
        client.get("/query", params={"db": "twinning", "q": "no such query"}, headers={"Authorization": "Token x"})
        delete(fake, {"start": "", "stop": "", "predicate": ""})
    described = {("/health", 200): "HealthCheck", ("/api/v2/orgs", 200): "Organizations"}
    described |= {("/api/v2/buckets", 200): "Buckets", ("/api/v2/buckets", 201): "Bucket"}
    checked = set()
    for request, reply in fake.exchanges:
        if reply.status != 204:
            name = "Error" if reply.status >= 400 else described[request.path, reply.status]
            schemas[name].validate(json.loads(reply.body))
            checked.add((name, reply.status))
    assert len(checked) == 9
