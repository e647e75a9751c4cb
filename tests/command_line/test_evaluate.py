"""evaluate: the answers of the service, from files; every kind of input, format and exit code."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copyfile

import pytest
from flask.testing import FlaskClient

from service.examples import Example, load_examples
from tests.command_line.running import DAY, EXAMPLES, as_lines, bundle_of, resources_in, run

# Patient id -> example.
NAMES = {
    "v05": "thigh-day-fifteen",
    "v06": "wasting-hand",
    "v07": "diabetes-numb-feet",
    "v08": "thiazide-potassium-in-range",
    "v34": "loop-diuretic-no-twitch",
}
# Info, critical, warning, info, none.
V05, V06, V07, V08, V34 = (EXAMPLES / name / "bundle.json" for name in NAMES.values())


def without_ids(content: object) -> object:
    """Cards of the service are signed, those of the command line are not."""
    if isinstance(content, dict):
        return {key: without_ids(value) for key, value in content.items() if key != "uuid"}
    return [without_ids(value) for value in content] if isinstance(content, list) else content


@pytest.mark.parametrize("example", load_examples()[:4], ids=lambda example: example.name)
def test_a_bundle_is_answered_as_by_the_service(client: FlaskClient, example: Example) -> None:
    ran = run("evaluate", EXAMPLES / example.bundle.file, f"--as-of={example.as_of}", "--format=json",
              "--base-url=https://cds.example")  # fmt: skip
    (answer,) = ran.lines
    served = client.post(f"/evaluate?asOf={example.as_of}", data=example.bundle.body,
                         content_type="application/fhir+json").get_json()  # fmt: skip
    assert answer.pop("source") == str(EXAMPLES / example.bundle.file)
    assert without_ids(answer) == without_ids(served)


@pytest.mark.parametrize("hook", load_examples()[0].requests)
def test_a_hook_request_is_answered_as_by_the_service_on_its_own_day(client: FlaskClient, hook: str) -> None:
    sample = load_examples()[0].requests[hook]
    (answer,) = run(
        "evaluate", EXAMPLES / sample.file, "--format=json", "--base-url=https://cds.example/"
    ).lines
    served = client.post(f"/cds-services/fasciculation-{hook}", data=sample.body,
                         content_type="application/json").get_json()  # fmt: skip
    assert without_ids(answer["cards"]) == without_ids(served["cards"])
    assert answer["assessment"] == served["extension"]["org.fasciculation-cds"]["assessment"]


def test_the_day_of_the_command_goes_before_that_of_a_request() -> None:
    (answer,) = run(
        "evaluate", EXAMPLES / "thigh-day-fifteen/patient-view.json", "--format=json", "--as-of=2026-06-14"
    ).lines
    assert answer["assessment"]["asOf"] == "2026-06-14"
    assert answer["assessment"]["level"] == "info"


@pytest.mark.parametrize(
    ("files", "fail_on", "code"),
    [
        ([V34], None, 0),
        ([V08], None, 0),
        ([V05], None, 0),
        ([V07], None, 3),
        ([V06], None, 4),
        ([V34, V07, V06, V08], None, 4),
        ([V34, V07, V08], None, 3),
        ([V08], "info", 3),
        ([V34], "info", 0),
        ([V07], "critical", 0),
        ([V06], "critical", 4),
        ([V06], "never", 0),
    ],
)
def test_the_exit_code_tells_the_highest_level(files: list[Path], fail_on: str | None, code: int) -> None:
    words = [f"--fail-on={fail_on}"] if fail_on else []
    assert run("evaluate", DAY, *words, *files).code == code


def test_a_bad_file_is_told_of_and_the_rest_goes_on(tmp_path: Path) -> None:
    broken, text, absent = tmp_path / "broken.json", tmp_path / "text.json", tmp_path / "absent.json"
    broken.write_text('{"resourceType": "Bundle", "entry": [')
    text.write_text('["Smith"]')
    ran = run("evaluate", DAY, "--format=json", "--fail-on=never", broken, V06, text, absent, V05)
    assert [answer["source"] for answer in ran.lines] == [str(V06), str(V05)]
    assert ran.code == 1
    told = ran.err.splitlines()
    assert [line.split(":")[0] for line in told] == [str(broken), str(text), str(absent)]
    assert "Smith" not in ran.err
    assert "No such file" in told[2]


def test_what_only_lies_in_a_folder_and_is_no_fhir_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    copyfile(V34, tmp_path / "deep" / "one.json")
    (tmp_path / "package.json").write_text('{"name": "x"}')
    (tmp_path / "notes.txt").write_text("not read at all")
    ran = run("evaluate", DAY, "--format=json", tmp_path)
    assert [answer["source"] for answer in ran.lines] == [str(tmp_path / "deep" / "one.json")]
    assert ran.code == 0
    assert "package.json: is no Bundle, no hook request and no FHIR resource; left out" in ran.err
    assert run("evaluate", tmp_path / "package.json").code == 1


def test_an_empty_folder_is_no_silence(tmp_path: Path) -> None:
    ran = run("evaluate", tmp_path)
    assert (ran.code, ran.out) == (1, "")
    assert "holds no .json" in ran.err


def test_lines_of_bundles_and_requests_are_one_record_each(tmp_path: Path) -> None:
    file = tmp_path / "records.ndjson"
    call = (EXAMPLES / "breathless-lying-flat/patient-view.json").read_text(encoding="utf-8")
    file.write_bytes(as_lines(json.loads(V05.read_bytes()), json.loads(call)) + b"\n{\n")
    ran = run("evaluate", DAY, "--format=json", file)
    assert [(one["source"], one["assessment"]["level"]) for one in ran.lines] == [
        (f"{file}:1", "info"),
        (f"{file}:2", "critical"),
    ]
    assert ran.code == 1
    assert ran.err.startswith(f"{file}:4: Not valid JSON")


def test_lines_of_resources_are_put_together_by_patient_across_a_folder(tmp_path: Path) -> None:
    found = [*resources_in("thigh-day-fifteen/bundle.json"), *resources_in("diabetes-numb-feet/bundle.json")]
    for kind in {resource["resourceType"] for resource in found}:
        lines = as_lines(*(resource for resource in found if resource["resourceType"] == kind))
        (tmp_path / f"{kind}.ndjson").write_bytes(lines)
    (tmp_path / "Organization.ndjson").write_bytes(as_lines({"resourceType": "Organization", "id": "o"}))
    ran = run("evaluate", DAY, "--format=json", tmp_path)
    found_now = {one["assessment"]["patient"]: one for one in ran.lines}
    assert set(found_now) == {"v05", "v07"}
    assert found_now["v05"]["source"] == f"{tmp_path}#Patient/v05"
    for name, one in found_now.items():
        (alone,) = run("evaluate", DAY, "--format=json", EXAMPLES / NAMES[name] / "bundle.json").lines
        assert one["assessment"]["findings"]
        assert one["cards"][0]["summary"] == alone["cards"][0]["summary"]
        # The Medication that a request of v07 names came along.
        assert one["assessment"]["drugs"] == alone["assessment"]["drugs"]
        assert one["assessment"]["notUnderstood"] == alone["assessment"]["notUnderstood"]


def test_a_medicine_in_a_resource_of_its_own_comes_along(tmp_path: Path) -> None:
    found = resources_in("thiazide-potassium-in-range/bundle.json")
    (statement,) = [one for one in found if one["resourceType"] == "MedicationStatement"]
    medicine = {"resourceType": "Medication", "id": "m", "code": statement.pop("medicationCodeableConcept")}
    statement["medicationReference"] = {"reference": "Medication/m"}
    (tmp_path / "Medication.ndjson").write_bytes(as_lines(medicine))
    (tmp_path / "rest.ndjson").write_bytes(as_lines(*found))
    (answer,) = run("evaluate", DAY, "--format=json", tmp_path).lines
    assert [drug["name"] for drug in answer["assessment"]["drugs"]] == ["hydrochlorothiazide"]
    assert answer["assessment"]["notUnderstood"] == []


def test_one_resource_is_put_together_with_the_rest_of_its_folder(tmp_path: Path) -> None:
    for number, resource in enumerate(resources_in("thigh-day-fifteen/bundle.json")):
        (tmp_path / f"{number}.json").write_text(json.dumps(resource, indent=2))
    (answer,) = run("evaluate", DAY, "--format=json", tmp_path).lines
    assert answer["assessment"]["level"] == "info"


def test_standard_input_may_hold_any_of_it() -> None:
    lines = as_lines(*resources_in("diabetes-numb-feet/bundle.json"))
    for body in (V07.read_bytes(), b"\xef\xbb\xbf" + V07.read_bytes(), lines):
        (answer,) = run("evaluate", DAY, "--format=json", "-", stdin=body).lines
        assert answer["assessment"]["level"] == "warning"
    assert run("evaluate", "-", stdin=b" \n").code == 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (bundle_of({"resourceType": "Condition"}), "The bundle holds no Patient"),
        (
            bundle_of({"resourceType": "Patient", "id": "a"}, {"resourceType": "Patient", "id": "b"}),
            "several",
        ),
        (b'{"hook": "lunch", "context": {}}', "hook: This service answers"),
        (b'{"hook": "patient-view", "context": {}}', "hookInstance: Missing data"),
        (b'{"hook": "patient-view", "hook": "x"}', "same name"),
        (as_lines({"resourceType": "Organization"}), "none of them names a patient"),
    ],
)
def test_what_the_service_would_refuse_is_told_of(body: bytes, says: str) -> None:
    ran = run("evaluate", "-", stdin=body)
    assert (ran.code, ran.out) == (1, "")
    assert says in ran.err


def test_no_card_because_nothing_was_seen_is_no_all_clear() -> None:
    """A patient alone, and a broken Condition: nobody could see whether there is a twitch."""
    ran = run("evaluate", "--format=json", "-", stdin=bundle_of({"resourceType": "Patient", "id": "a"}))
    assert ran.code == 1
    assert ran.lines[0]["assessment"]["gate"]["open"] is False
    assert "that says nothing" in ran.err
    table = run("evaluate", "-", stdin=bundle_of({"resourceType": "Patient", "id": "a"})).out
    assert " unknown " in table
    call = json.loads((EXAMPLES / "loop-diuretic-no-twitch/patient-view.json").read_bytes())
    del call["prefetch"]
    ran = run("evaluate", "-", stdin=json.dumps(call).encode())
    assert ran.code == 1
    assert "send prefetch.conditions" in ran.err


def test_the_table_names_record_patient_level_and_each_card() -> None:
    ran = run("evaluate", EXAMPLES / "thigh-day-fifteen/order-sign.json", V34, DAY)
    head, first, second, third, last = ran.out.splitlines()
    assert head.split() == ["source", "patient", "level", "not", "read", "cards"]
    assert first.split()[1:4] == ["v05", "info", "0"]
    assert second.startswith(" ")
    assert "Order calcium, magnesium too" in second
    assert third.startswith(" ")
    assert "EMG" in third
    assert last.split()[1:] == ["v34", "none", "0", "no", "card"]
    assert second.find("Order calcium") == first.find("Calcium, magnesium before") == third.find("EMG") > 0


def test_a_card_reads_as_text() -> None:
    ran = run("evaluate", "--format=card", V08, DAY)
    assert "[info] Check electrolytes: on hydrochlorothiazide, right calf twitch 10 days" in ran.out
    assert "potassium 4.1 mmol/L (2026-06-05, in range)" in ran.out
    assert "Suggestions:\n- Order calcium, magnesium\n" in ran.out
    assert "\\" not in ran.out
    assert "No card: " in run("evaluate", "--format=card", V34, DAY).out


def test_a_record_cannot_command_the_terminal() -> None:
    found = resources_in("thiazide-potassium-in-range/bundle.json")
    attack = "\x1b[2J\x1b]0;x\x07\u202e HCTZ"
    for resource in found:
        if resource["resourceType"] == "MedicationStatement":
            resource["medicationCodeableConcept"] = {"text": attack}
        if resource["resourceType"] == "Patient":
            resource["id"] = "a\x1b[31m\x07"
        else:
            resource["subject"] = {"reference": "Patient/a\x1b[31m\x07"}
    for body in (bundle_of(*found), as_lines(*found)):
        for form in ("table", "card"):
            ran = run("evaluate", DAY, f"--format={form}", "-", stdin=body)
            assert "right calf twitch" in ran.out
            assert not set(ran.out + ran.err) & {"\x1b", "\x07", "\u202e"}
        validated = run("validate", DAY, "-", stdin=body)
        assert not set(validated.out + validated.err) & {"\x1b", "\x07", "\u202e"}


def test_broken_knowledge_is_wrong_use(tmp_path: Path) -> None:
    ran = run("evaluate", V05, f"--knowledge={tmp_path}")
    assert ran.code == 2
    assert "The knowledge is broken" in ran.err
    assert run("evaluate", V05, "--as-of=soon").code == 2
    assert run("evaluate").code == 2


def test_links_begin_with_the_public_address() -> None:
    ran = run(
        "evaluate", DAY, V05, "--format=json", PUBLIC_BASE_URL="https://a.example/cds/, https://b.example"
    )
    (link,) = ran.lines[0]["cards"][0]["links"]
    assert link["url"].startswith("https://a.example/cds/knowledge?rows=")
