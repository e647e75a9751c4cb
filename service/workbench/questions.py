"""What is unknown and would change the answer, and the Observation that a click adds to the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fhir_mappings.from_actions import about, filled_answer
from fhir_mappings.in_version import in_version
from service.cards.questions import Questions
from service.decision import Decision
from service.knowledge import Knowledge

ANSWERS = ("present", "absent")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, with what its answers would change. clicks: whether a click answers it.

    outcomes: (answer, level it leads to).
    """

    id: str
    name: str
    sentence: str
    clicks: bool
    outcomes: tuple[tuple[str, str], ...]


def asked_in(decision: Decision, knowledge: Knowledge) -> tuple[Asked, ...]:
    """All questions of the decision, the most important first."""
    words = Questions(decision, knowledge)
    return tuple(
        Asked(
            id=question.id,
            name=words.name(question),
            sentence=words.sentence(question),
            clicks=question.id in knowledge.templates.answers,
            outcomes=tuple((answer.says, answer.outcome.level) for answer in question.answers),
        )
        for question in decision.questions
    )


def answer_observation(
    decision: Decision, knowledge: Knowledge, finding: str, *, present: bool
) -> dict[str, Any] | None:
    """The Observation of that answer on the day of the decision, as the card's; None: no click answers it.

    It has an id of its own, so that a second answer to the same question takes the place of the first.
    """
    template = knowledge.templates.answers.get(finding)
    if template is None:
        return None
    record = decision.record
    subject = f"Patient/{record.patient.id}" if record.patient.id else record.patient.reference
    made = filled_answer(template, about=about(subject, None), day=record.as_of, present=present)
    return {**in_version(made, record.version), "id": f"answer-{finding}"}


def with_answer(document: dict[str, Any], observation: dict[str, Any]) -> dict[str, Any]:
    """The Bundle or hook request with that Observation in it, in the place of an earlier answer."""
    if "hook" not in document:
        return _added(document, observation)
    prefetch = document.get("prefetch")
    prefetch = prefetch if isinstance(prefetch, dict) else {}
    findings = prefetch.get("findings")
    if not isinstance(findings, dict) or findings.get("resourceType") != "Bundle":
        findings = {"resourceType": "Bundle", "type": "searchset"}
    return {**document, "prefetch": {**prefetch, "findings": _added(findings, observation)}}


def _added(bundle: dict[str, Any], observation: dict[str, Any]) -> dict[str, Any]:
    entries = bundle.get("entry")
    kept = [
        entry for entry in (entries if isinstance(entries, list) else []) if not _is(entry, observation["id"])
    ]
    return {**bundle, "entry": [*kept, {"resource": observation}]}


def _is(entry: Any, name: str) -> bool:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    if not isinstance(resource, dict):
        return False
    return (resource.get("resourceType"), resource.get("id")) == ("Observation", name)
