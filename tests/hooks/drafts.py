"""Draft orders, and records with them, for the tests of hooks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fhir_mappings.record import Draft, Drug, Order, Record
from service.cards import Call, Situation, cards_to
from service.cards.result_lines import ResultLines
from service.decision import decide
from service.decision.draft_orders import remarks_of
from service.decision.remarks import Remark
from service.knowledge import load_knowledge
from tests.knowledge.patients import days_ago, record_of_example, result

KNOWLEDGE = load_knowledge()
TABLE = KNOWLEDGE.table
CALL = Call("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "https://cds.example", "Patient/p", "e1")
ELECTROLYTES = ("sodium", "potassium", "calcium", "magnesium")
NORMAL = {"weakness": "absent", "atrophy": "absent", "sensory-loss": "absent"}


def patient(**given: Any) -> Record:
    return record_of_example(
        {name.replace("_", "-") if name in _FINDINGS else name: x for name, x in given.items()}
    )


_FINDINGS = {name.replace("-", "_") for name in KNOWLEDGE.terminology.findings}


def calm(**given: Any) -> Record:
    """Five days of a twitch in one thigh, examined as normal."""
    return record_of_example({**NORMAL, "onset_days_ago": 5, "sites": ["thigh"], **given})


def medicine(*classes: str, name: str = "rx", **more: Any) -> Draft:
    drugs = tuple(Drug(one, frozenset({one})) for one in classes)
    return Draft(f"MedicationRequest/{name}", drugs=drugs, **more)


def order(*tests: str, name: str = "sr", **more: Any) -> Draft:
    return Draft(f"ServiceRequest/{name}", tests=frozenset(tests), **more)


def with_drafts(record: Record, *drafts: Draft) -> Record:
    """As the mapping gives it: drafts of tests stand among the orders too."""
    ordered = tuple(
        Order(d.tests, None, d.priority, "draft", d.reference, draft=True) for d in drafts if d.tests
    )
    return replace(record, orders=record.orders + ordered, drafts=drafts)


def pending(record: Record, test: str, days: int, **more: Any) -> Record:
    open_order = Order(frozenset({test}), days_ago(days), reference=f"ServiceRequest/{test}", **more)
    return replace(record, orders=(*record.orders, open_order))


def results(record: Record, days: int, *analytes: str, said: str = "in-range") -> Record:
    found = tuple(result(analyte, said, days) for analyte in analytes)
    return replace(record, results=record.results + found)


def remarks(record: Record, *drafts: Draft) -> tuple[Remark, ...]:
    decision = decide(with_drafts(record, *drafts), TABLE)
    return remarks_of(decision, TABLE, ResultLines(decision, KNOWLEDGE).moves)


def cards(kind: str, record: Record, before: Record | None = None) -> list[dict[str, Any]]:
    """The cards of that kind. before: the record without the hook's context."""
    decision = decide(record, TABLE)
    old = decision if before is None else decide(before, TABLE)
    return cards_to(kind, Situation(decision, lambda: old, KNOWLEDGE, CALL))


def draft_cards(record: Record, *drafts: Draft) -> list[dict[str, Any]]:
    return cards("drafts", with_drafts(record, *drafts))


def above(card: dict[str, Any]) -> list[str]:
    """The lines above the rule."""
    detail: str = card["detail"]
    return [line for line in detail.split("\n---")[0].splitlines() if line.strip()]


def line(card: dict[str, Any], number: int) -> str:
    """That numbered line above the rule, without its marks."""
    found = next(text for text in above(card) if text.startswith(f"{number}. "))
    return found.removeprefix(f"{number}. ").strip("*")
