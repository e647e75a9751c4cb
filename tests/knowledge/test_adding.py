"""Adding is cheap: a medication class, a finding, a source document and a hook touch the files named here.

The codes are invented and cannot be mistaken for real ones.
"""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from marshmallow import fields

from fhir_mappings.code_systems import RXNORM, SNOMED
from schemas import hooks as contexts
from service.app import create_app
from service.config import Config
from service.knowledge import HERE, KnowledgeError, load_knowledge
from tests.contract.requests import DAY, example

TABLE = "decision_table.yaml"

CLASS = """\
id: example-antidote
label: "example antidote"
named_by_documents: false
members:
  - ingredient: "examplamine"
    rxnorm: ["example-1"]
    terms: ["examplamine"]
"""
CLASS_ROW = """\
  - id: example-antidote
    label: "an example antidote"
    when: drug example-antidote
    actions: [medication-review]
    level: info
    rests_on:
      - {ids: [S000-24], reading: interpreted, note: "a medicine may be the cause"}
    examples:
      - {title: "before the twitch", given: {drugs: {example-antidote: "yes"}}, holds: true}
      - {title: "after the twitch began", given: {drugs: {example-antidote: "no"}}, holds: false}

"""
FINDING = """\
id: example-sign
label: "example sign"
kind: sign
category: exam
question: "Is the example sign there?"
answer: {system: "http://snomed.info/sct", code: "example-2"}
concepts: []
more_codes:
  - {system: "http://snomed.info/sct", code: "example-2", source: "invented for a test"}
"""
FINDING_ROW = """\
  - id: example-sign
    label: "the example sign"
    when: example-sign examined
    actions: [mri]
    level: warning
    rests_on:
      - {ids: [S000-50], reading: interpreted, note: "a sign beside the twitch"}
    examples:
      - {title: "seen", given: {example-sign: examined}, holds: true}
      - {title: "only told", given: {example-sign: reported}, holds: false}

"""
ASKED = """\
  - {id: example-sign, order: 6, findings: [example-sign]}
"""
SOURCE = f"""\
id: example-review
title: "An example review"
prefix: "S005"
sha256: "{"0" * 64}"
claims:
  - id: S005-01
    heading: 0
    sentences: [1]
    sha256: "{"1" * 64}"
    says: "The example sign beside a twitch is to be looked into"
    strength: "should"
  - id: S005-02
    heading: 0
    sentences: [2]
    sha256: "{"2" * 64}"
    says: "Many have seen the example sign"
    strength: "many"
    declined: "how many have seen it says nothing about this patient"
"""


class Folder:
    """A copy of the knowledge folder that knows which of its files were touched."""

    def __init__(self, path: Path) -> None:
        self.path = path
        shutil.copytree(HERE, path, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        self.before = self.contents()

    def contents(self) -> dict[str, bytes]:
        return {
            file.relative_to(self.path).as_posix(): file.read_bytes()
            for file in self.path.rglob("*")
            if file.is_file()
        }

    @property
    def touched(self) -> set[str]:
        after = self.contents()
        assert set(self.before) <= set(after)
        return {file for file, content in after.items() if self.before.get(file) != content}

    def add(self, file: str, text: str) -> None:
        assert not (self.path / file).exists()
        (self.path / file).write_text(text, encoding="utf-8")

    def add_row(self, text: str) -> None:
        table = (self.path / TABLE).read_text(encoding="utf-8")
        last = "  # The last three are read after all others, with the level that those give.\n"
        assert table.count(last) == 1
        (self.path / TABLE).write_text(table.replace(last, text + last), encoding="utf-8")

    def add_question(self, text: str) -> None:
        """At the end of the file, where the questions stand."""
        with (self.path / TABLE).open("a", encoding="utf-8") as file:
            file.write(text)

    def client(self) -> FlaskClient:
        """The service as it starts with KNOWLEDGE_DIR on this folder."""
        config = Config.from_environ(
            {"KNOWLEDGE_DIR": str(self.path), "PUBLIC_BASE_URL": "https://cds.example"}
        )
        return create_app(config, load_knowledge(config.knowledge_dir)).test_client()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "knowledge")


def bundle(*more: dict[str, Any]) -> dict[str, Any]:
    """The example of a twitch of fifteen days, and more of the same patient."""
    made = copy.deepcopy(example("thigh-day-fifteen/bundle.json"))
    made["entry"] += [{"resource": resource} for resource in more]
    return made


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def evaluated(client: FlaskClient, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"/evaluate?asOf={DAY}", data=json.dumps(body), content_type="application/fhir+json")
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.get_json()
    return content


