"""Nothing is sent to a model server outside the home, whatever it is called."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpcore._backends.sync import SyncStream

from twinning_pipelines.engines import model_server
from twinning_pipelines.engines.home_address import is_at_home, is_home_name, server_address
from twinning_pipelines.engines.model_server import ModelServer
from twinning_pipelines.engines.ollama import Ollama
from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable
from twinning_pipelines_tests.engines.questions import GOOD, SCHEMA, question
from twinning_pipelines_tests.far_sides.answer_troubles import late
from twinning_pipelines_tests.far_sides.model_voices import Canned
from twinning_pipelines_tests.far_sides.ollama_front import OllamaFront


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.9.1", "::1", "10.0.0.9", "172.17.0.1", "172.31.255.255", "192.168.65.254", "169.254.3.4"),
        *("fe80::1%eth0", "fd12:3456::1", "100.64.0.1", "100.127.255.254", "::ffff:192.168.1.2"),
    ],
)
def test_at_home(address: str) -> None:
    assert is_at_home(address)


@pytest.mark.parametrize(
    "address",
    [
        *("8.8.8.8", "172.32.0.1", "192.169.0.1", "100.128.0.1", "203.0.113.5", "2606:4700::1111", "::ffff:8.8.8.8"),
        *("0.0.0.0", "", "localhost", "127.0.0.1.example.com", "64:ff9b::7f00:1", "2002:7f00:1::"),
    ],
)
def test_not_at_home(address: str) -> None:
    assert not is_at_home(address)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434"),
        (" http://host.docker.internal:11434/ ", "http://host.docker.internal:11434"),
        ("http://mac-mini.local:8080/v1/", "http://mac-mini.local:8080"),
        ("https://models.home.arpa/llama/v1", "https://models.home.arpa/llama"),
        ("http://[::1]:11434", "http://[::1]:11434"),
    ],
)
def test_addresses(url: str, address: str) -> None:
    assert server_address(url) == address


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "127.0.0.1:11434",
            "localhost:11434",
            "ftp://host",
            "http://",
            "http://user:secret@host",
            "http://host?key=secret",
        ),
        *(
            "http://host#secret",
            "http://host:port",
            "http://ho st",
            "http://host\x1b[0m",
            "http://[::1",
            "http://host:99999",
        ),
    ],
)
def test_urls_that_no_server_has(url: str) -> None:
    with pytest.raises(ValueError, match="must read http://host:port") as raised:
        server_address(url)
    assert "secret" not in str(raised.value)


@pytest.fixture
def front() -> Iterator[OllamaFront]:
    """A server on loopback, which the tests may move out of the house."""
    with OllamaFront(Canned(GOOD)) as front:
        yield front


@pytest.mark.parametrize("name", ["localhost", "mac-mini.local", "host.docker.internal", "NAS.Home.Arpa."])
def test_names_of_the_house(name: str) -> None:
    assert is_home_name(name)


@pytest.mark.parametrize("name", ["", "local.example.com", "notlocal", "api.openai.com", "ollama.com", "internal.dev"])
def test_other_names(name: str) -> None:
    assert not is_home_name(name)


@pytest.fixture
def abroad(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback counts as an address out in the world, and as another machine's."""
    monkeypatch.setattr(model_server, "is_at_home", lambda address: False)
    known = SyncStream.get_extra_info
    ends = {"client_addr": ("192.0.2.1", 1)}
    monkeypatch.setattr(SyncStream, "get_extra_info", lambda stream, info: ends.get(info) or known(stream, info))


@pytest.mark.usefixtures("abroad")
def test_a_connection_out_of_the_house_sends_nothing(front: OllamaFront) -> None:
    with pytest.raises(FarSideRefused, match=r"is not at home: it leads to 127.0.0.1; nothing was sent.*ANYWHERE=1"):
        Ollama(ModelServer(front.url), "tiny").ask(question(), SCHEMA, deadline=10)
    assert front.requests == []
    with pytest.raises(FarSideRefused, match="without https:// all would be readable"):
        Ollama(ModelServer(front.url, anywhere=True), "tiny").ask(question(), SCHEMA, deadline=10)
    assert front.requests == []


def test_this_machine_is_at_home_by_whatever_address(front: OllamaFront, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_server, "is_at_home", lambda address: False)
    assert Ollama(ModelServer(front.url), "tiny").ask(question(), SCHEMA, deadline=10).text == GOOD


@pytest.mark.usefixtures("abroad")
def test_a_server_abroad_that_is_allowed_needs_a_certificate_of_a_known_issuer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, context = _certificate(tmp_path)
    with OllamaFront(Canned(GOOD)) as front:
        front.speak_tls(context)
        address = front.url.replace("http:", "https:")
        with pytest.raises(FarSideRefused, match="is not at home"):
            Ollama(ModelServer(address), "tiny").ask(question(), SCHEMA, deadline=10)
        allowed = Ollama(ModelServer(address, anywhere=True), "tiny")
        with pytest.raises(FarSideRefused, match=r"the certificate of 127.0.0.1:.* is not trusted"):
            allowed.ask(question(), SCHEMA, deadline=10)
        assert front.requests == []
        trusting = ssl.create_default_context(cafile=certificate)
        monkeypatch.setattr(model_server, "_certificates", lambda: trusting)
        assert allowed.ask(question(), SCHEMA, deadline=10).text == GOOD
        front.troubles.append(late(30))
        with pytest.raises(FarSideUnavailable, match=r"not done answering after 0.3 s"):
            allowed.ask(question(), SCHEMA, deadline=0.3)


def _certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("openssl is not here to make a certificate")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    subprocess.run([*made, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context


def test_a_name_counts_by_where_it_leads(front: OllamaFront, monkeypatch: pytest.MonkeyPatch) -> None:
    known = socket.getaddrinfo

    def look_up(host: str, *rest: Any, **more: Any) -> Any:
        return known("127.0.0.1" if host == "ai.example.com" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    named = ModelServer(front.url.replace("127.0.0.1", "ai.example.com"))
    assert Ollama(named, "tiny").ask(question(), SCHEMA, deadline=10).text == GOOD


def test_a_name_that_nobody_knows() -> None:
    with pytest.raises(FarSideUnavailable, match=r"no answer from ollama.invalid:11434"):
        Ollama(ModelServer("http://ollama.invalid:11434"), "tiny").ask(question(), SCHEMA, deadline=10)


def test_a_name_that_nobody_can_have() -> None:
    with pytest.raises(FarSideRefused, match="is no address"):
        Ollama(ModelServer(f"http://{'a' * 70}.local:11434"), "tiny").ask(question(), SCHEMA, deadline=10)


def test_a_fault_of_ours_is_not_taken_for_one_of_the_server(front: OllamaFront) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        Ollama(ModelServer(front.url), "tiny").ask(question(), {"type": object()}, deadline=10)


def test_an_endless_look_up_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    from threading import Event

    over = Event()

    def look_up(*_: Any, **__: Any) -> Any:
        over.wait(30)
        raise OSError("nobody")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(FarSideUnavailable, match=r"not done answering after 0.1 s"):
        Ollama(ModelServer("http://slow.local:11434"), "tiny").ask(question(), SCHEMA, deadline=0.1)
    over.set()


def test_no_proxy_of_the_environment_is_used(front: OllamaFront, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    assert Ollama(ModelServer(front.url), "tiny").ask(question(), SCHEMA, deadline=10).text == GOOD
