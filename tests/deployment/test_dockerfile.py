"""hadolint has nothing to say about the Dockerfile."""

from __future__ import annotations

from pathlib import Path

from tests.deployment.conftest import NEEDS_TOOLS, told
from tests.docs.conftest import PROJECT


@NEEDS_TOOLS
def test_hadolint_finds_nothing() -> None:
    done = told("hadolint", "--no-color", "--failure-threshold", "style", "Dockerfile")
    assert (done.returncode, done.stdout) == (0, "")


@NEEDS_TOOLS
def test_hadolint_would_find_something(tmp_path: Path) -> None:
    text = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    worse = tmp_path / "Dockerfile"
    worse.write_text(text.replace("USER 10001:10001", "USER root\nRUN cd /app && pip install flask"))
    done = told("hadolint", "--no-color", "--failure-threshold", "style", worse)
    assert done.returncode != 0
    assert {"DL3002", "DL3003", "DL3013"} <= set(done.stdout.split())


def test_no_rule_is_switched_off() -> None:
    assert "hadolint ignore" not in (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    assert list(PROJECT.glob(".hadolint*")) == []
