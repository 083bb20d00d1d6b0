"""A strict stand-in for Interactive Brokers' Flex web service, version 3.

One request a second and ten a minute for a token, by a clock that only waiting moves (`sleep`); beyond comes 1018. A
statement is made while it is asked for: so many times comes 1019. Messages are those of IBKR's published table.
"""

from collections import deque
from html import escape

from twinning_pipelines_tests.far_sides.scripted_server import Reply, Request, ScriptedServer

MESSAGES = {
    "1001": "Statement could not be generated at this time. Please try again shortly.",
    "1003": "Statement is not available.",
    "1009": "The server is under heavy load. Statement could not be generated at this time. Please try again shortly.",
    "1012": "Token has expired.",
    "1013": "IP restriction.",
    "1014": "Query is invalid.",
    "1015": "Token is invalid.",
    "1016": "Account in invalid.",
    "1017": "Reference code is invalid.",
    "1018": "Too many requests have been made from this token. Please try again shortly.",
    "1019": "Statement generation in progress. Please try again shortly.",
    "1020": "Invalid request or unable to validate request.",
}
_PATH = "/AccountManagement/FlexWebService"
STATEMENT = """<FlexQueryResponse queryName="All" type="AF">
<FlexStatements count="1">
<FlexStatement accountId="U7654321" fromDate="2026-11-01" toDate="2026-11-26" period="Last30CalendarDays" whenGenerated="2026-11-27;055001">
<CashTransactions>
<CashTransaction accountId="U7654321" currency="USD" dateTime="2026-11-10" amount="12.34" type="Dividends" symbol="ALDTX" description="ALDTX CASH DIVIDEND" transactionID="900001"/>
</CashTransactions>
</FlexStatement>
</FlexStatements>
</FlexQueryResponse>
"""  # noqa: E501


class FakeFlex(ScriptedServer):
    """The service. `making`: how many times a statement is not ready yet. `codes`: what the next requests get instead."""

    def __init__(self, making: int = 0) -> None:
        super().__init__()
        self.making = making
        self.token, self.query, self.reference = "700100200300400500600700", "998877", "4433221100"
        self.expired = False
        self.statement = STATEMENT
        self.codes = deque[str]()
        self.seconds = 0.0
        self.waited = list[float]()
        self.times = list[float]()
        self.asked = list[str]()

    @property
    def address(self) -> str:
        """The base address of both requests."""
        return f"{self.url}{_PATH}"

    def sleep(self, seconds: float) -> None:
        """Waits, by the clock of the service."""
        self.seconds += seconds
        self.waited.append(seconds)

    def answer(self, request: Request) -> Reply:
        """Routes, after looking at what every request must have."""
        agent = request.headers.get("User-Agent", "")
        if request.method != "GET" or not agent or agent.startswith("python-"):
            return Reply(403, b"<html><body>Access Denied</body></html>", {"Content-Type": "text/html"})
        name = request.path.removeprefix(f"{_PATH}/")
        if name not in {"SendRequest", "GetStatement"}:
            return Reply(404, b"<html><body>Not Found</body></html>", {"Content-Type": "text/html"})
        self.asked.append(name)
        code = self._code(name, request)
        if code:
            return _answer(
                "Warn" if code == "1019" else "Fail", ErrorCode=code, ErrorMessage=MESSAGES.get(code, "Other.")
            )
        if name == "GetStatement":
            return Reply(200, self.statement.encode(), {"Content-Type": "text/xml;charset=utf-8"})
        # An old address on another host, as the real service gives it.
        return _answer(
            "Success", ReferenceCode=self.reference, Url="https://gdcdyn.example.com/Universal/servlet/GetStatement"
        )

    def _code(self, name: str, request: Request) -> str:
        if set(request.params) != {"v", "t", "q"} or request.params["v"] != "3":
            return "1020"
        if request.params["t"] != self.token:
            return "1015"
        if self.expired:
            return "1012"
        lately = [each for each in self.times if each > self.seconds - 60]
        self.times.append(self.seconds)
        if len(lately) >= 10 or any(each > self.seconds - 1 for each in lately):
            return "1018"
        if self.codes:
            return self.codes.popleft()
        if name == "SendRequest":
            return "" if request.params["q"] == self.query else "1014"
        if request.params["q"] != self.reference:
            return "1017"
        self.making -= 1
        return "1019" if self.making >= 0 else ""


def _answer(status: str, **leaves: str) -> Reply:
    told = "".join(f"<{name}>{escape(text)}</{name}>\n" for name, text in leaves.items())
    text = f"<FlexStatementResponse timestamp='27 November, 2026 05:50 AM EST'>\n<Status>{status}</Status>\n{told}"
    return Reply(200, f"{text}</FlexStatementResponse>\n".encode(), {"Content-Type": "text/xml;charset=utf-8"})
