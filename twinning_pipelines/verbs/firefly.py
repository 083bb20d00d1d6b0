"""The verbs of `twinning firefly`: what a push would do, the push, what differs, and what was deleted there once more."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from twinning_pipelines import shown
from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.home import OpenHome, home_of_environment
from twinning_pipelines.options import JSON
from twinning_pipelines.products.firefly.drift import AccountDrift, drift_of_everybody
from twinning_pipelines.products.firefly.push import (
    Manner,
    Pushed,
    foresee_everybody,
    forget_everybodys_deletions,
    push_everybody,
)
from twinning_pipelines.stores.firefly.access import FireflyAccess

WHOSE = click.option("--person", help="Whose. Default: everybody's who has a token.")
AGAIN = click.option("--again", is_flag=True, help="Also what was refused or kept back before.")


@click.group()
def firefly() -> None:
    """The bookings and trades in Firefly III."""


@firefly.command("plan")
@AGAIN
@WHOSE
@JSON
def plan(again: bool, person: str | None, as_json: bool) -> None:
    """What a push would do; it writes nothing, neither here nor there."""
    with _opened() as (home, access):
        manner = Manner(again=again, original=home.home.attached_original)
        for who, act, name, why in foresee_everybody(home.engine, access, _units(home), manner, person):
            if as_json:
                shown.as_json({"person": who, "act": act, "what": name, "why": why})
            else:
                shown.OUT.print(f"{who}: {act} {name}" + (f" ({why})" if why else ""), markup=False)


@firefly.command("push")
@click.option("--backfill", is_flag=True, help="Without the rules and webhooks there: for a first push of years.")
@click.option(
    "--limit-seconds", type=click.FloatRange(min=1), default=3600, show_default=True, help="Stop after so long."
)
@click.option(
    "--pace", type=click.FloatRange(min=0), default=0, help="Seconds between two changes, for a small server."
)
@AGAIN
@WHOSE
@JSON
def push(*, backfill: bool, limit_seconds: float, pace: float, again: bool, person: str | None, as_json: bool) -> None:
    """Bring Firefly III up to date: each booking once; what was changed or deleted there stays so."""
    with _opened() as (home, access):
        manner = Manner(
            backfill=backfill, again=again, seconds=limit_seconds, pace=pace, original=home.home.attached_original
        )
        for done in push_everybody(home.engine, access, _units(home), manner, person):
            if as_json:
                shown.as_json(done.document())
            else:
                _show_push(done)


@firefly.command("drift")
@WHOSE
@JSON
def drift(person: str | None, as_json: bool) -> None:
    """Counts, sums and balances of each account: ours, theirs, the statements'. Names every difference, changes nothing."""
    with _opened() as (home, access):
        for each in drift_of_everybody(home.engine, access, person):
            if as_json:
                shown.as_json(each.document())
            else:
                _show_drift(each)


@firefly.command("forget-deleted")
@WHOSE
@JSON
def forget_deleted(person: str | None, as_json: bool) -> None:
    """Let the next push send again what is gone there: after a restore from an older backup, or a change of mind."""
    with _opened() as (home, access):
        forgotten = forget_everybodys_deletions(home.engine, access, person)
    if as_json:
        shown.as_json({"forgotten": forgotten})
    else:
        shown.OUT.print(f"{forgotten:,} will be sent again by the next push")


@contextmanager
def _opened() -> Iterator[tuple[OpenHome, FireflyAccess]]:
    with home_of_environment().opened() as home:
        access = home.home.firefly()
        if access is None:
            raise WrongUsage("no Firefly III is configured; set TWINNING_FIREFLY_URL and TWINNING_FIREFLY_TOKEN")
        yield home, access


def _units(home: OpenHome) -> dict[str, str]:
    return {source.name: source.unit for source in home.home.sources}


def _show_push(done: Pushed) -> None:
    said = ", ".join(f"{name} {n:,}" for name, n in sorted(done.acts.items())) or "nothing to do"
    shown.OUT.print(f"{done.person}: {said}", markup=False)
    for reason, n in sorted(done.left_out.items()):
        shown.OUT.print(f"    {n:,} bookings or trades {reason} are left out", markup=False)
    for problem in done.account_problems:
        shown.OUT.print(f"    account {problem}", style="yellow", markup=False)
    for problem in done.file_problems:
        shown.OUT.print(f"    file {problem}", style="yellow", markup=False)
    if done.waiting:
        why = "the time is up" if done.out_of_time else "see `twinning firefly plan --again`"
        shown.OUT.print(f"    {done.waiting:,} still wait: {why}", style="yellow", markup=False)


def _show_drift(drift: AccountDrift) -> None:
    mark = "agrees" if drift.agrees else "differs"
    balances = f"balance {drift.ours_balance:.2f} here, {drift.theirs_balance:.2f} there"
    groups = f"{drift.ours_groups:,} transactions here, {drift.theirs_groups:,} there"
    shown.OUT.print(f"{drift.person}, {drift.account} {drift.currency} {mark}: {balances}; {groups}", markup=False)
    if drift.stated is not None and drift.stated != drift.ours_then:
        said = f"    the last statement says {drift.stated}, bookings and trades make {drift.ours_then}"
        shown.OUT.print(said, style="yellow", markup=False)
    for name, each in sorted(drift.differences.items()):
        shown.OUT.print(f"    {name}: {each.groups:,} ({each.sum:+.2f})", markup=False)
    if drift.unexplained:
        shown.OUT.print(f"    unexplained: {drift.unexplained:+.2f}", style="yellow", markup=False)


COMMANDS: tuple[click.Command, ...] = (firefly,)
