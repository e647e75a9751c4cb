"""Rows and actions are called by their ids in the YAML alone: renamed there, they give the same cards."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from fhir_mappings.record import Order, Record
from service.app import create_app
from service.cards import Call, cards_of
from service.config import Config
from service.decision import decide
from service.examples import load_examples
from service.knowledge import HERE, Knowledge, KnowledgeError, load_knowledge
from service.knowledge.conditions import FILE
from service.knowledge.loading import load_yaml
from tests.hooks.situations import SITUATIONS
from tests.knowledge.patients import days_ago, record_of_example
from tests.vignettes.dialects import BUNDLES
from tests.vignettes.patient import AS_OF, PEOPLE

EXTENSION = "org.fasciculation-cds"
DIALECT = next(iter(BUNDLES))
RAW = load_yaml(HERE / FILE)
# In the reverse of the order of the file, and nothing that any old id begins with or stands beside.
ROWS = {row["id"]: f"row-{999 - number}" for number, row in enumerate(RAW["rows"])}
ACTIONS = {action["id"]: f"action-{99 - number}" for number, action in enumerate(RAW["actions"])}


def copied(folder: Path) -> Path:
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


def rewritten(file: Path, change: Callable[[Any], object]) -> None:
    content = load_yaml(file)
    change(content)
    file.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")


def in_condition(condition: Any) -> Any:
    """The condition with the rows that it names renamed."""
    if isinstance(condition, dict):
        return {word: in_condition(part) for word, part in condition.items()}
    if isinstance(condition, list):
        return [in_condition(part) for part in condition]
    first, _, name = condition.partition(" ")
    return f"row {ROWS[name]}" if first == "row" else condition


def rename_table(table: Any) -> None:
    for action in table["actions"]:
        action["id"] = ACTIONS[action["id"]]
    for row in table["rows"]:
        row["id"] = ROWS[row["id"]]
        row["when"] = in_condition(row["when"])
        asked = [action if isinstance(action, dict) else {"id": action} for action in row["actions"]]
        row["actions"] = [{**action, "id": ACTIONS[action["id"]]} for action in asked]


def keys(texts: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key, key): text for key, text in texts.items()}


def rename_wording(wording: Any) -> None:
    wording["found"] = keys(wording["found"], ROWS)
    wording["effects"] = keys(wording["effects"], ROWS)
    for step in wording["next_steps"]:
        if "row" in step:
            step["row"] = ROWS.get(step["row"], step["row"])
    for emergency in wording["emergencies"]:
        emergency["because"] = ROWS.get(emergency["because"], emergency["because"])
    wording["ask_of_row"] = keys(wording["ask_of_row"], ROWS)
    wording["order_text"] = keys(wording["order_text"], ACTIONS)
    wording["actions"] = keys(wording["actions"], ACTIONS)
    for words in wording["actions"].values():
        if "for_row" in words:
            words["for_row"] = keys(words["for_row"], ROWS)
    wording["notes"] = keys(wording["notes"], ROWS)
    names = {
        "actions": ACTIONS,
        "order_text": ACTIONS,
        "effects": ROWS,
        "ask_of_row": ROWS,
        "notes": ROWS,
    }

    def place(stated: str) -> str:
        first, *rest = stated.split(".")
        return ".".join([first, *(names.get(first, {}).get(part, part) for part in rest)])

    wording["rests_on"] = {place(stated): ids for stated, ids in wording["rests_on"].items()}


def rename_pages(pages: Any) -> None:
    for column in pages["two_columns"]:
        column["rows"] = [ROWS[row] for row in column["rows"]]


@pytest.fixture(scope="module")
def renamed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the knowledge in which every row and every action has another name, wherever it is named."""
    folder = copied(tmp_path_factory.mktemp("renamed") / "knowledge")
    rewritten(folder / FILE, rename_table)
    rewritten(folder / "wording.yaml", rename_wording)
    rewritten(folder / "pages.yaml", rename_pages)
    # What is ordered is called as its action is, where it is no test and no study.
    for file in (folder / "procedures").glob("*.yaml"):
        procedure = load_yaml(file)
        if procedure["kind"] == "referral":
            new = ACTIONS[procedure["id"]]
            rewritten(file, lambda content, new=new: content.update(id=new))
            file.rename(file.with_stem(new))
    return folder


def answers(client: FlaskClient) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Name of a request -> its cards: every test patient, example and situation."""

    def cards(path: str, body: str | bytes, kind: str = "application/json") -> list[dict[str, Any]]:
        response = client.post(path, data=body, content_type=kind)
        assert response.status_code == 200, response.get_data(as_text=True)
        found: list[dict[str, Any]] = response.get_json()["cards"]
        return found

    for person in PEOPLE:
        body = json.dumps(BUNDLES[DIALECT](person))
        yield person.id, cards(f"/evaluate?asOf={AS_OF}", body, "application/fhir+json")
    for example in load_examples():
        for hook, sample in example.requests.items():
            yield f"{example.name} {hook}", cards(f"/cds-services/fasciculation-{hook}", sample.body)
    for name, (_, request) in SITUATIONS.items():
        yield name, cards(f"/cds-services/fasciculation-{request['hook']}", json.dumps(request))


def stripped(card: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The card, its rows called by those names; without the version of the knowledge and without uuids.

    A uuid says which row or action it stands for, so that feedback can be counted.
    """
    extension = card["extension"][EXTENSION]
    links = [
        {**link, "url": f"{head}?rows={','.join(names.get(row, row) for row in fired.split(','))}"}
        for link in card["links"]
        for head, _, fired in [link["url"].partition("?rows=")]
    ]
    suggestions = [
        {key: value for key, value in one.items() if key != "uuid"} for one in card.get("suggestions", ())
    ]
    rows = [names.get(row, row) for row in extension["rows"]]
    rest = {key: value for key, value in card.items() if key not in ("uuid", "extension")}
    return {**rest, "links": links, "suggestions": suggestions, "rows": rows, "claims": extension["claims"]}


