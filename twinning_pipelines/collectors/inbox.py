"""Into the inbox: fetched bytes appear there whole or not at all, below the person they belong to.

`inbox/<person>/<collector>/<name>`. Until a file is whole its name begins with a dot, and the inbox leaves it alone.
"""

from pathlib import Path

from twinning_pipelines.collectors.collector import Fetched
from twinning_pipelines.collectors.logbook import replace_file


def land(inbox: Path, key: str, fetched: Fetched) -> Path:
    """Puts a file into the inbox, dated when it was asked for: where two answers differ the later is believed."""
    place = inbox / key / fetched.name
    replace_file(place, fetched.data, fetched.at)
    return place
