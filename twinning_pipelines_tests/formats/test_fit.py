"""FIT to messages: damage, checksums, short times and whatever bytes there may be."""

import io
import struct
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinning_pipelines.errors import HostileFile, UnreadableFile
from twinning_pipelines.formats.fit import FitFile, files, is_fit
from twinning_pipelines_tests.sources.health.fit_file import build


def read(data: bytes) -> list[FitFile]:
    return list(files(io.BytesIO(data), len(data)))


def test_a_sound_file_has_its_messages_and_no_damage() -> None:
    [found] = read(build.run())
    assert (found.kind, found.damage, found.wrong_checksum) == ("activity", "", False)
    assert len(found.messages) == 19
    [_, _, record, *_] = found.all("record")
    assert record.moment("timestamp") == datetime(2026, 3, 29, 0, 51, 32, tzinfo=UTC)
    assert record.number("position_lat") == pytest.approx(47.3787, abs=1e-6)


def test_fields_of_apps_stand_apart_with_their_units() -> None:
    [found] = read(build.run())
    own = found.all("record")[0].own["doughnuts"]
    assert (own.value, own.unit) == (1, "pieces")


def test_invalid_values_are_absent() -> None:
    [found] = read(build.fit([build.file_id(4), build.message(build.RECORD, (3, "uint8", 0xFF), (4, "uint8", 90))]))
    assert found.messages[1].values == {"cadence": 90}


def test_a_local_time_is_naive_and_times_since_power_on_stay_numbers() -> None:
    [found] = read(build.switched_on())
    [activity] = found.all("activity")
    assert activity.values["local_timestamp"] == datetime(2026, 7, 1, 12)
    assert activity.values["timestamp"] == 9_000


def test_short_times_of_monitoring_go_on_from_the_last_full_one_past_their_overflow() -> None:
    full = build.seconds(2026, 5, 10)
    shorts = [(full + after) & 0xFFFF for after in (60, 60_000, 65_000, 120_000)]
    [found] = read(
        build.fit(
            [
                build.message(build.INFO, (253, "uint32", full)),
                *(build.message(build.MONITORING, (26, "uint16", short), (27, "uint8", 60)) for short in shorts),
            ]
        )
    )
    begin = found.messages[0].moment("timestamp")
    assert begin is not None
    after = [moment - begin for each in found.messages[1:] if (moment := each.moment("timestamp"))]
    assert [each.total_seconds() for each in after] == [60, 60_000, 65_000, 120_000]


def test_a_compressed_time_adds_to_the_last_full_one() -> None:
    at = build.seconds(2026, 5, 10, 0, 0, 30)
    # The header of a data message with bit 7 set holds the local message and the low five bits of the time.
    short = bytes([0x80 | (at + 4) & 0x1F, 77])
    definition = struct.pack("<BBBHB3B", 0x40, 0, 0, build.RECORD, 1, 3, 1, 0x02)
    [found] = read(build.fit([build.message(build.RECORD, (253, "uint32", at)), definition, short]))
    assert found.messages[1].values == {
        "heart_rate": 77,
        "timestamp": datetime(2026, 5, 10, 0, 0, 34, tzinfo=UTC),
    }


def test_chained_files_are_read_one_by_one() -> None:
    first, second = read(build.scale() + build.day())
    assert (first.kind, second.kind) == ("weight", "monitoring_b")
    assert second.messages[0].at == 1


def test_a_wrong_checksum_is_told_and_costs_nothing() -> None:
    whole = build.scale()
    [found] = read(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert found.wrong_checksum
    assert (found.damage, len(found.messages)) == ("", 6)


def test_a_file_that_breaks_off_gives_what_stands_before() -> None:
    [found] = read(build.scale()[:-20])
    assert found.damage == "the file breaks off"
    names = ["file_id", "weight_scale", "weight_scale", "spo2_data", "stress_level"]
    assert [message.name for message in found.messages] == names


def test_after_a_lost_byte_the_last_message_is_not_trusted() -> None:
    [found] = read(build.damaged())
    assert found.damage.startswith("it turns into nonsense")
    assert max(moment for each in found.messages if (moment := each.moment("timestamp"))).year == 2026


@pytest.mark.parametrize("data", [b"", b"\x0e\x20", b"PK\x03\x04" * 10, build.run()[:14]])
def test_what_holds_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableFile):
        read(data)


def test_a_file_of_gigabytes_is_hostile() -> None:
    with pytest.raises(HostileFile, match="128 MiB"):
        list(files(io.BytesIO(build.scale()), 2**31))


def test_the_mark_stands_in_the_header_and_nowhere_else() -> None:
    assert is_fit(build.scale()[:64])
    assert not is_fit(b"........FIT.....")
    assert not is_fit(b"\x0e.FIT")


@settings(deadline=None)
@given(st.data())
def test_no_bytes_whatever_end_in_another_exception(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from([build.run(), build.day(), build.night()])))
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(12, len(whole) - 1), st.integers(0, 255)), max_size=12)
    ):
        whole[place] = value
    with suppress(UnreadableFile):
        read(bytes(whole))
