"""docs/integrating.md says what the service does."""

from __future__ import annotations

import re

from service import fhir_client as fhir_server
from service.config import SETTINGS
from service.fhir_client import transfer
from tests.docs.conftest import PROJECT

TEXT = (PROJECT / "docs" / "integrating.md").read_text(encoding="utf-8")
SOURCES = [
    *(PROJECT / "service" / "fhir_client").glob("*.py"),
    PROJECT / "fhir_mappings" / "request" / "bundles.py",
]


def test_the_settings_it_names_exist() -> None:
    assert set(re.findall(r"\b([A-Z]+_[A-Z_]+)\b", TEXT)) - set(SETTINGS) == set()


def test_it_names_every_limit() -> None:
    words = " ".join(TEXT.split())
    assert f"{fhir_server.MAX_PAGES} pages and {fhir_server.MAX_RESOURCES:,} resources for a list" in words
    assert f"{transfer.MAX_ANSWER_BYTES >> 20} MiB for an answer" in words
    assert f"{transfer.MAX_CALL_BYTES >> 20} MiB for a call" in words
    assert f"{fhir_server.MAX_SERVER_REQUESTS} requests under way" in words
    assert fhir_server.MAX_PARALLEL == 5
    assert "five requests at a time" in words


def test_it_explains_every_reason() -> None:
    code = " ".join(source.read_text(encoding="utf-8") for source in SOURCES)
    raised = set(re.findall(r'(?:NoAccess|NoAnswer|NoPage)\(\s*"([a-z-]+)"', code))
    raised |= set(transfer._KINDS.values()) | {
        "timeout",
        "busy",
        "unavailable",
        "broken-off",
        "next-elsewhere",
    }
    listed = set(re.findall(r"`([a-z-]+)`", TEXT[TEXT.index("| Reason |") :]))
    assert raised - listed == set()
    assert listed - raised <= {"address"}
