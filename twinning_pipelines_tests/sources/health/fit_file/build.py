"""FIT files for tests, message by message: `python -m …fit_file.build` writes the samples beside this module again.

A field is (number, base type, value); the numbers are those of Garmin's FIT profile.
"""

import struct
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
_EPOCH = datetime(1989, 12, 31, tzinfo=UTC)
_CRC = (
    0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
    0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400,
)  # fmt: skip

# Base type -> (number in the file, struct format).
TYPES = {
    "enum": (0x00, "B"), "sint8": (0x01, "b"), "uint8": (0x02, "B"), "sint16": (0x83, "h"), "uint16": (0x84, "H"),
    "sint32": (0x85, "i"), "uint32": (0x86, "I"), "byte": (0x0D, "B"), "string": (0x07, "s"), "uint32z": (0x8C, "I"),
}  # fmt: skip
FILE_ID, SESSION, LAP, RECORD, EVENT, WEIGHT, ACTIVITY, MONITORING, HRV, INFO = 0, 18, 19, 20, 21, 30, 34, 55, 78, 103
SLEEP_LEVEL, SLEEP_ASSESSMENT, FIELD_DESCRIPTION, DEVELOPER_DATA_ID, SET, SPO2, STRESS = (
    275,
    346,
    206,
    207,
    225,
    269,
    227,
)

Field = tuple[int, str, object]


