"""Validate a document: which parts are used, which are not, and which codes no value set knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fhir_mappings.request.documents import kind_of
from fhir_mappings.request.json_body import InvalidBody
from fhir_mappings.resources.select import KINDS
from fhir_mappings.resources.validation import validation_issues
from fhir_mappings.to_findings.unknown_codes import UnknownCode, unknown_of
from service.command_line.inputs import Document
from service.command_line.terminal import harmless, indented, table
from service.errors import CannotDecide
from service.evaluation import Evaluator, read_bundle

# Medication and BodyStructure are read where another resource refers to them.
_READ_TYPES = KINDS | {"Medication", "BodyStructure"}
_SORTS = ("not understood", "not used", "not valid FHIR")


@dataclass(frozen=True, slots=True)
class Fault:
    """sort: one of `_SORTS`. expression: FHIRPath within the resource, or ""."""

    sort: str
    reference: str
    expression: str
    why: str


@dataclass(frozen=True, slots=True)
class Validation:
    """resources: how many of each type. not_seen: prefetch keys. refused: why there is no decision, or ""."""

    source: str
    resources: Mapping[str, int]
    not_seen: Sequence[str]
    faults: Sequence[Fault]
    unknown: Counter[UnknownCode]
    refused: str

    @property
    def is_whole(self) -> bool:
        """Whether everything in the document is used, and every code is known."""
        return not self.faults and not self.refused and not self.unknown


def validated(document: Document, evaluator: Evaluator, as_of: date | None) -> Validation:
    """The validation of a document, also of one that is not about one patient.

    Raises:
        RequestError: The document cannot be read.
    """
    faults: list[Fault] = []
    refused, unknown = "", None
    try:
        evaluation = document.evaluated(evaluator, as_of)
        submission, not_seen = evaluation.submission, evaluation.assessment["notSeen"]
        unknown = evaluation.unknown
        for sort, member in zip(_SORTS, ("notUnderstood", "notUsed"), strict=False):
            for note in evaluation.assessment[member]:
                faults.append(Fault(sort, note["reference"], note.get("expression", ""), note["why"]))
    except CannotDecide as error:
        refused, submission = str(error), read_bundle(document.body)
        not_seen = submission.not_seen
    # Of no one patient: every entry counts.
    unknown = unknown or unknown_of(submission.entries, evaluator.knowledge.terminology)
    known = {(fault.reference, fault.why) for fault in faults}
    for severity, _, why, expression in validation_issues(submission):
        # An entry that is no resource at all is not understood already.
        if severity == "error" and (expression, why) not in known:
            faults.append(Fault("not valid FHIR", expression or "", "", why))
    return Validation(
        document.source,
        Counter(_types(entry.raw for entry in submission.entries)),
        not_seen,
        faults,
        Counter(unknown.codes),
        refused,
    )


def _types(entries: Iterator[Any]) -> Iterator[str]:
    for raw in entries:
        try:
            yield kind_of(bytes(raw)) or "no type"
        except InvalidBody:
            yield "no type"


def text_of(validation: Validation) -> str:
    """The validation as text."""
    counts = [(kind, harmless(f"{count} {kind}")) for kind, count in sorted(validation.resources.items())]
    read = [text for kind, text in counts if kind in _READ_TYPES]
    other = [text for kind, text in counts if kind not in _READ_TYPES]
    lines = [f"read: {', '.join(read) or 'nothing'}"]
    if other:
        lines.append(f"of types that are not read: {', '.join(other)}")
    if validation.not_seen:
        lines.append(f"not seen: {', '.join(validation.not_seen)}")
    if validation.refused:
        lines.append(f"cannot be decided: {harmless(validation.refused)}")
    if validation.is_whole:
        lines.append("all of it can be used")
    if unknown := validation.unknown.total():
        lines.append(f"not recognised: {unknown} {'code' if unknown == 1 else 'codes'}, listed below")
    for sort in _SORTS:
        rows = [
            (" ".join(filter(None, (fault.reference, fault.expression))), fault.why)
            for fault in validation.faults
            if fault.sort == sort
        ]
        if rows:
            lines += ["", *table((sort, "why"), rows).splitlines()]
    return "\n".join([harmless(validation.source), *indented(lines, 2)]) + "\n"


def codes_text(unknown: Counter[UnknownCode], *, displays: bool) -> str:
    """The codes that no value set knows, the most frequent first."""
    heads = ("count", "place", "system", "code")
    counts: Counter[tuple[str, ...]] = Counter()
    for unknown_code, count in unknown.items():
        row = (unknown_code.place, unknown_code.system or "-", unknown_code.code or "(words alone)")
        counts[(*row, unknown_code.text) if displays else row] += count
    if not counts:
        return "Every code is known to a value set.\n"
    rows = [(str(count), *row) for row, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    return "Codes that no value set knows\n" + table((*heads, "display") if displays else heads, rows)


def json_of(validation: Validation, *, displays: bool) -> dict[str, Any]:
    """The validation as JSON."""
    return {
        "source": validation.source,
        "resources": dict(validation.resources),
        "notSeen": list(validation.not_seen),
        **({"refused": validation.refused} if validation.refused else {}),
        "faults": [
            {
                "sort": fault.sort,
                "reference": fault.reference,
                **({"expression": fault.expression} if fault.expression else {}),
                "why": fault.why,
            }
            for fault in validation.faults
        ],
        "unknownCodes": [
            {
                "place": unknown_code.place,
                "system": unknown_code.system,
                "code": unknown_code.code,
                **({"display": unknown_code.text} if displays else {}),
                "count": count,
            }
            for unknown_code, count in validation.unknown.most_common()
        ],
    }
