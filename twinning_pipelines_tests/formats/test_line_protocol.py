"""The encoder writes what a strict reader reads back, or refuses."""

import math
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinning_pipelines.formats.line_protocol import (
    Precision,
    batches,
    encode,
    field_name,
    measurement_name,
    stands_alone,
    string_value,
    tag_text,
    unparsable,
)
from twinning_pipelines_tests.far_sides.line_protocol_parser import blocks, parse_line

# pyarrow imports pandas at its first conversion, and other work may have the processor.
unhurried = settings(deadline=None)
# The characters that mean something to some parser, and a few that mean nothing.
AWKWARD = st.text(st.sampled_from("\\,= \"'\n\t\r#\0aé日😀"), min_size=1, max_size=8)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def lines_of(table: pa.Table, tags: tuple[str, ...] = ("person", "source")) -> list[bytes]:
    lines: list[bytes] = encode(table, measurement=table["metric"], tags=tags, fields=("value",), at="at").to_pylist()
    return lines


def heart_rates(**columns: object) -> pa.Table:
    base = {
        "metric": ["heart_rate"],
        "person": ["ada"],
        "source": ["watch"],
        "value": [72.5],
        "at": [1_700_000_000],
    }
    return pa.table(base | columns)


def test_a_line() -> None:
    assert lines_of(heart_rates()) == [b"heart_rate,person=ada,source=watch value=72.5 1700000000"]


def test_tags_are_sorted_as_the_server_sorts_them() -> None:
    table = pa.table({"b": ["1"], "a": ["2"], "B": ["3"], "value": [1.0], "at": [0]})
    lines = encode(table, measurement="m", tags=("b", "a", "B"), fields=("value",), at="at").to_pylist()
    assert lines == [b"m,B=3,a=2,b=1 value=1 0"]


@pytest.mark.parametrize("absent", [None, ""])
def test_an_empty_tag_is_left_out(absent: str | None) -> None:
    table = heart_rates(person=pa.array([absent], pa.string()))
    assert lines_of(table) == [b"heart_rate,source=watch value=72.5 1700000000"]


def test_no_tag_at_all() -> None:
    assert lines_of(heart_rates(), tags=()) == [b"heart_rate value=72.5 1700000000"]


def test_one_name_for_all_rows() -> None:
    table = pa.table({"value": [1.0, 2.0], "at": [1, 2]})
    lines = encode(table, measurement="body mass", tags=(), fields=("value",), at="at").to_pylist()
    assert lines == [b"body\\ mass value=1 1", b"body\\ mass value=2 2"]


def test_rows_keep_their_order_and_their_series() -> None:
    metrics = ["steps", "heart_rate", "steps", "steps", "heart_rate"]
    people = ["ada", "ada", "bob", None, "bob"]
    table = pa.table(
        {
            "metric": pa.array(metrics).dictionary_encode(),
            "person": pa.array(people).dictionary_encode(),
            "source": ["phone"] * 5,
            "value": [1.0, 2.0, 3.0, 4.0, 5.0],
            "at": [5, 4, 3, 2, 1],
        }
    )
    assert lines_of(table) == [
        b"steps,person=ada,source=phone value=1 5",
        b"heart_rate,person=ada,source=phone value=2 4",
        b"steps,person=bob,source=phone value=3 3",
        b"steps,source=phone value=4 2",
        b"heart_rate,person=bob,source=phone value=5 1",
    ]


def test_chunks_with_dictionaries_of_their_own() -> None:
    def chunk(person: str, at: int) -> pa.Table:
        return heart_rates(person=pa.array([person]).dictionary_encode(), at=[at])

    table = pa.concat_tables([chunk("ada", 1), chunk("bob", 2)])
    assert [line.split(b",")[1] for line in lines_of(table)] == [b"person=ada", b"person=bob"]
    assert lines_of(table.slice(1)) == lines_of(table)[1:]


def test_a_record_batch_and_an_empty_table() -> None:
    batch = heart_rates().to_batches()[0]
    lines = encode(batch, measurement=batch["metric"], tags=("person",), fields=("value",), at="at")
    assert lines.to_pylist() == [b"heart_rate,person=ada value=72.5 1700000000"]
    assert lines_of(heart_rates().slice(1)) == []


