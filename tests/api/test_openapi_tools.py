"""openapi.yaml as others read it: two linters, and a generator of clients whose client calls every hook."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.conftest import PROJECT, free_port, running
from tools.openapi.document import FILE, document

HERE = Path(__file__).parent
NODE = PROJECT / ".api" / "node" / "node_modules" / ".bin"
PYTHON_CLIENT = PROJECT / ".api" / "openapi-python-client" / "bin"
ENVIRON = {"PATH": f"{PYTHON_CLIENT}:{os.environ['PATH']}", "REDOCLY_TELEMETRY": "off"}
# The generator knows JSON alone; openapi.json says the same.
NOT_GENERATED = {"/openapi.yaml", "/fhir/artifacts.zip"}

needs_node = pytest.mark.skipif(
    not (NODE / "redocly").exists(), reason="needs npm and spectral and redocly; run: make test-api"
)
needs_generator = pytest.mark.skipif(
    not PYTHON_CLIENT.exists(), reason="needs openapi-python-client in an environment; run: make test-api"
)


def ran(*command: str | Path, folder: Path) -> str:
    """What it prints; it has to end well."""
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=ENVIRON, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout + done.stderr


@needs_node
def test_spectral_finds_nothing(tmp_path: Path) -> None:
    rules = HERE / "spectral.yaml"
    said = ran(
        NODE / "spectral", "lint", FILE, "--ruleset", rules, "--fail-severity", "warn", folder=tmp_path
    )
    assert "No results with a severity" in said


@needs_node
def test_redocly_finds_nothing(tmp_path: Path) -> None:
    config = f"--config={HERE / 'redocly.yaml'}"
    said = ran(NODE / "redocly", "lint", FILE, config, "--format=stylish", folder=tmp_path)
    assert "Your API description is valid" in said
    assert not re.search(r"\d (errors?|warnings?)", said)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    environ = {"PATH": os.environ["PATH"], "PORT": str(port), "WEB_CONCURRENCY": "1"}
    command = [sys.executable, "-m", "service"]
    with running(command, f"http://127.0.0.1:{port}", cwd=PROJECT, env=environ) as address:
        yield address


@needs_generator
def test_a_generated_client_calls_every_hook(url: str, tmp_path: Path) -> None:
    command = ("openapi-python-client", "generate", "--meta", "none", "--output-path", "generated")
    said = ran(PYTHON_CLIENT / command[0], *command[1:], "--path", FILE, folder=tmp_path)
    assert set(re.findall(r"WARNING parsing \w+ (\S+)", said)) == NOT_GENERATED
    bodies = {}
    for path, methods in document()["paths"].items():
        if re.fullmatch(r"/cds-services/fasciculation-[a-z-]+", path):
            content = methods["post"]["requestBody"]["content"]["application/json"]
            (example,) = content["examples"].values()
            bodies[methods["post"]["operationId"]] = example["value"]
    assert len(bodies) == 5
    done = subprocess.run(
        [str(PYTHON_CLIENT / "python"), str(HERE / "call_every_hook.py"), url],
        env={"PYTHONPATH": str(tmp_path)},
        input=json.dumps(bodies),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    indicators = json.loads(done.stdout)
    assert set(indicators) == set(bodies)
    assert all(len(found) == 1 for found in indicators.values()), indicators
