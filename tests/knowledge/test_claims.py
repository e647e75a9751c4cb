"""Every claim has its place and its fate; a broken file is refused by name."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from service.knowledge import HERE, load_knowledge
from service.knowledge.check_sources import find, normalised, sentences_of
from service.knowledge.claims import load_claims
from service.knowledge.problems import KnowledgeError

KNOWLEDGE = load_knowledge()
CITED = {claim for row in KNOWLEDGE.table.rows for claim in row.claims} | {
    claim for removal in KNOWLEDGE.table.removals for claim in removal.claims
}


def test_all_187_claims_are_there() -> None:
    counts = Counter(claim.id[:4] for claim in KNOWLEDGE.claims.claims.values())
    assert counts == {"S000": 107, "S003": 40, "S004": 40}


def test_a_claim_is_cited_or_declined_and_never_both() -> None:
    for claim in KNOWLEDGE.claims.claims.values():
        assert (claim.id in CITED) is (claim.declined is None), claim.id


def test_every_cited_id_exists() -> None:
    assert [name for name in CITED if KNOWLEDGE.claims.get(name) is None] == []


@pytest.mark.parametrize(
    ("claim", "word"), [("S000-27", "corrected"), ("S003-17", "corrected"), ("S000-78", "overruled")]
)
def test_the_errors_of_the_documents_are_named(claim: str, word: str) -> None:
    assert word in KNOWLEDGE.claims.claims[claim].says


@pytest.mark.parametrize("claim", ["S000-74", "S000-86", "S000-107", "S004-25"])
def test_wrong_mechanisms_and_overclaims_are_declined(claim: str) -> None:
    assert KNOWLEDGE.claims.claims[claim].fate == "declined"


def test_sentences_are_found_by_the_rules_that_are_written_down() -> None:
    text = "A heading\n\nOne “thing” is said. Is it?  Yes – it is! 3 more follow.\n"
    sentences = sentences_of(text)
    assert [s.text for s in sentences] == [
        "A heading",
        'One "thing" is said.',
        "Is it?",
        "Yes - it is!",
        "3 more follow.",
    ]
    assert [s.heading_number for s in sentences] == [1, 1, 1, 1, 1]
    assert [s.number for s in find(sentences, "Is it?  Yes")] == [3, 4]
    assert find(sentences, "never written") == ()
    assert normalised(" a\tb ") == "a b"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("id: S003-02", "id: S003-01", "S003-01: stands twice"),
        ("id: S003-02", "id: S000-02", "does not begin with S003"),
        ("    says:", "    sais:", "Unknown field"),
        ("sentences: [2]", "sentences: []", "S003-01"),
    ],
)
def test_a_broken_file_is_refused_by_name(tmp_path: Path, old: str, new: str, said: str) -> None:
    shutil.copytree(HERE / "sources", tmp_path / "sources")
    file = tmp_path / "sources" / "muscle-above-the-knee.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(KnowledgeError) as error:
        load_claims(tmp_path)
    assert "sources/muscle-above-the-knee.yaml" in str(error.value)
    assert said in str(error.value)
