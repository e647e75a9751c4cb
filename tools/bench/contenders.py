"""Who is compared: the service, the floor, the floor that reads all with FHIR models, and HealthChain."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.vignettes import codes
from tools.bench.bodies import Body
from tools.bench.client import request_of
from tools.bench.processes import Server, free_port, started

ROOT = Path(__file__).parents[2]
SERVERS = Path(__file__).parent / "servers"
SERVICE, FLOOR, MODELS, HEALTHCHAIN = "service", "floor", "floor + fhir.resources", "HealthChain"


@dataclass(frozen=True)
class Contender:
    """One server. command: with {port} and {workers}. path: where it takes a call of patient-view."""

    name: str
    command: tuple[str, ...]
    path: str
    environ: Mapping[str, str] = field(default_factory=dict)
    extension: bool = True

    @property
    def installed(self) -> bool:
        return Path(self.command[0]).exists()

    @contextmanager
    def running(self, folder: Path, workers: int = 1, **environ: str) -> Iterator[Server]:
        """The server with so many workers, on a free port; what it prints goes to a file of that folder."""
        port = free_port()
        filled = [part.format(port=port, workers=workers) for part in self.command]
        given = {"PORT": str(port), "WEB_CONCURRENCY": str(workers), **self.environ, **environ}
        log = folder / f"{self.name.replace(' ', '')}-{port}.log"
        with started(filled, given, port, log) as server:
            yield server

    def request(self, body: Body) -> bytes:
        """That body as this contender takes it."""
        content = body.content
        if not self.extension:
            call = json.loads(content)
            del call["extension"]
            content = json.dumps(call, separators=(",", ":")).encode()
        return request_of(self.path, content)


def contenders(folder: Path) -> tuple[Contender, ...]:
    """All of them; those whose environment was not made are not `installed`."""
    gunicorn = (
        f"{ROOT}/.bench/floor/bin/python", "-m", "gunicorn", "--config", f"{SERVERS}/gunicorn_settings.py",
        "--chdir", str(SERVERS), "--bind", "127.0.0.1:{port}", "--workers", "{workers}", "floor:app",
    )  # fmt: skip
    rules = {
        "TWITCH": codes.FINDINGS["fasciculation"][codes.SNOMED][0],
        "WEAKNESS": codes.FINDINGS["weakness"][codes.SNOMED][0],
    }
    return (
        Contender(
            SERVICE,
            (sys.executable, "-m", "service"),
            "/cds-services/fasciculation-patient-view",
            {"CDS_AUTH": "off", "FEEDBACK_DB": f"sqlite:///{folder}/feedback.sqlite3"},
        ),
        Contender(FLOOR, gunicorn, "/cds-services/floor"),
        Contender(MODELS, gunicorn, "/cds-services/floor", {"FHIR_MODELS": "1"}),
        Contender(
            HEALTHCHAIN,
            (f"{ROOT}/.bench/healthchain/bin/python", f"{SERVERS}/three_rules.py"),
            "/cds/cds-services/three-rules",
            rules,
            # It takes an extension only as a list; it has no day of the decision.
            extension=False,
        ),
    )
