"""Panels and reports of blood tests whose values stand in a text or a document are named."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.to_findings.unread_results import PANEL_IN_TEXT, REPORT_IN_TEXT
from tests.spec.records import KNOWLEDGE, as_of, concept, observation, read, twitch
from tests.spec.test_results import K, lab

Resource = dict[str, Any]
PANEL_KEY = min(
    key
    for key, tests in KNOWLEDGE.terminology.panels.items()
    if "potassium" in tests and key not in KNOWLEDGE.terminology.analyte_codes
)
CODE = concept(*PANEL_KEY)
PDF = [{"contentType": "application/pdf", "data": "JVBERi0="}]
RESULT = [{"reference": "Observation/k"}]


def panel(**members: Any) -> Resource:
    return observation("fasciculation", **{"code": CODE, "id": "panel", **members})


def report(**members: Any) -> Resource:
    return {
        "resourceType": "DiagnosticReport",
        "id": "report",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "code": CODE,
        "effectiveDateTime": as_of(3),
        **members,
    }


def named(*resources: Resource) -> list[tuple[str, str]]:
    return [(note.reference, note.why) for note in read(twitch(20), *resources).not_understood]


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (panel(valueString="K 6.9, Na 140"), PANEL_IN_TEXT),
        (panel(valueString="K 6.9", status="preliminary"), PANEL_IN_TEXT),
        (panel(valueString="K 6.9", hasMember=[]), PANEL_IN_TEXT),
        (report(conclusion="K 6.9"), REPORT_IN_TEXT),
        (report(presentedForm=PDF), REPORT_IN_TEXT),
        (report(presentedForm=PDF, result=[]), REPORT_IN_TEXT),
        (report(conclusion="normal", effectiveDateTime=None, issued=f"{as_of(1)}T08:00:00Z"), REPORT_IN_TEXT),
    ],
)
def test_without_results_it_is_named(made: Resource, why: str) -> None:
    made = {name: value for name, value in made.items() if value is not None}
    assert named(made) == [(f"{made['resourceType']}/{made['id']}", why)]


@pytest.mark.parametrize(
    "made",
    [
        panel(),
        panel(valueString=" "),
        panel(valueString="see below", hasMember=RESULT),
        panel(
            valueString="see below", component=[{"code": lab(K, "4.1")["code"], "valueString": "4.1 mmol/L"}]
        ),
        panel(valueString="K 6.9", status="entered-in-error"),
        panel(valueString="K 6.9", status="cancelled"),
        report(conclusion="K is high", result=RESULT),
        report(presentedForm=PDF, contained=[{**lab(K, "4.1"), "id": "c"}]),
        report(),
        report(conclusion="K 6.9", status="entered_in_error"),
        report(conclusion="K 6.9", status="registered"),
        report(conclusion="Pneumonia", code=concept("http://loinc.org", "24627-2")),
    ],
)
def test_with_results_or_of_none_it_is_not(made: Resource) -> None:
    assert named(made, lab(K, "4.1", id="k")) == []


def test_only_the_newest_of_the_same_tests_is_named() -> None:
    old = [panel(valueString="K 6.9", id=f"p{days}", effectiveDateTime=as_of(days)) for days in (9, 40, 300)]
    assert named(*old) == [("Observation/p9", PANEL_IN_TEXT)]
    assert named(*old, report(presentedForm=PDF)) == [("DiagnosticReport/report", REPORT_IN_TEXT)]
    assert named(*old, report(result=RESULT), lab(K, "4.1", id="k")) == []
    assert named(*old, report(result=RESULT, effectiveDateTime=as_of(50)), lab(K, "4.1", id="k")) == [
        ("Observation/p9", PANEL_IN_TEXT)
    ]
