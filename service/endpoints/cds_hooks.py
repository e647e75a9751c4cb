"""CDS Hooks: discovery, and the hook calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, cast

from flask import Blueprint, Response, request
from marshmallow import ValidationError

from fhir_mappings.context import with_context
from fhir_mappings.envelope import (
    HookCall,
    decode_call,
    lists_to_fetch,
    submission_of_prefetch,
)
from fhir_mappings.json_objects import UnreadableBody
from fhir_mappings.located import Submission
from schemas import contexts
from schemas.cds_hooks import EXTENSION, RequestSchema
from service.card_ids import CardIds
from service.config import INDICATORS, Config
from service.endpoints.answers import flattened, json_answer
from service.endpoints.authentication import caller
from service.endpoints.bodies import body_of
from service.endpoints.request_log import tell_decision
from service.errors import DataMissing, Issue, NotFound, RequestError
from service.fhir_server import FhirServers, Had, Wanted, template_of
from service.knowledge import Knowledge
from service.metrics import Metrics
from service.pipeline import Answer, answer


def today() -> date:
    """Today in UTC: the only clock of the service."""
    return datetime.now(UTC).date()


def shown(cards: list[dict[str, Any]], config: Config) -> list[dict[str, Any]]:
    """The cards that this site wants to see."""
    if config.silent:
        return []
    lowest = INDICATORS.index(config.min_indicator)
    return [card for card in cards if INDICATORS.index(card["indicator"]) >= lowest]


def cds_hooks(config: Config, knowledge: Knowledge, servers: FhirServers, metrics: Metrics) -> Blueprint:
    """GET /cds-services and POST /cds-services/{id}."""
    blueprint = Blueprint("cds_hooks", __name__)
    services = [
        {**hook, "id": config.shared_service_id or hook["id"]}
        for hook in ({name: hook[name] for name in hook if name != "cards"} for hook in knowledge.hooks)
    ]
    # Built once: every client asks for it, and it never changes while the service runs.
    discovery = json.dumps({"services": services}, ensure_ascii=False).encode()
    hooks_of: dict[str, set[str]] = {}
    for service in services:
        hooks_of.setdefault(service["id"], set()).add(service["hook"])
    entries = {hook["hook"]: hook for hook in knowledge.hooks}

    @blueprint.get("/cds-services")
    def discover() -> Response:
        return Response(discovery, mimetype="application/json")

    @blueprint.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        if service_id not in hooks_of:
            raise NotFound([Issue("not-found", "No such service: see GET /cds-services.", "http.url")])
        received = read_call(body_of(request))
        members = checked_members(received.members, hooks_of[service_id])
        options = (members.get("extension") or {}).get(EXTENSION) or {}
        as_of = date.fromisoformat(options["asOf"]) if options.get("asOf") else today()
        entry, context = entries[members["hook"]], members["context"]
        asked = config.fhir_servers and members.get("fhirServer")
        had = _had(servers, received, entry["prefetch"], context, metrics) if asked else Had()
        submission = submission_of_call(received, entry, context, had)
        answered = answer(
            submission,
            knowledge,
            as_of,
            base_url=config.public_base_url,
            hook_instance=members["hookInstance"],
            encounter_id=context.get("encounterId"),
            cards=entry["cards"],
            ids=CardIds(config.card_secrets, service_id),
        )
        cards = shown(answered.cards, config)
        tell_decision(metrics, entry["hook"], answered, cards, len(submission.entries))
        _gate(answered, had)
        content: dict[str, Any] = {"cards": cards}
        if options.get("assessment") is True:
            content["extension"] = {EXTENSION: {"assessment": answered.assessment}}
        return json_answer(content)

    return blueprint


def _had(
    servers: FhirServers,
    received: HookCall,
    templates: Mapping[str, str],
    context: Mapping[str, Any],
    metrics: Metrics,
) -> Had:
    """What the caller's FHIR server gives of the lists that were not sent whole."""
    filled = {key: template_of(text, context) for key, text in templates.items()}
    lacking = lists_to_fetch(received.prefetch, templates)
    who = caller()
    wanted = {
        key: Wanted(template, lacking[key]) for key, template in filled.items() if template and key in lacking
    }
    had = servers.lists(
        received.members,
        context["patientId"].removeprefix("Patient/"),
        wanted,
        who.issuer.fhir_servers if who else None,
    )
    for key in wanted:
        metrics.fetched(key, had.why.get(key))
    return had


def read_call(body: bytes) -> HookCall:
    """The body as a call. Raises RequestError."""
    try:
        return decode_call(body)
    except UnreadableBody as error:
        issues = [Issue(p.code, p.diagnostics, p.expression) for p in error.problems]
        raise RequestError(issues, error.status) from None


def submission_of_call(
    received: HookCall, entry: Mapping[str, Any], context: Mapping[str, Any], had: Had
) -> Submission:
    """The prefetch with what was fetched, and what the context of that hook brings."""
    hook = entry["hook"]
    submission = submission_of_prefetch(received.prefetch, context["patientId"], entry["prefetch"], had.lists)
    selects = contexts.CONTEXTS[hook].selects
    selections = context[selects] if selects else None
    try:
        return with_context(submission, received.context, contexts.bundles_of(hook), selections)
    except UnreadableBody as error:
        raise RequestError([Issue(p.code, p.diagnostics, p.expression) for p in error.problems]) from None


def checked_members(members: dict[str, Any], hooks: set[str]) -> dict[str, Any]:
    """The members of a call, whole and of the right hook; all that is wrong at once."""
    issues: list[Issue] = []
    hook = members.get("hook")
    if isinstance(hook, str) and hook not in hooks:
        issues.append(
            Issue("value", f"This service answers {', '.join(sorted(hooks))}, not this hook.", "hook")
        )
    try:
        loaded = cast(dict[str, Any], RequestSchema().load(members))
    except ValidationError as error:
        issues += flattened(error.normalized_messages())
        loaded = {}
    if issues:
        raise RequestError(issues)
    return loaded


def _gate(answered: Answer, had: Had) -> None:
    """Raises DataMissing where an empty answer would look like an all clear, and is none."""
    if answered.gate not in ("unseen", "unread"):
        return
    missing = [key for key in ("conditions", "findings") if key in answered.assessment["notSeen"]]
    unseen = [
        Issue(
            "required",
            f"No twitch was found, and {key} were not seen: send prefetch.{key}."
            + (f" fhirServer did not give them: {had.why[key]}." if key in had.why else ""),
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
