"""Secrets are planted, everything goes wrong that can, and they are looked for wherever anything is told or kept."""

import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from twinning_pipelines.collectors.asking import Asker, access_of, safe_address
from twinning_pipelines.collectors.collector import Collector
from twinning_pipelines.collectors.round import Places
from twinning_pipelines.collectors.simplefin import claim
from twinning_pipelines.errors import TwinningError
from twinning_pipelines_tests.collectors.visits import Watch, flex_of, simplefin_of, visit
from twinning_pipelines_tests.far_sides.flex_service import FakeFlex
from twinning_pipelines_tests.far_sides.scripted_server import Fault, HalfAnswer, HangUp, Instead, Reply
from twinning_pipelines_tests.far_sides.simplefin_bridge import FakeBridge


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    names = ("httpx", "httpcore", "httpcore.http11", "httpcore.connection", "asyncio")
    with caplog.at_level(logging.DEBUG):
        for name in names:
            caplog.set_level(logging.DEBUG, logger=name)
        yield


def everything_told(
    folder: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], *more: object
) -> str:
    """Logs with their arguments, both outputs, every file, and whatever else the test has to show."""
    logs = [f"{record.getMessage()} {record.args!r} {record.exc_text}" for record in caplog.records]
    files = [f"{path}\n{path.read_bytes().decode(errors='replace')}" for path in folder.rglob("*") if path.is_file()]
    return "\n".join([*logs, *capfd.readouterr(), *files, *map(repr, more), *map(str, more)])


def leaks(text: str, secrets: list[str]) -> list[str]:
    """The secrets that stand in a text, as they are or as a URL writes them."""
    return [secret for secret in secrets if secret in text or quote(secret, safe="") in text]


def chain(error: BaseException) -> Iterator[BaseException]:
    """An exception with all that hang on it, shown or not."""
    following: BaseException | None = error
    while following is not None:
        yield following
        following = following.__cause__ or following.__context__


_END = b"</ErrorMessage></FlexStatementResponse>"


def echoes(words: str) -> list[Instead]:
    """A server that throws our own words back at us, in every place it can."""
    there = words.encode()
    return [
        Instead(Reply(200, there)),
        Instead(Reply(200, b'{"accounts": [], "errors": ["' + there + b'"], "errlist": [{"code": "' + there + b'"}]}')),
        Instead(Reply(403, b'{"errors": ["' + there + b'"]}')),
        Instead(Reply(500, there)),
        Instead(Reply(302, b"", {"Location": f"https://far.example/{quote(words)}"})),
        Instead(Reply(200, b"", {"Set-Cookie": f"x={quote(words)}", "Retry-After": quote(words)})),
        Instead(Reply(200, b"<FlexStatementResponse><ErrorCode>1015</ErrorCode><ErrorMessage>" + there[:900] + _END)),
    ]  # fmt: skip


@pytest.mark.parametrize("provider", ["simplefin", "ibkr_flex"])
def test_no_visit_tells_a_secret(
    provider: str,
    bridge: FakeBridge,
    flex: FakeFlex,
    places: Places,
    watch: Watch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    server: FakeBridge | FakeFlex = bridge if provider == "simplefin" else flex
    collector: Collector = simplefin_of(bridge) if provider == "simplefin" else flex_of(flex, waits=())
    secrets = bridge.secrets if provider == "simplefin" else [flex.token]
    told = []
    for secret in secrets:
        for fault in [*echoes(secret), HangUp(stored=False), HalfAnswer(), None]:
            server.script.append(fault)
            flex.seconds += 90
            watch.wait(hours=2)
            told.append(visit(places, collector, watch))
            server.script.clear()
            # What a provider sends as data is data; its files are looked at elsewhere.
            for path in places.inbox.rglob("*.*"):
                path.unlink()
    assert {each.state for each in told} == {"collected", "failed"}
    assert not leaks(everything_told(places.logbook.parent, caplog, capfd, told, collector), secrets)


def test_no_claim_tells_the_token_or_what_it_is_worth(
    bridge: FakeBridge, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    secrets = [*bridge.setup_secrets, *bridge.secrets]
    traces = []
    for secret in secrets:
        faults: list[Fault] = [*echoes(secret)[secret == bridge.access_url :], HangUp(stored=False), HalfAnswer()]
        for fault in faults:
            bridge.script.append(fault)
            with pytest.raises(TwinningError) as trouble:
                claim(bridge.setup_token)
            traces.append("".join(traceback.format_exception(trouble.value)))
            assert not [each for each in chain(trouble.value) if isinstance(each, httpx.HTTPError)]
        bridge.claimed = dict.fromkeys(bridge.claimed, False)
    claim(bridge.setup_token)
    with pytest.raises(TwinningError) as used:
        claim(bridge.setup_token)
    traces.append("".join(traceback.format_exception(used.value)))
    assert not leaks(everything_told(tmp_path, caplog, capfd, *traces), secrets)


def test_no_exception_brings_the_request_along(flex: FakeFlex) -> None:
    flex.script.append(HangUp(stored=False))
    with Asker(flex.address, secrets=[flex.token]) as asker, pytest.raises(TwinningError) as trouble:
        asker.ask("GET", "/SendRequest", {"t": flex.token})
    assert list(chain(trouble.value)) == [trouble.value]
    shown = traceback.TracebackException.from_exception(trouble.value, capture_locals=False)
    assert flex.token not in "".join(shown.format())


def test_others_that_use_httpx_are_logged_as_ever(flex: FakeFlex, caplog: pytest.LogCaptureFixture) -> None:
    with Asker(flex.address) as asker:
        asker.ask("GET", "/SendRequest", {"t": "something"})
    assert not [record for record in caplog.records if record.name.startswith("http")]
    with httpx.Client(trust_env=False) as client:
        client.get(flex.address)
    assert [record for record in caplog.records if record.name == "httpx"]


@pytest.mark.parametrize("read", [safe_address, access_of])
@pytest.mark.parametrize(
    "url",
    [
        "",
        "far.example",
        "http://far.example/x",
        "http://me:hidden@far.example/x",
        "ftp://me:hidden@far.example/x",
        "https://me:hidden@/x",
        "https://me:hidden@[bad/x",
        "https://me:hidden@far.example:port/x",
        "https://me:hidden@far.example/x?y=1",
        "https://me:hidden@far.example/\n",
        "https://@far.example/",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_is_not_safe_is_refused_without_being_quoted(read: Callable[[str], object], url: str) -> None:
    if read is access_of and url.endswith("/\n"):
        assert access_of(url).address == "https://far.example"
        return
    with pytest.raises(ValueError, match="must") as wrong:
        read(url)
    assert "hidden" not in str(wrong.value)


def test_an_access_url_is_taken_apart() -> None:
    access = access_of(" https://na%40me:pa%2Fss%3Aword@bridge.example:8443/simplefin/ ")
    assert access == ("https://bridge.example:8443/simplefin", "na@me", "pa/ss:word")
