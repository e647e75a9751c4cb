"""The published artifacts: valid FHIR R4, whole, and made anew with the knowledge."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from pydantic import BaseModel

from fhir_mappings.code_systems import SNOMED
from service.decision.table import CALM, UNTIL_DONE, Action
from service.knowledge import HERE, version_of
from tests.knowledge.published import (
    ACTIONS,
    ALL,
    KNOWLEDGE,
    RESOURCES,
    VALUE_SETS,
    applicable,
    published,
    walked,
)
from tests.knowledge.value_sets import holds
from tools.artifacts.work_up import LIBRARY, PLAN


def wrong_codes(model: BaseModel, path: str) -> Iterator[str]:
    """Codes that their required binding does not have: the R4B models themselves accept any string."""
    for name, field in type(model).model_fields.items():
        extra = field.json_schema_extra
        allowed = extra.get("enum_values") if isinstance(extra, dict) else None
        found = getattr(model, name, None)
        for one in found if isinstance(found, list) else [found]:
            if isinstance(one, BaseModel):
                yield from wrong_codes(one, f"{path}.{name}")
            elif allowed and one is not None and one not in allowed:
                yield f"{path}.{name} = {one}"


def problems_of(resource: dict[str, Any]) -> list[str]:
    """What is wrong with it as FHIR R4B. Raises ValueError where it has no shape of its type."""
    kind = resource["resourceType"]
    return list(wrong_codes(get_fhir_model_class(kind).model_validate(resource), kind))


def test_every_artifact_is_valid_fhir() -> None:
    assert len(ALL) > 200
    assert {r["id"]: found for r in ALL if (found := problems_of(r))} == {}


def test_a_wrong_code_would_be_seen() -> None:
    plan = RESOURCES["PlanDefinition"][PLAN]
    action = {**plan["action"][0], "priority": "soon"}
    assert problems_of({**plan, "action": [action]}) == ["PlanDefinition.action.priority = soon"]


@pytest.mark.parametrize("resource", ALL, ids=lambda r: f"{r['resourceType']}/{r['id']}")
def test_every_artifact_says_what_it_is(resource: dict[str, Any]) -> None:
    assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", resource["id"])
    assert re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,254}", resource["name"])
    assert resource["url"].endswith(f"/{resource['resourceType']}/{resource['id']}")
    assert resource["version"] == KNOWLEDGE.version
    assert (resource["status"], resource["experimental"]) == ("draft", True)
    assert resource["title"]
    assert resource["description"]
    members = list(walked(resource))
    assert [name for name, value in members if value in (None, "", [], {})] == []
    assert [value for _, value in members if isinstance(value, str) and re.search(r"[{}]", value)] == []


def test_no_two_have_one_name() -> None:
    urls = [resource["url"] for resource in ALL]
    assert len(urls) == len(set(urls))


def test_the_same_knowledge_gives_the_same_artifacts() -> None:
    assert published(HERE) == RESOURCES


# The plan


def test_every_row_is_an_action() -> None:
    assert list(ACTIONS) == [row.id for row in KNOWLEDGE.table.rows]
    for row in KNOWLEDGE.table.rows:
        action = ACTIONS[row.id]
        assert action["title"] == row.label
        (code,) = action["code"]
        # A level that depends on the rest of the decision is no level of a card.
        assert (code["text"] if row.level in (CALM, UNTIL_DONE) else code["coding"][0]["code"]) == row.level
        assert [one["id"] for one in action.get("action", ())] == [f"{row.id}.{a.id}" for a in row.actions]
        assert [one["priority"] for one in action.get("action", ())] == [
            {"routine": "routine", "urgent": "urgent", "now": "stat"}[a.urgency] for a in row.actions
        ]


def test_ids_of_actions_are_unique() -> None:
    def ids(actions: list[dict[str, Any]]) -> Iterator[str]:
        for action in actions:
            yield action["id"]
            yield from ids(action.get("action", []))

    found = list(ids(list(ACTIONS.values())))
    assert len(found) == len(set(found))


def test_every_row_is_read_at_every_hook_that_gives_the_whole_work_up() -> None:
    hooks = [hook["hook"] for hook in KNOWLEDGE.hooks if hook["cards"] in ("work-up", "new-problem")]
    assert hooks == ["patient-view", "problem-list-item-create"]
    for action in ACTIONS.values():
        assert [(t["type"], t["name"]) for t in action["trigger"]] == [("named-event", h) for h in hooks]


def test_what_a_row_rests_on_is_cited() -> None:
    for row in KNOWLEDGE.table.rows:
        cited = [(d["label"], d["display"]) for d in ACTIONS[row.id]["documentation"]]
        assert cited == [(name, f"{s.reading}: {s.note}") for s in row.support for name in s.ids]
        for document in ACTIONS[row.id]["documentation"]:
            known = KNOWLEDGE.claims.get(document["label"])
            assert known is not None
            assert known.says in document["citation"]
            if document["type"] == "citation":
                assert KNOWLEDGE.claims.claims[known.id].sha256 in document["citation"]
            else:
                assert document["type"] == "justification"
                assert document["url"] == KNOWLEDGE.claims.anchors[known.id].url


def test_orders_are_coded_as_the_suggestions_of_the_cards() -> None:
    offered = RESOURCES["ActivityDefinition"]
    for name, definition in offered.items():
        template = KNOWLEDGE.templates.orders[name]
        assert definition["kind"] == template["resourceType"]
        assert (definition["intent"], definition["code"]) == (template["intent"], template["code"])
    orderable = {
        test
        for row in KNOWLEDGE.table.rows
        for asked in row.actions
        for action in [KNOWLEDGE.table.actions[asked.id]]
        if action.order is not None
        for test in ordered_for(action)
    }
    assert set(offered) == orderable
    # What shows that a referral was answered is not what is ordered.
    assert "neurology-referral" in offered
    assert "neurology-consultation" not in offered


def ordered_for(action: Action) -> tuple[str, ...]:
    return action.analytes or (action.studies[:1] if action.order == "study" else (action.id,))


def test_every_order_of_a_row_leads_to_its_definition() -> None:
    for row in KNOWLEDGE.table.rows:
        for asked, action in zip(row.actions, ACTIONS[row.id].get("action", ()), strict=True):
            table_action = KNOWLEDGE.table.actions[asked.id]
            canonicals = [value for name, value in walked(action) if name == "definitionCanonical"]
            names = [canonical.rpartition("/")[2].partition("|")[0] for canonical in canonicals]
            if table_action.order is not None:
                assert names == list(ordered_for(table_action))
            else:
                assert names == []


@pytest.mark.parametrize(
    ("action", "says", "not_says"),
    [
        (
            "persistent.electrolytes",
            ["no older than 30 days", "for 365 days", "out of range does not"],
            ["start"],
        ),
        ("persistent.thyroid", ["no older than 90 days", "for 365 days"], ["out of range"]),
        ("corticosteroid.electrolytes", ["not be older than the start of the medicine"], ["365"]),
        ("weakness.emg", ["of the last 180 days", "no older than 365 days is not repeated"], ["result"]),
        ("bulbar.neurology-referral", ["of at least that priority, no older than 365"], ["not repeated"]),
        ("weakness.neurology-referral", ["visit of the last 180 days", "not repeated"], ["priority"]),
        ("electrolyte-critical.electrolytes", ["of at least that priority, no older than 90"], ["365"]),
    ],
)
def test_an_action_says_what_makes_it_needless(action: str, says: list[str], not_says: list[str]) -> None:
    row = ACTIONS[action.partition(".")[0]]
    (found,) = [one["description"] for one in row["action"] if one["id"] == action]
    assert [text for text in says if text not in found] == []
    assert [text for text in not_says if text in found] == []


def test_a_level_that_depends_on_the_rest_is_said() -> None:
    def saying(text: str) -> set[str]:
        return {name for name, action in ACTIONS.items() if text in action["description"]}

    calm = {row.id for row in KNOWLEDGE.table.rows if row.level == CALM}
    assert (
        saying("level info where the examination is normal")
        == calm
        == {"tingling", "persistent", "widespread", "pain"}
    )
    until_done = {row.id for row in KNOWLEDGE.table.rows if row.level == UNTIL_DONE}
    assert saying("Level warning while one of its actions remains") == until_done == {"kidney-failure"}


# A change of the knowledge changes the artifacts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(
        shutil.copytree(HERE, tmp_path / "knowledge", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    )


def changed(folder: Path, file: str, old: str, new: str) -> dict[str, dict[str, dict[str, Any]]]:
    """The artifacts of the folder after that change of one file."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    return published(folder)


