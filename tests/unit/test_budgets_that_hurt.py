"""A call above its budget is rejected as a whole; what only costs words or text is decided and named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhir_mappings.request.bundles import decode_bundle
from fhir_mappings.request.documents import CALL
from fhir_mappings.request.hook_call import decode_call
from fhir_mappings.resources.budget import SETTING_OF, Budget, OverBudget, budget, within
from fhir_mappings.resources.submission import Submission, at_most
from fhir_mappings.resources.validation import validation_issues
from service.app import create_app
from service.command_line.inputs import Document
from service.config import SETTINGS, Config
from service.errors import TooMuch
from service.evaluation import Evaluator
from service.feedback.upgrade import upgrade
from tests.spec.records import DAY, KNOWLEDGE, bundle, read
from tests.unit.bodies import Resource, medicine, prescription, twitching
from tests.unit.test_hook_bodies_that_hurt import call_of, drafted

SMALL = Budget(references=20, notes=3, drafts=2, text=300)


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    url = f"sqlite:///{tmp_path / 'feedback.sqlite3'}"
    upgrade(url)
    return create_app(Config(feedback_db=url, budget=SMALL), KNOWLEDGE).test_client()


def chained(often: int) -> list[Resource]:
    """A prescription of a medicine that names another so often."""
    parts = [{"itemReference": {"reference": "Medication/m1"}}] * often
    whole = {"resourceType": "Medication", "id": "m0", "ingredient": parts}
    part = {"resourceType": "Medication", "id": "m1", "code": {"text": "furosemide"}}
    return [prescription(0, medicationReference={"reference": "Medication/m0"}), whole, part]


def signed(drafts: int) -> bytes:
    return call_of("order-sign", [twitching()], drafted(medicine(n, "furosemide") for n in range(drafts)))


def posted(client: FlaskClient, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
    answer = client.post(path, data=body, content_type="application/json")
    return answer.status_code, answer.get_json()


SIGN = "/cds-services/fasciculation-order-sign"


@pytest.mark.parametrize(
    ("path", "within_it", "above", "setting"),
    [
        (SIGN, signed(2), signed(3), "MAX_DRAFTS"),
        ("/evaluate", bundle(twitching(), *chained(20)), bundle(twitching(), *chained(21)), "MAX_REFERENCES"),
    ],
)
def test_above_a_budget_nothing_is_decided(
    client: FlaskClient, path: str, within_it: bytes, above: bytes, setting: str
) -> None:
    status, content = posted(client, path, within_it)
    assert (status, "cards" in content) == (200, True)
    status, content = posted(client, path, above)
    (issue,) = content["issue"]
    assert (status, content["resourceType"], issue["code"]) == (413, "OperationOutcome", "too-costly")
    assert setting in issue["diagnostics"]


def test_the_budget_of_one_application_is_none_of_another(client: FlaskClient, tmp_path: Path) -> None:
    assert posted(client, SIGN, signed(3))[0] == 413
    assert budget() == Budget()
    other = create_app(Config(feedback_db=f"sqlite:///{tmp_path / 'feedback.sqlite3'}"), KNOWLEDGE)
    assert posted(other.test_client(), SIGN, signed(3))[0] == 200


def test_the_command_line_rejects_it_too() -> None:
    document = Document("x", CALL, signed(101))
    with pytest.raises(TooMuch, match="MAX_DRAFTS"):
        document.evaluated(Evaluator(KNOWLEDGE, "https://cds.example"), DAY)


def test_each_limit_that_rejects_names_a_setting() -> None:
    for name, (setting, _) in SETTING_OF.items():
        assert SETTINGS[setting][0] == str(getattr(Budget(), name))
        Budget().check(name, getattr(Budget(), name))
        with pytest.raises(OverBudget, match=setting):
            Budget().check(name, getattr(Budget(), name) + 1)


def test_the_settings_are_the_budget() -> None:
    environ = {
        "MAX_OBJECTS": "50",
        "MAX_ENTRIES": "5",
        "MAX_REFERENCES": "6",
        "MAX_NOTES": "7",
        "MAX_DRAFTS": "8",
    }
    config = Config.from_environ({**environ, "MAX_TEXT_CHARACTERS": "900"})
    assert config.budget == Budget(objects=50, entries=5, references=6, notes=7, drafts=8, text=900)


def test_more_objects_than_the_budget_are_refused_before_they_are_decoded() -> None:
    bundle = b'{"resourceType":"Bundle","entry":[%s]}'
    call = b'{"hook":"patient-view","prefetch":{"conditions":%s}}' % bundle
    with within(Budget(objects=50)):
        decode_bundle(bundle % b",".join([b"{}"] * 49))
        decode_call(call % b",".join([b"{}"] * 47))
        for decode, body in ((decode_bundle, bundle), (decode_call, call)):
            with pytest.raises(OverBudget, match="MAX_OBJECTS"):
                # Not even JSON: nothing was decoded.
                decode(body.replace(b"%s", b"{" * 51))


def test_more_notes_than_the_budget_are_counted() -> None:
    notes = read(*(prescription(n, authoredOn="x") for n in range(9))).not_understood
    assert len(notes) >= 9
    with within(SMALL):
        shown = at_most(notes)
    assert (len(shown), sum(note.count for note in shown)) == (4, sum(note.count for note in notes))


def test_a_name_that_is_too_long_is_named_and_the_rest_is_read() -> None:
    with within(SMALL):
        exact, longer = (
            read(twitching(), medicine(0, "furosemide" + " " * length), medicine(1, "lithium"))
            for length in (290, 291)
        )
    why = "its name is too long to be read"
    assert "furosemide" in [drug.name for drug in exact.drugs]
    assert why not in [note.why for note in exact.not_understood]
    assert "furosemide" not in [drug.name for drug in longer.drugs]
    assert "lithium" in [drug.name for drug in longer.drugs]
    assert (why, "MedicationRequest/r0") in [(n.why, n.reference) for n in longer.not_understood]


def issues_of(*resources: Resource) -> list[tuple[str, str, str, str | None]]:
    return validation_issues(decode_bundle(bundle(*resources)))


def test_validation_stops_after_as_many_issues_as_notes() -> None:
    empty = [{"resourceType": "Observation", "id": f"o{n}"} for n in range(9)]
    whole = issues_of(*empty)
    with within(replace(SMALL, notes=4)):
        found = issues_of(*empty)
    assert len(whole) > len(found)
    assert [issue[:3] for issue in found[-1:]] == [
        ("error", "too-costly", "5 more entries are not validated; this is the place of the first.")
    ]


def test_a_resource_of_very_many_values_is_named_and_not_validated() -> None:
    held = {"resourceType": "Basic", "id": "b", "code": {"coding": [{"code": "x"}] * 2_400}}
    longer = {**held, "code": {"coding": [{"code": "x"}] * 2_500}}
    assert [issue[2] for issue in issues_of(held)] == ["Every entry is valid FHIR R4B."]
    assert [issue[2] for issue in issues_of(longer)] == ["Not validated: it has more than 5000 values."]


def test_commas_in_a_text_are_no_values() -> None:
    text = {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{"a, " * 6_000}</div>'}
    held = {"resourceType": "Basic", "id": "b", "code": {"text": "x"}, "text": text}
    assert [issue[2] for issue in issues_of(held)] == ["Every entry is valid FHIR R4B."]


def test_a_submission_without_entries_is_valid() -> None:
    assert json.dumps(validation_issues(Submission()))
