"""What is remembered of cards: phrases of the table, a bounded number of them, and nothing of a patient."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fhir_mappings.record import Basis, Status
from fhir_mappings.request.bundles import decode_bundle
from service.cards import phrases as module
from service.cards.phrases import REMEMBERED, Phrases, phrases_of
from service.evaluation import Evaluator
from service.knowledge import Knowledge, load_knowledge
from tests.vignettes.dialects import BUNDLES
from tests.vignettes.patient import AS_OF, PEOPLE

KNOWLEDGE = load_knowledge()
TABLE = KNOWLEDGE.table
# All that a phrase may be remembered by, beside numbers and truth values.
WORDS = {
    *(row.id for row in TABLE.rows),
    *TABLE.actions,
    *(name for action in TABLE.actions.values() for name in (*action.analytes, *action.studies)),
    *KNOWLEDGE.terminology.findings,
    *(words.id for words in TABLE.words),
    *(answer.says for words in TABLE.words for answer in words.answers),
    *(str(value) for value in (*Status, *Basis)),
    *("site", "duration", "course"),
    *("none", "info", "warning", "critical", "true", "false", "unknown"),
}


def words_in(value: Any) -> Iterator[str]:
    if isinstance(value, tuple):
        for part in value:
            yield from words_in(part)
    elif value is not None and not isinstance(value, bool):
        yield value


def cards(person: Any, dialect: str, knowledge: Knowledge, days: int = 0) -> list[dict[str, Any]]:
    bundle = json.dumps(BUNDLES[dialect](person)).encode()
    return (
        Evaluator(knowledge, "https://cds.example.org")
        .evaluate(
            decode_bundle(bundle),
            AS_OF + timedelta(days=days),
            hook_instance="00000000-0000-4000-8000-000000000000",
        )
        .cards
    )


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """What phrases are asked for by, and what is remembered of them."""
    found: list[tuple[Any, Any]] = []
    remembered = module._remembered

    def watched(phrase: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*by: Any) -> Any:
            says = known(*by)
            found.append((by, says))
            return says

        known = remembered(phrase)
        return asked

    monkeypatch.setattr(module, "_remembered", watched)
    return found


def test_by_nothing_but_words_of_the_table(seen: list[tuple[Any, Any]]) -> None:
    knowledge = replace(KNOWLEDGE)
    for person in PEOPLE:
        for dialect in BUNDLES:
            cards(person, dialect, knowledge)
    assert len(seen) > 2_000
    others = {word for by, _ in seen for word in words_in(by) if word not in WORDS}
    assert others == set()


def test_no_day_or_name_of_a_patient_in_what_is_remembered(seen: list[tuple[Any, Any]]) -> None:
    knowledge = replace(KNOWLEDGE)
    for person in PEOPLE:
        cards(person, "snomed", knowledge)
    said = {text for _, says in seen for text in words_in(says)}
    assert any(module.DAY in text for text in said)
    assert not [text for text in said if str(AS_OF.year) in text or str(AS_OF.year - 1) in text]
    assert not [text for text in said if any(person.id in text for person in PEOPLE)]


def test_the_same_a_second_time_and_on_another_day() -> None:
    knowledge = replace(KNOWLEDGE)
    for person in PEOPLE:
        first = cards(person, "snomed", knowledge)
        assert cards(person, "snomed", knowledge) == first
        assert cards(person, "snomed", knowledge, days=1) == cards(
            person, "snomed", replace(KNOWLEDGE), days=1
        )


def test_in_many_threads_as_in_one() -> None:
    alone = [cards(person, "icd", replace(KNOWLEDGE)) for person in PEOPLE]
    together = replace(KNOWLEDGE)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda person: cards(person, "icd", together), PEOPLE * 4))
    assert found == alone * 4


def test_a_bounded_number_of_each_kind() -> None:
    phrases = Phrases(KNOWLEDGE)
    kinds = [kind for kind in vars(phrases).values() if hasattr(kind, "cache_info")]
    assert len(kinds) >= 9
    assert {kind.cache_info().maxsize for kind in kinds} == {REMEMBERED}


def test_of_each_knowledge_its_own() -> None:
    texts = {**KNOWLEDGE.wording.texts, "actions.emg.short": "needle test"}
    other = replace(KNOWLEDGE, wording=replace(KNOWLEDGE.wording, texts=texts))
    assert phrases_of(KNOWLEDGE).short_name("emg", False) == "EMG"
    assert phrases_of(other).short_name("emg", False) == "needle test"
    assert phrases_of(KNOWLEDGE) is phrases_of(KNOWLEDGE)
