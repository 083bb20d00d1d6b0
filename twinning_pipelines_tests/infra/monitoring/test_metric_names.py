"""Rules read no metric that nobody tells: ours by our own list, those of others by running them or by their source."""

import pytest
import sqlalchemy as sa

from twinning_pipelines.products.metrics.gauges import GAUGES
from twinning_pipelines_tests.free_ports import free_port
from twinning_pipelines_tests.infra.monitoring.conftest import Watchers
from twinning_pipelines_tests.infra.monitoring.running import answer, names_told, running, until
from twinning_pipelines_tests.infra.monitoring.shipped import BLACKBOX, alerts, metrics_of, recorded
from twinning_pipelines_tests.infra.programs import needs

# Told by node-exporter's textfile collector once there are backups.
BACKUP = {
    "twinning_backup_last_success_timestamp_seconds",
    "twinning_drill_last_success_timestamp_seconds",
    "twinning_drill_ok",
}
# Servers that cannot run here, and where it is written that they tell this.
BY_SOURCE = {
    # InfluxDB's documents: "InfluxDB OSS metrics", https://docs.influxdata.com/influxdb/v2/reference/internals/metrics/
    "storage_bucket_series_num",
    # nextcloud/server, lib/private/OpenMetrics/Exporters/UsersByBackend.php, since 33
    "nextcloud_users",
    # authelia/authelia, internal/metrics/prometheus.go, since 4.38
    "authelia_authn",
}
# Who tells what is named by its first word.
EXPORTERS = {
    "node": ("node_",),
    "postgres": ("pg_",),
    "redis": ("redis_",),
    "nginx": ("nginx_",),
    "blackbox": ("probe_", "blackbox_"),
    "watchers": ("prometheus_", "alertmanager_"),
}
# What Prometheus itself makes of each scrape.
SCRAPES = {"up"}


def read_by_rules() -> set[str]:
    """Every metric that a rule reads and no rule makes."""
    expressions = [*recorded().values(), *(alert.expr for alert in alerts())]
    return {name for expr in expressions for name in metrics_of(expr) if ":" not in name}


def of(exporter: str) -> set[str]:
    """The metrics of one exporter that rules read; there are some."""
    found = {name for name in read_by_rules() if name.startswith(EXPORTERS[exporter])}
    assert found
    return found


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('sum by (job) (rate(a_total{job=~"x|y"}[5m])) > 14.4 * 0.005 and on (b) c offset 30d', {"a_total", "c"}),
        ('label_replace(vector(3 * 3600), "job", "ingest", "", "")', set()),
        ("a:b:sum - (a:b:sum offset 1d or 0 * d) > on (x) group_left () max by (y) (e)", {"a:b:sum", "d", "e"}),
        ("50e9 < 1 - f / g", {"f", "g"}),
    ],
)
def test_the_names_are_found_in_an_expression(expression: str, names: set[str]) -> None:
    assert metrics_of(expression) == names


def test_somebody_tells_every_metric_that_a_rule_reads() -> None:
    prefixes = tuple(prefix for several in EXPORTERS.values() for prefix in several)
    others = {name for name in read_by_rules() if not name.startswith(prefixes)}
    assert others == {name for name in others if name.startswith("twinning_")} | BY_SOURCE | SCRAPES
    ours = {name for name in others if name.startswith("twinning_")}
    assert ours - BACKUP <= {gauge.name for gauge in GAUGES}
    assert ours >= BACKUP


def test_rules_sum_by_labels_that_our_gauges_have() -> None:
    labels = {label for gauge in GAUGES for label in gauge.labels}
    assert {"person", "source", "product", "job", "part", "check", "asset", "severity", "daemon", "path"} <= labels


