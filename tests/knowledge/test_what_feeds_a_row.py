"""What the pages say feeds a rule is what the machine reads: results, diagnoses, sites, codes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
import yaml

from fhir_mappings.code_systems import ATC
from fhir_mappings.medication_tables import Ingredient, Medications
from fhir_mappings.record import Basis, Days, Evidence, Finding, Record, Result, Status
from fhir_mappings.terminology import Terminology
from service.decision.facts import FEATURES, LAST_FEATURES, facts_of
from service.knowledge import HERE, load_knowledge
from service.knowledge.page_contents import Explained
from service.knowledge.row_inputs import Codes
from tests.knowledge.patients import TODAY, days_ago, finding, record_of_example, result

KNOWLEDGE = load_knowledge()
EXPLAINED = Explained(KNOWLEDGE)
TABLE = KNOWLEDGE.table
# Facts about results are features of the pages, as the computed ones are.
COMPUTED = sorted((FEATURES - LAST_FEATURES) | TABLE.result_facts.keys())
FINDINGS = KNOWLEDGE.terminology.findings
TWITCHES = {definition.id for definition in FINDINGS.values() if definition.kind == "fasciculation"}


def row_of(name: str) -> dict[str, Any]:
    row = KNOWLEDGE.table.row(name)
    assert row is not None
    return EXPLAINED.row(row)


@cache
def written(folder: str, name: str) -> dict[str, Any]:
    """The file as it is, read past the service's own loader."""
    text = (HERE / folder / f"{name}.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return content


def operand_ids(row: dict[str, Any], kind: str) -> set[str]:
    return {one["id"] for one in row["operands"] if one["kind"] == kind}


def in_history(name: str, days: int) -> Finding:
    """Recorded as present so long ago that it does not count any more."""
    old = Evidence(
        f"Condition/{name}",
        "Condition.code",
        name,
        Status.PRESENT,
        Basis.LISTED,
        days_ago(days),
        history=True,
    )
    return Finding(name, Status.UNKNOWN, evidence=(old,))


def with_findings(record: Record, *more: Finding) -> Record:
    return replace(record, findings={**record.findings, **{one.id: one for one in more}})


# Beside the one thing that is changed: nothing, a normal examination, a calcium below the limit that holds
# beside some findings, and a twitch of ten days.
QUIET = record_of_example({})
LOW_CALCIUM = replace(result("calcium", "in-range"), canonical=Decimal("1.85"))
BASES = (
    QUIET,
    record_of_example(dict.fromkeys(TABLE.benign_signs, "absent")),
    replace(QUIET, results=(LOW_CALCIUM,)),
    record_of_example({"onset_days_ago": 10}),
)
# Disorders that a result would end.
DISORDERS = tuple(
    with_findings(QUIET, finding(disorder.finding, "listed", days_ago(days)))
    for disorder in TABLE.disorders
    for days in (1, 101)
)


def ways_to_find(name: str) -> Iterator[Finding]:
    """Every way of being on record by which a feature might be moved."""
    for basis in ("examined", "listed", "reported", "absent"):
        yield finding(name, basis, start=Days(days_ago(5), TODAY))
    for worsening in (True, False):
        yield finding(name, "examined", worsening=worsening)
    for days in (20, 100):
        yield finding(name, "listed", days_ago(days))
        yield in_history(name, days)


def results_of(analyte: str) -> Iterator[Result]:
    for said in ("low", "high", "critical", "in-range", "out-of-range"):
        for days in (0, 100):
            yield result(analyte, said, days, canonical=Decimal(1))


def moved_by(
    changes: Iterable[tuple[str, Callable[[Record], Record]]], bases: Sequence[Record]
) -> dict[str, set[str]]:
    """Feature -> what moves it in at least one of the bases."""
    moved: dict[str, set[str]] = {name: set() for name in COMPUTED}
    before = [facts_of(base, TABLE) for base in bases]
    for what, change in changes:
        for base, was in zip(bases, before, strict=True):
            now = facts_of(change(base), TABLE)
            for name in COMPUTED:
                if now.get(name) != was.get(name):
                    moved[name].add(what)
    return moved


@cache
def moved_by_results() -> dict[str, set[str]]:
    changes = [
        (analyte, lambda base, one=one: replace(base, results=(*base.results, one)))
        for analyte in KNOWLEDGE.terminology.analytes
        for one in results_of(analyte)
    ]
    return moved_by(changes, (*BASES, *DISORDERS))


@cache
def moved_by_findings() -> dict[str, set[str]]:
    changes = [
        (name, lambda base, one=one: with_findings(base, one))
        for name in FINDINGS
        for one in ways_to_find(name)
    ]
    return moved_by(changes, BASES)


@pytest.mark.parametrize("name", COMPUTED)
def test_the_results_that_feed_a_feature_are_those_that_move_it(name: str) -> None:
    assert set(KNOWLEDGE.pages.features[name].analytes) == moved_by_results()[name]


# Any finding at all but the triggers and what may stand beside the benign pattern: its text says so.
OF_ANY = "other-finding-present"


@pytest.mark.parametrize("name", sorted({*COMPUTED} - {OF_ANY}))
def test_the_findings_that_feed_a_feature_are_those_that_move_it(name: str) -> None:
    # The twitch is no finding of a record, and always there.
    assert set(KNOWLEDGE.pages.features[name].findings) - TWITCHES == moved_by_findings()[name]


def test_any_other_finding_speaks_against_the_benign_pattern() -> None:
    quiet = TABLE.triggers | TABLE.benign_ignores
    assert moved_by_findings()[OF_ANY] == FINDINGS.keys() - quiet
    assert KNOWLEDGE.pages.features[OF_ANY].findings == ()


def test_every_fact_about_results_is_a_feature_of_the_pages() -> None:
    assert KNOWLEDGE.pages.features.keys() == FEATURES | TABLE.result_facts.keys()
    # The words of one follow the table: state, days, value and unit.
    for name, said in {
        "potassium-low": "potassium low in the last 90 days",
        "thyroid-result-abnormal-old": "free T4, total T4 or TSH out of range, 91 to 365 days ago",
        "egfr-below-15": "eGFR below 15 mL/min/1.73 m² in the last 180 days",
        "ck-critical": "creatine kinase at a dangerous value in the last 30 days",
    }.items():
        feature = KNOWLEDGE.pages.features[name]
        assert (feature.holds, feature.fails) == (said, f"{said} not recorded as present")


def test_a_lower_limit_beside_a_finding_is_said_where_it_counts() -> None:
    said = "Dangerous beside tingling or muscle cramps: calcium below 1.9 mmol/L."
    saying = {name for name in TABLE.result_facts if said in KNOWLEDGE.pages.features[name].how}
    assert saying == {"any-electrolyte-critical", "any-electrolyte-abnormal", "calcium-abnormal"}


@pytest.mark.parametrize(
    ("row", "fed"),
    [
        ("nerve-irritation", lambda site: site.region in ("legs", "arms")),
        ("multiple-sclerosis-sign", lambda site: site.region == "face"),
        ("bulbar", lambda site: site.region == "tongue" or site.id == "eyelid"),
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
