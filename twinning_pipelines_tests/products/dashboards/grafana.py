"""What Grafana does to a query before it sends it: its variables, then its macros, as far as our dashboards use them.

The macros are those of the Postgres data source (`macros.go`), found by the same expression: a name, and everything up to the
first closing bracket. What is unknown, or left over, raises.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

_MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
_VARIABLE = re.compile(r"\$\{([\w.]+)(?::(\w+))?\}")
_REGEX_SIGNS = re.compile(r"[\\^$*+?.()|\[\]{}/]")
_RELATIVE = re.compile(r"now-(\d+)([dyMh])")
_DAYS = {"d": 1.0, "M": 30.0, "y": 365.0, "h": 1 / 24}
MOST_POINTS = 1_000


@dataclass(frozen=True, slots=True)
class Looked:
    """Who looks at whom, over which time."""

    person: str
    first: datetime
    last: datetime
    login: str = "ada"

    @property
    def interval(self) -> str:
        """What `$__interval` becomes: the stretch over as many points as a wide screen shows, at least a minute."""
        seconds = max((self.last - self.first).total_seconds() / MOST_POINTS, 60)
        for step in (60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800):
            if step >= seconds:
                return f"{step}s"
        return "2592000s"

    def since(self, relative: str) -> "Looked":
        """The same up to the same moment, over another stretch: `now-30d`."""
        match = _RELATIVE.fullmatch(relative)
        if match is None:
            raise ValueError(f"not understood: {relative}")
        stretch = timedelta(days=int(match[1]) * _DAYS[match[2]])
        return Looked(self.person, self.last - stretch, self.last, self.login)


def sql(text: str, looked: Looked) -> str:
    """A query as Postgres gets it."""

    def expanded(whose: Looked) -> str:
        return _MACRO.sub(lambda match: _macro(match[1], match[2], looked), _variables(text, whose))

    _refuse_leftovers(expanded(replace(looked, person="", login="")))
    return expanded(looked)


def influxql(text: str, looked: Looked) -> str:
    """A query as InfluxDB gets it."""
    first, last = (int(moment.timestamp() * 1000) for moment in (looked.first, looked.last))
    expanded = text.replace("$timeFilter", f"time >= {first}ms and time <= {last}ms")
    expanded = expanded.replace("$__interval", looked.interval)
    # A dollar closes the expression that the person has to fit.
    _refuse_leftovers(_variables(expanded, replace(looked, person="")).replace("$/", "/"))
    return _variables(expanded, looked)


def promql(text: str) -> str:
    """An expression as Prometheus gets it."""
    expanded = text.replace("$__rate_interval", "5m").replace("$__interval", "1m").replace("$__range", "24h")
    _refuse_leftovers(expanded)
    return expanded


def _variables(text: str, looked: Looked) -> str:
    values = {"person": looked.person, "__user.login": looked.login}
    formats: dict[str, Callable[[str], str]] = {
        "sqlstring": lambda value: "'" + value.replace("'", "''") + "'",
        "regex": lambda value: _REGEX_SIGNS.sub(lambda sign: "\\" + sign[0], value),
    }
    return _VARIABLE.sub(lambda match: formats[match[2]](values[match[1]]), text)


def _macro(name: str, arguments: str, looked: Looked) -> str:
    first, last = (
        f"'{moment.astimezone(UTC).isoformat().replace('+00:00', 'Z')}'" for moment in (looked.first, looked.last)
    )
    match name:
        case "__timeFrom":
            return first
        case "__timeTo":
            return last
        case "__timeFilter":
            return f"{arguments.split(',', maxsplit=1)[0].strip()} BETWEEN {first} AND {last}"
    raise ValueError(f"unknown macro {name!r}")


def _refuse_leftovers(text: str) -> None:
    if "$" in text:
        raise ValueError(f"not expanded: {text[text.index('$') :][:60]!r}")
