"""Responses to the published Questionnaire: whose, when, and what is understood."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from fhir_mappings.record import Basis, Days, Status
from tests.spec.forms import (
    CLINICIAN,
    FORM,
    NO,
    OFFERED,
    REFERENCE,
    TWITCH,
    YES,
    coding,
    decided,
    outcome,
    place,
    response,
    why,
)
from tests.spec.records import DAY, as_of, condition, observation, read

NOT_UNDERSTOOD = "its answer is not understood"


def test_the_response_is_valid_fhir() -> None:
    made = response({"weakness": True, "onset": as_of(9), "site": [coding("sites", "left thigh")]})
    get_fhir_model_class("QuestionnaireResponse").model_validate(made)


def test_an_answer_is_a_statement_with_its_place() -> None:
    finding = read(TWITCH, response({"weakness": True})).finding("weakness")
    assert (finding.status, finding.basis, finding.recorded) == (Status.PRESENT, Basis.EXAMINED, DAY)
    (evidence,) = finding.evidence
    assert (evidence.reference, evidence.expression) == (REFERENCE, place("weakness"))
    assert (evidence.text, evidence.used) == ("weakness", True)


@pytest.mark.parametrize(
    ("who", "sign"),
    [
        (CLINICIAN, Basis.EXAMINED),
        ({"author": {"reference": "https://ehr.example/fhir/PractitionerRole/d"}}, Basis.EXAMINED),
        ({"author": {"type": "Practitioner", "display": "Dr A"}}, Basis.EXAMINED),
        ({**CLINICIAN, "source": {"reference": "Practitioner/d"}}, Basis.EXAMINED),
        ({**CLINICIAN, "source": {"reference": "Patient/p"}}, Basis.REPORTED),
        ({**CLINICIAN, "source": {"reference": "RelatedPerson/m"}}, Basis.REPORTED),
        ({"author": {"reference": "Patient/p"}}, Basis.REPORTED),
        ({"author": {"reference": "RelatedPerson/m"}}, Basis.REPORTED),
        ({"author": {"reference": "Device/app"}}, Basis.REPORTED),
        ({"author": {"reference": "urn:uuid:1b8c3a0e-5f0e-4c8e-9b43-6f4c2d1e0a7b"}}, Basis.REPORTED),
        ({"author": None}, Basis.REPORTED),
    ],
)
def test_examined_by_a_clinician_else_reported(who: dict[str, Any], sign: Basis) -> None:
    record = read(TWITCH, response({"weakness": False, "orthopnea": True}, **who))
    assert record.finding("weakness").basis is sign
    # A symptom is told, whoever writes it down.
    assert record.finding("orthopnea").basis is Basis.REPORTED


@pytest.mark.parametrize("form", [FORM["url"], f"{FORM['url']}|{FORM['version']}", f"{FORM['url']}|older"])
def test_every_version_of_the_form_is_read(form: str) -> None:
    record = read(TWITCH, response({"atrophy": False}, questionnaire=form, status="amended"))
    assert record.finding("atrophy").status is Status.ABSENT
    assert why(record.not_used) == why(record.not_understood) == []


@pytest.mark.parametrize("form", [None, "https://forms.example/Questionnaire/phq-9", f"{FORM['url']}-2"])
def test_another_form_is_not_used(form: str | None) -> None:
    record = read(TWITCH, response({"atrophy": False}, questionnaire=form))
    assert record.finding("atrophy").status is Status.UNKNOWN
    assert why(record.not_used) == [("answers another questionnaire, or none that it names", None)]
    assert why(record.not_understood) == []


@pytest.mark.parametrize("status", ["in-progress", "stopped", "draft", None])
def test_what_is_not_completed_is_named(status: str | None) -> None:
    record = read(TWITCH, response({"atrophy": False}, status=status))
    assert record.finding("atrophy").status is Status.UNKNOWN
    named = ("its status is not completed or amended", "QuestionnaireResponse.status")
    assert why(record.not_understood) == [named]


def test_what_is_in_error_does_not_exist() -> None:
    record = read(TWITCH, response({"atrophy": False}, status="entered-in-error"))
    assert record == read(TWITCH)


def test_of_another_patient_or_dated_later() -> None:
    other = read(TWITCH, response({"weakness": True}, subject={"reference": "Patient/q"}))
    later = read(TWITCH, response({"weakness": True}, authored=as_of(-9)))
    assert [why(record.not_used) for record in (other, later)] == [
        [("belongs to another patient", None)],
        [("is dated after the day of the decision", None)],
    ]
    assert other.findings == later.findings == {}


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"valueCoding": {**YES, "display": None}}, Status.PRESENT),
        ({"valueCoding": NO}, Status.ABSENT),
        ({"valueCoding": {"display": "Yes"}}, Status.PRESENT),
        ({"valueBoolean": True}, Status.PRESENT),
        ({"valueBoolean": False}, Status.ABSENT),
        ({"valueString": "no"}, Status.ABSENT),
        ({"valueString": " Yes "}, Status.PRESENT),
    ],
)
def test_answers_that_are_understood(answer: dict[str, Any], status: Status) -> None:
    record = read(TWITCH, response({"weakness": answer}))
    assert record.finding("weakness").status is status
    assert why(record.not_understood) == []


@pytest.mark.parametrize(
    "answer",
    [
        {"valueCoding": {"system": "http://loinc.org", "code": "no such", "display": "Yes"}},
        {"valueCoding": "yes"},
        {"valueString": "a little"},
        {"valueInteger": 1},
        {"valueBoolean": "true"},
        {"valueReference": {"reference": "Observation/o"}},
        [True, False],
        {},
    ],
)
def test_an_answer_that_is_not_understood_is_named_and_the_rest_is_read(answer: Any) -> None:
    record = read(TWITCH, response({"weakness": answer, "atrophy": True}))
    assert record.finding("weakness").status is Status.UNKNOWN
    assert record.finding("atrophy").status is Status.PRESENT
    assert why(record.not_understood) == [(NOT_UNDERSTOOD, place("weakness"))]


@pytest.mark.parametrize(
    ("link", "expression"),
    [
        ("q1", place("q1")),
        ("diabetes", place("diabetes")),
        ("Mr Smith's leg", "QuestionnaireResponse.item"),
        (7, "QuestionnaireResponse.item"),
        (None, "QuestionnaireResponse.item"),
    ],
)
def test_an_item_of_no_form_is_named(link: Any, expression: str) -> None:
    made = response({"weakness": False})
    made["item"].append({"linkId": link, "answer": [{"valueCoding": YES}]})
    record = read(TWITCH, made)
    assert why(record.not_understood) == [("an item that the questionnaire does not have", expression)]
    assert record.finding("weakness").status is Status.ABSENT
    assert list(record.findings) == ["weakness"]


@pytest.mark.parametrize("item", [None, [], {}, "x", 1, [None, "x", {"item": [{}]}]])
def test_a_response_without_answers_says_nothing(item: Any) -> None:
    record = read(TWITCH, response({}, item=item))
    assert record.findings == {}


def test_items_are_found_however_deep_and_in_any_order() -> None:
    made = response({"weakness": True, "bulbar": False})
    flat = [item for group in made["item"] for item in group["item"]]
    deep = [{"linkId": "a", "item": [{"linkId": "b", "answer": [{"item": flat[::-1]}]}]}]
    nested = [{"linkId": "a", "answer": [{"valueBoolean": True, "item": flat}]}]
    expected = read(TWITCH, response({"weakness": True, "bulbar": False})).findings
    assert read(TWITCH, response({}, item=flat[::-1])).findings == expected
    assert read(TWITCH, response({}, item=nested)).findings == expected
    assert read(TWITCH, response({}, item=deep)).findings == expected


def test_a_modified_answer_or_response_is_not_read_as_written() -> None:
    made = response({"weakness": False, "atrophy": False})
    made["item"][0]["item"][0]["modifierExtension"] = [{"url": "https://x.example", "valueBoolean": True}]
    record = read(TWITCH, made)
    assert record.finding("weakness").status is Status.UNKNOWN
    assert record.finding("atrophy").status is Status.ABSENT
    whole = read(TWITCH, response({"atrophy": False}, modifierExtension=[{"url": "https://x.example"}]))
    assert whole.finding("atrophy").status is Status.UNKNOWN
    assert len(why(record.not_understood)) == len(why(whole.not_understood)) == 1


# Currency and conflict are those of every other record


def test_an_old_response_is_history() -> None:
    for days, status in ((180, Status.PRESENT), (181, Status.UNKNOWN)):
        record = read(TWITCH, response({"weakness": True}, authored=as_of(days)))
        assert record.finding("weakness").status is status


def test_the_newer_examination_decides() -> None:
    seen = observation("weakness", valueBoolean=True, effectiveDateTime=as_of(3))
    for days, status in ((2, Status.ABSENT), (4, Status.PRESENT)):
        answered = response({"weakness": False}, authored=as_of(days))
        for order in ((seen, answered), (answered, seen)):
            finding = read(TWITCH, *order).finding("weakness")
            assert (finding.status, finding.conflict) == (status, True)


# The twitch


def test_the_form_alone_makes_no_twitch() -> None:
    about = {
        "site": coding("sites", "tongue"),
        "course": coding("courses", "worsening or spreading"),
        "onset": as_of(9),
    }
    record = read(response(about))
    assert record.twitch.status is Status.UNKNOWN
    assert decided(record).gate == decided(read()).gate
    over = condition("fasciculation", clinical="resolved")
    assert decided(read(over, response(about))).gate == decided(read(over)).gate
    gone = observation("fasciculation", valueBoolean=False)
    twitch = read(gone, response(about)).twitch
    assert (twitch.status, twitch.sites, twitch.onset) == (Status.ABSENT, (), Days())


def test_answers_join_the_recorded_twitch() -> None:
    about = {
        "site": [coding("sites", "left thigh"), {"valueString": "Tongue"}],
        "course": coding("courses", "continuous"),
        "onset": as_of(20),
    }
    twitch = read(TWITCH, response(about)).twitch
    assert {(site.id, site.side) for site in twitch.sites} == {("thigh", "left"), ("tongue", None)}
    assert twitch.courses == {"continuous"}
    assert twitch.onset == Days(DAY - timedelta(days=20), DAY - timedelta(days=20))
    assert {one.expression for one in twitch.evidence if one.reference == REFERENCE} == {
        place("site"),
        place("course"),
        place("onset"),
    }
    # An order gives a Condition or Observation as its reason, never a response.
    assert twitch.references == ("Condition/fasciculation",)


def test_they_count_as_long_as_an_observation_of_the_twitch() -> None:
    for days, counts in ((180, True), (181, False)):
        sites = read(TWITCH, response({"site": coding("sites", "tongue")}, authored=as_of(days))).twitch.sites
        assert bool(sites) is counts


def test_they_are_what_an_observation_of_the_twitch_would_say() -> None:
    seen = observation(
        "fasciculation",
        bodySite="tongue",
        effectivePeriod={"start": as_of(30), "end": as_of(0)},
        effectiveDateTime=None,
    )
    told = response({"site": coding("sites", "tongue"), "onset": as_of(30)})
    assert outcome(read(TWITCH, seen)) == outcome(read(TWITCH, told))


@pytest.mark.parametrize("name", ["sites", "courses"])
def test_every_option_is_understood_by_its_code_and_by_its_display(name: str) -> None:
    link = name.removesuffix("s")
    for option in OFFERED[name]:
        bare = {"system": option["system"], "code": option["code"]}
        records = [
            read(TWITCH, response({link: answer}))
            for answer in ({"valueCoding": bare}, {"valueString": option["display"]})
        ]
        assert records[0].twitch == records[1].twitch != read(TWITCH).twitch
        assert why(records[0].not_understood) == []


def test_a_site_that_is_not_understood_is_named_and_the_others_are_read() -> None:
    record = read(TWITCH, response({"site": [{"valueString": "somewhere"}, coding("sites", "hand")]}))
    assert [site.id for site in record.twitch.sites] == ["hand"]
    assert why(record.not_understood) == [(NOT_UNDERSTOOD, place("site"))]


def test_the_beginning_of_weakness_dates_its_answer() -> None:
    finding = read(TWITCH, response({"weakness": True, "weakness-start": as_of(10)})).finding("weakness")
    assert finding.since == Days(DAY - timedelta(days=10), DAY - timedelta(days=10))


@pytest.mark.parametrize(
    ("answers", "link", "says"),
    [
        ({"weakness": False, "weakness-start": as_of(10)}, "weakness-start", "does not answer as present"),
        ({"weakness-start": as_of(10)}, "weakness-start", "does not answer as present"),
        ({"weakness": True, "weakness-start": as_of(-10)}, "weakness-start", "after the day of the decision"),
        ({"weakness": True, "weakness-start": "spring"}, "weakness-start", "not a FHIR date"),
        ({"onset": {"valueString": "spring"}}, "onset", NOT_UNDERSTOOD),
        ({"onset": [as_of(1), as_of(2)]}, "onset", NOT_UNDERSTOOD),
        ({"onset": "1960-01-01"}, "onset", "before the birth"),
    ],
)
def test_a_day_that_cannot_be_read_is_named(answers: dict[str, Any], link: str, says: str) -> None:
    record = read(TWITCH, response(answers))
    (note,) = [note for note in record.not_understood if note.reference == REFERENCE]
    assert says in note.why
    assert note.expression == place(link)
    assert record.twitch.onset.earliest is None
    assert record.finding("weakness").since == Days()


def test_the_birth_date_is_not_read_back() -> None:
    record = read(TWITCH, response({"birth-date": "2020-01-01"}))
    assert record.patient == read(TWITCH).patient
    assert why(record.not_understood) == []


def test_a_twitch_in_words_stays_in_words() -> None:
    words = condition("fasciculation", code={"text": "muscle twitching"})
    record = read(words, response({"site": coding("sites", "tongue")}))
    assert record.twitch.in_words
    assert decided(record).gate == decided(read(words)).gate
