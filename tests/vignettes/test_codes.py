"""Every code the test patients are written with is one that the service knows, and means what it should."""

from __future__ import annotations

from functools import cache

import pytest

from fhir_mappings.code_systems import code_key
from fhir_mappings.record import Status
from fhir_mappings.terminology import Terminology
from service.knowledge import load_knowledge
from tests.vignettes import codes, medicine_codes

SYSTEM_PAIRS = [
    (name, system, pair[0]) for name, table in codes.FINDINGS.items() for system, pair in table.items()
]


@cache
def terminology() -> Terminology:
    return load_knowledge().terminology


@pytest.mark.parametrize(("finding", "system", "code"), SYSTEM_PAIRS)
def test_finding(finding: str, system: str, code: str) -> None:
    assert finding in {hit.finding for hit in terminology().finding_of(code_key(system, code))}


@pytest.mark.parametrize(
    ("system", "code"),
    [(system, pair[0]) for table in codes.SHOWN.values() for system, pair in table.items()],
)
def test_what_is_only_shown(system: str, code: str) -> None:
    hits = terminology().finding_of(code_key(system, code))
    assert {terminology().findings[hit.finding].kind for hit in hits} == {"shown"}


@pytest.mark.parametrize(("site", "code"), codes.HPO_TWITCHES.items())
def test_twitch_with_its_place(site: str, code: tuple[str, str]) -> None:
    (hit,) = terminology().finding_of(code_key(codes.HPO, code[0]))
    assert (hit.finding, [place.id for place in hit.sites]) == ("fasciculation", [site])


@pytest.mark.parametrize(("where", "code"), codes.SITES.items())
def test_site(where: tuple[str, str | None], code: tuple[str, str]) -> None:
    site = terminology().sites[code_key(codes.SNOMED, code[0])]
    name = "eyelid" if where[0].endswith("eyelid") else where[0]
    assert (site.id, site.side) == (name, where[1])


@pytest.mark.parametrize(("course", "code"), codes.COURSES.items())
def test_course(course: str, code: tuple[str, str]) -> None:
    assert terminology().courses[code_key(codes.SNOMED, code[0])] == course


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (codes.YES_LOINC, Status.PRESENT),
        (codes.YES_SNOMED, Status.PRESENT),
        (codes.PRESENT_SNOMED, Status.PRESENT),
        (codes.NO_LOINC, Status.ABSENT),
        (codes.NO_SNOMED, Status.ABSENT),
        (codes.ABSENT_SNOMED, Status.ABSENT),
    ],
)
def test_answer(answer: tuple[str, str, str], status: Status) -> None:
    assert terminology().answers[code_key(*answer[:2])] is status


@pytest.mark.parametrize(("analyte", "code"), codes.ANALYTES.items())
def test_analyte(analyte: str, code: tuple[str, str]) -> None:
    assert terminology().analyte_codes[code_key(codes.LOINC, code[0])] == codes.ANALYTE_OF.get(
        analyte, analyte
    )


@pytest.mark.parametrize(("referral", "code"), codes.REFERRALS.items())
def test_referral(referral: str, code: tuple[str, str]) -> None:
    assert terminology().procedures[code_key(codes.SNOMED, code[0])] == referral


@pytest.mark.parametrize(("study", "code"), codes.STUDIES.items())
def test_study(study: str, code: tuple[str, str]) -> None:
    assert terminology().procedures[code_key(codes.LOINC, code[0])] == study


def test_panel_names_what_the_dialect_relies_on() -> None:
    named = terminology().panels[code_key(*codes.BASIC_PANEL[:2])]
    assert {"sodium", "potassium", "calcium"} <= named
    assert "magnesium" not in named


@pytest.mark.parametrize(
    ("drug", "system", "code"),
    [
        (name, system, pair[0])
        for name, table in medicine_codes.DRUGS.items()
        for system, pair in table.items()
    ],
)
def test_drug(drug: str, system: str, code: str) -> None:
    known = terminology().medications
    if system == codes.NDC:
        hits = known.ndc[code.replace("-", "")]
    elif system == codes.ATC:
        hits = next(
            known.atc[code[:length]] for length in range(len(code), 2, -1) if code[:length] in known.atc
        )
    else:
        hits = known.codes[code_key(codes.SNOMED if system == codes.DMD else system, code)]
    expected = {item.medication_class for item in known.terms[drug]}
    assert {item.medication_class for item in hits} & expected