@pytest.mark.parametrize(
    ("values", "written"),
    [
        (pa.array([3]), b"3"),
        (pa.array([-0.0]), b"-0"),
        (pa.array([1e300]), b"1e+300"),
        (pa.array([0.1], pa.float32()), b"0.10000000149011612"),
        (pa.array([Decimal("12.50")]), b"12.5"),
        (pa.array([True]), b"true"),
        (pa.array(['a "b" \\ c']), b'"a \\"b\\" \\\\ c"'),
        (pa.array(["two\nlines"]).dictionary_encode(), b'"two\nlines"'),
    ],
)
def test_values_by_type(values: pa.Array, written: bytes) -> None:
    assert lines_of(heart_rates(value=values))[0] == b"heart_rate,person=ada,source=watch value=%b 1700000000" % written


def test_several_fields_of_which_some_are_empty() -> None:
    table = pa.table({"n": [1, None], "low": [None, 2.5], "note": ["x", None], "at": [1, 2]})
    lines = encode(table, measurement="m", tags=(), fields=("n", "low", "note"), at="at").to_pylist()
    assert lines == [b'm n=1,note="x" 1', b"m low=2.5 2"]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_no_number_is_refused_with_its_row(number: float) -> None:
    table = pa.table({"value": [1.0, number], "at": [1, 2]})
    with pytest.raises(ValueError, match="row 1: value is NaN or infinite"):
        encode(table, measurement="m", tags=(), fields=("value",), at="at")


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"value": pa.array([None], pa.float64())}, "row 0: no value"),
        ({"at": pa.array([None], pa.int64())}, "row 0: no instant"),
        ({"metric": pa.array([None], pa.string())}, "at least one character"),
        ({"metric": ["#steps"]}, "no point"),
        ({"metric": ["a\nb"]}, "line break"),
        ({"person": ["ada\\"]}, "backslash"),
        ({"person": ["a\\ b"]}, "backslash"),
        ({"value": [2**53 + 1]}, "not in range"),
        ({"value": pa.array([[1.0]])}, "can't be a field"),
        ({"at": [datetime(2026, 1, 1)]}, "holds no instants"),
        ({"at": [1.5]}, "holds no instants"),
    ],
)
def test_what_cannot_be_carried_is_refused(columns: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        lines_of(heart_rates(**columns))


@pytest.mark.parametrize(
    ("tags", "fields"),
    [
        (("time",), ("value",)),
        (("_field",), ("value",)),
        (("\0",), ("value",)),
        (("a",), ("time",)),
        (("a", "a"), ("value",)),
        (("a",), ()),
    ],
)
def test_names_are_neither_reserved_nor_repeated(tags: tuple[str, ...], fields: tuple[str, ...]) -> None:
    table = pa.table({"a": ["x"], "time": ["y"], "_field": ["z"], "\0": ["z"], "value": [1.0], "at": [1]})
    with pytest.raises(ValueError, match="reserved"):
        encode(table, measurement="m", tags=tags, fields=fields, at="at")


@pytest.mark.parametrize(
    ("precision", "written"), [("s", b"1"), ("ms", b"1000"), ("us", b"1000000"), ("ns", b"1000000000")]
)
def test_a_timestamp_in_each_precision(precision: Precision, written: bytes) -> None:
    table = pa.table({"value": [1.0], "at": pa.array([datetime.fromtimestamp(1, UTC)], pa.timestamp("ns", "UTC"))})
    lines = encode(table, measurement="m", tags=(), fields=("value",), at="at", precision=precision)
    assert lines.to_pylist() == [b"m value=1 " + written]


def test_two_samples_of_one_second_do_not_become_one() -> None:
    table = pa.table({"value": [1.0, 2.0], "at": pa.array([1000, 1500], pa.timestamp("ms", "UTC"))})
    with pytest.raises(ValueError, match="would lose data"):
        encode(table, measurement="m", tags=(), fields=("value",), at="at", precision="s")
    lines = encode(table, measurement="m", tags=(), fields=("value",), at="at", precision="ms").to_pylist()
    assert lines == [b"m value=1 1000", b"m value=2 1500"]


@unhurried
@given(st.lists(st.tuples(*[st.none() | FLOATS] * 3), max_size=5))
def test_a_line_holds_the_values_that_are_there(rows: list[tuple[float | None, ...]]) -> None:
    columns = {name: pa.array([row[place] for row in rows], pa.float64()) for place, name in enumerate("abc")}
    table = pa.table(columns | {"at": pa.array(range(len(rows)), pa.int64())})
    present = [{name: value for name, value in zip("abc", row, strict=True) if value is not None} for row in rows]
    names = ("a", "b", "c")
    if {} in present:
        with pytest.raises(ValueError, match=f"row {present.index({})}: no value"):
            encode(table, measurement="m", tags=(), fields=names, at="at")
        return
    lines = encode(table, measurement="m", tags=(), fields=names, at="at").to_pylist()
    points = [parse_line(line, "s") for line in lines]
    assert [{name: value for name, (_, value) in point.fields.items()} for point in points] == present


@unhurried
@given(AWKWARD, AWKWARD, AWKWARD, AWKWARD, st.text(), FLOATS, st.integers(-(2**33), 2**33))
def test_what_is_written_is_what_is_read(
    metric: str, tag: str, text: str, name: str, note: str, value: float, at: int
) -> None:
    if len({tag, name, "n", "at"}) < 4:
        return
    table = pa.table({tag: [text], name: [note], "n": [value], "at": [at]})
    try:
        (line,) = encode(table, measurement=metric, tags=(tag,), fields=(name, "n"), at="at").to_pylist()
    except ValueError:
        return
    point = parse_line(line, "s")
    assert (point.measurement, point.tags) == (metric, ((tag, text),))
    assert {field: value for field, (_, value) in point.fields.items()} == {name: note, "n": value}
    assert point.fields["n"].kind == "float"
    assert point.nanoseconds == at * 10**9
    assert stands_alone(line)


@unhurried
@given(st.text(st.characters(exclude_characters="\\\n\0\t#", codec="utf-8"), min_size=1))
def test_all_ordinary_text_can_be_carried(text: str) -> None:
    for spell in (measurement_name, tag_text, field_name, string_value):
        assert spell(text)


@unhurried
@given(st.lists(FLOATS, min_size=1, max_size=50))
def test_floats_survive_to_the_last_bit(values: list[float]) -> None:
    table = pa.table({"value": values, "at": range(len(values))})
    lines = encode(table, measurement="m", tags=(), fields=("value",), at="at").to_pylist()
    read = [parse_line(line, "s").fields["value"] for line in lines]
    assert [(kind, str(value)) for kind, value in read] == [("float", str(value)) for value in values]


@unhurried
@given(st.text(st.sampled_from('\\,= "\nav1'), max_size=16).map(str.encode))
def test_stands_alone_agrees_with_the_reader(line: bytes) -> None:
    assert stands_alone(line) == (next(blocks(line + b"\nm value=1 1")) == line)


@unhurried
@given(
    st.lists(st.sampled_from([b"m v=1 1", b"mm v=22 2", b"", b" ", b"# c", b'm v="a 3', b"m v=1 4\\", b"m" * 40])),
    st.integers(1, 5),
    st.integers(10, 60),
)
def test_batches_keep_every_point_within_the_limits(lines: list[bytes], most_lines: int, most_bytes: int) -> None:
    found = list(batches(lines, most_lines=most_lines, most_bytes=most_bytes))
    points = [line for line in lines if line.strip() and not line.startswith(b"#")]
    assert [line for batch in found for line in batch] == points
    for batch in found:
        assert 1 <= len(batch) <= most_lines
        assert len(batch) == 1 or (len(b"\n".join(batch)) <= most_bytes and all(map(stands_alone, batch)))


@unhurried
@given(st.lists(st.text(st.sampled_from("': \"ab\n\\"), min_size=1, max_size=8), min_size=1, max_size=6, unique=True))
def test_the_lines_of_a_message_are_found_again(texts: list[str]) -> None:
    lines = [f"m{place} {text}".encode() for place, text in enumerate(texts)]
    refused = lines[::2]
    message = "\n".join(f"unable to parse '{line.decode()}': reason {n}" for n, line in enumerate(refused))
    assert unparsable(message, lines) == {line: f"reason {n}" for n, line in enumerate(refused)}


@pytest.mark.parametrize("message", ["", "no such thing", "unable to parse 'other v=1': why", "unable to parse '"])
def test_a_message_that_names_none_of_the_lines(message: str) -> None:
    assert unparsable(message, [b"m v=1 1"]) == {}


def test_the_quotation_of_the_whole_line_wins_over_that_of_its_beginning() -> None:
    lines = [b"m v=1 1", b"m v=1 1': x"]
    assert unparsable("unable to parse 'm v=1 1': x': bad timestamp", lines) == {lines[1]: "bad timestamp"}


def test_the_tail_of_a_1x_message_is_no_part_of_the_reason() -> None:
    message = "partial write: unable to parse ' m v=': missing field value dropped=0".replace("' m", "'m")
    assert unparsable(message, [b"  m v="]) == {b"  m v=": "missing field value"}
