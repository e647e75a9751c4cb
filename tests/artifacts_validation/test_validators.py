"""The artifacts, and what $apply answers, before two validators of FHIR R4 that are not ours.

Lantana's checks structure and codes of required bindings; medplum's the constraints of R4 too, and FHIR's
own profiles of what is shared.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.endpoints.fhir_artifacts import INDEX
from tests.contract.requests import APPLY, DAY, applied, example
from tests.docs.conftest import PROJECT
from tests.knowledge.published import RESOURCES
from tools.artifacts.work_up import PLAN

ENVIRONMENT = PROJECT / ".api" / "fhir"
SCRIPT = Path(__file__).parent / "validate.mjs"
FILES = [path for path in sorted((PROJECT / "artifacts").glob("*.json")) if path.name != INDEX]

pytestmark = pytest.mark.skipif(
    not (ENVIRONMENT / "node_modules").exists(),
    reason="needs npm and two validators of FHIR; run: make test-api",
)


def problems(files: Iterable[Path]) -> dict[str, dict[str, list[str]]]:
    """File -> validator -> its problems; files without one are left out."""
    command = ["node", str(SCRIPT), str(ENVIRONMENT), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, dict[str, list[str]]] = json.loads(done.stdout)
    return found


def written(folder: Path, **resources: Any) -> list[Path]:
    for name, resource in resources.items():
        (folder / f"{name}.json").write_text(json.dumps(resource), encoding="utf-8")
    return [folder / f"{name}.json" for name in resources]


def test_every_artifact_is_valid() -> None:
    assert len(FILES) > 200
    found = problems(FILES)
    # FHIR limits a string to 1 MB, but no base64Binary: medplum counts the ELM of the Library as a string.
    library = found.pop("Library-fasciculation-decision.json")
    assert set(library["medplum"]) == {"error: Library.content[1].data: String cannot be larger than 1 MB"}
    assert (library["lantana"], found) == ([], {})


@pytest.mark.parametrize("name", ["thigh-furosemide", "weak-and-wasted", "wasting-hand-in-stu3"])
def test_a_care_plan_is_valid(client: FlaskClient, tmp_path: Path, name: str) -> None:
    body = applied(example(f"{name}/bundle.json"))
    plan = client.post(APPLY, json=body, query_string={"asOf": DAY}).get_json(force=True)
    assert plan["activity"]
    assert problems(written(tmp_path, plan=plan)) == {}


def test_each_validator_sees_what_is_wrong(tmp_path: Path) -> None:
    plan = RESOURCES["PlanDefinition"][PLAN]
    value_set = RESOURCES["ValueSet"]["tobacco-status"]
    action = {"title": "neither a resource nor actions"}
    group = {"resourceType": "RequestGroup", "status": "draft", "intent": "proposal", "action": [action]}
    found = problems(
        written(
            tmp_path,
            code={**plan, "status": "finished"},
            member={**value_set, "colour": "blue"},
            constraint=group,
            profile={name: value for name, value in value_set.items() if name != "publisher"},
        )
    )
    assert {name: [one for one, said in of_file.items() if said] for name, of_file in found.items()} == {
        "code.json": ["lantana"],
        "member.json": ["lantana", "medplum"],
        "constraint.json": ["medplum"],
        "profile.json": ["medplum"],
    }
