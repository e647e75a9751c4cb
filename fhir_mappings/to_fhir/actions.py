"""Orders to propose, answers to record and OperationOutcomes, as FHIR R4.

Only ids, references and dates of FHIR's own form are filled into a template. Tests validate the shipped
templates and every filled resource; the templates of a site's knowledge are validated at its start.
in_version.py rewrites them for R5 and STU3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Any

from fhir_mappings.record import Version

_OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_ID = r"[A-Za-z0-9\-.]{1,64}"
_REFERENCE = re.compile(rf"[A-Z][A-Za-z]{{1,63}}/{_ID}")
_FULL_URL = re.compile(
    rf"(?i:urn:uuid:[0-9a-f-]{{36}})|urn:oid:[0-2](\.\d+)+|https?://[^\s\"<>]{{1,200}}/[A-Z][A-Za-z]+/{_ID}"
)

# An order replaces an order: of the same type, on the same server.
_ORDER = re.compile(rf"ServiceRequest/{_ID}")
_STU3_ORDER = re.compile(rf"(Procedure|Referral)Request/{_ID}")
_PRACTITIONER = re.compile(r"Practitioner(Role)?/")
PRIORITIES = {"routine": "routine", "urgent": "urgent", "now": "stat"}

# Makes a template a whole resource, for its validation.
_SAMPLE_SUBJECT = {"reference": "Patient/sample"}


def fillable(reference: str | None) -> bool:
    """Whether the reference is Type/id, urn:uuid, urn:oid or an absolute URL, of FHIR's form."""
    return bool(reference and (_REFERENCE.fullmatch(reference) or _FULL_URL.fullmatch(reference)))


def order_template(codings: Sequence[tuple[str, str, str]], text: str) -> dict[str, Any]:
    """A draft ServiceRequest for those (system, code, display)."""
    code: dict[str, Any] = {"text": text}
    if codings:
        code["coding"] = [_coding(*coding) for coding in codings]
    return {"resourceType": "ServiceRequest", "status": "draft", "intent": "proposal", "code": code}


def answer_template(coding: tuple[str, str, str], text: str, category: str) -> dict[str, Any]:
    """A preliminary Observation that answers a question; its value is filled in later."""
    return {
        "resourceType": "Observation",
        "status": "preliminary",
        "category": [{"coding": [{"system": _OBSERVATION_CATEGORY, "code": category}]}],
        "code": {"coding": [_coding(*coding)], "text": text},
    }


def check_template(template: Mapping[str, Any]) -> None:
    """Validate a template with the R4B models. Raises ValueError where it is invalid."""
    # Imported here: the models are a sixth of a start, and the shipped templates are validated by a test.
    from fhir.resources.R4B import get_fhir_model_class

    get_fhir_model_class(template["resourceType"]).model_validate({**template, "subject": _SAMPLE_SUBJECT})


def _coding(system: str, code: str, display: str) -> dict[str, str]:
    # A display is the code system's own or is left out: our name for it is the text.
    coding = {"system": system, "code": code}
    if display:
        coding["display"] = display
    return coding


def usable(references: Iterable[str], most: int) -> list[dict[str, str]]:
    """The first of those of FHIR's form, as reasons of an order."""
    return [{"reference": reference} for reference in islice(filter(fillable, references), most)]


def about(subject: str | None, encounter: str | None) -> dict[str, Any]:
    """Subject and encounter of what a card proposes, without references that are not of FHIR's form."""
    members: dict[str, Any] = {
        # FHIR accepts the type alone, of a patient without an id.
        "subject": {"reference": subject}
        if fillable(subject)
        else {"type": "Patient", "display": "this patient"}
    }
    if encounter and fillable(f"Encounter/{encounter}"):
        members["encounter"] = {"reference": f"Encounter/{encounter}"}
    return members


def requester_of(user: str | None) -> dict[str, str] | None:
    """The user of a hook call as the requester of an order, where it is a practitioner."""
    if user is None or not fillable(user) or not _PRACTITIONER.match(user):
        return None
    return {"reference": user}


def replaceable(reference: str, version: Version) -> bool:
    """Whether a new order can name it as the order that it replaces."""
    form = _STU3_ORDER if version is Version.STU3 else _ORDER
    return bool(form.fullmatch(reference))


def filled_order(
    template: dict[str, Any],
    *,
    about: dict[str, Any],
    reasons: list[dict[str, str]],
    urgency: str,
    day: date,
    category: str = "",
    requester: dict[str, str] | None = None,
    text: str = "",
    replaces: str = "",
) -> dict[str, Any]:
    """The order for one patient. It shares the parts of the template.

    urgency: routine, urgent or now. day: on which it is proposed. text: the reason in words. replaces: the
    reference of an order, see `replaceable`.
    """
    order = {**template, "priority": PRIORITIES[urgency], **about, "authoredOn": day.isoformat()}
    if category:
        order["category"] = [{"text": category}]
    if requester:
        order["requester"] = requester
    if replaces:
        order["replaces"] = [{"reference": replaces}]
    if text:
        order["reasonCode"] = [{"text": text}]
    if reasons:
        order["reasonReference"] = reasons
    return order


def filled_answer(
    template: dict[str, Any], *, about: dict[str, Any], day: date, present: bool
) -> dict[str, Any]:
    """The Observation that records the answer on that day. It shares the parts of the template."""
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
