"""Line protocol: the rows of a table as the bytes that InfluxDB reads, `steps,person=ada value=12 17000000`.

The rules are those of InfluxDB's own parser (`models/points.go`, alike in 1.6.7 and 2.8.0), which is stricter
than its manual: in a name a backslash escapes only a comma, an equals sign or a blank, and can't be escaped
itself. What no escape can carry is refused here, because the server would store something else.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

Precision = Literal["s", "ms", "us", "ns"]

# InfluxDB drops a field called `time` without a word and refuses all four as tags.
RESERVED = frozenset({"time", "_field", "_measurement", "\0"})
# It takes a line that starts with # for a comment, and skips the other two.
_NOT_FIRST = ("#", "\t", "\0")
# A server skips these at the start of a line, and so does what it quotes.
_BLANKS = b" \t\0"
_QUOTATION = b"unable to parse '"
_NUMBERS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
_UNCARRIABLE = re.compile(r"\n|\\(?=[,= ]|\Z)")


def measurement_name(name: str) -> str:
    """A measurement as it stands in a line. Raises ValueError where no escape can carry it."""
    if name.startswith(_NOT_FIRST):
        raise ValueError(f"measurement {name!r}: a line that starts with {name[0]!r} is no point to InfluxDB")
    return _carriable("measurement", name).replace(",", "\\,").replace(" ", "\\ ")


def tag_text(text: str) -> str:
    """A tag's name or value as it stands in a line. Raises ValueError where no escape can carry it."""
    return _carriable("tag", text).replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")


def field_name(name: str) -> str:
    """A field's name as it stands in a line. Raises ValueError where no escape can carry it."""
    if name.startswith(_NOT_FIRST) or '\\"' in name:
        raise ValueError(f"field {name!r}: InfluxDB would store another name")
    return _carriable("field", name).replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")


