"""The report as it is read and signed, and the command that makes it."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.knowledge_diff.copies import TABLE, change, now
from tests.vignettes.dialects import DIALECTS
from tests.vignettes.patient import AS_OF, PEOPLE
from tools.knowledge_diff import Change, Comparison, Report, Section, Version, written
from tools.knowledge_diff import __main__ as command
from tools.knowledge_diff.__main__ import NoSuchVersion, row_examples, unpacked
from tools.knowledge_diff.programs import ProgramError, compared_programs

REPORT = Report(
    made_on=date(2026, 1, 2),
    before=Version("v1", "abc of 2025-12-01", "111111111111"),
    after=Version("working tree", "def of 2026-01-01", "222222222222"),
    sections=(
        Section("Thresholds", (Change("persistent_days", ("21",), ("14",)),)),
        Section("Codes and concepts", (Change("a, LOINC, b", tuple(map(str, range(100))), (), True),)),
        Section("Hooks", ()),
    ),
    comparison=Comparison({"Examples": (8, 9)}, ()),
)


def test_the_text_names_the_versions_and_says_plainly_that_nothing_moved() -> None:
    text = REPORT.shown("text")
    assert "Before: v1 (abc of 2025-12-01), knowledge 111111111111" in text
    assert "After: working tree (def of 2026-01-01), knowledge 222222222222" in text
    assert "Compared on: 2026-01-02" in text
    assert "persistent_days: changed\n  - 21\n  + 14\n" in text
    assert "a, LOINC, b: 100 removed\n" in text
    assert "and 20 more, which --format json lists" in text
    assert "Hooks: no change" in text
    assert "Answers: nothing moved, of 8 compared" in text
    assert "Examples: 8 asked about in 9 records, 0 moved" in text
    assert "Signature: ____" in text
    assert REPORT.differs


def test_markdown_and_json_say_the_same() -> None:
    markdown = REPORT.shown("markdown")
    assert "### persistent_days: changed\n\n```diff\n- 21\n+ 14\n```" in markdown
    content = json.loads(REPORT.shown("json"))
    assert content["sections"][1]["changes"][0]["before"] == [str(n) for n in range(100)]
    assert (content["made_on"], content["differs"]) == ("2026-01-02", True)


def test_what_could_not_be_compared_is_said_first() -> None:
    report = Report(REPORT.made_on, REPORT.before, REPORT.after, (), None, ("one thing",))
    text = report.shown("text")
    assert text.index("! one thing") < text.index("No answer could be compared") < text.index("Signature")
    assert "Answered: not compared" in text
    assert report.differs


def test_texts_that_were_lent_are_named() -> None:
    text = replace(REPORT, lent=("headings.results",)).shown("text")
    assert "Texts lent to the earlier knowledge" in text
    assert "headings.results." in text


def test_the_command_on_a_folder(old: Path) -> None:
    change(old, TABLE, "persistent_days: 14", "persistent_days: 15")
    out = io.StringIO()
    assert command.main(["--exit-code", "--format", "json", str(old)], out) == 1
    comparison = json.loads(out.getvalue())["comparison"]
    assert comparison["asked"] == {
        "Test patients": [len(PEOPLE), len(PEOPLE) * len(DIALECTS)],
        "Examples": [len(list(command.EXAMPLES.glob("*/*.json")))] * 2,
        "Rows' examples": [len(list(row_examples(now())))] * 2,
    }
    moved = {moved["subject"] for moved in comparison["moved"]}
    assert {
        "thigh-day-fifteen/patient-view.json",
        "thigh-day-fifteen/bundle.json",
        "persistent, day 15, thigh",
    } <= moved


@pytest.mark.parametrize(
    ("sections", "words", "code"),
    [
        ((), ["--exit-code"], 0),
        (REPORT.sections, ["--exit-code"], 1),
        (REPORT.sections, [], 0),
    ],
)
def test_the_exit_code_says_whether_something_differs(
    monkeypatch: pytest.MonkeyPatch, sections: tuple[Section, ...], words: list[str], code: int
) -> None:
    monkeypatch.setattr(command, "report", lambda old, new: replace(REPORT, sections=sections))
    out = io.StringIO()
    assert command.main([*words, "v1"], out) == code
    assert "nothing moved" in out.getvalue()


def test_no_such_version_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["no-such-version"]) == 2
    assert "no-such-version cannot be compared: it is no folder" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed: apt-get install git")
def test_a_revision_is_taken_from_git(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    (repository / "service" / "knowledge").mkdir(parents=True)
    file = repository / "service" / "knowledge" / "one.yaml"

    def git(*words: str) -> None:
        who = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
        subprocess.run(["git", *who, *words], cwd=repository, check=True, capture_output=True)

    file.write_text("is: committed\n")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "One")
    file.write_text("is: changed since\n")
    folder, said = unpacked("HEAD", tmp_path / "unpacked", repository)
    assert written(folder) == {"one.yaml": {"is": "committed"}}
    assert re.fullmatch(r"[0-9a-f]{7,} of \d{4}-\d\d-\d\d", said)
    for name in ("--help", "HEAD~1", ""):
        with pytest.raises(NoSuchVersion):
            unpacked(name, tmp_path / "other", repository)


def test_knowledge_of_another_model_is_answered_by_its_own_program(tmp_path: Path) -> None:
    examples = tmp_path / "examples"
    shutil.copytree(command.EXAMPLES / "thigh-day-fifteen", examples / "thigh-day-fifteen")
    (examples / "broken").mkdir()
    (examples / "broken" / "bundle.json").write_text("{}")
    comparison = compared_programs(command.ROOT, command.ROOT, examples, AS_OF)
    assert comparison.asked == {"Examples": (2, 2)}
    # The same program moves nothing; what neither answers is told.
    (broken,) = comparison.moved
    assert broken.subject == "broken/bundle.json"
    assert [change.place for change in broken.changes] == ["answer"]
    with pytest.raises(ProgramError, match="does not answer"):
        compared_programs(tmp_path, command.ROOT, examples, AS_OF)


def test_a_folder_of_another_model_has_no_program(tmp_path: Path) -> None:
    assert command.asked_of_programs(str(tmp_path)) is None


def test_the_report_says_which_code_answered() -> None:
    own = replace(REPORT, problems=("one thing",), by_programs=True).shown("text")
    assert "The examples below were asked of the earlier program." in own
    assert "Each version was asked with its own code" in own
    todays = replace(REPORT, problems=("one thing",)).shown("text")
    assert "Both versions were asked with today's code" in todays
    assert "earlier program" not in todays
