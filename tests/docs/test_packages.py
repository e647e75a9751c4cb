"""What an installed service would lack: folders with code are packages, kinds of data files are named."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from service import __version__

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
PACKAGES = ("service", "schemas", "fhir_mappings")
FILES = [path for name in PACKAGES for path in (ROOT / name).rglob("*") if path.is_file()]
# Modules of the runtime that the server does not load: each belongs to a command that is installed with it.
OF_A_COMMAND = (
    "service.__main__",
    "service.feedback.__main__",
    "service.feedback.upgrade",
    "service.feedback.migrations*",
    "service.command_line*",
    "service.population*",
    "fhir_mappings.request.documents",
    "fhir_mappings.request.export_lines",
    "fhir_mappings.to_findings.known_concepts",
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


def test_the_version_is_the_same_everywhere() -> None:
    label = re.search(r'image\.version="(.*)"', (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert label is not None
    api = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))["info"]["version"]
    manifest = yaml.safe_load((ROOT / "deploy/kubernetes/kustomization.yaml").read_text(encoding="utf-8"))
    assert {label[1], api, manifest["images"][0]["newTag"]} == {__version__}


@pytest.mark.parametrize("name", PACKAGES[1:])
@pytest.mark.parametrize("overwritten", [True, False])
@pytest.mark.parametrize("module", ["service", "service.command_line"])
def test_a_shadowed_package_is_refused(tmp_path: Path, name: str, overwritten: bool, module: str) -> None:
    ours, other = tmp_path / "ours", tmp_path / "other"
    ours.mkdir()
    for package in PACKAGES:
        if package != name:
            (ours / package).symlink_to(ROOT / package)
    (other / name).mkdir(parents=True)
    (other / name / "__init__.py").write_text("__version__ = '1.0'\n")
    if overwritten:
        (other / name).rename(ours / name)
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        cwd=ours, env={"PYTHONPATH": str(other)}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"The package {name} of fasciculation-cds is shadowed by another one (")
    assert done.stderr.endswith("with pipx or uv tool (docs/command-line.md).\n")


def test_the_server_loads_every_module_that_no_command_needs() -> None:
    by_setting = "service.authentication.callers, service.fhir_client.transfer"
    program = f"import sys, service.server, {by_setting}; print(*sys.modules)"
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
