"""FHIR templates of every order and answer that a card can suggest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fhir_mappings.terminology import OrderCode, Terminology
from fhir_mappings.to_fhir.actions import answer_template, check_template, order_template
from service.decision.table import Table
from service.knowledge.wording import Wording


@dataclass(frozen=True, slots=True)
class Templates:
    """FHIR templates.

    orders: analyte, study or action id -> ServiceRequest. answers: finding -> Observation.
    """

    orders: Mapping[str, dict[str, Any]]
    answers: Mapping[str, dict[str, Any]]


def templates_of(
    table: Table, terminology: Terminology, order_codes: Mapping[str, OrderCode], wording: Wording
) -> Templates:
    """The templates of what the table can recommend or ask."""
    orders = {code.id: order_template(code.codings, code.label) for code in order_codes.values()}
    for action in table.actions:
        text = wording.maybe(f"order_text.{action}")
        if text:
            orders[action] = order_template((), text)
    answers = {}
    for asked in table.asked.values():
        definition = terminology.findings[asked.id]
        if definition.answer is not None and definition.category is not None:
            coding = (*definition.answer, definition.answer_display)
            answers[asked.id] = answer_template(coding, definition.label, definition.category)
    return Templates(orders, answers)


def check_templates(templates: Templates) -> None:
    """Raise ValueError if one is not valid FHIR."""
    for template in (*templates.orders.values(), *templates.answers.values()):
        check_template(template)
