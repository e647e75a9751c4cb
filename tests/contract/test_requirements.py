"""Every SHALL and SHOULD of CDS Hooks has a test or a sentence, and requirements.md says which."""

from __future__ import annotations

from pathlib import Path

from tests.contract.requirements import FILE, current, found_in, requirements, written

FACTS = {
    "sets": {"cds_hooks": {"title": "T", "ids": {1: "SHALL", 2: "SHOULD", 3: "SHALL"}}},
    "does_not_apply": {"cds_hooks": {2: "Not here.", 3: "Nor this.", 9: "What is it?"}},
}


def test_every_requirement_is_shown_or_excused() -> None:
    assert list(current().problems()) == []


def test_the_list_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == written(current()), (
        "python -m tests.contract.requirements writes it anew"
    )


def test_what_is_neither_shown_nor_excused_or_both_is_told() -> None:
    known = requirements(FACTS, {("cds_hooks", 3): ["tests/a.py::test_cds_hooks_3_a"]})
    assert [problem.partition(" has ")[0] for problem in known.problems()] == [
        "cds_hooks 1",
        "cds_hooks 3",
        "cds_hooks 9 is no SHALL or SHOULD",
    ]


def test_tests_are_found_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(
        "def test_cds_hooks_7_a(): ...\ndef test_cds_hooks_library_16_b(): ...\n"
        "class TestC:\n    def test_cds_hooks_7_d(self): ...\ndef cds_hooks_8_e(): ...\n"
    )
    assert {key: len(found) for key, found in found_in(tmp_path).items()} == {
        ("cds_hooks", 7): 2,
        ("cds_hooks_library", 16): 1,
    }