def test_a_threshold(folder: Path) -> None:
    resources = changed(folder, "decision_table.yaml", "persistent_days: 14", "persistent_days: 21")
    (fact,) = [one for one in resources["Library"][LIBRARY]["parameter"] if one["name"] == "lasts-long"]
    assert "21 days" in fact["documentation"]
    assert resources["PlanDefinition"][PLAN]["version"] == version_of(folder) != KNOWLEDGE.version


def test_a_row(folder: Path) -> None:
    resources = changed(
        folder, "decision_table.yaml", "    when: tingling\n", "    when: tingling examined\n"
    )
    (action,) = [one for one in resources["PlanDefinition"][PLAN]["action"] if one["id"] == "tingling"]
    told = {"gate": "open", "tingling": "reported"}
    assert applicable(ACTIONS["tingling"], told)
    assert not applicable(action, told)


def test_a_code(folder: Path) -> None:
    resources = changed(folder, "findings/pregnancy.yaml", "kind: diagnosis\n", PREGNANT)
    value_set = resources["ValueSet"]["finding-pregnancy"]
    assert holds(value_set, SNOMED, "example-2")
    assert not holds(VALUE_SETS["finding-pregnancy"], SNOMED, "example-2")


PREGNANT = """\
kind: diagnosis
more_codes:
  - {system: "http://snomed.info/sct", code: "example-2", source: "invented for a test"}
"""


def test_a_root_of_ones_own(folder: Path) -> None:
    resources = changed(
        folder, "fhir.yaml", '"urn:fasciculation-cds:fhir"', '"https://cds.hospital.example/fhir"'
    )
    found = resources["ValueSet"]["finding-pain"]
    assert found["url"] == "https://cds.hospital.example/fhir/ValueSet/finding-pain"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('canonical_root: "urn:', 'canonical_root: "', "canonical_root"),
        ("status: draft", "status: done", "status"),
    ],
)
def test_a_broken_file_is_refused(folder: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        changed(folder, "fhir.yaml", old, new)
