"""ELM of a CQL library, by the translator of cqframework in node."""

from __future__ import annotations

import subprocess
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENT = HERE.parents[1] / ".cql"
_SECONDS = 300


class NotTranslated(Exception):
    """There is no translator, or it found errors; the message says which, or what to do."""


def translated(cql: str) -> str:
    """ELM as JSON. Raises NotTranslated."""
    if not (ENVIRONMENT / "node_modules").exists():
        raise NotTranslated(
            f"No CQL translator in {ENVIRONMENT.name}/: install nodejs and npm, then make knowledge."
        )
    command = ["node", str(HERE / "translate.mjs"), str(ENVIRONMENT)]
    done = subprocess.run(command, input=cql, capture_output=True, text=True, timeout=_SECONDS)
    if done.returncode:
        raise NotTranslated(done.stderr[:2_000])
    return done.stdout.strip()
