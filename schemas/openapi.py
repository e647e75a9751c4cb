"""openapi.yaml from its authored part and the marshmallow schemas.

    python -m schemas.openapi [--check]

Paths are written by hand in openapi_paths.yaml and requests to try in openapi_calls.yaml, with bodies from
examples/; the shapes come from the schemas, so that they cannot drift.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from marshmallow import RAISE, Schema, fields
from marshmallow.validate import Length, OneOf, Regexp

from schemas.assessment import EvaluationSchema
from schemas.cds_hooks import EXTENSION, AnswerSchema, DiscoverySchema, RequestSchema
from schemas.contexts import (
    CONTEXTS,
    Bundle,
    EncounterDischargeContext,
    OrderSelectContext,
    OrderSignContext,
    PatientViewContext,
    ProblemListItemCreateContext,
)
from schemas.feedback import FeedbackSchema, SummarySchema, Utc
from schemas.knowledge_answers import KnowledgeClaimsSchema, KnowledgeRowSchema, KnowledgeSchema
from schemas.openapi_calls import with_calls
from schemas.operation_outcome import OperationOutcomeSchema
from schemas.workbench import WorkbenchAnswerSchema, WorkbenchSchema

HERE = Path(__file__).parent
FILE = HERE.parent / "openapi.yaml"
PATHS = HERE / "openapi_paths.yaml"
CALLS = HERE / "openapi_calls.yaml"
EXAMPLES = HERE.parent / "examples"
HOOKS = HERE.parent / "service" / "knowledge" / "hooks.yaml"
CALL = "/cds-services/{service_id}"

SHAPES: dict[str, type[Schema]] = {
    "Discovery": DiscoverySchema,
    "HookRequest": RequestSchema,
    "PatientViewContext": PatientViewContext,
    "OrderSelectContext": OrderSelectContext,
    "OrderSignContext": OrderSignContext,
    "ProblemListItemCreateContext": ProblemListItemCreateContext,
    "EncounterDischargeContext": EncounterDischargeContext,
    "HookAnswer": AnswerSchema,
    "Evaluation": EvaluationSchema,
    "Feedback": FeedbackSchema,
    "FeedbackSummary": SummarySchema,
    "Knowledge": KnowledgeSchema,
    "KnowledgeRow": KnowledgeRowSchema,
    "KnowledgeClaims": KnowledgeClaimsSchema,
    "OperationOutcome": OperationOutcomeSchema,
    "WorkbenchRequest": WorkbenchSchema,
    "WorkbenchAnswer": WorkbenchAnswerSchema,
}
_TYPES: tuple[tuple[type[fields.Field[Any]], dict[str, Any]], ...] = (
    (fields.UUID, {"type": "string", "format": "uuid"}),
    (Utc, {"type": "string", "format": "date-time"}),
    (fields.Float, {"type": "number"}),
    (fields.Date, {"type": "string", "format": "date"}),
    (fields.Boolean, {"type": "boolean"}),
    (fields.Integer, {"type": "integer"}),
    (fields.String, {"type": "string"}),
)


def document() -> dict[str, Any]:
    """The whole OpenAPI document."""
    content: dict[str, Any] = yaml.safe_load(PATHS.read_text(encoding="utf-8"))
    shapes = {name: shape_of(schema()) for name, schema in SHAPES.items()}
    content["components"] = {**content.pop("components"), "schemas": shapes}
    hooks = {entry["id"]: entry["hook"] for entry in _hooks()}
    calls = yaml.safe_load(CALLS.read_text(encoding="utf-8"))
    content["paths"] = dict(with_calls(dict(_paths(content["paths"])), calls, hooks, EXAMPLES))
    return content


def _hooks() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))["hooks"]
    return found


def _paths(paths: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The paths, that of a call once for each hook: each id has its own hook and context."""
    for path, methods in paths.items():
        if path != CALL:
            yield path, methods
            continue
        for hook in _hooks():
            call = deepcopy(methods["post"])
            del call["parameters"]
            call["operationId"] = hook["id"]
            call["summary"] = f"A call of the hook {hook['hook']}"
            for link in call["responses"]["200"]["links"].values():
                link["parameters"]["service_id"] = hook["id"]
            content = call["requestBody"]["content"]["application/json"]
            content["schema"] = _call_shape(hook["hook"])
            yield CALL.replace("{service_id}", hook["id"]), {"post": call}


def _call_shape(hook: str) -> dict[str, Any]:
    own = {
        "assessment": {"type": "boolean"},
        "asOf": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
    }
    options = {"type": ["object", "null"], "properties": own}
    shape = shape_of(RequestSchema())
    shape["properties"] |= {
        "hook": {"type": "string", "const": hook},
        "context": shape_of(CONTEXTS[hook]()),
        "prefetch": {"type": ["object", "null"]},
        "extension": {"type": ["object", "null"], "properties": {EXTENSION: options}},
    }
    return shape


def shape_of(schema: Schema) -> dict[str, Any]:
    """A marshmallow schema as JSON Schema."""
    shape: dict[str, Any] = {"type": "object"}
    required = [field.data_key or name for name, field in schema.fields.items() if field.required]
    if required:
        shape["required"] = required
    shape["properties"] = {field.data_key or name: _field(field) for name, field in schema.fields.items()}
    if schema.unknown == RAISE:
        shape["additionalProperties"] = False
    return shape


def _field(field: fields.Field[Any]) -> dict[str, Any]:
    shape = _plain(field)
    for check in field.validators:
        if isinstance(check, OneOf):
            shape["enum"] = list(check.choices)
        elif isinstance(check, Regexp):
            shape["pattern"] = check.regex.pattern
        elif isinstance(check, Length):
            kind = "Items" if shape.get("type") == "array" else "Length"
            low = check.equal if check.equal is not None else check.min
            high = check.equal if check.equal is not None else check.max
            shape |= {} if low is None else {f"min{kind}": low}
            shape |= {} if high is None else {f"max{kind}": high}
    if field.allow_none:
        shape["type"] = [shape["type"], "null"]
    return shape


def _plain(field: fields.Field[Any]) -> dict[str, Any]:
    if isinstance(field, fields.Nested):
        return shape_of(field.schema)
    if isinstance(field, fields.List):
        return {"type": "array", "items": _field(field.inner)}
    if isinstance(field, Bundle):
        members = {"resourceType": {"enum": ["Bundle", None]}, "entry": {"type": ["array", "null"]}}
        return {"type": "object", "properties": members}
    if isinstance(field, fields.Dict):
        values = field.value_field
        return {"type": "object"} | ({"additionalProperties": _field(values)} if values else {})
    return dict(next((shape for kind, shape in _TYPES if isinstance(field, kind)), {}))


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def written() -> str:
    """openapi.yaml as it should stand."""
    head = "# Made by `make openapi` from schemas/openapi_paths.yaml and the marshmallow schemas.\n"
    return head + yaml.dump(document(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)


def main(args: list[str]) -> int:
    """Writes the file; with --check, 1 if it is not current."""
    if "--check" in args:
        return 0 if FILE.read_text(encoding="utf-8") == written() else 1
    FILE.write_text(written(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
