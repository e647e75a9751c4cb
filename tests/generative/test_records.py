"""Long realistic records: what has nothing to do with a twitch changes nothing, and neither does order."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import date
from functools import cache
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_mappings.request.bundles import decode_bundle
from service.evaluation import Evaluation, Evaluator
from service.knowledge import Knowledge, load_knowledge
from tests import records
from tests.vignettes.dialects import BUNDLES, DIALECTS
from tests.vignettes.patient import AS_OF, BY_ID, PEOPLE, Person

NOBODY = "quirine"
SEEDS = (1, 2, 3)
READ = {
    "Patient",
    "Condition",
    "Observation",
    "MedicationRequest",
    "MedicationStatement",
    "ServiceRequest",
    "Procedure",
    "DiagnosticReport",
    "FamilyMemberHistory",
}
TWITCHING = [person for person in PEOPLE if not person.expected.silent]
SEEDED = pytest.mark.parametrize("seed", SEEDS)
EACH = pytest.mark.parametrize("person", TWITCHING, ids=lambda person: person.id)


@cache
def knowledge() -> Knowledge:
    return load_knowledge()


def answered(bundle: dict[str, Any], as_of: date = AS_OF) -> Evaluation:
    return Evaluator(knowledge(), "https://cds.example.org").evaluate(
        decode_bundle(json.dumps(bundle).encode()),
        as_of,
        hook_instance="00000000-0000-4000-8000-000000000000",
    )


def resources_of(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle["entry"]]


def long_record(seed: int, person: Person, *, history: bool = False) -> dict[str, Any]:
    """The patient of the test patients, in a long record."""
    extra = tuple(resources_of(BUNDLES["snomed"](person)))
    return records.record(seed, patient_id=person.id, as_of=AS_OF, extra=extra, history=history)


def bare_record(seed: int) -> dict[str, Any]:
    """The same noise about somebody whose muscles have never been spoken of but in the past."""
    return records.record(seed, patient_id=NOBODY, as_of=AS_OF)


@SEEDED
def test_the_record_is_long_and_of_many_types(seed: int) -> None:
    types = Counter(resource["resourceType"] for resource in resources_of(bare_record(seed)))
    assert types.total() >= 500
    assert types["Patient"] == 1
    assert set(types) >= READ
    assert len(set(types) - READ) >= 10


def test_the_record_still_holds_its_temptations() -> None:
    text = json.dumps(bare_record(1))
    for word in ("asciculation", "R25.3", "82470000", "fascicular", "furosemide", "DocumentReference"):
        assert word in text
    kept = {made["code"]["coding"][0]["code"] for made in _twitches(bare_record(1))}
    assert len(kept) == 1
    assert _twitches(long_record(1, BY_ID["v05"], history=True)) != _twitches(long_record(1, BY_ID["v05"]))


def _twitches(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        made
        for made in resources_of(bundle)
        if made["resourceType"] == "Condition" and "asciculation" in json.dumps(made["code"])
    ]


@SEEDED
def test_every_resource_is_valid(seed: int) -> None:
    for resource in resources_of(bare_record(seed)):
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)


@SEEDED
def test_the_same_seed_gives_the_same_record(seed: int) -> None:
    assert json.dumps(bare_record(seed)) == json.dumps(bare_record(seed))
    assert json.dumps(bare_record(seed)) != json.dumps(bare_record(seed + 100))


@SEEDED
def test_without_a_twitch_there_is_no_card(seed: int) -> None:
    result = answered(bare_record(seed))
    assert result.cards == []
    assert result.assessment["level"] == "none"
    assert result.assessment["gate"]["open"] is False
    assert result.assessment["notUnderstood"] == []
    assert result.assessment["notUsed"] == []


@EACH
@SEEDED
def test_noise_changes_no_card(person: Person, seed: int) -> None:
    """The small record, every list of it seen, and the long one say the same, byte for byte."""
    prefetch = DIALECTS["prefetch"](person)
    small = [prefetch["patient"]]
    small += [entry["resource"] for made in prefetch.values() for entry in made.get("entry", ())]
    # What a bundle does not hold counts as not seen: one empty word of each type.
    present = {made["resourceType"] for made in small}
    noise = records.record(seed, patient_id=person.id, as_of=AS_OF, size=1, history=False)
    small += [made for made in resources_of(noise) if made["resourceType"] in READ - present - {"Patient"}]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in small]}
    alone, within = answered(bundle), answered(long_record(seed, person))
    assert within.cards == alone.cards
    # The noise is in codes that no value set has, and is counted.
    assert within.assessment["unknownCodes"] != alone.assessment["unknownCodes"]
    both = ({**content, "unknownCodes": []} for content in (within.assessment, alone.assessment))
    assert next(both) == next(both)


@EACH
@SEEDED
def test_a_twitch_that_is_over_changes_no_advice(person: Person, seed: int) -> None:
    with_history = answered(long_record(seed, person, history=True)).assessment
    without = answered(long_record(seed, person)).assessment
    for member in ("level", "gate", "range", "rows", "recommendations", "withheld", "questions", "drugs"):
        assert with_history[member] == without[member]


@settings(max_examples=15, deadline=None)
@given(who=st.sampled_from(TWITCHING), seed=st.sampled_from(SEEDS), order=st.randoms(use_true_random=False))
def test_order_changes_no_byte(who: Person, seed: int, order: random.Random) -> None:
    bundle = long_record(seed, who, history=True)
    shuffled = {**bundle, "entry": order.sample(bundle["entry"], len(bundle["entry"]))}
    first, second = answered(bundle), answered(shuffled)
    assert json.dumps(first.cards) == json.dumps(second.cards)
    assert json.dumps(first.assessment) == json.dumps(second.assessment)


@SEEDED
def test_no_name_of_the_patient_comes_back(seed: int) -> None:
    bundle = long_record(seed, BY_ID["v39"])
    patient = next(made for made in resources_of(bundle) if made["resourceType"] == "Patient")
    patient["name"] = [{"family": "Testperson", "given": ["Quirine"]}]
    text = json.dumps([answered(bundle).cards, answered(bundle).assessment])
    assert "Testperson" not in text
    assert "Quirine" not in text
