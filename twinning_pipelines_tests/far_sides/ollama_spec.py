"""Requests and answers held against Ollama's own OpenAPI description, where that file is at hand.

It is a 3.1 description, so its schemas are JSON Schema as they stand, and it describes status 200 alone. What the
server's source has and the file lacks is named here.
"""

from functools import cache
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from twinning_pipelines_tests.shared import SHARED

FILE = SHARED / "specs" / "ollama-openapi.yaml"
# Fields of api/types.go that the description leaves out.
_UNDOCUMENTED = {
    "/api/chat": {
        *("done_reason", "total_duration", "load_duration", "prompt_eval_count", "prompt_eval_duration"),
        *("eval_count", "eval_duration"),
    },
    "/api/show": {"modelfile", "model_info", "remote_model", "remote_host"},
}
_ASKED = {"truncate"}


def at_hand() -> bool:
    """Whether the description is there."""
    return FILE.exists()


@cache
def _description() -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with FILE.open("rb") as file:
        described: dict[str, Any] = yaml.load(file, Loader=loader)
    return described


def complaints(method: str, path: str, body: dict[str, Any], document: Any, kind: str) -> list[str]:
    """What the description says against a request and one document of its answer; nothing where it is not at hand."""
    if not at_hand() or "error" in document:
        return []
    operation = _description()["paths"].get(path, {}).get(method.lower())
    if operation is None:
        return [f"{method} {path}: unknown"]
    contents = operation["responses"]["200"]["content"]
    kind = kind.partition(";")[0]
    if kind not in contents:
        return [f"{method} {path}: {kind} is not described"]
    asked = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    said = [f"request of {path}: {each}" for each in (*_misfits(asked, body), *_strangers(asked, body, _ASKED))]
    schema, known = contents[kind]["schema"], _UNDOCUMENTED.get(path, set())
    misfits = (*_misfits(schema, document), *_strangers(schema, document, known))
    return said + [f"answer of {path}: {each}" for each in misfits]


def _misfits(schema: dict[str, Any], value: Any) -> list[str]:
    whole = {**schema, "components": _description()["components"]}
    errors = Draft202012Validator(whole).iter_errors(value)
    return [f"{'.'.join(map(str, each.absolute_path))}: {each.message[:200]}" for each in errors]


def _strangers(schema: dict[str, Any], value: Any, known: set[str]) -> list[str]:
    """Fields that the schema does not list."""
    while "$ref" in schema:
        schema = _description()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if isinstance(value, list):
        return [each for item in value for each in _strangers(schema.get("items", {}), item, known)]
    properties = schema.get("properties")
    if not isinstance(value, dict) or not properties:
        return []
    strange = [f"{name} is no field" for name in value if name not in properties and name not in known]
    inner = [_strangers(properties[name], item, {"parent_model"}) for name, item in value.items() if name in properties]
    return strange + [each for found in inner for each in found]
