"""A body of resources as each endpoint takes it, and an ordinary body of the same size."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from fhir_mappings.resources.fhir_version import in_r4
from fhir_mappings.resources.submission import KEYS_OF_TYPE
from tests.spec.records import DAY
from tests.vignettes.patient import AS_OF
from tools.bench.bodies import patient_view

Resource = dict[str, Any]
HOOK_PATH = "/cds-services/fasciculation-"
PATIENT: Resource = {"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01"}
# Bytes of an ordinary resource.
_ORDINARY = 840
# In the list of its type alone, or among the conditions where no list has it.
_OTHER_KEY = "conditions"


@dataclass(frozen=True)
class Shape:
    """What a body holds.

    resources: the entries of a Bundle. bundle: members of the Bundle that replace its own. drafts: the
    resources are draft orders of the hook `order-sign`.
    """

    resources: Sequence[Any] = ()
    bundle: Mapping[str, Any] | None = None
    drafts: bool = False


@dataclass(frozen=True)
class Request:
    path: str
    body: bytes
    query: str = ""


def written(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def evaluated(shape: Shape, query: str = "") -> Request:
    """As a Bundle for /evaluate."""
    entries = [{"resource": resource} for resource in (PATIENT, *shape.resources)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries, **(shape.bundle or {})}
    return Request("/evaluate", written(bundle), f"asOf={DAY}{query}")


def validated(shape: Shape) -> Request:
    """As a Bundle for /evaluate?validate=true."""
    return evaluated(shape, "&validate=true")


def hooked(shape: Shape) -> Request:
    """As a hook call: each resource in the list of its type, or all of them draft orders."""
    hook = "order-sign" if shape.drafts else "patient-view"
    listed: dict[str, list[Resource]] = {keys[0]: [] for keys in KEYS_OF_TYPE.values()}
    context: dict[str, Any] = {"userId": "Practitioner/x", "patientId": "p"}
    for resource in () if shape.drafts else shape.resources:
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        keys = KEYS_OF_TYPE.get(in_r4(kind)) if isinstance(kind, str) else None
        listed[keys[0] if keys else _OTHER_KEY].append({"resource": resource})
    prefetch: dict[str, Any] = {
        key: {"resourceType": "Bundle", "type": "searchset", "entry": entries}
        for key, entries in listed.items()
    }
    prefetch["patient"] = PATIENT
    if shape.bundle is not None:
        prefetch[_OTHER_KEY] |= shape.bundle
    if shape.drafts:
        twitch = [{"resource": resource} for resource in shape.resources if is_condition(resource)]
        drafts = [{"resource": resource} for resource in shape.resources if not is_condition(resource)]
        prefetch[_OTHER_KEY]["entry"] = twitch
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": drafts}
    return Request(f"{HOOK_PATH}{hook}", written(_call(hook, context, prefetch)))


def is_condition(resource: Any) -> bool:
    return isinstance(resource, dict) and resource.get("resourceType") == "Condition"


def _call(hook: str, context: Resource, prefetch: Resource) -> Resource:
    return {
        "hook": hook,
        "hookInstance": "3c63d725-2f2a-4106-ac43-f86e057bd760",
        "context": context,
        "prefetch": prefetch,
        "extension": {"org.fasciculation-cds": {"asOf": DAY.isoformat(), "assessment": True}},
    }


# Way -> the request of a shape, and how often the cost of an ordinary body it may have.
WAYS: Mapping[str, tuple[Callable[[Shape], Request], float]] = {
    "evaluate": (evaluated, 8),
    "hook": (hooked, 8),
    "validate": (validated, 25),
}


@cache
def ordinary(way: str, size: int) -> Request:
    """A request of about that many bytes as hospitals send them; for validate=true, one without it."""
    call = json.loads(patient_view(max(20, size // _ORDINARY), _ORDINARY).content)
    if way == "hook":
        call["extension"]["org.fasciculation-cds"]["assessment"] = True
        return Request(f"{HOOK_PATH}patient-view", written(call))
    found = call["prefetch"].values()
    entries = [e for value in found for e in value.get("entry", [{"resource": value}])]
    kept = [e for e in entries if e["resource"]["resourceType"] != "Bundle"]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": kept}
    return Request("/evaluate", written(bundle), f"asOf={AS_OF}")
