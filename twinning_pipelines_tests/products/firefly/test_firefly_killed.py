"""A push that is killed in the middle: the next one goes on, and nothing is lost or there twice."""

import os
import signal
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from twinning_pipelines_tests.products.firefly.pusher import Pusher
from twinning_pipelines_tests.products.firefly.traded import Broker

PROGRAM = """
import sys
from twinning_pipelines.products.firefly.push import Manner, push
from twinning_pipelines.stores.firefly.client import Firefly
from twinning_pipelines.stores.postgres.database import connect
database, url, person_id, person, backfill = sys.argv[1:]
token = sys.stdin.readline()
with Firefly(url, token) as firefly:
    push(connect(database), firefly, (int(person_id), person), {}, Manner(backfill=backfill == "yes"))
"""


@pytest.mark.parametrize(("backfill", "traded"), [("yes", False), ("no", False), ("no", True)])
@pytest.mark.timeout(180)
def test_a_push_that_is_killed_at_any_moment_is_taken_up_by_the_next(
    pusher: Pusher, broker: Broker, database_url: str, backfill: str, traded: bool
) -> None:
    home, fake = pusher.household, pusher.fake
    giro, savings = home.account("Giro"), home.account("Savings")
    out, into = home.book(giro, "2026-03-02", "-30"), home.book(savings, "2026-03-02", "30")
    for n in range(8):
        home.book(giro, f"2026-03-{n + 1:02d}", "-4.50", "Bakery", "bread")
    # Trades are the oldest, so that it is them whose requests are cut off.
    trades = [broker.trade("2026-02-20", "-250") for _ in range(3)] if traded else []
    pusher.push(seconds=-1, backfill=backfill == "yes")
    honest, killed = fake.meet, list[str]()
    process: subprocess.Popen[str] | None = None
    # The request at which it is killed, and whether before or after the server has done it.
    moments = [("POST", "before"), ("POST", "after"), ("POST", "after"), ("DELETE", "after"), ("POST", "after")]

    def deadly(request: Any) -> Any:
        method, when = moments[len(killed)] if len(killed) < len(moments) else ("", "")
        hit = (
            process is not None
            and request.method == method
            and request.path.endswith(("/transactions", ""))
            and "/accounts" not in request.path
        )
        if hit and when == "before":
            killed.append(when)
            os.kill(process.pid, signal.SIGKILL)  # type: ignore[union-attr]
        met = honest(request)
        if hit and when == "after":
            killed.append(when)
            os.kill(process.pid, signal.SIGKILL)  # type: ignore[union-attr]
        return met

    fake.meet = deadly  # type: ignore[method-assign]
    for place, (method, _) in enumerate(moments):
        if method == "DELETE":
            fake.meet = honest  # type: ignore[method-assign]
            pusher.push(backfill=backfill == "yes")
            if traded:
                broker.lose(trades[0])
                broker.trade("2026-02-21", "-99")
            else:
                home.pair(out, into)
            fake.meet = deadly  # type: ignore[method-assign]
        command = [sys.executable, "-c", PROGRAM, database_url, fake.url, str(home.person_id), home.person, backfill]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL)
        process.communicate(fake.token, timeout=60)
        assert process.returncode == -signal.SIGKILL
        assert len(killed) == place + 1
    fake.meet = honest  # type: ignore[method-assign]
    process = None
    done = pusher.push()
    assert done.waiting == 0
    ids = Counter(str(group.living()[0].texts["external_id"]) for group in fake.books.living())
    assert set(ids.values()) == {1}
    assert len(ids) == (10 + 3 if traded else 9)
    before = pusher.writes()
    assert pusher.push().acts == {}
    assert pusher.writes() == before
    assert fake.books.unfinished_batch == 0
    assert all(each.agrees and not each.differences for each in pusher.drift())
