"""The README's commands run, and its card is what the service answers."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from service.config import SETTINGS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", README, re.S) for line in block.splitlines()]
CURLS = [command for command in COMMANDS if command.startswith("curl ")]
TARGETS = [command.split()[1] for command in COMMANDS if command.startswith("make ")]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The service as a newcomer starts it, on a free port of loopback, in an empty environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {"PATH": os.environ["PATH"], "PORT": str(port), "WEB_CONCURRENCY": "1"}
    environ["PUBLIC_BASE_URL"] = "http://127.0.0.1:8000"
    command = [sys.executable, "-m", "service"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                urlopen(f"{url}/healthz", timeout=1).close()
                break
            except (URLError, ConnectionError):
                assert process.poll() is None, "the service ended"
                time.sleep(0.1)
        try:
            yield url
        finally:
            process.terminate()
            process.wait(timeout=30)


def answer_to(curl: str, address: str) -> dict[str, Any]:
    command = shlex.split(curl.replace("http://127.0.0.1:8000", address))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=60)
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def test_its_make_targets_exist() -> None:
    rules = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert TARGETS == ["serve", "test"]
    assert set(TARGETS) <= set(rules)


def test_its_card_is_the_answer(address: str) -> None:
    (card,) = answer_to(CURLS[0], address)["cards"]
    shown = re.search(r"```json\n(.*?)```", README, re.S)
    assert shown is not None
    assert json.loads(shown[1]) == {
        "summary": card["summary"],
        "indicator": card["indicator"],
        "suggestions": [suggestion["label"] for suggestion in card["suggestions"]],
    }


def test_it_is_short() -> None:
    assert len(README.split()) <= 700


def test_every_file_it_names_exists() -> None:
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / link).exists(), link
    for name in re.findall(r"`((?:examples|service|schemas|docs|tests)/[\w./-]+)`", README):
        assert (ROOT / name).exists(), name


def test_help_prints_the_settings() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "service", "--help"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(SETTINGS)


def test_a_wrong_setting_stops_the_start_by_name() -> None:
    environ = {"PATH": os.environ["PATH"], "PORT": "none"}
    done = subprocess.run(
        [sys.executable, "-m", "service"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "PORT: a number" in done.stderr
