"""What an installed service would lack: folders with code are packages, kinds of data files are named."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
NAME = PROJECT["project"]["name"]
PACKAGES = ("service", "schemas", "fhir_mappings")
FILES = [path for name in PACKAGES for path in (ROOT / name).rglob("*") if path.is_file()]


def test_the_packages_are_found_by_their_names() -> None:
    assert SETUPTOOLS["packages"]["find"]["include"] == [f"{name}*" for name in PACKAGES]


@pytest.mark.parametrize(
    "folder", sorted({p.parent for p in FILES if p.suffix == ".py"}), ids=lambda p: p.name
)
def test_a_folder_with_code_is_a_package(folder: Path) -> None:
    assert (folder / "__init__.py").is_file()


def test_every_kind_of_data_file_travels_with_the_code() -> None:
    named = {pattern.removeprefix("*") for pattern in SETUPTOOLS["package-data"]["*"]}
    assert {path.suffix for path in FILES} - {".py", ".pyc"} <= named


def test_what_stands_beside_the_packages_travels_too() -> None:
    files = SETUPTOOLS["data-files"]
    assert files == {
        f"share/{NAME}": ["openapi.yaml"],
        # Of folders in it setuptools knows nothing: the names of files alone hold a dot.
        f"share/{NAME}/examples": ["examples/*.*"],
        f"share/{NAME}/artifacts": ["artifacts/*.json"],
    }
    for path in (ROOT / "examples").iterdir():
        assert path.is_file() == ("." in path.name)
    assert {path.suffix for path in (ROOT / "artifacts").iterdir()} == {".json"}
