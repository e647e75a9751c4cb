"""The line of a JSON text on which a resource, or a member of one, stands."""

from __future__ import annotations

import json

import pytest

from service.command_line.lines import Places, lines_of

TEXT = """{
  "resourceType": "Bundle",
  "note": "a { brace, a [ bracket and a \\" quote",
  "entry": [
    {"resource": {"resourceType": "Condition", "id": "a"}}, 17,
    {
      "resource": {
        "resourceType": "Observation",
        "id": "b",
        "component": [
          {"valueString": "x"},
          {"valueQuantity": {"value": 4.10}}
        ]
      }
    },
    null
  ]
}"""


def test_the_line_of_each_path_is_that_of_its_name() -> None:
    wanted = {
        ("entry",): 4,
        ("entry", 0, "resource"): 5,
        ("entry", 1): 5,
        ("entry", 2): 6,
        ("entry", 2, "resource", "component", 1, "valueQuantity", "value"): 12,
        ("entry", 3): 16,
    }
    assert lines_of(TEXT, wanted) == wanted


@pytest.mark.parametrize(
    ("reference", "expression", "line"),
    [
        ("Condition/a", None, 5),
        ("Observation/b", "Observation.component[1].value", 12),
        ("Observation/b", "Observation.component[7].value", 10),
        ("Observation/b", "Observation.nothing", 7),
        ("Bundle.entry[3]", None, 16),
        ("Bundle.entry[2].resource", "Observation.id", 9),
        ("Patient/none", None, None),
        ("Bundle.entry[9].resource", None, None),
    ],
)
def test_a_note_is_led_to_the_deepest_member_that_is_there(
    reference: str, expression: str | None, line: int | None
) -> None:
    found = Places(TEXT, json.loads(TEXT)).lines([(reference, expression)])
    assert found.get((reference, expression)) == line
