"""The compiler: from tables to the tail of each file, the same every time, the head untouched."""

from __future__ import annotations

import csv
import gzip
import io
import os
from pathlib import Path

import pytest

from service.knowledge.loading import load_yaml
from tools.knowledge.compile_terminology import MARK, main

SNOMED = "http://snomed.info/sct"
CM = "http://hl7.org/fhir/sid/icd-10-cm"
CPT = "http://www.ama-assn.org/go/cpt"

CODES = [
    ("numbness", SNOMED, "44077006"),
    ("numbness", CM, "R20.0"),
    ("hypoesthesia", SNOMED, "397974008"),
    ("electromyography", CPT, "95860"),
    ("electromyography", "http://loinc.org", "18749-2"),
    ("hand", SNOMED, "85562004"),
    ("hand_left", SNOMED, "85151006"),
    ("answer_yes", SNOMED, "373066001"),
]
HEADS = {
    "findings/sensory-loss.yaml": 'id: sensory-loss\nwithout: {numbness: ["R20.0"]}\nconcepts: [numbness]\n',
    "findings/skin.yaml": 'id: skin\ncodes_of: {numbness: ["R20.0"]}\nconcepts: [hypoesthesia]\n',
    "findings/look-alikes.yaml": "id: look-alikes\nexclusions: [numbness]\nconcepts: []\n",
    "findings/malaise.yaml": 'id: malaise\nexcluded: ["R53.81"]\nconcepts: []\n',
    "procedures/emg.yaml": "id: emg\nconcepts: [electromyography]\n",
    "body_sites/hand.yaml": "id: hand\nconcepts: [hand]\n",
    "medication_classes/thiazide-diuretic.yaml": 'id: thiazide-diuretic\nnot_terms: ["cozaar"]\n',
    "sides.yaml": "sides: {}\n",
    "courses.yaml": "courses: {}\n",
    "answers.yaml": "answers: {answer_yes: present}\n",
    "left_out.yaml": "left_out: {}\n",
}


