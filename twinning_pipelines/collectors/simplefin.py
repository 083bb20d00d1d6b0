"""SimpleFIN: a setup token is exchanged once for an access URL; then `GET /accounts`, window by window.

The server allows 24 requests a day and caps wide windows, so those of one visit are at most 44 days, follow each other
without a gap (the end is exclusive) and begin some days before what is covered. Time counts as covered only while the
server has nothing to complain of: a bank whose log-in broke for weeks is asked for all of them once it is mended. An
account that was never seen before makes the next visit begin at the beginning.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta

from msgspec import Struct

from twinning_pipelines.collectors.asking import Access, Answer, Asker, access_of, safe_address
from twinning_pipelines.collectors.collector import Fetched
from twinning_pipelines.collectors.credentials import SimpleFinAccess
from twinning_pipelines.collectors.logbook import Errand
from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable, TwinningError, WrongUsage
from twinning_pipelines.formats.account_set import messages_of
from twinning_pipelines.formats.json_values import list_of, text_of

KIND = "simplefin"
REQUESTS_A_DAY = 24
WINDOW = timedelta(days=44)
FIRST_LOOK = timedelta(days=90)
# What was incomplete for longer is let go, or one broken log-in would spend every request.
LONGEST_LOOK = timedelta(days=366)

_DAY = timedelta(days=1)
_LONGEST_TOKEN = 4_000
_AFTER_429 = timedelta(hours=1)
_CONNECT = "`twinning collect connect simplefin --replace`"


class SimpleFinCollector(Struct, frozen=True):
    """One access URL of one person. most_bytes, answer_seconds: how much and how long an answer may be."""

    person: str
    name: str
    access: SimpleFinAccess
    most_bytes: int = 64 * 1024**2
    answer_seconds: float = 120.0
    pause: timedelta = timedelta(hours=6)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The URL, and what is in it."""
        url = self.access.access_url.get_secret_value()
        return (url, *access_of(url).secrets)

    def fetch(self, errand: Errand) -> Iterator[Fetched]:
        """One answer for each window. Raises FarSideUnavailable and FarSideRefused."""
        page, said, seen = errand.page, dict[str, None](), set[str]()
        complete = True
        with self._asker(access_of(self.access.access_url.get_secret_value())) as asker:
            for first, end in self._windows(errand):
                errand.spend(REQUESTS_A_DAY)
                at = errand.now()
                answer = asker.ask("GET", "/accounts", self._parameters(first, end))
                account_set = _account_set(asker, answer, errand)
                said |= dict.fromkeys(messages_of(account_set, asker.secrets))
                page.messages = list(said)
                yield Fetched(f"simplefin-{first:%Y%m%d}-{end:%Y%m%d}-at-{at:%Y%m%dT%H%M%SZ}.json", answer.body, at)
                complete = complete and not said
                if complete:
                    page.covered_until = min(end, at)
                seen |= _account_ids(account_set)
        known = set(page.accounts)
        if known and seen - known:
            page.covered_until = None
        page.accounts = sorted(known | seen)

    def _windows(self, errand: Errand) -> Iterator[tuple[datetime, datetime]]:
        now = errand.now().astimezone(UTC)
        covered, since = errand.page.covered_until, self.access.since
        first_look = datetime.combine(since, time(), UTC) if since else now - FIRST_LOOK
        start = first_look if covered is None else covered - timedelta(days=self.access.overlap_days)
        # Banks that know days alone post at noon; today's noon may be still to come.
        return windows(max(_midnight(start), _midnight(now - LONGEST_LOOK)), _midnight(now) + _DAY)

    def _parameters(self, first: datetime, end: datetime) -> dict[str, str]:
        """`pending=0` means 1 to some servers, so it is left out instead."""
        asked = {"version": "2", "start-date": f"{first.timestamp():.0f}", "end-date": f"{end.timestamp():.0f}"}
        return asked | ({"pending": "1"} if self.access.pending else {})

    def _asker(self, access: Access) -> Asker:
        return Asker(
            access.address,
            access=access,
            secrets=self.secrets,
            most_bytes=self.most_bytes,
            answer_seconds=self.answer_seconds,
        )


