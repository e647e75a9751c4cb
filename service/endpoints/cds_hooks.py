"""CDS Hooks: discovery, and the hook calls."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, request

from fhir_mappings.request.bundles import lists_to_fetch
from schemas.hooks import EXTENSION
from service.config import Config
from service.endpoints.authentication import caller
from service.endpoints.bodies import body_of
from service.endpoints.middleware import log_evaluation
from service.endpoints.responses import json_answer, shown_cards
from service.errors import Issue, NotFound
from service.evaluation import Evaluator
from service.fhir_client import FhirServers, Had, Wanted, template_of
from service.hook_request import HookRequest, read_hook_request
from service.metrics import Metrics


def cds_hooks(config: Config, evaluator: Evaluator, servers: FhirServers, metrics: Metrics) -> Blueprint:
    """GET /cds-services and POST /cds-services/{id}."""
    blueprint = Blueprint("cds_hooks", __name__)
    # Service id -> hook -> its entry in hooks.yaml.
    services: dict[str, dict[str, Any]] = {}
    listed = []
    for hook in evaluator.knowledge.hooks:
        service_id = config.shared_service_id or hook["id"]
        services.setdefault(service_id, {})[hook["hook"]] = hook
        listed.append({**{name: hook[name] for name in hook if name != "cards"}, "id": service_id})
    discovery = json.dumps({"services": listed}, ensure_ascii=False).encode()

    @blueprint.get("/cds-services")
    def discover() -> Response:
        return Response(discovery, mimetype="application/json")

    @blueprint.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        if service_id not in services:
            raise NotFound([Issue("not-found", "No such service: see GET /cds-services.", "http.url")])
        hook = read_hook_request(body_of(request), services[service_id])
        may_fetch = config.fhir_servers and hook.fhir_server
        fetched = _fetched(servers, hook, metrics) if may_fetch else Had()
        assessed = hook.options.get("assessment") is True
        evaluation = evaluator.hook_request(hook, fetched=fetched.lists, assessed=assessed)
        cards = shown_cards(evaluation.cards, config)
        log_evaluation(metrics, hook.members["hook"], evaluation, cards)
        if evaluation.is_undecided:
            evaluation.reject_if_undecided(fetched.why or _not_asked(config, hook))
        content: dict[str, Any] = {"cards": cards}
        if assessed:
            content["extension"] = {EXTENSION: {"assessment": evaluation.assessment}}
        return json_answer(content)

    return blueprint


def _not_asked(config: Config, hook: HookRequest) -> dict[str, str]:
    """Prefetch key -> why no list was fetched, where one end is ready for it."""
    if bool(config.fhir_servers) == bool(hook.fhir_server):
        return {}
    return dict.fromkeys(hook.service["prefetch"], "fetching-off" if hook.fhir_server else "no-server")


def _fetched(servers: FhirServers, hook: HookRequest, metrics: Metrics) -> Had:
    """The lists that the client did not send whole, from its own FHIR server."""
    templates = hook.service["prefetch"]
    filled = {
        key: template_of(text, {**hook.context, "patientId": hook.patient_id})
        for key, text in templates.items()
    }
    lacking = lists_to_fetch(hook.received.prefetch, templates)
    wanted = {
        key: Wanted(template, lacking[key]) for key, template in filled.items() if template and key in lacking
    }
    client = caller()
    fetched = servers.lists(
        {**hook.members, "fhirServer": hook.fhir_server},
        hook.patient_id,
        wanted,
        client.issuer.fhir_servers if client else None,
    )
    for key in wanted:
        metrics.fetched(key, fetched.why.get(key))
    return fetched
