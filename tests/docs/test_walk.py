"""One patient-view call, traced: which modules it enters, and how many lines of functions."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.docs.conftest import PROJECT

# A ratchet: lower it with the code, and raise it only with a reason in the commit.
MODULES_AT_MOST = 81
LINES_AT_MOST = 5330
RUNTIME = tuple(PROJECT / name for name in ("service", "schemas", "fhir_mappings"))
CALL = PROJECT / "examples" / "thigh-day-fifteen/patient-view.json"


@contextmanager
def entered() -> Iterator[set[CodeType]]:
    """The code objects of the runtime that are entered inside the block; module bodies are not."""
    found: set[CodeType] = set()

    def profile(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_name != "<module>":
            found.add(code)

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield found
    finally:
        sys.setprofile(before)
    found -= {code for code in found if not any(root in Path(code.co_filename).parents for root in RUNTIME)}


def lines_by_module(codes: set[CodeType]) -> Mapping[str, set[int]]:
    """Module -> the lines of its functions that were entered, from the first line to the last."""
    lines: dict[str, set[int]] = {}
    for code in codes:
        numbers = [number for _, _, number in code.co_lines() if number]
        name = Path(code.co_filename).relative_to(PROJECT).as_posix()
        lines.setdefault(name, set()).update(range(code.co_firstlineno, max(numbers) + 1))
    return lines


@pytest.fixture(scope="module")
def walk(app: Any) -> Mapping[str, set[int]]:
    client: FlaskClient = app.test_client()
    with entered() as codes:
        answer = client.post("/cds-services/fasciculation-patient-view", json=json.loads(CALL.read_bytes()))
    assert answer.status_code == 200
    assert answer.get_json()["cards"]
    return lines_by_module(codes)


def test_one_call_enters_few_modules(walk: Mapping[str, set[int]]) -> None:
    assert len(walk) <= MODULES_AT_MOST, "\n".join(sorted(walk))


def test_one_call_enters_few_lines(walk: Mapping[str, set[int]]) -> None:
    lines = {name: len(numbers) for name, numbers in walk.items()}
    assert sum(lines.values()) <= LINES_AT_MOST, "\n".join(
        f"{count:5} {name}" for name, count in sorted(lines.items(), key=lambda item: -item[1])
    )


def test_the_walk_of_the_architecture_is_the_walk(walk: Mapping[str, set[int]]) -> None:
    """Every file that docs/architecture.md names in the walk is entered."""
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    part = text.partition("## The walk of one request")[2].partition("\n## ")[0]
    names = set(re.findall(r"`(?:[\w]+/)*(\w+\.py)`", part))
    assert names
    assert names - {"__init__.py"} - {Path(name).name for name in walk} == set()
