"""What the pages say feeds a rule is what the machine reads: results, diagnoses, sites, codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import yaml

from fhir_mappings.terminology import ATC, Ingredient, Medications, Terminology
from service.decision.facts import FEATURES, facts_of
from service.decision.table import TRUE
from service.knowledge import HERE, load_knowledge
from service.knowledge.page_contents import Explained
from service.knowledge.row_inputs import Codes
from tests.knowledge.patients import finding, record_of_example, result

KNOWLEDGE = load_knowledge()
EXPLAINED = Explained(KNOWLEDGE)
COMPUTED = sorted(FEATURES | {f"{analyte}-abnormal" for analyte in KNOWLEDGE.table.electrolytes})


def row_of(name: str) -> dict[str, Any]:
    row = KNOWLEDGE.table.row(name)
    assert row is not None
    return EXPLAINED.row(row)


def facts_with(**more: Any) -> dict[str, str]:
    return facts_of(replace(record_of_example({}), **more), KNOWLEDGE.table)


QUIET = facts_with()


@cache
def written(folder: str, name: str) -> dict[str, Any]:
    """The file as it is, read past the service's own loader."""
    text = (HERE / folder / f"{name}.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return content


def operand_ids(row: dict[str, Any], kind: str) -> set[str]:
    return {one["id"] for one in row["operands"] if one["kind"] == kind}


@pytest.mark.parametrize("name", COMPUTED)
def test_results_that_feed_a_feature_are_those_that_make_it_true(name: str) -> None:
    feeding = set()
    for analyte in KNOWLEDGE.terminology.analytes:
        for said in ("low", "high", "critical"):
            facts = facts_with(results=(result(analyte, said),))
            if facts.get(name) == TRUE != QUIET.get(name):
                feeding.add(analyte)
    assert set(KNOWLEDGE.pages.features[name].analytes) == feeding


@pytest.mark.parametrize("name", COMPUTED)
def test_diagnoses_that_feed_a_feature_are_those_that_make_it_true(name: str) -> None:
    feeding = {
        diagnosis
        for diagnosis in KNOWLEDGE.table.diagnoses
        if facts_with(findings={diagnosis: finding(diagnosis, "examined")}).get(name)
        == TRUE
        != QUIET.get(name)
    }
    said = set(KNOWLEDGE.pages.features[name].findings) & set(KNOWLEDGE.table.diagnoses)
    assert said == feeding


@pytest.mark.parametrize(
    ("row", "fed"),
    [
        ("nerve-root", lambda site: site.region == "legs"),
        ("bulbar", lambda site: site.region == "tongue"),
        ("persistent", lambda site: site.id == "eyelid"),
        ("widespread", lambda site: site.region is not None or site.id == "generalized"),
    ],
)
def test_sites_that_feed_a_row(row: str, fed: Callable[[Any], bool]) -> None:
    sites = {site.id for site in KNOWLEDGE.terminology.sites.values() if fed(site)}
    assert operand_ids(row_of(row), "body-site") == sites


def codes_in(raw: Mapping[str, Any]) -> set[str]:
    listed = {code for systems in raw["codes"].values() for codes in systems.values() for code in codes}
    return listed | {coding["code"] for coding in raw.get("more_codes", ())}


@pytest.mark.parametrize("row", KNOWLEDGE.table.rows, ids=lambda row: row.id)
def test_every_code_of_what_feeds_a_row_is_shown_as_its_file_writes_it(row: Any) -> None:
    folders = {"finding": "findings", "analyte": "analytes", "body-site": "body_sites"}
    for one in EXPLAINED.row(row)["operands"]:
        if one["kind"] not in folders:
            continue
        raw = written(folders[one["kind"]], one["id"])
        shown = {code for group in one["systems"] for code in group["codes"]}
        # A finding can hold a code for its site alone, so at least these.
        assert codes_in(raw) <= shown, one["id"]
        assert one["count"] == sum(group["count"] for group in one["systems"]) >= len(codes_in(raw))
        assert one["valueSet"] == f"/fhir/ValueSet/{one['kind']}-{one['id']}"


@pytest.mark.parametrize("row", [r for r in KNOWLEDGE.table.rows if r.drug_classes], ids=lambda row: row.id)
def test_every_medicine_class_of_a_row_is_shown_by_ingredient(row: Any) -> None:
    shown = {one["id"]: one for one in EXPLAINED.row(row)["operands"] if one["kind"] == "medication"}
    assert set(shown) == row.drug_classes
    for name, one in shown.items():
        raw = written("medication_classes", name)
        codes = {code for group in one["systems"] for code in group["codes"]}
        for member in raw["members"]:
            for kind in ("rxnorm", "snomed", "ndc"):
                assert set(member.get(kind, ())) <= codes, (name, kind)
            assert set(member.get("atc", ())) <= codes | set(one["atcFamilies"])
            assert set(member.get("terms", ())) <= set(one["names"])
        assert {member["ingredient"] for member in raw["members"]} <= {i["name"] for i in one["ingredients"]}
        assert {f for f in raw["atc_families"] if len(f) < 7} <= set(one["atcFamilies"])
        counted = sum(system["count"] for i in one["ingredients"] for system in i["systems"])
        assert counted >= one["count"] > 0


def test_codes_that_are_told_by_nature_are_named() -> None:
    (weakness,) = [one for one in row_of("weakness")["operands"] if one["id"] == "weakness"]
    assert any("126013009" in note for note in weakness["notes"])


def test_an_ingredient_that_is_known_by_name_alone_is_shown() -> None:
    terms = {"examplamine": (Ingredient("examplamine", "example"),)}
    medications = Medications(terms=terms, class_labels={"example": "example"})
    found = Codes(Terminology(medications=medications), {}).of_class("example")
    assert (dict(found.ingredients), found.names) == ({"examplamine": {}}, ("examplamine",))


def test_what_a_family_leaves_out_is_named() -> None:
    one = Ingredient("example", "example")
    atc = {"X01": (one,), "X01AB": (), "X01AC01": (Ingredient("examplamine", "example"),), "X02": ()}
    found = Codes(
        Terminology(medications=Medications(atc=atc, class_labels={"example": "example"})), {}
    ).of_class("example")
    assert (found.families, found.excepted) == (("X01",), ("X01AB",))
    assert dict(found.ingredients) == {"examplamine": {ATC: ("X01AC01",)}}
