"""Names in words, members of another shape, dates in other forms, and Observations inside other resources."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fhir_mappings.record import Band, Status
from fhir_mappings.resources.dates import legible_days
from tests.spec.outcomes import outcome_of
from tests.spec.records import as_of, concept, condition, observation, read
from tests.spec.test_results import MG, K, lab

TWITCH = condition("fasciculation", onsetDateTime=as_of(30))
LOCAL = {"system": "urn:example:codes", "code": "17"}
IN_WORDS = [
    "Muscle twitching",
    "MUSCLE TWITCHING.",
    "muscle-twitching",
    "Fasciculation(s)",
    "Fasciculations, muscle"[:14],
    "Twitching of muscle",
    "Eyelid twitch",
    "Faszikulationen",
    "Fasciculación",
    "  fasciculation  ",
    "Benign fasciculation-cramp syndrome",
    "Muscle twitching (finding)",
    "Fasciculation (disorder)",
    "Muscle twitching (symptom)",
    "C/O: muscle twitching",
    "Complains of muscle twitching",
    "Muscle twitching NOS",
    "Leg twitching",
    "Twitching of calf",
    "Eye twitch",
    "Generalised fasciculations",
    "Twitching, muscle",
    "Left eyelid twitching",
    "Muscle twitching (left calf)",
    "Twitching - calf",
    "O/E - fasciculation",
    "[D]Fasciculation",
    "Muscle twitching, unspecified",
    "1. Muscle twitching",
    "Fasciculations - hands",
    "Muscle fasciculation, benign",
    "ＭＵＳＣＬＥ ＴＷＩＴＣＨＩＮＧ",
    "Muscle twitch\u00ading",
    "Fasciculaciones musculares",
    "Fasciculations musculaires",
    "Fasciculações musculares",
    "Fascicolazioni muscolari",
    "Muskelzucken",
    "Lidzucken links",
    "Fascikulationer",
    "Spierfasciculaties",
    "線維束性収縮",
    "фасцикуляции",
]
NOT_IN_WORDS = [
    "No twitching",
    "no fasciculation",
    "Family history of fasciculation",
    "Denies twitching",
    "Fasciculation: none",
    "Fasciculation (-)",
    "- fasciculation",
    "Fasciculation -",
    "Twitching ruled out",
    "Fascicular block",
    "Worried about twitching",
    "twitching 0",
    "No muscle twitching (finding)",
    "Muscle twitching (resolved)",
    "FH: muscle twitching",
    "H/O fasciculation",
    "Possible fasciculations",
    "Fasciculation - none",
    "Fasciculation - 0",
    "Fasciculation - resolved",
    "Fasciculations - no",
    "O/E - no fasciculation",
    "Muscle twitching (left calf) resolved",
    "Left eyelid twitching: no",
    "No left eyelid twitching",
    "Keine Muskelzuckungen",
    "Sin fasciculaciones musculares",
    "Pas de fasciculations musculaires",
    "0 Muscle twitching",
    "- Muskelzucken",
]


@pytest.mark.parametrize("text", IN_WORDS)
def test_the_whole_text_names_a_twitch(text: str) -> None:
    for code in ({"text": text}, {"coding": [{**LOCAL, "display": text}]}):
        for made in (
            condition("fasciculation", code=code),
            observation("fasciculation", code=code, valueBoolean=True),
        ):
            record = read(made)
            assert record.twitch.status is Status.PRESENT
            assert record.twitch.in_words
            assert [note.why for note in record.not_understood]


@pytest.mark.parametrize("text", NOT_IN_WORDS)
def test_a_part_of_the_text_does_not(text: str) -> None:
    for code in ({"text": text}, {"coding": [{**LOCAL, "display": text}]}):
        assert read(condition("fasciculation", code=code)).twitch.status is Status.UNKNOWN


ANALYTES = [
    ("Potassium", "potassium"),
    ("Serum potassium", "potassium"),
    ("POTASSIUM, SERUM", "potassium"),
    ("K+", "potassium"),
    ("Potassium [Moles/volume] in Serum or Plasma", "potassium"),
    ("TSH", "TSH"),
    ("Thyroid stimulating hormone", "TSH"),
    ("Magnesium level", "magnesium"),
    ("Creatine Kinase", "creatine kinase"),
]


@pytest.mark.parametrize(("text", "label"), ANALYTES)
def test_a_result_whose_words_name_an_analyte_is_named_and_answers_nothing(text: str, label: str) -> None:
    for code in ({"text": text}, {"coding": [{**LOCAL, "display": text}]}):
        record = read(TWITCH, {**lab(K, "6.9"), "code": code})
        assert record.results == ()
        (note,) = record.not_understood
        assert label in note.why
        assert note.expression == "Observation.code"
    panel = {**lab(K, None), "code": {"text": "Chemistry"}, "component": [{"code": {"text": text}}]}
    assert [note.expression for note in read(TWITCH, panel).not_understood] == [
        "Observation.component[0].code"
    ]


@pytest.mark.parametrize(
    "text", ["Urine potassium", "Potassium intake", "No potassium", "Potassium -", "Haemoglobin"]
)
def test_other_words_name_no_analyte(text: str) -> None:
    assert read(TWITCH, {**lab(K, "6.9"), "code": {"text": text}}).not_understood == ()


def test_a_known_code_is_not_named_for_its_text() -> None:
    record = read(TWITCH, {**lab(K, "4.1"), "code": {**concept("http://loinc.org", K), "text": "Magnesium"}})
    assert [result.analyte for result in record.results] == ["potassium"]
    assert record.not_understood == ()


SHAPES: list[tuple[dict[str, Any], str]] = [
    # A member of a neighbouring version of FHIR: all of it is read.
    (lab(K, "6.9", category={"coding": [{"code": "laboratory"}]}), ""),
    (lab(K, "6.9", performer={"reference": "Practitioner/1"}), ""),
    (lab(K, "6.9", interpretation={"text": "H"}), ""),
    (lab(K, "6.9", referenceRange={"low": {"value": 3.5}, "high": {"value": 5.1}}), ""),
    (lab(K, "6.9", bodySite=[{"text": "arm"}]), ""),
    # One that cannot be read is named, and the rest is read.
    (lab(K, "6.9", when=1750000000), "Observation.effectiveDateTime"),
    (lab(K, "6.9", category="laboratory"), "Observation.category"),
    (lab(K, "6.9", issued=20260613), "Observation.issued"),
    (lab(K, "6.9", id=7), ""),
    (lab(K, "6.9", id=[7]), "Observation.id"),
    (lab(K, "6.9", performer=[{"reference": 5}]), "Observation.performer"),
    (lab(K, "6.9", interpretation="H"), "Observation.interpretation"),
    (lab(K, "6.9", referenceRange="3.5-5.1"), "Observation.referenceRange"),
    (lab(K, "6.9", status=1), "Observation.status"),
    (lab(K, "6.9", derivedFrom="x"), "Observation.derivedFrom"),
]


@pytest.mark.parametrize(("made", "expression"), SHAPES)
def test_an_odd_member_loses_no_critical_result(made: dict[str, Any], expression: str) -> None:
    record = read(TWITCH, made)
    assert [result.band for result in record.results] == [Band.CRITICAL]
    assert outcome_of(record).level == "critical"
    assert {note.expression for note in record.not_understood} >= ({expression} if expression else set())


DOUBTS = [
    ({"interpretation": "H"}, "4.1"),
    ({"referenceRange": "3.5-5.1"}, "4.1"),
    ({"modifierExtension": {"url": "urn:x"}}, "4.1"),
    ({"status": {"coding": []}}, "4.1"),
    ({"valueQuantity": "4.1 mmol/L"}, None),
    ({"dataAbsentReason": "unknown"}, None),
]


@pytest.mark.parametrize(("members", "value"), DOUBTS)
def test_an_odd_member_that_may_decide_answers_no_test(members: dict[str, Any], value: str | None) -> None:
    record = read(TWITCH, {**lab(K, value), **members})
    asked = {analyte for r in outcome_of(record).recommendations for analyte in r.analytes}
    assert "potassium" in asked
    assert record.not_understood


CONDITIONS = [
    (
        {
            "verificationStatus": [
                concept("http://terminology.hl7.org/CodeSystem/condition-ver-status", "refuted")
            ]
        },
        1,
    ),
    ({"verificationStatus": 5}, 0),
    ({"clinicalStatus": 5}, 0),
    ({"onsetDateTime": 1750000000}, 2),
    ({"recordedDate": {"start": "2026"}}, 2),
    ({"bodySite": "left arm"}, 2),
    ({"category": 5}, 2),
    ({"asserter": "Dr X"}, 2),
]


@pytest.mark.parametrize(("members", "status"), CONDITIONS)
def test_an_odd_member_of_a_condition(members: dict[str, Any], status: int) -> None:
    expected = (Status.UNKNOWN, Status.ABSENT, Status.PRESENT)[status]
    record = read(TWITCH, {**condition("weakness"), **members})
    assert record.finding("weakness").status is expected
    assert bool(record.not_understood) is (status != 1)


def test_a_basis_that_cannot_be_read_is_the_weakest() -> None:
    for members in ({"performer": "x"}, {"derivedFrom": 1}, {"category": "exam"}):
        made = {**observation("weakness", valueBoolean=False), **members}
        assert read(TWITCH, made).finding("weakness").basis == "reported"


def test_a_patient_with_an_odd_birth_date_is_still_read() -> None:
    record = read(TWITCH, birth=19800101)  # type: ignore[arg-type]
    assert record.patient.id == "p"
    assert [note.expression for note in record.not_understood] == ["Patient.birthDate"]


LEGIBLE = [
    "2026-05-01T10:00:00.000+0000",
    "2026-05-01T10:00:00+00",
    "2026-05-01 10:00:00",
    "2026-05-01 10:00",
    "2026-5-1",
    "2026-05-1",
    "20260501",
    "20260501103000",
    "20260501103000.123+0200",
    "20260501T103000Z",
    "2026/05/01",
    "2026.05.01",
    "2026-05-01T10:00:00Z[UTC]",
    "2026-05-01T10:00:00+02:00[Europe/Berlin]",
    "2026-05-01T10:00",
    "2026-05-01T10",
    "2026-05-01Z",
    "2026-05-01+02:00",
    "2026-05-01t10:00:00z",
    "2026-05-01T10:00:00 +0200",
    "2026-05-01T10:00:00 UTC",
]
NOT_LEGIBLE = [
    "01/05/2026",
    "01.05.2026",
    "5-1-2026",
    "2026-13-01",
    "20261301",
    "2026-02-30",
    "1750000000",
    "May 2026",
    "26-05-01",
    "2026-05-01 or later",
    "202605011",
    "2026-05-01T",
    "1026-05-01",
    "2026-05-01" * 20,
]


@pytest.mark.parametrize("text", LEGIBLE)
def test_a_day_in_another_form_is_read(text: str) -> None:
    day = date(2026, 5, 1)
    record = read(condition("fasciculation", onsetDateTime=text, recordedDate="2026-06-12"))
    assert (record.twitch.onset.earliest, record.twitch.onset.latest) == (day, day)


@pytest.mark.parametrize("text", [text for text in LEGIBLE if legible_days(text)][:7])
def test_the_form_is_named(text: str) -> None:
    record = read(condition("fasciculation", onsetDateTime=text, recordedDate="2026-06-12"))
    assert [note.expression for note in record.not_understood] == ["Condition.onsetDateTime"]


@pytest.mark.parametrize("text", NOT_LEGIBLE)
def test_a_day_that_is_not_certain_is_not_guessed(text: str) -> None:
    record = read(condition("fasciculation", onsetDateTime=text, recordedDate="2026-06-12"))
    assert record.twitch.onset.earliest is None
    assert [note.expression for note in record.not_understood] == ["Condition.onsetDateTime"]


def report(*parts: Any, **members: Any) -> dict[str, Any]:
    return {
        "resourceType": "DiagnosticReport",
        "id": "dr",
        "status": "final",
        "code": concept("http://loinc.org", "24323-8"),
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": as_of(1),
        "contained": list(parts),
        **members,
    }


def bare(code: str, value: str, **members: Any) -> dict[str, Any]:
    """A contained result that leaves to its report whose and when it is."""
    made = lab(code, value, **members)
    return {name: v for name, v in made.items() if name not in ("subject", "effectiveDateTime", "status")}


HOLDERS = [
    report(lab(K, "6.9", id="k1"), result=[{"reference": "#k1"}]),
    report(lab(K, "6.9")),
    report(bare(K, "6.9")),
    report(bare(K, "6.9"), effectiveDateTime=None, issued=f"{as_of(1)}T10:00:00Z"),
    {
        **{**lab(K, None), "code": {"text": "Panel"}},
        "contained": [lab(K, "6.9", id="m")],
        "hasMember": [{"reference": "#m"}],
    },
    {**lab("24323-8", None), "contained": [bare(K, "6.9")]},
    report({"resourceType": "Specimen", "id": "s"}, lab(K, "6.9")),
    report(lab(MG, "0.3"), lab(K, "4.1")),
]


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_contained_result_is_part_of_the_record(holder: dict[str, Any]) -> None:
    made = {name: value for name, value in holder.items() if value is not None}
    record = read(TWITCH, made)
    assert Band.CRITICAL in {result.band for result in record.results}
    assert outcome_of(record).level == "critical"
    assert all("#" in result.reference for result in record.results)


@pytest.mark.parametrize(
    "holder",
    [
        report(bare(K, "6.9"), status="entered-in-error"),
        report(lab(K, "6.9"), status="cancelled"),
        report(lab(K, "6.9", status="entered-in-error")),
        report(lab(K, "6.9"), subject={"reference": "Patient/q"}) | {"contained": [bare(K, "6.9")]},
        report(lab(K, "6.9", subject={"reference": "Patient/q"})),
        report({**lab(K, "6.9"), "resourceType": "Specimen"}),
    ],
)
def test_a_contained_result_that_is_none_of_the_patients_is_not(holder: dict[str, Any]) -> None:
    assert read(TWITCH, holder).results == ()


def test_what_cannot_be_read_in_a_report_is_named() -> None:
    record = read(TWITCH, report(5))
    assert [note.expression for note in record.not_understood] == ["DiagnosticReport.contained"]


def test_two_reports_may_use_one_local_id() -> None:
    one = report(lab(K, "4.1", id="r", when=as_of(5)))
    other = {**report(lab(K, "6.9", id="r")), "id": "dr2"}
    (result,) = read(TWITCH, one, other).results
    assert (result.text, result.reference) == ("6.9", "DiagnosticReport/dr2#r")


def test_contained_findings_and_members_of_a_panel_count() -> None:
    made = {**observation("weakness", code={"text": "Neurological examination"})}
    made["contained"] = [observation("weakness", valueBoolean=False)]
    assert read(TWITCH, made).finding("weakness").status is Status.ABSENT


def test_magnesium_of_blood_neither_hides_nor_answers_that_of_serum() -> None:
    serum = lab(MG, "0.38", when=as_of(3), id="s")
    blood = lab("2593-2", "2.45", id="b", low=1.98, high=3.0)
    record = read(TWITCH, serum, blood)
    assert {(r.analyte, r.band) for r in record.results} == {
        ("magnesium", Band.CRITICAL),
        ("magnesium-blood", Band.IN_RANGE),
    }
    asked = {a for r in outcome_of(read(TWITCH, blood)).recommendations for a in r.analytes}
    assert "magnesium" in asked


@pytest.mark.parametrize("code", ["2597-3", "26746-8", "2824-1"])
def test_red_cells_are_no_serum(code: str) -> None:
    assert read(TWITCH, lab(code, "2.45")).results == ()


@pytest.mark.parametrize("code", ["12812-4", "12813-2", "29349-8", "51618-7", "32713-0", "39790-1"])
def test_more_codes_of_potassium(code: str) -> None:
    assert outcome_of(read(TWITCH, lab(code, "6.9"))).level == "critical"


URINE = {"resourceType": "Specimen", "id": "s", "type": {"text": "Urine, 24 hours"}}


@pytest.mark.parametrize(
    ("specimen", "contained", "band"),
    [
        ({"display": "Urine"}, [], Band.NOT_JUDGED),
        ({"display": "Cerebrospinal fluid"}, [], Band.NOT_JUDGED),
        ({"reference": "#s"}, [URINE], Band.NOT_JUDGED),
        ({"reference": "#s"}, [{**URINE, "type": {"text": "Serum"}}], Band.CRITICAL),
        ({"display": "Serum or plasma specimen"}, [URINE], Band.CRITICAL),
        ({"reference": "Specimen/1"}, [], Band.CRITICAL),
        ("Serum", [], Band.CRITICAL),
    ],
)
def test_a_specimen_that_contradicts_the_code(specimen: Any, contained: list[Any], band: Band) -> None:
    record = read(TWITCH, lab(K, "50", specimen=specimen, contained=contained))
    assert [result.band for result in record.results] == [band]
    named = [note.expression for note in record.not_understood]
    assert named == (["Observation.specimen"] if band is Band.NOT_JUDGED or specimen == "Serum" else [])


def test_a_modifier_of_the_report_is_one_of_its_results() -> None:
    modifier = [{"url": "urn:example:negated", "valueBoolean": True}]
    record = read(TWITCH, report(bare(K, "4.1"), modifierExtension=modifier))
    assert [result.band for result in record.results] == [Band.NOT_JUDGED]
    assert record.not_understood
