"""What is chosen in the form is what the service reads: findings, medicines, results, sites and orders."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhir_mappings.envelope import decode_bundle
from fhir_mappings.findings import Basis, Plausible, Record, Status
from fhir_mappings.to_findings import record_of
from fhir_mappings.why_unreadable import validation_issues
from service.errors import RequestError
from service.knowledge import Knowledge
from service.workbench.bundle_builder import bundle_of
from service.workbench.codings import Codings
from service.workbench.described import Fields, described_by
from service.workbench.form import form_of
from service.workbench.json_text import written
from tests.contract.test_bad_input import issues

AS_OF = date(2026, 6, 15)


@pytest.fixture(scope="module")
def codings(knowledge: Knowledge) -> Codings:
    return Codings(knowledge)


def read(codings: Codings, **fields: Any) -> Record:
    given: Fields = {name.replace("__", "."): value for name, value in fields.items()}
    return of_fields(codings, given)


def of_fields(codings: Codings, fields: Fields) -> Record:
    knowledge = codings.knowledge
    text = written(bundle_of(described_by(fields, codings), knowledge, codings, AS_OF))
    submission = decode_bundle(text.encode())
    assert [i for i in validation_issues(submission) if i[0] in ("error", "fatal")] == []
    record = record_of(submission, knowledge.terminology, AS_OF, knowledge.reading)
    assert record.not_understood == ()
    assert record.not_used == ()
    return record


def test_every_finding_is_read_as_it_was_chosen(codings: Codings) -> None:
    assert len(codings.findings) > 30
    for name in codings.findings:
        for state, status in (
            ("present", Status.PRESENT),
            ("told", Status.PRESENT),
            ("absent", Status.ABSENT),
        ):
            finding = of_fields(codings, {f"finding.{name}": [state]}).finding(name)
            assert finding.status is status, (name, state)
            if state == "told":
                assert finding.basis is Basis.REPORTED, name
        others = of_fields(codings, {f"finding.{name}": ["present"]}).findings
        assert {f.id for f in others.values() if f.status is Status.PRESENT} == {name}


def test_every_medicine_is_of_its_class_and_its_dates_count(codings: Codings) -> None:
    classes = codings.terminology.medications.class_labels
    seen = set()
    for medicine in codings.medicines.values():
        record = read(
            codings,
            onset=["2026-05-31"],
            medicine=[medicine.name],
            **{"medicine-start": ["2026-01"], "medicine-end": [""]},
        )
        # A precursor is named beside what it becomes.
        assert len(record.drugs) == (2 if medicine.name == "foslevodopa" else 1), medicine
        for drug in record.drugs:
            assert {classes[name] for name in drug.classes} == {medicine.class_label}, medicine
            assert drug.plausible is Plausible.YES
            seen |= drug.classes
    wanted = frozenset().union(*(row.drug_classes for row in codings.knowledge.table.rows))
    assert seen == wanted


def test_a_medicine_begun_later_or_ended_before_is_no_cause(codings: Codings) -> None:
    for start, end in (("2026-06-01", ""), ("2026-01-01", "2026-02-01")):
        record = read(
            codings, onset=["2026-05-20"], medicine=["sertraline"],
            **{"medicine-start": [start], "medicine-end": [end]},
        )  # fmt: skip
        assert record.drugs[0].plausible is Plausible.NO


def test_a_medicine_that_is_not_known_goes_by_its_name(codings: Codings) -> None:
    knowledge = codings.knowledge
    described = described_by({"medicine": ["Moonwort <b>"]}, codings)
    text = written(bundle_of(described, knowledge, codings, AS_OF))
    record = record_of(decode_bundle(text.encode()), knowledge.terminology, AS_OF, knowledge.reading)
    assert [drug.recognised for drug in record.drugs] == [False]


def test_every_result_is_read_with_its_value_and_flag(codings: Codings) -> None:
    for analyte in codings.analytes:
        record = read(
            codings, result=[analyte],
            **{"result-value": ["4.10"], "result-flag": ["LL"], "result-day": ["2026-06-10"]},
        )  # fmt: skip
        (result,) = record.results
        assert (result.analyte, result.text, result.day) == (analyte, "4.10", date(2026, 6, 10))
        assert result.band == "critical"


def test_every_site_course_order_and_study_is_read(codings: Codings) -> None:
    for site, side in codings.sites:
        twitch = read(codings, site=[f"{site} {side}".strip()]).twitch
        if site == "generalized":
            assert twitch.generalized
        else:
            assert [(s.id, s.side or "") for s in twitch.sites] == [(site, side)]
    for course in codings.courses:
        assert read(codings, course=[course]).twitch.courses == {course}
    for order in codings.orders:
        (found,) = read(codings, order=[order], **{"order-day": ["2026-06-01"]}).orders
        assert order in found.tests
        assert found.day == date(2026, 6, 1)
    for study in codings.studies:
        (done,) = read(codings, study=[study], **{"study-day": ["2026-06-01"]}).studies
        assert (done.id, done.day) == (study, date(2026, 6, 1))


@pytest.mark.parametrize(
    ("onset", "earliest", "latest"),
    [
        ("2026-05-31", date(2026, 5, 31), date(2026, 5, 31)),
        ("2026-05", date(2026, 5, 1), date(2026, 5, 31)),
        ("2025", date(2025, 1, 1), date(2025, 12, 31)),
        ("3 weeks", date(2026, 5, 21), date(2026, 5, 29)),
    ],
)
def test_the_beginning_may_be_said_in_part_or_in_words(
    codings: Codings, onset: str, earliest: date, latest: date
) -> None:
    found = read(codings, onset=[onset]).twitch.onset
    assert (found.earliest, found.latest) == (earliest, latest)


def test_a_patient_without_a_twitch_and_of_an_age(codings: Codings) -> None:
    record = read(codings, twitch=["no"], born=["2019"], sex=["female"])
    assert record.twitch.status is not Status.PRESENT
    assert (record.patient.born.earliest, record.patient.sex) == (date(2019, 1, 1), "female")


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"born": ["yesterday"]}, "born"),
        ({"onset": ["2026-13"]}, "onset"),
        ({"sex": ["<b>"]}, "sex"),
        ({"site": ["nose"]}, "site"),
        ({"course": ["sideways"]}, "course"),
        ({"finding.weakness": ["maybe"]}, "finding.weakness"),
        ({"medicine": ["sertraline"], "medicine-start": ["1.5.2026"]}, "medicine-start"),
        ({"medicine": ["sertraline"], "medicine-end": ["1.5.2026"]}, "medicine-end"),
        ({"result": ["potassium"], "result-value": ["four"]}, "result-value"),
        ({"result": ["gold"], "result-value": ["4"]}, "result"),
        ({"result": ["potassium"], "result-value": ["4"], "result-flag": ["X"]}, "result-flag"),
        ({"order": ["mri-of-everything"]}, "order"),
        ({"study": ["x"]}, "study"),
    ],
)
def test_a_wrong_field_is_named(codings: Codings, fields: Fields, place: str) -> None:
    with pytest.raises(RequestError) as refused:
        described_by(fields, codings)
    assert [issue.expression for issue in refused.value.issues] == [f"built.{place}"]


def test_the_form_offers_all_of_it(codings: Codings) -> None:
    form = form_of(codings)
    assert {name for _, group in form.groups for name, _ in group} == set(codings.findings)
    assert len(form.sites) == len(codings.sites)
    assert len(form.medicines) > 150


def test_the_page_decides_what_was_built(client: FlaskClient) -> None:
    fields = {"onset": ["2026-05-01"], "finding.weakness": ["present"], "site": [], "born": ["1980"]}
    reply = client.post("/workbench/answer", json={"built": fields, "asOf": "2026-06-15", "chosen": True})
    said = reply.get_json()
    assert said["level"] == "warning"
    assert json.loads(said["text"])["resourceType"] == "Bundle"
    assert "EMG" in said["html"]
    again = client.post(
        "/evaluate?asOf=2026-06-15", data=said["text"].encode(), content_type="application/fhir+json"
    )
    assert again.get_json()["assessment"]["level"] == "warning"


def test_a_wrong_field_of_the_page_is_refused_in_words(client: FlaskClient) -> None:
    reply = client.post("/workbench/answer", json={"built": {"born": ["yesterday"]}, "asOf": "2026-06-15"})
    assert issues(reply, 422)[0]["expression"] == ["built.born"]


def test_a_result_keeps_the_range_that_it_was_compared_with(codings: Codings) -> None:
    (result,) = read(codings, result=["potassium"], **{"result-value": ["3.1"]}).results
    assert result.limits is not None
    default = codings.terminology.analytes["potassium"]
    assert (result.limits.low, result.limits.high) == (default.default_low, default.default_high)
    assert (result.limits.own, str(result.limits.number)) == (False, "3.1")
    (other,) = read(
        codings, result=["potassium"], **{"result-value": ["3.1"], "result-unit": ["stone"]}
    ).results
    assert other.limits is None
