"""validate, explain and examples."""

from __future__ import annotations

from pathlib import Path

import pytest

from service import __version__
from service.examples import load_examples
from service.knowledge import Knowledge
from tests.command_line.running import DAY, EXAMPLES, Ran, bundle_of, resources_in, run

HOSTILE = EXAMPLES / "hostile-record/bundle.json"


def faults(ran: Ran) -> dict[tuple[str, str], dict[str, str]]:
    (found,) = ran.lines
    return {(fault["sort"], fault["reference"]): fault for fault in found["faults"]}


def test_a_record_without_fault_can_be_used_whole() -> None:
    ran = run("validate", EXAMPLES / "thigh-day-fifteen/bundle.json")
    assert ran.code == 0
    assert "read: 1 Condition, 15 Observation, 1 Patient" in ran.out
    assert "all of it can be used" in ran.out
    assert "not seen: medications, medicationStatements, orders" in ran.out


def test_what_cannot_be_used_is_named_with_its_fhirpath() -> None:
    ran = run("validate", HOSTILE, "--format=json")
    assert ran.code == 3
    found = faults(ran)
    words = found["not understood", "Observation/words"]
    assert words["expression"] == "Observation.value"
    assert found["not used", "Condition/other"]["why"] == "belongs to another patient"
    assert ("not valid FHIR", "Bundle.entry[18].resource.effectiveDateTime") in found
    assert found["not understood", "Bundle.entry[27].resource"]["why"] == "has no resourceType"
    assert ("not valid FHIR", "Bundle.entry[27].resource") not in found


def test_codes_that_no_value_set_knows_are_counted_and_displays_only_shown_when_asked() -> None:
    patient, *rest = resources_in("thigh-day-fifteen/bundle.json")
    for resource in rest[1:4]:
        coding = {"system": "urn:oid:1.2.3", "code": "X1", "display": "Said by Jane Smith"}
        resource["code"] = {"coding": [coding]}
    # One known beside it is enough.
    rest[5]["code"]["coding"].append({"system": "urn:oid:1.2.3", "code": "X2"})
    body = bundle_of(patient, *rest)
    ran = run("validate", "-", stdin=body)
    assert ran.out.split("Codes that no value set knows\n")[1].splitlines()[1].split() == [
        "3",
        "Observation.code",
        "urn:oid:1.2.3",
        "X1",
    ]
    assert "X2" not in ran.out
    assert "Smith" not in ran.out
    assert "Said by Jane Smith" in run("validate", "--display", "-", stdin=body).out
    (found,) = run("validate", "--format=json", "-", stdin=body).lines
    unknown = [one for one in found["unknownCodes"] if one["code"]]
    assert unknown == [{"place": "Observation.code", "system": "urn:oid:1.2.3", "code": "X1", "count": 3}]


@pytest.mark.parametrize("example", load_examples(), ids=lambda example: example.name)
def test_the_examples_are_written_in_known_codes(example: object) -> None:
    """But for medicines of no class, local codes, and words alone."""
    file = example.bundle.file  # type: ignore[attr-defined]
    (found,) = run("validate", DAY, EXAMPLES / file, "--format=json").lines
    known = ("https://ehr.example.org/codes", "")
    assert [one for one in found["unknownCodes"] if one["system"] not in known] == []


def test_several_patients_are_named_as_what_stands_against_a_decision() -> None:
    body = bundle_of({"resourceType": "Patient", "id": "a"}, {"resourceType": "Patient", "id": "b"})
    ran = run("validate", "-", stdin=body)
    assert ran.code == 1
    assert "cannot be decided: The bundle holds several Patients" in ran.out


def test_what_is_no_json_is_told_of_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    ran = run("validate", tmp_path / "a.json", EXAMPLES / "thigh-day-fifteen/bundle.json")
    assert ran.code == 1
    assert "a.json: Not valid JSON" in ran.err
    assert "all of it can be used" in ran.out


def test_every_id_can_be_explained(knowledge: Knowledge) -> None:
    listed = run("explain")
    assert listed.code == 0
    ids = {line.split()[1] for line in listed.out.splitlines()[1:] if line.split()[:1] != ["A"] and line}
    known = {row.id for row in knowledge.table.rows} | set(knowledge.table.actions)
    assert known | set(knowledge.terminology.findings) == ids
    claims = [*knowledge.claims.claims, *knowledge.claims.anchors]
    ran = run("explain", *sorted(ids), *claims)
    assert (ran.code, ran.err) == (0, "")


def test_a_row_tells_claims_places_and_reading() -> None:
    out = run("explain", "persistent").out
    assert "Row persistent: twitching for more than two weeks" in out
    assert "stated (the document says it): persistent twitching deserves advice" in out
    assert "S003-19 Lasting or worsening: ask a doctor" in out
    assert "“Twitching of the muscle above the knee”, heading 3, sentence 23" in out
    assert "page of the service: /knowledge/persistent" in out


def test_a_name_of_two_kinds_is_explained_as_both() -> None:
    out = run("explain", "weakness").out
    assert "Row weakness: " in out
    assert "Finding weakness: weakness (sign)" in out
    assert "asked as: Is there weakness on examination?" in out


def test_a_recommendation_and_a_claim() -> None:
    out = run("explain", "emg", "S004-01").out
    assert "Recommendation emg: " in out
    assert "  asked for by:\n" in out
    assert "declined: says what the document is about" in out


def test_an_id_of_nothing_is_told_of_and_the_rest_goes_on() -> None:
    ran = run("explain", "nothing", "emg")
    assert ran.code == 1
    assert "nothing: nothing has this id" in ran.err
    assert "Recommendation emg" in ran.out


def test_the_examples_are_listed() -> None:
    listed = run("examples").out.splitlines()
    assert len(listed) == 1 + len(load_examples())
    assert listed[1].split()[:3] == ["thigh-day-fifteen", "info", "2026-06-15"]
    assert len(run("examples", "known-als").out.splitlines()) == 2


def test_the_examples_are_written_and_never_over_what_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    ran = run("examples", "known-als", f"--write={folder}")
    written = sorted(str(path) for path in (folder / "known-als").iterdir())
    assert sorted(ran.out.splitlines()) == written
    assert len(written) == 6
    assert (folder / "known-als/bundle.json").read_bytes() == (
        EXAMPLES / "known-als/bundle.json"
    ).read_bytes()
    (folder / "known-als/bundle.json").write_text("mine")
    ran = run("examples", f"--write={folder}")
    assert ran.code == 2
    assert "holds known-als/bundle.json already" in ran.err
    assert (folder / "known-als/bundle.json").read_text() == "mine"
    assert not (folder / "thigh-day-fifteen/bundle.json").exists()
    assert run("examples", f"--write={folder}", "--force").code == 0
    assert (folder / "known-als/bundle.json").read_text() != "mine"


def test_an_example_that_there_is_not_is_wrong_use() -> None:
    ran = run("examples", "lunch")
    assert ran.code == 2
    assert "No example lunch" in ran.err


def test_the_versions_of_package_and_knowledge(knowledge: Knowledge, tmp_path: Path) -> None:
    assert run("--version").out == f"fasciculation-cds {__version__}, knowledge {knowledge.version}\n"
    assert run("--version", KNOWLEDGE_DIR=str(tmp_path)).code == 2
