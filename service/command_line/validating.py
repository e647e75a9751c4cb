"""What of a document is read and what is not, with its places; and the codes that no value set knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_mappings.request.documents import kind_of
from fhir_mappings.request.json_body import UnreadableBody
from fhir_mappings.resources.select import KINDS
from fhir_mappings.resources.validation import validation_issues
from fhir_mappings.to_findings.unknown_codes import UnknownCode, unknown_codes
from service.command_line.deciding import Deciding, Refused, places_of
from service.command_line.inputs import Document
from service.command_line.texts import harmless, indented, table

# Read where another resource refers to them.
_READ = KINDS | {"Medication", "BodyStructure"}


@dataclass(frozen=True, slots=True)
class Fault:
    """sort: "not understood", "not used" or "not valid FHIR". place: "file:line", or "" if not found."""

    sort: str
    reference: str
    expression: str
    place: str
    why: str


@dataclass(frozen=True, slots=True)
class Validated:
    """resources: type -> how many. read: of those, the types that are read. not_seen: prefetch keys."""

    source: str
    resources: Mapping[str, int]
    not_seen: Sequence[str]
    faults: Sequence[Fault]
    unknown: Counter[UnknownCode]
    refused: str = ""

    @property
    def is_whole(self) -> bool:
        return not self.faults and not self.refused


def validated(document: Document, deciding: Deciding) -> Validated:
    """All of it, also where it cannot be decided. Raises Refused where it cannot even be read."""
    request = deciding.request(document)
    submission = request.submission
    notes: list[tuple[str, str, str | None, str]] = []
    refused, not_seen = "", list(submission.not_seen)
    try:
        assessment = deciding.answer(request).assessment
        not_seen = assessment["notSeen"]
        for sort, member in (("not understood", "notUnderstood"), ("not used", "notUsed")):
            notes += [
                (sort, one["reference"], one.get("expression"), one["why"]) for one in assessment[member]
            ]
    except Refused as error:
        refused = str(error)
    told = {(reference, why) for _, reference, _, why in notes}
    for severity, _, says, expression in validation_issues(submission):
        # What is no resource at all was told of already.
        if severity == "error" and (expression, says) not in told:
            notes.append(("not valid FHIR", expression or "", None, says))
    places = places_of(document, {(reference, expression) for _, reference, expression, _ in notes})
    return Validated(
        document.source,
        Counter(_kinds(entry.raw for entry in submission.entries)),
        not_seen,
        [
            Fault(sort, reference, expression or "", places.get((reference, expression), ""), why)
            for sort, reference, expression, why in notes
        ],
        Counter(unknown_codes(submission, deciding.knowledge.terminology)),
        refused,
    )


def _kinds(entries: Iterator[Any]) -> Iterator[str]:
    for raw in entries:
        try:
            yield kind_of(bytes(raw)) or "no type"
        except UnreadableBody:
            yield "no type"


def text_of(found: Validated) -> str:
    """What one reads of a document."""
    counted = [(kind, harmless(f"{count} {kind}")) for kind, count in sorted(found.resources.items())]
    read = [says for kind, says in counted if kind in _READ]
    other = [says for kind, says in counted if kind not in _READ]
    lines = [harmless(found.source)]
    lines += indented([f"read: {', '.join(read) or 'nothing'}"], 2)
    if other:
        lines += indented([f"of types that are not read: {', '.join(other)}"], 2)
    if found.not_seen:
        lines += indented([f"not seen: {', '.join(found.not_seen)}"], 2)
    if found.refused:
        lines += indented([f"cannot be decided: {harmless(found.refused)}"], 2)
    if found.is_whole:
        lines += indented(["all of it can be used"], 2)
    for sort in ("not understood", "not used", "not valid FHIR"):
        faults = [fault for fault in found.faults if fault.sort == sort]
        if faults:
            rows = [(fault.place or "-", " ".join(_path(fault)), fault.why) for fault in faults]
            lines += ["", *indented(table((sort, "path", "why"), rows).splitlines(), 2)]
    return "\n".join(lines) + "\n"


def _path(fault: Fault) -> Iterator[str]:
    yield fault.reference
    if fault.expression and fault.expression != fault.reference:
        yield fault.expression


def codes_text(unknown: Counter[UnknownCode], *, displays: bool) -> str:
    """The codes that no value set knows, the most frequent first."""
    heads = ("count", "place", "system", "code")
    counted: Counter[tuple[str, ...]] = Counter()
    for one, count in unknown.items():
        row = (one.place, one.system or "-", one.code or "(words alone)")
        counted[(*row, one.display) if displays else row] += count
    if not counted:
        return "Every code is known to a value set.\n"
    rows = [
        (str(count), *row) for row, count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    ]
    return "Codes that no value set knows\n" + table((*heads, "display") if displays else heads, rows)


def json_of(found: Validated, *, displays: bool) -> dict[str, Any]:
    """The same for programs."""
    counted = found.unknown.most_common()
    return {
        "source": found.source,
        "resources": dict(found.resources),
        "notSeen": list(found.not_seen),
        **({"refused": found.refused} if found.refused else {}),
        "faults": [
            {
                "sort": fault.sort,
                "reference": fault.reference,
                **({"expression": fault.expression} if fault.expression else {}),
                **({"place": fault.place} if fault.place else {}),
                "why": fault.why,
            }
            for fault in found.faults
        ],
        "unknownCodes": [
            {
                "place": one.place,
                "system": one.system,
                "code": one.code,
                **({"display": one.display} if displays else {}),
                "count": count,
            }
            for one, count in counted
        ],
    }
