"""What the first preview is enough for, and what it must not miss."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from fhir_mappings.record import Version
from fhir_mappings.resources import select
from fhir_mappings.resources.fhir_version import MEMBERS, beyond_r4
from fhir_mappings.resources.preview import PREVIEWS, Head, Preview, preview_of
from tests.spec.records import DAY, code_of, concept, condition, observation, read

UNKNOWN = concept("https://ehr.example.org/codes", "L1")
OF_P = {"reference": "Patient/p"}


def previewed(resource: Any) -> Preview | Head | None:
    return preview_of(msgspec.Raw(json.dumps(resource).encode()))


@pytest.mark.parametrize("kind", [preview.kind for preview in PREVIEWS])
@pytest.mark.parametrize("last", [False, True])
def test_a_type_that_is_read_by_its_code_has_a_look_of_its_own(kind: str, last: bool) -> None:
    head = {"resourceType": kind}
    rest = {"id": "a", "code": UNKNOWN}
    preview = previewed({**rest, **head} if last else {**head, **rest})
    assert isinstance(preview, Preview)
    assert (preview.kind, preview.id) == (kind, "a")


@pytest.mark.parametrize("preview", PREVIEWS)
def test_a_look_sees_every_member_that_is_read_and_not_of_r4(preview: type[Preview]) -> None:
    read = {field.encode_name for field in msgspec.structs.fields(select.SHAPES[preview.kind])}
    newer = {member for member, has in MEMBERS[preview.kind].items() if Version.R4 not in has} & read
    assert newer
    for member in newer:
        assert beyond_r4(
            {preview.kind}, {preview: [previewed({"resourceType": preview.kind, member: {}})]}
        ), member
    assert not beyond_r4({preview.kind}, {preview: [previewed({"resourceType": preview.kind})]})


@pytest.mark.parametrize(
    ("resource", "beyond"),
    [
        ({"resourceType": "Condition", "clinicalStatus": UNKNOWN}, False),
        ({"resourceType": "Condition", "clinicalStatus": "active"}, True),
        ({"resourceType": "Condition", "verificationStatus": "confirmed"}, True),
        ({"resourceType": "Observation", "interpretation": [UNKNOWN]}, False),
        ({"resourceType": "Observation", "interpretation": UNKNOWN}, True),
    ],
)
def test_a_look_sees_other_forms(resource: dict[str, Any], beyond: bool) -> None:
    preview = previewed(resource)
    assert isinstance(preview, Preview)
    assert beyond_r4({preview.kind}, {type(preview): [preview]}) is beyond


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b'{"resourceType":"Condition","resourceType":"Observation"}', "Observation"),
        (b'{"resourceType":"Condition","id":"c","code":"text"}', "Condition"),
        (b'{"resourceType":"Encounter","id":"e","subject":[1]}', "Encounter"),
        (b'{"id":"e"}', None),
    ],
)
def test_what_has_no_look_has_a_head(raw: bytes, kind: str | None) -> None:
    head = preview_of(msgspec.Raw(raw))
    assert not isinstance(head, Preview)
    assert head is not None
    assert head.kind == kind


def test_what_has_no_head_has_nothing() -> None:
    for raw in (b'{"resourceType":7}', b"[]", b"7", b'{"id":"\xff"}'):
        assert preview_of(msgspec.Raw(raw)) is None


def named(resource: dict[str, Any]) -> list[str]:
    return [note.reference for note in read(condition("fasciculation"), resource).not_understood]


BROKEN = {"valueQuantity": "high"}


@pytest.mark.parametrize(
    "resource",
    [
        observation("weakness", **BROKEN),
        # Nothing says that it is about something else.
        observation("weakness", code=None, **BROKEN),
        observation("weakness", code={"text": "strength"}, **BROKEN),
        observation("weakness", code={"coding": [{"code": "L1"}]}, **BROKEN),
        observation("weakness", code="strength"),
        observation("weakness", code=UNKNOWN, subject="Patient/p"),
        # A part may be of a code that is known.
        observation("weakness", code=UNKNOWN, component=[{"code": code_of("weakness")}], **BROKEN),
        observation("weakness", code=UNKNOWN, component="none"),
    ],
)
def test_what_may_say_something_and_cannot_be_read_is_named(resource: dict[str, Any]) -> None:
    assert set(named(resource)) == {f"Observation/{resource['id']}"}


def test_what_is_about_something_else_is_passed_over() -> None:
    assert named(observation("weakness", code=UNKNOWN, **BROKEN)) == []


def test_what_is_passed_over_still_tells_whose_it_is_and_its_version() -> None:
    others = observation("weakness", code=UNKNOWN, subject={"reference": "Patient/q"})
    record = read(condition("fasciculation"), others)
    assert [note.reference for note in record.not_used] == [f"Observation/{others['id']}"]
    newer = observation("weakness", code=UNKNOWN, triggeredBy=[{}])
    assert read(condition("fasciculation"), newer).version is Version.R5
    assert (
        read(condition("fasciculation"), {**newer, "subject": {"reference": "Patient/q"}}).version
        is Version.R4
    )


@pytest.mark.parametrize("make", [condition, observation])
def test_a_patient_instead_of_a_subject_is_read_of_a_condition_alone(make: Any) -> None:
    """As of what can say something: DSTU2's spelling was seen there."""
    for code in ({}, {"code": UNKNOWN}):
        one = make("weakness", subject=None, patient={"reference": "Patient/p"}, **code)
        unused = [note.reference for note in read(condition("fasciculation"), one).not_used]
        assert unused == ([] if make is condition else [f"Observation/{one['id']}"])


def test_the_last_version_counts_also_where_it_is_about_something_else() -> None:
    def of(version: str, **members: Any) -> dict[str, Any]:
        return {**condition("weakness", **members), "id": "c", "meta": {"versionId": version}}

    known, other = of("1"), of("2", code=UNKNOWN)
    assert read(known).findings
    assert not read(known, other).findings
    assert read(of("3"), other).findings


def test_an_unreadable_meta_loses_no_resource() -> None:
    for meta in ("new", {"versionId": 7}):
        record = read({**condition("weakness"), "meta": meta})
        assert (list(record.findings), record.not_understood) == (["weakness"], ())


def test_of_two_versions_the_one_that_says_which_it_is_counts() -> None:
    unsaid = {**condition("weakness"), "id": "c", "meta": {"versionId": 7}}
    said = {**condition("weakness", code=UNKNOWN), "id": "c", "meta": {"versionId": "1"}}
    for order in ((unsaid, said), (said, unsaid)):
        record = read(*order)
        assert (record.findings, record.not_understood) == ({}, ())


def test_resources_without_a_name_are_all_kept() -> None:
    first = {**observation("weakness", effectiveDateTime=DAY.isoformat()), "id": None}
    second = {**observation("atrophy", effectiveDateTime=DAY.isoformat()), "id": None}
    assert len(read(first, second).findings) == 2
