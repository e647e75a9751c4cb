"""The knowledge is read once for all commands that are run in this process."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from service.command_line import commands
from service.knowledge import load_knowledge


@pytest.fixture(scope="package", autouse=True)
def _knowledge_read_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(commands, "load_knowledge", cache(load_knowledge))
        yield