def string_value(text: str) -> str:
    """A string field's value with its quotes. Every text can be carried, line breaks too."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _carriable(what: str, name: str) -> str:
    if not name:
        raise ValueError(f"a {what} needs at least one character")
    if _UNCARRIABLE.search(name):
        raise ValueError(f"{what} {name!r}: line protocol can't carry this line break or backslash")
    return name


def encode(
    table: pa.Table | pa.RecordBatch,
    *,
    measurement: str | pa.Array | pa.ChunkedArray,
    tags: Sequence[str],
    fields: Sequence[str],
    at: str,
    precision: Precision = "s",
) -> pa.BinaryArray:
    """One line for each row, in the order of the rows, with its tags sorted.

    `measurement` is the name for all rows, or a column with one for each, `table["metric"]` say. The others
    name columns: `tags` hold strings, dictionary-encoded or plain; a null or empty one is left out. `fields`
    hold numbers (always written as floats: a whole number would fix the field's type as integer), booleans or
    strings; a null is left out. `at` holds integers in `precision` since 1970, or timestamps with a zone that
    `precision` can express exactly.

    Raises ValueError for NaN and infinity, an integer that no float can hold, a row without a measurement, a
    field or an instant, a name or tag that can't be carried, and a tag or field that is reserved or repeated.
    """
    names = [*tags, *fields]
    if not fields or len(set(names)) < len(names) or not RESERVED.isdisjoint(names):
        raise ValueError(f"tags {list(tags)}, fields {list(fields)}: none, one twice, or a reserved name")
    pairs = [pc.binary_join_element_wise(f"{field_name(name)}=", _values(table, name), "") for name in fields]
    values = reduce(_and, pairs)
    _refuse(pc.is_null(values), f"no value in {', '.join(fields)}")
    measured = pa.repeat(measurement, table.num_rows) if isinstance(measurement, str) else measurement
    series = _series(table, _whole(measured), sorted(tags, key=tag_text))
    lines = pc.binary_join_element_wise(series, values, _instants(table, at, precision), " ")
    return lines.cast(pa.binary())


def stands_alone(line: bytes) -> bool:
    """Whether a server ends this line where we do, whatever follows it.

    An odd quote or a last backslash makes it read on into the next line, which would then be lost or wrong.
    """
    if b'"' not in line and b"\n" not in line and not line.endswith(b"\\"):
        return True
    at = equals = commas = 0
    quoted = in_fields = False
    while at < len(line):
        byte = line[at : at + 1]
        if byte == b"\\":
            at += 1
        elif byte == b"\n" and not quoted:
            return False
        elif byte == b" ":
            in_fields = True
        elif in_fields and byte == b'"' and equals > commas:
            quoted = not quoted
        elif in_fields and not quoted:
            equals += byte == b"="
            commas += byte == b","
        at += 1
    return not quoted and at == len(line)


def batches(lines: Iterable[bytes], *, most_lines: int, most_bytes: int) -> Iterator[list[bytes]]:
    """Lines in their order, by the call; bytes count line breaks. Leaves out blank lines and comments.

    A line that would swallow the next one travels alone, and so does one that is too long by itself.
    """
    batch, size = list[bytes](), 0
    for line in lines:
        if line.lstrip(_BLANKS)[:1] in {b"", b"#"}:
            continue
        alone = not stands_alone(line)
        if batch and (alone or len(batch) >= most_lines or size + len(line) > most_bytes):
            yield batch
            batch, size = [], 0
        if alone:
            yield [line]
            continue
        batch.append(line)
        size += len(line) + 1
    if batch:
        yield batch


def unparsable(message: str, lines: Sequence[bytes]) -> dict[bytes, str]:
    """Which of `lines` a server's 400 names, and why: `unable to parse 'LINE': reason`, one after another.

    A line may itself hold quotes, so a quotation ends where it equals one of the lines.
    """
    text = message.encode(errors="replace")
    known = {line.lstrip(_BLANKS) for line in lines}
    reasons = dict[bytes, str]()
    for quotation in text.partition(_QUOTATION)[2].split(b"\n" + _QUOTATION):
        end = quotation.rfind(b"': ")
        while end >= 0 and quotation[:end] not in known:
            end = quotation.rfind(b"': ", 0, end)
        if end >= 0:
            # InfluxDB 1.x ends the whole message with how many points it dropped for other reasons.
            reason = quotation[end + 3 :].decode(errors="replace")
            reasons[quotation[:end]] = re.sub(r" dropped=\d+$", "", reason)
    return {line: reasons[line.lstrip(_BLANKS)] for line in lines if line.lstrip(_BLANKS) in reasons}


def _and(left: pa.StringArray, right: pa.StringArray) -> pa.StringArray:
    """Both with a comma between, or the one there is. `null_handling="skip"` loses rows in pyarrow 26."""
    return pc.coalesce(pc.binary_join_element_wise(left, right, ","), left, right)


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _series(table: pa.Table | pa.RecordBatch, measurement: pa.Array, tags: Sequence[str]) -> pa.StringArray:
    """`measurement,tag=text` for each row, built once for each combination that occurs."""
    series = _spelled(measurement, measurement_name)
    for tag in tags:
        series = _beside(series, _spelled(_whole(table.column(tag)), _tag_speller(tag)))
    return series.dictionary.take(series.indices)


def _tag_speller(tag: str) -> Callable[[str], str]:
    lead = f",{tag_text(tag)}="
    return lambda text: lead + tag_text(text) if text else ""


def _spelled(column: pa.Array, spell: Callable[[str], str]) -> pa.DictionaryArray:
    """The column with each distinct text spelled once. Null counts as empty."""
    coded = pc.fill_null(column.cast(pa.string()), "").dictionary_encode()
    spelled = [spell(text) for text in coded.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(coded.indices, pa.array(spelled, pa.string()))


def _beside(left: pa.DictionaryArray, right: pa.DictionaryArray) -> pa.DictionaryArray:
    """Both texts side by side. Pairs are numbered anew at each step, so their product can't overflow."""
    width = pa.scalar(max(len(right.dictionary), 1), pa.int64())
    numbers = pc.add(pc.multiply(left.indices.cast(pa.int64()), width), right.indices.cast(pa.int64()))
    pairs = numbers.dictionary_encode()
    first = pc.divide(pairs.dictionary, width)
    second = pc.subtract(pairs.dictionary, pc.multiply(first, width))
    texts = pc.binary_join_element_wise(left.dictionary.take(first), right.dictionary.take(second), "")
    return pa.DictionaryArray.from_arrays(pairs.indices, texts)


def _values(table: pa.Table | pa.RecordBatch, name: str) -> pa.StringArray:
    """A field's column as it stands in a line, null where it has none."""
    column = _whole(table.column(name))
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_boolean(column.type):
        return column.cast(pa.string())
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        slashed = pc.replace_substring(column.cast(pa.string()), "\\", "\\\\")
        return pc.binary_join_element_wise('"', pc.replace_substring(slashed, '"', '\\"'), '"', "")
    if not any(is_number(column.type) for is_number in _NUMBERS):
        raise ValueError(f"{name}: a column of {column.type} can't be a field")
    numbers = column.cast(pa.float64())
    _refuse(pc.invert(pc.is_finite(numbers)), f"{name} is NaN or infinite")
    return numbers.cast(pa.string())


def _instants(table: pa.Table | pa.RecordBatch, name: str, precision: Precision) -> pa.StringArray:
    column = _whole(table.column(name))
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        column = column.cast(pa.timestamp(precision, column.type.tz)).cast(pa.int64())
    if not pa.types.is_integer(column.type):
        raise ValueError(f"{name}: a column of {column.type} holds no instants")
    _refuse(pc.is_null(column), f"no instant in {name}")
    return column.cast(pa.string())


def _refuse(bad: pa.BooleanArray, why: str) -> None:
    """Raises ValueError with the first row, counted from 0, where `bad` is true."""
    row = pc.index(bad, True).as_py()
    if row >= 0:
        raise ValueError(f"row {row}: {why}")
