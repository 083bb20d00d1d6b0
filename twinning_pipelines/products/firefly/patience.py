"""Whether one row is the trouble, which Firefly III falls over or does not let in, or the server itself: then a push stops."""

from datetime import timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from twinning_pipelines.errors import FarSideRefused, FarSideUnavailable
from twinning_pipelines.products.firefly.apply import Desk, Done
from twinning_pipelines.products.firefly.outbox import Row, reread
from twinning_pipelines.products.firefly.plan import Act

# After so many rows in a row it is the server and not the rows.
_MOST_ROWS = 3
_PUT_OFF = timedelta(hours=6)
_LET_IN = frozenset({Act.CREATE, Act.UPDATE, Act.DELETE})


class Patience(Struct):
    """With one push. `silent`: rows in a row without any answer; `forbidden`: rows that were not let in while none was."""

    desk: Desk
    silent: int = 0
    forbidden: list[Row] = field(default_factory=list)
    has_let_in: bool = False

    def after(self, done: Done) -> None:
        """Raises FarSideRefused where nothing is let in; what was parked for it then is to be done again."""
        self.silent = 0
        self.has_let_in = self.has_let_in or done.act in _LET_IN
        if self.has_let_in or not done.forbidden:
            return
        self.forbidden.append(done.row)
        if len(self.forbidden) < _MOST_ROWS:
            return
        for row in self.forbidden:
            self.desk.save(replace(row, state="pending" if row.remote_id is None else "done", problem=None))
        raise FarSideRefused(
            f"Firefly III at {self.desk.firefly.url} answers, but lets nothing in: use the token of a user who may change "
            f"things, or see what stands before it (it says: {done.row.problem})"
        )

    def after_silence(self, row: Row, silence: FarSideUnavailable) -> Row:
        """The row as it is now: one that costs all our patience waits while others go on. Raises the silence of a server."""
        answers = self._answers()
        self.silent = 0 if answers else self.silent + 1
        if self.silent >= _MOST_ROWS:
            raise silence
        with self.desk.engine.connect() as connection:
            now = reread(connection, row)
        if not answers or now.state != "sending":
            return now
        return self.desk.save(replace(now, next_at=self.desk.now() + _PUT_OFF, problem=str(silence)))

    def _answers(self) -> bool:
        """Whether the server answers at all: else it is the row that it falls over."""
        try:
            self.desk.firefly.version()
        except FarSideUnavailable:
            return False
        return True
