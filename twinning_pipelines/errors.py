"""Every exception that Twinning raises on purpose.

    TwinningError
    ├── FileError                  one dropped file can't be taken; the others go on
    │   ├── UnreadableFile         its bytes are not what its kind should be
    │   │   └── HostileFile        a zip bomb, a path that leaves the archive, a link, an entity trick
    │   ├── UnroutedFile
    │   │   ├── UnrecognisedFile   no source claims it
    │   │   └── AmbiguousFile      two sources claim it
    │   └── WaitingFile            who reads it is open until a person mends something else; it stays where it is
    ├── DatabaseUnavailable        Postgres can't be reached or started
    │   └── IncompatibleCluster    the data directory belongs to another major version
    ├── FarSideUnavailable         an outside service does not answer; trying again later is right
    ├── FarSideRefused             an outside service says no; a person has to change something
    │   └── RecordingRefused       a speech engine can't hear this one recording (`engines.speech`)
    └── WrongUsage                 the command or a setting makes no sense
        └── WrongRulebook          a rulebook can't be used: lines, keys and what is allowed (`marts.books`)

A bad *row* is not an exception: it is a `Rejection`, a value that travels beside the good rows.
"""

from collections.abc import Sequence


class TwinningError(Exception):
    """The root: `except TwinningError` catches what we foresaw and nothing else."""


class FileError(TwinningError):
    """One file can't be taken. The message says why, without the file's name."""


class UnreadableFile(FileError):
    """The bytes are not what they claim to be: truncated, empty, another format."""


class HostileFile(UnreadableFile):
    """The file would hurt the reader: a bomb, a slip, a link, an external entity."""


class UnroutedFile(FileError):
    """No single source claims the file. It is kept and shown, never deleted."""


class UnrecognisedFile(UnroutedFile):
    """No source claims the file. is_table: it is delimited text, which a mapping might read."""

    def __init__(self, *, is_table: bool = False) -> None:
        needs = (
            "; a bank's CSV needs a header that names a day, an amount and words, or a mapping of your own, "
            "which `twinning mapping FILE` writes for you to complete"
        )
        super().__init__(
            f"no source recognises this file{needs if is_table else ''}; `twinning sources` lists what can be read"
        )


class AmbiguousFile(UnroutedFile):
    """More than one source claims the file."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        super().__init__(f"{len(self.names)} sources claim this file: {', '.join(self.names)}")


class WaitingFile(FileError):
    """Nobody can say how to read the file before a person has mended something else. It waits where it is."""


class DatabaseUnavailable(TwinningError):
    """Postgres can't be reached, found or started."""


class IncompatibleCluster(DatabaseUnavailable):
    """The embedded data directory was written by another major version of Postgres."""


class FarSideUnavailable(TwinningError):
    """An outside service does not answer within its budget; a later try may succeed."""


class FarSideRefused(TwinningError):
    """An outside service refuses in a way that trying again can't mend."""


class WrongUsage(TwinningError):
    """The command line or a setting asks for something that makes no sense."""
