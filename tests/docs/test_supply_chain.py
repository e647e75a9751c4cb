"""What is passed on with the service: the SBOM is the lock file, and NOTICE names what is not permissive."""

from __future__ import annotations

import json
import re
import subprocess
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

import pytest

from tests.docs.conftest import PROJECT
from tests.docs.test_locks import locked

SBOM = PROJECT / "sbom.cdx.json"
TOOL = PROJECT / ".api" / "sbom" / "bin" / "python"
# Licences that ask for more than that their text is passed on.
NOT_PERMISSIVE = re.compile(r"\b(A?GPL|LGPL|MPL|EPL|CDDL|EUPL)|GNU|Mozilla|Eclipse", re.IGNORECASE)


def components() -> dict[str, dict[str, Any]]:
    return {part["name"]: part for part in json.loads(SBOM.read_text(encoding="utf-8"))["components"]}


def licence_of(package: str) -> str:
    """What its metadata says; "" where it is for another platform and not installed."""
    try:
        about = metadata(package)
    except PackageNotFoundError:
        return ""
    named = [about.get("License-Expression"), *(about.get_all("Classifier") or ())]
    stated = [text for text in named if text and (" :: " not in text or text.startswith("License ::"))]
    return "; ".join(stated) or str(about.get("License") or "").partition("\n")[0]


def test_the_sbom_names_what_the_lock_file_installs() -> None:
    lock, parts = locked("requirements.lock"), components()
    assert set(parts) == set(lock)
    for name, entry in lock.items():
        assert f"{name}=={parts[name]['version']}" in entry.replace("[binary]", "")
        (source,) = parts[name]["externalReferences"]
        assert {found["content"] for found in source["hashes"]} == set(re.findall(r"sha256:(\w+)", entry))


def test_the_sbom_names_the_machine_of_nobody() -> None:
    assert "file://" not in SBOM.read_text(encoding="utf-8")


@pytest.mark.skipif(not TOOL.exists(), reason="needs cyclonedx-bom in an environment; run: make sbom")
def test_the_sbom_is_current_and_valid_cyclonedx(tmp_path: Path) -> None:
    """The tool validates what it writes against the schema of CycloneDX."""
    made = tmp_path / "sbom.json"
    command = ["-m", "cyclonedx_py", "requirements", "--pyproject", "pyproject.toml", "--output-reproducible"]
    options = ["--spec-version", "1.6", "--validate", "--output-file", str(made), "requirements.lock"]
    subprocess.run([TOOL, *command, *options], cwd=PROJECT, check=True, capture_output=True, timeout=120)
    assert made.read_text(encoding="utf-8") == SBOM.read_text(encoding="utf-8")


def test_notice_names_every_package_that_is_not_permissive() -> None:
    notice = (PROJECT / "NOTICE").read_text(encoding="utf-8")
    listed = notice.partition("\nPython packages\n")[2].partition("\n\n")[0]
    named = {
        name for names in re.findall(r"^  ([\w, -]+): ", listed, re.MULTILINE) for name in names.split(", ")
    }
    found = {name for name in locked("requirements.lock") if NOT_PERMISSIVE.search(licence_of(name))}
    assert {"certifi", "psycopg", "psycopg-binary"} <= found
    assert found - named == set()


def test_every_package_says_its_licence() -> None:
    installed = [name for name in locked("requirements.lock") if name not in ("async-timeout", "tzdata")]
    assert [name for name in installed if not licence_of(name)] == []


def test_the_base_image_can_be_named_by_digest() -> None:
    """docs/operating.md says how its digest is found."""
    text = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${PYTHON_IMAGE}"}
    assert "PYTHON_IMAGE=python:3.11-slim@sha256:" in (PROJECT / "docs" / "operating.md").read_text()
