"""The figures against a slow plain recount: every patient through POST /evaluate."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from fhir_mappings.request.documents import bundle_of, owner_of
from service.app import create_app
from service.config import Config
from service.knowledge import KnowledgeError, load_knowledge
from service.population.report import Report
from tests.population.exports import AS_OF, export, knowledge, lines_of_patients, reported

BANDS = {0: "0-17", 18: "18-39", 40: "40-59", 60: "60-79", 80: "80+"}


@pytest.fixture(scope="module")
def answers() -> list[dict[str, Any]]:
    """The answer of /evaluate for each patient, and the birth date."""
    client = create_app(Config(), knowledge()).test_client()
    by_patient: defaultdict[str, list[bytes]] = defaultdict(list)
    for _, line in lines_of_patients():
        by_patient[owner_of(line) or ""].append(line)
    found = []
    for lines in by_patient.values():
        answer = client.post(
            f"/evaluate?asOf={AS_OF}", data=bundle_of(lines), content_type="application/fhir+json"
        )
        assert answer.status_code == 200
        person = next(one for one in map(json.loads, lines) if one["resourceType"] == "Patient")
        found.append({**answer.get_json(), "birthDate": person["birthDate"], "bundle": bundle_of(lines)})
    return found


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("recount")
    return reported(export(folder / "export", lines_of_patients()), folder / "out", whole=True)


def _levels(answers: list[dict[str, Any]]) -> list[str]:
    return [(answer["cards"] or [{"indicator": "none"}])[0]["indicator"] for answer in answers]


def test_levels(answers: list[dict[str, Any]], report: Report) -> None:
    counts = Counter(_levels(answers))
    assert report["cards"]["levels"] == {
        name: counts[name] for name in ("none", "info", "warning", "critical")
    }
    cards = len(answers) - counts["none"]
    assert cards > 5
    assert report["cards"]["count"] == cards
    assert report["cards"]["perThousand"] == round(1000 * cards / len(answers), 2)
    assert report["minIndicator"][1] == {
        "setting": "warning",
        "cards": cards - counts["info"],
        "saved": counts["info"],
    }


def test_rows_and_recommendations(answers: list[dict[str, Any]], report: Report) -> None:
    rows = Counter(row["id"] for answer in answers for row in answer["assessment"]["rows"])
    assert {one["row"]: one["count"] for one in report["rows"]} == rows
    made = Counter(one["id"] for answer in answers for one in answer["assessment"]["recommendations"])
    assert report["recommendations"] == made


def test_ages(answers: list[dict[str, Any]], report: Report) -> None:
    living, cards = Counter[str](), Counter[str]()
    for answer, level in zip(answers, _levels(answers), strict=True):
        year, month, day = map(int, answer["birthDate"].split("-"))
        years = AS_OF.year - year - ((AS_OF.month, AS_OF.day) < (month, day))
        band = [label for start, label in BANDS.items() if years >= start][-1]
        living[band] += 1
        cards[band] += level != "none"
    assert {band: one["living"] for band, one in report["ages"].items()} == living
    assert {band: one["count"] for band, one in report["ages"].items()} == {
        band: cards[band] for band in living
    }


def test_not_understood(answers: list[dict[str, Any]], report: Report) -> None:
    notes = Counter(
        (note["reference"].partition("/")[0], note["why"])
        for answer in answers
        for note in answer["assessment"]["notUnderstood"]
    )
    found: Counter[tuple[str, str]] = Counter()
    for note in report["notUnderstood"]:
        found[note["type"], note["why"]] += note["notes"]
    assert found == notes


def test_unknown_codes(answers: list[dict[str, Any]], tmp_path: Path, report: Report) -> None:
    """Of each code, by how many resources carry it."""
    expected: Counter[tuple[str, str]] = Counter()
    for answer in answers:
        for one in answer["assessment"]["unknownCodes"]:
            if "code" in one:
                expected[one.get("system", ""), one["code"]] += one["count"]
    found: Counter[tuple[str, str]] = Counter()
    for kind in report["unknownCodes"].values():
        assert kind["hidden"] == 0
        for one in kind["codes"]:
            found[one["system"], one["code"]] += one["resources"]
    assert found
    more = sum(kind["more"] for kind in report["unknownCodes"].values())
    assert {key: expected[key] for key in found} == found if not more else found.items() <= expected.items()
    assert len(found) >= len(expected) - more


def test_rows_off(answers: list[dict[str, Any]], report: Report, tmp_path: Path) -> None:
    """A row switched off as a site would, and every patient through /evaluate again."""
    for found in filter(lambda one: one["levels"], report["rowsOff"]):
        (tmp_path / "decision_table.yaml").write_text(f"rows_off: [{found['row']}]\n")
        with suppress(KnowledgeError):
            site = load_knowledge(overlay=tmp_path)
            break
    client = create_app(Config(), site).test_client()
    changes: Counter[str] = Counter()
    for answer in answers:
        if not answer["cards"]:
            continue
        again = client.post(
            f"/evaluate?asOf={AS_OF}", data=answer["bundle"], content_type="application/fhir+json"
        ).get_json()
        levels = [one["assessment"]["level"] for one in (answer, again)]
        if levels[0] != levels[1]:
            changes[">".join(levels)] += 1
    assert found["levels"] == changes


def test_examination(answers: list[dict[str, Any]], report: Report) -> None:
    """Every twitch on record is in one of the three."""
    twitches = sum(answer["assessment"]["gate"]["open"] for answer in answers)
    assert sum(report["examination"].values()) == twitches
    asked = {one["id"] for answer in answers for one in answer["assessment"]["recommendations"]}
    assert "ask-examination" in asked
    done = [
        answer
        for answer in answers
        if answer["assessment"]["gate"]["open"]
        and all(
            one["id"] != "ask-examination"
            for member in ("recommendations", "withheld")
            for one in answer["assessment"][member]
        )
    ]
    assert report["examination"]["done"] == len(done)
    signs = (
        "weakness",
        "atrophy",
        "sensory-loss",
        "coordination",
        "movement",
        "upper-motor-sign",
        "rigidity",
    )
    never = 0
    for answer in answers:
        if answer["assessment"]["gate"]["open"] and answer not in done:
            found = [one for one in answer["assessment"]["findings"] if one["id"] in signs]
            never += all(one.get("basis") != "examined" for one in found)
    assert report["examination"]["never"] == never > 0
