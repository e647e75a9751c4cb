"""The commands, run in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from service.command_line.commands import commands

EXAMPLES = Path(__file__).parents[2] / "examples"
DAY = "--as-of=2026-06-15"


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """Standard output as JSON, line by line."""
        return [json.loads(line) for line in self.out.splitlines()]


def run(*words: str | Path, stdin: bytes = b"", **environ: str) -> Ran:
    clean: dict[str, str | None] = {"KNOWLEDGE_DIR": None, "PUBLIC_BASE_URL": None, "NO_COLOR": None}
    done = CliRunner().invoke(
        commands, [str(word) for word in words], input=stdin, env={**clean, **environ}, catch_exceptions=False
    )
    return Ran(done.exit_code, done.stdout, done.stderr)


def bundle_of(*resources: dict[str, Any]) -> bytes:
    entries = [{"resource": resource} for resource in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def resources_in(name: str) -> list[dict[str, Any]]:
    """The resources of an example's Bundle."""
    content = json.loads((EXAMPLES / name).read_text(encoding="utf-8"))
    return [entry["resource"] for entry in content["entry"]]


def as_lines(*resources: Any) -> bytes:
    return "".join(json.dumps(resource) + "\n" for resource in resources).encode()
