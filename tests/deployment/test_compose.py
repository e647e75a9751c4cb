"""The Compose files: valid by the specification, and what they hand over is what the service takes."""

from __future__ import annotations

import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from deploy.cluster.cluster import CONNECTIONS, WORKERS
from deploy.cluster.parts import Part, free_port
from deploy.cluster.proxy import Proxy
from service.authentication.trusted_issuers import read_issuers
from service.config import SETTINGS, Config
from tests.deployment.conftest import NEEDS_TOOLS, told
from tests.docs.conftest import PROJECT

FOLDER = PROJECT / "deploy" / "compose"
FILES = [PROJECT / "docker-compose.yml", FOLDER / "docker-compose.yml"]
HAPROXY = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin")
NEEDS_HAPROXY = pytest.mark.skipif(
    HAPROXY is None, reason="needs HAProxy; run: apt-get install --no-install-recommends haproxy"
)
# The makers' model passes over what it does not know, unless it is told otherwise; x-… is the author's own.
READ = """
import pathlib, sys, compose_spec, yaml
content = yaml.safe_load(pathlib.Path(sys.argv[1]).read_text())
own = {name: value for name, value in content.items() if not name.startswith("x-")}
compose_spec.ComposeSpecification.model_validate(own, extra="forbid")
"""


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


CLUSTER = read(FILES[1])
SERVICES = CLUSTER["services"]
REPLICAS = ("replica1", "replica2", "replica3")


@NEEDS_TOOLS
@pytest.mark.parametrize("path", FILES, ids=["one", "cluster"])
def test_the_specification_knows_every_member(path: Path) -> None:
    done = told("python", "-c", READ, path)
    assert done.returncode == 0, done.stderr


@NEEDS_TOOLS
def test_a_member_that_is_written_wrong_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(FILES[1].read_text(encoding="utf-8").replace("cap_drop:", "capdrop:"))
    assert told("python", "-c", READ, wrong).returncode != 0


def test_replicas_are_alike_and_closed() -> None:
    assert SERVICES["replica1"] == SERVICES["replica2"] == SERVICES["replica3"]
    for name in (*REPLICAS, "migrate", "proxy"):
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    # Only the proxy is seen from outside, by TLS.
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert [name for name, service in SERVICES.items() if "outside" in service["networks"]] == ["proxy"]


def test_all_that_is_named_is_there() -> None:
    for service in SERVICES.values():
        assert set(service.get("secrets", ())) <= set(CLUSTER["secrets"])
        assert set(service["networks"]) <= set(CLUSTER["networks"])
        for volume in service.get("volumes", ()):
            place = volume.split(":")[0]
            assert place in CLUSTER["volumes"] or (FOLDER / place).is_file()
    text = (PROJECT / "deploy/haproxy.cfg").read_text(encoding="utf-8")
    needed = set(re.findall(r'"\$\{([A-Z0-9_]+)(?:\[\*\])?\}"', text))
    assert needed == set(SERVICES["proxy"]["environment"])
    assert SERVICES["proxy"]["environment"]["CONNECTIONS"] == str(CONNECTIONS)
    assert SERVICES["replica1"]["environment"]["WEB_CONCURRENCY"] == str(WORKERS)


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """A copy of the folder after prepare.sh."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl; run: apt-get install openssl")
    folder = tmp_path / "compose"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("secrets", ".env"))
    subprocess.run(["sh", folder / "prepare.sh", "cds.example.org", "443"], check=True, timeout=60)
    return folder


def settings_of(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines())


def test_what_is_prepared_starts_the_service(prepared: Path) -> None:
    assert {path.name for path in (prepared / "secrets").iterdir()} >= {
        one["file"].removeprefix("secrets/") for one in CLUSTER["secrets"].values()
    }
    assert (prepared / "secrets").stat().st_mode & 0o077 == 0
    environ = {"HOST": "0.0.0.0", **SERVICES["replica1"]["environment"]}  # noqa: S104 - as in the container
    environ |= settings_of(prepared / "secrets" / "stores.env")
    environ["PUBLIC_BASE_URL"] = settings_of(prepared / ".env")["PUBLIC_BASE_URL"]
    for name, value in environ.items():
        if value.startswith("/run/secrets/"):
            assert value.removeprefix("/run/secrets/") in SERVICES["replica1"]["secrets"]
            environ[name] = str(prepared / "secrets" / value.removeprefix("/run/secrets/"))
    assert set(environ) <= set(SETTINGS)
    config = Config.from_environ(environ)
    assert config.cds_trusted_issuers is not None
    assert read_issuers(config.cds_trusted_issuers)
    assert SERVICES["postgres"]["environment"]["POSTGRES_USER"] == "cds"


def test_preparing_again_changes_nothing(prepared: Path) -> None:
    def held() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (prepared / "secrets").iterdir()}

    before = held()
    subprocess.run(["sh", prepared / "prepare.sh"], check=True, timeout=60)
    assert held() == before


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Ready) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


@NEEDS_HAPROXY
def test_the_proxy_takes_its_file_and_is_steered_by_the_script(prepared: Path, tmp_path: Path) -> None:
    """Against servers that only say that they are ready; the replicas are not really replaced."""
    port, control = free_port(), free_port()
    with ExitStack() as stack:
        replicas = {f"REPLICA_{n}": f"127.0.0.1:{stack.enter_context(serving())}" for n in (1, 2, 3)}
        environ = {
            **os.environ,
            "LISTEN": f"127.0.0.1:{port}",
            "CERTIFICATE": str(prepared / "secrets" / "certificate-and-key.pem"),
            "CONTROL": f"ipv4@127.0.0.1:{control}",
            "CONNECTIONS": "4",
            "MAX_BODY_BYTES": "16777216",
            "ORIGINS": "*",
            **replicas,
        }
        command = [str(HAPROXY), "-db", "-f", str(PROJECT / "deploy" / "haproxy.cfg")]
        proxy = Proxy(("127.0.0.1", control))

        def answers() -> bool:
            try:
                return all(proxy.state(name)["status"] == "UP" for name in REPLICAS)
            except (OSError, ssl.SSLError):
                return False

        part = Part("HAProxy", command, tmp_path / "log", answers, environ=environ)
        part.start()
        stack.callback(part.stop)
        part.wait_ready()
        done = subprocess.run(
            ["bash", FOLDER / "rolling-restart.sh"],
            env={
                **os.environ,
                "CONTROL_COMMAND": "env",
                "CONTROL_PORT": str(control),
                "RECREATE_COMMAND": "echo made",
            },
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.split("\n")[:-1] == [
            line for name in REPLICAS for line in (f"made {name}", f"{name} was replaced")
        ]
        assert [proxy.state(name)["status"] for name in REPLICAS] == ["UP"] * 3
