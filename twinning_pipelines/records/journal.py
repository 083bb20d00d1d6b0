"""What a person says: voice notes as they are dropped. Their words come later, from a speech engine at home."""

from twinning_pipelines.records.record import INSTANT, JSON, NUMBER, TEXT, Field, Record
from twinning_pipelines.records.rules import NOT_BLANK, PLAUSIBLE_INSTANT, between, one_of

VOICE_NOTE = Record(
    name="voice_note",
    domain="journal",
    meaning="one recording of a person's voice",
    fields=(
        Field(
            "sha256",
            TEXT,
            "of the recording: the same one is never transcribed twice",
            required=True,
            rules=(NOT_BLANK,),
        ),
        Field("recorded_at", INSTANT, "when it was recorded, UTC", required=True, rules=(PLAUSIBLE_INSTANT,)),
        Field(
            "dated_by",
            TEXT,
            "what says when: the recording's own tag, its file name, or the time of the file",
            required=True,
            rules=(one_of(("tag", "name", "file")),),
        ),
        Field("seconds", NUMBER, "how long it is", rules=(between(0, 86_400),)),
        Field("container", TEXT, "mp4, mp3, wav, ogg or webm", required=True),
        Field("title", TEXT, "what the recorder calls it"),
        Field("detail", JSON, "what else the file says of itself"),
    ),
    identity=("sha256",),
    window="recorded_at",
)

RECORDS = (VOICE_NOTE,)
