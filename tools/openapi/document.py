"""The OpenAPI document: paths.yaml, the marshmallow schemas (by apispec), and examples from calls.yaml."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_cls
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields, validate

from schemas.base import Tolerant
from schemas.evaluation_requests import WorkbenchPatientSchema, WorkbenchSchema
from schemas.feedback_request import FeedbackSchema, ItemSchema, Utc
from schemas.hooks import BUNDLE_MEMBERS, CONTEXTS, EXTENSION, Bundle, OptionsSchema, RequestSchema
from tools.openapi import answers, knowledge_answers
from tools.openapi.calls import CALLS, with_calls

PROJECT = Path(__file__).parents[2]
FILE = PROJECT / "openapi.yaml"
HOOKS = PROJECT / "service" / "knowledge" / "data" / "hooks.yaml"
EXAMPLES = PROJECT / "examples"
HERE = Path(__file__).parent
HOOK_CALL = "/cds-services/{service_id}"

# What paths.yaml refers to; what these contain becomes a component as well.
ROOTS: tuple[type[Schema], ...] = (
    answers.DiscoverySchema,
    answers.HookAnswerSchema,
    answers.EvaluationSchema,
    FeedbackSchema,
    answers.FeedbackSummarySchema,
    knowledge_answers.KnowledgeSchema,
    knowledge_answers.KnowledgeRowSchema,
    knowledge_answers.KnowledgeRowsSchema,
    knowledge_answers.KnowledgeClaimsSchema,
    answers.OperationOutcomeSchema,
    WorkbenchSchema,
    answers.WorkbenchAnswerSchema,
    WorkbenchPatientSchema,
    answers.WorkbenchRecordSchema,
)
# Components are named after their class without "Schema", except these.
NAMES: dict[type[Schema], str] = {
    OptionsSchema: "RequestOptions",
    ItemSchema: "FeedbackItem",
    WorkbenchSchema: "WorkbenchRequest",
}


class RequestExtensionSchema(Tolerant):
    """The member `extension` of a hook request."""

    options = fields.Nested(OptionsSchema, data_key=EXTENSION, allow_none=True)


# What some clients send in place of an empty object is tolerated.
_EXTENSION = [{"$ref": "#/components/schemas/RequestExtension"}, {"type": ["array", "null"], "items": {}}]


def document() -> dict[str, Any]:
    """The document as it is published."""
    content = with_sample_calls()
    for methods in content["paths"].values():
        for operation in methods.values():
            del operation[CALLS]
    return content


def with_sample_calls() -> dict[str, Any]:
    """The document with the calls of each operation as `x-calls` (calls.py).

    Raises:
        CallsError: calls.yaml does not fit paths.yaml or the examples.
        UserWarning: two schemas would get the same name.
    """
    authored = _yaml(HERE / "paths.yaml")
    hooks = {entry["id"]: entry["hook"] for entry in _yaml(HOOKS)["hooks"]}
    plugin = MarshmallowPlugin(schema_name_resolver=_name)
    info = authored["info"]
    spec = APISpec(info["title"], info["version"], authored["openapi"], plugins=[plugin], info=info)
    assert plugin.converter is not None
    plugin.converter.map_to_openapi_type(Utc, "string", "date-time")
    plugin.converter.map_to_openapi_type(fields.Url, "string", "uri")
    plugin.converter.add_attribute_function(_const)
    plugin.converter.add_attribute_function(_bundle)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        for schema in (RequestExtensionSchema, *map(_request, hooks.values()), *ROOTS):
            if _name(schema) not in spec.components.schemas:
                spec.components.schema(_name(schema), schema=schema)
    for name, component in authored["components"].pop("schemas").items():
        spec.components.schema(name, component)
    for name, component in authored["components"].pop("responses").items():
        spec.components.response(name, component)
    for path, operations in _paths(authored["paths"], hooks):
        spec.path(path, operations=operations)
    made = spec.to_dict()
    made["components"] |= authored["components"]
    calls = _yaml(HERE / "calls.yaml")
    made["paths"] = dict(with_calls(made["paths"], calls, hooks, EXAMPLES))
    return {name: made.get(name, authored.get(name)) for name in (*authored, "components")}


def written() -> str:
    """openapi.yaml as it should be."""
    head = "# Made by `make openapi` from tools/openapi/ and the marshmallow schemas.\n"
    return head + yaml.dump(document(), Dumper=_NoAliases, sort_keys=False, allow_unicode=True, width=110)


def _yaml(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


def _name(schema: Any) -> str:
    kind = resolve_schema_cls(schema)
    assert isinstance(kind, type)
    return NAMES.get(kind, kind.__name__.removesuffix("Schema"))


def _request(hook: str) -> type[Schema]:
    """The request of one hook: its name, its context, and what the service reads beside the envelope."""
    context = CONTEXTS[hook]
    members = {
        "hook": fields.String(required=True, validate=validate.Equal(hook)),
        "context": fields.Nested(context, required=True),
        "prefetch": fields.Dict(allow_none=True),
        "extension": fields.Raw(metadata={"anyOf": _EXTENSION}),
    }
    name = context.__name__.removesuffix("Context") + "Request"
    return type(name, (RequestSchema,), members)


def _paths(paths: dict[str, Any], hooks: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """The paths; that of a hook call once for each hook, under its id."""
    for path, methods in paths.items():
        if path != HOOK_CALL:
            yield path, methods
            continue
        for id, hook in hooks.items():
            call = deepcopy(methods["post"])
            del call["parameters"]
            call |= {"operationId": id, "summary": f"A call of the hook {hook}"}
            for link in call["responses"]["200"]["links"].values():
                link["parameters"]["service_id"] = id
            reference = {"$ref": f"#/components/schemas/{_name(_request(hook))}"}
            call["requestBody"]["content"]["application/json"]["schema"] = reference
            yield path.replace("{service_id}", id), {"post": call}


def _const(self: OpenAPIConverter, field: fields.Field[Any], ret: dict[str, Any]) -> dict[str, Any]:
    """A single allowed value as `const`."""
    return {"const": ret.pop("enum")[0]} if len(ret.get("enum", ())) == 1 else {}


def _bundle(self: OpenAPIConverter, field: fields.Field[Any], ret: dict[str, Any]) -> dict[str, Any]:
    """A Bundle in a context, as leniently as schemas/hooks.py reads it."""
    entry = {"type": ["array", "null"], "items": {}}
    lists = dict.fromkeys(("entry", "entries", "link"), entry)
    others = {name: {"description": "Not read"} for name in ("id", "type")}
    total = {"description": "Number of matches"}
    properties = {"resourceType": {"enum": ["Bundle", None]}, **lists, "total": total, **others}
    # An empty object is an empty Bundle; another one has a member of a Bundle.
    has_one = [{"maxProperties": 0}, *({"required": [name]} for name in sorted(BUNDLE_MEMBERS))]
    return {"properties": properties, "anyOf": has_one} if isinstance(field, Bundle) else {}


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True
