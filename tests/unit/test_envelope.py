"""Bodies that are nearly JSON: what cannot be read is named, and the rest is read."""

from __future__ import annotations

import json

import pytest

from fhir_mappings.request.bundles import decode_bundle
from fhir_mappings.request.hook_call import decode_call
from fhir_mappings.request.json_body import json_bytes

ENTRY = b'{"resource":{"resourceType":"Condition","id":"c1"}}'


def bundle(*entries: bytes) -> bytes:
    return b'{"resourceType":"Bundle","type":"collection","entry":[' + b",".join(entries) + b"]}"


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (b'{"fullUrl":"\xff","resource":{"resourceType":"Condition"}}', "not valid UTF-8"),
        (b'{"resource":{"resourceType":"\xff"}}', "not valid UTF-8"),
        (b'{"fullUrl":7,"resource":{"resourceType":"Condition"}}', "Expected"),
        (b'{"resource":{"resourceType":7}}', "Expected"),
        (b'{"resource":{"id":"c0"}}', "has no resourceType"),
        (b"null", "Expected"),
        (b'"text"', "Expected"),
    ],
)
def test_a_bad_entry_is_named_and_loses_no_other(entry: bytes, why: str) -> None:
    read = decode_bundle(bundle(ENTRY, entry, ENTRY))
    assert [one.expression for one in read.entries] == [
        "Bundle.entry[0].resource",
        "Bundle.entry[2].resource",
    ]
    (note,) = read.not_understood
    assert note.reference.startswith("Bundle.entry[1]")
    assert why in note.why


def test_an_entry_whose_id_cannot_be_read_is_left_to_who_reads_it() -> None:
    read = decode_bundle(bundle(ENTRY, b'{"resource":{"resourceType":"Condition","id":[7]}}'))
    assert [(entry.kind, entry.id) for entry in read.entries[1:]] == [("Condition", None)]


def test_a_call_whose_member_is_no_utf_8_names_it() -> None:
    (problem,) = decode_call(b'{"hook":"patient-view","context":{"userId":"\xff"}}').problems
    assert problem.expression == "context"
    assert "not valid UTF-8 (byte " in problem.diagnostics


@pytest.mark.parametrize(
    "content",
    [
        {
            "text": "".join(map(chr, range(0x20))) + '"\\/\x7f\u2028\u2029\ufeffé漢😀',
            "more": [1, True, None, 0.5],
        },
        {"lone": "a\ud800b"},
    ],
)
def test_json_is_the_bytes_that_the_standard_library_writes(content: object) -> None:
    written = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    assert json_bytes(content) == written


def nested(depth: int, inner: bytes = ENTRY) -> bytes:
    """A Bundle with so many Bundles inside each other, and one entry in the innermost."""
    body = bundle(inner)
    for _ in range(depth):
        body = bundle(b'{"resource":' + body + b"}")
    return body


def test_a_bundle_that_is_nested_too_deeply_is_named() -> None:
    assert len(decode_bundle(nested(3)).entries) == 1
    read = decode_bundle(nested(4))
    assert read.entries == ()
    (note,) = read.not_understood
    assert "nested too deeply" in note.why
