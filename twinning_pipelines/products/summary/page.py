"""A summary as one page of HTML: the text, and under it every figure with its definition, its baseline and its command.

No script, no address, nothing from elsewhere; everything from files and models is escaped.
"""

import re
from datetime import date
from html import escape
from pathlib import Path

from twinning_pipelines.errors import WrongUsage
from twinning_pipelines.marts.telling.told import Kind, Told
from twinning_pipelines.products.summary.figures import date_words, figure
from twinning_pipelines.products.summary.kept import QUOTE, Kept
from twinning_pipelines.products.summary.render import change, forms
from twinning_pipelines.products.summary.summary import Summary

_DOMAINS = {
    "health": "Body", "nutrition": "Food", "finance": "Money", "time": "Work", "business": "Business", "sources": "Sources",
    QUOTE: "Your words",
}  # fmt: skip
_PATHS = {
    "model": "Written by {model}, checked and filled in by code.",
    "retry": "Written by {model} at the second try, checked and filled in by code.",
    "template": "Written by rule, without a model.",
}
_UNIT = re.compile(r"(?<=\d) (?=(?:\d|h|min|km|m|kg|g|kcal|ms|bpm|[A-Z]{3})\b|%)|(?<=\dh) (?=\d)|(?<=\d h) (?=\d)")
_STYLE = """
:root { color-scheme: light dark; --ink: #1d2327; --soft: #5f6b73; --paper: #fbfaf7; --line: #dfddd6; --mark: #1f6f5c;
  --wrong: #a3401f; --chip: #eef3f0 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e3dc; --soft: #9aa4a8; --paper: #15181a; --line: #2e3437;
  --mark: #7cc8b2; --wrong: #e59a78; --chip: #1f2a28 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1.0625rem/1.6 Georgia, "Iowan Old Style", serif;
  overflow-wrap: anywhere }
main { max-width: 40rem; margin: 0 auto; padding: 2rem 1.25rem 4rem }
.day, .by, .label, .figure, summary, .check { font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
.day { color: var(--soft); font-size: .875rem; margin: 0 }
h1 { font-size: 1.65rem; line-height: 1.25; margin: .25rem 0 1.5rem; font-weight: 600; text-wrap: balance }
.label { color: var(--mark); font-size: .75rem; letter-spacing: .06em; text-transform: uppercase; margin: 1.4rem 0 .1rem }
section p:last-child { margin: 0 }
.check { display: inline-block; margin: 2rem 0 0; padding: .3rem .7rem; border-radius: 1rem; background: var(--chip);
  color: var(--mark); font-size: .875rem }
.check.wrong { color: var(--wrong) }
.by { color: var(--soft); font-size: .875rem; margin: .5rem 0 2rem }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .25rem; padding-top: 1.25rem; border-top: 1px solid var(--line) }
.figure { border-bottom: 1px solid var(--line); padding: .8rem 0; font-size: .875rem;
  line-height: 1.45 }
.figure:last-child { border-bottom: 0 }
.figure dt { display: flex; justify-content: space-between; gap: 1rem; font-size: 1rem; align-items: baseline }
.figure dt b { font-weight: 600; font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap }
.figure dd { margin: .15rem 0 0; color: var(--soft) }
code { font: .8125rem/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; color: var(--mark) }
.restated { color: var(--wrong) }
details { margin-top: 1.5rem }
summary { cursor: pointer; color: var(--soft); font-size: .875rem }
"""


def page_path(exports: Path, person: str, kind: Kind, day: date) -> Path:
    """Where the page of a summary lies, below the exports. Raises WrongUsage for a name that is no folder's."""
    if person in ("", ".", "..") or any(each in person for each in "/\\\0"):
        raise WrongUsage(f"{person!r} can't be the name of a folder")
    name = {"day": f"{day}", "week": f"week-{day}", "month": f"month-{day:%Y-%m}"}[kind]
    return exports / "summary" / person / f"{name}.html"


