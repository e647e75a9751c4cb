"""CDS Hooks: discovery, and the hook calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from flask import Blueprint, Response, request

from fhir_mappings.request.bundles import lists_to_fetch
from fhir_mappings.request.hook_call import HookCall
from schemas.hooks import EXTENSION
from service.cards.card_ids import CardIds
from service.config import INDICATORS, Config
from service.endpoints.authentication import caller
from service.endpoints.bodies import body_of
from service.endpoints.request_log import tell_decision
from service.endpoints.responses import json_answer
from service.errors import Issue, NotFound
from service.evaluation import answer
from service.fhir_client import FhirServers, Had, Wanted, template_of
from service.hook_request import checked_members, options_of, read_call, refuse_unseen, submission_of_call
from service.knowledge import Knowledge
from service.metrics import Metrics


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
        options = options_of(members)
        as_of = date.fromisoformat(options["asOf"]) if options.get("asOf") else today()
        entry, context = entries[members["hook"]], members["context"]
        asked = config.fhir_servers and members.get("fhirServer")
        had = _had(servers, received, entry["prefetch"], context, metrics) if asked else Had()
        submission = submission_of_call(received, entry, context, had.lists)
        answered = answer(
            submission,
            knowledge,
            as_of,
            base_url=config.public_base_url,
            hook_instance=members["hookInstance"],
            encounter_id=context.get("encounterId"),
            cards=entry["cards"],
            ids=CardIds(config.card_secrets, service_id),
            assessed=options.get("assessment") is True,
        )
        cards = shown(answered.cards, config)
        tell_decision(metrics, entry["hook"], answered, cards, len(submission.entries))
        refuse_unseen(answered, had.why)
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