def test_renamed_rows_and_actions_give_the_same_cards(renamed: Path) -> None:
    before = create_app(Config(), load_knowledge()).test_client()
    after = create_app(Config(), load_knowledge(renamed)).test_client()
    for (name, old), (_, new) in zip(answers(before), answers(after), strict=True):
        assert [stripped(card, {}) for card in new] == [stripped(card, ROWS) for card in old], name


def written(knowledge: Knowledge, record: Record, names: Mapping[str, str]) -> list[dict[str, Any]]:
    cards = cards_of(
        decide(record, knowledge.table), knowledge, Call("1", "https://cds.example", "Patient/p")
    )
    return [stripped(card, names) for card in cards]


def test_every_row_renamed_gives_the_same_card(renamed: Path) -> None:
    before, after = load_knowledge(), load_knowledge(renamed)
    for row in before.table.rows:
        for example in row.examples:
            record = record_of_example(example.given)
            old = written(before, record, ROWS)
            assert written(after, record, {}) == old, f"{row.id}: {example.title}"
            # An example that sets facts is no record that a card could be of.
            if "facts" not in example.given:
                fired = {name for card in old for name in card["rows"]}
                assert (ROWS[row.id] in fired) is example.holds


def test_open_orders_are_named_alike(renamed: Path) -> None:
    """What is ordered is listed in an order of its own, whatever the actions are called."""
    before, after = load_knowledge(), load_knowledge(renamed)
    referral = next(action["id"] for action in RAW["actions"] if action.get("order") == "referral")
    tests = [action for action in before.table.actions.values() if action.is_test]
    others = {study for action in tests for study in action.studies} | {"zinc", "tsh"}

    def ordered(name: str) -> Record:
        order = Order(tests=frozenset({*others, name}), day=days_ago(3), reference="ServiceRequest/1")
        return replace(record_of_example({}), orders=(order,))

    old = written(before, ordered(referral), ROWS)
    assert written(after, ordered(ACTIONS[referral]), {}) == old
    assert "EMG, MRI brain, MRI spine, nerve conduction, neurology referral, TSH, zinc" in old[0]["detail"]


def dropped(role: str, bearers: str) -> Callable[[Any], None]:
    def change(table: Any) -> None:
        for bearer in table[bearers]:
            bearer["roles"] = [one for one in bearer.get("roles", ()) if one != role]

    return change


EVERY_ROLE = [
    *((role, "rows") for row in RAW["rows"] for role in row.get("roles", ())),
    *((role, "actions") for action in RAW["actions"] for role in action.get("roles", ())),
]


@pytest.mark.parametrize(("role", "bearers"), dict.fromkeys(EVERY_ROLE))
def test_a_role_that_nothing_has_is_refused(role: str, bearers: str, tmp_path: Path) -> None:
    folder = copied(tmp_path / "knowledge")
    rewritten(folder / FILE, dropped(role, bearers))
    with pytest.raises(KnowledgeError) as refused:
        load_knowledge(folder)
    assert f"{FILE}: {bearers}: none has the role '{role}'" in str(refused.value)


def set_member(bearers: str, number: int, **members: Any) -> Callable[[Any], None]:
    return lambda table: table[bearers][number].update(members)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (set_member("rows", 0, roles=["nothin"]), f"rows.{RAW['rows'][0]['id']}: 'nothin' is no role"),
        (set_member("rows", 0, roles=["missing-blood-tests"]), "'missing-blood-tests' is no role"),
        (set_member("actions", 0, roles=["named"]), f"actions.{RAW['actions'][0]['id']}: 'named' is no role"),
        (
            set_member("actions", 0, roles=["missing-blood-tests"]),
            "actions: the role 'missing-blood-tests' is on 2 actions, not on one",
        ),
        (set_member("rows", 0, id="child-age"), "rows.child-age: is the name of a computed feature"),
        (set_member("rows", 0, id="sodium-abnormal"), "rows.sodium-abnormal: is the name of a computed"),
    ],
)
def test_a_role_or_name_that_does_not_fit_is_refused(
    change: Callable[[Any], None], says: str, tmp_path: Path
) -> None:
    folder = copied(tmp_path / "knowledge")
    rewritten(folder / FILE, change)
    with pytest.raises(KnowledgeError) as refused:
        load_knowledge(folder)
    assert f"{FILE}: " in str(refused.value)
    assert says in str(refused.value)


def test_the_action_that_orders_what_is_missing_has_a_label(tmp_path: Path) -> None:
    folder = copied(tmp_path / "knowledge")
    (action,) = [one["id"] for one in RAW["actions"] if "missing-blood-tests" in one.get("roles", ())]
    rewritten(folder / "wording.yaml", lambda wording: wording["actions"][action].pop("order"))
    with pytest.raises(KnowledgeError, match=rf"wording.yaml: actions.{action}.order: no text"):
        load_knowledge(folder)
