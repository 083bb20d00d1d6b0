"""Metrics that the exporters of the stack offer, as far as our dashboards ask for them: ours are in `GAUGES`."""

import re

EXPORTED = frozenset(
    {
        # Prometheus itself
        "up", "ALERTS",
        # blackbox exporter
        "probe_success", "probe_duration_seconds", "probe_ssl_earliest_cert_expiry",
        # Postgres, Redis and nginx exporters
        "pg_stat_activity_count", "pg_settings_max_connections", "pg_database_size_bytes", "redis_memory_used_bytes",
        "nginx_http_requests_total",
        # the text files of backup and drill, through the node exporter
        "twinning_backup_last_success_timestamp_seconds", "twinning_backup_bytes", "twinning_drill_last_success_timestamp_seconds",
        "twinning_drill_ok", "twinning_drill_seconds",
    }
)  # fmt: skip

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_NO_METRIC = re.compile(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(?:by|without)\s*\([^)]*\)')
_FUNCTIONS = {"sum", "max", "min", "avg", "count", "time", "rate", "vector", "scalar", "or", "and"}


def metrics_in(expression: str) -> set[str]:
    """The metrics that an expression of ours asks for."""
    return set(_METRIC.findall(_NO_METRIC.sub(" ", expression))) - _FUNCTIONS
