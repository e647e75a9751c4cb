"""SITE_CODES: a site's own codes are read like the shipped ones, and a wrong file is refused with its place.

All local codes are invented.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from fhir_mappings.terminology import Terminology
from service.app import create_app
from service.config import Config
from service.knowledge import Knowledge, KnowledgeError, load_knowledge
from service.knowledge.site_codes import CONCEPTS, load_site_codes
from tests.contract.requests import DAY, example

LOCAL = "https://codes.site.example/findings"
SNOMED, LOINC = "http://snomed.info/sct", "http://loinc.org"
TWITCHING, POTASSIUM = "82470000", "2823-3"
HEADER = "system,code,concept\n"


def concept_map(code: str, equivalence: str = "equivalent", target: str = CONCEPTS, **more: Any) -> str:
    mapped = {"code": "L1", "target": [{"code": code, "equivalence": equivalence, **more}]}
    group = {"source": LOCAL, "target": target, "element": [mapped]}
    return json.dumps({"resourceType": "ConceptMap", "status": "active", "group": [group]})


def read(text: str, tmp_path: Path, knowledge: Knowledge) -> Terminology:
    file = tmp_path / "codes"
    file.write_text(text, encoding="utf-8")
    return load_site_codes(file, knowledge.terminology)[0]


def means(known: Terminology, code: str = "L1") -> Any:
    """What a local code means, in whichever table."""
    key = (LOCAL, code)
    for meaning in known.finding_of(key):
        return meaning.finding, tuple(site.id for site in meaning.sites)
    if key in known.medications.codes:
        return sorted({hit.medication_class for hit in known.medications.codes[key]})
    if key in known.sites:
        return known.sites[key].side, known.sites[key].id
    tables = (known.panels, known.analyte_codes, known.procedures, known.asked_for)
    return next((table[key] for table in tables if key in table), None)


MEANINGS = {
    "finding": ("fasciculation", ("fasciculation", ())),
    "finding with its folder": ("findings/caffeine", ("caffeine", ())),
    "letters are folded": ("Weakness", ("weakness", ())),
    "disease": ("motor-neuron-disease", ("motor-neuron-disease", ())),
    "body site": ("thigh", (None, "thigh")),
    "body site with a side": ("left hand", ("left", "hand")),
    "analyte": ("potassium", "potassium"),
    "panel": ("electrolytes-panel", frozenset({"sodium", "potassium"})),
    "study": ("emg", "emg"),
    "class of medicines": ("ssri", ["ssri"]),
    "ingredient": ("citalopram", ["ssri"]),
    "analyte that is an ingredient too": ("analytes/lithium", "lithium"),
    "ingredient that is an analyte too": ("ingredients/lithium", ["other-lithium"]),
}


@pytest.mark.parametrize(("concept", "meaning"), MEANINGS.values(), ids=MEANINGS)
@pytest.mark.parametrize("form", ["csv", "map"])
def test_a_local_code_means(
    form: str, concept: str, meaning: Any, tmp_path: Path, knowledge: Knowledge
) -> None:
    text = f"{HEADER}{LOCAL},L1,{concept}\n" if form == "csv" else concept_map(concept)
    assert means(read(text, tmp_path, knowledge)) == meaning
    assert means(knowledge.terminology) is None


def test_an_ingredient_leaves_to_the_route_what_its_standard_code_does(
    tmp_path: Path, knowledge: Knowledge
) -> None:
    known = read(f"{HEADER}{LOCAL},L1,prednisolone\n", tmp_path, knowledge)
    assert {hit.route_decides for hit in known.medications.codes[LOCAL, "L1"]} == {True}


STANDARD = {
    "snomed": (SNOMED, TWITCHING, ("fasciculation", ())),
    "loinc": (LOINC, POTASSIUM, "potassium"),
    "icd family": ("http://hl7.org/fhir/sid/icd-10-cm", "E11.9", ("diabetes", ())),
    "atc": ("http://www.whocc.no/atc", "N06AB04", ["ssri"]),
}


@pytest.mark.parametrize(("system", "code", "meaning"), STANDARD.values(), ids=STANDARD)
@pytest.mark.parametrize("form", ["csv", "map"])
def test_a_standard_code_as_target(
    form: str, system: str, code: str, meaning: Any, tmp_path: Path, knowledge: Knowledge
) -> None:
    row = f"{HEADER}{LOCAL},L1,{system}|{code}\n"
    text = row if form == "csv" else concept_map(code, target=system)
    assert means(read(text, tmp_path, knowledge)) == meaning


COUNTS = [
    ("equal", "fasciculation", True),
    ("equivalent", "potassium", True),
    ("wider", "diabetes", True),
    ("subsumes", "hand", True),
    ("wider", "citalopram", True),
    ("wider", "fasciculation", False),
    ("subsumes", "weakness", False),
    ("wider", "caffeine", False),
    ("wider", "family-neurological", False),
    ("wider", "potassium", False),
    ("wider", "emg", False),
    ("wider", "electrolytes-panel", False),
    ("narrower", "diabetes", False),
    ("specializes", "citalopram", False),
    ("inexact", "hand", False),
    ("relatedto", "fasciculation", False),
]


@pytest.mark.parametrize(("equivalence", "concept", "counts"), COUNTS)
def test_which_equivalence_counts(
    equivalence: str, concept: str, counts: bool, tmp_path: Path, knowledge: Knowledge
) -> None:
    concept = f"findings/{concept}" if concept == "caffeine" else concept
    text = concept_map(concept, equivalence)
    if counts:
        assert means(read(text, tmp_path, knowledge)) is not None
    else:
        with pytest.raises(KnowledgeError, match=r"group\[0\].element\[0\].target\[0\]: .* does not count"):
            read(text, tmp_path, knowledge)


def changed(**members: Any) -> str:
    content = json.loads(concept_map("fasciculation"))
    content.update(members)
    return json.dumps(content)


def in_group(**members: Any) -> str:
    content = json.loads(concept_map("fasciculation"))
    content["group"][0].update(members)
    return json.dumps(content)


TARGET = "group[0].element[0].target[0]"
WRONG = {
    "empty": ("", "line 1: is not system,code,concept"),
    "other header": ("system;code;concept\n", "line 1: is not system,code,concept"),
    "no row": (HEADER, "none of its codes means anything here"),
    "too few cells": (f"{HEADER}{LOCAL},L1\n", "line 2: needs system, code, concept, and nothing more"),
    "too many cells": (f"{HEADER}{LOCAL},L1,weakness,x\n", "line 2: needs system"),
    "empty cell": (f"{HEADER}{LOCAL},,weakness\n", "line 2: needs system"),
    "open quote": (f'{HEADER}{LOCAL},L1,"weakness\n', "line 2: unexpected end of data"),
    "no uri": (f"{HEADER}local,L1,weakness\n", "line 2: the system 'local' is no URI"),
    "blank in uri": (f"{HEADER}urn: x,L1,weakness\n", "line 2: the system 'urn: x' is no URI"),
    "unknown concept": (f"{HEADER}\n{LOCAL},L1,twich\n", "line 3: no finding, body site"),
    "several concepts": (f"{HEADER}{LOCAL},L1,lithium\n", "line 2: 'lithium' is several: write analytes/"),
    "unknown standard code": (f"{HEADER}{LOCAL},L1,{SNOMED}|999\n", "line 2: http://snomed.info/sct|999 me"),
    "contradiction": (
        f"{HEADER}{LOCAL},L1,weakness\n{LOCAL},L1,potassium\n",
        f"line 3: {LOCAL}|L1 means potassium here and weakness (line 2)",
    ),
    "known finding": (
        f"{HEADER}{SNOMED},{TWITCHING},weakness\n",
        "already means fasciculation, not weakness",
    ),
    "known analyte": (f"{HEADER}{LOINC},{POTASSIUM},sodium\n", "already means potassium, not sodium"),
    "known as another kind": (f"{HEADER}{LOINC},{POTASSIUM},weakness\n", "already means potassium, not"),
    "known family": (
        f"{HEADER}http://hl7.org/fhir/sid/icd-10-cm,E11.99,weakness\n",
        "already means diabetes, not weakness",
    ),
    "atc": (f"{HEADER}http://www.whocc.no/atc,Z99ZZ99,ssri\n", "to ATC and NDC a site cannot add"),
    "not json": ("{\n,", "line 2: not JSON: "),
    "deep json": ('{"a":' * 20_000, "nested too deeply"),
    "member twice": ('{"group": [], "group": []}', "a member stands twice in one object"),
    "another resource": (changed(resourceType="ValueSet"), "resourceType: is not ConceptMap"),
    "no group": (changed(group=[]), "group: Shorter than minimum length 1."),
    "no source": (in_group(source=""), "group[0].source: "),
    "no target system": (in_group(target=""), f"{TARGET}: needs a code, and its group a target system"),
    "no element": (in_group(element=[]), "group[0].element: "),
    "element without code": (in_group(element=[{"target": []}]), "group[0].element[0].code: "),
    "r5": (
        in_group(element=[{"code": "L1", "target": [{"code": "weakness", "relationship": "equivalent"}]}]),
        f"{TARGET}.equivalence: is needed (R4)",
    ),
    "no such equivalence": (concept_map("weakness", "same"), f"{TARGET}.equivalence: Must be one of"),
    "depends on more": (concept_map("weakness", dependsOn=[{}]), f"{TARGET}.dependsOn: is not read"),
    "modifier": (concept_map("weakness", modifierExtension=[{}]), f"{TARGET}.modifierExtension: is not read"),
    "product": (concept_map("weakness", product=[{"property": "x"}]), f"{TARGET}.product: is not read"),
    "modifier of the map": (changed(modifierExtension=[{}]), "modifierExtension: is not read"),
    "modifier of a group": (in_group(modifierExtension=[{}]), "group[0].modifierExtension: is not read"),
    "rules of the map": (changed(implicitRules="urn:x"), "implicitRules: is not read"),
    "all others fixed": (
        in_group(unmapped={"mode": "fixed", "code": "fasciculation"}),
        "group[0].unmapped: is not read",
    ),
    "all others elsewhere": (
        in_group(unmapped={"mode": "other-map", "url": "urn:x"}),
        "group[0].unmapped: is not read",
    ),
    "version in csv": (f"{HEADER}{LOCAL}|1,L1,weakness\n", f"line 2: the system '{LOCAL}|1' has a version"),
    "version in a map": (in_group(source=f"{LOCAL}|1"), f"{TARGET}: the system '{LOCAL}|1' has a version"),
    "control character": (f"{HEADER}{LOCAL},L\0,weakness\n", "line 2: the code 'L\\x00' has control"),
    "unknown id": (concept_map("twich"), f"{TARGET}: no finding, body site"),
    "nothing left": (concept_map("999", target=SNOMED), "none of its codes means anything here"),
}


@pytest.mark.parametrize(("text", "reason"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_refused_with_its_place(
    text: str, reason: str, tmp_path: Path, knowledge: Knowledge
) -> None:
    with pytest.raises(KnowledgeError) as error:
        read(text, tmp_path, knowledge)
    first = str(error.value).splitlines()[0]
    assert first.startswith("SITE_CODES: codes: ")
    assert reason in first


def test_bytes_that_are_no_utf_8_are_refused(tmp_path: Path, knowledge: Knowledge) -> None:
    file = tmp_path / "codes.csv"
    file.write_bytes(HEADER.encode("utf-16"))
    with pytest.raises(KnowledgeError, match=r"^SITE_CODES: codes.csv: cannot be read as UTF-8$"):
        load_site_codes(file, knowledge.terminology)


def test_every_problem_of_a_file_is_named_at_once(tmp_path: Path, knowledge: Knowledge) -> None:
    text = f"{HEADER}{LOCAL},L1,twich\nlocal,L2,weakness\n{SNOMED},{TWITCHING},weakness\n"
    with pytest.raises(KnowledgeError) as error:
        read(text, tmp_path, knowledge)
    assert [problem.place for problem in error.value.problems] == ["line 2", "line 3", "line 4"]


def test_what_means_the_same_twice_or_already_is_no_problem(tmp_path: Path, knowledge: Knowledge) -> None:
    rows = f"{LOCAL},L1,weakness\n{LOCAL},L1,weakness\n{SNOMED},{TWITCHING},fasciculation\n"
    assert means(read(f"\ufeff{HEADER}{rows}", tmp_path, knowledge)) == ("weakness", ())


@pytest.mark.parametrize(
    "text",
    [
        in_group(unmapped={"mode": "provided"}),
        in_group(modifierExtension=[]),
        changed(implicitRules=""),
        concept_map("fasciculation", dependsOn=[]),
    ],
)
def test_members_without_an_effect_are_no_problem(text: str, tmp_path: Path, knowledge: Knowledge) -> None:
    assert means(read(text, tmp_path, knowledge)) == ("fasciculation", ())


def test_a_target_that_means_nothing_here_is_left_out_and_counted(tmp_path: Path) -> None:
    content = json.loads(concept_map("fasciculation"))
    elements = content["group"][0]["element"]
    elements.append({"code": "L2", "target": [{"equivalence": "unmatched"}]})
    other = copy.deepcopy(content["group"][0])
    other |= {
        "target": LOINC,
        "element": [{"code": "L3", "target": [{"code": "999", "equivalence": "equal"}]}],
    }
    content["group"].append(other)
    file = tmp_path / "map.json"
    file.write_text(json.dumps(content))
    known = load_knowledge(site_codes=file)
    assert known.site is not None
    assert known.site.codes is not None
    assert known.site.codes.read == 1
    assert known.site.codes.left_out == ("group[0].element[1]", "group[1].element[0].target[0]")
    ready = create_app(Config(), known).test_client().get("/readyz").get_json()
    assert ready["site"] == {"codes": {"read": 1, "leftOut": 2}}
    assert ready["knowledgeVersion"] == known.version


def with_local_codes() -> dict[str, Any]:
    """The example of a twitch for 15 days, with the code of a site alone."""
    bundle = example("thigh-day-fifteen/bundle.json")
    text = json.dumps(bundle)
    assert f'"{TWITCHING}"' in text
    for entry in bundle["entry"]:
        for coding in entry["resource"].get("code", {}).get("coding", ()):
            if coding["code"] == TWITCHING:
                coding.update(system=LOCAL, code="ZUCKEN")
                coding.pop("display", None)
                entry["resource"]["code"].pop("text", None)
    return bundle


def test_a_local_code_decides_and_is_searched_for(tmp_path: Path, knowledge: Knowledge) -> None:
    file = tmp_path / "codes.csv"
    file.write_text(f'{HEADER}{LOCAL},ZUCKEN,fasciculation\n{LOCAL},"K,1 a",potassium\n', encoding="utf-8")
    local = load_knowledge(site_codes=file)
    assert local.version != knowledge.version
    assert local.version == load_knowledge(site_codes=file).version
    client = create_app(Config(), local).test_client()
    before = create_app(Config(), knowledge).test_client()
    asked = client.post(f"/evaluate?asOf={DAY}", json=with_local_codes()).get_json()
    assert "persistent" in {row["id"] for row in asked["assessment"]["rows"]}
    assert asked["assessment"]["knowledgeVersion"] == local.version
    unread = before.post(f"/evaluate?asOf={DAY}", json=with_local_codes()).get_json()["assessment"]
    assert not unread["gate"]["open"]
    for service in client.get("/cds-services").get_json()["services"]:
        assert ",ZUCKEN" in service["prefetch"]["findings"]
        assert "%5C%2C1%20a" in service["prefetch"]["labs"]
        assert max(map(len, service["prefetch"].values())) < 8000
    assert client.get("/fhir/metadata").status_code == 404


def test_codes_that_make_an_address_too_long_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "codes.csv"
    file.write_text(HEADER + "".join(f"{LOCAL},ZUCKEN-{n:04},fasciculation\n" for n in range(600)))
    with pytest.raises(KnowledgeError, match=r"prefetch.findings: \d+ characters with all codes"):
        load_knowledge(site_codes=file)
