"""A hook request: its body checked, and its prefetch and context as a submission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fhir_mappings.request.bundles import Fetched, submission_of_prefetch
from fhir_mappings.request.hook_call import HookCall, decode_call, with_context
from fhir_mappings.request.json_body import InvalidBody
from fhir_mappings.resources.submission import Submission
from schemas import hooks as hook_schemas
from schemas.hooks import EXTENSION, checked_request
from service.errors import Issue, RequestError, issues_of, rejection


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
    def options(self) -> Mapping[str, Any]:
        """The members of our own extension."""
        return (self.members.get("extension") or {}).get(EXTENSION) or {}

    @property
    def as_of(self) -> date | None:
        """The day of the decision, if the request names one."""
        day = self.options.get("asOf")
        return date.fromisoformat(day) if day else None

    def submission(self, fetched: Mapping[str, Fetched] | None = None) -> Submission:
        """The prefetch, completed by the lists that were fetched, and the resources of the context.

        Raises:
            RequestError: A member of the context that must be a Bundle is none.
        """
        prefetch, hook = self.received.prefetch, self.service["hook"]
        submission = submission_of_prefetch(
            prefetch, self.context["patientId"], self.service["prefetch"], fetched
        )
        selects = hook_schemas.CONTEXTS[hook].selects
        selections = self.context[selects] if selects else None
        try:
            return with_context(submission, self.received.context, hook_schemas.bundles_of(hook), selections)
        except InvalidBody as error:
            raise rejection(error, 400) from None


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
    issues: list[Issue] = []
    hook = received.members.get("hook")
    if isinstance(hook, str) and hook not in services:
        answered = ", ".join(sorted(services))
        issues.append(Issue("value", f"This service answers {answered}, not this hook.", "hook"))
    members, messages = checked_request(received.members)
    issues += issues_of(messages)
    if issues:
        raise RequestError(issues)
    return HookRequest(received, services[members["hook"]], members)
