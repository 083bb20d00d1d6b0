"""One pass over the markup of an OFX file: SGML without closing tags, XML, and what banks make of either.

A name is a value if our table says so, or if text or its own closing tag follows; otherwise it opens an aggregate.
Opening an aggregate closes those left open that can't hold it (`ofx_tags.FLOORS`, `MEMBERS`). A `<` that opens no
tag, and an unknown name in the middle of a line of text (`see <REF> 12`), are text. Comments are dropped, CDATA is
kept as it is, and only the entities of XML, `&nbsp;` and numbers are resolved: `BOOKS&COPY` stays what it is.
"""

import re

from msgspec import Struct, field

from twinning_pipelines.errors import HostileFile
from twinning_pipelines.formats.ofx_document import BOOKING, Record, Run, Statement
from twinning_pipelines.formats.ofx_runs import LIST, Looks
from twinning_pipelines.formats.ofx_tags import (
    AGGREGATES,
    DEEPEST,
    FLOORS,
    LEAVES,
    MEMBERS,
    RESPONSES,
    ROLES,
    STATEMENTS,
    TRANSPARENT,
    Kind,
    Role,
)

MAX_TAGS = 20_000_000
_MAX_DEPTH = 64
_MAX_REPEATS = 9
_MAX_UNKNOWN = 200
_LINE_LOOK = 400

# Slash, name, attributes, the text up to the next `<`, and the closing tag of its own where it follows at once.
_TOKEN = re.compile(r"<(/?)([A-Za-z][\w.]*+)((?:\s[^<>=]*+=[^<>]*+|\s*+/?)>)([^<]*+)(</\2\s*+>)?", re.ASCII)
_CUT_TAG = re.compile(r"</?[\w.]*", re.ASCII)
_ENTITY = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|(amp|lt|gt|quot|apos|nbsp));", re.IGNORECASE)
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": "\u00a0"}

# Noncharacters, which no text holds, stand for markup that is text; a blank that no text holds covers comments.
_HIDE = str.maketrans("<>&", "\ufdd0\ufdd1\ufdd2")
_COVER = "\x1f"
_SHOW = str.maketrans({"\ufdd0": "<", "\ufdd1": ">", "\ufdd2": "&", _COVER: None})


class _Open(Struct):
    """An aggregate that is open: where it starts, and where the values inside it go, under which prefix."""

    name: str
    floor: int
    role: Role
    start: int
    line: int
    fields: dict[str, str]
    prefix: str


class Walk(Struct):
    """What one pass found. `complete`: the closing tag of the root was met."""

    statements: list[Statement] = field(default_factory=list)
    securities: list[Record] = field(default_factory=list)
    complete: bool = False


def walk(text: str, begin: int, *, in_runs: bool = True) -> Walk:
    """Everything in the markup from an offset on; `in_runs`: plain bookings behind one another are kept as runs.

    Raises HostileFile for more than 20 million tags.
    """
    if text.count("<", begin) > MAX_TAGS:
        raise HostileFile(f"more than {MAX_TAGS} tags: no statement is that long")
    walker = _Walker(text, in_runs=in_runs)
    place: int | None = begin
    while place is not None:
        place = walker.walk_from(place)
    return walker.ended()


def masked(text: str) -> str:
    """The text with comments covered and CDATA hidden from the tokeniser, every character still in its place."""
    pieces: list[str] = []
    done = 0
    while (start := text.find("<!", done)) >= 0:
        comment = text.startswith("<!--", start)
        if not comment and not text.startswith("<![CDATA[", start):
            pieces.append(text[done : start + 2])
            done = start + 2
            continue
        end = text.find("-->" if comment else "]]>", start)
        if end < 0:
            # Never closed, so it opens nothing: it is text, as any other `<`.
            break
        pieces.append(text[done:start])
        done = end + 3
        if comment:
            pieces.append(_COVER * (done - start))
        else:
            pieces += [_COVER * len("<![CDATA["), text[start + 9 : end].translate(_HIDE), _COVER * len("]]>")]
    return "".join([*pieces, text[done:]]) if pieces else text


