"""The examples: each gets the cards of its expected.yaml, the right ones, from the running application."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import yaml
from fhir.resources.R4B.bundle import Bundle
from flask.testing import FlaskClient

from service.examples import Example, ExamplesError, load_examples
from tests.vignettes.examples import DIRECTORY, HOOKS, cards_seen, entries, person_of
from tests.vignettes.test_vignettes import missing, said_in, text_of

EXAMPLES = load_examples()
EACH = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
NOT_R4 = {"thiazide-in-r5", "wasting-hand-in-stu3"}
# Written to be refused in part.
NOT_FHIR = {"hostile-record", "weakness-struck-out"}


def evaluated(client: FlaskClient, example: Example) -> dict[str, Any]:
    response = client.post(
        f"/evaluate?asOf={example.as_of}", data=example.bundle.body, content_type="application/fhir+json"
    )
    assert response.status_code == 200
    content: dict[str, Any] = response.get_json()
    return content


@EACH
def test_its_bundle_gets_its_cards(client: FlaskClient, example: Example) -> None:
    assert cards_seen(evaluated(client, example)["cards"]) == example.bundle.expected


@EACH
@pytest.mark.parametrize("hook", HOOKS)
def test_its_calls_get_their_cards(client: FlaskClient, example: Example, hook: str) -> None:
    sample = example.requests[hook]
    response = client.post(
        f"/cds-services/fasciculation-{hook}", data=sample.body, content_type="application/json"
    )
    assert response.status_code == 200
    content = response.get_json()
    assert cards_seen(content["cards"]) == sample.expected
    assert content["extension"]["org.fasciculation-cds"]["assessment"]["asOf"] == str(example.as_of)


def test_the_index_and_its_source_name_the_same_in_order() -> None:
    assert [example.name for example in EXAMPLES] == [entry["name"] for entry in entries()]


# A list that was not sent leaves rows out that the patient would have.
@pytest.mark.parametrize(
    "entry", [e for e in entries() if e["dialect"] != "unseen"], ids=lambda entry: entry["name"]
)
def test_the_answer_is_the_one_a_clinician_expects(client: FlaskClient, entry: dict[str, Any]) -> None:
    (example,) = [one for one in EXAMPLES if one.name == entry["name"]]
    expected = person_of(entry).expected
    content = evaluated(client, example)
    assessment = content["assessment"]
    assert assessment["level"] in expected.levels
    assert {row["id"] for row in assessment["rows"]} == set(expected.rows)
    advised = {one["id"] for one in assessment["recommendations"]}
    assert [ids for ids in expected.must if not set(ids.split("|")) & advised] == []
    assert not advised & set(expected.must_not)
    if not expected.silent:
        text = text_of(content["cards"])
        assert missing(text, person_of(entry)) == []
        assert said_in(text, expected.never) == []


@pytest.mark.parametrize(
    "example", [e for e in EXAMPLES if e.name not in NOT_R4 | NOT_FHIR], ids=lambda example: example.name
)
def test_its_bundle_is_r4(example: Example) -> None:
    Bundle.model_validate_json(example.bundle.body)


def test_they_are_various(client: FlaskClient) -> None:
    answers = {example.name: evaluated(client, example)["assessment"] for example in EXAMPLES}
    assert len({answer["patient"] for name, answer in answers.items() if name not in NOT_R4}) >= 12
    assert {answer["level"] for answer in answers.values()} == {"none", "info", "warning", "critical"}
    rows = {row["id"] for answer in answers.values() for row in answer["rows"]}
    assert {"child", "diuretic-depleting", "corticosteroid", "multiple-sclerosis"} <= rows
    assert any("conditions" not in a["notSeen"] and "findings" in a["notSeen"] for a in answers.values())
    assert len(answers["hostile-record"]["notUnderstood"]) > 5
    assert {"weakness-struck-out", "hostile-record"} <= {n for n, a in answers.items() if a["notUsed"]}
    for hook in HOOKS:
        assert {bool(example.requests[hook].expected) for example in EXAMPLES} == {True, False}, hook


def test_without_the_folder_there_are_none(tmp_path: Path) -> None:
    assert load_examples(tmp_path / "nowhere") == ()


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two of the examples."""
    folder = tmp_path_factory.mktemp("examples")
    names = [example.name for example in EXAMPLES[:2]]
    for name in names:
        copytree(DIRECTORY / name, folder / name)
    (folder / "index.yaml").write_text(yaml.safe_dump({"examples": names}), encoding="utf-8")
    assert [example.name for example in load_examples(folder)] == names
    return folder


