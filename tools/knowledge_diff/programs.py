"""The examples asked of two programs: for knowledge of another model, which today's code cannot load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from tools.knowledge_diff.answers import Comparison, Moved, changes_between, facets_of

# What both programs have in common is their HTTP interface.
_ASK = """
import json, sys
from service.app import create_app
from service.config import Config
from service.knowledge import load_knowledge

client = create_app(Config(), load_knowledge()).test_client()
bodies, day = json.load(sys.stdin), sys.argv[1]
answers = {}
for name, body in bodies.items():
    answer = client.post(f"/evaluate?asOf={day}", data=body, content_type="application/fhir+json")
    answers[name] = answer.get_json() if answer.status_code == 200 else {"status": answer.status_code}
json.dump(answers, sys.stdout)
"""


class ProgramError(ValueError):
    """A program does not start, or answers nothing."""


def compared_programs(old: Path, new: Path, examples: Path, as_of: date) -> Comparison:
    """The bundles of the examples asked of the programs in two source trees. Raises ProgramError."""
    bodies = {
        path.relative_to(examples).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(examples.glob("*/bundle.json"))
    }
    before, after = (_answers(tree, bodies, as_of) for tree in (old, new))
    moved = []
    for name in bodies:
        changes = changes_between(_told(before[name]), _told(after[name]))
        if changes:
            moved.append(Moved("Examples", name, ("bundle",), changes))
    return Comparison({"Examples": (len(bodies), len(bodies))}, tuple(moved))


def _told(answer: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    if "assessment" not in answer:
        return {"answer": (f"none: status {answer['status']}",)}
    return facets_of(answer["assessment"], answer["cards"])


def _answers(tree: Path, bodies: Mapping[str, str], as_of: date) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", _ASK, as_of.isoformat()],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        input=json.dumps(bodies),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ProgramError(f"the program does not answer: {done.stderr.strip().splitlines()[-1]}")
    answers: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answers
