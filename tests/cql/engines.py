"""The engines of CQL and of $apply, in node: none of them is the service's."""

from __future__ import annotations

import json
import subprocess
from base64 import b64decode
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import tools.cql
from service.endpoints.fhir_artifacts import INDEX
from tools.artifacts.work_up import LIBRARY
from tools.cql.translate import ENVIRONMENT

_ARTIFACTS = Path(__file__).parents[2] / "artifacts"
_RUN = Path(tools.cql.__file__).parent / "run.mjs"
_APPLY = Path(__file__).parent / "apply.mjs"
_PROCESSES, _SECONDS = 2, 1_800
Resource = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A patient on a day."""

    id: str
    day: date
    bundle: Resource

    @property
    def plain(self) -> Resource:
        return {"id": self.id, "asOf": self.day.isoformat(), "bundle": self.bundle}


def artifacts(kind: str) -> list[Resource]:
    """The artifacts of that type, as they are shipped."""
    names = json.loads((_ARTIFACTS / INDEX).read_text(encoding="utf-8"))["files"]
    return [
        json.loads((_ARTIFACTS / one).read_text(encoding="utf-8")) for one in names if one.startswith(kind)
    ]


def shipped(kind: str) -> str:
    """The content of the shipped Library, of that media type."""
    (library,) = artifacts(f"Library-{LIBRARY}")
    (found,) = [one["data"] for one in library["content"] if one["contentType"] == kind]
    return b64decode(found).decode()


def expansions() -> dict[str, list[tuple[str, str]]]:
    """Id of each value set -> its codes."""
    return {
        one["id"]: [(code["system"], code["code"]) for code in one["expansion"].get("contains", ())]
        for one in artifacts("ValueSet")
    }


def code_service() -> dict[str, Any]:
    """URL -> version -> codes: what the engines look value sets up in."""
    return {
        one["url"]: {one["version"]: one["expansion"].get("contains", [])} for one in artifacts("ValueSet")
    }


def evaluated(
    cases: Iterable[Case], definitions: Iterable[str], elm: Mapping[str, Any], folder: Path
) -> dict[str, dict[str, Any]]:
    """Id of a case -> the values of those definitions."""
    given = {"elm": elm, "valueSets": code_service(), "definitions": list(definitions)}
    return {line["id"]: line["results"] for line in _asked(_RUN, cases, given, folder)}


def applied(cases: Iterable[Case], folder: Path) -> dict[str, list[str]]:
    """Id of a case -> the ids of the actions of its RequestGroup."""
    resources = [*artifacts("PlanDefinition"), *artifacts("Library"), *artifacts("ActivityDefinition")]
    given = {"resources": resources, "valueSets": code_service()}
    return {line["id"]: line["actions"] for line in _asked(_APPLY, cases, given, folder)}


def _asked(script: Path, cases: Iterable[Case], given: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    patients = [case.plain for case in cases]
    parts = [patients[number::_PROCESSES] for number in range(_PROCESSES)]

    def ask(number: int) -> list[dict[str, Any]]:
        path = folder / f"{script.stem}-{number}.json"
        path.write_text(json.dumps(given | {"patients": parts[number]}), encoding="utf-8")
        command = ["node", str(script), str(ENVIRONMENT), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
        assert done.returncode == 0, done.stderr[-2_000:]
        return [json.loads(line) for line in done.stdout.splitlines()]

    with ThreadPoolExecutor(_PROCESSES) as pool:
        lines = [line for part in pool.map(ask, range(_PROCESSES)) for line in part]
    assert [line for line in lines if "error" in line] == []
    assert len(lines) == len(patients)
    return lines
