"""The files of examples/, written from the test patients and examples.yaml.

`make examples` (`python -m tests.vignettes.examples`) writes them again: read the difference before it is
committed, the cards in each expected.yaml were reviewed. A test compares.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from flask.testing import FlaskClient

from service.examples import ExpectedCard
from tests.hooks.requests import Resource, bundle, prescription, request, typed, with_stored
from tests.hooks.situations import pending, problem
from tests.vignettes import hostile, versions
from tests.vignettes.dialects import BUNDLES, DIALECTS, Dialect
from tests.vignettes.patient import AS_OF, BY_ID, Person
from tests.vignettes.regrouped import prefetch_of

DIRECTORY = Path(__file__).parents[2] / "examples"
HOOKS = ("patient-view", "order-select", "order-sign", "problem-list-item-create", "encounter-discharge")
VISIT = "visit-1"


def unseen(person: Person) -> Resource:
    """The record of which only the patient and the problems came."""
    found = BUNDLES["snomed"](person)
    kept = [
        entry for entry in found["entry"] if entry["resource"]["resourceType"] in ("Patient", "Condition")
    ]
    return {**found, "entry": kept}


def _unseen_prefetch(person: Person) -> Resource:
    whole = DIALECTS["prefetch"](person)
    return {key: whole[key] for key in ("patient", "conditions")}


_BUNDLES: Mapping[str, Dialect] = {**BUNDLES, "unseen": unseen, "hostile": hostile.bundle}
# The other dialects' calls are those of "prefetch".
_PREFETCH: Mapping[str, Dialect] = {
    "unseen": _unseen_prefetch,
    **{
        name: lambda person, name=name: prefetch_of(_BUNDLES[name](person))
        for name in ("grimy", "r5", "stu3", "hostile")
    },  # type: ignore[misc]
}
_VERSIONS = {"r5": versions.r5, "stu3": versions.stu3}


@cache
def entries() -> tuple[dict[str, Any], ...]:
    """examples.yaml."""
    text = Path(__file__).with_name("examples.yaml").read_text(encoding="utf-8")
    return tuple(yaml.safe_load(text))


def person_of(entry: Mapping[str, Any]) -> Person:
    return BY_ID[entry["patient"]]


@cache
def examples() -> dict[str, Any]:
    """File name -> content."""
    made: dict[str, Any] = {}
    for entry in entries():
        name = entry["name"]
        made[f"{name}/bundle.json"] = _BUNDLES[entry["dialect"]](person_of(entry))
        made |= {f"{name}/{hook}.json": call(entry, hook) for hook in HOOKS}
    return made


def call(entry: Mapping[str, Any], hook: str) -> Resource:
    """The request of that hook about the patient of the entry."""
    person = person_of(entry)
    prefetch = _PREFETCH.get(entry["dialect"], DIALECTS["prefetch"])(person)
    instance = f"{hook}.{entry.get('instance', person.id)}.vignettes.example.org"
    if hook == "order-sign":
        ordered = [pending(person.id, analyte, days) for analyte, days in entry.get("ordered", {}).items()]
        prefetch = with_stored(prefetch, tuple(ordered))
    return {
        "hook": hook,
        "hookInstance": str(uuid.uuid5(uuid.NAMESPACE_DNS, instance)),
        "context": {
            "userId": "Practitioner/example",
            "patientId": person.id,
            **_context(entry, hook, person.id),
        },
        "prefetch": prefetch,
        "extension": {"org.fasciculation-cds": {"assessment": True, "asOf": AS_OF.isoformat()}},
    }


def _context(entry: Mapping[str, Any], hook: str, who: str) -> Resource:
    in_version = _VERSIONS.get(entry["dialect"], dict)
    if hook == "encounter-discharge":
        return {"encounterId": VISIT}
    if hook == "problem-list-item-create":
        return {"conditions": bundle(in_version(problem(who, entry["problem"])))}
    if hook == "patient-view":
        return {}
    words = entry["select" if hook == "order-select" else "sign"]
    drafts = [in_version(_draft(who, text, number)) for number, text in enumerate(words)]
    context: Resource = {"draftOrders": bundle(*drafts)}
    if hook == "order-select":
        context["selections"] = [f"{draft['resourceType']}/{draft['id']}" for draft in drafts]
    return context


def _draft(who: str, words: str, number: int) -> Resource:
    kind, _, what = words.partition(" ")
    make = {"rx": prescription, "text": typed, "sr": request}[kind]
    return make(who, what, f"draft-{number + 1}")


def cards_seen(cards: Sequence[Mapping[str, Any]]) -> tuple[ExpectedCard, ...]:
    """Cards of an answer as an example tells them."""
    return tuple(
        ExpectedCard(
            card["indicator"],
            card["summary"],
            tuple(suggestion["label"] for suggestion in card.get("suggestions", ())),
        )
        for card in cards
    )


def expected_of(entry: Mapping[str, Any], client: FlaskClient) -> dict[str, Any]:
    """The content of expected.yaml, with the cards that the application returns now."""
    addresses = {"bundle": f"/evaluate?asOf={AS_OF}"} | {
        hook: f"/cds-services/fasciculation-{hook}" for hook in HOOKS
    }
    cards = {}
    for stem, address in addresses.items():
        response = client.post(address, json=examples()[f"{entry['name']}/{stem}.json"])
        assert response.status_code == 200, (entry["name"], stem, response.get_data(as_text=True))
        cards[stem] = [
            {"indicator": card.indicator, "summary": card.summary, "suggestions": list(card.suggestions)}
            for card in cards_seen(response.get_json()["cards"])
        ]
    title = entry.get("title", person_of(entry).title)
    return {"title": title, "about": entry["about"], "asOf": AS_OF.isoformat(), "cards": cards}


INDEX_HEAD = """# Made by `make examples`: the order in which the examples are listed. Each is a folder.
"""
EXPECTED_HEAD = """# Made by `make examples` from tests/vignettes/examples.yaml and what the service answers.
# cards: those that each file gets: indicator, summary, labels of the suggestions; []: no card.
"""
README_HEAD = """# Examples