FIRST = "thigh-day-fifteen"


def _in_yaml(file: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        content = yaml.safe_load((folder / file).read_text(encoding="utf-8"))
        change(content)
        (folder / file).write_text(yaml.safe_dump(content), encoding="utf-8")

    return changed


def _in_index(change: Callable[[list[str]], object]) -> Callable[[Path], None]:
    return _in_yaml("index.yaml", lambda content: change(content["examples"]))


def _in_expected(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    return _in_yaml(f"{FIRST}/expected.yaml", change)


def _in_request(**members: Any) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        path = folder / FIRST / "order-sign.json"
        path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **members}))

    return changed


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_in_index(lambda names: names.append("V 05")), "index.yaml: examples.2: not kebab-case"),
        (_in_index(lambda names: names.append("lunch")), "index.yaml: lunch: no such folder"),
        (_in_index(lambda names: names.pop()), "index.yaml: eyelid-exam-weeks: is not listed"),
        (_in_index(lambda names: names.append(names[0])), "index.yaml: examples: a name is listed twice"),
        (_in_expected(lambda one: one.update(extra=1)), f"{FIRST}/expected.yaml: extra: Unknown"),
        (_in_expected(lambda one: one.pop("about")), "expected.yaml: about: Missing"),
        (_in_expected(lambda one: one.update(asOf="soon")), "expected.yaml: asOf: Not a valid date"),
        (_in_expected(lambda one: one.update(asOf="2026-06-14")), "not the assessment on 2026-06-14"),
        (_in_expected(lambda one: one["cards"].pop("bundle")), "expected.yaml: cards.bundle: missing"),
        (_in_expected(lambda one: one["cards"].pop("order-sign")), "cards: does not name order-sign.json"),
        (_in_expected(lambda one: one["cards"].update(lunch=[])), "expected.yaml: cards.lunch: Must be one"),
        (_in_expected(lambda one: one["cards"].update({"../x": []})), "expected.yaml: cards.../x: Must be"),
        (lambda folder: (folder / "index.yaml").write_text("[]"), "index.yaml: not a mapping"),
        (lambda folder: (folder / "index.yaml").write_text("a: [b"), "examples/index.yaml: line"),
        (lambda folder: (folder / "index.yaml").unlink(), "examples/index.yaml: No such file"),
        (lambda folder: (folder / FIRST / "expected.yaml").unlink(), f"{FIRST}/expected.yaml: No such file"),
        (lambda folder: (folder / FIRST / "bundle.json").unlink(), f"{FIRST}/bundle.json: no such file"),
        (lambda folder: (folder / FIRST / "bundle.json").write_text("{"), "bundle.json: not JSON"),
        (lambda folder: (folder / FIRST / "bundle.json").write_text("[]"), "bundle.json: not an object"),
        (lambda folder: (folder / FIRST / "bundle.json").write_text("{}"), "resourceType: not a Bundle"),
        (_in_request(hook="order-select"), f"{FIRST}/order-sign.json: hook: not order-sign"),
        (_in_request(extension=None), "not the assessment on 2026-06-15"),
    ],
)
def test_a_broken_folder_is_refused_and_says_where(
    few: Path, tmp_path: Path, change: Callable[[Path], None], says: str
) -> None:
    folder = tmp_path / "copy"
    copytree(few, folder)
    change(folder)
    with pytest.raises(ExamplesError) as refused:
        load_examples(folder)
    assert says in str(refused.value)
