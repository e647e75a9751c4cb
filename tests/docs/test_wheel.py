"""The wheel in an environment of its own, without extras: the command decides, serves, names what it lacks.

It builds and installs from PyPI, so it runs when asked: make test-image
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from service import __version__
from service.examples import load_examples
from tests.docs.conftest import PROJECT, answer_of, free_port, running

COMMAND = "make test-image"
SHARE = f"fasciculation_cds-{__version__}.data/data/share/fasciculation-cds"
WITHIN_S = 300

pytestmark = pytest.mark.skipif(not os.environ.get("TEST_IMAGE"), reason=f"builds a wheel; run: {COMMAND}")


@dataclass(frozen=True, slots=True)
class Installed:
    """The wheel, and the environment and folder in which it runs."""

    wheel: Path
    environment: Path
    folder: Path

    def run(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.environment / "bin" / "fasciculation-cds"), *words]
        return subprocess.run(
            command, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=WITHIN_S
        )


@pytest.fixture(scope="module")
def installed() -> Iterator[Installed]:
    with TemporaryDirectory(prefix="wheel-") as name:
        folder = Path(name)
        environment = folder / "environment"
        uv = [sys.executable, "-m", "uv", "--quiet", "--system-certs"]

        def done(*command: str | Path) -> None:
            ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=WITHIN_S)
            assert ran.returncode == 0, ran.stderr

        # By way of the source distribution, as PyPI would get both.
        done(*uv, "build", "--out-dir", folder)
        (wheel,) = folder.glob("*.whl")
        done(*uv, "venv", "--python", sys.executable, environment)
        python = ("--python", environment / "bin" / "python")
        done(*uv, "pip", "install", *python, "--constraint", "requirements.lock", wheel)
        (folder / "empty").mkdir()
        yield Installed(wheel, environment, folder / "empty")


def test_the_wheel_contains_the_packages_and_their_data_and_no_more(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    tracked = subprocess.run(
        ["git", "ls-files", "service", "schemas", "fhir_mappings", "openapi.yaml", "sbom.cdx.json",
         "artifacts", "examples"],
        cwd=PROJECT, capture_output=True, check=True, text=True,
    ).stdout.split()  # fmt: skip
    data = ("openapi.yaml", "sbom.cdx.json", "artifacts/", "examples/")
    assert names == {f"{SHARE}/{name}" if name.startswith(data) else name for name in tracked}


def test_it_says_its_versions(installed: Installed) -> None:
    told = installed.run("--version")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith(f"fasciculation-cds {__version__}, knowledge ")


def test_it_decides_an_example_that_it_wrote(installed: Installed) -> None:
    assert installed.run("examples", "--write", ".").returncode == 0
    example = load_examples()[0]
    told = installed.run(
        "evaluate", f"--as-of={example.as_of}", "--format=json", "--fail-on=info", example.bundle.file
    )
    assert told.returncode == 3, told.stderr
    assert [card["summary"] for card in json.loads(told.stdout)["cards"]] == [
        card.summary for card in example.bundle.expected
    ]


def test_it_serves_with_sqlite_and_without_a_driver(installed: Installed) -> None:
    port = free_port()
    command = [str(installed.environment / "bin" / "fasciculation-cds"), "serve"]
    environ = {"PORT": str(port), "WEB_CONCURRENCY": "1"}
    example = load_examples()[0]
    with running(command, f"http://127.0.0.1:{port}", cwd=installed.folder, env=environ) as url:
        cards = answer_of(f"{url}/evaluate?asOf={example.as_of}", example.bundle.body)["cards"]
        assert answer_of(f"{url}/readyz")["feedback"] == "ok"
    assert [card["indicator"] for card in cards] == ["info"]


@pytest.mark.parametrize(
    ("setting", "url", "driver", "extra"),
    [
        ("JTI_STORE", "redis://:secret@cache/0", "redis", "redis"),
        ("FEEDBACK_DB", "postgresql://user:secret@db/feedback", "psycopg", "postgresql"),
    ],
)
def test_a_setting_whose_driver_is_missing_stops_the_start(
    installed: Installed, setting: str, url: str, driver: str, extra: str
) -> None:
    told = installed.run("serve", **{setting: url, "PORT": str(free_port())})
    assert told.returncode == 2
    assert (
        f"{setting}: the driver {driver} is not installed: install fasciculation-cds[{extra}]" in told.stderr
    )
    assert "secret" not in told.stderr + told.stdout


def test_another_package_of_one_of_our_names_is_refused(installed: Installed) -> None:
    (initial,) = installed.environment.glob("lib/python*/site-packages/schemas/__init__.py")
    ours = initial.read_text(encoding="utf-8")
    initial.write_text("from .models import Model\n")
    try:
        told = installed.run("--version")
    finally:
        initial.write_text(ours)
    assert told.returncode == 2
    assert told.stderr.startswith("The package schemas of fasciculation-cds is shadowed by another one (")
