"""Interactive Brokers' Flex web service, version 3: ask for a statement, then ask for it again until it is made.

    SendRequest?v=3&t=TOKEN&q=QUERY      -> a reference code
    GetStatement?v=3&t=TOKEN&q=REFERENCE -> the statement, or 1019 while it is being made

The address that comes with the reference code is not used: the token goes to the configured host alone. A token may
ask once a second and ten times a minute, else comes 1018. Activity is brought up to date once a day.
"""

import io
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from twinning_pipelines.collectors.asking import Answer, Asker
from twinning_pipelines.collectors.collector import Fetched
from twinning_pipelines.collectors.credentials import FlexAccess
from twinning_pipelines.collectors.logbook import Errand
from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable, FileError
from twinning_pipelines.formats import flex
from twinning_pipelines.formats.xml_feed import Leaf, XmlFeed, root_of

KIND = "ibkr_flex"
REQUESTS_A_DAY = 200
# Seconds between two tries: some four minutes together.
WAITS = (5.0, 10.0, 15.0, 20.0, 30.0, 30.0, 60.0, 60.0)
MINUTE_OF_REST = 65.0
_FIRST_WAIT = 2.0

# Not ready, or too much to do at the moment; 1018 is our own haste.
AGAIN = frozenset({"1001", "1004", "1005", "1006", "1007", "1008", "1009", "1018", "1019", "1021"})
_HASTE = "1018"
_TOMORROW = frozenset({"1003"})
_ADVICE = {
    "1010": "make an Activity Flex Query and use its id",
    "1011": "the service account is inactive: look into Client Portal",
    "1012": "the token has expired: make a new one in Client Portal, Flex Web Service, and `twinning collect connect "
    "ibkr_flex --replace`",
    "1013": "the token is bound to other IP addresses",
    "1014": "check the id of the query",
    "1015": "check the token",
    "1016": "check the account of the query",
}
_LEAVES = frozenset({"Status", "ReferenceCode", "ErrorCode", "ErrorMessage"})
_HEAD_BYTES = 64 * 1024
_PERIOD = re.compile(rb'\b(fromDate|toDate)="(\d{4})-?(\d\d)-?(\d\d)"')


class FlexCollector(Struct, frozen=True):
    """One query of one person. sleep, waits: how it waits for a statement to be made."""

    person: str
    name: str
    access: FlexAccess
    most_bytes: int = 256 * 1024**2
    answer_seconds: float = 60.0
    waits: tuple[float, ...] = WAITS
    sleep: Callable[[float], None] = time.sleep
    pause: timedelta = timedelta(hours=20)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The token."""
        return (self.access.token.get_secret_value(),)

    def fetch(self, errand: Errand) -> Iterator[Fetched]:
        """The statement of today. Raises FarSideUnavailable and FarSideRefused."""
        with Asker(
            self.access.address, secrets=self.secrets, most_bytes=self.most_bytes, answer_seconds=self.answer_seconds
        ) as asker:
            at = errand.now()
            _, said = self._patiently(asker, errand, "/SendRequest", self.access.query)
            reference = said.get("ReferenceCode", "")
            if not reference.isalnum():
                raise FarSideRefused(f"{asker.host} takes the request and gives no reference code")
            # One request a second is allowed, and nothing is made as fast.
            self.sleep(_FIRST_WAIT)
            answer, said = self._patiently(asker, errand, "/GetStatement", reference)
            if said:
                raise FarSideUnavailable(f"{asker.host} says {said.get('Status', '')!r} and sends no statement")
        yield Fetched(_name_of(answer.body, at), answer.body, at)
        errand.page.covered_until = at

    def _patiently(self, asker: Asker, errand: Errand, path: str, what: str) -> tuple[Answer, dict[str, str]]:
        """The answer and, unless it is a statement, what it says; while it is not ready it is asked for again."""
        parameters = {"v": "3", "t": self.access.token.get_secret_value(), "q": what}
        for wait in (*self.waits, None):
            errand.spend(REQUESTS_A_DAY)
            answer = asker.ask("GET", path, parameters)
            said = _said(asker, answer)
            code = said.get("ErrorCode", "")
            if not said or (not code and said.get("Status") == "Success"):
                return answer, said
            if code not in AGAIN or wait is None:
                break
            self.sleep(MINUTE_OF_REST if code == _HASTE else wait)
        words = asker.safe(f"{code} {said.get('ErrorMessage', '')}".strip() or said.get("Status", ""))
        if code in AGAIN | _TOMORROW:
            raise FarSideUnavailable(f"{asker.host} has no statement yet: {words}")
        advice = f"; {_ADVICE[code]}" if code in _ADVICE else ""
        raise FarSideRefused(f"{asker.host} refuses: {words}{advice}")


def _said(asker: Asker, answer: Answer) -> dict[str, str]:
    """What an answer says in place of a statement; nothing when it is one. Raises for trouble below Flex."""
    if answer.status == 429 or answer.status >= 500:
        raise FarSideUnavailable(f"{asker.host} answers HTTP {answer.status}")
    if answer.status != 200:
        raise FarSideRefused(f"{asker.host} answers HTTP {answer.status}: check the address of the web service")
    root = root_of(answer.body[:_HEAD_BYTES])
    if root in flex.ROOTS:
        return {}
    try:
        if root == flex.ANSWER:
            return _leaves(answer.body)
        wrong = "is the format of the query XML?"
    except FileError:
        wrong = "its XML is broken"
    raise FarSideUnavailable(f"{asker.host} answers {asker.beginning(answer)!r}: {wrong}")


def _leaves(body: bytes) -> dict[str, str]:
    """The short texts of a FlexStatementResponse, with a status at least. Raises UnreadableFile."""
    feed = XmlFeed(io.BytesIO(body), flex.ANSWER)
    leaf, found = Leaf(feed), {"Status": "no status"}

    def start(name: str, _attributes: dict[str, str]) -> None:
        if name in _LEAVES:
            leaf.open()

    def end(name: str) -> None:
        if name in _LEAVES:
            found[name] = leaf.close()

    feed.parser.StartElementHandler = start
    feed.parser.EndElementHandler = end
    for _ in feed.blocks():
        pass
    return {name: text for name, text in found.items() if text}


def _name_of(body: bytes, at: datetime) -> str:
    """Named after the days that its first statement covers, where it says so with digits."""
    days = {found[1]: (found[2] + found[3] + found[4]).decode() for found in _PERIOD.finditer(body[:_HEAD_BYTES])}
    covered = [days[each] for each in (b"fromDate", b"toDate") if each in days]
    return "-".join(["ibkr_flex", *covered, f"at-{at:%Y%m%dT%H%M%SZ}.xml"])
