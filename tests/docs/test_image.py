"""The Dockerfile is really built, and the container is asked for a card.

docker or podman build on the image that FROM names. Where there is only buildah (as root), the base is
made of Debian's own packages by debootstrap. It takes minutes, so it runs when asked: make test-image
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from service import __version__
from tests.docs.conftest import PROJECT, answer_of, free_port, running

COMMAND = "make test-image"
IMAGE = "localhost/fasciculation-cds-test"
BASE = "localhost/fasciculation-cds-test-base"
SETTINGS = {"CDS_AUTH": "off", "CARD_SECRET": "for-this-test-alone-and-long-enough-to-sign-with"}
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
BUILT_WITHIN = 900

pytestmark = pytest.mark.skipif(not os.environ.get("TEST_IMAGE"), reason=f"builds an image; run: {COMMAND}")


def _output(*command: str) -> str:
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=BUILT_WITHIN)
    assert done.returncode == 0, f"{' '.join(command[:4])}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout.strip()


def _environment() -> list[str]:
    return [word for name, value in SETTINGS.items() for word in ("--env", f"{name}={value}")]


class Engine:
    """docker or podman: the container's port is published on a free port of the loopback."""

    def __init__(self, program: str) -> None:
        self.program = program

    def build(self) -> None:
        _output(self.program, "build", "--tag", IMAGE, ".")

    def inside(self, *command: str) -> str:
        return _output(self.program, "run", "--rm", *_environment(), IMAGE, *command)

    @contextmanager
    def serving(self) -> Iterator[str]:
        port = free_port()
        publish = ["--publish", f"127.0.0.1:{port}:8000"]
        command = [self.program, "run", "--rm", "--init", *publish, *_environment(), IMAGE]
        with running(command, f"http://127.0.0.1:{port}") as url:
            yield url

    def labels(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(_output(self.program, "inspect", IMAGE))[0]["Config"]["Labels"]
        return found

    def close(self) -> None:
        _output(self.program, "rmi", "--force", IMAGE)


class Buildah:
    """buildah with chroot isolation: no engine, the machine's own network, everything in one folder."""

    def __init__(self, folder: Path) -> None:
        store = ["--storage-driver", "vfs", "--root", str(folder / "store"), "--runroot", str(folder / "run")]
        self.folder, self.buildah = folder, ["buildah", *store]
        self.container = ""

    def build(self) -> None:
        root = self.folder / "base"
        _output("debootstrap", "--variant=minbase", "--include=ca-certificates,python3-pip,python3-venv",
                "bookworm", str(root))  # fmt: skip
        # A machine behind an inspecting proxy trusts its certificate; so must pip while the image is built.
        if Path("/", CERTIFICATES).exists():
            shutil.copyfile(Path("/", CERTIFICATES), root / CERTIFICATES)
        base = _output(*self.buildah, "from", "scratch")
        _output(*self.buildah, "add", "--quiet", base, str(root), "/")
        _output(*self.buildah, "commit", "--quiet", "--rm", base, BASE)
        shutil.rmtree(root)
        _output(*self.buildah, "bud", "--isolation", "chroot", "--pull-never", "--format", "docker",
                "--build-arg", f"PYTHON_IMAGE={BASE}", "--tag", IMAGE, ".")  # fmt: skip
        self.container = _output(*self.buildah, "from", "--pull-never", IMAGE)

    def _run(self, *command: str, port: str = "8000") -> list[str]:
        # chroot isolation shares the machine's network: only its loopback may listen.
        environment = [*_environment(), "--env", f"PORT={port}", "--env", "HOST=127.0.0.1"]
        return [*self.buildah, "run", "--isolation", "chroot", *environment, self.container, "--", *command]

    def inside(self, *command: str) -> str:
        return _output(*self._run(*command))

    @contextmanager
    def serving(self) -> Iterator[str]:
        port = free_port()
        start = re.search(r"^CMD (\[.*\])$", (PROJECT / "Dockerfile").read_text(), re.M)
        assert start is not None
        command = self._run(*json.loads(start[1]), port=str(port))
        with running(command, f"http://127.0.0.1:{port}") as url:
            yield url

    def labels(self) -> dict[str, str]:
        image = json.loads(_output(*self.buildah, "inspect", "--type", "image", IMAGE))
        found: dict[str, str] = image["Docker"]["config"]["Labels"]
        return found

    def close(self) -> None:
        _output(*self.buildah, "rm", "--all")


def _answers(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, timeout=60).returncode == 0


@pytest.fixture(scope="module")
def image() -> Iterator[Engine | Buildah]:
    with TemporaryDirectory(prefix="image-") as folder:
        engine: Engine | Buildah
        for program in ("docker", "podman"):
            if _answers(program, "info"):
                engine = Engine(program)
                break
        else:
            if not (_answers("buildah", "--version") and shutil.which("debootstrap")):
                pytest.skip(f"no docker, podman or buildah with debootstrap; with one of them: {COMMAND}")
            if os.geteuid() != 0:
                pytest.skip(f"buildah and debootstrap need root here; as root: {COMMAND}")
            engine = Buildah(Path(folder))
        engine.build()
        try:
            yield engine
        finally:
            engine.close()


def test_the_container_answers_with_a_card(image: Engine | Buildah) -> None:
    bundle = (PROJECT / "examples" / "thigh-day-fifteen/bundle.json").read_bytes()
    with image.serving() as url:
        answer = answer_of(f"{url}/evaluate?asOf=2026-06-15", bundle)
        port = url.rpartition(":")[2]
        probe = re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", (PROJECT / "Dockerfile").read_text(), re.M)
        assert probe is not None
        command = json.loads(probe[1])
        if isinstance(image, Buildah):
            image.inside("env", f"PORT={port}", *command)
    assert [card["indicator"] for card in answer["cards"]] == ["info"]


def test_the_health_check_sees_a_service_that_is_not_there(image: Engine | Buildah) -> None:
    probe = re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", (PROJECT / "Dockerfile").read_text(), re.M)
    assert probe is not None
    with pytest.raises(AssertionError):
        image.inside("env", f"PORT={free_port()}", *json.loads(probe[1]))


def test_nothing_in_it_runs_as_root_or_can_build(image: Engine | Buildah) -> None:
    assert image.inside("id", "-u") == "10001"
    found = image.inside(
        "sh", "-c", "for t in cc gcc make uv; do command -v $t; done; ls /opt/venv/bin; true"
    )
    assert not {"cc", "gcc", "make", "uv", "pip"} & {Path(line).name for line in found.split()}


def test_it_contains_the_command_and_the_drivers(image: Engine | Buildah) -> None:
    told = image.inside("fasciculation-cds", "--version")
    assert re.fullmatch(rf"fasciculation-cds {re.escape(__version__)}, knowledge [0-9a-f]+", told)
    assert "thigh-day-fifteen" in image.inside("fasciculation-cds", "examples")
    assert image.inside("python3", "-c", "import psycopg, redis; print('both')") == "both"


def test_its_labels_say_what_it_is(image: Engine | Buildah) -> None:
    name = "org.opencontainers.image"
    labels = image.labels()
    assert labels[f"{name}.title"] == "fasciculation-cds"
    assert labels[f"{name}.version"] == __version__
    assert labels[f"{name}.licenses"] == "Apache-2.0"


def test_it_holds_no_tests_and_no_version_history(image: Engine | Buildah) -> None:
    assert sorted(image.inside("ls", "-A", "/app").split()) == [
        "LICENSE", "NOTICE", "artifacts", "examples", "fhir_mappings", "openapi.yaml", "sbom.cdx.json",
        "schemas", "service",
    ]  # fmt: skip


def test_no_start_compiles_its_modules(image: Engine | Buildah) -> None:
    assert "server.cpython" in image.inside("ls", "/app/service/__pycache__")
