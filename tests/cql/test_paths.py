"""The FHIRPath of the artifacts, by two engines that are not ours."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fhirpathpy
import pytest
from fhirpathpy.models import models

from tests.cql.engines import artifacts
from tools.cql.translate import ENVIRONMENT

PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1980-02-29"}

pytestmark = pytest.mark.skipif(
    not (ENVIRONMENT / "node_modules").exists(),
    reason="needs npm and an engine of FHIRPath; run: make test-cql",
)


def expressions(value: Any) -> Iterator[str]:
    """Every FHIRPath expression in a resource."""
    if isinstance(value, dict) and value.get("language") == "text/fhirpath":
        yield value["expression"]
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from expressions(inner)


def test_both_engines_prefill_the_form_alike() -> None:
    wanted = [one for kind in ("Questionnaire", "PlanDefinition") for one in expressions(artifacts(kind))]
    assert "%patient.birthDate" in wanted
    given = json.dumps({"expressions": wanted, "patient": PATIENT})
    command = ["node", str(Path(__file__).parent / "paths.mjs"), str(ENVIRONMENT), given]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    here = [fhirpathpy.evaluate(PATIENT, one, {"patient": PATIENT}, models["r4"]) for one in wanted]
    assert json.loads(done.stdout) == here == [["1980-02-29"]]
