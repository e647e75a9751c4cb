"""Write artifacts/ anew from the knowledge: one file for each FHIR resource, and an index.

python -m tools.artifacts
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from service.endpoints.fhir_artifacts import INDEX
from service.knowledge import HERE
from tools.artifacts import artifacts_of

FOLDER = Path(__file__).parents[2] / "artifacts"


def written(knowledge: Path = HERE) -> dict[str, str]:
    """File name -> content, of every file that belongs into the folder.

    Raises:
        KnowledgeError: a knowledge file is broken.
    """
    artifacts = artifacts_of(knowledge)
    files = {f"{one['resourceType']}-{one['id']}.json": _json(one) for one in artifacts}
    index = {"knowledgeVersion": artifacts[0]["version"], "files": list(files)}
    return {INDEX: _json(index), **files}


def main() -> int:
    """Writes the files and removes those that no longer belong to them."""
    FOLDER.mkdir(exist_ok=True)
    made = written()
    for path in FOLDER.iterdir():
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
