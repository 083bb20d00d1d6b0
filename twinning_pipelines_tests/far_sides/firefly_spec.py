"""Requests and answers held against Firefly III's own OpenAPI description, where that file is at hand.

It is a 3.0 description, so `nullable` is rewritten as JSON Schema says it. What the server's source has and the file
lacks is named here: `batch_submission`, `error_if_duplicate_hash` among others, and counting deleted transactions.
"""

import json
from functools import cache
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from twinning_pipelines_tests.far_sides.scripted_server import Reply, Request
from twinning_pipelines_tests.shared import SHARED

FILE = SHARED / "specs" / "firefly-iii-openapi.yaml"
_UNDOCUMENTED = {"/v1/search/transactions/count"}
_UNDOCUMENTED_FIELDS = {"batch_submission"}


def at_hand() -> bool:
    """Whether the description is there."""
    return FILE.exists()


@cache
def _description() -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with FILE.open("rb") as file:
        described: dict[str, Any] = _rewritten(yaml.load(file, Loader=loader))
    return described


def _rewritten(node: Any) -> Any:
    if isinstance(node, list):
        return [_rewritten(each) for each in node]
    if not isinstance(node, dict):
        return node
    new = {name: _rewritten(value) for name, value in node.items()}
    if new.pop("nullable", False) is True:
        return {"anyOf": [{"type": "null"}, new]}
    return new


def complaints(request: Request, reply: Reply) -> list[str]:
    """What the description says against an exchange; nothing where the file is not at hand."""
    if not at_hand() or not reply.status:
        return []
    found = _operation(request)
    if found is None:
        return (
            [] if request.path.removeprefix("/api") in _UNDOCUMENTED else [f"{request.method} {request.path}: unknown"]
        )
    return [*_of_request(found, request, reply), *_of_reply(found, request, reply)]


def _operation(request: Request) -> dict[str, Any] | None:
    parts = request.path.removeprefix("/api").strip("/").split("/")
    for path, item in _description()["paths"].items():
        pattern = path.strip("/").split("/")
        fits = len(pattern) == len(parts) and all(
            want == have or want.startswith("{") for want, have in zip(pattern, parts, strict=True)
        )
        if fits and (operation := item.get(request.method.lower())):
            return dict(operation)
    return None


def _of_request(operation: dict[str, Any], request: Request, reply: Reply) -> list[str]:
    # A body that the server refuses need not be well formed; one that it takes must be.
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    if schema is None or reply.status >= 400:
        return []
    body = json.loads(request.body)
    said = [f"request of {request.method} {request.path}: {each}" for each in _misfits(schema, body)]
    return said + [f"request of {request.path}: {each}" for each in _strangers(schema, body)]


def _of_reply(operation: dict[str, Any], request: Request, reply: Reply) -> list[str]:
    described = operation["responses"].get(str(reply.status))
    where = f"answer {reply.status} to {request.method} {request.path}"
    if described is None:
        # Of the statuses that any server may give, the file lists some only.
        return (
            []
            if reply.status in {400, 401, 403, 404, 406, 413, 415, 422, 429, 500, 503}
            else [f"{where}: not described"]
        )
    schemas = [each["schema"] for each in described.get("content", {}).values() if "schema" in each]
    if not schemas or reply.status == 204:
        return [f"{where}: has a body"] if reply.body and not schemas else []
    if reply.status >= 400 and b"{" not in reply.body:
        return []
    return [f"{where}: {each}" for each in _misfits(schemas[0], json.loads(reply.body))]


def _misfits(schema: dict[str, Any], value: Any) -> list[str]:
    whole = {**schema, "components": _description()["components"]}
    errors = Draft202012Validator(whole).iter_errors(value)
    return [f"{'.'.join(map(str, each.absolute_path))}: {each.message[:200]}" for each in errors]


def _strangers(schema: dict[str, Any], value: Any) -> list[str]:
    """Fields that the schema does not list, or lists as the server's own."""
    while "$ref" in schema:
        schema = _description()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema:
        schema = schema["anyOf"][-1]
    if isinstance(value, list):
        return [each for item in value for each in _strangers(schema.get("items", {}), item)]
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    known = {name: each for name, each in schema["properties"].items() if not _read_only(each)}
    allowed = {*known, *schema.get("required", ()), *_UNDOCUMENTED_FIELDS}
    strange = [f"{name} is no field to be sent" for name in value if name not in allowed]
    return strange + [each for name, item in value.items() if name in known for each in _strangers(known[name], item)]


def _read_only(schema: dict[str, Any]) -> bool:
    return bool(schema.get("readOnly") or any(each.get("readOnly") for each in schema.get("anyOf", [])))
