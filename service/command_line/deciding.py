"""A document decided as the service would: by service.evaluation, with the same checks before it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from fhir_mappings.request.bundles import decode_bundle
from fhir_mappings.request.documents import CALL
from fhir_mappings.request.json_body import UnreadableBody
from fhir_mappings.resources.submission import PatientError, Submission
from service.command_line.inputs import Document
from service.command_line.lines import Places
from service.errors import Issue, RequestError
from service.evaluation import Answer, answer
from service.hook_request import (
    checked_members,
    instance_of,
    issues_of,
    options_of,
    read_call,
    refuse_unseen,
    submission_of_call,
)
from service.knowledge import Knowledge

# A bundle's gate that says nothing about the patient: nobody could see whether there is a twitch.
_NOT_SEEN = frozenset({"unseen", "unread"})


@dataclass(frozen=True, slots=True)
class Request:
    """A document, read. The rest: what `answer` wants to know besides."""

    submission: Submission
    hook_instance: str
    as_of: date
    encounter_id: str | None = None
    cards: str = "work-up"
    is_call: bool = False


class Refused(ValueError):
    """What the service would not decide; the message names every problem and no patient."""

    def __init__(self, problems: Iterable[Issue]) -> None:
        found = list(problems)
        super().__init__("; ".join(_told(problem) for problem in found))
        self.problems = found


@dataclass(frozen=True, slots=True)
class Deciding:
    """as_of: the day of every decision; None: what a call says itself, else today."""

    knowledge: Knowledge
    as_of: date | None
    today: date
    base_url: str

    def request(self, document: Document) -> Request:
        """Raises Refused."""
        try:
            return self._call(document) if document.kind == CALL else self._bundle(document)
        except RequestError as error:
            raise Refused(error.issues) from None
        except UnreadableBody as error:
            raise Refused(issues_of(error)) from None

    def answer(self, request: Request) -> Answer:
        """Raises Refused where it is not about one patient."""
        try:
            return answer(
                request.submission,
                self.knowledge,
                request.as_of,
                base_url=self.base_url,
                hook_instance=request.hook_instance,
                encounter_id=request.encounter_id,
                cards=request.cards,
            )
        except PatientError as error:
            raise Refused([Issue("business-rule", str(error))]) from None

    def _bundle(self, document: Document) -> Request:
        as_of = self.as_of or self.today
        return Request(decode_bundle(document.body), instance_of(document.body, as_of), as_of)

    def _call(self, document: Document) -> Request:
        entries = {hook["hook"]: hook for hook in self.knowledge.hooks}
        received = read_call(document.body)
        members = checked_members(received.members, entries)
        entry, context = entries[members["hook"]], members["context"]
        own = options_of(members).get("asOf")
        return Request(
            submission_of_call(received, entry, context),
            members["hookInstance"],
            self.as_of or (date.fromisoformat(own) if own else self.today),
            context.get("encounterId"),
            entry["cards"],
            is_call=True,
        )


def why_undecided(request: Request, answered: Answer) -> str:
    """Why no card is no all clear; "" where it is one, or there is a card."""
    if answered.gate not in _NOT_SEEN:
        return ""
    if not request.is_call:
        return f"no twitch was found, and that says nothing: {answered.assessment['gate']['reason']}"
    try:
        refuse_unseen(answered)
    except RequestError as error:
        return str(Refused(error.issues))
    return ""


def places_of(
    document: Document, notes: Iterable[tuple[str, str | None]]
) -> dict[tuple[str, str | None], str]:
    """(reference, expression) -> "file:line"; those that are not found are left out."""
    try:
        text = document.body.decode()
        content: Any = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    lines = Places(text, content).lines(list(notes))
    return {note: document.place(line) for note, line in lines.items()}


def _told(problem: Issue) -> str:
    place = f"{problem.expression}: " if problem.expression else ""
    return problem.diagnostics if problem.diagnostics.startswith(place) else f"{place}{problem.diagnostics}"