def windows(first: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Windows of at most 44 days, each beginning where the one before ends; none when `first` is not before `end`."""
    while first < end:
        yield first, min(first + WINDOW, end)
        first += WINDOW


def claim(setup_token: str) -> str:
    """Exchanges a setup token for the access URL. It works once.

    Raises WrongUsage for what is no token, FarSideRefused for one that was used, FarSideUnavailable.
    """
    address = _claim_address(setup_token)
    with Asker(
        address, secrets=(setup_token.strip(), address, address.rpartition("/")[2]), most_bytes=64 * 1024
    ) as asker:
        try:
            answer = asker.ask("POST")
        except FarSideUnavailable as silence:
            doubt = FarSideUnavailable(
                f"{silence}; the setup token may be used up now: if it is refused, make a new one"
            )
        else:
            return _access_url(asker, answer)
    raise doubt


def _claim_address(setup_token: str) -> str:
    letters = "".join(setup_token.split()).translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        url = base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True).decode("ascii")
        address = safe_address(url) if len(letters) <= _LONGEST_TOKEN else ""
    except (ValueError, binascii.Error):
        address = ""
    if not address:
        raise WrongUsage("that is no SimpleFIN setup token: paste the long text that the bridge shows, whole")
    return address


def _access_url(asker: Asker, answer: Answer) -> str:
    if answer.status == 403:
        raise FarSideRefused(
            f"{asker.host} refuses the setup token: it does not exist or was used before. If it was not you who used it, "
            "somebody else may see your accounts now: disable it at the bridge, then make a new one"
        )
    _refuse_trouble(asker, answer)
    url = answer.body.decode("utf-8", "replace").strip()
    try:
        access_of(url)
    except ValueError as wrong:
        problem = str(wrong)
    else:
        return url
    raise FarSideRefused(f"{asker.host} took the setup token and gave no access URL, which {problem}: make a new token")


def _account_set(asker: Asker, answer: Answer, errand: Errand) -> dict[str, object]:
    """The JSON of a good answer. Raises FarSideUnavailable and FarSideRefused, with what the server says."""
    if answer.status == 429:
        wait = timedelta(seconds=answer.wait_seconds) if answer.wait_seconds else _AFTER_429
        errand.page.not_before = errand.now() + wait
    account_set = _json(answer.body)
    said = "; ".join(messages_of(account_set or {}, asker.secrets))
    _refuse_trouble(asker, answer, said)
    if account_set is None or not isinstance(account_set.get("accounts"), list):
        raise FarSideUnavailable(f"{asker.host} answers no account set, but {asker.beginning(answer)!r}")
    errand.page.not_before = None
    return account_set


def _refuse_trouble(asker: Asker, answer: Answer, said: str = "") -> None:
    """Raises for every status but 200."""
    if answer.status == 200:
        return
    sentences: Mapping[int, TwinningError] = {
        402: FarSideRefused(f"{asker.host} wants to be paid before it answers: renew the subscription there"),
        401: FarSideRefused(f"{asker.host} does not know the access URL: make a new setup token, then {_CONNECT}"),
        403: FarSideRefused(
            f"{asker.host} refuses the access URL: it was revoked or is wrong. Make a new setup token, then {_CONNECT}"
        ),
        429: FarSideUnavailable(f"{asker.host} has had too many requests and asks to wait"),
    }
    passing = answer.status >= 500 or answer.status == 408
    other = f"{asker.host} answers HTTP {answer.status}"
    trouble = sentences.get(answer.status) or (FarSideUnavailable if passing else FarSideRefused)(other)
    raise type(trouble)(f"{trouble} (it says: {said})") if said else trouble


def _json(body: bytes) -> dict[str, object] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _account_ids(account_set: Mapping[str, object]) -> set[str]:
    accounts = [each for each in list_of(account_set.get("accounts")) if isinstance(each, dict)]
    return {text_of(each.get("id")) for each in accounts} - {""}


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
