"""Which container a file is, by its bytes, and what it says of itself."""

from pathlib import PurePath

from twinning_pipelines.formats.audio import iso_media, mpeg_audio, ogg, riff_wave, webm
from twinning_pipelines.formats.audio.recording import Reader, Recording

# Only where content can't say: a file that breaks off before it names its tracks.
_SOUND_NAMES = frozenset({".m4a", ".3ga", ".m4b"})


def is_recording(reader: Reader, head: bytes, name: str) -> bool:
    """Whether it is sound without a picture. The name counts only where a file breaks off before it says so."""
    if iso_media.is_iso_media(head):
        return iso_media.has_sound_only(reader, head, named_so=PurePath(name).suffix.casefold() in _SOUND_NAMES)
    if webm.is_ebml(head):
        return webm.has_sound_only(reader)
    return riff_wave.is_wave(head) or ogg.is_ogg_audio(head) or mpeg_audio.is_mpeg_audio(reader)


def read_recording(reader: Reader, head: bytes) -> Recording:
    """What it says of itself. Raises UnreadableFile."""
    if iso_media.is_iso_media(head):
        return iso_media.read_iso_media(reader)
    if webm.is_ebml(head):
        return webm.read_webm(reader)
    if riff_wave.is_wave(head):
        return riff_wave.read_wave(reader)
    if ogg.is_ogg_audio(head):
        return ogg.read_ogg(reader)
    return mpeg_audio.read_mpeg_audio(reader)
