"""What both versions of SimpleFIN's account set have in common: the messages that stand in a good answer.

Version 1 has `errors`, texts for a person; version 2 has `errlist`, objects with a code. A bridge that changes over gives
both, and says everything twice.
"""

from collections.abc import Collection, Mapping

from twinning_pipelines.formats.foreign_words import plain
from twinning_pipelines.formats.json_values import list_of, text_of

MESSAGE_LISTS = ("errlist", "errors", "x-api-message")


def messages_of(account_set: Mapping[str, object], secrets: Collection[str] = ()) -> list[str]:
    """Every message once and harmless, those of version 2 with their code before them: `con.auth: Log in again`.

    secrets: what must not stand in them.
    """
    coded, bare = dict[str, str](), dict[str, None]()
    for each in (each for name in MESSAGE_LISTS for each in list_of(account_set.get(name))):
        if isinstance(each, dict):
            code, said = text_of(each.get("code")), text_of(each.get("msg")) or text_of(each.get("message"))
            told = plain(": ".join(part for part in (code, said) if part), secrets)
            coded[told] = plain(said, secrets)
        else:
            bare[plain(text_of(each), secrets)] = None
    repeated = {*coded.values(), ""}
    return [*filter(None, coded), *(each for each in bare if each not in repeated)]
