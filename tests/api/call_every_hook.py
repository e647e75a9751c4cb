"""Call each hook by the client that openapi-python-client generated. Runs in that tool's own environment.

python call_every_hook.py ADDRESS < {operationId: body, ...}

The package `generated` is on PYTHONPATH. Prints {operationId: [indicator of each card]}.
"""

import importlib
import json
import sys
from typing import Any

import generated
from generated import models


def cards(address: str, operation: str, body: dict[str, Any]) -> list[str]:
    """The indicators of the cards, read by the classes of the client.

    Args:
        operation: such as "fasciculation-patient-view".
    """
    module = importlib.import_module(f"generated.api.cds_hooks.{operation.replace('-', '_')}")
    request = "".join(part.title() for part in operation.split("-")[1:]) + "Request"
    response = module.sync_detailed(
        client=generated.Client(base_url=address), body=getattr(models, request).from_dict(body)
    )
    assert response.status_code == 200, response.content
    assert isinstance(response.parsed, models.HookAnswer)
    assert all(isinstance(card, models.Card) for card in response.parsed.cards)
    return [str(card.indicator.value) for card in response.parsed.cards]


if __name__ == "__main__":
    json.dump(
        {name: cards(sys.argv[1], name, body) for name, body in json.load(sys.stdin).items()}, sys.stdout
    )
