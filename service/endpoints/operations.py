"""Liveness, readiness, metrics, the API description."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

from flask import Blueprint, Response

from service.endpoints.responses import json_answer
from service.feedback import Store
from service.health_check import HealthCheck
from service.knowledge import Knowledge
from service.knowledge.loading import load_yaml
from service.knowledge.page_contents import site_in_answers
from service.metrics import Metrics
from service.package_files import shipped

if TYPE_CHECKING:
    from service.authentication.tokens import Callers

# The default format of Prometheus.
EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"
# Answered for any Host: probes and proxies name the replica as they know it.
PROBES = frozenset(("/healthz", "/readyz", "/metrics"))
OPENAPI = shipped("openapi.yaml")


@cache
def _openapi_json() -> bytes:
    return json.dumps(load_yaml(OPENAPI), default=str).encode()


def operations(
    knowledge: Knowledge, store: Store, callers: Callers | None, metrics: Metrics, version: str
) -> Blueprint:
    """GET /healthz, /readyz, /metrics, /openapi.yaml and /openapi.json."""
    blueprint = Blueprint("operations", __name__)
    text = OPENAPI.read_bytes()

    stores = {"feedback": store.state_soon}
    if callers is not None:
        # Probes ask every worker of every replica every few seconds.
        stores["usedTokens"] = HealthCheck(callers.used_tokens.state, max_age_s=1.0)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return json_answer({"status": "ok"})

    @blueprint.get("/readyz")
    def readyz() -> Response:
        return json_answer(
            {
                "status": "ready",
                "version": version,
                "knowledgeVersion": knowledge.version,
                "rows": len(knowledge.table.rows),
                **site_in_answers(knowledge),
                # A store that is down does not make the replica unready: the others share it.
                **{name: state() for name, state in stores.items()},
            }
        )

    @blueprint.get("/metrics")
    def prometheus() -> Response:
        facts = {"version": version, "knowledge_version": knowledge.version}
        exposition = metrics.exposition(facts, {name: state() == "ok" for name, state in stores.items()})
        return Response(exposition, content_type=EXPOSITION)

    @blueprint.get("/openapi.yaml")
    def openapi_yaml() -> Response:
        return Response(text, mimetype="application/yaml")

    @blueprint.get("/openapi.json")
    def openapi_json() -> Response:
        return Response(_openapi_json(), mimetype="application/json")

    return blueprint
