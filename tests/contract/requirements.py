"""Which test shows which requirement of CDS Hooks: from the names of the tests to requirements.md.

python -m tests.contract.requirements
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
TESTS = HERE.parent
FACTS = HERE / "requirements.yaml"
FILE = HERE / "requirements.md"
_NAME = re.compile(r"test_(cds_hooks(?:_library|_ballot)?)_(\d+)_\w+")

Key = tuple[str, int]


@dataclass(frozen=True)
class Requirements:
    """words: conformance word of each; sentences: why one does not apply; tests: where each is shown."""

    titles: Mapping[str, str]
    words: Mapping[Key, str]
    sentences: Mapping[Key, str]
    tests: Mapping[Key, list[str]]

    def problems(self) -> Iterator[str]:
        """Each requirement with neither tests nor a sentence, or with both, and each of a number unknown."""
        for key in self.words:
            tested, excused = bool(self.tests.get(key)), key in self.sentences
            if tested and excused:
                yield f"{key[0]} {key[1]} has a test: take its sentence out of {FACTS.name}"
            elif not tested and not excused:
                yield f"{key[0]} {key[1]} has no test_{key[0]}_{key[1]}_... and no sentence in {FACTS.name}"
        for key in self.sentences.keys() - self.words.keys():
            yield f"{key[0]} {key[1]} is no SHALL or SHOULD"


def requirements(facts: Mapping[str, Any], tests: Mapping[Key, list[str]]) -> Requirements:
    sets = facts["sets"]
    return Requirements(
        titles={name: one["title"] for name, one in sets.items()},
        words={(name, number): word for name, one in sets.items() for number, word in one["ids"].items()},
        sentences={
            (name, number): sentence
            for name, many in facts["does_not_apply"].items()
            for number, sentence in many.items()
        },
        tests=tests,
    )


def current() -> Requirements:
    return requirements(yaml.safe_load(FACTS.read_text(encoding="utf-8")), found_in(TESTS))


def found_in(folder: Path) -> dict[Key, list[str]]:
    """Requirement -> its tests as file::name, found without running anything."""
    found: dict[Key, list[str]] = defaultdict(list)
    for path in sorted(folder.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and (named := _NAME.fullmatch(node.name)):
                place = path.relative_to(folder.parent).as_posix()
                found[named[1], int(named[2])].append(f"{place}::{node.name}")
    return dict(found)


def written(known: Requirements) -> str:
    """requirements.md as it should stand."""
    tested = sum(1 for key in known.words if known.tests.get(key))
    lines = [
        "# Requirements of CDS Hooks, and what shows each",
        "",
        "Made by `python -m tests.contract.requirements` from the names of the tests and",
        f"`requirements.yaml`, which says where the numbers come from. {len(known.words)} SHALL and SHOULD:"
        f" {tested} with tests, {len(known.words) - tested} that do not apply.",
    ]
    for name, title in known.titles.items():
        lines += [
            "",
            f"## {title}",
            "",
            "| Number | Word | Shown by, or why it does not apply |",
            "|---|---|---|",
        ]
        for key, word in known.words.items():
            if key[0] == name:
                shown = "<br>".join(f"`{test}`" for test in known.tests.get(key, ()))
                lines.append(f"| {key[1]} | {word} | {shown or known.sentences.get(key, '')} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(current()), encoding="utf-8")
