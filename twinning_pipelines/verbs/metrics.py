"""The verb `twinning metrics`: how the installation is, as numbers for Prometheus."""

import signal
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from twinning_pipelines import shown
from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.home import home_of_environment
from twinning_pipelines.options import JSON

if TYPE_CHECKING:
    from twinning_pipelines.products.metrics.serving import Answer


@click.command()
@click.option(
    "--listen",
    metavar="HOST:PORT",
    help="Answer GET /metrics and /-/healthy there until stopped. There is no log-in: 127.0.0.1, or a network of your own.",
)
@JSON
def metrics(listen: str | None, as_json: bool) -> None:
    """Runs, files, rows, rejections, freshness, queues, summaries and sizes, in the words of Prometheus.

    Each part that can't be had (no database, no Dagster) is told by twinning_collect_failed; the others still come.
    """
    if listen is not None and as_json:
        raise WrongUsage("--json prints once; with --listen the answers are in Prometheus's own format")
    from twinning_pipelines.orchestration.metrics import Watch  # noqa: PLC0415  (Dagster takes a second)
    from twinning_pipelines.products.metrics.asking import Rounds  # noqa: PLC0415
    from twinning_pipelines.products.metrics.exposition import answering, documents  # noqa: PLC0415

    if listen is not None:
        for stopping in (signal.SIGTERM, signal.SIGINT):
            signal.signal(stopping, _leave)
    with Watch(home_of_environment()) as watch:
        # Nobody waits for one who only prints: it may take longer.
        rounds = Rounds(watch.parts()) if listen else Rounds(watch.parts(), patience_seconds=60)
        if listen is not None:
            watch.prepare()
            _serve(listen, answering(rounds.measured))
        elif as_json:
            shown.as_json(documents(rounds.measured()))
        else:
            sys.stdout.write(answering(rounds.measured)("")[1].decode())


def _serve(listen: str, answer: "Answer") -> None:
    from twinning_pipelines.products.metrics.serving import MetricsServer, address_of  # noqa: PLC0415

    with MetricsServer(address_of(listen), answer) as server:
        shown.ERR.print(f"listening on {server.url}", markup=False)
        server.serve_forever()


def _leave(*_: object) -> NoReturn:
    """Ends the process in order: what is open is closed on the way out."""
    raise SystemExit(0)


COMMANDS: tuple[click.Command, ...] = (metrics,)
