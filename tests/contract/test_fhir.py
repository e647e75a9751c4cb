"""The FHIR face over HTTP: what is claimed is served, what is served refers only to what is served."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Config
from service.endpoints.fhir_artifacts import ARCHIVE, FOLDER
from service.knowledge import Knowledge
from tests.contract.requests import APPLY
from tests.knowledge.published import ALL, PUBLICATION, RESOURCES, walked
from tests.knowledge.test_artifacts import problems_of
from tools.artifacts.__main__ import summary

KINDS = ("PlanDefinition", "ActivityDefinition", "ValueSet", "Library", "Questionnaire")
EXPANDED = "/fhir/ValueSet/finding-pain/$expand"
PLAN = "/fhir/PlanDefinition/fasciculation"


def found(client: FlaskClient, path: str, **query: Any) -> dict[str, Any]:
    response = client.get(path, query_string=query)
    assert response.status_code == 200, response.data
    assert response.mimetype == "application/fhir+json"
    content: dict[str, Any] = response.get_json(force=True)
    assert problems_of(content) == []
    return content


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status
    assert response.mimetype == "application/fhir+json"
    outcome: dict[str, Any] = response.get_json(force=True)
    assert problems_of(outcome) == []
    assert [issue["code"] for issue in outcome["issue"]] == [code]
    return outcome


def test_the_capability_statement_claims_what_is_routed(client: FlaskClient, app: Flask) -> None:
    statement = found(client, "/fhir/metadata")
    assert (statement["kind"], statement["fhirVersion"], statement["format"]) == (
        "instance",
        "4.0.1",
        ["json"],
    )
    assert statement["implementation"]["url"] == "https://cds.example/fhir"
    (server,) = statement["rest"]
    assert server["mode"] == "server"
    assert [one["type"] for one in server["resource"]] == list(KINDS)
    for resource in server["resource"]:
        assert [one["code"] for one in resource["interaction"]] == ["read", "search-type"]
        members = {"type", "interaction", "versioning", "conditionalRead", "searchParam"}
        assert set(resource) - {"operation"} == members
    assert {
        (one["type"], operation["name"])
        for one in server["resource"]
        for operation in one.get("operation", ())
    } == {("PlanDefinition", "apply"), ("ValueSet", "expand")}
    routed = {
        (rule.rule, *sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/fhir")
    }
    assert routed == {
        ("/fhir/metadata", "GET"),
        ("/fhir/<kind>", "GET"),
        ("/fhir/<kind>/<name>", "GET"),
        (APPLY, "POST"),
        ("/fhir/ValueSet/<name>/$expand", "GET"),
        (ARCHIVE, "GET"),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_everything_is_read_and_found(client: FlaskClient, kind: str) -> None:
    bundle = found(client, f"/fhir/{kind}")
    resources = [resource for resource in ALL if resource["resourceType"] == kind]
    assert bundle["type"] == "searchset"
    assert bundle["total"] == len(bundle["entry"]) == len(resources)
    assert bundle["link"] == [{"relation": "self", "url": f"https://cds.example/fhir/{kind}"}]
    for entry, resource in zip(bundle["entry"], resources, strict=True):
        assert entry["fullUrl"] == f"https://cds.example/fhir/{kind}/{resource['id']}"
        whole = len(resources) <= 20
        assert entry["resource"] == (resource if whole else summary(resource))
        assert entry["search"] == {"mode": "match"}


def test_a_summary_is_less_than_the_whole_and_valid() -> None:
    for resource in ALL:
        made = summary(resource)
        assert made["meta"]["tag"][0]["code"] == "SUBSETTED"
        assert {name: resource[name] for name in made if name != "meta"} == {
            name: value for name, value in made.items() if name != "meta"
        }
        assert problems_of(made) == []
        assert len(json.dumps(made)) < 1_500


def test_a_search_that_finds_few_answers_whole(client: FlaskClient) -> None:
    bundle = found(client, "/fhir/ValueSet", _id="finding-pain")
    assert [entry["resource"] for entry in bundle["entry"]] == [RESOURCES["ValueSet"]["finding-pain"]]


def test_each_is_read_by_its_id(client: FlaskClient) -> None:
    for resource in ALL:
        path = f"/fhir/{resource['resourceType']}/{resource['id']}"
        assert client.get(path).get_json(force=True) == resource


def test_every_canonical_leads_to_an_artifact(client: FlaskClient, knowledge: Knowledge) -> None:
    root = PUBLICATION.root
    canonicals = {
        one
        for resource in ALL
        for name, value in walked(resource)
        if name != "url" or resource["url"] != value
        for one in (value if isinstance(value, list) else [value])
        if isinstance(one, str) and one.startswith(root)
    }
    assert len(canonicals) > 30
    for canonical in canonicals:
        url, _, version = canonical.partition("|")
        kind, _, name = url.removeprefix(f"{root}/").partition("/")
        assert version == knowledge.version
        bundle = client.get(f"/fhir/{kind}", query_string={"url": canonical}).get_json(force=True)
        assert [entry["resource"]["id"] for entry in bundle["entry"]] == [name]
        assert client.get(f"/fhir/{kind}/{name}").get_json(force=True)["url"] == url


def ids(client: FlaskClient, **query: Any) -> list[str]:
    bundle = found(client, "/fhir/ValueSet", **query)
    assert bundle["total"] == len(bundle.get("entry", ()))
    return [entry["resource"]["id"] for entry in bundle.get("entry", ())]


def test_each_claimed_parameter_searches(client: FlaskClient, knowledge: Knowledge) -> None:
    url = f"{PUBLICATION.root}/ValueSet/finding-pain"
    tried: dict[str, tuple[str, str]] = {
        "_id": ("finding-pain", "finding"),
        "url": (url, f"{url}-elsewhere-still"),
        "version": (knowledge.version, "0"),
        "name": ("findingPain", "Pain"),
    }
    statement = found(client, "/fhir/metadata")
    for resource in statement["rest"][0]["resource"]:
        assert {one["name"] for one in resource["searchParam"]} == set(tried)
    for name, (good, bad) in tried.items():
        assert "finding-pain" in ids(client, **{name: good})
        assert "finding-pain" not in ids(client, **{name: bad})
        assert "finding-pain" in ids(client, **{name: f"{bad},{good}"})
    assert ids(client, url=f"{url}|{knowledge.version}") == ["finding-pain"]
    assert ids(client, url=f"{url}|0") == []
    assert ids(client, _id="finding-pain", name="analyte") == []
    assert ids(client, _id=["finding-pain", "finding-cramps"]) == []
    assert ids(client, _id="finding-pain,finding-cramps") == ["finding-cramps", "finding-pain"]
    bundle = found(client, "/fhir/ValueSet", _id="finding-pain,x")
    assert bundle["link"][0]["url"] == "https://cds.example/fhir/ValueSet?_id=finding-pain%2Cx"


@pytest.mark.parametrize("query", ["code=1", "_count=1", "name:exact=a", "_sort=name"])
def test_a_parameter_that_is_not_known_is_refused(client: FlaskClient, query: str) -> None:
    outcome = refused(client.get(f"/fhir/ValueSet?{query}"), 400, "not-supported")
    assert "_id, url, version, name" in outcome["issue"][0]["diagnostics"]


@pytest.mark.parametrize("query", ["url=", "_id=finding-pain,", "name=&_id=finding-pain"])
def test_an_empty_parameter_is_refused(client: FlaskClient, query: str) -> None:
    refused(client.get(f"/fhir/ValueSet?{query}"), 400, "value")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/fhir/ValueSet/none", "not-found"),
        ("/fhir/ValueSet/$expand", "not-found"),
        ("/fhir/Patient", "not-supported"),
        ("/fhir/Patient/1", "not-supported"),
        ("/fhir/valueset", "not-supported"),
        ("/fhir/ValueSet/finding-pain/_history", "not-found"),
    ],
)
def test_what_is_not_there(client: FlaskClient, path: str, code: str) -> None:
    refused(client.get(path), 404, code)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_is_read_only(client: FlaskClient, method: str) -> None:
    for path in ("/fhir/ValueSet", PLAN, "/fhir/metadata"):
        response = getattr(client, method)(path, json={"resourceType": "ValueSet"})
        refused(response, 405, "not-supported")
        assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (None, 200),
        ("application/fhir+json", 200),
        ("application/fhir+json; fhirVersion=4.0", 200),
        ("application/json", 200),
        ("text/html,application/xhtml+xml,*/*;q=0.8", 200),
        ("application/fhir+xml;q=1.0, application/fhir+json;q=0.9", 200),
        ("application/fhir+xml", 406),
        ("application/fhir+json; fhirVersion=5.0", 406),
        ("application/fhir+json;q=0, application/xml", 406),
        ("text/html", 406),
    ],
)
def test_accept(client: FlaskClient, accept: str | None, status: int) -> None:
    for path in ("/fhir/metadata", "/fhir/Library", PLAN):
        response = client.get(path, headers={"Accept": accept} if accept else {})
        assert response.status_code == status
        assert response.mimetype == "application/fhir+json"
    if status == 406:
        refused(response, 406, "not-supported")


@pytest.mark.parametrize(
    ("wanted", "status"),
    [("json", 200), ("application/fhir%2Bjson", 200), ("application/fhir+json", 200), ("xml", 406)],
)
def test_format_overrules_accept(client: FlaskClient, wanted: str, status: int) -> None:
    headers = {"Accept": "application/fhir+xml" if status == 200 else "application/fhir+json"}
    assert client.get(f"{PLAN}?_format={wanted}", headers=headers).status_code == status
    assert client.get(f"/fhir/Library?_format={wanted}", headers=headers).status_code == status


def test_what_is_unchanged_is_not_sent_again(client: FlaskClient) -> None:
    for path in ("/fhir/metadata", "/fhir/ValueSet", PLAN, EXPANDED, ARCHIVE):
        first = client.get(path)
        tag = first.headers["ETag"]
        assert first.headers["Cache-Control"] == "no-cache"
        again = client.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
        assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/fhir", "/fhir/", "/fhir/metadata", "/fhir/ValueSet", PLAN, EXPANDED, ARCHIVE, "/fhir/a/b/c"],
)
def test_other_knowledge_has_no_artifacts(knowledge: Knowledge, path: str, tmp_path: Path) -> None:
    """A folder of one's own, even a copy of the shipped one, and files that were not made anew."""
    base = "https://cds.example"
    for config, decides_by in (
        (Config(public_base_url=base, knowledge_dir=tmp_path), knowledge),
        (Config(public_base_url=base), replace(knowledge, version="0" * 12)),
    ):
        response = create_app(config, decides_by).test_client().get(path)
        outcome = refused(response, 404, "not-found")
        assert f"decides by knowledge {decides_by.version}" in outcome["issue"][0]["diagnostics"]
        assert f"are of {knowledge.version}" in outcome["issue"][0]["diagnostics"]


