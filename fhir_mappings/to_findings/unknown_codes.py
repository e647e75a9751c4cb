"""The codes of a record that no value set has: what is not read, and where a site's own mapping begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec

from fhir_mappings.resources.budget import budget
from fhir_mappings.resources.concepts import keys_of
from fhir_mappings.resources.fhir_version import content_of
from fhir_mappings.resources.references import plain
from fhir_mappings.resources.shapes import CodeableConcept, Coding, LooseConcept
from fhir_mappings.resources.submission import Entry
from fhir_mappings.terminology import Terminology
from fhir_mappings.to_findings.drug_names import named_by
from fhir_mappings.to_findings.statuses import CLINICAL, NEVER_WAS, VERIFICATION, status_of

# What a client wrote in one coding or text; control characters go before this counts.
_LONGEST_CHARACTERS = 200
_READ_CHARACTERS = 1_000
# Members with the code that identifies the content. R5 writes a concept or a reference in one member.
_ORDER = ("code", "orderDetail", "orderDetail.parameter.valueCodeableConcept")
_PRESCRIBED = ("medicationCodeableConcept", "medication")
_MEDICINE = ("code", "ingredient.itemCodeableConcept", "ingredient.item")
_OF_MEDICINES = ("medicationCodeableConcept", "medication", "Medication.code")
_PLACES: Mapping[str, tuple[str, ...]] = {
    "Condition": ("code",),
    "Observation": ("code", "component.code"),
    "Procedure": ("code",),
    "DiagnosticReport": ("code",),
    "ServiceRequest": _ORDER,
    "ProcedureRequest": _ORDER,
    "ReferralRequest": ("type", "serviceRequested"),
    "FamilyMemberHistory": ("condition.code",),
    "MedicationRequest": _PRESCRIBED,
    "MedicationStatement": _PRESCRIBED,
    "MedicationUsage": _PRESCRIBED,
    "Medication": _MEDICINE,
    "Substance": _MEDICINE,
}
# Resources within a resource that say what it is about.
_PARTS: Mapping[str, tuple[str, ...]] = {
    "Observation": ("Observation",),
    "DiagnosticReport": ("Observation",),
    **dict.fromkeys(
        ("MedicationRequest", "MedicationStatement", "MedicationUsage", "Medication"),
        ("Medication", "Substance"),
    ),
}
_TO_MEDICATIONS = ("medicationReference", "medication.reference")
_TO_INGREDIENTS = ("ingredient.itemReference", "ingredient.item.reference")


@dataclass(frozen=True, slots=True)
class UnknownCode:
    """One coding as written, cut and without control characters; "" for a missing member.

    place: such as "Condition.code". system and code are "" where the concept has no code.
    text: its display, else the text of its concept.
    """

    place: str
    system: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """entries: type of a resource -> how many carry unknown codes. codes: how many entries carry each."""

    entries: Mapping[str, int] = field(default_factory=dict)
    codes: Mapping[UnknownCode, int] = field(default_factory=dict)

    def rows(self) -> list[dict[str, Any]]:
        """As the assessment has them, the most frequent first; the last one counts those past the budget."""
        most = budget().notes
        counts: Counter[tuple[str, str, str]] = Counter()
        texts: dict[tuple[str, str, str], str] = {}
        for one, count in self.codes.items():
            key = one.system, one.code, "" if one.code else one.text
            counts[key] += count
            # One of those that stand beside the code, whatever the order of the entries.
            texts[key] = min(filter(None, (texts.get(key), one.text)), default="")
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        rows = [
            {
                **({"system": key[0]} if key[0] else {}),
                **({"code": key[1]} if key[1] else {}),
                **({"text": texts[key]} if texts[key] else {}),
                "count": count,
            }
            for key, count in ordered[:most]
        ]
        if rest := ordered[most:]:
            text = f"{len(rest)} more codes that are only counted"
            rows.append({"text": text, "count": sum(count for _, count in rest)})
        return rows

    def issues(self) -> list[tuple[str, str, str, None]]:
        """(severity, code, diagnostics, no expression) for an OperationOutcome; none where all is known."""
        if not self.entries:
            return []
        number = sum(self.entries.values())
        carry = "entry carries" if number == 1 else "entries carry"
        named: Counter[str] = Counter()
        for row in self.rows():
            # Words are repeated in the assessment alone.
            code = row.get("code", "without a code")
            named["|".join(filter(None, (row.get("system"), code)))] += row["count"]
        codes = ", ".join(f"{name} ({count})" for name, count in named.items())
        text = f"{number} {carry} codes that no value set has, or words alone: {codes}."
        return [("information", "informational", text, None)]


def unknown_of(entries: Iterable[Entry], terminology: Terminology) -> Unknown:
    """Of all these entries, but for those in error, and for Medications that none of them refers to."""
    is_known = cache(lambda system, code: _is_known(system, code, terminology))
    meant: set[str] = set()
    medications: list[tuple[Entry, Iterable[UnknownCode]]] = []
    carrying: Counter[str] = Counter()
    codes: Counter[UnknownCode] = Counter()

    def count(kind: str, found: Iterable[UnknownCode]) -> None:
        carrying[kind] += bool(found)
        codes.update(found)

    for entry in entries:
        # What another resource contains is counted with it.
        if entry.kind not in _PLACES or entry.contained_as:
            continue
        content = content_of(bytes(entry.raw))
        if _in_error(content, terminology):
            continue
        meant.update(_medications_of(entry.kind, content))
        found = _unknown(entry.kind, content, is_known, terminology)
        if entry.kind == "Medication":
            medications.append((entry, found))
        else:
            count(entry.kind, found)
    for entry, found in medications:
        if not meant.isdisjoint(map(_tail, entry.names)):
            count(entry.kind, found)
    return Unknown(+carrying, codes)


def _unknown(
    kind: str, content: Mapping[str, Any], is_known: Callable[[str, str], bool], terminology: Terminology
) -> Iterable[UnknownCode]:
    """The codes of the concepts of one resource of which no coding is known, each once."""
    found: dict[tuple[str, str, str], UnknownCode] = {}
    for place, concept in _concepts(kind, content, terminology):
        for one in _of_concept(place, concept, is_known):
            # The words of a medicine are read, those of no other place.
            if not one.code and place.endswith(_OF_MEDICINES) and _is_medicine(one.text, terminology):
                continue
            found.setdefault((one.system, one.code, "" if one.code else one.text), one)
    return found.values()


def _of_concept(
    place: str, concept: Mapping[str, Any], is_known: Callable[[str, str], bool]
) -> list[UnknownCode]:
    """The codes of one concept, or its words where it has none; nothing where one of them is known."""
    found: list[UnknownCode] = []
    texts = [_text(concept.get("text"))]
    for coding in _objects(concept.get("coding")):
        system, code, display = coding.get("system"), _text(coding.get("code")), _text(coding.get("display"))
        texts.append(display)
        if code and is_known(system if isinstance(system, str) else "", coding["code"]):
            return []
        if code:
            found.append(UnknownCode(place, _text(system), code, display or texts[0]))
    if not found and (text := next(filter(None, texts), "")):
        found.append(UnknownCode(place, "", "", text))
    return found


def _concepts(
    kind: str, content: Mapping[str, Any], terminology: Terminology
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each CodeableConcept that says what the resource, or one contained in it, is about, and its place."""
    holders = [(kind, kind, content)]
    for part in _at(content, "contained") if kind in _PARTS else ():
        if part.get("resourceType") in _PARTS[kind] and not _in_error(part, terminology):
            holders.append((f"{kind}.contained", part["resourceType"], part))
    for place, holder_kind, holder in holders:
        for path in _PLACES[holder_kind]:
            for value in _at(holder, path):
                inner = value.get("concept", value)
                if isinstance(inner, dict):
                    yield f"{place}.{path}", inner