def test_node_exporter_tells_them(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder, port = tmp_path_factory.mktemp("node"), free_port()
    (folder / "backup.prom").write_text('twinning_backup_last_success_timestamp_seconds{set="all"} 1.8e9\n')
    program = needs("prometheus-node-exporter")
    url = f"http://127.0.0.1:{port}/metrics"
    options = [f"--web.listen-address=127.0.0.1:{port}", f"--collector.textfile.directory={folder}"]
    with running([program, *options], folder / "log", url):
        told = names_told(answer(url) or "")
    assert of("node") <= told
    assert "twinning_backup_last_success_timestamp_seconds" in told


def test_postgres_exporter_tells_them(postgres: sa.URL, tmp_path_factory: pytest.TempPathFactory) -> None:
    program, port = needs("prometheus-postgres-exporter"), free_port()
    folder = str(postgres.query.get("host") or postgres.host)
    source = (
        f"postgresql:///postgres?host={folder}&port={postgres.port or 5432}&user={postgres.username}&sslmode=disable"
    )
    url = f"http://127.0.0.1:{port}/metrics"
    log = tmp_path_factory.mktemp("postgres") / "log"
    with running([program, f"--web.listen-address=127.0.0.1:{port}"], log, url, {"DATA_SOURCE_NAME": source}):
        exposition = answer(url) or ""
    assert of("postgres") <= names_told(exposition)
    assert "\npg_up 1" in exposition


def test_redis_exporter_tells_them(tmp_path_factory: pytest.TempPathFactory) -> None:
    server, program = needs("redis-server"), needs("prometheus-redis-exporter")
    folder, redis, port = tmp_path_factory.mktemp("redis"), free_port(), free_port()
    options = ["--port", str(redis), "--bind", "127.0.0.1", "--save", "", "--maxmemory", "32mb", "--dir", str(folder)]
    url = f"http://127.0.0.1:{port}/metrics"
    exporting = ["-web.listen-address", f"127.0.0.1:{port}", "-redis.addr", f"redis://127.0.0.1:{redis}"]
    with running([server, *options], folder / "redis"), running([program, *exporting], folder / "log", url):
        exposition = until(lambda: _if_in("redis_up 1", answer(url)), 10, "the exporter finds Redis")
    assert of("redis") <= names_told(exposition)


def test_nginx_exporter_tells_them(tmp_path_factory: pytest.TempPathFactory) -> None:
    server, program = needs("nginx"), needs("prometheus-nginx-exporter")
    folder, status, port = tmp_path_factory.mktemp("nginx"), free_port(), free_port()
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = " ".join(f"{kind}_temp_path {folder / kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder / 'pid'}; error_log stderr; events {{}}\nhttp {{ access_log off; {paths}\n"
        f"server {{ listen 127.0.0.1:{status}; location = /stub_status {{ stub_status; }} }} }}\n"
    )
    page, url = f"http://127.0.0.1:{status}/stub_status", f"http://127.0.0.1:{port}/metrics"
    exporting = ["-web.listen-address", f"127.0.0.1:{port}", "-nginx.scrape-uri", page]
    options = ["-c", str(folder / "nginx.conf"), "-p", str(folder), "-e", "stderr"]
    with running([server, *options], folder / "words", page), running([program, *exporting], folder / "log", url):
        exposition = answer(url) or ""
    assert of("nginx") <= names_told(exposition)
    assert "\nnginx_up 1" in exposition


def test_blackbox_tells_them(tmp_path_factory: pytest.TempPathFactory) -> None:
    program, folder, port = needs("prometheus-blackbox-exporter"), tmp_path_factory.mktemp("blackbox"), free_port()
    here = f"http://127.0.0.1:{port}"
    with running(
        [program, f"--config.file={BLACKBOX}", f"--web.listen-address=127.0.0.1:{port}"], folder / "log", here
    ):
        told = names_told(
            (answer(f"{here}/metrics") or "") + (answer(f"{here}/probe?module=http_ok&target={here}") or "")
        )
    # Told only of https; `test_probes` sees it.
    assert of("blackbox") - {"probe_ssl_earliest_cert_expiry"} <= told


def test_prometheus_and_alertmanager_tell_them(watchers: Watchers) -> None:
    def told() -> set[str] | None:
        both = (answer(f"{watchers.prometheus}/metrics") or "") + (answer(f"{watchers.alertmanager}/metrics") or "")
        names = names_told(both)
        return names if of("watchers") <= names else None

    until(told, 15, f"{of('watchers')} are told")


def _if_in(words: str, text: str | None) -> str | None:
    return text if text is not None and words in text else None
