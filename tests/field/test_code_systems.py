"""Code systems and codes in every spelling that client systems use for them."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.code_systems import (
    ATC,
    HPO,
    ICD_10,
    ICD_10_CM,
    LOINC,
    NDC,
    RXNORM,
    SNOMED,
    code_key,
    system_of,
)
from fhir_mappings.record import Status
from tests.spec.records import as_of, condition, observation, read
from tests.spec.test_results import lab

TWITCH_SNOMED, WEAKNESS_SNOMED = "82470000", "26544005"

SYSTEMS = [
    ("urn:oid:2.16.840.1.113883.6.96", SNOMED),
    ("URN:OID:2.16.840.1.113883.6.96", SNOMED),
    ("2.16.840.1.113883.6.96", SNOMED),
    ("https://snomed.info/sct", SNOMED),
    ("http://SNOMED.info/SCT/", SNOMED),
    ("http://snomed.info/sct/731000124108", SNOMED),
    ("http://snomed.info/sct/900000000000207008/version/20240901", SNOMED),
    ("http://snomed.info/sct|http://snomed.info/sct/83821000000107", SNOMED),
    ("https://dmd.nhs.uk", SNOMED),
    ("https://dmd.nhs.uk/", SNOMED),
    ("SNOMED CT", SNOMED),
    ("SNOMED_CT", SNOMED),
    ("ICD 10", ICD_10),
    ("ICD-10 CM", ICD_10_CM),
    ("icd_10_cm", ICD_10_CM),
    ("urn:oid:2.16.840.1.113883.6.1", LOINC),
    ("https://loinc.org", LOINC),
    ("http://www.loinc.org/", LOINC),
    ("urn:oid:2.16.840.1.113883.6.90", ICD_10_CM),
    ("http://hl7.org/fhir/sid/icd-10-cm/", ICD_10_CM),
    ("https://hl7.org/fhir/sid/ICD-10-CM", ICD_10_CM),
    ("http://terminology.hl7.org/CodeSystem/icd10CM", ICD_10_CM),
    ("urn:oid:2.16.840.1.113883.6.3", ICD_10),
    ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", ICD_10),
    ("http://fhir.de/CodeSystem/dimdi/icd-10-gm", ICD_10),
    ("http://hl7.org/fhir/sid/icd-10-nl", ICD_10),
    ("http://hl7.org/fhir/sid/icd-10-uk|4.0", ICD_10),
    ("http://hl7.org/fhir/sid/icd-10-am", ICD_10),
    ("http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full", ICD_10),
    ("urn:oid:2.16.840.1.113883.6.88", RXNORM),
    ("https://www.nlm.nih.gov/research/umls/rxnorm", RXNORM),
    ("urn:oid:2.16.840.1.113883.6.69", NDC),
    ("urn:oid:2.16.840.1.113883.6.73", ATC),
    ("http://fhir.de/CodeSystem/bfarm/atc", ATC),
    ("https://whocc.no/atc", ATC),
    ("urn:oid:2.16.840.1.113883.6.339", HPO),
]


@pytest.mark.parametrize(("written", "system"), SYSTEMS)
def test_a_system_in_another_spelling(written: str, system: str) -> None:
    assert system_of(written) == system


@pytest.mark.parametrize(
    "written",
    [
        "http://hl7.org/fhir/sid/icd-9-cm",
        "http://snomed.info.example.org/sct",
        "http://example.org/snomed.info/sct",
        "urn:oid:2.16.840.1.113883.6.961",
        "http://loinc.organisation.org",
        "http://hl7.org/fhir/sid/icd-10-cmx",
        "http://hl7.org/fhir/sid",
        "https://example.org/codes",
        "x" * 5000,
    ],
)
def test_another_system_stays_itself(written: str) -> None:
    assert system_of(written) == written


CODES = [
    (SNOMED, "82470000 |Muscle fasciculation|", "82470000"),
    (SNOMED, "82470000|Muscle fasciculation (finding)|", "82470000"),
    (SNOMED, "82470000:363698007=53120007", "82470000"),
    (SNOMED, "=== 82470000 |Muscle fasciculation| : 246112005 |Severity| = 255604002 |Mild|", "82470000"),
    (LOINC, "la9634-2", "LA9634-2"),
    (ICD_10_CM, "r25.3", "R253"),
    (ICD_10, "G12.2+", "G122"),
    (ATC, "c03ca01", "C03CA01"),
]


@pytest.mark.parametrize(("system", "code", "key"), CODES)
def test_a_code_in_another_spelling(system: str, code: str, key: str) -> None:
    assert code_key(system, code) == (system, key)


@pytest.mark.parametrize(
    "code",
    [
        # Known absent, of a relative, or of two concepts: not the finding.
        "413350009:246090004=82470000,408729009=410516002",
        "82470000:408729009=410516002",
        "82470000 : 408732007 |Subject relationship context| = 72705000 |Mother|",
        "82470000 |Muscle fasciculation| : |Finding context| = |Known absent|",
        "82470000:363698007=53120007,|Finding context|=|Known absent|",
        "82470000:{|Finding context|=|Known absent|}",
        "82470000+26544005",
        "824700001234567890123",
        "|82470000|",
        "1" * 3000,
    ],
)
def test_an_expression_with_another_meaning_is_not_its_focus(code: str) -> None:
    assert code_key(SNOMED, code) == (SNOMED, code)
    record = read(condition("fasciculation", code={"coding": [{"system": SNOMED, "code": code}]}))
    assert record.twitch.status is Status.UNKNOWN


TWITCHES: list[list[dict[str, Any]]] = [
    [{"system": "https://snomed.info/sct", "code": TWITCH_SNOMED}],
    [{"system": "urn:oid:2.16.840.1.113883.6.96", "code": TWITCH_SNOMED}],
    [{"system": "http://snomed.info/sct/731000124108", "code": TWITCH_SNOMED}],
    [{"system": "urn:oid:2.16.840.1.113883.6.90", "code": "R25.3"}],
    [{"system": "http://fhir.de/CodeSystem/bfarm/icd-10-gm", "code": "R25.3"}],
    [{"system": "urn:x", "code": "1"}, {"system": "SNOMED-CT", "code": TWITCH_SNOMED}],
]


@pytest.mark.parametrize("codings", TWITCHES)
def test_a_twitch_by_another_spelling_of_its_system(codings: list[dict[str, Any]]) -> None:
    record = read(condition("fasciculation", code={"coding": codings}))
    assert record.twitch.status is Status.PRESENT
    assert record.not_understood == ()


def test_a_result_and_a_finding_by_oid() -> None:
    loinc = {"code": {"coding": [{"system": "urn:oid:2.16.840.1.113883.6.1", "code": "2823-3"}]}}
    snomed = {"coding": [{"system": "https://snomed.info/sct/", "code": WEAKNESS_SNOMED}]}
    record = read({**lab("2823-3", "6.9"), **loinc}, observation("weakness", code=snomed, valueBoolean=False))
    assert [result.analyte for result in record.results] == ["potassium"]
    assert record.finding("weakness").status is Status.ABSENT


CERTAINTY = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"
GERMAN = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
KBV = "https://fhir.kbv.de/CodeSystem/KBV_CS_SFHIR_ICD_DIAGNOSESICHERHEIT"


def german(code: str, **statuses: Any) -> dict[str, Any]:
    extension = {"url": CERTAINTY, "valueCoding": {"system": KBV, "code": code}}
    coding = {"system": GERMAN, "code": "R25.3", "extension": [extension]}
    return condition("fasciculation", code={"coding": [coding]}, onsetDateTime=as_of(30), **statuses)


@pytest.mark.parametrize(
    ("code", "statuses", "status", "named"),
    [
        ("G", {}, Status.PRESENT, False),
        ("V", {"verification": None}, Status.PRESENT, False),
        ("A", {"verification": None}, Status.ABSENT, False),
        ("A", {"verification": None, "clinical": None}, Status.ABSENT, False),
        ("Z", {"clinical": None}, Status.UNKNOWN, False),
        # They contradict each other, or the certainty is unknown.
        ("A", {}, Status.UNKNOWN, True),
        ("Z", {}, Status.UNKNOWN, True),
        ("X", {}, Status.UNKNOWN, True),
    ],
)
def test_the_certainty_of_a_german_diagnosis(
    code: str, statuses: dict[str, Any], status: Status, named: bool
) -> None:
    record = read(german(code, **statuses))
    assert record.twitch.status is status
    assert bool(record.not_understood) is named


def test_a_german_suspicion_is_reported() -> None:
    extension = {"url": CERTAINTY, "valueCoding": {"system": KBV, "code": "V"}}
    coding = {"system": GERMAN, "code": "G35.9", "extension": [extension]}
    made = condition("multiple-sclerosis", code={"coding": [coding]}, verification=None)
    assert read(condition("fasciculation"), made).finding("multiple-sclerosis").suspected


@pytest.mark.parametrize(
    ("system", "known"),
    [
        ("http://id.who.int/icd/release/10/2019", ICD_10),
        ("https://smt.esante.gouv.fr/terminologie-cim-10", ICD_10),
        ("http://fhir.ch/CodeSystem/icd-10", ICD_10),
        ("http://hl7.org/fhir/sid/icd-10-fr", ICD_10),
        ("http://www.saude.gov.br/fhir/r4/CodeSystem/BRCID10", ICD_10),
        ("http://hospital.example/CID-10", ICD_10),
        ("https://ehr.example/codes/CIE_10_ES", ICD_10),
        ("http://hospital.example/CodeSystem/ICD10CM", ICD_10_CM),
        ("http://hospital.example/icd-10-cm/2026", ICD_10_CM),
        ("http://www.cms.gov/Medicare/Coding/ICD10/icd-10-pcs", None),
        ("http://hl7.org/fhir/sid/icd-10-pcs", None),
        ("http://hospital.example/icd-100", None),
        ("http://hospital.example/icd-11", None),
        ("http://hospital.example/medicid-10", None),
    ],
)
def test_an_address_that_names_icd_10_is_one(system: str, known: str | None) -> None:
    assert system_of(system) == (known or system)
