"""What holds of every answer to a mutated request, and one run of many of them."""

from __future__ import annotations

import json
import logging
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Flask
from werkzeug.test import TestResponse

from service.app import create_app
from service.config import Config
from service.feedback.upgrade import upgrade
from service.knowledge import Knowledge
from tests.fuzz.mutations import CANARY, Change, changed, drawn
from tests.fuzz.seeds import Seed, feedback_seeds, seeds
from tools.openapi.answers import HookAnswerSchema, OperationOutcomeSchema

STATUSES = frozenset((200, 400, 412, 413, 415, 421, 422))
# Of what was sent, nothing may stand in a card like this: it would be markup or a link there.
ALIVE = (
    "<img", "<script", "<iframe", "](javascript:", "](https://evil", "https://evil", "www.evil", "**bold**",
    "\u202e", "\u2066", "\x00", "\x1b", "\n# head", "`code`", "a@evil",
)  # fmt: skip
_answer, _outcome = HookAnswerSchema(), OperationOutcomeSchema()


@dataclass(frozen=True)
class Failure:
    """A request that broke a property: how to make it again, and the fewest changes that still do."""

    seed: int
    index: int
    name: str
    changes: tuple[Change, ...]
    problem: str

    def __str__(self) -> str:
        listed = "\n".join(f"    {change}" for change in self.changes)
        return f"seed {self.seed} index {self.index} ({self.name}): {self.problem}\n{listed}"


class Log(logging.Handler):
    """Everything that is logged, as it would be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter().format(record))


def problem_of(response: TestResponse, log: Sequence[str]) -> str | None:
    """What is wrong with an answer; None if nothing is."""
    logged = "\n".join(log)
    if CANARY in logged or "forged line" in logged:
        return "something of the request is in the log"
    if response.status_code not in STATUSES:
        return f"status {response.status_code}; log: {logged}"
    text = response.get_data(as_text=True)
    try:
        content = json.loads(text)
    except ValueError:
        return "the answer is not JSON"
    if response.status_code != 200:
        if response.mimetype != "application/fhir+json" or _outcome.validate(content):
            return f"{response.status_code} without an OperationOutcome"
        return "an error repeats the request" if CANARY in text else None
    if "NaN" in text or "Infinity" in text:
        return "a number that JSON does not have"
    # Feedback that was kept is answered by an empty object.
    return _problem_of_cards(content) if content else None


def _problem_of_cards(content: dict[str, Any]) -> str | None:
    wrong = _answer.validate({"cards": content["cards"]})
    if wrong:
        return f"a card does not fit its schema: {wrong}"
    for card in content["cards"]:
        shown = card["summary"] + card["detail"]
        alive = [mark for mark in ALIVE if mark in shown]
        if alive:
            return f"what was sent is alive in a card: {alive}"
    return None


def _headers(beside: Sequence[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in beside if name[0].isupper() and name != CANARY}


def _query(path: str, beside: Sequence[tuple[str, str]]) -> str:
    given = {name: value for name, value in beside if name not in _headers(beside)}
    address, _, query = path.partition("?")
    return f"{address}?{urlencode({**dict(parse_qsl(query)), **given})}" if given else path


def app_for(knowledge: Knowledge, folder: Path) -> Flask:
    """A service with a store of feedback in that folder."""
    store = f"sqlite:///{folder / 'feedback.sqlite3'}"
    upgrade(store)
    config = Config(
        public_base_url="https://cds.example",
        card_secrets=("only-for-mutated-requests-and-long-enough",),
        feedback_db=store,
    )
    return create_app(config, knowledge)


class Fuzz:
    """The service under fire. Requests are numbered: the same seed and index make the same request."""

    def __init__(self, app: Flask, knowledge: Knowledge, seed: int) -> None:
        self.client, self.seed = app.test_client(), seed
        asked = seeds(knowledge)
        self.seeds = (*asked, *feedback_seeds(self.client, asked))
        self.statuses: Counter[int] = Counter()
        self.log = Log()

    def request(self, index: int) -> tuple[Seed, tuple[Change, ...]]:
        number = random.Random(f"{self.seed}-{index}")
        chosen = number.choice(self.seeds)
        return chosen, tuple(drawn(chosen.body, number))

    def failure(self, index: int) -> Failure | None:
        """What is wrong with the answer to that request, with the fewest of its changes that show it."""
        chosen, changes = self.request(index)
        problem = self.problem(chosen, changes, count=True)
        if problem is None:
            return None
        for change in changes:
            fewer = tuple(one for one in changes if one is not change)
            still = self.problem(chosen, fewer)
            if still is not None:
                changes, problem = fewer, still
        return Failure(self.seed, index, chosen.name, changes, problem)

    def problem(self, chosen: Seed, changes: Sequence[Change], *, count: bool = False) -> str | None:
        beside = [change.value for change in changes if change.kind == "beside"]
        self.log.lines.clear()
        root = logging.getLogger()
        root.addHandler(self.log)
        try:
            response = self.client.open(
                _query(chosen.path, beside),
                method="POST",
                data=changed(chosen.body, changes),
                headers={"Content-Type": "application/json", **_headers(beside)},
            )
        finally:
            root.removeHandler(self.log)
        if count:
            self.statuses[response.status_code] += 1
        return problem_of(response, self.log.lines)
