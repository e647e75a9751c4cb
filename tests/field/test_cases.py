"""Situations that public bug reports describe, on invented patients: each has one right answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

CASES = {case["id"]: case for case in json.loads(Path(__file__).with_name("cases.json").read_text())}
EXTENSION = "org.fasciculation-cds"


@dataclass(frozen=True)
class Answer:
    """What a client sees; the members of the assessment are empty where there is none."""

    status: int
    cards: list[dict[str, Any]]
    assessment: dict[str, Any]

    @property
    def rows(self) -> set[str]:
        return {row["id"] for row in self.assessment.get("rows", ())}

    @property
    def level(self) -> str | None:
        return self.assessment.get("level")

    @property
    def gate_open(self) -> bool:
        return bool(self.assessment.get("gate", {}).get("open"))

    @property
    def named(self) -> list[dict[str, Any]]:
        return list(self.assessment.get("notUnderstood", ()))

    @property
    def results(self) -> list[dict[str, Any]]:
        return list(self.assessment.get("results", ()))

    @property
    def findings(self) -> set[tuple[str, str]]:
        return {(finding["id"], finding["status"]) for finding in self.assessment.get("findings", ())}


def fired(row: str) -> Callable[[Answer], bool]:
    return lambda answer: row in answer.rows


def not_fired(row: str) -> Callable[[Answer], bool]:
    return lambda answer: answer.status == 200 and row not in answer.rows


def level(wanted: str) -> Callable[[Answer], bool]:
    return lambda answer: answer.level == wanted


def card(answer: Answer) -> bool:
    return bool(answer.cards)


def refused(answer: Answer) -> bool:
    return answer.status == 412


# The narrower answer where the situation allows several.
EXPECTED: dict[str, Callable[[Answer], bool]] = {
    "F01": not_fired("weakness"),
    "F04": lambda answer: answer.gate_open,
    "F05": lambda answer: not_fired("weakness")(answer) and bool(answer.named),
    "F07": lambda answer: answer.status == 200 and not answer.gate_open,
    "F08": level("critical"),
    "F10": fired("electrolyte-abnormal"),
    "F12": fired("thyroid-abnormal"),
    "F14": level("info"),
    "F15": level("info"),
    "F16": fired("electrolyte-abnormal"),
    "F18": fired("thyroid-abnormal"),
    "F19": lambda answer: answer.level == "critical" and answer.results[0]["value"] == "6.9",
    "F20": level("critical"),
    "F21": level("critical"),
    "F22": level("critical"),
    "F23": level("critical"),
    "F25": level("critical"),
    "F26": lambda answer: card(answer) and bool(answer.named),
    "F28": card,
    "F30": card,
    "F31": lambda answer: answer.status == 200 and not answer.cards,
    "F33": refused,
    "F35": refused,
    "F37": refused,
    "F38": fired("diuretic-depleting"),
    "F40": fired("diuretic-depleting"),
    "F42": fired("diuretic-depleting"),
    "F43": fired("diuretic-depleting"),
    "F44": lambda answer: fired("persistent")(answer) and bool(answer.named),
    "F45": lambda answer: fired("persistent")(answer) and bool(answer.named),
    "F46": lambda answer: not_fired("persistent")(answer) and bool(answer.named),
    "F48": lambda answer: not_fired("weakness")(answer) and bool(answer.named),
    "F50": lambda answer: ("weakness", "absent") in answer.findings,
    "F51": not_fired("weakness"),
    "F52": card,
    "F54": card,
    "F55": card,
    "F56": card,
    "F57": card,
    "F58": lambda answer: answer.status == 400,
    "F59": lambda answer: answer.level == "critical" and answer.results[0]["value"] == ">10.0",
    "F60": card,
    "F61": card,
    "F62": fired("diuretic-depleting"),
    "F63": card,
}


def test_every_case_has_its_answer() -> None:
    assert set(EXPECTED) == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_the_answer(client: FlaskClient, name: str) -> None:
    case = CASES[name]
    response = client.post(case["path"], data=json.dumps(case["body"]), content_type=case["content_type"])
    content = response.get_json(force=True)
    of_hook = content.get("extension", {}) if isinstance(content.get("extension"), dict) else {}
    assessment = content.get("assessment") or of_hook.get(EXTENSION, {}).get("assessment", {})
    answer = Answer(response.status_code, content.get("cards", []), assessment)
    assert EXPECTED[name](answer), case["expected"]