def _table(path: Path, columns: str, rows: list[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns.split())
        writer.writerows(rows)


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    tables = tmp_path / "tables"
    tables.mkdir()
    _table(tables / "codes.csv", "concept system_uri code", list(CODES))
    _table(
        tables / "exclusions.csv",
        "do_not_map_to system_uri code",
        [("numbness", SNOMED, "26079004"), ("fatigue", CM, "R53.81"), ("pain", SNOMED, "44077006")],
    )
    _table(tables / "atc_prefixes.csv", "class atc_code_or_prefix", [("thiazide_diuretic", "C03A")])
    _table(
        tables / "rxnorm_members.csv",
        "class ingredient rxcui",
        [("thiazide_diuretic", "indapamide", "197816"), ("thiazide_diuretic", "indapamide", "5764")],
    )
    _table(
        tables / "rxnorm_ambiguous.csv", "class ingredient rxcui", [("thiazide_diuretic", "indapamide", "9")]
    )
    _table(tables / "rxnorm_attributes.csv", "rxcui route_group", [("197816", "oral")])
    _table(tables / "dmd_snomed_members.csv", "class ingredient snomed_code route", [])
    _table(
        tables / "drug_classes.csv",
        "class ingredient atc_codes rxnorm_in snomed_substance dmd_vtm in_code_decides_class",
        [("thiazide_diuretic", "indapamide", "C03AA99;C10BX13", "5764", "", "", "yes")],
    )
    _table(
        tables / "text_terms.csv",
        "class ingredient term decides",
        [
            ("thiazide_diuretic", "indapamide", "Lozol", "direct"),
            ("thiazide_diuretic", "indapamide", "cozaar", "some products only"),
        ],
    )
    with gzip.open(tables / "ndc_members.csv.gz", "wt", encoding="utf-8") as packed:
        packed.write("ndc11,rxcui\n00000000001,197816\n")
    return tables


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "knowledge"
    for name, head in HEADS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(head, encoding="utf-8")
    return folder


def run(tables: Path, folder: Path, *more: str) -> tuple[int, str]:
    out = io.StringIO()
    return main([str(tables), *more], out, folder), out.getvalue()


def test_the_tail_is_written_and_the_head_kept(tables: Path, folder: Path) -> None:
    assert run(tables, folder)[0] == 0
    for name, head in HEADS.items():
        text = (folder / name).read_text(encoding="utf-8")
        assert text.startswith(head)
        assert name == "left_out.yaml" or text.count(MARK) == 1
    assert load_yaml(folder / "findings/sensory-loss.yaml")["codes"] == {"numbness": {SNOMED: ["44077006"]}}
    assert load_yaml(folder / "findings/skin.yaml")["codes"] == {
        "hypoesthesia": {SNOMED: ["397974008"]},
        "numbness": {CM: ["R20.0"]},
    }
    assert load_yaml(folder / "body_sites/hand.yaml")["codes"] == {
        "hand": {SNOMED: ["85562004"]},
        "hand_left": {SNOMED: ["85151006"]},
    }
    assert load_yaml(folder / "answers.yaml")["codes"] == {"answer_yes": {SNOMED: ["373066001"]}}


def test_no_code_that_may_not_be_shipped(tables: Path, folder: Path) -> None:
    run(tables, folder)
    assert load_yaml(folder / "procedures/emg.yaml")["codes"] == {
        "electromyography": {"http://loinc.org": ["18749-2"]}
    }


def test_what_is_excluded_is_a_look_alike_unless_it_has_a_name_of_its_own(tables: Path, folder: Path) -> None:
    run(tables, folder)
    assert load_yaml(folder / "findings/look-alikes.yaml")["codes"] == {"numbness": {SNOMED: ["26079004"]}}
    assert load_yaml(folder / "findings/malaise.yaml")["codes"] == {"not_fatigue": {CM: ["R53.81"]}}


def test_medicines(tables: Path, folder: Path) -> None:
    run(tables, folder)
    content = load_yaml(folder / "medication_classes/thiazide-diuretic.yaml")
    assert content["atc_families"] == ["C03A"]
    assert content["members"] == [
        {"ingredient": "indapamide", "atc": ["C03AA99"], "rxnorm": ["5764"], "terms": ["lozol"]},
        {"ingredient": "indapamide", "route_decides": True, "rxnorm": ["9"]},
        {"ingredient": "indapamide", "route": "oral", "ndc": ["00000000001"], "rxnorm": ["197816"]},
    ]


def test_twice_is_the_same_and_the_order_of_the_tables_is_nothing(tables: Path, folder: Path) -> None:
    run(tables, folder)
    before = {path: path.read_bytes() for path in folder.rglob("*.yaml")}
    _table(tables / "codes.csv", "concept system_uri code", list(reversed(CODES)))
    assert run(tables, folder) == (0, "")
    assert {path: path.read_bytes() for path in folder.rglob("*.yaml")} == before


def test_check_writes_nothing_and_names_what_is_not_current(tables: Path, folder: Path) -> None:
    run(tables, folder)
    assert run(tables, folder, "--check") == (0, "")
    path = folder / "findings/skin.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("397974008", "397974009"), encoding="utf-8")
    changed = path.read_bytes()
    code, said = run(tables, folder, "--check")
    assert code == 1
    assert "findings/skin.yaml: not current" in said
    assert path.read_bytes() == changed


def test_a_code_without_a_home_is_told(tables: Path, folder: Path) -> None:
    _table(tables / "codes.csv", "concept system_uri code", [*CODES, ("cramp", SNOMED, "55300003")])
    code, said = run(tables, folder)
    assert (code, said.splitlines()[-1]) == (1, "cramp 55300003: in no file and not in left_out.yaml")
    (folder / "left_out.yaml").write_text('left_out: {cramp: "not read"}\n', encoding="utf-8")
    assert run(tables, folder)[0] == 0


def test_a_look_alike_of_the_laboratory_is_told(tables: Path, folder: Path) -> None:
    loinc = "http://loinc.org"
    rows = [*CODES, ("sodium", loinc, "2951-2"), ("potassium", loinc, "28003-2")]
    _table(tables / "codes.csv", "concept system_uri code", rows)
    _table(tables / "exclusions_lab.csv", "do_not_map_to system_uri code", [("sodium", loinc, "28003-2")])
    (folder / "analytes").mkdir()
    for name in ("sodium", "potassium"):
        head = f"id: {name}\nconcepts: [{name}]\n"
        (folder / "analytes" / f"{name}.yaml").write_text(head, encoding="utf-8")
    # What must not be sodium may be potassium.
    assert run(tables, folder)[0] == 0
    _table(tables / "codes.csv", "concept system_uri code", [*rows, ("sodium", loinc, "28003-2")])
    code, said = run(tables, folder)
    assert code == 1
    assert said.splitlines()[-1] == "analytes/sodium.yaml: 28003-2 only looks like it (exclusions_lab.csv)"


def test_without_tables_it_says_how_it_is_called(folder: Path) -> None:
    out = io.StringIO()
    assert main(["--check"], out, folder) == 2
    assert "usage" in out.getvalue()


@pytest.mark.skipif(
    "TERMINOLOGY_TABLES" not in os.environ,
    reason="the tables are not part of the project: TERMINOLOGY_TABLES=folder make test",
)
def test_what_is_shipped_is_current() -> None:
    out = io.StringIO()
    assert main([os.environ["TERMINOLOGY_TABLES"], "--check"], out) == 0, out.getvalue()
