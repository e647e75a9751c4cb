"""The addresses of the prefetch searches fit what servers take."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from service.knowledge import Knowledge
from service.knowledge.discovery import by_combo_code

# gunicorn takes a request line of 4,094 bytes by default, others 8,190.
LONGEST_REQUEST_LINE = 4_094
BASE = "/fhir/r4/"


def test_every_search_fits_a_request_line(knowledge: Knowledge) -> None:
    """As clients send it: commas left as they are."""
    for hook in (*knowledge.hooks, *by_combo_code(knowledge.hooks)):
        for key, template in hook["prefetch"].items():
            path = BASE + template.replace("{{context.patientId}}", "a" * 64)
            line = f"GET {quote(path, safe='/?&=,-_')} HTTP/1.1"
            assert len(line) <= LONGEST_REQUEST_LINE, f"{hook['id']}: {key} has {len(line)} bytes"


@pytest.mark.parametrize("code", ["HP:0002380", "R25.3"])
def test_codes_of_conditions_are_not_searched_among_observations(knowledge: Knowledge, code: str) -> None:
    assert all(code not in hook["prefetch"]["findings"] for hook in knowledge.hooks)