class _Walker:
    """The state of one pass. `fields`, `prefix` and `keys` are those of the innermost open aggregate."""

    def __init__(self, text: str, *, in_runs: bool) -> None:
        self.original = text
        self.text = masked(text) if "<!" in text else text
        self.line_ends = _line_ends(text)
        # Runs count lines by their LF, and know neither comments nor CDATA.
        self.looks = Looks(_clean) if in_runs and self.text is text and len(self.line_ends) == 1 else None
        self.line, self.counted = 1, 0
        self.found = Walk()
        self.stack: list[_Open] = []
        self.scratch: dict[str, str] = {}
        # By prefix: how a value's name in the file (any case) is stored, for the names met so far.
        self.keys_by_prefix: dict[str, dict[str, str]] = {}
        self.last_close: dict[str, int] = {}
        self.sign_on: dict[str, str] = {}
        self.answer: dict[str, str] = {}
        self.records: list[Record | Run] | None = None
        self.positions: list[Record] = []
        self.last_record: tuple[int, dict[str, str]] = (-1, {})
        self._enter(self.scratch, "")

    def walk_from(self, begin: int) -> int | None:
        """Walks to the end, or to that of the next run, whose offset it gives.

        The common case, a value with a known name, is decided here; the rest is handed out.
        """
        fields, keys, covered, end = self.fields, self.keys, self.text is not self.original, begin
        # The last value, as long as text may still belong to it, and how far such text reached.
        leaf: re.Match[str] | None = None
        leaf_key, late = "", 0
        for token in _TOKEN.finditer(self.text, end):
            slash, name, attributes, value, own = token.groups()
            start, stop = token.span()
            if leaf is not None and start != end:
                late = start
            end = stop
            key = None if slash else keys.get(name)
            if key is None and leaf is not None and not own and self._is_text(name, slash, leaf, start):
                late = stop
                continue
            if late and leaf is not None:
                fields[leaf_key] = _clean(self.text[leaf.start(4) : late])
            leaf, late = None, 0
            if key is None:
                if slash:
                    self._close(token)
                    if behind := self._run_behind(name, end):
                        return behind
                else:
                    key = self._open_or_key(token)
                fields, keys = self.fields, self.keys
                if key is None:
                    continue
            if key in fields:
                key = _again(fields, key)
            fields[key] = _clean(value) if covered or "&" in value else value.strip()
            if not own and attributes == ">":
                leaf, leaf_key = token, key
        if leaf is not None:
            # What follows the last tag is text, unless it is a tag that the end of the file cut.
            end = end if _CUT_TAG.fullmatch(self.text, end) else len(self.text)
            fields[leaf_key] = _clean(self.text[leaf.start(4) : end])
        return None

    def ended(self) -> Walk:
        """What was found; whatever is still open is cut."""
        while self.stack:
            self._finish(len(self.text), cut=True)
        return self.found

    def _run_behind(self, closed: str, begin: int) -> int | None:
        """Keeps the plain bookings that stand behind a closed one, and gives the offset where they end; None without any."""
        if self.looks is None or closed.upper() != BOOKING or self.records is None:
            return None
        if not self.stack or self.stack[-1].name != LIST:
            return None
        self._count_lines(begin)
        run = self.looks.run(self.text, begin, self.line)
        if run is None:
            return None
        self.records.append(run)
        self.line, self.counted = run.lines[-1], run.offsets[-2]
        return run.offsets[-1]

    def _is_text(self, name: str, slash: str, leaf: re.Match[str], start: int) -> bool:
        """Is a tag behind an open value part of its text? Only an unknown name amid a line is."""
        upper = name.upper()
        if upper in LEAVES or upper in AGGREGATES or "." in name:
            return False
        if slash and any(entry.name == upper for entry in self.stack):
            return False
        # Looking back a bounded way keeps a hostile line from costing its square.
        since = max(leaf.start(4), start - _LINE_LOOK)
        line_start = max(self.text.rfind("\n", since, start), self.text.rfind("\r", since, start))
        return line_start < 0 or not self.text[line_start:start].isspace()

    def _open_or_key(self, token: re.Match[str]) -> str | None:
        """Opens the aggregate of a token, or gives the key under which its value is stored."""
        _, name, attributes, value, own = token.groups()
        upper = name.upper()
        closed, empty = bool(own) or attributes.endswith("/>"), not value.strip()
        if upper in AGGREGATES:
            # Sloppy writers put a bare code where an aggregate belongs: `<CURRENCY>USD`.
            aggregate = empty or upper in FLOORS or upper in TRANSPARENT
        else:
            aggregate = empty and not closed and upper not in LEAVES and self._closes_later(name, token.end())
        if upper in AGGREGATES or upper in LEAVES:
            self._close_full(upper, token.start())
        if aggregate:
            if len(self.stack) < _MAX_DEPTH:
                self._push(upper, token.start())
                if closed:
                    self._finish(token.end())
            return None
        key = self.prefix + upper
        if upper in LEAVES:
            self.keys[name] = key
        return key

    def _closes_later(self, name: str, position: int) -> bool:
        """Does an unknown name have a closing tag further on? Without one it is an empty value."""
        if name not in self.last_close:
            if len(self.last_close) >= _MAX_UNKNOWN:
                return False
            self.last_close[name] = self.text.rfind(f"</{name}>")
        return self.last_close[name] >= position

    def _close_full(self, upper: str, start: int) -> None:
        """Closes what was left open before a name that can't stand inside it."""
        floor = FLOORS.get(upper, DEEPEST)
        while self.stack:
            top = self.stack[-1]
            members = MEMBERS.get(top.name)
            fits = floor == DEEPEST or top.floor < floor if members is None else upper in members
            if fits:
                return
            self._finish(start)

    def _close(self, token: re.Match[str]) -> None:
        """Closes an aggregate and all in it; a closing tag without an opening one means nothing."""
        upper, stop = token[2].upper(), token.end(3)
        self.found.complete = self.found.complete or upper in ("OFX", "OFC")
        if not self.stack or self.stack[-1].name != upper:
            if all(entry.name != upper for entry in self.stack):
                return
            while self.stack[-1].name != upper:
                self._finish(token.start())
        self._finish(stop)

    def _push(self, upper: str, start: int) -> None:
        role = ROLES.get(upper, "")
        fields, prefix, line = self.fields, self.prefix, 0
        if role:
            self._count_lines(start)
            line = self.line
            fields, prefix = self._home(upper, role, line), ""
        elif fields is not self.scratch and upper not in TRANSPARENT:
            prefix = f"{prefix}{upper}."
        self.stack.append(_Open(upper, FLOORS.get(upper, DEEPEST), role, start, line, fields, prefix))
        self._enter(fields, prefix)

    def _count_lines(self, offset: int) -> None:
        self.line += sum(sign * self.original.count(end, self.counted, offset) for end, sign in self.line_ends)
        self.counted = offset

    def _home(self, upper: str, role: Role, line: int) -> dict[str, str]:
        """Where the values of an aggregate with a role go."""
        home: dict[str, str] = {}
        if role == "sign_on":
            self.sign_on = home
        elif role == "response":
            self.answer, self.records = home, None
        elif role == "statement":
            home, self.answer = self.answer, {}
            self._start_statement(STATEMENTS[upper], line, home)
        return home

    def _start_statement(self, kind: Kind, line: int, fields: dict[str, str]) -> list[Record | Run]:
        self.records, self.positions = [], []
        self.found.statements.append(Statement(kind, line, fields, self.sign_on, self.records, self.positions))
        return self.records

    def _finish(self, stop: int, *, cut: bool = False) -> None:
        """Closes the innermost aggregate at an offset and keeps what it holds."""
        entry = self.stack.pop()
        if entry.role in ("record", "position", "security"):
            raw = self.original[entry.start : stop].rstrip()
            self._keep(entry, Record(entry.name, entry.line, entry.fields, raw, cut))
        elif entry.role == "response" and entry.fields and self.answer is entry.fields:
            # An answer without a statement: its status says why.
            self._start_statement(RESPONSES[entry.name], entry.line, entry.fields)
        elif entry.role == "cash" and self.last_record[0] > entry.start:
            # SUBACCTFUND stands beside the bank transaction that it belongs to.
            fields = self.last_record[1]
            fields.update((name, value) for name, value in entry.fields.items() if name not in fields)
        if entry.role in ("response", "statement"):
            self.records = None
        outer = self.stack[-1] if self.stack else None
        self._enter(outer.fields if outer else self.scratch, outer.prefix if outer else "")

    def _keep(self, entry: _Open, record: Record) -> None:
        if entry.role == "security":
            self.found.securities.append(record)
            return
        records = self.records
        if records is None:
            records = self._start_statement("unknown", entry.line, {})
        if entry.role == "position":
            self.positions.append(record)
            return
        records.append(record)
        if self.looks is not None:
            self.looks.learn(record.raw)
        self.last_record = (entry.start, entry.fields)

    def _enter(self, fields: dict[str, str], prefix: str) -> None:
        self.fields, self.prefix = fields, prefix
        self.keys = self.keys_by_prefix.setdefault(prefix, {})


def _line_ends(text: str) -> tuple[tuple[str, int], ...]:
    """What to count for line numbers, and with which sign: one bank's header ends its lines in CR, its body in LF."""
    if text.count("\r") == text.count("\r\n"):
        return (("\n", 1),)
    return (("\n", 1), ("\r", 1), ("\r\n", -1))


def _clean(value: str) -> str:
    """A value as the bank meant it: entities resolved, hidden markup shown, no blanks around."""
    return _ENTITY.sub(_entity, value).translate(_SHOW).strip()


def _entity(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name:
        return _ENTITIES[name.lower()]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    # NUL, surrogates and numbers past Unicode are no characters; they stay as written.
    return chr(code) if 0 < code < 0xD800 or 0xDFFF < code <= 0x10FFFF else match[0]


def _again(fields: dict[str, str], key: str) -> str:
    """A key for a name that comes again. The last of very many stands for the rest; `raw` still has them all."""
    last = f"{key}#{_MAX_REPEATS}"
    if last in fields:
        return last
    return next(free for number in range(2, _MAX_REPEATS + 1) if (free := f"{key}#{number}") not in fields)
