"""The Parameters of $apply -> the Bundle in them, as it was sent, and the subject."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from fhir_mappings.request.json_body import BodyProblem, InvalidBody, Name, decoded, unique_members, value_of
from fhir_mappings.resources.budget import budget
from fhir_mappings.resources.preview import type_of

_DATA, _SUBJECT = "data", "subject"
# Parameters of $apply in R4 that describe the user and the setting: nothing here depends on them.
IGNORED = (
    "encounter",
    "practitioner",
    "organization",
    "userType",
    "userLanguage",
    "userTaskContext",
    "setting",
    "settingContext",
)
_KNOWN = ", ".join((_SUBJECT, _DATA, *IGNORED))
# Other names could hold anything of a patient.
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,39}")
_NEXT = "send the patient's record as one Bundle in the parameter data"


@dataclass(frozen=True, slots=True)
class ApplyCall:
    """What $apply is asked. bundle: its bytes. subject: a reference or an id as sent; None without one."""

    bundle: bytes
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class _Parameter:
    place: str
    name: object
    members: Mapping[str, msgspec.Raw]


def decode_apply_call(body: bytes) -> ApplyCall:
    """Decode the Parameters of $apply; the Bundle stays as it is.

    Raises:
        InvalidBody: 400, with every problem of the parameters.
        OverBudget: it has too many objects.
    """
    budget().check_objects(body)
    members = unique_members(decoded(body, dict[Name, msgspec.Raw], ""), "")
    if value_of(members.get("resourceType", msgspec.Raw(b"null")), "resourceType") != "Parameters":
        problem = f"The body is no FHIR Parameters resource: {_NEXT} of Parameters."
        raise InvalidBody((BodyProblem("invalid", problem, "resourceType"),))
    raw = members.get("parameter", msgspec.Raw(b"[]"))
    listed = decoded(raw, list[dict[Name, msgspec.Raw]], "Parameters.parameter")
    parameters = [_parameter(named, number) for number, named in enumerate(listed)]
    problems = [*_unknown(parameters)]
    bundles: list[bytes] = []
    subjects: list[str] = []
    try:
        bundles.append(_bundle([one for one in parameters if one.name == _DATA]))
    except InvalidBody as error:
        problems += error.problems
    try:
        subjects += _subjects([one for one in parameters if one.name == _SUBJECT])
    except InvalidBody as error:
        problems += error.problems
    if problems:
        raise InvalidBody(tuple(problems))
    return ApplyCall(bundles[0], subjects[0] if subjects else None)


def _parameter(named: Mapping[Name, msgspec.Raw], number: int) -> _Parameter:
    place = f"Parameters.parameter[{number}]"
    members = unique_members(named, place)
    return _Parameter(place, value_of(members.get("name", msgspec.Raw(b"null")), place), members)


def _unknown(parameters: list[_Parameter]) -> Iterator[BodyProblem]:
    """To ignore a parameter that is not known could answer another question."""
    for one in parameters:
        if one.name in (_DATA, _SUBJECT, *IGNORED):
            continue
        plain = isinstance(one.name, str) and _PLAIN_NAME.fullmatch(one.name)
        what = f"The parameter {one.name}" if plain else "A parameter of another name"
        yield BodyProblem(
            "not-supported",
            f"{what} is not supported: leave it out. Known are {_KNOWN}.",
            f"{one.place}.name",
        )


def _bundle(found: list[_Parameter]) -> bytes:
    if len(found) != 1:
        what = "The parameter data is missing" if not found else "The parameter data occurs more than once"
        place = found[1].place if found else "Parameters.parameter"
        raise InvalidBody((BodyProblem("invalid" if found else "required", f"{what}: {_NEXT}.", place),))
    raw = found[0].members.get("resource")
    place = f"{found[0].place}.resource"
    if raw is None:
        raise InvalidBody((BodyProblem("required", f"The parameter data has no resource: {_NEXT}.", place),))
    if type_of(raw) != "Bundle":
        problem = f"The resource of the parameter data is not a Bundle: {_NEXT}."
        raise InvalidBody((BodyProblem("invalid", problem, place),))
    return bytes(raw)


def _subjects(found: list[_Parameter]) -> Iterator[str]:
    if len(found) > 1:
        problem = "The parameter subject occurs more than once: name one patient, or none."
        raise InvalidBody((BodyProblem("invalid", problem, found[1].place),))
    for one in found:
        subject = None
        for member in ("valueString", "valueReference", "valueId", "valueUri"):
            if member in one.members:
                value = value_of(one.members[member], f"{one.place}.{member}")
                subject = value.get("reference") if isinstance(value, dict) else value
        if not isinstance(subject, str) or not subject.strip():
            problem = (
                "The parameter subject is no reference: write Patient/id as its valueString, or as the"
                " reference of its valueReference, or leave it out."
            )
            raise InvalidBody((BodyProblem("value", problem, one.place),))
        yield subject
