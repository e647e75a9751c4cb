"""HealthChain with three small rules, built around its adapter as its documentation does."""

import os
from typing import Any

import uvicorn
from healthchain.gateway import CDSHooksService, HealthChainAPI
from healthchain.io import CdsFhirAdapter
from healthchain.models import Card, CDSRequest, CDSResponse

SNOMED = "http://snomed.info/sct"
# The codes that the rules look for come from the knowledge of the service: see tools/bench/contenders.py.
TWITCH, WEAKNESS = os.environ["TWITCH"], os.environ["WEAKNESS"]

adapter = CdsFhirAdapter(hook_name="patient-view")
hooks = CDSHooksService()


@hooks.hook("patient-view", id="three-rules")
def three_rules(request: CDSRequest) -> CDSResponse:
    document = adapter.parse(request)
    found = document.fhir.prefetch_resources
    conditions, findings = _of(found, "conditions"), _of(found, "findings")
    cards = []
    if any(_has(one, TWITCH) for one in conditions):
        cards.append(_card("Muscle twitching is on the problem list.", "info"))
    if any(_has(one, WEAKNESS) and getattr(one, "valueBoolean", None) for one in findings):
        cards.append(_card("Weakness was found: consider EMG and nerve conduction studies.", "warning"))
    if len(_of(found, "medications")) > 4:
        cards.append(_card("More than four prescriptions: consider a medication review.", "info"))
    document.cds.cards = cards
    return adapter.format(document)


def _of(found: dict[str, Any], key: str) -> list[Any]:
    bundle = found.get(key)
    return [entry.resource for entry in (bundle.entry or ())] if bundle is not None else []


def _has(resource: Any, code: str) -> bool:
    codings = resource.code.coding or () if resource.code else ()
    return any(coding.system == SNOMED and coding.code == code for coding in codings)


def _card(summary: str, indicator: str) -> Card:
    return Card(summary=summary, indicator=indicator, source={"label": "three rules"})


app = HealthChainAPI(title="Three rules")
app.register_service(hooks)

if __name__ == "__main__":
    uvicorn.run(
        "three_rules:app",
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        workers=int(os.environ["WEB_CONCURRENCY"]),
        log_level="warning",
    )