def write_page(path: Path, summary: Summary) -> None:
    """Writes a summary's page. Raises WrongUsage where that is not possible."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(page_of(summary), encoding="utf-8")
    except OSError as wrong:
        raise WrongUsage(f"{path} can't be written: {wrong.strerror}") from None


def page_of(summary: Summary) -> str:
    """The page, complete."""
    kept, verdict = summary.kept, summary.verdict
    told = {each.id for each in kept.told}
    rest = [each for each in kept.facts if each.id not in told]
    tone = "" if verdict.is_sound and not verdict.restated else " wrong"
    more = (
        f"<details><summary>{len(rest)} more figures of this {kept.kind}</summary><dl>{_figures(rest, summary)}</dl></details>"
        if rest
        else ""
    )
    by = _PATHS[kept.path].format(model=kept.model or "a model")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>{escape(summary.title)} · {escape(kept.person)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<p class="day">{escape(summary.title)} · {escape(kept.person)}</p>
<h1>{_unbroken(kept.headline)}</h1>
{_text(kept)}
<p class="check{tone}">{escape(str(verdict))}</p>
<p class="by">{escape(by)}</p>
<h2>Every figure, and where it comes from</h2>
<dl>{_figures(list(kept.told), summary)}</dl>
{more}
</main>
</body>
</html>
"""


def _text(kept: Kept) -> str:
    parts: list[str] = []
    domain = None
    for each in kept.sentences:
        if each.domain != domain:
            if domain is not None:
                parts.append("</p></section>\n")
            domain = each.domain
            parts.append(f'<section><p class="label">{escape(_DOMAINS.get(domain, domain.title()))}</p><p>')
        else:
            parts.append(" ")
        parts.append(_unbroken(each.rendered))
    if domain is None:
        return f"<p>{escape(kept.text or 'Nothing is known.')}</p>"
    return "".join([*parts, "</p></section>"])


def _unbroken(words: str) -> str:
    """Escaped, with figures that no line break tears apart."""
    return escape(_UNIT.sub("\u00a0", words)).replace("…", "…\u2060")


def _figures(facts: "list[Told]", summary: Summary) -> str:
    return "".join(_figure(each, summary) for each in facts)


def _figure(told: Told, summary: Summary) -> str:
    compared = "" if told.why in ("due", "silent") else change(told)
    lines = [told.definition, _baseline(told, compared), forms(told).get("aim", ""), _rows(told)]
    shown = "".join(f"<dd>{escape(line[:1].upper() + line[1:])}.</dd>" for line in lines if line)
    restated = (
        '<dd class="restated">A newer file says otherwise since this was written.</dd>'
        if told.id in summary.verdict.restated
        else ""
    )
    return (
        f'<div class="figure"><dt><span>{escape(forms(told)["title"])}</span><b>{escape(figure(told.value, told.unit))}</b></dt>'
        f"{shown}{restated}<dd><code>{escape(told.handle)} --person {escape(summary.kept.person)}</code></dd></div>"
    )


def _baseline(told: Told, compared: str) -> str:
    stick = told.yardstick
    if stick is None or not compared:
        return f"since {date_words(told.on)}" if told.why == "silent" and told.on else ""
    middle = figure(stick.middle, told.unit)
    if stick.against in ("last", "before"):
        return f"{compared}, when it was {middle}"
    days = f"{stick.n} of the last {stick.of} {'weeks' if stick.against == 'weekday' else 'days'}"
    return f"{compared}; usual is {middle}, the middle of {days}"


def _rows(told: Told) -> str:
    if told.kind == "day":
        return f"from {told.rows:,} row{'' if told.rows == 1 else 's'} of your files"
    how = {"total": "sum", "mean": "mean", "last": "last value", "value": "value"}[told.how]
    return f"{how} of {told.rows:,} day{'' if told.rows == 1 else 's'}"
