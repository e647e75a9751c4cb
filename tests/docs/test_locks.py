"""The lock files hold every dependency of pyproject.toml, with hashes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
# The image and the development environment include the drivers.
RUNTIME: list[str] = [*PROJECT["dependencies"], *EXTRAS["redis"], *EXTRAS["postgresql"]]
DEV: list[str] = EXTRAS["dev"]


def name_of(requirement: str) -> str:
    return re.split(r"[<>=!~;\[ ]", requirement)[0].lower().replace(".", "-").replace("_", "-")


def locked(file: str) -> dict[str, str]:
    """name -> the text of its entry."""
    entries = re.split(r"\n(?=[a-z0-9])", (ROOT / file).read_text(encoding="utf-8"))
    return {name_of(entry): entry for entry in entries if "==" in entry}


@pytest.mark.parametrize(
    ("file", "wanted"), [("requirements.lock", RUNTIME), ("requirements-dev.lock", RUNTIME + DEV)]
)
def test_every_dependency_is_locked(file: str, wanted: list[str]) -> None:
    assert [name for name in map(name_of, wanted) if name not in locked(file)] == []


@pytest.mark.parametrize(
    "file",
    [
        "requirements.lock",
        "requirements-dev.lock",
        "tests/ehr/requirements.lock",
        "tests/browser/requirements.lock",
        "tests/population/requirements.lock",
        "tests/api/openapi-python-client.lock",
        "tests/api/sbom.lock",
        "tools/bench/floor.lock",
        "tools/bench/healthchain.lock",
    ],
)
def test_every_entry_has_hashes(file: str) -> None:
    assert [name for name, entry in locked(file).items() if "--hash=sha256:" not in entry] == []


def test_the_tests_of_spark_run_with_its_extra() -> None:
    asked = (ROOT / "tests/population/requirements.in").read_text(encoding="utf-8").splitlines()
    assert [line for line in asked if not line.startswith("#")] == EXTRAS["spark"]
    assert [
        name
        for name in map(name_of, EXTRAS["spark"])
        if name not in locked("tests/population/requirements.lock")
    ] == []


def test_both_files_lock_the_same_versions() -> None:
    def version(entry: str) -> str:
        return entry.split("==")[1].split()[0]

    runtime, dev = locked("requirements.lock"), locked("requirements-dev.lock")
    assert {name: version(entry) for name, entry in runtime.items()} == {
        name: version(dev[name]) for name in runtime
    }


def test_every_dependency_says_why_it_is_there() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for requirement in RUNTIME + DEV + EXTRAS["spark"]:
        line = next(line for line in text.splitlines() if f'"{requirement}"' in line)
        assert "# " in line or requirement == "types-pyyaml", requirement
