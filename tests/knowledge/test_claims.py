"""Every claim has its place and its fate; a broken file is refused by name."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from service.decision.table import Row
from service.knowledge import HERE, load_knowledge
from service.knowledge.claims import load_claims
from service.knowledge.loading import KnowledgeError
from tools.knowledge.check_sources import find, normalised, sentences_of

KNOWLEDGE = load_knowledge()
CLAIMS = KNOWLEDGE.claims.claims
DECLINED = {claim.id: claim.declined for claim in CLAIMS.values() if claim.declined is not None}
NAMED = re.compile(r"\b(?:S\d{3}-\d{2,3}|A\d{2})\b")

# Wrong or overclaimed, never to be repeated; and right only once corrected.
DO_NOT_USE = ("S000-74", "S000-86", "S000-107", "S004-25")
CORRECTED = ("S000-15", "S000-22", "S000-26", "S000-27", "S000-105", "S003-17", "S003-38")


def test_all_187_claims_are_there() -> None:
    counts = Counter(claim.id[:4] for claim in CLAIMS.values())
    assert {name: counts[name] for name in ("S000", "S003", "S004")} == {"S000": 107, "S003": 40, "S004": 40}


def test_a_claim_is_cited_or_declined_and_never_both() -> None:
    for claim in CLAIMS.values():
        assert (claim.id in KNOWLEDGE.cited_by) is (claim.declined is None), claim.id


def test_every_cited_id_exists() -> None:
    assert [name for name in KNOWLEDGE.cited_by if KNOWLEDGE.claims.get(name) is None] == []


def test_an_anchor_is_used_or_says_why_not() -> None:
    named = {name for reason in DECLINED.values() for name in NAMED.findall(reason)}
    for anchor in KNOWLEDGE.claims.anchors.values():
        used = anchor.id in KNOWLEDGE.cited_by or anchor.id in named
        assert used is (anchor.declined is None), anchor.id


@pytest.mark.parametrize("anchor", ["A14", "A37", "A38", "A40", "A41", "A42", "A43", "A44"])
def test_an_anchor_of_the_safety_additions_carries_a_row(anchor: str) -> None:
    assert any(place.startswith("rows.") for place in KNOWLEDGE.cited_by[anchor])


@pytest.mark.parametrize("claim", sorted(DECLINED))
def test_a_reason_names_what_is_used_instead(claim: str) -> None:
    named = NAMED.findall(DECLINED[claim])
    assert [name for name in named if KNOWLEDGE.claims.get(name) is None] == []
    assert claim not in named
    repeated = [name for name in named if name in CLAIMS]
    # Whoever follows a reason arrives at something that decides.
    assert not repeated or any(name in KNOWLEDGE.cited_by for name in repeated)


def test_no_reason_is_a_stub_or_a_copy_of_another() -> None:
    assert {claim: reason for claim, reason in DECLINED.items() if len(reason.split()) < 7} == {}
    # The claims it names aside: "repeats S000-13" twice would be a stub twice.
    words = Counter(NAMED.sub("", reason) for reason in DECLINED.values())
    assert [reason for reason, count in words.items() if count > 1] == []


@pytest.mark.parametrize("claim", DO_NOT_USE)
def test_what_must_not_be_used_is_declined_as_such(claim: str) -> None:
    assert claim not in KNOWLEDGE.cited_by
    assert "not to be repeated" in DECLINED[claim]


@pytest.mark.parametrize("row", KNOWLEDGE.table.rows, ids=lambda row: row.id)
def test_a_row_reads_its_claims_as_it_says(row: Row) -> None:
    for support in row.support:
        anchors = [name for name in support.ids if name in KNOWLEDGE.claims.anchors]
        if support.reading == "stated":
            # An anchor is no statement of the documents; and what they state wrongly is not "stated".
            assert anchors == []
            assert set(support.ids) & {*DO_NOT_USE, "S000-27", "S003-38"} == set()
        if support.reading == "addition":
            assert anchors == list(support.ids)


@pytest.mark.parametrize(
    ("claim", "word"), [*((claim, "corrected") for claim in CORRECTED), ("S000-78", "overruled")]
)
def test_the_errors_of_the_documents_are_named(claim: str, word: str) -> None:
    assert word in CLAIMS[claim].says


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ("S000-01", "not single fibres"),
        ("S000-30", "its mechanism is wrong"),
        ("S000-42", "would delay tests"),
        ("S000-48", "no sign of disease"),
        ("S000-69", "too loose"),
        ("S000-93", "not harmless"),
        ("S000-94", "overstated"),
        ("S003-37", "may be a clot"),
        ("S004-15", "never minor"),
        ("S004-37", "unsafe with weak kidneys"),
        ("S004-38", "prescribed stimulant"),
    ],
)
def test_a_declined_error_is_called_one(claim: str, said: str) -> None:
    assert said in DECLINED[claim]


# What makes a text a statement about patients; a label of the terminology does as well.
STATING = re.compile(
    r"benign|twitch|wast|weak|numb|paediatric|refer|treat|danger|caus|disease|medicine|dr[iu]nk|rest\b|sleep"
    r"|stress|days or|weeks|today|routine|neuron|potassium|calcium|blood|examin|normal",
    re.I,
)
# Texts with such a word that state nothing: a caption, a frame around what a record or a row says.
FRAMES = {
    "source_label",
    "summary.twitch",
    "drafts.this_medicine",
    "drafts.effect_other_short",
    "drafts.effect_other_says",
    "drafts.because",
    "open_ends.contradicts_present",
    "open_ends.contradicts_absent",
    "open_ends.contradicts_present_short",
    "open_ends.contradicts_absent_short",
    "open_ends.pending_now_says",
    "open_ends.referral_now_says",
    "open_ends.words",
    "open_ends.words_some",
    "drafts.medicine",
    "table.at_least_since",
    "table.on_record_today",
    "gate.unread",
    "gate.unseen",
    "unseen.findings",
    "unseen.medications",
    "unseen.medicationStatements",
    "smart_link",
    "order_category.referral",
    "ask.breathing-difficulty",
    "ask.weakness-start",
    "ask.weakness-onset",
    "ask.examine",
    "facts.weakness",
    "facts.atrophy",
    "facts.movement",
    "unseen.examinations",
    "span.today",
    "span.weeks",
    "summary.twitch_only",
    "summary.twitch_at",
    "summary.twitch_widespread",
    "summary.twitch_places",
    "summary.twitch_since",
    "summary.twitch_unknown",
    "summary.not_examined",
    "summary.not_examined_yet",
    "summary.not_examined_since",
    "summary.partly_examined",
    "summary.child",
    "basis.examined",
    "basis.examined_undated",
    "results.adjusted_by_albumin",
    "lead.done_normal",
    "lead.because",
    "lead.blood",
    "lead.blood_urgent",
    "lead.blood_now",
    "lead.in_words",
    "lead.findings",
    "lead.both_unseen",
    "below.medicines",
    "suggestion.now",
    "suggestion.normal",
}


def statements() -> list[str]:
    terminology = KNOWLEDGE.terminology
    labels = {f.label.lower() for f in terminology.findings.values()}
    labels |= {a.label.lower() for a in terminology.analytes.values()}
    return [
        place
        for place, text in KNOWLEDGE.wording.texts.items()
        if not place.startswith("found.")  # as its row
        and place not in FRAMES
        and (STATING.search(text) or any(label in text.lower() for label in labels))
    ]


@pytest.mark.parametrize("place", statements())
def test_a_text_that_states_something_rests_on_something(place: str) -> None:
    says = "name its claims under rests_on in wording.yaml, or call it a frame here"
    assert KNOWLEDGE.wording.claims(place) != (), says


def test_frames_are_still_there_and_rest_on_nothing() -> None:
    assert FRAMES - set(KNOWLEDGE.wording.texts) == set()
    assert [place for place in FRAMES if KNOWLEDGE.wording.claims(place)] == []


def test_every_removal_and_advice_rests_on_something() -> None:
    assert [r.id for r in KNOWLEDGE.table.removals if not r.claims] == []
    places = [f"self_care.advice.{advice.id}" for advice in KNOWLEDGE.table.self_care]
    places += [f"actions.{action}" for action in KNOWLEDGE.table.actions]
    assert [place for place in places if not KNOWLEDGE.wording.claims(place)] == []


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


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "sources/ankle-twitching.yaml",
            '    declined: "names no',
            '    # "names no',
            "S004-17: nothing rests on it",
        ),
        ("sources/anchors.yaml", '    declined: "what the', '    # "what the', "A34: nothing rests on it"),
        (
            "decision_table.yaml",
            "ids: [A21], reading: addition",
            "ids: [A34], reading: addition",
            "A34: is used and declined",
        ),
        (
            "wording.yaml",
            '"gate.known-disease": [S000-63]',
            '"gate.known-disease": [A99]',
            "rests_on.gate.known-disease: no claim or anchor A99",
        ),
        (
            "wording.yaml",
            '"gate.known-disease": [S000-63]',
            '"gate.known-diseas": [S000-63]',
            "rests_on.gate.known-diseas: there is no such text",
        ),
        (
            "wording.yaml",
            "    caffeine: ",
            "    coffee: ",
            "self_care.advice.coffee: text for something the table does not have",
        ),
        (
            "decision_table.yaml",
            "ids: [S003-22], ",
            "ids: [S003-99], ",
            "rows.tingling: no claim or anchor S003-99",
        ),
        (
            "sources/ankle-twitching.yaml",
            'declined: "says what the document is about; .*"',
            'declined: "scope"',
            "at least seven words",
        ),
    ],
)
def test_a_source_without_a_fate_stops_the_start(
    tmp_path: Path, file: str, old: str, new: str, said: str
) -> None:
    shutil.copytree(HERE, tmp_path / "knowledge", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    path = tmp_path / "knowledge" / file
    text, count = re.subn(re.escape(old).replace(r"\.\*", ".*"), new, path.read_text(), count=1)
    assert count == 1
    path.write_text(text)
    with pytest.raises(KnowledgeError) as error:
        load_knowledge(tmp_path / "knowledge")
    assert said in str(error.value)
