"""The bookings and trades in Firefly III: a step that talks to a network, and two looks at what came of it.

Nothing here tells names or payees: accounts go by their number, which `twinning firefly drift` resolves.
"""

from collections import Counter
from collections.abc import Sequence

import dagster as dg
import sqlalchemy as sa

from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable, WrongUsage
from twinning_pipelines.home import OpenHome
from twinning_pipelines.orchestration.facts import FOLLOWS_TABLES
from twinning_pipelines.orchestration.far_sides import only_silence_is_retried
from twinning_pipelines.orchestration.keys import BOOKINGS, FIREFLY
from twinning_pipelines.orchestration.results import Materialised, materialised
from twinning_pipelines.orchestration.run_home import RunHome
from twinning_pipelines.products.firefly.drift import AccountDrift, drift_of_everybody
from twinning_pipelines.products.firefly.push import Manner, Pushed, push_everybody

POOL = "firefly"
AGAIN = dg.RetryPolicy(max_retries=3, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
# A first push of years goes on at the next run: the inbox must not wait for it.
_SECONDS_PER_RUN = 1800
_NOT_CONFIGURED = "not configured: TWINNING_FIREFLY_URL names no Firefly III"
_WARN = dg.AssetCheckSeverity.WARN


def firefly_asset() -> dg.AssetsDefinition:
    """The asset `firefly`."""

    @dg.asset(
        key=FIREFLY,
        group_name="products",
        kinds={"fireflyiii"},
        deps=[BOOKINGS],
        retry_policy=AGAIN,
        pool=POOL,
        automation_condition=FOLLOWS_TABLES,
        description=(
            "Every booking, every transfer between own accounts and what every trade costs or brings, once, in the Firefly "
            "III that TWINNING_FIREFLY_URL names; what people change or delete there stays so. `twinning firefly plan` tells "
            "what a push would do."
        ),
    )
    def firefly(home: dg.ResourceParam[RunHome]) -> Materialised:
        return materialised(_metadata(push(home.opened)))

    return firefly


def push(home: OpenHome) -> list[Pushed] | None:
    """Pushes for everybody; None when no Firefly III is configured. Only silence of the far side is left to be retried."""
    with only_silence_is_retried():
        if (access := home.home.firefly()) is None:
            return None
        units = {source.name: source.unit for source in home.home.sources}
        manner = Manner(seconds=_SECONDS_PER_RUN, original=home.home.attached_original)
        return list(push_everybody(home.engine, access, units, manner))


def _metadata(done: Sequence[Pushed] | None) -> dict[str, dg.MetadataValue]:
    if done is None:
        return {"state": dg.MetadataValue.text(_NOT_CONFIGURED)}
    acts, left_out = Counter[str](), Counter[str]()
    for each in done:
        acts.update(each.acts)
        left_out.update(each.left_out)
    state = "up to date" if not sum(each.waiting for each in done) else "some is still to be pushed"
    return {
        "state": dg.MetadataValue.text(state),
        "people": dg.MetadataValue.int(len(done)),
        "accounts": dg.MetadataValue.int(sum(each.accounts for each in done)),
        "accounts that could not be made": dg.MetadataValue.int(sum(len(each.account_problems) for each in done)),
        "files that could not be attached": dg.MetadataValue.int(sum(len(each.file_problems) for each in done)),
        "still to be pushed": dg.MetadataValue.int(sum(each.waiting for each in done)),
        **{f"done: {name}": dg.MetadataValue.int(n) for name, n in sorted(acts.items())},
        **{f"left out, {reason}": dg.MetadataValue.int(n) for reason, n in sorted(left_out.items())},
    }


def agreement_check() -> dg.AssetChecksDefinition:
    """`firefly_agrees`."""

    @dg.asset_check(
        asset=FIREFLY,
        name="firefly_agrees",
        description=(
            "Each booking and trade is in Firefly III once, every difference of counts, sums and balances is what somebody "
            "did there, and our balance of the last statement's day is the statement's."
        ),
    )
    def firefly_agrees(home: dg.ResourceParam[RunHome]) -> dg.AssetCheckResult:
        try:
            access = home.home.firefly()
            if access is None:
                return dg.AssetCheckResult(passed=True, metadata={"state": _NOT_CONFIGURED})
            return agreement(list(drift_of_everybody(home.opened.engine, access)))
        except (FarSideUnavailable, FarSideRefused, WrongUsage) as trouble:
            return dg.AssetCheckResult(passed=False, severity=_WARN, description=str(trouble))

    return firefly_agrees


def agreement(drifts: Sequence[AccountDrift]) -> dg.AssetCheckResult:
    """The verdict on all accounts, by number and currency."""
    odd = [each for each in drifts if not each.agrees]
    table = [dg.TableRecord(_figures(each)) for each in drifts]
    metadata: dict[str, dg.MetadataValue] = {
        "accounts": dg.MetadataValue.int(len(drifts)),
        "accounts that differ": dg.MetadataValue.int(len(odd)),
    }
    if table:
        metadata["accounts, one by one"] = dg.MetadataValue.table(table)
    said = "`twinning firefly drift` tells which accounts, and names the differences" if odd else None
    return dg.AssetCheckResult(passed=not odd, severity=_WARN, metadata=metadata, description=said)


def _figures(drift: AccountDrift) -> dict[str, str | int]:
    named = "; ".join(f"{name}: {each.groups}" for name, each in sorted(drift.differences.items()))
    stated = "" if drift.stated is None else str(drift.stated)
    return {
        "account": drift.account_id,
        "currency": drift.currency,
        "groups, ours": drift.ours_groups,
        "groups, theirs": drift.theirs_groups,
        "sum, ours": f"{drift.ours_sum:.2f}",
        "sum, theirs": f"{drift.theirs_sum:.2f}",
        "balance, ours": f"{drift.ours_balance:.2f}",
        "balance, theirs": f"{drift.theirs_balance:.2f}",
        "last statement": stated,
        "ours on its day": "" if drift.ours_then is None else f"{drift.ours_then:.2f}",
        "differences": named,
    }


def refusal_check() -> dg.AssetChecksDefinition:
    """`nothing_refused`."""

    @dg.asset_check(
        asset=FIREFLY,
        name="nothing_refused",
        description=(
            "Firefly III refused no booking or trade, and none is kept back because of what was changed there. After mending the "
            "cause, `twinning firefly push --again` tries once more."
        ),
    )
    def nothing_refused(home: dg.ResourceParam[RunHome]) -> dg.AssetCheckResult:
        try:
            access = home.home.firefly()
        except WrongUsage as trouble:
            return dg.AssetCheckResult(passed=False, severity=_WARN, description=str(trouble))
        if access is None:
            return dg.AssetCheckResult(passed=True, metadata={"state": _NOT_CONFIGURED})
        with home.opened.engine.connect() as connection:
            parked = parked_count(connection, access.server)
        said = "`twinning firefly plan --again` tells which and why" if parked else None
        return dg.AssetCheckResult(passed=parked == 0, severity=_WARN, metadata={"parked": parked}, description=said)

    return nothing_refused


def parked_count(connection: sa.Connection, server: str) -> int:
    """Bookings, transfers, trades and files that a person has to look at, on the server that is configured now."""
    statement = "select count(*) from firefly_outbox where state = 'refused' and server = :server"
    return int(connection.execute(sa.text(statement), {"server": server}).scalar_one())
