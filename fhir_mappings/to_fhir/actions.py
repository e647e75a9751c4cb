"""What leaves as FHIR R4: orders to propose, answers to record, and OperationOutcomes.

Where another version was asked in, fhir_mappings/to_fhir/in_version.py rewrites them.

Templates are validated once with the R4B models of fhir.resources; afterwards only ids, references and
dates that match FHIR's own patterns are filled in. The tests validate every filled resource.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir.resources.R4B.servicerequest import ServiceRequest

_OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_ID = r"[A-Za-z0-9\-.]{1,64}"
_REFERENCE = re.compile(rf"[A-Z][A-Za-z]{{1,63}}/{_ID}")
_FULL_URL = re.compile(
    rf"(?i:urn:uuid:[0-9a-f-]{{36}})|urn:oid:[0-2](\.\d+)+|https?://[^\s\"<>]{{1,200}}/[A-Z][A-Za-z]+/{_ID}"
)

# Shown to the model validators so that a template is a whole resource.
_SAMPLE_SUBJECT = {"reference": "Patient/sample"}


def fillable(reference: str | None) -> bool:
    """Whether the reference may leave: Type/id, urn:uuid or an absolute URL of FHIR's form."""
    return bool(reference) and bool(
        _REFERENCE.fullmatch(reference or "") or _FULL_URL.fullmatch(reference or "")
    )


def order_template(codings: Sequence[tuple[str, str, str]], text: str) -> dict[str, Any]:
    """A draft proposal for those (system, code, display); the text is ours.

    Raises ValueError if it is not valid FHIR.
    """
    code: dict[str, Any] = {"text": text}
    if codings:
        code["coding"] = [_coding(*coding) for coding in codings]
    template = {"resourceType": "ServiceRequest", "status": "draft", "intent": "proposal", "code": code}
    ServiceRequest.model_validate({**template, "subject": _SAMPLE_SUBJECT})
    return template


def answer_template(coding: tuple[str, str, str], text: str, category: str) -> dict[str, Any]:
    """A preliminary Observation that answers a question; its value is filled in later."""
    template = {
        "resourceType": "Observation",
        "status": "preliminary",
        "category": [{"coding": [{"system": _OBSERVATION_CATEGORY, "code": category}]}],
        "code": {"coding": [_coding(*coding)], "text": text},
    }
    Observation.model_validate({**template, "valueBoolean": True})
    return template


def _coding(system: str, code: str, display: str) -> dict[str, str]:
    # A display is the code system's own or is left out: what we call it stands in the text beside it.
    coding = {"system": system, "code": code}
    if display:
        coding["display"] = display
    return coding


def usable(references: Iterable[str]) -> list[dict[str, str]]:
    """Those that are FHIR's form, as reasons of an order."""
    return [{"reference": reference} for reference in references if fillable(reference)]


def about(subject: str | None, encounter: str | None) -> dict[str, Any]:
    """The members that say whom an order or an answer is about: those of all that one card proposes.

    References that are not FHIR's form are left out.
    """
    members: dict[str, Any] = {
        # A patient without an id has no reference yet; FHIR then asks for its type alone.
        "subject": {"reference": subject}
        if fillable(subject)
        else {"type": "Patient", "display": "this patient"}
    }
    if encounter and fillable(f"Encounter/{encounter}"):
        members["encounter"] = {"reference": f"Encounter/{encounter}"}
    return members


def filled_order(
    template: dict[str, Any], *, about: dict[str, Any], reasons: list[dict[str, str]], urgent: bool
) -> dict[str, Any]:
    """The order of that template for one patient. Nothing in it is copied: it shares the template's parts."""
    order = {**template, "priority": "urgent" if urgent else "routine", **about}
    if reasons:
        order["reasonReference"] = reasons
    return order


def filled_answer(
    template: dict[str, Any], *, about: dict[str, Any], day: date, present: bool
) -> dict[str, Any]:
    """The Observation that records the answer on that day. It shares the template's parts."""
    return {**template, **about, "effectiveDateTime": day.isoformat(), "valueBoolean": present}


def operation_outcome(issues: Sequence[tuple[str, str, str, str | None]]) -> dict[str, Any]:
    """An OperationOutcome of (severity, code, diagnostics, expression or None)."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": severity,
                "code": code,
                "diagnostics": diagnostics,
                **({"expression": [expression]} if expression else {}),
            }
            for severity, code, diagnostics, expression in issues
        ],
    }


OperationOutcome.model_validate(operation_outcome([("error", "invalid", "A sample.", "Bundle")]))
