"""A body must not hold a worker: four times the body costs about four times the work, never sixteen."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from fhir_mappings.request.bundles import decode_bundle
from fhir_mappings.request.json_body import json_bytes
from fhir_mappings.terminology import ATC
from fhir_mappings.to_findings import drug_names, record_of
from fhir_mappings.to_findings import findings as signs
from fhir_mappings.to_findings import medication_identity as drug_medicine
from fhir_mappings.to_findings import observations as observation_reading
from service.assessment import assessment_of
from service.cards import draft_order_card, escaping
from service.decision import decide
from service.evaluation import Evaluator
from service.hook_request import read_hook_request
from tests.spec.records import DAY, KNOWLEDGE, as_of, bundle, code_of, concept, condition, observation, read

Resource = dict[str, Any]
Made = Callable[[int], bytes]

# Case -> what makes a body of a size, and the smaller size: large enough to show in CPU time.
HURTING: dict[str, tuple[Made, int]] = {}


def hurting(size: int) -> Callable[[Made], Made]:
    def registered(made: Made) -> Made:
        HURTING[made.__name__] = made, size
        return made

    return registered


# What is stored, and what the hook adds to it.
Asked = tuple[list[Resource], Resource]
HURTING_HOOKS: dict[str, tuple[Callable[[int], Asked], str, int]] = {}
EVALUATOR = Evaluator(KNOWLEDGE, "https://cds.example")
SERVICES = {service["hook"]: service for service in KNOWLEDGE.hooks}


def hurting_hook(hook: str, size: int) -> Callable[[Callable[[int], Asked]], Callable[[int], Asked]]:
    def registered(made: Callable[[int], Asked]) -> Callable[[int], Asked]:
        HURTING_HOOKS[made.__name__] = made, hook, size
        return made

    return registered


def listed(resources: Iterable[Resource]) -> Resource:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def drafted(resources: Iterable[Resource]) -> Resource:
    return {"draftOrders": listed({**resource, "status": "draft"} for resource in resources)}


def call_of(hook: str, stored: list[Resource], context: Resource) -> bytes:
    """A call of that hook."""
    keys = {"Condition": "conditions", "Observation": "findings", "MedicationRequest": "medications"}
    kept: dict[str, list[Resource]] = {key: [] for key in SERVICES[hook]["prefetch"]}
    for resource in stored:
        kept[keys.get(resource["resourceType"], "procedures")].append(resource)
    patient = {"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01"}
    body = {
        "hook": hook,
        "hookInstance": str(uuid.UUID(int=1)),
        "context": {"userId": "Practitioner/x", "patientId": "p", **context},
        "prefetch": {**{key: listed(some) for key, some in kept.items()}, "patient": patient},
        "extension": {"org.fasciculation-cds": {"asOf": DAY.isoformat()}},
    }
    return json.dumps(body).encode()


def cards_in(call: bytes) -> list[dict[str, Any]]:
    return EVALUATOR.hook_request(read_hook_request(call, SERVICES), assessed=False).cards


def timed(act: Callable[[bytes], Any], body: bytes) -> float:
    start = time.process_time()
    act(body)
    return time.process_time() - start


def twitching(number: int = 0) -> Resource:
    return condition("fasciculation", id=f"t{number}", onsetDateTime=as_of(40))


def medicine(number: int, name: str) -> Resource:
    return prescription(number, medicationCodeableConcept={"text": name}, authoredOn=as_of(0))


def study(number: int) -> Resource:
    """An order of a needle examination."""
    system, code = min(key for key, name in KNOWLEDGE.terminology.procedures.items() if name == "emg")
    order = {"resourceType": "ServiceRequest", "status": "active", "intent": "order"}
    return {**order, "id": f"s{number}", "subject": {"reference": "Patient/p"}, "code": concept(system, code)}


def seconds_on(body: bytes) -> float:
    """CPU time of reading, deciding and assessing."""
    start = time.process_time()
    record = record_of(decode_bundle(body), KNOWLEDGE.terminology, DAY, KNOWLEDGE.reading)
    assessment_of(decide(record, KNOWLEDGE.table), KNOWLEDGE)
    return time.process_time() - start


def growth(made: Made, size: int) -> float:
    """How many times longer a body of four times the size takes."""
    small, large = made(size), made(4 * size)
    seconds_on(small)
    return min(seconds_on(large) for _ in range(2)) / min(seconds_on(small) for _ in range(3))


# Results


def result(text: str) -> Resource:
    code = min(code for system, code in KNOWLEDGE.terminology.analyte_codes if "loinc" in system)
    coding = {"system": "http://loinc.org", "code": code}
    return observation("fasciculation", code={"coding": [coding]}, valueString=text)


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
    [(" < 5 mg/dL ", "<5"), ("-4.10", "-4.10"), (">=7.", ">=7"), ("1\n2", "1"), ("about 5", "about 5")],
)
def test_a_result_in_words_is_read_as_before(text: str, shown: str) -> None:
    assert [one.text for one in read(result(text)).results] == [shown]


# Medicines that are made of medicines


def prescription(number: int, **members: Any) -> Resource:
    order = {"resourceType": "MedicationRequest", "status": "active", "intent": "order"}
    return {**order, "id": f"r{number}", "subject": {"reference": "Patient/p"}, **members}


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


@hurting(5000)
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


def answered(*resources: Resource) -> int:
    """The length of the assessment."""
    record = record_of(decode_bundle(bundle(*resources)), KNOWLEDGE.terminology, DAY, KNOWLEDGE.reading)
    return len(json_bytes(assessment_of(decide(record, KNOWLEDGE.table), KNOWLEDGE)))


def test_a_long_id_is_not_repeated_in_the_answer() -> None:
    parts = [{"code": code_of("fasciculation"), "valueBoolean": True}] * 100
    short, long = (answered(observation("weakness", id=name, component=parts)) for name in ("i", "i" * 1000))
    assert long < short + 100 * 50
    assert "i" * 256 in str(read(observation("fasciculation", id="i" * 256)).twitch.references)


def test_a_long_text_is_not_repeated_in_the_answer() -> None:
    codes = [code_of(name)["coding"][0] for name in ("fasciculation", "weakness", "atrophy")]
    assert answered(observation("weakness", code={"coding": codes, "text": "x" * 100_000})) < 20_000


@pytest.mark.parametrize(
    "resource",
    [
        {**result("5"), "valueString": "x" * 100_000},
        {**result("5"), "valueString": None, "valueQuantity": {"value": 5, "unit": "u" * 100_000}},
        {**result("5"), "valueString": None, "dataAbsentReason": {"text": "x" * 100_000}},
        {**result("5"), "interpretation": [{"text": "x" * 100_000}]},
    ],
)
def test_a_long_text_of_a_result_is_not_repeated_in_the_answer(resource: Resource) -> None:
    assert answered({name: member for name, member in resource.items() if member is not None}) < 20_000


def test_a_long_name_of_a_medicine_or_priority_is_not_repeated_in_the_answer() -> None:
    assert answered(prescription(0, medicationCodeableConcept={"text": "x" * 100_000})) < 20_000
    assert answered({**study(0), "priority": "x" * 100_000, "authoredOn": as_of(1)}) < 20_000


def test_a_long_relationship_is_not_repeated_for_each_condition() -> None:
    conditions = [{"code": code_of("motor-neuron-disease")}] * 50
    history = {"resourceType": "FamilyMemberHistory", "id": "f", "status": "completed"}
    relative = {"patient": {"reference": "Patient/p"}, "relationship": {"text": "v" * 100_000}}
    assert answered({**history, **relative, "condition": conditions}) < 30_000


def test_a_long_text_is_not_read_to_its_end_for_a_line_of_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    monkeypatch.setattr(escaping, "_printable", lambda text: read.append(len(text)) or "")
    escaping.folded("\n" * 1_000_000)
    assert read == [10_000]


# What is the same of each code, word or part


def test_a_name_of_many_short_terms_is_not_compared_word_by_word() -> None:
    def calls_for(count: int) -> float:
        text = " ".join(["fml"] * count)
        start = time.process_time()
        for _ in range(10):
            assert drug_names.terms_in(text, {"fml"}) == ["fml"] * count
        return time.process_time() - start

    calls_for(120)
    assert min(calls_for(480) for _ in range(3)) < 8 * min(calls_for(120) for _ in range(3))


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


# Cards of the other hooks: what depends on the record is written once, however many drafts there are


@hurting_hook("order-sign", 1000)
def many_drafts_beside_many_medicines(size: int) -> Asked:
    on_file = [medicine(n, f"zzz{n}qq") for n in range(size)]
    return [twitching(), *on_file], drafted(medicine(n, "furosemide") for n in range(size))


@hurting_hook("order-sign", 500)
def many_drafts_of_other_names_beside_the_same_on_file(size: int) -> Asked:
    names = [f"furosemide zz{n}" for n in range(size)]
    on_file = [medicine(n, name) for n, name in enumerate(names)]
    return [twitching(), *on_file], drafted(medicine(n, name) for n, name in enumerate(names))


@hurting_hook("order-sign", 800)
def many_drafts_beside_many_twitches(size: int) -> Asked:
    return [twitching(n) for n in range(size)], drafted(medicine(n, "furosemide") for n in range(size))


@hurting_hook("order-sign", 1000)
def many_draft_studies_beside_many_medicines(size: int) -> Asked:
    on_file = [medicine(n, f"zzz{n}qq") for n in range(size)]
    return [twitching(), *on_file], drafted(study(n) for n in range(size))


@hurting_hook("order-sign", 1000)
def many_draft_studies_beside_many_done(size: int) -> Asked:
    done = {"resourceType": "Procedure", "status": "completed", "performedDateTime": as_of(3)}
    on_file = [{**study(n), **done} for n in range(size)]
    return [twitching(), *on_file], drafted(study(n) for n in range(size))


@hurting_hook("problem-list-item-create", 700)
def many_new_problems_beside_many_examinations(size: int) -> Asked:
    examined = [
        observation("weakness", id=f"o{n}", valueBoolean=False, effectiveDateTime=as_of(1 + n % 30))
        for n in range(size)
    ]
    return [twitching(), *examined], {
        "conditions": listed(condition("weakness", id=f"n{n}") for n in range(size))
    }


@pytest.mark.parametrize("name", HURTING_HOOKS)
def test_the_cost_of_the_cards_grows_with_the_call(name: str) -> None:
    made, hook, size = HURTING_HOOKS[name]
    small, large = (call_of(hook, *made(count)) for count in (size, 4 * size))
    assert cards_in(large), "a call without cards times nothing"
    cards_in(small)
    quick = min(timed(cards_in, small) for _ in range(3))
    assert min(timed(cards_in, large) for _ in range(2)) / quick < 8


def test_equal_remarks_are_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    card = draft_order_card._DraftCard.card

    def counted(self: Any) -> Any:
        written.append(self.remark.draft.reference)
        return card(self)

    monkeypatch.setattr(draft_order_card._DraftCard, "card", counted)
    call = call_of("order-sign", [twitching()], drafted(medicine(n, "furosemide") for n in range(9)))
    assert len(cards_in(call)) == len(written) == 1


@pytest.mark.parametrize("name", HURTING)
def test_the_cost_grows_with_the_body(name: str) -> None:
    made, size = HURTING[name]
    assert growth(made, size) < 8