def reasons_of(content: dict[str, Any]) -> dict[str, Any]:
    (card,) = content["cards"]
    reasons: dict[str, Any] = card["extension"]["org.fasciculation-cds"]
    return reasons


MEDICINE: dict[str, Any] = {
    "resourceType": "MedicationRequest",
    "id": "more",
    "status": "active",
    "intent": "order",
    "medicationCodeableConcept": coded(RXNORM, "example-1"),
    "subject": {"reference": "Patient/v05"},
    "authoredOn": "2025-01-01",
}


def seen(present: bool) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "more",
        "status": "final",
        "code": coded(SNOMED, "example-2"),
        "subject": {"reference": "Patient/v05"},
        "effectiveDateTime": DAY,
        "valueBoolean": present,
    }


def test_a_medication_class_is_its_file_and_a_row(folder: Folder) -> None:
    folder.add("medication_classes/example-antidote.yaml", CLASS)
    folder.add_row(CLASS_ROW)
    assert folder.touched == {"medication_classes/example-antidote.yaml", TABLE}
    client = folder.client()
    content = evaluated(client, bundle(MEDICINE))
    assert "example-antidote" in reasons_of(content)["rows"]
    assert "S000-24" in reasons_of(content)["claims"]
    (card,) = content["cards"]
    assert (
        "2. Review with the prescriber: could examplamine (since 2025-01-01) play a part?" in card["detail"]
    )
    assert "examplamine (example antidote), since 2025-01-01" in card["detail"]
    (link,) = card["links"]
    address, _, rows = link["url"].partition("?rows=")
    assert address == "https://cds.example/knowledge"
    assert rows.split(",").count("example-antidote") == 1
    assert "example-antidote" not in reasons_of(evaluated(client, bundle()))["rows"]


def test_a_medicine_known_by_its_name_is_read_too(folder: Folder) -> None:
    folder.add("medication_classes/example-antidote.yaml", CLASS)
    folder.add_row(CLASS_ROW)
    by_name = {**MEDICINE, "medicationCodeableConcept": {"text": "Examplamine 5 mg tablets"}}
    assert "example-antidote" in reasons_of(evaluated(folder.client(), bundle(by_name)))["rows"]


def test_a_finding_of_a_known_kind_is_its_file_and_a_row(folder: Folder) -> None:
    folder.add("findings/example-sign.yaml", FINDING)
    folder.add_row(FINDING_ROW)
    assert folder.touched == {"findings/example-sign.yaml", TABLE}
    client = folder.client()
    content = evaluated(client, bundle(seen(True)))
    assert "example-sign" in reasons_of(content)["rows"]
    assert {"id": "mri", "urgency": "routine", "because": ["example-sign"], "analytes": []} in content[
        "assessment"
    ]["recommendations"]
    (card,) = content["cards"]
    assert "example sign" in card["summary"]
    assert "example-sign" not in reasons_of(evaluated(client, bundle(seen(False))))["rows"]


def test_a_new_finding_is_asked_and_its_answer_is_one_click(folder: Folder) -> None:
    folder.add("findings/example-sign.yaml", FINDING)
    folder.add_row(FINDING_ROW)
    folder.add_question(ASKED)
    assert folder.touched == {"findings/example-sign.yaml", TABLE}
    client = folder.client()
    content = evaluated(client, bundle())
    (asked,) = [q for q in content["assessment"]["questions"] if q.get("finding") == "example-sign"]
    assert (asked["ifPresent"]["level"], asked["ifAbsent"]["level"]) == ("warning", "info")
    (card,) = content["cards"]
    assert "**Ask:** Example sign?" in card["detail"]
    clicks = {suggestion["label"]: suggestion["actions"][0]["resource"] for suggestion in card["suggestions"]}
    assert {"Example sign: present", "Example sign: absent"} <= set(clicks)
    observation = {**clicks["Example sign: present"], "id": "clicked"}
    assert "example-sign" in reasons_of(evaluated(client, bundle(observation)))["rows"]
    # And the client is asked to send it.
    services = client.get("/cds-services").get_json()["services"]
    assert "example-2" in services[0]["prefetch"]["findings"]


def test_a_finding_is_asked_only_where_the_table_says_so(folder: Folder) -> None:
    folder.add("findings/example-sign.yaml", FINDING)
    folder.add_row(FINDING_ROW)
    content = evaluated(folder.client(), bundle())
    assert "example-sign" not in [q.get("finding") for q in content["assessment"]["questions"]]


