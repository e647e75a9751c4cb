"""The cards are those that were reviewed, byte for byte. `python -m tests.golden.cards` writes them again."""

from __future__ import annotations

from functools import cache

import pytest

from service.knowledge import Knowledge, load_knowledge
from tests.golden.cards import DIALECT_OF, DIRECTORY, page
from tests.vignettes.dialects import BUNDLES
from tests.vignettes.patient import BY_ID


@cache
def knowledge() -> Knowledge:
    return load_knowledge()


@pytest.mark.parametrize("person_id", DIALECT_OF)
def test_card_is_the_reviewed_one(person_id: str) -> None:
    reviewed = (DIRECTORY / f"{person_id}.md").read_text(encoding="utf-8")
    assert page(BY_ID[person_id], knowledge()) == reviewed


def test_every_reviewed_card_is_compared() -> None:
    assert {path.stem for path in DIRECTORY.glob("*.md")} == set(DIALECT_OF)
    assert set(DIALECT_OF.values()) == set(BUNDLES)
