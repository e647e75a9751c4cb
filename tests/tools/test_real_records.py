"""The run over a folder of records: which files are records, the three ways, and what it prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flask import Flask

from tools.real_records import records, table

PATIENT = {"resourceType": "Patient", "id": "a", "birthDate": "1970-01-01"}
VISIT = {"resourceType": "Encounter", "id": "v", "status": "finished", "subject": {"reference": "Patient/a"}}
MEDICINE = {
    "resourceType": "MedicationStatement",
    "id": "m",
    "status": "active",
    "subject": {"display": "Herd 7"},
    "medicationCodeableConcept": {"text": "Invented tonic"},
}
BUNDLE = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{"resource": PATIENT}, {"resource": VISIT}],
}
NO_RECORDS = {"list.json": [], "words.json": "words", "codes.json": {"resourceType": "ValueSet"}}


def folder_of(path: Path, files: dict[str, Any]) -> Path:
    for name, content in files.items():
        (path / name).write_text(json.dumps(content), encoding="utf-8")
    (path / "broken.json").write_text("{", encoding="utf-8")
    return path


def test_a_resource_stands_with_its_patient_and_an_odd_subject_is_replaced(tmp_path: Path) -> None:
    files = {"p.json": PATIENT, "visit.json": VISIT, "medicine.json": MEDICINE, **NO_RECORDS}
    found = {
        path.name: [entry["resource"] for entry in made] for path, made in records(folder_of(tmp_path, files))
    }
    assert set(found) == {"visit.json", "medicine.json"}
    assert found["visit.json"] == [PATIENT, VISIT]
    assert found["medicine.json"][0] == {"resourceType": "Patient", "id": "invented"}
    assert found["medicine.json"][1]["subject"] == {"reference": "Patient/invented"}


def test_a_bundle_is_a_record_if_it_has_one_patient(tmp_path: Path) -> None:
    two = {**BUNDLE, "entry": [{"resource": PATIENT}, {"resource": {**PATIENT, "id": "b"}}]}
    found = list(records(folder_of(tmp_path, {"one.json": BUNDLE, "two.json": two})))
    assert [(path.name, entries) for path, entries in found] == [("one.json", BUNDLE["entry"])]


def test_every_record_is_sent_in_three_ways_and_what_is_not_understood_is_counted(
    app: Flask, tmp_path: Path
) -> None:
    lines = table(app, folder_of(tmp_path, {"one.json": BUNDLE, "medicine.json": MEDICINE})).splitlines()
    counted = [line.removeprefix(tmp_path.name).split() for line in lines if line.startswith(tmp_path.name)]
    assert counted == [
        ["as", "it", "is", "200", "2"],
        ["prefetch", "200", "2"],
        ["with", "a", "twitch", "200", "2"],
    ]
    (named,) = [line for line in lines if "medicine not recognised" in line]
    assert named.split()[0] == "2"
    assert named.endswith("medicine.json MedicationStatement/m")
    assert not any(line.startswith("ERROR") for line in lines)
