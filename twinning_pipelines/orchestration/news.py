"""The step `news`: last in every ingest and every night; it never fails a run. A run that broke off has it made up for by
the sensor of failed runs, see `failures`.
"""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import dagster as dg

from twinning_pipelines.errors import TwinningError
from twinning_pipelines.home import Home, OpenHome
from twinning_pipelines.orchestration.results import Materialised, materialised
from twinning_pipelines.orchestration.run_home import RunHome
from twinning_pipelines.products.news.round import Told, make_round
from twinning_pipelines.products.news.targets import Audience, audience_of
from twinning_pipelines.products.news.telling import Happening
from twinning_pipelines.products.news.told import Standing, standings

NEWS = dg.AssetKey("news")
_SECONDS_PER_RUN = 60.0


def audience_at(home: Home) -> Audience:
    """Everybody who hears something in this home."""
    return audience_of(home.settings.home, home.settings.notify_urls.get_secret_value().split())


def round_at(home: OpenHome, also: Sequence[Happening] = (), seconds: float = _SECONDS_PER_RUN) -> Told:
    """One round in an open home. also: what no table knows of."""
    settings = home.home.settings
    audience = audience_at(home.home)
    return make_round(
        home.engine, audience, home.home.sources, settings.home, ZoneInfo(settings.zone), also=also, seconds=seconds
    )


def news_asset(after: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """The asset `news`."""

    @dg.asset(
        key=NEWS,
        group_name="products",
        kinds={"postgres"},
        deps=after,
        description=(
            "What is worth a word, told once to each target of `news.yaml`: a summary, a silent source, a file that could "
            "not be read, balances that do not add up, a payment that did not come, a budget, a goal, an unusual day. "
            "`twinning news` lists what was told to whom."
        ),
    )
    def news(home: dg.ResourceParam[RunHome]) -> Materialised:
        try:
            return materialised(_figures(round_at(home.opened)))
        except TwinningError as trouble:
            said = str(trouble)
        except Exception as bug:  # noqa: BLE001  (news must never cost a run, and a bug's words may quote a row)
            said = f"{type(bug).__name__}: a fault of this program"
        return materialised({"state": dg.MetadataValue.text(f"nothing could be told: {said}")})

    return news


def _figures(told: Told) -> dict[str, dg.MetadataValue]:
    figures = {
        "new": told.new,
        "delivered": told.tries.delivered,
        "failed, tried again later": told.tries.failed,
        "dead": told.tries.dead,
        "targets in their quiet hours": told.quiet,
    }
    state = "the time was up; the rest waits for the next round" if told.tries.out_of_time else "told"
    return {"state": dg.MetadataValue.text(state)} | {name: dg.MetadataValue.int(n) for name, n in figures.items()}


def arrive_check() -> dg.AssetChecksDefinition:
    """`news_arrive`."""

    @dg.asset_check(
        asset=NEWS,
        name="news_arrive",
        description=(
            "`news.yaml` can be used, and no target has dead letters. `twinning news` says why; `twinning news retry` tries "
            "them once more, with `--drop` it forgets them."
        ),
    )
    def news_arrive(home: dg.ResourceParam[RunHome]) -> dg.AssetCheckResult:
        with home.opened.engine.connect() as connection:
            return verdict(audience_at(home.home), standings(connection))

    return news_arrive


def verdict(audience: Audience, known: Sequence[Standing]) -> dg.AssetCheckResult:
    """Dead letters by the name of the target; those of targets that are configured no more are nobody's concern."""
    names = {target.name for target in audience.targets}
    ours = [each for each in known if each.target in names or audience.problem]
    dead = [each for each in ours if each.dead]
    metadata: dict[str, dg.MetadataValue] = {
        "targets": dg.MetadataValue.int(len(names)),
        "waiting": dg.MetadataValue.int(sum(each.pending for each in ours)),
        **{f"dead letters of {each.target}": dg.MetadataValue.int(each.dead) for each in dead},
    }
    said = audience.problem or ("`twinning news` says why; `twinning news retry` tries them again" if dead else None)
    return dg.AssetCheckResult(
        passed=not dead and not audience.problem,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
        description=said,
    )
