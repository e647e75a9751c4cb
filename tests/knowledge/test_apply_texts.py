"""fhir.yaml as the server reads it at its start."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from service.knowledge import HERE, KnowledgeError, load_knowledge
from service.knowledge.apply_texts import FILE


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("\napply:\n", "\napplied:\n", "apply"),
        ('  closed: "', '  clothed: "', "apply.closed"),
        ('\ncanonical_root: "', '\nroot: "', "canonical_root"),
    ],
)
def test_a_broken_file_stops_the_start(tmp_path: Path, old: str, new: str, says: str) -> None:
    folder = Path(shutil.copytree(HERE, tmp_path / "knowledge"))
    text = (folder / FILE).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (folder / FILE).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load_knowledge(folder)
    assert says in [problem.place for problem in caught.value.problems]
    assert {problem.file for problem in caught.value.problems} == {FILE}


def test_each_text_can_be_filled_in() -> None:
    apply = load_knowledge().apply
    names = dict.fromkeys(
        (
            "reasons",
            "reading",
            "note",
            "level",
            "version",
            "reason",
            "names",
            "place",
            "why",
            "code",
            "count",
        ),
        "x",
    )
    for name in apply.texts:
        assert "{" not in apply.say(name, **names)
