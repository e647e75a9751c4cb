"""The files of examples/, written from the test patients and examples.yaml.

`make examples` (`python -m tests.vignettes.examples`) writes them again: read the difference before it is
committed, the cards in index.yaml were reviewed. A test compares.
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

from service.examples import ExpectedCard, load_examples
from tests.hooks.requests import Resource, bundle, prescription, request, typed, with_stored
from tests.hooks.situations import pending, problem
from tests.vignettes import client_files, hostile, versions
from tests.vignettes.dialects import BUNDLES, DIALECTS, Dialect
from tests.vignettes.patient import AS_OF, BY_ID, Person, people
from tests.vignettes.regrouped import prefetch_of

DIRECTORY = Path(__file__).parents[2] / "examples"
HOOKS = ("patient-view", "order-select", "order-sign", "problem-list-item-create", "encounter-discharge")
VISIT = "visit-1"

_ALL = {**BY_ID, **{person.id: person for person in people("more_patients.yaml")}}


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
    return _ALL[entry["patient"]]


def bundle_file(entry: Mapping[str, Any]) -> str:
    return f"{entry.get('file', entry['patient'])}-bundle.json"


def request_file(entry: Mapping[str, Any], hook: str) -> str:
    return f"{hook}-{entry.get('file', entry['patient'])}.json"


@cache
def examples() -> dict[str, Any]:
    """File name -> content."""
    made: dict[str, Any] = {}
    for entry in entries():
        made[bundle_file(entry)] = _BUNDLES[entry["dialect"]](person_of(entry))
        made |= {request_file(entry, hook): call(entry, hook) for hook in HOOKS}
    return made


def call(entry: Mapping[str, Any], hook: str) -> Resource:
    """The request of that hook about the patient of the entry."""
    person = person_of(entry)
    prefetch = _PREFETCH.get(entry["dialect"], DIALECTS["prefetch"])(person)
    instance = f"{hook}.{entry.get('file', person.id)}.vignettes.example.org"
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


def index(client: FlaskClient) -> dict[str, Any]:
    """index.yaml as it should stand, its cards as the application answers them now."""
    made = examples()

    def sample(file: str, address: str) -> dict[str, Any]:
        response = client.post(address, json=made[file])
        assert response.status_code == 200, (file, response.get_data(as_text=True))
        expected = [
            {"indicator": card.indicator, "summary": card.summary, "suggestions": list(card.suggestions)}
            for card in cards_seen(response.get_json()["cards"])
        ]
        return {"file": file, "expected": expected}

    found = []
    for entry in entries():
        requests = {
            hook: sample(request_file(entry, hook), f"/cds-services/fasciculation-{hook}") for hook in HOOKS
        }
        found.append(
            {
                "name": entry["name"],
                "title": entry.get("title", person_of(entry).title),
                "about": entry["about"],
                "asOf": AS_OF.isoformat(),
                "bundle": sample(bundle_file(entry), f"/evaluate?asOf={AS_OF}"),
                "requests": requests,
            }
        )
    return {"examples": found}


INDEX_HEAD = """# Made by `make examples` from tests/vignettes/examples.yaml and what the service answers.
# examples: invented patients. bundle: posted to /evaluate?asOf=. requests: hook -> posted to its service.
# expected: the cards, as indicator, summary and labels of suggestions; none: no card.
"""
README_HEAD = """# Examples

Invented patients, with fixed dates: decide for **2026-06-15**, the day on which they are seen.

```
curl -s 'http://127.0.0.1:8000/evaluate?asOf=2026-06-15' -H 'Content-Type: application/fhir+json' \\
     --data-binary @examples/v05-bundle.json
curl -s http://127.0.0.1:8000/cds-services/fasciculation-patient-view -H 'Content-Type: application/json' \\
     --data-binary @examples/patient-view-v05.json
curl -s http://127.0.0.1:8000/cds-services/fasciculation-order-sign -H 'Content-Type: application/json' \\
     --data-binary @examples/order-sign-v05.json
```

Each patient is a Bundle and one request of every hook: `v05-bundle.json`, `patient-view-v05.json`,
`order-select-v05.json`, `order-sign-v05.json`, `problem-list-item-create-v05.json`,
`encounter-discharge-v05.json`. The requests carry the day themselves, in `extension`, and ask for the
assessment. [index.yaml](index.yaml) names them all, and the cards that each gets: indicator, summary, and the
labels of the suggestions. The tests post every file and compare.

| Name | Files | Patient | Card for the Bundle | Worth a look |
|---|---|---|---|---|
"""
README_TAIL = """
Three are not R4 throughout: `thiazide-in-r5` and `wasting-hand-in-stu3` say so, and much in `hostile-record`
is no FHIR at all. Drafts and new problems are written as the reference client of CDS Hooks writes them, with
`category` as a word or an object.

`requests.http` (the REST Client of Visual Studio Code) and the collection in `bruno` send every operation of
the API, errors included, to the `baseUrl` that they name once.

`make examples` writes this folder again, from the test patients and `examples.yaml` in tests/vignettes. How
the cards of each hook look to a clinician is in tests/hooks/pages.
"""


def readme(index: Mapping[str, Any]) -> str:
    """README.md as it should stand."""
    rows = []
    for entry, example in zip(entries(), index["examples"], strict=True):
        cards = ", ".join(card["indicator"] for card in example["bundle"]["expected"]) or "none"
        stem = entry.get("file", entry["patient"])
        rows.append(f"| {entry['name']} | {stem} | {example['title']} | {cards} | {entry['about']} |\n")
    return README_HEAD + "".join(rows) + README_TAIL


def text_of(content: Any) -> str:
    """The file's text."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def written(client: FlaskClient) -> dict[str, str]:
    """File name -> text of the examples; what the application answers is in the index."""
    found = index(client)
    listed = yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=110)
    return {
        **{name: text_of(content) for name, content in examples().items()},
        "index.yaml": INDEX_HEAD + listed,
        "README.md": readme(found),
    }


def written_for_clients() -> dict[str, str]:
    """File name -> text of what is made of the examples that are there, and of openapi.yaml."""
    there = load_examples(DIRECTORY)
    collection = client_files.bruno_files(there)
    return {client_files.HTTP: client_files.http_text(there)} | {
        f"{client_files.BRUNO}/{name}": text for name, text in collection.items()
    }


def files() -> set[str]:
    """Every file of the folder."""
    return {path.relative_to(DIRECTORY).as_posix() for path in DIRECTORY.rglob("*") if path.is_file()}


def _write(made: Mapping[str, str]) -> None:
    for name, text in made.items():
        path = DIRECTORY / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    from service.app import create_app
    from service.config import Config
    from service.knowledge import load_knowledge

    asking = create_app(Config(public_base_url="https://cds.example"), load_knowledge()).test_client()
    made = written(asking)
    # What is left over would be refused when the examples are loaded.
    for name in files():
        if name.endswith(".json") and "/" not in name and name not in made:
            (DIRECTORY / name).unlink()
    _write(made)
    more = written_for_clients()
    _write(more)
    for name in files() - set(made) - set(more):
        (DIRECTORY / name).unlink()
