"""Our units in Grafana's words. What Grafana has no word for is written behind the number as we write it.

Money has no unit here: one panel may hold several currencies, so each series and each row says its own by its code.
"""

NONE, MONEY = "none", "locale"

_GRAFANA = {
    "": NONE,
    "count": "locale",
    "h": "h",
    "min": "m",
    "s": "s",
    "ms": "ms",
    "d": "d",
    "m": "lengthm",
    "cm": "suffix:cm",
    "kg": "masskg",
    "g": "massg",
    "L": "litre",
    "mL": "mlitre",
    "degC": "celsius",
    "fraction": "percentunit",
    "percent": "percent",
    "bytes": "bytes",
    "count/min": "suffix:/min",
    "time": "dateTimeAsIso",
    "money": MONEY,
    "none": NONE,
}


def grafana_unit(unit: str) -> str:
    """Grafana's word for one of our units: `kg` is `masskg`, `kcal` is `suffix:kcal`."""
    return _GRAFANA.get(unit, f"suffix:{unit}")
