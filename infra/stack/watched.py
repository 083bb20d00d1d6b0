"""What Prometheus watches beside the core: the lists of prometheus/optional that belong to what is started."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path


def lists(place: str, profiles: Collection[str]) -> dict[str, str]:
    """The lists that a home wants, each by the name that Prometheus looks for, with the file that it is made of."""
    wanted = {}
    if place == "vps":
        wanted["scrape-node.yml"] = "scrape-node.yml"
    if "ai" in profiles:
        wanted["probe-ai.yml"] = "probe-ai.yml"
    if "edge" in profiles:
        wanted["probe-edge.yml"] = "probe-edge.yml"
        wanted["scrape-edge.yml"] = "scrape-edge.yml"
        wanted["public-hosts.yml"] = "public.template.yml"
    return wanted


def choose(prometheus: Path, place: str, profiles: Collection[str], domain: str) -> None:
    """Puts them where Prometheus looks, which sees a change by itself; takes away those of before."""
    chosen = prometheus / "chosen"
    chosen.mkdir(parents=True, exist_ok=True)
    wanted = lists(place, profiles)
    for name, source in wanted.items():
        text = (prometheus / "optional" / source).read_text(encoding="utf-8").replace("${TWINNING_DOMAIN}", domain)
        new = chosen / f"{name}.{os.getpid()}.new"
        new.write_text(text, encoding="utf-8")
        # The server is another user.
        new.chmod(0o644)
        new.replace(chosen / name)
    for stale in chosen.glob("*.yml"):
        if stale.name not in wanted:
            stale.unlink()
