"""Write artifacts/ anew from the knowledge: one file for each FHIR resource, and an index.

python -m tools.artifacts
"""

from __future__ import annotations

import json
import re
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

from service.endpoints.fhir_artifacts import INDEX
from service.knowledge import HERE
from tools.artifacts import Translated, artifacts_of
from tools.artifacts.work_up import LIBRARY
from tools.cql.translate import NotTranslated, translated

FOLDER = Path(__file__).parents[2] / "artifacts"
# The required members of each type are among them.
_SUMMARY = (
    "resourceType",
    "id",
    "url",
    "version",
    "name",
    "title",
    "status",
    "experimental",
    "date",
    "type",
    "kind",
)
_VERSION = re.compile(r"^library \w+ version '([^']+)'")


def written(knowledge: Path = HERE, elm: Translated | None = None) -> dict[str, str]:
    """File name -> content, of every file that belongs into the folder.

    Args:
        elm: the translation of CQL; without it that which the folder holds.

    Raises:
        KnowledgeError: a knowledge file is broken.
        NotTranslated: by `elm`.
    """
    artifacts = artifacts_of(knowledge, elm or stored)
    files = {f"{one['resourceType']}-{one['id']}.json": _json(one) for one in artifacts}
    summaries = dict(zip(files, map(summary, artifacts), strict=True))
    index = {"knowledgeVersion": artifacts[0]["version"], "files": summaries}
    return {INDEX: _json(index), **files}


def summary(resource: dict[str, Any]) -> dict[str, Any]:
    """What a search over many says of it; tagged, as FHIR has it, as less than the whole."""
    tag = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
    return {"meta": {"tag": [tag]}, **{name: resource[name] for name in _SUMMARY if name in resource}}


def stored(cql: str) -> str | None:
    """The ELM in the folder, if it is that of this CQL, whatever the version of the knowledge."""
    path = FOLDER / f"Library-{LIBRARY}.json"
    library = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    contents = {one["contentType"]: b64decode(one["data"]).decode() for one in library.get("content", ())}
    if len(contents) < 2:
        return None
    old, elm = contents.values()
    before, now = (_VERSION.search(text) for text in (old, cql))
    if before is None or now is None or old.replace(before[1], now[1]) != cql:
        return None
    return elm.replace(before[1], now[1])


def main() -> int:
    """Writes the files and removes those that no longer belong to them."""
    FOLDER.mkdir(exist_ok=True)
    try:
        made = written(elm=lambda cql: stored(cql) or translated(cql))
    except NotTranslated as error:
        print(f"The CQL changed, and could not be translated to ELM. {error}", file=sys.stderr)
        return 1
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
