"""The earlier knowledge of a test: a copy to be changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.knowledge_diff.copies import copied


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return copied(tmp_path / "old")
