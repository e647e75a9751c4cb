"""The comparison of answers: equal trees, a changed wording, changed errors."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.compare_answers.__main__ import declaration_of, main
from tools.compare_answers.comparison import Difference, NotComparable, compare
from tools.compare_answers.recordings import read, record_tree, write_requests
from tools.compare_answers.requests import ROOT, Request, requests

PACKAGES = ("service", "schemas", "fhir_mappings", "examples")
# Of each group: enough to see a difference.
FEW = 3
SOURCES = ("examples", "vignettes", "mutated")


def some_requests() -> Iterator[Request]:
    counts: dict[str, int] = {}
    for request in requests(mutated=20, tests=("tests/spec/test_unread.py",)):
        counts[request.group] = counts.get(request.group, 0) + 1
        if counts[request.group] <= FEW:
            yield request
    undated = {"hook": "patient-view", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"}
    call = json.loads((ROOT / "examples" / "eyelid-exam-weeks/patient-view.json").read_bytes()) | undated
    del call["extension"]["org.fasciculation-cds"]["asOf"]
    yield Request("undated", "undated", "/cds-services/fasciculation-patient-view", json.dumps(call).encode())


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The answers of this tree to some requests."""
    folder = tmp_path_factory.mktemp("recording")
    write_requests(some_requests(), folder / "requests.gz")
    record_tree(ROOT, folder / "requests.gz", folder / "old.gz")
    return folder / "old.gz"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the tree, to change."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / "tree" / package)
    shutil.copy(ROOT / "openapi.yaml", tmp_path / "tree")
    return tmp_path / "tree"


def edit(tree: Path, name: str, old: str, new: str) -> None:
    (file,) = (tree / "service").rglob(name)
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_tree_answers_like_itself(recording: Path, tmp_path: Path) -> None:
    record_tree(ROOT, recording, tmp_path / "new.gz")
    assert main(["compare", str(recording), str(tmp_path / "new.gz")]) == 0
    answered = {recorded["group"] for recorded in read(recording) if recorded["status"] == 200}
    sources = {f"{source}: {way}" for source in SOURCES for way in ("hooks", "/evaluate")}
    assert sources | {"examples: settings", "tests: /evaluate"} <= answered


def test_a_call_without_a_date_is_decided_for_the_stopped_clock(recording: Path) -> None:
    (undated,) = (recorded for recorded in read(recording) if recorded["id"] == "undated")
    assert '"asOf":"2026-06-15"' in undated["answer"].replace(" ", "")


def test_a_changed_wording_is_a_difference(
    recording: Path, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(copy, "wording.yaml", "twitching", "fidgeting")
    record_tree(copy, recording, tmp_path / "new.gz")
    assert main(["compare", str(recording), str(tmp_path / "new.gz")]) == 1
    shown = capsys.readouterr().out
    assert "\n== examples/" in shown
    changed = [line for line in shown.splitlines() if line.startswith(("+ ", "- "))]
    assert any("fidgeting" in line for line in changed)
    # The new version of the knowledge, which the ids of cards hold as well, is no difference.
    assert not any("uuid" in line or "knowledgeVersion" in line for line in changed)

    expected = tmp_path / "expected.yaml"
    declaration = [{"ids": "*", "why": "another word", "lines": [".*twitching.*", ".*fidgeting.*"]}]
    expected.write_text(json.dumps(declaration))
    assert main(["compare", str(recording), str(tmp_path / "new.gz"), "--expect", str(expected)]) == 0
    assert "another word" in capsys.readouterr().out


def test_another_version_of_the_knowledge_alone_is_no_difference(
    recording: Path, copy: Path, tmp_path: Path
) -> None:
    (wording,) = (copy / "service").rglob("wording.yaml")
    wording.write_text(wording.read_text(encoding="utf-8") + "\n# No answer says this.\n", encoding="utf-8")
    record_tree(copy, recording, tmp_path / "new.gz")
    bodies = ([recorded["answer"] for recorded in read(file)] for file in (recording, tmp_path / "new.gz"))
    assert next(bodies) != next(bodies)
    assert main(["compare", str(recording), str(tmp_path / "new.gz")]) == 0


def answered(body: Any, status: int = 200, kind: str = "application/json") -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    request = {"id": "one", "group": "group", "path": "/evaluate", "body": "{}", "settings": {}}
    return {**request, "status": status, "type": kind, "answer": text}


def refused(**members: Any) -> dict[str, Any]:
    issue = {"severity": "error", "code": "required", "expression": ["prefetch"], "diagnostics": "Missing."}
    return answered({"resourceType": "OperationOutcome", "issue": [{**issue, **members}]}, status=412)


def differs(old: dict[str, Any], new: dict[str, Any]) -> bool:
    (difference,) = compare([old], [new])
    return difference is not None


def test_of_an_error_the_diagnostics_are_not_compared() -> None:
    assert not differs(refused(), refused(diagnostics="The list is missing."))


@pytest.mark.parametrize(
    "member", [{"severity": "fatal"}, {"code": "invalid"}, {"expression": ["context"]}], ids=str
)
def test_of_an_error_severity_code_and_place_are_compared(member: dict[str, Any]) -> None:
    assert differs(refused(), refused(**member))


@pytest.mark.parametrize(
    "new",
    [
        answered({"cards": []}, status=412),
        answered({"cards": []}, kind="text/plain"),
        answered('{"cards":[]}'),
    ],
    ids=["status", "content type", "spacing"],
)
def test_status_content_type_and_bytes_are_compared(new: dict[str, Any]) -> None:
    old = answered({"cards": []})
    (difference,) = compare([old], [new])
    assert difference
    assert difference.lines()


def test_another_status_stands_first() -> None:
    (difference,) = compare([answered({"cards": []})], [answered({"issue": []}, status=500)])
    assert difference
    assert difference.lines()[:2] == ["-200 application/json", "+500 application/json"]


def test_ids_of_cards_are_compared_where_the_knowledge_is_the_same() -> None:
    old = answered('{"uuid": "12345678-1234-8234-9234-123456789abc"}')
    new = answered('{"uuid": "12345678-1234-8234-9234-123456789abd"}')
    assert differs(old, new)
    (difference,) = compare([old], [new], {"0a", "0b"})
    assert difference is None
    # The name of the row stands in front of the signature.
    other = answered('{"uuid": "12345679-1234-8234-9234-123456789abc"}')
    (difference,) = compare([old], [other], {"0a", "0b"})
    assert difference is not None


def test_recordings_of_other_requests_are_not_compared() -> None:
    with pytest.raises(NotComparable):
        list(compare([answered("{}")], [answered("{}") | {"body": "[]"}]))
    with pytest.raises(NotComparable):
        list(compare([answered("{}")], []))


def test_a_difference_with_one_undeclared_line_is_undeclared() -> None:
    declared = [{"ids": "examples/*", "why": "another word", "lines": ['"a": .*']}]
    assert (
        declaration_of(Difference("examples/1", "group", ("200", '"a": 1'), ("200", '"a": 2')), declared) == 0
    )
    both = Difference("examples/1", "group", ("200", '"a": 1', '"b": 1'), ("200", '"a": 2', '"b": 2'))
    assert declaration_of(both, declared) is None
    spacing = Difference("examples/1", "group", ("200", '"a": 1'), ("200", '"a": 1'))
    assert declaration_of(spacing, declared) is None
    assert (
        declaration_of(Difference("mutated/1", "group", ("200", '"a": 1'), ("200", '"a": 2')), declared)
        is None
    )


def test_no_such_revision(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no-such-revision"]) == 2
    assert "no-such-revision" in capsys.readouterr().err
