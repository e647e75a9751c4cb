"""schemathesis: what openapi.yaml says is what the running service does. No check is left out."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.conftest import PROJECT, free_port, running
from tools.openapi.document import document

TOOL = PROJECT / ".api" / "schemathesis" / "bin" / "schemathesis"
SETTINGS = PROJECT / "tests" / "api" / "schemathesis.toml"
OPERATIONS = sum(len(methods) for methods in document()["paths"].values())
# stateful: follows the links, so that feedback comes about a card that was signed here, which is never drawn.
PHASES = "examples,coverage,fuzzing,stateful"
# What may be answered to data that fits the shape, beside success; each has its reason in the file.
MAY_JOIN = {"2xx", "304", "404", "412", "413", "415", "422"}


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    environ = {
        "PATH": os.environ["PATH"],
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
        "FEEDBACK_DB": f"sqlite:///{tmp_path / 'feedback.sqlite3'}",
    }
    command = [sys.executable, "-m", "service"]
    with running(command, f"http://127.0.0.1:{port}", cwd=PROJECT, env=environ) as address:
        yield address


@pytest.mark.skipif(
    not TOOL.exists(), reason="needs schemathesis in an environment of its own; run: make test-api"
)
def test_the_service_does_what_its_description_says(url: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(TOOL), "--config-file", str(SETTINGS), "run", str(PROJECT / "openapi.yaml"), "--url", url,
         "--checks", "all", "--phases", PHASES, "--max-time", "120"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert f"Selected: {OPERATIONS}/{OPERATIONS}" in done.stdout
    assert f"Tested: {OPERATIONS}" in done.stdout


def test_no_check_is_switched_off_or_widened_without_a_word() -> None:
    settings = tomllib.loads(SETTINGS.read_text(encoding="utf-8"))
    assert all(check.get("enabled", True) for check in settings["checks"].values())
    assert set(settings["checks"]["positive_data_acceptance"]["expected-statuses"]) <= MAY_JOIN
    assert [one["include-operation-id"] for one in settings["operations"]] == ["feedback", "fhirApply"]
    for one in settings["operations"]:
        assert set(one["checks"]["positive_data_acceptance"]["expected-statuses"]) <= {*MAY_JOIN, "400"}
