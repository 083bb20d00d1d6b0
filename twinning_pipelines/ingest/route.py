"""Who reads a file: exactly one source claims it by its content, or a person is told why not."""

from collections.abc import Iterator, Sequence

from twinning_pipelines.errors import AmbiguousFile, UnreadableFile, UnrecognisedFile
from twinning_pipelines.formats.delimited import looks_delimited
from twinning_pipelines.original import Original
from twinning_pipelines.source import Registry, Source


def route(original: Original, sources: Sequence[Source]) -> Source:
    """The one source that claims the file; those of last resort are asked last.

    Raises UnreadableFile, UnrecognisedFile, AmbiguousFile, or WaitingFile where a source can't say yet.
    """
    if original.size == 0:
        raise UnreadableFile("the file is empty")
    claims: list[Source] = []
    for asked in _in_turn(original, sources):
        claims = [source for source in asked if source.recognises(original)]
        if claims:
            break
    if not claims:
        raise UnrecognisedFile(is_table=not original.is_zip and looks_delimited(original.text_head))
    if len(claims) > 1:
        raise AmbiguousFile([source.name for source in claims])
    return claims[0]


def _in_turn(original: Original, sources: Sequence[Source]) -> Iterator[list[Source]]:
    """Those whose words the file holds, then, if none of them claims it, all others, then those of last resort."""
    likely = list(sources.for_file(original)) if isinstance(sources, Registry) else []
    if likely:
        yield likely
    yield [source for source in sources if not source.last_resort and source not in likely]
    yield [source for source in sources if source.last_resort]
