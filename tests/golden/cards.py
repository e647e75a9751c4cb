"""The cards of all test patients in readable form, as reviewed.

`python -m tests.golden.cards` writes them again: read the difference before it is committed. The order of
what a card says, its words and its suggestions are compared byte for byte; ids and URLs are left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fhir_mappings.request.bundles import decode_bundle
from service.evaluation import Evaluation, Evaluator
from service.knowledge import Knowledge, load_knowledge
from tests.vignettes.dialects import BUNDLES
from tests.vignettes.patient import AS_OF, PEOPLE, Person

DIRECTORY = Path(__file__).parent
# One dialect each, all in turn, so that every dialect's words are seen somewhere.
DIALECT_OF = {
    person.id: list(BUNDLES)[number % len(BUNDLES)]
    for number, person in enumerate(person for person in PEOPLE if not person.expected.silent)
}


def page(person: Person, knowledge: Knowledge) -> str:
    """What the clinician reads about that patient, and what the suggestions would do."""
    dialect = DIALECT_OF[person.id]
    result = Evaluator(knowledge, "https://cds.example.org").evaluate(
        decode_bundle(json.dumps(BUNDLES[dialect](person)).encode()),
        AS_OF,
        hook_instance="00000000-0000-4000-8000-000000000000",
    )
    lines = [f"# {person.title} ({person.id}, written as {dialect}, on {AS_OF})", ""]
    return "\n".join([*lines, *_answer(result)]) + "\n"


def _answer(result: Evaluation) -> list[str]:
    lines = []
    for card in result.cards:
        lines += [f"[{card['indicator']}] {card['summary']}", "", card["detail"], ""]
        lines += ["Suggestions:", *(f"- {suggested(item)}" for item in card.get("suggestions", ())), ""]
    rows = ", ".join(row["id"] for row in result.assessment["rows"])
    lowest, highest = result.assessment["range"]
    return [*lines, f"Rows: {rows}", f"Range: {lowest} to {highest}"]


def suggested(item: dict[str, Any]) -> str:
    done = []
    for action in item.get("actions", ()):
        resource = action["resource"]
        kept = {key: resource[key] for key in ("status", "intent", "priority") if key in resource}
        done.append(f"{action['type']} {resource['resourceType']} {' '.join(kept.values())}".strip())
    return f"{item['label']} ({'; '.join(done)})"


if __name__ == "__main__":
    known = load_knowledge()
    for someone in PEOPLE:
        if someone.id in DIALECT_OF:
            (DIRECTORY / f"{someone.id}.md").write_text(page(someone, known), encoding="utf-8")
