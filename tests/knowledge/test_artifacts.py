"""The published artifacts: valid FHIR R4, whole, and made anew with the knowledge."""

from __future__ import annotations

import re
import shutil
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from pydantic import BaseModel

from fhir_mappings.code_systems import SNOMED
from service.decision.table import Action, Row
from service.knowledge import HERE, version_of
from tests.knowledge.published import (
    ACTIONS,
    ALL,
    KNOWLEDGE,
    RESOURCES,
    VALUE_SETS,
    published,
    walked,
)
from tests.knowledge.value_sets import holds
from tools.artifacts.work_up import LIBRARY, PLAN

# The models cut a long list of codes short.
MORE = "+"


def wrong_codes(model: BaseModel, path: str) -> Iterator[str]:
    """Codes that their required binding does not have: the R4B models themselves accept any string."""
    for name, field in type(model).model_fields.items():
        extra = field.json_schema_extra
        allowed = extra.get("enum_values") if isinstance(extra, dict) else None
        found = getattr(model, name, None)
        for one in found if isinstance(found, list) else [found]:
            if isinstance(one, BaseModel):
                yield from wrong_codes(one, f"{path}.{name}")
            elif allowed and MORE not in allowed and one is not None and one not in allowed:
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


PRIORITIES = {"routine": "routine", "urgent": "urgent", "now": "stat"}


def asking(action: str, urgency: str) -> list[Row]:
    """The rows that ask for it at that urgency."""
    return [r for r in KNOWLEDGE.table.rows if any((a.id, a.urgency) == (action, urgency) for a in r.actions)]


def test_every_recommendation_is_an_action() -> None:
    asked = {(a.id, a.urgency) for row in KNOWLEDGE.table.rows for a in row.actions}
    # Beside what rows ask for: a result that is done and out of range is acted on.
    assert {tuple(name.split(".")) for name in ACTIONS} == asked | {("act-on-result", "routine")}
    for name, action in ACTIONS.items():
        made, urgency = name.split(".")
        assert action["priority"] == PRIORITIES[urgency]
        assert [one["text"] for one in action.get("reason", ())] == [
            row.label for row in asking(made, urgency)
        ]


def test_every_condition_is_a_definition_of_the_library() -> None:
    (content,) = [c for c in RESOURCES["Library"][LIBRARY]["content"] if c["contentType"] == "text/cql"]
    text = b64decode(content["data"]).decode()
    defined = re.findall(r"^define (\w+):$", text, re.MULTILINE)
    expressions = [
        value
        for name, value in walked(RESOURCES["PlanDefinition"][PLAN])
        if name == "expression" and "language" in value
    ]
    assert {one["language"] for one in expressions} == {"text/cql"}
    named = [one["expression"] for one in expressions]
    assert len(named) == len(set(named)) > 30
    assert sorted(named) == sorted(defined)


def test_the_library_is_translated() -> None:
    contents = [content["contentType"] for content in RESOURCES["Library"][LIBRARY]["content"]]
    assert contents == ["text/cql", "application/elm+json"]


def test_the_library_reads_published_value_sets_alone() -> None:
    (content, _) = RESOURCES["Library"][LIBRARY]["content"]
    urls = re.findall(r"^valueset \"[^\"]+\": '([^']+)'$", b64decode(content["data"]).decode(), re.MULTILINE)
    assert sorted(urls) == sorted(one["url"] for one in VALUE_SETS.values())


def test_ids_of_actions_are_unique() -> None:
    def ids(actions: list[dict[str, Any]]) -> Iterator[str]:
        for action in actions:
            yield action["id"]
            yield from ids(action.get("action", []))

    found = list(ids(list(ACTIONS.values())))
    assert len(found) == len(set(found))


def test_the_plan_is_read_at_every_hook_that_gives_the_whole_work_up() -> None:
    hooks = [hook["hook"] for hook in KNOWLEDGE.hooks if hook["cards"] in ("work-up", "new-problem")]
    assert hooks == ["patient-view", "problem-list-item-create"]
    for action in ACTIONS.values():
        assert [(t["type"], t["name"]) for t in action["trigger"]] == [("named-event", h) for h in hooks]


def test_what_a_recommendation_rests_on_is_cited() -> None:
    for name, action in ACTIONS.items():
        supports = [support for row in asking(*name.split(".")) for support in row.support]
        cited = [(d["label"], d["display"]) for d in action.get("documentation", ())]
        assert cited == list(dict.fromkeys((i, f"{s.reading}: {s.note}") for s in supports for i in s.ids))
        for document in action.get("documentation", ()):
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


def test_every_order_leads_to_its_definition() -> None:
    for name, action in ACTIONS.items():
        table_action = KNOWLEDGE.table.actions[name.split(".")[0]]
        canonicals = [value for member, value in walked(action) if member == "definitionCanonical"]
        names = [canonical.rpartition("/")[2].partition("|")[0] for canonical in canonicals]
        assert names == (list(ordered_for(table_action)) if table_action.order is not None else [])


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


def library_of(resources: dict[str, dict[str, dict[str, Any]]]) -> str:
    return b64decode(resources["Library"][LIBRARY]["content"][0]["data"]).decode()


def test_a_threshold(folder: Path) -> None:
    resources = changed(folder, "decision_table.yaml", "persistent_days: 14", "persistent_days: 21")
    assert 'define "Fact lasts-long": "Longer than"(14)' in library_of(RESOURCES)
    assert 'define "Fact lasts-long": "Longer than"(21)' in library_of(resources)
    # Until it is translated: another decision's translation is not passed on.
    assert [one["contentType"] for one in resources["Library"][LIBRARY]["content"]] == ["text/cql"]
    assert resources["PlanDefinition"][PLAN]["version"] == version_of(folder) != KNOWLEDGE.version


def test_a_wording_keeps_the_translation(folder: Path) -> None:
    resources = changed(folder, "fhir.yaml", 'routine: "routine"', 'routine: "when convenient"')
    elm = [b64decode(one["data"]).decode() for one in resources["Library"][LIBRARY]["content"]][1]
    assert f'"version":"{version_of(folder)}"' in elm
    assert KNOWLEDGE.version not in elm


def test_a_row(folder: Path) -> None:
    resources = changed(
        folder, "decision_table.yaml", "    when: tingling\n", "    when: tingling examined\n"
    )
    before, after = (row_of(library_of(made), "tingling") for made in (RESOURCES, resources))
    assert before == "\"Finding tingling\" in { 'examined', 'listed', 'reported' }"
    assert after == "\"Finding tingling\" in { 'examined', 'listed' }"


def row_of(text: str, name: str) -> str:
    found = re.search(rf'^define "Row {name}":\n  (.*)$', text, re.MULTILINE)
    assert found is not None
    return found[1]


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
