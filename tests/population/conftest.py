"""The knowledge is read once for all runs in this process."""

from __future__ import annotations

import pytest

from service.command_line import commands
from service.population import run
from tests.population import exports


@pytest.fixture(autouse=True)
def _knowledge_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (commands, run):
        monkeypatch.setattr(module, "load_knowledge", exports.knowledge)