def test_a_source_document_is_its_file(folder: Folder) -> None:
    declined = SOURCE.replace(
        '    strength: "should"\n',
        '    strength: "should"\n    declined: "no row of this copy reads the example sign"\n',
    )
    folder.add("sources/example-review.yaml", declined)
    assert folder.touched == {"sources/example-review.yaml"}
    assert "persistent" in reasons_of(evaluated(folder.client(), bundle()))["rows"]


def test_a_claim_of_a_new_document_is_cited_by_a_row(folder: Folder) -> None:
    folder.add("sources/example-review.yaml", SOURCE)
    folder.add("findings/example-sign.yaml", FINDING)
    folder.add_row(
        FINDING_ROW.replace("ids: [S000-50], reading: interpreted", "ids: [S005-01], reading: stated")
    )
    assert folder.touched == {"sources/example-review.yaml", "findings/example-sign.yaml", TABLE}
    client = folder.client()
    assert "S005-01" in reasons_of(evaluated(client, bundle(seen(True))))["claims"]
    page = client.get("/knowledge/example-sign", headers={"Accept": "application/json"}).get_json()
    assert page["restsOn"][0]["claims"][0]["document"] == "An example review"


class ExampleContext(contexts.Context):
    """What a hook of a test carries."""

    example = fields.String(required=True)


HOOK = """\
  - id: fasciculation-example
    hook: example-hook
    title: "An example"
    description: "A hook of a test."
    prefetch:
      conditions: "Condition?patient={{context.patientId}}"
"""


def test_a_hook_is_its_context_class_and_an_entry(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contexts, "CONTEXTS", {**contexts.CONTEXTS, "example-hook": ExampleContext})
    hooks = folder.path / "hooks.yaml"
    hooks.write_text(hooks.read_text(encoding="utf-8") + HOOK, encoding="utf-8")
    assert folder.touched == {"hooks.yaml"}
    client = folder.client()
    services = {service["id"]: service for service in client.get("/cds-services").get_json()["services"]}
    assert services["fasciculation-example"]["hook"] == "example-hook"
    call = {**example("thigh-day-fifteen/patient-view.json"), "hook": "example-hook"}
    call["context"]["example"] = "one"
    answer = client.post("/cds-services/fasciculation-example", json=call)
    assert answer.status_code == 200
    assert "persistent" in reasons_of(answer.get_json())["rows"]
    del call["context"]["example"]
    answer = client.post("/cds-services/fasciculation-example", json=call)
    assert answer.status_code == 400
    assert answer.get_json()["issue"][0]["expression"] == ["context.example"]


@pytest.mark.parametrize(
    ("file", "text", "row", "said"),
    [
        # Each of the two halves alone is refused, or changes nothing that a card says.
        ("", "", CLASS_ROW, "rows.example-antidote: 'drug example-antidote' is no finding"),
        ("", "", FINDING_ROW, "rows.example-sign: 'example-sign examined' is no finding"),
        ("sources/example-review.yaml", SOURCE, "", "S005-01: nothing rests on it"),
        ("medication_classes/antidote.yaml", CLASS, "", "not the name of its file"),
        ("findings/example-sign.yaml", FINDING.replace("kind: sign", "kind: signs"), "", "kind"),
        ("findings/example-sign.yaml", FINDING + 'colour: "red"\n', "", "Unknown field"),
        (
            "findings/example-sign.yaml",
            FINDING,
            FINDING_ROW.replace("the example sign", "the example sign " * 5),
            "found.example-sign: no text, and the row's label has over 60 characters",
        ),
    ],
)
def test_adding_is_as_strict_as_ever(folder: Folder, file: str, text: str, row: str, said: str) -> None:
    if file:
        folder.add(file, text)
    if row:
        folder.add_row(row)
    with pytest.raises(KnowledgeError) as error:
        load_knowledge(folder.path)
    assert said in str(error.value)


def test_a_hook_without_its_context_class_is_refused(folder: Folder) -> None:
    hooks = folder.path / "hooks.yaml"
    hooks.write_text(hooks.read_text(encoding="utf-8") + HOOK, encoding="utf-8")
    with pytest.raises(KnowledgeError) as error:
        load_knowledge(folder.path)
    assert "fasciculation-example: no context class for the hook example-hook with a patientId" in str(
        error.value
    )
