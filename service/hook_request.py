"""A hook call, checked and read: what the endpoint and the command line do alike."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from fhir_mappings.request.bundles import Fetched, submission_of_prefetch
from fhir_mappings.request.hook_call import HookCall, decode_call, with_context
from fhir_mappings.request.json_body import UnreadableBody
from fhir_mappings.resources.submission import Submission
from schemas import contexts
from schemas.hooks import EXTENSION, checked_request
from service.errors import DataMissing, Issue, RequestError, flattened
from service.evaluation import Answer

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:fasciculation-cds:evaluate")
_NOTHING: Mapping[str, str] = {}


def instance_of(body: bytes, as_of: date) -> str:
    """A hook instance for a Bundle, which has none: the same on the same day gives the same ids of cards."""
    return str(uuid.uuid5(_NAMESPACE, f"{as_of}\n{hashlib.sha256(body).hexdigest()}"))


def read_call(body: bytes) -> HookCall:
    """Raises RequestError where the body is no object, or a member stands twice."""
    try:
        return decode_call(body)
    except UnreadableBody as error:
        raise RequestError(list(issues_of(error)), error.status) from None


def issues_of(error: UnreadableBody) -> Iterator[Issue]:
    for problem in error.problems:
        yield Issue(problem.code, problem.diagnostics, problem.expression)


def checked_members(members: dict[str, Any], hooks: Iterable[str]) -> dict[str, Any]:
    """The members of a call, whole and of one of those hooks. Raises RequestError with all that is wrong."""
    issues: list[Issue] = []
    hook = members.get("hook")
    if isinstance(hook, str) and hook not in hooks:
        says = f"This service answers {', '.join(sorted(hooks))}, not this hook."
        issues.append(Issue("value", says, "hook"))
    loaded, messages = checked_request(members)
    issues += flattened(messages)
    if issues:
        raise RequestError(issues)
    return loaded


def options_of(members: Mapping[str, Any]) -> Mapping[str, Any]:
    """Our own extension of a checked call."""
    options: Mapping[str, Any] = (members.get("extension") or {}).get(EXTENSION) or {}
    return options


def submission_of_call(
    received: HookCall,
    entry: Mapping[str, Any],
    context: Mapping[str, Any],
    fetched: Mapping[str, Fetched] | None = None,
) -> Submission:
    """The prefetch with what was fetched, and what the context of that hook brings. entry: of the hook.

    Raises RequestError where what the context must bring is no Bundle.
    """
    hook = entry["hook"]
    submission = submission_of_prefetch(received.prefetch, context["patientId"], entry["prefetch"], fetched)
    selects = contexts.CONTEXTS[hook].selects
    selections = context[selects] if selects else None
    try:
        return with_context(submission, received.context, contexts.bundles_of(hook), selections)
    except UnreadableBody as error:
        raise RequestError(list(issues_of(error))) from None


def refuse_unseen(answered: Answer, why: Mapping[str, str] = _NOTHING) -> None:
    """Raises DataMissing where an empty answer would look like an all clear, and is none.

    why: prefetch key -> why it was not had from the caller's FHIR server.
    """
    if answered.gate not in ("unseen", "unread"):
        return
    missing = [key for key in ("conditions", "findings") if key in answered.decision.record.not_seen]
    unseen = [
        Issue(
            "required",
            f"No twitch was found, and {key} were not seen: send prefetch.{key}."
            + (f" fhirServer did not give them: {why[key]}." if key in why else ""),
            f"prefetch.{key}",
        )
        for key in missing
    ]
    unread = [
        Issue(
            "structure",
            f"No twitch was found, and what may be a record of one could not be read ({note.why}):"
            " mend it, or leave it out.",
            note.expression or note.reference,
        )
        for note in answered.decision.record.unread
    ]
    raise DataMissing(unseen + unread)
