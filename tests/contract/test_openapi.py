"""openapi.yaml is valid, current, and describes exactly the routes there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from tools.openapi.document import FILE, document, written


def test_it_is_what_the_schemas_say() -> None:
    assert FILE.read_text(encoding="utf-8") == written(), "make openapi writes it anew"


def test_it_is_valid() -> None:
    validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def as_route(path: str) -> str:
    """A call is described once for each hook, under its own id."""
    return re.sub(r"^/cds-services/[a-z-]+$", "/cds-services/{service_id}", path)


def component(reference: dict[str, Any]) -> dict[str, Any]:
    """The named component that the reference points to."""
    found: dict[str, Any] = document()["components"]["schemas"][
        reference["$ref"].removeprefix("#/components/schemas/")
    ]
    return found


def test_every_service_of_discovery_is_described(client: FlaskClient) -> None:
    described = document()["paths"]
    for service in client.get("/cds-services").get_json()["services"]:
        call = described[f"/cds-services/{service['id']}"]["post"]
        request = component(call["requestBody"]["content"]["application/json"]["schema"])
        assert set(request["required"]) == {"hook", "hookInstance", "context"}
        assert request["properties"]["hook"]["const"] == service["hook"]
        context = component(request["properties"]["context"])
        assert "patientId" in context["required"]


def test_its_paths_are_the_routes(app: Flask) -> None:
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {
        (as_route(path), method) for path, methods in document()["paths"].items() for method in methods
    }
    assert described == routes


def test_it_is_served(client: FlaskClient) -> None:
    assert client.get("/openapi.yaml").data == FILE.read_bytes()
    assert client.get("/openapi.json").get_json()["paths"].keys() == document()["paths"].keys()


def test_a_required_member_is_required() -> None:
    shapes = document()["components"]["schemas"]
    assert set(shapes["Evaluation"]["required"]) == {"cards", "assessment"}


def nodes(content: Any) -> Iterator[dict[str, Any]]:
    if isinstance(content, dict):
        yield content
    for inner in (
        content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    ):
        yield from nodes(inner)


def test_shapes_are_named_components_and_every_array_names_its_items() -> None:
    """A generated client has classes of these names, and no nameless object."""
    shapes = document()["components"]["schemas"]
    assert set(shapes) >= {"Card", "Suggestion", "Action", "Assessment", "Finding", "PatientViewRequest"}
    assert not [name for name in shapes if name[-1].isdigit()]
    arrays = [node for node in nodes(document()) if "array" in node.get("type", ())]
    assert len(arrays) > 50
    assert all("items" in array for array in arrays)


def test_what_serves_the_tests_alone_is_not_published() -> None:
    assert not [key for node in nodes(document()) for key in node if str(key).startswith("x-")]


def test_what_needs_a_token_says_so() -> None:
    paths = document()["paths"]
    secured = {path for path, methods in paths.items() for call in methods.values() if "security" in call}
    for path in ("/feedback/summary", "/metrics"):
        secured.remove(path)
        assert {"adminToken": []} in paths[path]["get"]["security"]
        assert {"401", "403"} <= set(paths[path]["get"]["responses"])
    assert "503" in paths["/feedback/summary"]["get"]["responses"]
    assert {as_route(path) for path in secured} == {
        "/cds-services",
        "/cds-services/{service_id}",
        "/cds-services/{service_id}/feedback",
        "/evaluate",
        "/fhir/PlanDefinition/fasciculation/$apply",
    }
    for path in secured:
        for call in paths[path].values():
            assert {"callerToken": []} in call["security"]
            assert {"401", "403", "503"} <= set(call["responses"])
