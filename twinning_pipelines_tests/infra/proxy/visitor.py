"""A client that comes to the doors and the gates of one nginx."""

import socket
import ssl
from collections.abc import Mapping

import httpx

from twinning_pipelines_tests.infra.proxy.shipped import DOMAIN, RunningNginx

OWNER = {"Cookie": "twinning_session=owner"}
STRANGER = {"Cookie": "twinning_session=stranger"}


class Visitor:
    """Asks by the names of the world or at the doors of the machine; trusts our authority alone, follows no redirect."""

    def __init__(self, nginx: RunningNginx) -> None:
        self.nginx = nginx
        self.tls = ssl.create_default_context(cafile=str(nginx.scratch.store / "ca" / "ca.pem"))
        self._client = httpx.Client(verify=self.tls, timeout=60, trust_env=False)

    def gate(
        self,
        host: str,
        path: str = "/",
        method: str = "GET",
        *,
        headers: Mapping[str, str] | None = None,
        **more: object,
    ) -> httpx.Response:
        """Asks https://<host>.<domain><path>."""
        name = f"{host}.{DOMAIN}"
        return self._client.request(
            method,
            f"https://127.0.0.1:{self.nginx.port(8443)}{path}",
            headers={"Host": name, **(headers or {})},
            extensions={"sni_hostname": name},
            **more,  # type: ignore[arg-type]
        )

    def door(
        self,
        port: int,
        path: str = "/",
        method: str = "GET",
        *,
        headers: Mapping[str, str] | None = None,
        **more: object,
    ) -> httpx.Response:
        """Asks http://127.0.0.1:<port><path>; `port` is the container's."""
        return self._client.request(
            method,
            f"http://127.0.0.1:{self.nginx.port(port)}{path}",
            headers=dict(headers or {}),
            **more,  # type: ignore[arg-type]
        )

    def connect(self, host: str | int) -> socket.socket:
        """A bare connection to the gate of a host, or to a door by its port."""
        port = self.nginx.port(8443 if isinstance(host, str) else host)
        plain = socket.create_connection(("127.0.0.1", port), timeout=10)
        return self.tls.wrap_socket(plain, server_hostname=f"{host}.{DOMAIN}") if isinstance(host, str) else plain

    def speak(self, host: str, line: str) -> str:
        """The answer to a request line that is sent as it stands."""
        with self.connect(host) as connection:
            connection.sendall(f"{line}\r\nHost: {host}.{DOMAIN}\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while more := connection.recv(65536):
                answer += more
        return answer.decode()

    def close(self) -> None:
        """Ends its connections."""
        self._client.close()


def told(answer: httpx.Response) -> dict[str, list[str]]:
    """The headers that reached the service, by lower-case name."""
    assert answer.status_code == 200, answer.text
    headers = dict[str, list[str]]()
    for name, value in answer.json()["headers"]:
        headers.setdefault(name, []).append(value)
    return headers