def seconds(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """A UTC moment as FIT counts it."""
    return int((datetime(year, month, day, hour, minute, second, tzinfo=UTC) - _EPOCH).total_seconds())


def semicircles(degrees: float) -> int:
    """Degrees as FIT counts them."""
    return round(degrees * 2**31 / 180)


def crc(data: bytes) -> int:
    """The checksum of Garmin's SDK."""
    value = 0
    for byte in data:
        for nibble in (byte & 0xF, byte >> 4):
            value = ((value >> 4) & 0x0FFF) ^ _CRC[value & 0xF] ^ _CRC[nibble]
    return value


def _packed(base: str, value: object) -> bytes:
    code = TYPES[base][1]
    if code == "s":
        return str(value).encode() + b"\0"
    parts = value if isinstance(value, list) else [value]
    return struct.pack(f"<{len(parts)}{code}", *parts)


def message(number: int, *fields: Field, own: Sequence[tuple[int, bytes]] = ()) -> bytes:
    """A definition and the message it defines, as local message 0; own: developer fields by number, as bytes."""
    cells = [(field, base, _packed(base, value)) for field, base, value in fields]
    definition = struct.pack("<BBBHB", 0x40 | (0x20 if own else 0), 0, 0, number, len(cells))
    definition += b"".join(struct.pack("<BBB", field, len(cell), TYPES[base][0]) for field, base, cell in cells)
    if own:
        definition += bytes([len(own)]) + b"".join(bytes([field, len(cell), 0]) for field, cell in own)
    return definition + b"\0" + b"".join(cell for _, _, cell in cells) + b"".join(cell for _, cell in own)


def fit(messages: Iterable[bytes]) -> bytes:
    """A whole file around its messages."""
    body = b"".join(messages)
    head = struct.pack("<BBHI4s", 14, 0x20, 2105, len(body), b".FIT")
    whole = head + struct.pack("<H", crc(head)) + body
    return whole + struct.pack("<H", crc(whole))


def file_id(kind: int, product: int = 3121) -> bytes:
    """Who wrote the file: Garmin, a product, its kind."""
    return message(FILE_ID, (0, "enum", kind), (1, "uint16", 1), (2, "uint16", product))


def _record(
    at: int, place: tuple[float, float] | None, rate: int, *more: Field, own: Sequence[tuple[int, bytes]] = ()
) -> bytes:
    fields: list[Field] = [(253, "uint32", at), (3, "uint8", rate), *more]
    if place:
        fields += [(0, "sint32", semicircles(place[0])), (1, "sint32", semicircles(place[1]))]
    return message(RECORD, *fields, own=own)


def run() -> bytes:
    """A run with a pause: two laps, five records, beats, an app's own field, an unknown message."""
    start = seconds(2026, 3, 29, 0, 50)
    altitude, cadence, speed, length = (
        (2, "uint16", 4540),
        (4, "uint8", 85),
        (73, "uint32", 2750),
        (85, "uint16", 10500),
    )
    return fit(
        [
            file_id(4),
            message(DEVELOPER_DATA_ID, (3, "uint8", 0)),
            message(
                FIELD_DESCRIPTION, (0, "uint8", 0), (1, "uint8", 0), (2, "uint8", 1), (3, "string", "doughnuts"),
                (8, "string", "pieces"),
            ),
            message(EVENT, (253, "uint32", start), (0, "enum", 0), (1, "enum", 0)),
            _record(start, (47.3769, 8.5417), 118, altitude, cadence, speed, length, own=[(0, b"\x01")]),
            message(HRV, (0, "uint16", [512, 508, 0xFFFF])),
            message(HRV, (0, "uint16", [500, 0xFFFF, 0xFFFF])),
            _record(start + 30, (47.3778, 8.5417), 131, (2, "uint16", 4552), (53, "uint8", 64), cadence),
            message(EVENT, (253, "uint32", start + 31), (0, "enum", 0), (1, "enum", 4)),
            message(EVENT, (253, "uint32", start + 91), (0, "enum", 0), (1, "enum", 0)),
            _record(start + 92, (47.3787, 8.5417), 0, (13, "sint8", -3)),
            _record(start + 120, None, 140, (39, "uint16", 765)),
            message(RECORD, (3, "uint8", 141)),
            message(
                LAP, (253, "uint32", start + 30), (2, "uint32", start), (7, "uint32", 30_000), (8, "uint32", 30_000),
                (9, "uint32", 10_000), (15, "uint8", 125),
            ),
            message(
                LAP, (253, "uint32", start + 125), (2, "uint32", start + 30), (7, "uint32", 90_000), (8, "uint32", 30_000),
                (9, "uint32", 10_050),
            ),
            message(0xFF00, (0, "uint8", 1)),
            message(LAP, (7, "uint32", 1_000)),
            message(
                SESSION, (253, "uint32", start + 300), (2, "uint32", start), (5, "enum", 1), (6, "enum", 0),
                (7, "uint32", 120_000), (8, "uint32", 60_000), (9, "uint32", 20_050), (10, "uint32", 82), (11, "uint16", 15),
                (16, "uint8", 130), (17, "uint8", 141), (22, "uint16", 2), (249, "uint8", 7),
            ),
            message(
                ACTIVITY, (253, "uint32", start + 300), (1, "uint16", 1), (5, "uint32", start + 300 + 7200),
            ),
        ]
    )  # fmt: skip


def _monitoring(short: int, kind: int, cycles: int, *more: Field) -> bytes:
    return message(MONITORING, (26, "uint16", short & 0xFFFF), (5, "enum", kind), (3, "uint32", cycles * 2), *more)


def day() -> bytes:
    """The counters of a day of a person at UTC+2, with the midnight that ends it, and a heart rate without a time."""
    midnight = seconds(2026, 5, 9, 22)
    return fit(
        [
            file_id(32, 1837),
            message(MONITORING, (27, "uint8", 60), (26, "uint16", 1)),
            message(INFO, (253, "uint32", midnight), (0, "uint32", midnight + 7200)),
            message(MONITORING, (26, "uint16", (midnight + 36_000) & 0xFFFF), (27, "uint8", 62)),
            _monitoring(midnight + 36_600, 6, 50),
            _monitoring(midnight + 40_200, 6, 80, (27, "uint8", 88)),
            _monitoring(midnight + 43_800, 1, 500),
            _monitoring(midnight + 43_800, 6, 90),
            _monitoring(midnight + 86_400, 6, 100),
            # Past midnight the counters begin again; 120 strides are more than yesterday's 100 all the same.
            _monitoring(midnight + 90_000, 6, 120),
        ]
    )


def afternoon() -> bytes:
    """A later file of a day: its counters had run before."""
    begin = seconds(2026, 5, 10, 12)
    return fit(
        [
            file_id(32, 1837),
            message(INFO, (253, "uint32", begin), (0, "uint32", begin + 7200)),
            _monitoring(begin + 60, 6, 2_000),
            _monitoring(begin + 660, 6, 2_030),
        ]
    )


def scale() -> bytes:
    """Two weighings and a blood oxygen, one weight impossible."""
    at = seconds(2026, 10, 25, 0, 30)
    return fit(
        [
            file_id(9, 2429),
            message(WEIGHT, (253, "uint32", at), (0, "uint16", 7_580), (1, "uint16", 2_230), (5, "uint16", 3_310)),
            message(WEIGHT, (253, "uint32", at + 86_400), (0, "uint16", 60_000), (10, "uint8", 41)),
            message(SPO2, (253, "uint32", at), (0, "uint8", 97)),
            message(STRESS, (1, "uint32", at), (0, "sint16", -2)),
            message(STRESS, (1, "uint32", at + 180), (0, "sint16", 31)),
        ]
    )


def night() -> bytes:
    """Stages of a night over the autumn change of the clocks."""
    at = seconds(2026, 10, 24, 21)
    levels = [(0, 1), (600, 2), (660, 2), (3_000, 3), (5_400, 0), (6_000, 4), (18_000, 1)]
    return fit(
        [
            file_id(49),
            *(message(SLEEP_LEVEL, (253, "uint32", at + after), (0, "enum", level)) for after, level in levels),
            message(SLEEP_ASSESSMENT, (6, "uint8", 82), (11, "uint8", 3)),
        ]
    )


def switched_on() -> bytes:
    """A watch without a clock: seconds since it was switched on, and the local time of the end."""
    return fit(
        [
            file_id(4, 1436),
            message(SESSION, (253, "uint32", 9_000), (2, "uint32", 5_000), (5, "enum", 2), (7, "uint32", 3_600_000)),
            message(ACTIVITY, (253, "uint32", 9_000), (5, "uint32", seconds(2026, 7, 1, 12))),
            message(RECORD, (253, "uint32", 5_010), (3, "uint8", 120)),
        ]
    )


def plan() -> bytes:
    """A course: a way that nobody has gone yet."""
    return fit([file_id(6), _record(seconds(2026, 3, 29, 0, 50), (47.0, 8.0), 100)])


def damaged() -> bytes:
    """A run that lost a byte within its third record."""
    whole = run()
    place = whole.index(struct.pack("<I", seconds(2026, 3, 29, 0, 50) + 92))
    return whole[:place] + whole[place + 1 :]


SAMPLES = {
    "run.fit": run,
    "day.fit": day,
    "afternoon.fit": afternoon,
    "scale.fit": scale,
    "night.fit": night,
    "switched_on.fit": switched_on,
    "plan.fit": plan,
    "damaged.fit": damaged,
}


def archive(path: Path) -> None:
    """A zip of some of them, one twice, one that is none, and one cut off in its header."""
    members = {
        "a/scale.fit": scale(), "a/scale copy.FIT": scale(), "b/switched_on.fit": switched_on(), "b/summary.json": b"{}",
        "c/cut.fit": run()[:11], "c/no.fit": b"not a FIT file at all",
    }  # fmt: skip
    with zipfile.ZipFile(path, "w") as zipped:
        for name, data in members.items():
            zipped.writestr(zipfile.ZipInfo(name, (2026, 11, 1, 12, 0, 0)), data)


if __name__ == "__main__":
    for name, build in SAMPLES.items():
        HERE.joinpath(name).write_bytes(build())
    archive(HERE / "watch.zip")
