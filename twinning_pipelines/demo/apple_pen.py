"""How Apple prints: moments with the fixed offset of the phone at export time, and devices with a memory address."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from twinning_pipelines.demo.agency import dice
from twinning_pipelines.demo.apple_kinds import Gadget, Kind

_DAY = 86_400
_CLOCK = [f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}" for second in range(_DAY)]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RECORDS_PER_POINTER = 50


def escaped(text: str) -> str:
    """A text as an attribute's value."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


class Pen:
    """Prints the elements of one export. Addresses of devices differ from export to export, as on a phone."""

    def __init__(self, exported_at: datetime, person: str) -> None:
        offset = exported_at.utcoffset() or timedelta()
        minutes = int(offset.total_seconds()) // 60
        self._away = minutes * 60
        self._offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
        self.person = person
        self._days: dict[int, str] = {}
        self._addresses = dice(0, exported_at.isoformat())

    def moment(self, at: int) -> str:
        """Seconds since 1970 as `2024-03-31 03:00:00 +0200`."""
        day, second = divmod(at + self._away, _DAY)
        printed = self._days.get(day)
        if printed is None:
            printed = self._days[day] = (_EPOCH + timedelta(days=day)).strftime("%Y-%m-%d")
        return f"{printed} {_CLOCK[second]} {self._offset}"

    @staticmethod
    def in_utc(at: int) -> str:
        """Seconds since 1970 as `2024-03-31T01:00:00Z`."""
        return f"{_EPOCH + timedelta(seconds=at):%Y-%m-%dT%H:%M:%SZ}"

    @staticmethod
    def identifier(rng: Random) -> str:
        """A UUID in capitals, from some dice."""
        return str(UUID(int=rng.getrandbits(128), version=4)).upper()

    def origin(self, gadget: Gadget) -> str:
        """The attributes that say which device it was; a new address each time."""
        source = escaped(gadget.source.format(person=self.person))
        named = f'sourceName="{source}" sourceVersion="{gadget.version}"'
        if gadget.device is None:
            return named
        address = 0x300000000 + self._addresses.randrange(0x3FFFFFF) * 0x10
        return f'{named} device="&lt;&lt;HKDevice: 0x{address:x}&gt;, {gadget.device}&gt;"'

    def record(self, kind: Kind, entry: tuple[int, int, str], origin: str, inside: str, *, depth: int = 1) -> str:
        """One Record of a kind, created a few seconds after it ended; `inside` are its children."""
        start, end, value = entry
        unit = "" if kind.unit is None else f' unit="{kind.unit}"'
        blanks = " " * depth
        return (
            f'{blanks}<Record type="HK{kind.type}" {origin}{unit} creationDate="{self.moment(end + 4)}" '
            f'startDate="{self.moment(start)}" endDate="{self.moment(end)}" value="{value}"'
            + (f">\n{inside}{blanks}</Record>\n" if inside else "/>\n")
        )

    def fresh(self, count: int) -> bool:
        """Is it time for a new address of the device, after so many Records?"""
        return count % _RECORDS_PER_POINTER == 0
