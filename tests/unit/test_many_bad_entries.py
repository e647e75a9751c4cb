"""Bodies of very many bad entries: some are named, the rest is counted, and none gives an all clear."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from fhir_mappings.record import Note
from fhir_mappings.request import bundle_entries as envelope
from fhir_mappings.request.bundles import PREFETCH_KEYS, decode_bundle, submission_of_prefetch
from fhir_mappings.request.hook_call import HookCall
from fhir_mappings.resources.budget import Budget, OverBudget, within
from fhir_mappings.resources.submission import NEVER_MISSED
from fhir_mappings.to_findings import record_of
from service.cards.evidence import EvidenceText
from service.cards.to_do import ToDo
from service.decision import decide
from service.errors import Issue, RequestError
from service.hook_request import checked_hook_request
from tests.spec.records import DAY, KNOWLEDGE, condition


@pytest.fixture(autouse=True)
def _few_notes() -> Iterator[None]:
    with within(Budget(notes=200)):
        yield


def entries(entry: bytes, count: int, *, first: bytes = b"") -> bytes:
    body = b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"p"}}'
    return body + first + (b"," + entry) * count + b"]}"


BAD = [
    b"5",
    b"null",
    b'{"resource":{}}',
    b'{"resource":5}',
    b'{"resource":{"resourceType":"Bundle","entry":[5]}}',
    b'{"resource":{"resourceType":"Condition","subject":5}}',
    b'{"resource":{"resourceType":"Condition","code":5}}',
]


def notes_of(body: bytes) -> list[Note]:
    record = record_of(decode_bundle(body), KNOWLEDGE.terminology, DAY, KNOWLEDGE.reading)
    return list(record.not_understood)


@pytest.mark.parametrize("entry", BAD)
def test_of_very_many_bad_entries_one_note_counts_the_rest(entry: bytes) -> None:
    whole, cut = notes_of(entries(entry, 200)), notes_of(entries(entry, 1234))
    assert [len(whole), sum(note.count for note in whole)] == [200, 200]
    assert [len(cut), sum(note.count for note in cut)] == [201, 1234]
    (last,) = (note for note in cut if note.count > 1)
    assert last.why == "the first of 1034 more that are only counted"
    assert last.reference.startswith("Bundle.entry[")


def test_bad_entries_of_several_kinds_are_counted_together() -> None:
    body = entries(BAD[0], 300, first=b"".join(b"," + entry for entry in BAD[2:5] * 300))
    notes = notes_of(body)
    assert [len(notes), sum(note.count for note in notes)] == [201, 1200]


@pytest.mark.parametrize("entry", BAD)
def test_what_is_only_counted_may_have_told_of_a_twitch(entry: bytes) -> None:
    """Named or only counted: without a twitch beside it nothing is all clear."""
    person = {"resourceType": "Patient", "id": "p"}
    lists = {
        "patient": json.dumps(person).encode(),
        "conditions": b'{"resourceType":"Bundle","entry":[%s]}' % b",".join([entry] * 300),
        "labs": b'{"resourceType":"Bundle","entry":[%s]}' % b",".join([BAD[2]] * 300),
        "findings": b"null",
    }
    submission = submission_of_prefetch({key: msgspec.Raw(raw) for key, raw in lists.items()}, "p")
    record = record_of(submission, KNOWLEDGE.terminology, DAY, KNOWLEDGE.reading)
    assert sum(note.count for note in record.unread) >= 300
    assert decide(record, KNOWLEDGE.table).gate in ("unread", "unseen")
    assert len(record.not_understood) == 201


def test_the_card_says_how_many_entries_were_not_understood() -> None:
    twitch = json.dumps({"resource": condition("fasciculation")}).encode()
    submission = decode_bundle(entries(b"5", 1234, first=b"," + twitch))
    record = record_of(submission, KNOWLEDGE.terminology, DAY, KNOWLEDGE.reading)
    decision = decide(record, KNOWLEDGE.table)
    assert "1234" in EvidenceText(decision, KNOWLEDGE, ToDo(decision, KNOWLEDGE)).unseen()


def test_a_bundle_with_very_many_links_may_have_a_next_page() -> None:
    links = b'"link":[%s],"entry"' % b",".join([b"5"] * 101)
    assert "conditions" not in decode_bundle(entries(BAD[6], 1)).not_seen
    assert "conditions" in decode_bundle(entries(BAD[6], 1).replace(b'"entry"', links)).not_seen


def test_no_more_is_found_out_of_each_of_very_many_bad_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    found = envelope.decoded

    def counted(body: Any, shape: Any, place: str) -> Any:
        asked.append(place)
        return found(body, shape, place)

    monkeypatch.setattr(envelope, "decoded", counted)
    decode_bundle(entries(b"5", 10_000))
    decode_bundle(entries(b"5", 10).replace(b'"entry"', b'"link":[%s],"entry"' % (b"5," * 5_000 + b"5")))
    assert len(asked) < 500


@pytest.mark.parametrize("entry", [b"5", b"{}", b'{"resource":{"resourceType":"Condition"}}'])
def test_more_entries_than_the_budget_are_refused(entry: bytes) -> None:
    with within(Budget(entries=50)):
        decode_bundle(entries(entry, 49))
        with pytest.raises(OverBudget, match="MAX_ENTRIES"):
            decode_bundle(entries(entry, 50))
        call = {key: msgspec.Raw(entries(entry, 30)) for key in ("conditions", "findings")}
        with pytest.raises(OverBudget, match="MAX_ENTRIES"):
            submission_of_prefetch(call, "p")


def test_very_many_links_are_read_as_one_that_may_be_the_next() -> None:
    assert "patient" not in decode_bundle(entries(b"5", 1)).not_seen
    for count in (101, 60_000):
        body = entries(b"5", 1).replace(b'"entry"', b'"link":[%s],"entry"' % b",".join([b"{}"] * count))
        assert decode_bundle(body).not_seen == tuple(k for k in PREFETCH_KEYS if k not in NEVER_MISSED), count


# Refusals


def refused(selections: list[Any]) -> tuple[Issue, ...]:
    context = {"userId": "Practitioner/1", "patientId": "p", "selections": selections, "draftOrders": {}}
    call = {
        "hook": "order-select",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": context,
    }
    with pytest.raises(RequestError) as error:
        checked_hook_request(HookCall(call, None, {}), {"order-select": {}})
    return error.value.issues


def test_of_very_many_issues_one_counts_the_rest() -> None:
    assert len(refused([5] * 200)) == 200
    issues = refused([5] * 1234)
    assert len(issues) == 201
    assert issues[-1].diagnostics == "1034 more issues are not listed; this is the place of the first."
    assert issues[-1].expression == "context.selections[200]"


def test_more_selections_than_anybody_makes_are_refused_by_their_number() -> None:
    (issue,) = refused([5] * 200_001)
    assert issue.expression == "context.selections"
