"""What the run of the engines compared, in one line at its end."""

from __future__ import annotations

import pytest

COMPARED = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[COMPARED] = []


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    for line in config.stash[COMPARED]:
        terminalreporter.write_line(line)
