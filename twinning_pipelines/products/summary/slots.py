"""What a model has to answer: sections of sentences whose figures are slots. One schema for each day, with its ids in it."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from twinning_pipelines.marts.telling.told import Told

MOST_SECTIONS, MOST_SENTENCES, MOST_SLOTS = 6, 3, 4
SHORTEST, LONGEST = 5, 220
_LONGEST_REPLY = 20_000
_FENCE = "```"


class WrittenSentence(BaseModel):
    """A sentence with `{id}` where a figure belongs, and the ids once more."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str = Field(max_length=2_000)
    facts: list[str] = Field(max_length=50)


class WrittenSection(BaseModel):
    """Sentences about one domain."""

    model_config = ConfigDict(extra="forbid", strict=True)

    domain: str
    sentences: list[WrittenSentence] = Field(max_length=50)


class WrittenSummary(BaseModel):
    """What a model wrote, as far as its shape goes; `checker` reads it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sections: list[WrittenSection] = Field(max_length=50)


def schema_of(facts: Sequence[Told]) -> dict[str, Any]:
    """The JSON schema of a reply about these facts: ids and domains are those of the day."""
    sentence = {
        "type": "object",
        "properties": {
            "text": {"type": "string", "minLength": SHORTEST, "maxLength": LONGEST},
            "facts": {
                "type": "array",
                "items": {"type": "string", "enum": [each.id for each in facts]},
                "minItems": 1,
                "maxItems": MOST_SLOTS,
            },
        },
        "required": ["text", "facts"],
        "additionalProperties": False,
    }
    section = {
        "type": "object",
        "properties": {
            "domain": {"type": "string", "enum": sorted({each.domain for each in facts})},
            "sentences": {"type": "array", "items": sentence, "minItems": 1, "maxItems": MOST_SENTENCES},
        },
        "required": ["domain", "sentences"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"sections": {"type": "array", "items": section, "minItems": 1, "maxItems": MOST_SECTIONS}},
        "required": ["sections"],
        "additionalProperties": False,
    }


def read_reply(text: str) -> WrittenSummary | str:
    """A reply by its shape, or what is wrong with that. A fence around the JSON is forgiven."""
    if len(text) > _LONGEST_REPLY:
        return "the answer is too long"
    bare = text.strip()
    if bare.startswith(_FENCE):
        bare = bare.removeprefix(_FENCE).removeprefix("json").strip().removesuffix(_FENCE).strip()
    try:
        return WrittenSummary.model_validate_json(bare)
    except ValidationError as wrong:
        first: Mapping[str, Any] = wrong.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        return f"not the JSON that was asked for{': ' + where if where else ''}: {first['msg']}"
    except RecursionError:
        return "not the JSON that was asked for: nested too deeply"
