"""A hook request: its body checked, and its prefetch and context as a submission."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from fhir_mappings.record import Note
from fhir_mappings.request.bundles import Fetched, submission_of_prefetch
from fhir_mappings.request.hook_call import HookCall, decode_call, selections_of_nothing, with_context
from fhir_mappings.request.json_body import InvalidBody
from fhir_mappings.resources.references import patient_id_in, plain
from fhir_mappings.resources.submission import NEVER_MISSED, Submission, key_of
from fhir_mappings.to_fhir.actions import fillable
from schemas import hooks as hook_schemas
from schemas.hooks import checked_request, options_of
from service.data_missing import MAX_UNKNOWN, is_plain, unknown_keys
from service.errors import Issue, RequestError, issues_of, rejection

_NO_TEXT = "is no text, so it is not used"


@dataclass(frozen=True, slots=True)
class HookRequest:
    """A hook request without faults.

    Args:
        received: prefetch and context, still raw.
        service: the entry of the hook in hooks.yaml.
        members: all other members, as the schemas load them.
    """

    received: HookCall
    service: Mapping[str, Any]
    members: Mapping[str, Any]

    @property
    def context(self) -> Mapping[str, Any]:
        context: Mapping[str, Any] = self.members["context"]
        return context

    @property
    def patient_id(self) -> str:
        """The bare id of the patient, however the client writes it."""
        return patient_id_in(self.context["patientId"])

    @property
    def encounter_id(self) -> str | None:
        """The bare id of the encounter; None where the context names none."""
        sent = self.context.get("encounterId")
        name = str(sent) if _is_whole(sent) else plain(sent) if isinstance(sent, str) else ""
        return name.rpartition("/Encounter/")[2].removeprefix("Encounter/") or None

    @property
    def user(self) -> str | None:
        """Reference of the user; None where the context names none."""
        user = self.context.get("userId")
        return user.strip() if isinstance(user, str) else None

    @property
    def fhir_server(self) -> str | None:
        """The FHIR server of the client; None where the call names none."""
        server = self.members.get("fhirServer")
        return server if isinstance(server, str) else None

    @property
    def options(self) -> Mapping[str, Any]:
        """The members of our own extension."""
        return options_of(self.members) or {}

    @property
    def as_of(self) -> date | None:
        """The day of the decision, if the request names one."""
        day = self.options.get("asOf")
        return date.fromisoformat(day) if day else None

    def notes(self) -> list[Note]:
        """Members that are missing or of another form and lose no card, and unknown prefetch keys."""
        keys = (
            Note(place, why, place if place != "prefetch" else None)
            for place, why in unknown_keys(self.received.prefetch, self.patient_id)
        )
        ignored = [*_ignored_members(self), *_unknown_options(self), *self._selections_of_nothing()]
        return [*ignored, *keys]

    def submission(self, fetched: Mapping[str, Fetched] | None = None) -> Submission:
        """The prefetch, completed by the lists that were fetched, and the resources of the context.

        Raises:
            RequestError: A member of the context that must be a Bundle is none.
        """
        keys = self.service["prefetch"]
        submission = submission_of_prefetch(self.received.prefetch, self.patient_id, keys, fetched)
        patients = [e for e in submission.entries if e.preview is not None and e.preview.kind == "Patient"]
        if patients and all(entry.id and entry.id != self.patient_id for entry in patients):
            # The lists may have been searched for that other patient: an empty one says nothing.
            filled = {key_of(entry.expression) for entry in submission.entries} | set(submission.not_seen)
            empty = tuple(key for key in keys if key not in filled | NEVER_MISSED)
            submission = replace(submission, not_seen=(*submission.not_seen, *empty))
        try:
            return self._with_context(submission)
        except InvalidBody as error:
            raise rejection(error, 400) from None

    def _with_context(self, submission: Submission) -> Submission:
        return with_context(submission, self.received.context, self._bundles, self._selections)

    @property
    def _bundles(self) -> Mapping[str, bool]:
        return hook_schemas.bundles_of(self.service["hook"])

    @property
    def _selections(self) -> list[str] | None:
        selects = hook_schemas.CONTEXTS[self.service["hook"]].selects
        return self.context[selects] if selects else None

    def _selections_of_nothing(self) -> tuple[Note, ...]:
        return selections_of_nothing(self.received.context, self._bundles, self._selections or ())


def _ignored_members(request: HookRequest) -> Iterator[Note]:
    members, context = request.members, request.context
    user, encounter = context.get("userId"), context.get("encounterId")
    if user is None or user == "":
        yield Note("context", "is missing: orders of the card name no requester", "context.userId")
    elif not isinstance(user, str):
        yield Note("context", _NO_TEXT, "context.userId")
    elif ":" in user or not fillable(user.strip()):
        yield Note("context", "is no reference such as Practitioner/1: it is not used", "context.userId")
    if encounter is None and members["hook"] == "encounter-discharge":
        yield Note("context", "is missing: orders of the card name no encounter", "context.encounterId")
    elif encounter is not None and not isinstance(encounter, str) and not _is_whole(encounter):
        yield Note("context", _NO_TEXT, "context.encounterId")
    elif (name := request.encounter_id) and not fillable(f"Encounter/{name}"):
        yield Note("context", "is no id of an encounter, so it is not used", "context.encounterId")
    server, granted, extension = (members.get(k) for k in ("fhirServer", "fhirAuthorization", "extension"))
    if server is not None and not isinstance(server, str):
        yield Note("fhirServer", _NO_TEXT, "fhirServer")
    if granted is not None and not isinstance(granted, dict):
        yield Note("fhirAuthorization", "is no object, so it is not used", "fhirAuthorization")
    if isinstance(extension, list) and extension:
        yield Note("extension", "is no object, so no option of it is used", "extension")


def _unknown_options(request: HookRequest) -> Iterator[Note]:
    """A misspelt asOf would decide on another day."""
    known = hook_schemas.OPTIONS
    unknown = [name for name in request.options if name not in known]
    for name in unknown[:MAX_UNKNOWN]:
        place = f"extension.{hook_schemas.EXTENSION}"
        place += f".{name}" if is_plain(name, request.patient_id) else ""
        yield Note("extension", f"is no option of this service (they are {', '.join(known)})", place)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def read_hook_request(body: bytes, services: Mapping[str, Mapping[str, Any]]) -> HookRequest:
    """The request in that body.

    Args:
        services: Hook -> its entry in hooks.yaml, for each hook that is answered.

    Raises:
        RequestError: With every fault of the request.
    """
    try:
        received = decode_call(body)
    except InvalidBody as error:
        raise rejection(error) from None
    return checked_hook_request(received, services)


def checked_hook_request(received: HookCall, services: Mapping[str, Mapping[str, Any]]) -> HookRequest:
    """The request, its members checked. Raises RequestError with every fault of them."""
    issues = [Issue(found.code, found.diagnostics, found.expression) for found in received.problems]
    unread = {issue.expression for issue in issues}
    hook = received.members.get("hook")
    if isinstance(hook, str) and hook not in services:
        answered = ", ".join(sorted(services))
        issues.append(Issue("value", f"This service answers {answered}, not this hook.", "hook"))
    if hook is None and "resourceType" in received.members:
        said = "The body is a FHIR resource, not a CDS Hooks request: post a Bundle to /evaluate."
        issues.append(Issue("structure", said, "resourceType"))
    members, messages = checked_request(received.members)
    # A member that could not be read is not missing.
    issues += [issue for issue in issues_of(messages) if issue.expression not in unread]
    if issues:
        raise RequestError([*issues, *_faults_of_context(received, issues)])
    return HookRequest(received, services[members["hook"]], members)


def _faults_of_context(received: HookCall, issues: list[Issue]) -> Iterator[Issue]:
    """Of a request that is rejected: what else is wrong with the Bundles of its context."""
    hook = received.members.get("hook")
    if not isinstance(hook, str) or hook not in hook_schemas.CONTEXTS:
        return
    for member, draft in hook_schemas.bundles_of(hook).items():
        place = f"context.{member}"
        if member in received.context and not any(
            (issue.expression or "").startswith(place) for issue in issues
        ):
            try:
                with_context(Submission(), received.context, {member: draft})
            except InvalidBody as error:
                yield from rejection(error).issues
