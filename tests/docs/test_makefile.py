"""What make refuses to do."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.conftest import PROJECT

LOCKS = (
    "requirements-dev.lock",
    "tests/ehr/requirements.lock",
    "tests/api/audit.lock",
    "tests/api/schemathesis.lock",
)


def checksum(lock: str) -> str:
    with (PROJECT / lock).open("rb") as file:
        done = subprocess.run(["cksum"], stdin=file, capture_output=True, text=True, check=True)
    return done.stdout.split()[0]


@pytest.mark.parametrize(
    ("link", "made"),
    [
        (".venv", f".venv/made-from-{checksum(LOCKS[0])}"),
        (".ehr", f".ehr/made-from-{checksum(LOCKS[1])}"),
        (".api/audit", ".api/audit/made"),
        (".api", ".api/schemathesis/made"),
    ],
)
def test_an_environment_that_is_a_link_is_not_emptied(tmp_path: Path, link: str, made: str) -> None:
    """venv --clear would delete what stands in the folder behind the link."""
    project, other = tmp_path / "project", tmp_path / "other"
    for name in ("Makefile", *LOCKS):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, project / name)
    kept = other / "schemathesis" / "kept"
    kept.parent.mkdir(parents=True)
    kept.write_text("of another project")
    (project / link).parent.mkdir(exist_ok=True)
    (project / link).symlink_to(other)
    done = subprocess.run(
        ["make", made, f"PYTHON={sys.executable}"], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert f"{link} is a symbolic link" in done.stderr
    assert kept.read_text() == "of another project"
