"""The verb `model` of the `twinning` command: which language model is configured, whether it answers, and downloading one."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from msgspec import Struct
from msgspec.structs import asdict

from twinning_pipelines import shown
from twinning_pipelines.engines.chat import Message, Reply
from twinning_pipelines.engines.detected import Detected, Engine
from twinning_pipelines.engines.known_model import KnownModel, Standing, refuse_cloud
from twinning_pipelines.engines.ollama import DEFAULT_MODEL, Download, Ollama
from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable, WrongUsage
from twinning_pipelines.home import home_of_environment
from twinning_pipelines.options import JSON

_LOOK_SECONDS = 15.0
_NONE = "no language model is configured; TWINNING_MODEL_URL says where one answers, such as http://127.0.0.1:11434 for Ollama"
_QUESTION = (
    Message("system", "Answer with one JSON object and nothing else."),
    Message("user", 'Is the sea salty? Answer {"answer": "yes"} or {"answer": "no"}.'),
)
_SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "string", "enum": ["yes", "no"]}},
    "required": ["answer"],
    "additionalProperties": False,
}


class _Look(Struct, frozen=True):
    """What a look at the configured model finds; later parts are None where an earlier one failed. problem: why."""

    url: str
    standing: Standing | None = None
    model: KnownModel | None = None
    reply: Reply | None = None
    problem: str | None = None

    @property
    def keeps_to_schema(self) -> bool:
        """Whether the test question was answered in the form that was asked for."""
        try:
            answer = json.loads(self.reply.text) if self.reply else None
        except ValueError:
            return False
        return answer in ({"answer": "yes"}, {"answer": "no"})

    def document(self) -> dict[str, Any]:
        """As JSON."""
        standing, model, reply = self.standing, self.model, self.reply
        return {
            "configured": True,
            "url": self.url,
            "api": standing.kind if standing else None,
            "version": standing.version if standing else None,
            "model": model.name if model else None,
            "digest": model.digest if model else None,
            "size": model.size if model else None,
            "context": model.context if model else None,
            "answers": reply is not None,
            "keeps_to_schema": self.keeps_to_schema,
            "seconds": round(reply.seconds, 3) if reply else None,
            "tokens": reply.tokens if reply else None,
            "problem": self.problem,
            "models": [asdict(each) for each in standing.models] if standing else [],
        }


@click.group(invoke_without_command=True)
@click.option(
    "--seconds", type=click.FloatRange(min=1), default=60.0, show_default=True, help="For the test question at most."
)
@JSON
@click.pass_context
def model(context: click.Context, seconds: float, as_json: bool) -> None:
    """Which language model is configured, and whether it answers: asks it one small question.

    Exit code 0: it answers, or none is configured (all works without); 1: it does not answer.
    """
    if context.invoked_subcommand is not None:
        return
    engine = home_of_environment().chat_engine()
    if engine is None:
        if as_json:
            shown.as_json({"configured": False})
        else:
            shown.OUT.print(_NONE, markup=False)
        return
    look = _look(engine, seconds)
    if as_json:
        shown.as_json(look.document())
    else:
        _show(look)
    sys.exit(shown.EXIT_UNREADABLE if look.problem else shown.EXIT_OK)


@model.command()
@click.argument("name", default="")
@click.option("--yes", is_flag=True, help="Download without asking.")
@JSON
def pull(name: str, yes: bool, as_json: bool) -> None:
    """Have Ollama download a model: NAME, or the one that TWINNING_MODEL names. Some gigabytes; it asks first.

    Nothing else in Twinning ever downloads a model.
    """
    ollama = _ollama(home_of_environment().chat_engine())
    wanted = name.strip() or ollama.model
    refuse_cloud(wanted)
    if not yes:
        if not sys.stdin.isatty():
            raise WrongUsage(f"--yes downloads {wanted!r} without asking; there is no terminal to ask on")
        click.confirm(f"Have Ollama at {ollama.server.host} download {wanted}, some gigabytes?", abort=True, err=True)
    with _progress() as progress:
        ollama.pull(wanted, progress)
    found = Ollama(ollama.server, wanted).chosen(ollama.server.deadline(_LOOK_SECONDS))
    if as_json:
        shown.as_json({"model": found.name, "digest": found.digest, "size": found.size})
    else:
        shown.OUT.print(f"{found.name} is there: {_told(found)}", markup=False)


def _ollama(engine: Engine | None) -> Ollama:
    if engine is None:
        raise WrongUsage(_NONE)
    found = engine.found(_LOOK_SECONDS) if isinstance(engine, Detected) else engine
    if not isinstance(found, Ollama):
        raise WrongUsage(f"{found.server.host} is no Ollama: give it a model by its own means")
    return found


def _look(engine: Engine, seconds: float) -> _Look:
    url, standing, model, reply = engine.server.address, None, None, None
    try:
        standing = engine.standing(deadline=_LOOK_SECONDS)
        found = engine.found(_LOOK_SECONDS) if isinstance(engine, Detected) else engine
        model = found.described(found.server.deadline(_LOOK_SECONDS))
        reply = found.ask(_QUESTION, _SCHEMA, deadline=seconds)
    except (FarSideRefused, FarSideUnavailable) as trouble:
        return _Look(url, standing, model, reply, str(trouble))
    return _Look(url, standing, model, reply)


def _show(look: _Look) -> None:
    out, standing, model = shown.OUT, look.standing, look.model
    if standing:
        named = f"{'Ollama' if standing.kind == 'ollama' else 'an OpenAI-compatible server'} {standing.version}".strip()
        out.print(f"{named} at {look.url}", markup=False)
    if model:
        out.print(f"    {model.name}: {_told(model)}", markup=False)
    if look.reply:
        form = "in the form asked for" if look.keeps_to_schema else "not in the form asked for"
        out.print(f"    it answered a test question in {look.reply.seconds:.1f} s, {form}", markup=False)
    if standing and (others := [each.name for each in standing.models if not model or each.name != model.name]):
        out.print(f"    also there: {', '.join(others)}", markup=False)
    if look.problem:
        out.print(f"    {look.problem}", style="yellow", markup=False)
        if standing and standing.kind == "ollama" and not model:
            out.print(f"    for 16 GB of memory {DEFAULT_MODEL}, for 8 GB llama3.2:3b", markup=False)


def _told(model: KnownModel) -> str:
    parts = [
        f"digest {model.digest.removeprefix('sha256:')[:12]}" if model.digest else "no digest told",
        f"{model.size / 1e9:.1f} GB" if model.size else "",
        f"context of up to {model.context:,} tokens" if model.context else "",
    ]
    return ", ".join(filter(None, parts))


@contextmanager
def _progress() -> Iterator[Callable[[Download], None]]:
    """A bar on a terminal; elsewhere one line for each new thing that is done. Both on standard error."""
    if not sys.stderr.isatty():
        said = list[str]()

        def tell(moment: Download) -> None:
            if moment.status not in said[-1:]:
                said.append(moment.status)
                shown.ERR.print(moment.status, markup=False)

        yield tell
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=shown.ERR, transient=True) as bars:
        task = bars.add_task("asking", total=None)

        def move(moment: Download) -> None:
            bars.update(task, description=moment.status, completed=moment.completed, total=moment.total or None)

        yield move


COMMANDS: tuple[click.Command, ...] = (model,)
