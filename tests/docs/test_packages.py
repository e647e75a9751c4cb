"""What an installed service would lack: folders with code are packages, kinds of data files are named."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
NAME = PROJECT["project"]["name"]
PACKAGES = ("service", "schemas", "fhir_mappings")
FILES = [path for name in PACKAGES for path in (ROOT / name).rglob("*") if path.is_file()]
# Modules of the runtime that the server does not load: each belongs to a command that is installed with it.
OF_A_COMMAND = (
    "service.__main__",
    "service.feedback.__main__",
    "service.feedback.upgrade",
    "service.feedback.migrations*",
    "service.command_line*",
    "fhir_mappings.request.documents",
    "fhir_mappings.to_findings.unknown_codes",
)


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


def test_the_server_loads_every_module_that_no_command_needs() -> None:
    program = "import sys, service.server, service.app; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True, text=True
    )
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in FILES
        if path.suffix == ".py"
    }
    left = modules - set(done.stdout.split())
    assert {name for name in left if not any(fnmatch(name, one) for one in OF_A_COMMAND)} == set()
