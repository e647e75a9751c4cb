"""Submission and knowledge in; decision, cards and assessment out."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache, partial
from typing import Any

from fhir_mappings.record import Patient
from fhir_mappings.request.bundles import Fetched, decode_bundle
from fhir_mappings.request.hook_call import Prefetch, without_context
from fhir_mappings.request.json_body import InvalidBody
from fhir_mappings.resources.submission import PatientError, Submission, at_most
from fhir_mappings.to_findings import RecordReader
from fhir_mappings.to_findings.unknown_codes import Unknown, unknown_of
from service.assessment import assessment_of, note_of
from service.cards import Call, Situation, cards_to, matters, named_in_words, reads_drafts
from service.cards.card_ids import CardIds
from service.data_missing import missing_data, place_of
from service.decision import Decision, decide, gate_of
from service.errors import CannotDecide, DataMissing, Issue, rejection
from service.hook_request import HookRequest
from service.knowledge import Knowledge

# Signs the ids of cards for a Bundle. No service id holds a slash, so feedback rejects them.
_BUNDLE_SERVICE = "/evaluate"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:fasciculation-cds:evaluate")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result for one submission.

    Args:
        cards: CDS Hooks cards.
        assessment: The decision and its reasons as plain JSON; empty if it was not asked for.
        unknown: The codes that no value set has; None if the assessment was not asked for.
        gate: `Decision.gate`, or "no-matter" if nothing in the context is relevant.
        prefetch: As the hook call sent it; None without one.
    """

    submission: Submission
    decision: Decision
    cards: list[dict[str, Any]]
    assessment: dict[str, Any]
    gate: str
    unknown: Unknown | None = None
    prefetch: Prefetch | None = None

    @property
    def is_undecided(self) -> bool:
        """Whether there is no card only because a twitch could not be seen: no all clear.

        A twitch that words may record has a card that says so.
        """
        return self.gate in ("unseen", "unread") and not named_in_words(self.decision)

    def reject_if_undecided(self, fetch_failures: Mapping[str, str] | None = None) -> None:
        """Raise DataMissing if the answer to a hook would look like an all clear, and is none.

        Args:
            fetch_failures: Prefetch key -> why the client's FHIR server did not give that list.
        """
        if not self.is_undecided:
            return
        raise DataMissing(
            missing_data(self.submission, self.decision.record, self.prefetch, fetch_failures or {})
        )


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Evaluates Bundles and hook requests.

    Args:
        base_url: Where links in cards begin.
        card_secrets: The first signs the ids of cards; without one they are unsigned.
        shared_service_id: The id of all services, if they share one.
        smart_url: Launch URL of the form that cards link to; "" = no link.
    """

    knowledge: Knowledge
    base_url: str
    card_secrets: tuple[str, ...] = ()
    shared_service_id: str | None = None
    smart_url: str = ""

    def bundle(self, body: bytes, submission: Submission, as_of: date | None = None) -> Evaluation:
        """Evaluate the Bundle of that body, by default today.

        Raises:
            CannotDecide: The Bundle is not about one patient.
        """
        day = as_of or today()
        digest = hashlib.sha256(body).hexdigest()
        ids = CardIds(self.card_secrets, _BUNDLE_SERVICE)
        # A Bundle has no hook instance: the same one on the same day gives the same ids of cards.
        hook_instance = str(uuid.uuid5(_NAMESPACE, f"{day}\n{digest}"))
        try:
            return self.evaluate(submission, day, hook_instance=hook_instance, ids=ids)
        except PatientError as error:
            place = "Bundle.entry.resource.ofType(Patient)"
            invalid = [
                Issue("structure", f"An entry could not be read: {note.why}.", place_of(note))
                for note in at_most(error.notes)
            ]
            raise CannotDecide([Issue("business-rule", str(error), place), *invalid]) from None

    def hook_request(
        self,
        request: HookRequest,
        as_of: date | None = None,
        *,
        fetched: Mapping[str, Fetched] | None = None,
        assessed: bool = True,
    ) -> Evaluation:
        """Evaluate a hook request, by default on the day that it names, or today.

        Args:
            fetched: Lists from the client's FHIR server, by prefetch key.
            assessed: Whether the assessment is needed.

        Raises:
            RequestError: The context is not what the hook needs.
        """
        evaluation = self.evaluate(
            request.submission(fetched),
            as_of or request.as_of or today(),
            hook_instance=request.members["hookInstance"],
            encounter_id=request.encounter_id,
            user=request.user,
            cards=request.service["cards"],
            ids=CardIds(self.card_secrets, self.service_id(request)),
            assessed=assessed,
        )
        if assessed:
            # They are of the call and not of the record: no card counts them.
            evaluation.assessment["notUnderstood"] += map(note_of, request.notes())
        return replace(evaluation, prefetch=request.received.prefetch)

    def service_id(self, request: HookRequest) -> str:
        """The id of the service that answers the request."""
        service_id: str = self.shared_service_id or request.service["id"]
        return service_id

    def evaluate(
        self,
        submission: Submission,
        as_of: date,
        *,
        hook_instance: str,
        encounter_id: str | None = None,
        user: str | None = None,
        cards: str = "work-up",
        ids: CardIds | None = None,
        assessed: bool = True,
    ) -> Evaluation:
        """Evaluate a submission: the one place where mapping, decision, cards and assessment meet.

        Args:
            user: Reference of the user of a hook call.
            cards: The kind of cards, from hooks.yaml.
            ids: Makes the ids of cards; unsigned by default.

        Raises:
            PatientError: The submission is not about one patient.
        """
        knowledge = self.knowledge

        def decided(reader: RecordReader) -> Decision:
            """By conditions and findings alone where they close the gate and nobody asks for more."""
            record = reader.findings()
            if assessed or reads_drafts(cards) or not gate_of(record, knowledge.table):
                record = reader.record()
            return decide(record, knowledge.table)

        def before() -> Decision:
            return decided(read(without_context(submission)))

        read = partial(
            RecordReader, terminology=knowledge.terminology, as_of=as_of, reading=knowledge.reading
        )
        reader = read(submission)
        decision = decided(reader)
        call = Call(
            hook_instance,
            self.base_url,
            subject_of(decision.record.patient),
            encounter_id,
            ids or CardIds(),
            knowledge.version,
            user=user,
            smart_url=self.smart_url,
        )
        situation = Situation(decision, cache(before), knowledge, call)
        found = cards_to(cards, situation)
        # It takes another look at every resource: only the assessment pays for it.
        unknown = unknown_of(reader.entries, knowledge.terminology) if assessed else None
        return Evaluation(
            submission,
            decision,
            found,
            {} if unknown is None else assessment_of(decision, knowledge, unknown),
            # An urgent action has a card whatever the context brings.
            decision.gate if found or matters(cards, situation) else "no-matter",
            unknown,
        )


def subject_of(patient: Patient) -> str | None:
    """How a resource about that patient refers to it."""
    return f"Patient/{patient.id}" if patient.id else patient.reference


def read_bundle(body: bytes) -> Submission:
    """The entries of a Bundle. Raises RequestError if the body is none."""
    try:
        return decode_bundle(body)
    except InvalidBody as error:
        raise rejection(error) from None


def today() -> date:
    """Today in UTC."""
    return datetime.now(UTC).date()
