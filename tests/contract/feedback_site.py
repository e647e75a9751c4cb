"""A site that keeps feedback, its clock, and what clients send about one card of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from service.app import create_app
from service.config import Config
from service.feedback import Store
from service.feedback.tables import ACCEPTED, FEEDBACK
from service.knowledge import Knowledge
from tests.contract.requests import SERVICE, hook_call

SECRET = "only-for-these-tests-and-long-enough"  # noqa: S105
PATH = SERVICE + "/feedback"
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Site:
    """client: of an application whose store is at url."""

    url: str
    knowledge: Knowledge
    clock: Clock = field(default_factory=Clock)
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settings = {"card_secrets": (SECRET,), "feedback_retention_days": 30, **self.settings}
        config = Config(public_base_url="https://cds.example", feedback_db=self.url, **settings)
        self.app = create_app(config, self.knowledge, clock=self.clock)
        self.client: FlaskClient = self.app.test_client()

    def card(self, **changes: Any) -> dict[str, Any]:
        answered = self.client.post(SERVICE, json=hook_call(**changes))
        assert answered.status_code == 200
        (card,) = answered.get_json()["cards"]
        return dict(card)

    def post(self, *items: Any, path: str = PATH) -> TestResponse:
        return self.client.post(path, json={"feedback": list(items)})

    def kept(self) -> list[Any]:
        return Store(self.url, 1).select(select(FEEDBACK).order_by(FEEDBACK.c.id))[0]

    def kept_suggestions(self) -> list[Any]:
        query = select(ACCEPTED).order_by(ACCEPTED.c.feedback, ACCEPTED.c.suggestion)
        return Store(self.url, 1).select(query)[0]


def accepted(card: dict[str, Any], /, *numbers: int, **changes: Any) -> dict[str, Any]:
    """An item that accepts those suggestions of the card; a member set to None is left out."""
    item = {
        "card": card["uuid"],
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": card["suggestions"][number]["uuid"]} for number in numbers or (0,)],
        "outcomeTimestamp": "2026-06-15T10:05:31Z",
        **changes,
    }
    return {name: value for name, value in item.items() if value is not None}


def overridden(card: dict[str, Any], /, **changes: Any) -> dict[str, Any]:
    return accepted(card, outcome="overridden", acceptedSuggestions=None) | changes


def places(answered: TestResponse, status: int = 400) -> list[str]:
    """Where a refusal says the faults are."""
    assert answered.status_code == status, answered.get_data(as_text=True)
    assert answered.mimetype == "application/fhir+json"
    issues = answered.get_json(force=True)["issue"]
    assert all(issue["severity"] == "error" and issue["diagnostics"] for issue in issues)
    return [issue.get("expression", [""])[0] for issue in issues]
