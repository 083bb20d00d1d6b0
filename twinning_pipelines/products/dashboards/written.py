"""Dashboards as files in the folder that Grafana's file provider reads: each is there whole, or as it was."""

import json
from collections.abc import Sequence
from pathlib import Path

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.products.dashboards.rendering import TAG, rendered
from twinning_pipelines.products.dashboards.vocabulary import Dashboard

# Grafana runs as somebody else.
_MODE = 0o644


def write_dashboards(dashboards: Sequence[Dashboard], folder: Path) -> list[Path]:
    """Writes each as `<name>.json` and removes those of ours that are no more. Raises WrongUsage where that is refused."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        paths = [_written(dashboard, folder) for dashboard in dashboards]
        for old in sorted(folder.glob("*.json")):
            if old not in paths and _is_ours(old):
                old.unlink()
    except OSError as refused:
        raise WrongUsage(f"the dashboards can't be written: {refused}") from refused
    return paths


def _written(dashboard: Dashboard, folder: Path) -> Path:
    path, unfinished = folder / f"{dashboard.name}.json", folder / f".{dashboard.name}.json.new"
    text = json.dumps(rendered(dashboard), ensure_ascii=False, indent=1) + "\n"
    unfinished.write_text(text, encoding="utf-8")
    unfinished.chmod(_MODE)
    unfinished.replace(path)
    return path


def _is_ours(path: Path) -> bool:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return isinstance(document, dict) and str(document.get("uid", "")).startswith(f"{TAG}-")
