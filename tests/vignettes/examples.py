"""The files of examples/, written from the test patients.

`python -m tests.vignettes.examples` writes them again; a test compares.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

from tests.hooks.situations import SITUATIONS
from tests.vignettes.dialects import BUNDLES, DIALECTS
from tests.vignettes.patient import AS_OF, BY_ID

DIRECTORY = Path(__file__).parents[2] / "examples"

# File -> dialect and patient. The first bundle is the one that the README posts.
_BUNDLES = {
    "v05-bundle.json": ("snomed", "v05"),
    "v06-bundle.json": ("hpo", "v06"),
    "v08-bundle.json": ("british", "v08"),
    "v34-bundle.json": ("snomed", "v34"),
    "v39-bundle.json": ("icd", "v39"),
    "v49-bundle.json": ("panel", "v49"),
}
_CALLS = {"patient-view-v05.json": "v05", "patient-view-v39.json": "v39"}
# File -> situation. Its page in tests/hooks/pages shows the cards.
_SITUATIONS = {
    "order-select-v05.json": "diuretic-no-results",
    "order-sign-v05.json": "session",
    "problem-list-item-create-v05.json": "problem-weakness",
    "encounter-discharge-v50.json": "discharge-pending",
}


def examples() -> dict[str, Any]:
    """File name -> content."""
    bundles = {file: BUNDLES[name](BY_ID[who]) for file, (name, who) in _BUNDLES.items()}
    calls = {file: patient_view(who) for file, who in _CALLS.items()}
    return bundles | calls | {file: SITUATIONS[name][1] for file, name in _SITUATIONS.items()}


def patient_view(who: str) -> dict[str, Any]:
    """A patient-view request with its whole prefetch, and the decision date in its extension."""
    person = BY_ID[who]
    return {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{who}.vignettes.example.org")),
        "context": {"userId": "Practitioner/example", "patientId": person.id},
        "prefetch": DIALECTS["prefetch"](person),
        "extension": {"org.fasciculation-cds": {"assessment": True, "asOf": AS_OF.isoformat()}},
    }


def text_of(content: Any) -> str:
    """The file's text."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, content in examples().items():
        (DIRECTORY / name).write_text(text_of(content), encoding="utf-8")
