"""KNOWLEDGE_OVERLAY: single entries are changed, the rest stays, and a wrong overlay names file and place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Config
from service.knowledge import HERE, Knowledge, KnowledgeError, load_knowledge, templates
from service.knowledge.loading import load_yaml
from tests.contract.requests import DAY, example

TABLE, WORDING = "decision_table.yaml", "wording.yaml"
GERMAN = "weniger Koffein"


def overlay_of(files: dict[str, str], folder: Path) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def documented() -> dict[str, str]:
    """The files of the worked example in docs/site.md: name -> text."""
    page = (Path(__file__).parents[2] / "docs" / "site.md").read_text(encoding="utf-8")
    example = page.partition("<!-- example -->")[2].partition("<!-- /example -->")[0]
    files = {}
    for part in example.split("`")[1:]:
        if part.endswith((".yaml", ".csv")) and "\n" not in part:
            name = part
        elif part.startswith(("yaml\n", "csv\n")):
            files[name] = part.partition("\n")[2]
    return files


def client_of(knowledge: Knowledge) -> FlaskClient:
    return create_app(Config(), knowledge).test_client()


def evaluated(client: FlaskClient, bundle: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = client.post(f"/evaluate?asOf={DAY}", json=bundle).get_json()
    return answer


def rows_of(answer: dict[str, Any]) -> set[str]:
    return {row["id"] for row in answer["assessment"]["rows"]}


def test_the_worked_example_of_the_documentation(tmp_path: Path, knowledge: Knowledge) -> None:
    files = documented()
    assert set(files) == {"codes.csv", f"overlay/{TABLE}", f"overlay/{WORDING}"}
    folder = overlay_of(files, tmp_path)
    config = Config.from_environ(
        {"SITE_CODES": str(folder / "codes.csv"), "KNOWLEDGE_OVERLAY": str(folder / "overlay")}
    )
    site = load_knowledge(config.knowledge_dir, config.knowledge_overlay, config.site_codes)
    assert site.table.thresholds.persistent_days == 21
    assert knowledge.table.thresholds.persistent_days == 14
    assert site.wording.texts["self_care.advice.caffeine"] == GERMAN
    assert [row.id for row in site.table.rows_off] == ["new-after-60"]
    shipped, changed = client_of(knowledge), client_of(site)
    bundle = example("thigh-day-fifteen/bundle.json")
    assert "persistent" in rows_of(evaluated(shipped, bundle))
    assert "persistent" not in rows_of(evaluated(changed, bundle))
    assert evaluated(changed, bundle)["assessment"]["knowledgeVersion"] == site.version != knowledge.version
    ready = changed.get("/readyz").get_json()
    off = [{"id": "new-after-60", "label": site.table.rows_off[0].label}]
    assert ready["site"] == {
        "overlay": {"files": [TABLE, WORDING], "rowsOff": off},
        "codes": {"read": 2, "leftOut": 0},
    }
    assert ready["rows"] == len(knowledge.table.rows) - 1


def test_the_templates_of_a_site_are_validated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = []
    monkeypatch.setattr(templates, "check_template", lambda made: texts.append(made["code"]["text"]))
    load_knowledge(overlay=overlay_of({WORDING: "order_text:\n  autoimmune: Antibodies\n"}, tmp_path))
    assert "Antibodies" in texts


@pytest.fixture
def changed(tmp_path: Path) -> FlaskClient:
    text = "thresholds:\n  persistent_days: 21\nrows_off: [new-after-60]\n"
    return client_of(load_knowledge(overlay=overlay_of({TABLE: text}, tmp_path)))


def test_the_pages_show_the_changed_table_as_a_sites_own(changed: FlaskClient, knowledge: Knowledge) -> None:
    page = changed.get("/knowledge").text
    assert "This is a site's own knowledge" in page
    assert f"Changed by its overlay: {TABLE}." in page
    assert "/fhir/" not in page
    assert "This is a site's own knowledge" in changed.get("/knowledge/persistent").text
    assert "/fhir/" not in changed.get("/knowledge/persistent").text
    said = changed.get("/knowledge", headers={"Accept": "application/json"}).get_json()
    assert {one["id"]: one["value"] for one in said["thresholds"]}["persistent_days"] == 21
    assert said["site"]["overlay"]["rowsOff"][0]["id"] == "new-after-60"
    assert changed.get("/knowledge/new-after-60").status_code == 404
    assert changed.get("/knowledge/claims").status_code == 200
    assert "site's own" not in client_of(knowledge).get("/knowledge").text


@pytest.mark.parametrize("path", ["/fhir", "/fhir/metadata", "/fhir/PlanDefinition"])
def test_fhir_is_not_served(changed: FlaskClient, path: str) -> None:
    answer = changed.get(path)
    assert answer.status_code == 404
    assert "changed by this site" in answer.get_json()["issue"][0]["diagnostics"]


def test_the_version_follows_the_content(tmp_path: Path, knowledge: Knowledge) -> None:
    versions = [knowledge.version]
    for number, days in enumerate((21, 22, 21)):
        folder = overlay_of({TABLE: f"thresholds: {{persistent_days: {days}}}\n"}, tmp_path / str(number))
        versions.append(load_knowledge(overlay=folder).version)
    assert versions[1] == versions[3]
    assert len(set(versions)) == 3
    assert all(len(version) == 12 and int(version, 16) for version in versions)


def test_lists_of_names_are_extended(tmp_path: Path, knowledge: Knowledge) -> None:
    names = sorted(knowledge.terminology.findings["fasciculation"].names)
    text = f"names: {json.dumps([*_shipped_names(), 'Muskelzucken'])}\n"
    site = load_knowledge(overlay=overlay_of({"findings/fasciculation.yaml": text}, tmp_path))
    assert site.terminology.findings["fasciculation"].names == {*names, "muskelzucken"}


def _shipped_names() -> list[str]:
    names: list[str] = load_yaml(HERE / "findings/fasciculation.yaml")["names"]
    return names


def test_an_entry_changes_by_its_id_and_notes_are_no_files(tmp_path: Path, knowledge: Knowledge) -> None:
    files = {
        TABLE: "actions:\n  - {id: hba1c, done_days: 180}\n",
        "README.md": "why",
        "..data/link.yaml": "",
        ".git/config": "",
    }
    site = load_knowledge(overlay=overlay_of(files, tmp_path))
    assert site.site is not None
    assert site.site.overlay == (TABLE,)
    assert list(site.table.actions) == list(knowledge.table.actions)
    assert (site.table.actions["hba1c"].done_days, knowledge.table.actions["hba1c"].done_days) == (180, 90)
    assert site.table.actions["hba1c"].analytes == ("hba1c",)


NO_FILE = "no such file in the knowledge, or none that has an effect here"
WRONG = {
    "no file": ({}, "the folder: has no YAML file"),
    "notes alone": ({"README.md": "x"}, "the folder: has no YAML file"),
    "unknown file": ({"wordings.yaml": "a: b"}, f"wordings.yaml: {NO_FILE}"),
    "unknown folder": ({"finding/fasciculation.yaml": "a: b"}, f"finding/fasciculation.yaml: {NO_FILE}"),
    "other ending": ({"wording.yml": "a: b"}, f"wording.yml: {NO_FILE}"),
    "new file": ({"findings/new.yaml": "id: new"}, f"findings/new.yaml: {NO_FILE}"),
    "fhir": ({"fhir.yaml": "status: active"}, f"fhir.yaml: {NO_FILE}"),
    "not yaml": ({TABLE: "a: [\n"}, f"{TABLE}: line "),
    "in itself": ({TABLE: "a: &x [*x]\n"}, f"{TABLE}: nested too deeply"),
    "key twice": ({TABLE: "a: 1\na: 2\n"}, f"{TABLE}: line 2: the key 'a' stands twice"),
    "empty": ({TABLE: ""}, f"{TABLE}: is empty, or not a mapping"),
    "a list": ({TABLE: "- a"}, f"{TABLE}: is empty, or not a mapping"),
    "unknown member": ({TABLE: "threshold: {old_years: 65}"}, f"{TABLE}: threshold: Unknown field."),
    "unknown threshold": ({TABLE: "thresholds: {days: 2}"}, f"{TABLE}: thresholds.days: Unknown field."),
    "wrong type": (
        {TABLE: "thresholds: {persistent_days: '21'}"},
        f"{TABLE}: thresholds.persistent_days: Not a valid integer.",
    ),
    "negative": ({TABLE: "thresholds: {persistent_days: -1}"}, f"{TABLE}: thresholds.persistent_days: Must"),
    "map for text": ({WORDING: "link: {a: b}"}, f"{WORDING}: link: Not a valid string."),
    "text for map": ({TABLE: "thresholds: 21"}, f"{TABLE}: thresholds: Invalid input type."),
    "null": ({TABLE: "thresholds: {persistent_days: null}"}, f"{TABLE}: thresholds.persistent_days: Field"),
    "unknown action": (
        {TABLE: "actions: [{id: emgg, done_days: 1}]"},
        f"{TABLE}: actions.emgg.kind: Missing",
    ),
    "id twice": ({TABLE: "actions: [{id: emg}, {id: emg}]"}, f"{TABLE}: actions: an id stands twice"),
    "new definition": (
        {TABLE: "definitions: {any-sing: weakness}"},
        f"{TABLE}: definitions.any-sing: no such",
    ),
    "new fact": (
        {TABLE: "result_facts: {sodium-lo: {analytes: [sodium], state: low, at_most_days: 1}}"},
        f"{TABLE}: result_facts.sodium-lo: no such entry",
    ),
    "days that are repeated": (
        {TABLE: "thresholds: {recent_result_days: 60}"},
        f"{TABLE}: result_facts.any-electrolyte-abnormal: still counts the 90 days of",
    ),
    "unknown row off": ({TABLE: "rows_off: [nothing]"}, f"{TABLE}: rows_off: no row 'nothing'"),
    "row off that others name": (
        {TABLE: "rows_off: [bulbar]"},
        "reads the row 'bulbar', which rows_off switches off",
    ),
    "row off with a role": ({TABLE: "rows_off: [benign]"}, f"{TABLE}: rows: none has the role 'benign'"),
    "role of an action": (
        {TABLE: "actions: [{id: self-care, roles: []}]"},
        f"{TABLE}: actions: none has the role 'care'",
    ),
    "unknown finding": ({TABLE: "signs: [weaknes]"}, f"{TABLE}: signs: no finding 'weaknes' in findings/"),
    "placeholder missing": ({WORDING: "lead: {done: Erledigt.}"}, "lead.done: {date} is missing"),
    "placeholder unknown": (
        {WORDING: "link: 'About {patient}'"},
        f"{WORDING}: link: nothing fills {{patient}}",
    ),
    "brace": ({WORDING: "link: 'About {'"}, f"{WORDING}: link: a brace is left open"),
    "new text": ({WORDING: "notes: {nothing: x}"}, f"{WORDING}: notes.nothing: no such entry"),
    "text for no row": ({WORDING: "found: {nothing: x}"}, f"{WORDING}: found.nothing: text for something"),
    "text for no advice": (
        {WORDING: "self_care: {advice: {nothing: x}}"},
        f"{WORDING}: self_care.advice.nothing: text for something",
    ),
    "pages": ({"pages.yaml": "phrases: {nothing: x}"}, "pages.yaml: phrases.nothing: no such entry"),
    "code taken away": (
        {"findings/fasciculation.yaml": "names: [Zucken]"},
        "findings/fasciculation.yaml: names: takes ",
    ),
    "another id": ({"findings/pain.yaml": "id: ache"}, "findings/pain.yaml: id: is 'ache', not the name"),
    "unknown site": (
        {"findings/fasciculation.yaml": "sited: {fasciculation: tail}"},
        "findings/fasciculation.yaml: sited",
    ),
    "code with two meanings": (
        {
            "analytes/sodium.yaml": "more_codes: [{system: http://loinc.org, code: 2823-3, source: x}]",
        },
        "stands in potassium too",
    ),
    "claim of no source": (
        {WORDING: "rests_on: {safety_net: [S999-01]}"},
        f"{WORDING}: rests_on.safety_net",
    ),
    "hook": ({"hooks.yaml": "hooks: [{id: fasciculation-patient-view, hook: other}]"}, "hooks.yaml: "),
}


@pytest.mark.parametrize(("files", "reason"), WRONG.values(), ids=WRONG)
def test_a_wrong_overlay_is_refused_with_file_and_place(
    files: dict[str, str], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(KnowledgeError) as error:
        load_knowledge(overlay=overlay_of(files, tmp_path))
    lines = str(error.value).splitlines()
    assert all(line.startswith("KNOWLEDGE_OVERLAY: ") for line in lines)
    assert any(reason in line for line in lines), lines


def test_every_problem_of_all_files_is_named_at_once(tmp_path: Path) -> None:
    files = {
        "findings/pain.yaml": "kind: ache\n",
        TABLE: "thresholds: {persistent_days: long}\nrows_off: [nothing]\n",
        WORDING: "link: 1\nnotes: {nothing: x}\n",
        "hooks.yaml": "hooks: [{id: fasciculation-patient-view, cards: none}]\n",
        "other.yaml": "a: b\n",
    }
    codes = tmp_path / "codes.csv"
    codes.write_text("system,code,concept\nurn:x,1,twich\n")
    with pytest.raises(KnowledgeError) as error:
        load_knowledge(overlay=overlay_of(files, tmp_path / "overlay"), site_codes=codes)
    named = {problem.file.partition(": ")[2] for problem in error.value.problems}
    assert named == {*files, "codes.csv"}


def test_no_setting_changes_nothing(knowledge: Knowledge) -> None:
    assert knowledge.site is None
    assert "site" not in client_of(knowledge).get("/readyz").get_json()