Invented patients, with fixed dates: decide for **2026-06-15**, the day on which they are seen.

```
curl -s 'http://127.0.0.1:8000/evaluate?asOf=2026-06-15' -H 'Content-Type: application/fhir+json' \\
     --data-binary @examples/thigh-day-fifteen/bundle.json
curl -s http://127.0.0.1:8000/cds-services/fasciculation-patient-view -H 'Content-Type: application/json' \\
     --data-binary @examples/thigh-day-fifteen/patient-view.json
curl -s http://127.0.0.1:8000/cds-services/fasciculation-order-sign -H 'Content-Type: application/json' \\
     --data-binary @examples/thigh-day-fifteen/order-sign.json
```

Each example is a folder of six requests and their cards:

- `bundle.json`: the record as a Bundle, for `POST /evaluate`.
- `patient-view.json`, `order-select.json`, `order-sign.json`, `problem-list-item-create.json`,
  `encounter-discharge.json`: a request of each hook. Its `extension` contains the day and asks for the
  assessment.
- `expected.yaml`: title, what is worth a look, the day, and the cards of each file: indicator, summary,
  labels of the suggestions.

The tests post every file and compare. The name of the folder is the name of the example everywhere: in the
workbench (`/?example=thigh-day-fifteen`) and on the command line (`fasciculation-cds examples
thigh-day-fifteen`).

| Name | Patient | Card for the Bundle | Worth a look |
|---|---|---|---|
"""
README_TAIL = """
Three are not R4 throughout: `thiazide-in-r5` and `wasting-hand-in-stu3` say so, and much in `hostile-record`
is no FHIR at all. Drafts and new problems are written as the reference client of CDS Hooks writes them, with
`category` as a word or an object.

`python -m tools.client_files FOLDER` writes requests of every operation of the API, errors included, as a
collection of Bruno and as `requests.http` for the REST Client of Visual Studio Code.

`make examples` writes this folder again, from the test patients and `examples.yaml` in tests/vignettes. How
the cards of each hook look to a clinician is in tests/hooks/pages.
"""


def readme(expected: Mapping[str, Mapping[str, Any]]) -> str:
    """README.md as it should stand. expected: name of an example -> content of expected.yaml."""
    rows = []
    for name, example in expected.items():
        cards = ", ".join(card["indicator"] for card in example["cards"]["bundle"]) or "none"
        rows.append(f"| [{name}]({name}) | {example['title']} | {cards} | {example['about']} |\n")
    return README_HEAD + "".join(rows) + README_TAIL


def text_of(content: Any) -> str:
    """The text of a JSON file."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _yaml_of(head: str, content: Any) -> str:
    return head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)


def written(client: FlaskClient) -> dict[str, str]:
    """File name -> text of every file of the folder, with the cards that the application returns."""
    expected = {entry["name"]: expected_of(entry, client) for entry in entries()}
    return {
        **{file: text_of(content) for file, content in examples().items()},
        **{f"{name}/expected.yaml": _yaml_of(EXPECTED_HEAD, content) for name, content in expected.items()},
        "index.yaml": _yaml_of(INDEX_HEAD, {"examples": list(expected)}),
        "README.md": readme(expected),
    }


def files() -> set[str]:
    """Every file of the folder."""
    return {path.relative_to(DIRECTORY).as_posix() for path in DIRECTORY.rglob("*") if path.is_file()}


if __name__ == "__main__":
    from service.app import create_app
    from service.config import Config
    from service.knowledge import load_knowledge

    # The application would refuse to start with examples that are being rewritten.
    app_client = create_app(Config(public_base_url="https://cds.example"), load_knowledge()).test_client()
    made = written(app_client)
    for name in files() - set(made):
        (DIRECTORY / name).unlink()
    for name, text in made.items():
        path = DIRECTORY / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