def test_an_installation_without_the_files_says_so(
    knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("service.endpoints.fhir_artifacts.FOLDER", tmp_path)
    client = create_app(Config(public_base_url="https://cds.example"), knowledge).test_client()
    assert "are of none" in refused(client.get(PLAN), 404, "not-found")["issue"][0]["diagnostics"]


def test_head_has_no_body(client: FlaskClient) -> None:
    response = client.head(PLAN)
    assert (response.status_code, response.data) == (200, b"")
    assert response.headers["ETag"] == client.get(PLAN).headers["ETag"]


def test_a_value_set_is_expanded(client: FlaskClient) -> None:
    expanded = found(client, EXPANDED)
    resource = client.get("/fhir/ValueSet/finding-pain").get_json(force=True)
    assert "compose" in resource
    assert expanded == {member: value for member, value in resource.items() if member != "compose"}
    assert expanded["expansion"]["contains"]
    assert found(client, EXPANDED, _format="json") == expanded
    refused(client.get(f"{EXPANDED}?count=1"), 400, "not-supported")
    refused(client.get("/fhir/ValueSet/none/$expand"), 404, "not-found")
    refused(client.get("/fhir/Library/fasciculation-facts/$expand"), 404, "not-found")


def test_all_of_it_is_one_zip(client: FlaskClient) -> None:
    answer = client.get(ARCHIVE, headers={"Accept": "application/zip"})
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert "attachment" in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            f"artifacts/{path.name}": path.read_bytes() for path in FOLDER.iterdir()
        }
        # Its bytes do not depend on when or where it was made.
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert "/fhir/artifacts.zip" in client.get("/knowledge").get_data(as_text=True)
