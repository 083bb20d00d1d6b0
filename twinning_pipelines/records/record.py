"""The vocabulary in which every table is declared, once.

From a `Record` follow its Arrow schema (what a parser yields), its Postgres table (what the store keeps), its checks
and its page in the docs. Beside its own fields each stored row has a person, a source, a file and a place in it.
"""

from collections.abc import Callable
from functools import cached_property

import pyarrow as pa
from msgspec import Struct

AT = pa.field("at", pa.int64(), nullable=False)


class Kind(Struct, frozen=True):
    """A kind of value: how Arrow carries it and how Postgres stores it."""

    name: str
    arrow: pa.DataType
    sql: str


TEXT = Kind("text", pa.string(), "text")
# A text that few distinct values share, in the millions of rows of a series: Arrow carries a number for each.
WORD = Kind("word", pa.dictionary(pa.int32(), pa.string()), "text")
INSTANT = Kind("instant", pa.timestamp("us", tz="UTC"), "timestamptz")
DAY = Kind("day", pa.date32(), "date")
# Brokers print thirteen decimals; what a file states is kept, and rounding is left to whoever shows it.
MONEY = Kind("money", pa.decimal128(38, 18), "numeric")
QUANTITY = Kind("quantity", pa.decimal128(38, 18), "numeric")
NUMBER = Kind("number", pa.float64(), "double precision")
COUNT = Kind("count", pa.int64(), "bigint")
FLAG = Kind("flag", pa.bool_(), "boolean")
JSON = Kind("json", pa.string(), "jsonb")


class Rule(Struct, frozen=True):
    """What a value may be, asked of a whole column at once.

    `broken` takes the column and answers a boolean mask, true where the value breaks the rule; a null never breaks one.
    """

    says: str
    broken: Callable[[pa.Array], pa.BooleanArray]


class RowRule(Struct, frozen=True):
    """What several fields of one row must be to each other; `broken` receives the columns `names`, in order."""

    says: str
    names: tuple[str, ...]
    broken: Callable[..., pa.BooleanArray]


class Field(Struct, frozen=True):
    """One column of a record. `meaning` says what it holds, with its unit; it is shown in the docs and the UI."""

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    rules: tuple[Rule, ...] = ()


class Record(Struct, frozen=True, dict=True):
    """A kind of fact.

    identity: the required fields which, with person and source, make two rows the same fact. Rows of one file with the same
        identity are told apart by their order in the file, so that two equal coffees on one day stay two facts.
    window: the field that places a row in time, None for lists that know no time; `until` the field that ends it.
    scope: the fields within which a file's window holds (a bank account, a project owner).
    series: a dense time series, kept compactly and compared by whole days instead of row by row.
    lasting: the fact matters for every day after it began (an open deal), not only for the day it is placed on.
    ambient: what the world says (a price), which matters only since the first of the person's own money.
    sighted: every file that tells a fact is remembered, not only the newest: what a later file leaves out is evidence.
    """

    name: str
    domain: str
    meaning: str
    fields: tuple[Field, ...]
    identity: tuple[str, ...]
    window: str | None
    until: str | None = None
    scope: tuple[str, ...] = ()
    lasting: bool = False
    series: bool = False
    ambient: bool = False
    sighted: bool = False
    rules: tuple[RowRule, ...] = ()

    def __post_init__(self) -> None:
        required = {each.name for each in self.fields if each.required}
        placed = () if self.window is None else (self.window,)
        loose = [name for name in (*self.identity, *self.scope, *placed) if name not in required]
        if loose:
            raise ValueError(f"{self.name}: identity, scope and window need required fields, not {loose}")

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema of a batch: the place in the file, then the fields. Nulls are judged by `check`."""
        return pa.schema([AT, *(pa.field(each.name, each.kind.arrow) for each in self.fields)])

    def field(self, name: str) -> Field:
        """The field of that name. Raises KeyError."""
        for each in self.fields:
            if each.name == name:
                return each
        raise KeyError(f"{self.name} has no field {name!r}")
