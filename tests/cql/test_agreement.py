"""Two engines, one decision: the CQL of the knowledge and the service, on the same patients in plain R4.

CQL_PATIENTS=5000 compares that many generated patients.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fhir_mappings.request.bundles import decode_bundle
from service.evaluation import Evaluator
from service.knowledge import Knowledge
from tests.cql.conftest import COMPARED
from tests.cql.engines import Case, applied, evaluated, expansions, shipped
from tests.cql.generated import bundle_of
from tests.vignettes.dialects import BUNDLES
from tests.vignettes.patient import AS_OF, EVERYONE, PEOPLE
from tools.cql.translate import ENVIRONMENT, translated

PATIENTS = int(os.environ.get("CQL_PATIENTS", "500"))
# Every published patient with codes of SNOMED CT, ICD-10-CM and HPO, in panels, and with British medicines.
DIALECTS = ("snomed", "icd", "panel", "hpo", "british")
LEFT_OUT = {
    "snomed x43": "the twitch is recorded in words",
    "hpo v08": "its Medication is contained in the prescription, which this engine does not read",
    "hpo n09": "its Medication is contained in the prescription, which this engine does not read",
}
WANTED = ("Gate open", "Level", "Rows", "Recommendations")
Answer = dict[str, Any]

pytestmark = pytest.mark.skipif(
    not (ENVIRONMENT / "node_modules").exists(), reason="needs npm and engines of CQL; run: make test-cql"
)


def published() -> Iterator[Case]:
    for dialect in DIALECTS:
        for person in EVERYONE if dialect == "snomed" else PEOPLE:
            yield Case(f"{dialect} {person.id}", AS_OF, BUNDLES[dialect](person))


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    codes = expansions()
    generated = (Case(f"generated {n}", AS_OF, bundle_of(n, AS_OF, codes)) for n in range(PATIENTS))
    return [case for case in (*published(), *generated) if case.id not in LEFT_OUT]


def of_service(knowledge: Knowledge, bundle: dict[str, Any], day: date) -> Answer:
    evaluator = Evaluator(knowledge, "https://cds.example.org")
    instance = "00000000-0000-4000-8000-000000000000"
    made = evaluator.evaluate(decode_bundle(json.dumps(bundle).encode()), day, hook_instance=instance)
    assessment = made.assessment
    return {
        "Gate open": assessment["gate"]["open"],
        "Level": assessment["level"],
        "Rows": sorted(row["id"] for row in assessment.get("rows", ())),
        "Recommendations": sorted(
            [one["id"], one["urgency"], one.get("analytes", [])]
            for one in assessment.get("recommendations", ())
        ),
    }


def of_library(results: Answer) -> Answer:
    recommended = ([one["id"], one["urgency"], one["analytes"]] for one in results["Recommendations"])
    return {**results, "Rows": sorted(results["Rows"]), "Recommendations": sorted(recommended)}


@pytest.fixture(scope="module")
def service(knowledge: Knowledge, cases: list[Case]) -> dict[str, Answer]:
    return {case.id: of_service(knowledge, case.bundle, case.day) for case in cases}


@pytest.fixture(scope="module")
def library(cases: list[Case], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    elm = json.loads(shipped("application/elm+json"))
    found = evaluated(cases, WANTED, elm, tmp_path_factory.mktemp("cql"))
    return {name: of_library(results) for name, results in found.items()}


def test_the_library_decides_as_the_service_does(
    service: dict[str, Answer], library: dict[str, Answer], request: pytest.FixtureRequest
) -> None:
    differ = {name: (library[name], service[name]) for name in service if library[name] != service[name]}
    agreed = len(service) - len(differ)
    request.config.stash[COMPARED].append(f"CQL: {agreed} of {len(service)} patients are decided alike.")
    assert differ == {}


def test_what_is_compared_says_something(
    service: dict[str, Answer], library: dict[str, Answer], knowledge: Knowledge
) -> None:
    fired = {row for answer in library.values() for row in answer["Rows"]}
    assert fired == {row.id for row in knowledge.table.rows}
    assert {answer["Level"] for answer in library.values()} == {"none", "info", "warning", "critical"}
    # The others have no twitch, or a disease that is known.
    assert len([person for person in PEOPLE if library[f"snomed {person.id}"]["Rows"]]) >= 22
    recommended = {(one[0], one[1]) for answer in library.values() for one in answer["Recommendations"]}
    assert len(recommended) >= 25


def test_the_translation_is_that_of_the_cql() -> None:
    assert json.loads(translated(shipped("text/cql"))) == json.loads(shipped("application/elm+json"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"Longer than"(14)', '"Longer than"(20)'),
        ("F.basis = 'examined' then 'absent'", "F.basis = 'examined' then 'unknown'"),
    ],
)
def test_another_library_would_be_seen(
    old: str, new: str, service: dict[str, Answer], cases: list[Case], tmp_path: Path
) -> None:
    text = shipped("text/cql")
    if old not in text:
        pytest.fail(f"{old} is not in the library")
    elm = json.loads(translated(text.replace(old, new)))
    some = [case for case in cases if case.id.startswith("snomed")][:30]
    found = evaluated(some, WANTED, elm, tmp_path)
    assert [case.id for case in some if of_library(found[case.id]) != service[case.id]]


def test_what_is_left_out_differs_for_its_reason(knowledge: Knowledge, tmp_path: Path) -> None:
    """If one of them is decided alike, it is left out no longer."""
    left_out = [case for case in published() if case.id in LEFT_OUT]
    found = evaluated(left_out, WANTED, json.loads(shipped("application/elm+json")), tmp_path)
    assert len(left_out) == len(LEFT_OUT)
    for case in left_out:
        assert of_library(found[case.id]) != of_service(knowledge, case.bundle, case.day), case.id


# $apply


def expected(answer: Answer) -> list[str]:
    """The ids of the actions of a plan that recommends the same."""
    ids = []
    for name, urgency, analytes in answer["Recommendations"]:
        ids.append(f"{name}.{urgency}")
        ids += [f"{name}.{urgency}.{one}" for one in analytes if len(analytes) > 1 or _is_part(name)]
    return sorted(ids)


def _is_part(name: str) -> bool:
    return name in ("electrolytes", "kidney-function")


def test_another_engine_applies_the_plan(
    service: dict[str, Answer], cases: list[Case], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    some = [case for case in cases if case.id.split()[0] == "snomed" and case.id.split()[1] in _PUBLISHED]
    found = applied(some, tmp_path)
    differ = {
        case.id: (sorted(found[case.id]), expected(service[case.id]))
        for case in some
        if sorted(found[case.id]) != expected(service[case.id])
    }
    agreed = len(some) - len(differ)
    request.config.stash[COMPARED].append(
        f"$apply: {agreed} of {len(some)} patients are recommended the same."
    )
    assert differ == {}
    assert any(found.values())


_PUBLISHED = {person.id for person in PEOPLE}