def _at(content: Mapping[str, Any], path: str) -> list[Mapping[str, Any]]:
    """The objects at that path, through lists."""
    found = [content]
    for member in path.split("."):
        found = [value for holder in found if member in holder for value in _objects(holder[member])]
    return found


def _objects(value: Any) -> list[Mapping[str, Any]]:
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _medications_of(kind: str, content: Mapping[str, Any]) -> Iterator[str]:
    """What a resource, or one contained in it, refers to as its medicine or an ingredient."""
    if "Medication" not in _PARTS.get(kind, ()):
        return
    for holder in (content, *_at(content, "contained")):
        for path in (*_TO_MEDICATIONS, *_TO_INGREDIENTS):
            for reference in _at(holder, path):
                if isinstance(written := reference.get("reference"), str):
                    yield _tail(plain(written))


def _tail(name: str) -> str:
    """ "Medication/m1" of an absolute URL: a server may be written in several ways."""
    return "/".join(name.rsplit("/", 2)[-2:])


class _Statuses(msgspec.Struct):
    clinicalStatus: LooseConcept | str | None = None
    verificationStatus: LooseConcept | str | None = None


def _in_error(content: Mapping[str, Any], terminology: Terminology) -> bool:
    status = content.get("status")
    if isinstance(status, str) and status.strip().lower() in NEVER_WAS:
        return True
    if content.get("resourceType") != "Condition":
        return False
    try:
        statuses = msgspec.convert(content, _Statuses)
    except msgspec.ValidationError:
        return False
    return (
        status_of(statuses.clinicalStatus, CLINICAL, terminology.clinical) in NEVER_WAS
        or status_of(statuses.verificationStatus, VERIFICATION, terminology.verification) in NEVER_WAS
    )


def _is_known(system: str, code: str, terminology: Terminology) -> bool:
    """Whether a value set has the code, be it that of a look-alike or of what is left out."""
    concept = CodeableConcept(coding=[Coding(system, code)])
    tables = (
        terminology.analyte_codes,
        terminology.panels,
        terminology.procedures,
        terminology.asked_for,
        terminology.tobacco_status,
        terminology.left_out,
    )
    for key in keys_of(concept):
        if terminology.finding_of(key) or any(key in table for table in tables):
            return True
    named = named_by(concept, terminology.medications)
    # ACE inhibitors and angiotensin blockers are known by the beginning of their ATC code.
    return bool(named.coded or named.raises)


def _is_medicine(text: str, terminology: Terminology) -> bool:
    named = named_by(CodeableConcept(text=text), terminology.medications)
    return bool(named.written or named.raises)


def _text(value: Any) -> str:
    """A text on one line, cut; "" for anything else."""
    if not isinstance(value, str):
        return ""
    kept = value[:_READ_CHARACTERS]
    if not kept.isprintable():
        kept = "".join(character for character in kept if character.isprintable() or character.isspace())
    return " ".join(kept.split())[:_LONGEST_CHARACTERS]
