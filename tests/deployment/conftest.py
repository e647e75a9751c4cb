"""Where the tools are that look at what is deployed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.docs.conftest import PROJECT

TOOLS = PROJECT / ".api" / "deployment" / "bin"
NEEDS_TOOLS = pytest.mark.skipif(
    not TOOLS.exists(),
    reason="needs hadolint and the schemas of Kubernetes and Compose; run: make test-deployment",
)


def told(tool: str, *args: str | Path) -> subprocess.CompletedProcess[str]:
    """What that tool says of the project's files."""
    command = [str(TOOLS / tool), *map(str, args)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300)
