"""The floor: a Flask route that parses the whole body and answers a fixed card.

FHIR_MODELS=1 has the models of fhir.resources read every resource as well.

A service that decodes its body with orjson cannot cost less, whatever it decides.
"""

import os
from typing import Any

import orjson
from flask import Flask, Response, request

CARD = {
    "summary": "A card of a usual length, which says what was found and what is advised.",
    "indicator": "info",
    "source": {"label": "floor"},
}
ANSWER = orjson.dumps({"cards": [CARD]})
app = Flask(__name__)
if os.environ.get("FHIR_MODELS"):
    from fhir.resources.R4B import get_fhir_model_class
else:
    get_fhir_model_class = None


@app.post("/cds-services/<service_id>")
def call(service_id: str) -> Response:
    body = orjson.loads(request.get_data(cache=False))
    if get_fhir_model_class is not None:
        for resource in _resources(body["prefetch"]):
            get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    return Response(ANSWER, mimetype="application/json")


def _resources(prefetch: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for value in prefetch.values():
        if value and value["resourceType"] == "Bundle":
            found += [entry["resource"] for entry in value.get("entry", ())]
        elif value:
            found.append(value)
    return found
