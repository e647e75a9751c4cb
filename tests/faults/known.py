"""Calls about known patients, each with the very bytes that must come back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.app import create_app
from service.config import Config
from service.knowledge import Knowledge
from tests.contract.requests import DAY, SERVICE
from tests.vignettes.dialects import DIALECTS
from tests.vignettes.patient import PEOPLE


@dataclass(frozen=True)
class Known:
    """answer: as bytes; cards: the same, read."""

    path: str
    body: bytes
    answer: bytes

    @property
    def cards(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.answer)["cards"]
        return found


class Answers:
    """What an application of this process answers under those settings: no worker, no proxy, no fault."""

    def __init__(self, knowledge: Knowledge, base_url: str, card_secret: str) -> None:
        config = Config(public_base_url=base_url, card_secrets=(card_secret,))
        self._client = create_app(config, knowledge).test_client()

    def known(self, content: Mapping[str, Any], answered_as: Mapping[str, Any] | None = None) -> Known:
        """That call; answered_as: the call whose answer it must get, if that is another one."""
        answer = self._client.post(SERVICE, json=answered_as or content)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return Known(SERVICE, json.dumps(content).encode(), answer.get_data())

    def people(self) -> list[Known]:
        """One call for each of the test patients, whose answer is the level that a clinician expects."""
        calls = []
        for person in PEOPLE:
            made = self.known(
                {
                    "hook": "patient-view",
                    "hookInstance": str(uuid.uuid5(uuid.NAMESPACE_URL, person.id)),
                    "context": {"userId": "Practitioner/1", "patientId": person.id},
                    "prefetch": DIALECTS["prefetch"](person),
                    "extension": {"org.fasciculation-cds": {"asOf": DAY}},
                }
            )
            levels = [card["indicator"] for card in made.cards]
            assert levels == [] if person.expected.silent else levels[0] in person.expected.levels, person.id
            calls.append(made)
        return calls
