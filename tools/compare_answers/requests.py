"""The requests that every revision answers, made from the examples and tests of this tree."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from service.knowledge import load_knowledge
from tests.fuzz.mutations import changed, drawn
from tests.fuzz.seeds import EXTENSION, Seed, call, seeds
from tests.spec.records import DAY
from tests.vignettes.dialects import BUNDLES, DIALECTS
from tests.vignettes.patient import AS_OF, PEOPLE, people
from tests.vignettes.regrouped import prefetch_of
from tools.compare_answers.capture import CAPTURED_FILE

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
MUTATED = 3_000
SEED = 14
HOOKS = ("patient-view", "order-select", "order-sign", "problem-list-item-create", "encounter-discharge")
# The calls of the examples are also answered with each of these.
SETTINGS = (
    {"MIN_INDICATOR": "warning"},
    {"MIN_INDICATOR": "critical"},
    {"SILENT": "true"},
)
# Their bodies hold what the vignettes do not: family history, ages at onset, panels, preliminary results.
TESTS = (
    "tests/spec",
    "tests/hooks",
    "tests/unit/test_envelope.py",
    "tests/unit/test_versions.py",
    "tests/unit/test_first_looks.py",
    "tests/unit/test_drugs.py",
    "tests/unit/test_drug_names.py",
    "tests/contract/test_answers.py",
    "tests/contract/test_bad_input.py",
    "tests/contract/test_cds_hooks_calls.py",
    "tests/contract/test_cds_hooks_cards.py",
)
LARGEST_OF_TESTS = 100_000
_EVALUATE = f"/evaluate?asOf={AS_OF}"


class RequestsError(ValueError):
    """The requests cannot be made; the message says why."""


@dataclass(frozen=True)
class Request:
    """One POST: `id` is unique, `settings` are environment variables of the service."""

    id: str
    group: str
    path: str
    body: bytes
    settings: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "body": self.body.decode("latin-1")}


def requests(mutated: int = MUTATED, tests: tuple[str, ...] = TESTS) -> Iterator[Request]:
    """All requests, group by group."""
    yield from _examples(EXAMPLES)
    yield from _vignettes()
    yield from islice(_mutated(), mutated)
    yield from _of_tests(tests)


def _examples(directory: Path) -> Iterator[Request]:
    """Every hook call and Bundle below the folder, whatever its layout."""
    for file in sorted(directory.rglob("*.json")):
        body = file.read_bytes()
        content = json.loads(body)
        name = file.relative_to(directory).as_posix()
        if content.get("resourceType") == "Bundle":
            yield Request(f"examples/{name}", "examples: /evaluate", _EVALUATE, body)
            path = f"{_EVALUATE}&validate=true"
            yield Request(f"examples/{name}?validate", "examples: /evaluate", path, body)
        elif "hook" in content:
            path = _service(content["hook"])
            yield Request(f"examples/{name}", "examples: hooks", path, body)
            del content["extension"][EXTENSION]["assessment"]
            bare = json.dumps(content).encode()
            yield Request(f"examples/{name}?cards", "examples: hooks", path, bare)
            for settings in SETTINGS:
                written = "&".join(f"{name}={value}" for name, value in settings.items())
                yield Request(f"examples/{name}?{written}", "examples: settings", path, body, settings)


def _vignettes() -> Iterator[Request]:
    for person in (*PEOPLE, *people("more_patients.yaml")):
        for dialect, written in DIALECTS.items():
            record = written(person)
            name = f"vignettes/{person.id}/{dialect}"
            if dialect in BUNDLES:
                body = json.dumps(record).encode()
                yield Request(f"{name}/evaluate", "vignettes: /evaluate", _EVALUATE, body)
            prefetch = _prefetch(record, person.id) if dialect in BUNDLES else record
            for hook in HOOKS:
                body = json.dumps({**call({"hook": hook}, person), "prefetch": prefetch}).encode()
                yield Request(f"{name}/{hook}", "vignettes: hooks", _service(hook), body)


def _prefetch(record: dict[str, Any], patient_id: str) -> dict[str, Any]:
    """The Bundle as prefetch. A transaction names its patient by URN, a call by the id in its context."""
    if record["type"] == "transaction":
        urn = record["entry"][0]["fullUrl"]
        record = json.loads(json.dumps(record).replace(urn, f"Patient/{patient_id}"))
        record["entry"][0]["resource"]["id"] = patient_id
    return prefetch_of(record)


def _mutated() -> Iterator[Request]:
    """Mutations of the seeds of tests/fuzz and of the examples; mutated headers are left out: no decision
    reads them.
    """
    examples = (Seed(r.id, r.path, json.loads(r.body)) for r in _examples(EXAMPLES) if not r.settings)
    chosen = (*seeds(load_knowledge()), *examples)
    for index in count():
        number = random.Random(f"{SEED}-{index}")
        seed = number.choice(chosen)
        changes = drawn(seed.body, number)
        path = seed.path
        for change in changes:
            if change.kind == "beside" and change.value[0] == "asOf":
                path = f"/evaluate?asOf={quote(change.value[1])}" if "/evaluate" in path else path
        group = "mutated: /evaluate" if path.startswith("/evaluate") else "mutated: hooks"
        name = f"mutated/{index:05}/{seed.name.replace(' ', '/')}"
        yield Request(name, group, path, changed(seed.body, changes))


def _of_tests(tests: tuple[str, ...]) -> Iterator[Request]:
    """The bodies that tests decode. Raises RequestsError if the tests fail."""
    with tempfile.TemporaryDirectory() as scratch:
        captured = Path(scratch) / "captured"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "tools.compare_answers.capture", *tests]
        environment = {**os.environ, CAPTURED_FILE: str(captured)}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
        if done.returncode or not captured.exists():
            output = done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
            raise RequestsError(f"the tests that requests are taken from fail:\n{output}")
        bodies = [bytes.fromhex(line) for line in captured.read_text(encoding="ascii").splitlines()]
    for body in bodies:
        if len(body) > LARGEST_OF_TESTS:
            continue
        name = f"tests/{hashlib.sha256(body).hexdigest()[:12]}"
        hook = re.search(rb'"hook": ?"([a-z-]+)"', body)
        if hook:
            yield Request(name, "tests: hooks", _service(hook[1].decode()), body)
        else:
            yield Request(name, "tests: /evaluate", f"/evaluate?asOf={DAY}", body)


def _service(hook: str) -> str:
    return f"/cds-services/fasciculation-{hook}"
