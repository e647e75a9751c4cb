"""The published value sets hold exactly the codes that the look-ups read."""

from __future__ import annotations

import random

from fhir_mappings.code_systems import ATC, NDC, RXNORM, SNOMED, written_code
from fhir_mappings.resources.shapes import CodeableConcept, Coding
from fhir_mappings.to_findings.drug_names import named_by
from service.knowledge import HERE
from tests.knowledge.published import KNOWLEDGE, PUBLICATION, VALUE_SETS
from tests.knowledge.value_sets import holds
from tools.artifacts.families import filters_of

TERMINOLOGY = KNOWLEDGE.terminology


def test_there_is_a_value_set_for_everything_that_is_looked_up() -> None:
    names = {
        *(f"finding-{name}" for name in TERMINOLOGY.findings),
        *(f"analyte-{name}" for name in TERMINOLOGY.analytes),
        *(f"medication-{name}" for name in TERMINOLOGY.medications.class_labels),
        *(f"body-site-{site.id}" for site in TERMINOLOGY.sites.values()),
        *(f"course-{name}" for name in TERMINOLOGY.courses.values()),
        *(f"panel-{name}" for name in TERMINOLOGY.panel_names.values()),
        *(f"procedure-{name}" for name in TERMINOLOGY.procedures.values()),
        *("answer-present", "answer-absent", "potassium-raising", "tobacco-status"),
    }
    assert names <= set(VALUE_SETS)


def test_findings_hold_the_codes_that_are_read_as_them() -> None:
    for key in TERMINOLOGY.finding_codes:
        # A code of its own, and one below it that no table lists.
        for code in (key, (key[0], f"{key[1]}9")):
            wanted = {f"finding-{one.finding}" for one in TERMINOLOGY.finding_of(code)}
            found = {
                name
                for name, value_set in VALUE_SETS.items()
                if name.startswith("finding-") and holds(value_set, code[0], written_code(code))
            }
            assert found == wanted, code


def test_icd_codes_have_their_dot_again() -> None:
    (include,) = [
        entry["filter"]
        for entry in VALUE_SETS["finding-diabetic-neuropathy"]["compose"]["include"]
        if entry["system"].endswith("icd-10") and entry["filter"][0]["value"].startswith("E11")
    ]
    assert include == [{"property": "concept", "op": "is-a", "value": "E11.4"}]
    # What is below a family and stands for something else; a code of both is of both.
    roots = VALUE_SETS["finding-nerve-root-disorder"]
    excluded = [e["filter"][0]["value"] for e in roots["compose"]["exclude"]]
    assert {"M54.16", "G54.0"} <= set(excluded)
    assert "exclude" not in VALUE_SETS["finding-diabetes"]["compose"]
    for system in ("icd-10", "icd-10-cm"):
        says = f"Excluded in http://hl7.org/fhir/sid/{system}, because these stand for something else: "
        assert says in roots["description"]


def classes_named(system: str, code: str) -> set[str]:
    named = named_by(CodeableConcept(coding=[Coding(system=system, code=code)]), TERMINOLOGY.medications)
    return {f"medication-{one.medication_class}" for one in named.coded}


def test_medications_hold_the_codes_that_are_read_as_them() -> None:
    tables = TERMINOLOGY.medications
    draw = random.Random(7)
    keys = [
        *draw.sample(sorted(key for key in tables.codes if key[0] == RXNORM), 300),
        *draw.sample(sorted(key for key in tables.codes if key[0] == SNOMED), 300),
        *((NDC, code) for code in draw.sample(sorted(tables.ndc), 300)),
        *((ATC, prefix) for prefix in tables.atc),
        *((ATC, f"{prefix}99") for prefix in tables.atc if len(prefix) == 5),
        *((ATC, code) for code in ("A01AA01", "N06BA09", "C10BA10")),
    ]
    listed = {
        name: {
            (entry["system"], concept["code"])
            for entry in value_set["compose"]["include"]
            for concept in entry.get("concept", ())
        }
        for name, value_set in VALUE_SETS.items()
        if name.startswith("medication-") and not name.startswith("medication-route-")
    }
    for system, code in keys:
        found = {
            name
            for name, codes in listed.items()
            if ((system, code) in codes if system != ATC else holds(VALUE_SETS[name], system, code))
        }
        assert found == classes_named(system, code), (system, code)


def test_a_family_within_an_exception_within_a_family() -> None:
    include, exclude = filters_of("s", {"A": True, "AB": False, "ABC": True, "ABCD": False, "B": False})
    value_set = {"compose": {"include": include, "exclude": exclude}}
    wanted = {
        "A": True,
        "AX": True,
        "AB": False,
        "ABX": False,
        "ABC": True,
        "ABCX": True,
        "ABCD": False,
        "B": False,
    }
    assert {code: holds(value_set, "s", code) for code in wanted} == wanted


def test_other_look_ups_hold_their_codes() -> None:
    tables = {
        "analyte": TERMINOLOGY.analyte_codes,
        "body-site": {key: site.id for key, site in TERMINOLOGY.sites.items()},
        "procedure": TERMINOLOGY.procedures,
        "asks-for": TERMINOLOGY.asked_for,
        "panel": TERMINOLOGY.panel_names,
        "course": TERMINOLOGY.courses,
        "answer": {key: status.value for key, status in TERMINOLOGY.answers.items()},
        "side": TERMINOLOGY.sides,
        "medication-route": TERMINOLOGY.medications.routes,
    }
    for kind, table in tables.items():
        for (system, code), name in table.items():
            assert not system or holds(VALUE_SETS[f"{kind}-{name}"], system, code), (kind, code)
        listed = sum(
            len(entry.get("concept", ()))
            for name, value_set in VALUE_SETS.items()
            if name.startswith(f"{kind}-")
            for entry in value_set.get("compose", {}).get("include", ())
        )
        assert listed == len({key for key in table if key[0]}), kind


def test_regions_unite_their_sites() -> None:
    for region in ("face", "tongue", "arms", "legs", "trunk"):
        include = VALUE_SETS[f"body-region-{region}"]["compose"]["include"]
        parts = [part for entry in include for part in entry["valueSet"]]
        # Two in one entry would mean what they have in common.
        assert len(parts) == len(include)
        assert {part.rpartition("/")[2].partition("|")[0] for part in parts} == {
            f"body-site-{site.id}" for site in TERMINOLOGY.sites.values() if site.region == region
        }


def test_every_system_comes_with_its_terms() -> None:
    notice = " ".join((HERE.parents[2] / "NOTICE").read_text(encoding="utf-8").split())
    for value_set in VALUE_SETS.values():
        systems = {entry.get("system") for entry in value_set.get("compose", {}).get("include", ())} - {None}
        for system in systems:
            terms = PUBLICATION.copyright[system]
            assert terms in notice
            named = [part for part in value_set["copyright"].split("\n\n") if part.endswith(f": {terms}")]
            assert [system in part for part in named] == [True]
        assert "compose" not in value_set or value_set["copyright"]


def test_what_has_no_code_says_so() -> None:
    empty = {name for name, value_set in VALUE_SETS.items() if "compose" not in value_set}
    assert empty == {"course-persistent", "course-spreading"} & set(VALUE_SETS)
    assert empty
    for name in empty:
        assert "No code of a terminology is known for it." in VALUE_SETS[name]["description"]
