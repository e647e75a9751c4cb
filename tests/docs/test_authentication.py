"""docs/authentication.md says what the service does."""

from __future__ import annotations

import json
import re
from pathlib import Path

from schemas.issuers import IssuerSchema
from service.authentication.tokens import REASONS
from service.authentication.trusted_issuers import read_issuers
from service.config import SETTINGS
from tests.docs.conftest import PROJECT

TEXT = (PROJECT / "docs" / "authentication.md").read_text(encoding="utf-8")


def test_its_file_of_issuers_is_taken_and_shows_every_member(tmp_path: Path) -> None:
    shown = re.search(r"<!-- issuers -->\n```json\n(.*?)```", TEXT, re.S)
    assert shown is not None
    file = tmp_path / "issuers.json"
    file.write_text(shown[1])
    assert len(read_issuers(file)) == 2
    assert set(json.loads(shown[1])["https://fhir.hospital.example/oauth2"]) == set(IssuerSchema().fields)
    assert re.findall(r"^\| `(\w+)` \|", TEXT, re.M) == list(IssuerSchema().fields)


def test_it_lists_every_refusal_in_its_words() -> None:
    rows = re.findall(r"^\| 401 \| ([\w-]+) \| (.*) \|$", TEXT, re.M)
    assert rows == [(reason, says) for reason, (_, says) in REASONS.items()]


def test_the_settings_it_names_exist() -> None:
    named = set(re.findall(r"\b([A-Z]+_[A-Z_]+)\b", TEXT))
    assert named - set(SETTINGS) == set()
