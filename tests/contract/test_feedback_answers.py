"""Both answers to one question cannot have been accepted."""

from __future__ import annotations

import pytest

from service.cards.card_ids import CardIds, id_of
from tests.contract.feedback_site import SECRET, Site, places
from tests.contract.requests import SERVICE

CALL = "11111111-1111-4111-8111-111111111111"


def made(site: Site, kind: str, name: str) -> str:
    ids = CardIds((SECRET,), SERVICE.split("/")[-1])
    return id_of(ids, site.knowledge.version, CALL, kind, name)


def item(site: Site, *answers: tuple[str, str]) -> dict[str, object]:
    return {
        "card": made(site, "card", "persistent"),
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": made(site, f"answer-{answer}", name)} for name, answer in answers],
        "outcomeTimestamp": "2026-06-15T10:05:31Z",
    }


@pytest.mark.parametrize(
    "answers",
    [
        [("bulbar", "present"), ("bulbar", "absent")],
        [("bulbar", "absent"), ("orthopnea", "present"), ("bulbar", "present")],
        # "Examined: normal" answers the whole question.
        [("examination", "absent"), ("atrophy", "present")],
        [("weakness", "present"), ("examination", "absent")],
        # It covers what else the card asks to examine.
        [("examination+bulbar", "absent"), ("bulbar", "present")],
        [("examination+coordination+rigidity", "absent"), ("rigidity", "present")],
        [("examination+bulbar+coordination", "absent"), ("weakness", "present")],
    ],
)
def test_both_answers_to_one_question_are_refused_with_the_reason(
    site: Site, answers: list[tuple[str, str]]
) -> None:
    answered = site.post(item(site, *answers))
    assert places(answered) == ["feedback[0].acceptedSuggestions"]
    (issue,) = answered.get_json(force=True)["issue"]
    assert "both answers to one question" in issue["diagnostics"]
    assert site.kept() == []


@pytest.mark.parametrize(
    "answers",
    [
        [("bulbar", "present"), ("orthopnea", "absent")],
        [("examination", "absent"), ("bulbar", "present")],
        [("examination+coordination", "absent"), ("bulbar", "present")],
        [("weakness", "present"), ("atrophy", "present"), ("sensory-loss", "absent")],
    ],
)
def test_answers_to_different_questions_are_kept(site: Site, answers: list[tuple[str, str]]) -> None:
    assert site.post(item(site, *answers)).status_code == 200
    assert {(kept.name, kept.kind) for kept in site.kept_suggestions()} == {
        (name, f"answer-{answer}") for name, answer in answers
    }
