"""sekmet-fhir as the EHR's FHIR server: every patient of the vignettes, OAuth2, loopback alone."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.docs.conftest import PROJECT, free_port
from tests.ehr.stored import stored_as
from tests.vignettes.dialects import DIALECTS
from tests.vignettes.patient import PEOPLE

PROGRAM = PROJECT / ".ehr" / "bin" / "sekmet"
HOW = "needs sekmet-fhir in an environment of its own; run: make test-ehr"
CLIENT, SECRET = "fasciculation-cds", "the-secret-of-the-tests"
WRITER = "system/*.*"


@dataclass(frozen=True)
class Ehr:
    """base: its FHIR base URL; root: where its tokens come from."""

    base: str
    root: str

    def token(self, scope: str = "system/*.read") -> str:
        """An access token by client credentials."""
        form = {"grant_type": "client_credentials", "scope": scope}
        answer = requests.post(f"{self.root}/auth/token", data=form, auth=(CLIENT, SECRET), timeout=60)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    def store(self, resources: list[dict[str, Any]]) -> None:
        entries = [
            {
                "resource": resource,
                "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"},
            }
            for resource in resources
        ]
        self._sent({"resourceType": "Bundle", "type": "transaction", "entry": entries})

    def delete(self, *references: str) -> None:
        entries = [{"request": {"method": "DELETE", "url": reference}} for reference in references]
        self._sent({"resourceType": "Bundle", "type": "transaction", "entry": entries})

    def _sent(self, bundle: dict[str, Any]) -> None:
        headers = {
            "Authorization": f"Bearer {self.token(WRITER)}",
            "Content-Type": "application/fhir+json",
        }
        answer = requests.post(self.base, json=bundle, headers=headers, timeout=120)
        assert answer.status_code == 200, answer.text


@pytest.fixture(scope="session")
def ehr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ehr]:
    if not PROGRAM.exists():
        pytest.skip(HOW)
    folder = tmp_path_factory.mktemp("ehr")
    port = free_port()
    root = f"http://127.0.0.1:{port}"
    settings = {
        "base_url": f"{root}/fhir",
        # It listens on every address otherwise.
        "host": "127.0.0.1",
        "port": port,
        "data_dir": str(folder / "data"),
        "server_auth": {
            "types": ["smart"],
            "smart_clients": [{"client_id": CLIENT, "client_secret": SECRET, "scopes": WRITER}],
        },
        "simulator": {"enabled": False},
        "log_inbound": False,
        # Some dialects hold what R4 does not know.
        "validation": {"inbound": "off"},
    }
    # JSON is YAML.
    (folder / "settings.yaml").write_text(json.dumps(settings))
    log = (folder / "log").open("wb")
    command = [str(PROGRAM), "serve", "--config", "settings.yaml"]
    with log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT) as process:
        try:
            _wait(process, root, folder / "log")
            served = Ehr(f"{root}/fhir", root)
            for person in PEOPLE:
                served.store(resources_of(DIALECTS["prefetch"](person)))
            for dialect in DIALECTS:
                for start in range(0, len(PEOPLE), 10):
                    some = PEOPLE[start : start + 10]
                    served.store([made for person in some for made in stored_as(dialect, person)])
            yield served
        finally:
            process.terminate()
            process.wait(timeout=60)


def _wait(process: subprocess.Popen[bytes], root: str, log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            requests.get(f"{root}/fhir/metadata", timeout=5)
            return
        except requests.RequestException:
            time.sleep(0.1)
    raise AssertionError(log.read_text(errors="replace"))


def resources_of(prefetch: dict[str, Any]) -> list[dict[str, Any]]:
    """Every resource of a prefetch, the patient first."""
    lists = (value for value in prefetch.values() if value["resourceType"] == "Bundle")
    found = [entry["resource"] for held in lists for entry in held.get("entry", ())]
    # What stands in two lists is one resource.
    return [prefetch["patient"], *{(made["resourceType"], made["id"]): made for made in found}.values()]
