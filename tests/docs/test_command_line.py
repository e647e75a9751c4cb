"""The commands of docs/command-line.md run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest

from tests.docs.conftest import PROJECT

PAGE = (PROJECT / "docs" / "command-line.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S) for line in block.splitlines()]


def test_every_command_is_tried() -> None:
    assert {command.split()[1] for command in COMMANDS} == {"evaluate", "validate", "explain", "examples"}


@pytest.mark.parametrize("command", COMMANDS)
def test_it_runs(command: str) -> None:
    words = shlex.split(command)[1:]
    done = subprocess.run(
        [sys.executable, "-m", "service.command_line", *words], cwd=PROJECT, capture_output=True, timeout=300
    )
    # 3 and 4: a level; nothing was refused, and nothing was used wrongly.
    assert done.returncode in (0, 3, 4), done.stderr.decode()
    assert done.stdout
