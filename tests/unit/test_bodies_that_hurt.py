"""A body must not hold a worker: four times the body costs about four times the work, never sixteen."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from fhir_mappings.code_systems import ATC
from fhir_mappings.request.bundles import decode_bundle
from fhir_mappings.resources.budget import Budget, within
from fhir_mappings.to_findings import drug_names, record_of
from fhir_mappings.to_findings import findings as signs
from fhir_mappings.to_findings import medication_identity as drug_medicine
from fhir_mappings.to_findings import observations as observation_reading
from service.assessment import assessment_of
from service.decision import decide
from tests.spec.records import (
    DAY,
    KNOWLEDGE,
    bundle,
    code_of,
    concept,
    condition,
    observation,
    read,
    unknown_in,
)
from tests.unit.bodies import Resource, prescription, result
from tests.unit.growth import MOST, least

Made = Callable[[int], bytes]

# Case -> what makes a body of a size, and the smaller size: large enough to show in CPU time.
HURTING: dict[str, tuple[Made, int]] = {}


def hurting(size: int) -> Callable[[Made], Made]:
    def registered(made: Made) -> Made:
        HURTING[made.__name__] = made, size
        return made

    return registered


def seconds_on(body: bytes) -> float:
    """CPU time of reading, deciding and assessing."""
    start = time.process_time()
    submission, terminology = decode_bundle(body), KNOWLEDGE.terminology
    with within(Budget(references=10_000_000)):
        record = record_of(submission, terminology, DAY, KNOWLEDGE.reading)
        unknown = unknown_in(submission)
    assessment_of(decide(record, KNOWLEDGE.table), KNOWLEDGE, unknown)
    return time.process_time() - start


def growth(made: Made, size: int) -> float:
    """How many times longer a body of four times the size takes."""
    small, large = made(size), made(4 * size)
    seconds_on(small)
    return min(seconds_on(large) for _ in range(2)) / min(seconds_on(small) for _ in range(3))


# Results


@hurting(2000)
def blanks_in_a_result(size: int) -> bytes:
    return bundle(result(" " * size))


@hurting(2000)
def digits_in_a_result(size: int) -> bytes:
    return bundle(result("1" * size + " a\nb"))


@hurting(2000)
def blanks_behind_a_result(size: int) -> bytes:
    return bundle(result("<1" + " " * size + "a\nb"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [(" < 5 mg/dL ", "<5"), ("-4.10", "-4.10"), (">=7.", ">=7"), ("1\n2", "1\n2"), ("about 5", "about 5")],
)
def test_a_result_in_words_is_read(text: str, shown: str) -> None:
    assert [one.text for one in read(result(text)).results] == [shown]


# Medicines that are made of medicines


def medication(name: str, **members: Any) -> Resource:
    return {"resourceType": "Medication", "id": name, **members}


def made_of(*names: str) -> list[Resource]:
    return [{"itemReference": {"reference": f"Medication/{name}"}} for name in names]


def referring(count: int) -> list[Resource]:
    return [prescription(n, medicationReference={"reference": "Medication/m0"}) for n in range(count)]


def named(count: int) -> list[Resource]:
    return [{"itemCodeableConcept": {"text": f"{n + 100}pril"}} for n in range(count)]


def contained(count: int) -> list[Resource]:
    salt = {"resourceType": "Substance", "code": {"text": "salt"}}
    return [{**salt, "id": f"s{n}"} for n in range(count)]


@hurting(40)
def medications_that_name_the_next_often(size: int) -> bytes:
    chain = [medication(f"m{n}", ingredient=made_of(*[f"m{n + 1}"] * size)) for n in range(2)]
    return bundle(*referring(1), *chain, medication("m2", code={"text": "enalapril"}))


@hurting(100)
def many_prescriptions_of_one_medication(size: int) -> bytes:
    return bundle(*referring(size), medication("m0", ingredient=named(size)))


@hurting(400)
def many_prescriptions_of_one_coded_medication(size: int) -> bytes:
    codings = [{"system": "http://snomed.info/sct", "code": f"{n}"} for n in range(size)]
    return bundle(*referring(size), medication("m0", code={"coding": codings}))


@hurting(100)
def many_prescriptions_in_words_of_one_medication(size: int) -> bytes:
    records = [
        {**record, "medicationCodeableConcept": {"text": f"tablet {n}"}}
        for n, record in enumerate(referring(size))
    ]
    return bundle(*records, medication("m0", ingredient=named(size)))


@hurting(100)
def many_medications_made_of_one(size: int) -> bytes:
    middle = [f"m{n}" for n in range(1, size)]
    return bundle(
        *referring(1),
        medication("m0", ingredient=made_of(*middle)),
        *[medication(name, ingredient=made_of("last")) for name in middle],
        medication("last", ingredient=named(size)),
    )


@hurting(100)
def many_prescriptions_of_what_contains_much(size: int) -> bytes:
    return bundle(*referring(size), medication("m0", code={"text": "enalapril"}, contained=contained(size)))


@hurting(100)
def many_parts_of_what_contains_much(size: int) -> bytes:
    inside = medication("m1", code={"text": "enalapril"}, contained=contained(size))
    return bundle(*referring(1), medication("m0", ingredient=made_of(*["m1"] * size)), inside)


def ingredients_read(count: int, **members: Any) -> tuple[list[str], list[str]]:
    """Names of the drugs of one prescription, and why what of it was not understood."""
    found = read(*referring(1), medication("m0", ingredient=named(count), **members))
    return [drug.name for drug in found.drugs], [note.why for note in found.not_understood]


def test_a_medicine_of_very_many_ingredients_says_that_some_were_not_read() -> None:
    assert ingredients_read(100) == ([f"{n + 100}pril" for n in range(100)], [])
    names, notes = ingredients_read(101)
    assert len(names) == 100
    assert notes == ["it names more ingredients than are read"]


def test_many_medications_in_one_say_that_some_were_not_read() -> None:
    parts = [medication(f"p{n}", code={"text": f"{n + 100}pril"}) for n in range(101)]
    for count, said in ((100, []), (101, ["it names more ingredients than are read"])):
        names = [part["id"] for part in parts[:count]]
        found = read(*referring(1), *parts, medication("m0", ingredient=made_of(*names)))
        assert len(found.drugs) == 100
        assert [note.why for note in found.not_understood] == said


def test_what_is_wrong_with_a_medication_is_said_of_each_prescription() -> None:
    broken = {"resourceType": "Substance", "id": 7}
    found = read(*referring(2), medication("m0", code={"text": "enalapril"}, contained=[broken]))
    assert [(note.reference, note.why) for note in found.not_understood] == [
        (f"MedicationRequest/r{n}", "a contained resource that cannot be read") for n in range(2)
    ]


def test_what_a_medication_contains_is_decoded_once_for_all_drafts(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    contained_in = drug_medicine._contained_in

    def counted(resources: Any) -> Any:
        decoded.append(len(resources or ()))
        return contained_in(resources)

    monkeypatch.setattr(drug_medicine, "_contained_in", counted)
    submission = decode_bundle(
        bundle(*referring(5), medication("m0", code={"text": "enalapril"}, contained=contained(3)))
    )
    drafts = tuple(msgspec.structs.replace(entry, draft=True) for entry in submission.entries)
    found = record_of(replace(submission, entries=drafts), KNOWLEDGE.terminology, DAY, KNOWLEDGE.reading)
    assert [[drug.name for drug in draft.drugs] for draft in found.drafts] == [["enalapril"]] * 5
    assert decoded.count(3) == 1


# Codes


@hurting(20_000)
def an_atc_code(size: int) -> bytes:
    coding = {"system": ATC, "code": "N" * size}
    return bundle(prescription(0, medicationCodeableConcept={"coding": [coding]}))


@hurting(20_000)
def a_code_of_a_system_with_families(size: int) -> bytes:
    system, _ = next(iter(KNOWLEDGE.terminology.finding_prefixes))
    return bundle(observation("fasciculation", code=concept(system, "Q" * size)))


# Dates


@hurting(1500)
def unreadable_dates_of_a_prescription(size: int) -> bytes:
    dosage = {"timing": {"repeat": {"boundsPeriod": {"start": "x"}}}}
    named = {"text": "enalapril"}
    return bundle(prescription(0, medicationCodeableConcept=named, dosageInstruction=[dosage] * size))


# Versions of one resource


@hurting(500)
def one_large_and_many_small_versions(size: int) -> bytes:
    note = [{"text": "x" * 200 * size}]
    large = condition("fasciculation", note=note, meta={"lastUpdated": "2026-01-01"})
    small = condition("fasciculation", meta={"lastUpdated": "2025-01-01"})
    return bundle(large, *[small] * size)


# What many resources, or many parts of one, refer to


@hurting(200)
def many_sites_beside_many_signs(size: int) -> bytes:
    site = {"code": concept(ATC, "site"), "valueCodeableConcept": code_of("hand")}
    sign = {"code": code_of("fasciculation"), "valueBoolean": True}
    return bundle(observation("weakness", component=[site] * size + [sign] * size))


def structure(count: int) -> Resource:
    parts = [{"structure": code_of("hand")}] * count
    return {"resourceType": "BodyStructure", "id": "b", "includedStructure": parts}


def twitching_there(number: int) -> Resource:
    there = {"reference": "BodyStructure/b"}
    return observation("fasciculation", id=f"o{number}", bodyStructure=there)


@hurting(200)
def many_observations_of_one_structure(size: int) -> bytes:
    return bundle(structure(size), *[twitching_there(n) for n in range(size)])


def test_a_structure_of_very_many_parts_is_a_place_that_is_not_understood() -> None:
    found = read(structure(20), twitching_there(0))
    assert ([site.id for site in found.twitch.sites], found.not_understood) == (["hand"], ())
    found = read(structure(21), twitching_there(0))
    assert found.twitch.sites == ()
    assert [note.why for note in found.not_understood] == ["body site not understood"]


@hurting(200)
def many_tasks_of_one_request(size: int) -> bytes:
    codings = [{"system": "http://snomed.info/sct", "code": f"{n}"} for n in range(size)]
    request = {"resourceType": "ServiceRequest", "id": "s", "status": "draft", "code": {"coding": codings}}
    focus = {"status": "requested", "focus": {"reference": "ServiceRequest/s"}}
    patient = {"reference": "Patient/p"}
    tasks = [{"resourceType": "Task", "id": f"t{n}", "for": patient, **focus} for n in range(size)]
    return bundle({**request, "subject": patient}, *tasks)


# Names and texts


def under_a_long_name(body: bytes, entry: bytes, length: int) -> bytes:
    """The body, of which the entry that begins so has a fullUrl of that length."""
    return body.replace(entry, b'{"fullUrl": "urn:%s", ' % (b"u" * length) + entry[1:], 1)


@hurting(500)
def long_name_of_the_patient(size: int) -> bytes:
    of_others = [
        condition("fasciculation", id=f"c{n}", subject={"reference": f"Patient/{n}"}) for n in range(size)
    ]
    entry = b'{"resource": {"resourceType": "Patient"'
    return under_a_long_name(bundle(*of_others), entry, 1000 * size)


@hurting(300)
def long_name_of_a_medication(size: int) -> bytes:
    records = [
        prescription(n, medicationReference={"reference": f"http://{n}/Medication/m0"}) for n in range(size)
    ]
    entry = b'{"resource": {"resourceType": "Medication", "id": "m0"'
    body = bundle(medication("m0", code={"text": "enalapril"}), *records)
    return under_a_long_name(body, entry, 1000 * size)


# What is the same of each code, word or part


def test_a_name_of_many_short_terms_is_not_compared_word_by_word() -> None:
    def calls_for(count: int) -> float:
        text = " ".join(["fml"] * count)
        start = time.process_time()
        for _ in range(10):
            assert drug_names.terms_in(text, {"fml"}) == ["fml"] * count
        return time.process_time() - start

    def growth_of_terms() -> float:
        return min(calls_for(480) for _ in range(3)) / min(calls_for(120) for _ in range(3))

    calls_for(120)
    assert least(growth_of_terms) < MOST


def test_the_longest_terms_of_a_name_are_taken_as_before() -> None:
    terms = {"a b", "b c d", "d", "e f", "f", "a"}
    assert drug_names.terms_in("a b c d e f d", terms) == ["b c d", "e f", "a", "d"]


def test_what_all_codes_of_a_record_share_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read_of: Counter[str] = Counter()
    courses_of, value = signs.courses_of, observation_reading._status

    def counted_courses(*args: Any) -> Any:
        read_of["extension"] += 1
        return courses_of(*args)

    def counted_value(*args: Any, **kwargs: Any) -> Any:
        read_of["value"] += 1
        return value(*args, **kwargs)

    codings = [code_of(name)["coding"][0] for name in ("fasciculation", "weakness", "atrophy")]
    course = {"url": signs.COURSE_EXTENSION, "valueCodeableConcept": concept(ATC, "course")}
    monkeypatch.setattr(signs, "courses_of", counted_courses)
    monkeypatch.setattr(observation_reading, "_status", counted_value)
    read(condition("fasciculation", code={"coding": codings}, extension=[course] * 5))
    assert read_of == {"extension": 5}
    read(observation("fasciculation", code={"coding": codings}, valueBoolean=True))
    assert read_of["value"] == 1


@pytest.mark.parametrize("name", HURTING)
def test_the_cost_grows_with_the_body(name: str) -> None:
    made, size = HURTING[name]
    assert least(lambda: growth(made, size)) < MOST
