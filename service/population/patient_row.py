"""The resources of one patient -> one plain row: what patient-view would answer, and what was not read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from fhir_mappings.record import Basis, Days, Note
from fhir_mappings.request.documents import bundle_of
from fhir_mappings.resources.budget import Budget, OverBudget, within
from fhir_mappings.resources.fhir_version import in_r4
from fhir_mappings.resources.submission import KEYS_OF_TYPE, NEVER_MISSED, PatientError, Submission, newest
from fhir_mappings.to_findings import RecordReader
from fhir_mappings.to_findings.known_concepts import UnknownCodes
from service.decision import Decision, decide
from service.decision.recommendations import Recommendation, Withheld
from service.decision.table import ActionRole, Table
from service.errors import RequestError
from service.evaluation import Evaluation, Evaluator, read_bundle

# Years of age: from this birthday on.
AGE_BANDS = {0: "0-17", 18: "18-39", 40: "40-59", 60: "60-79", 80: "80+"}
NO_AGE = "unknown"
NO_CARD = "none"
OPEN, IN_WORDS, DECEASED = "open", "in-words", "deceased"
_INDEX = re.compile(r"\[\d+\]")
_BUNDLE_PLACE = re.compile(r"Bundle\.entry\.resource\.?")

Row = dict[str, Any]


@dataclass(slots=True)
class Study:
    """How each patient is decided.

    types: of all resources of the export, whoever's: a type that the export lacks was not supplied.
    whole: Read the whole record also where the gate is closed; about five times the work.
    """

    evaluator: Evaluator
    as_of: date
    types: frozenset[str]
    whole: bool = False
    limits: Budget = field(default_factory=Budget)
    unknown: UnknownCodes = field(init=False)
    not_seen: tuple[str, ...] = field(init=False)
    _tables: dict[str, Table] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.unknown = UnknownCodes(self.evaluator.knowledge.terminology)
        supplied = set(map(in_r4, self.types))
        self.not_seen = tuple(
            key
            for kind, keys in KEYS_OF_TYPE.items()
            for key in keys
            if kind not in supplied and key not in NEVER_MISSED
        )

    def without(self, row_id: str) -> Table:
        """The decision table with that row switched off, as KNOWLEDGE_OVERLAY would."""
        if row_id not in self._tables:
            table = self.evaluator.knowledge.table
            rows = tuple(row for row in table.rows if row.id != row_id)
            off = tuple(row for row in table.rows if row.id == row_id)
            self._tables[row_id] = replace(table, rows=rows, rows_off=(*table.rows_off, *off))
        return self._tables[row_id]


def patient_row(patient_id: str, resources: Sequence[bytes], study: Study) -> Row:
    """Decide one patient as the hook patient-view does, from all resources of the patient.

    Args:
        resources: JSON, the Patient among them; the order does not matter.

    Returns:
        `patient`, and `refused` with the reason where there is no decision. Otherwise `level` ("none": no
        card), `gate` ("open", or why it is closed), `age`, `rows`, `recommendations`, `examined`, `without`
        (row -> the level with that row off), `unknown` and `notes`, both as lists.
    """
    try:
        with within(study.limits):
            submission = replace(
                read_bundle(bundle_of(sorted(resources))), not_seen=study.not_seen, patient_id=patient_id
            )
            evaluation = study.evaluator.evaluate(
                submission, study.as_of, hook_instance=patient_id, assessed=False
            )
            notes = _notes(evaluation, study)
            unknown = _unknown(submission, study)
    except OverBudget as error:
        return _refused(patient_id, f"more than {error.setting} allows")
    except (RequestError, PatientError):
        return _refused(patient_id, "cannot be read as a Bundle of one patient")
    decision = evaluation.decision
    return {
        "patient": patient_id,
        "level": _level(evaluation),
        "gate": _gate(evaluation),
        "age": age_band(decision.record.patient.born, study.as_of),
        "rows": [row.id for row in decision.rows],
        "recommendations": [made.id for made in decision.recommendations],
        "examined": _examined(decision, study.evaluator.knowledge.table),
        "without": _levels_without(decision, study),
        "unknown": unknown,
        "notes": notes,
    }


def _refused(patient_id: str, why: str) -> Row:
    return {"patient": patient_id, "refused": why}


def _level(evaluation: Evaluation) -> str:
    """The indicator of the card."""
    return str(evaluation.cards[0]["indicator"]) if evaluation.cards else NO_CARD


def _gate(evaluation: Evaluation) -> str:
    """ "in-words" where a card names words that may record a twitch."""
    gate = evaluation.decision.gate or OPEN
    return IN_WORDS if gate == "unread" and evaluation.cards else gate


def _examined(decision: Decision, table: Table) -> str:
    """ "never", "partly" or "done" for a twitch; "" where there is none to decide about.

    never: no sign is known by an examination that counts today. done: the card asks for no examination.
    """
    if not decision.open:
        return ""
    asked = table.action_for(ActionRole.EXAMINATION).id
    made: tuple[Recommendation | Withheld, ...] = (*decision.recommendations, *decision.withheld)
    if all(one.id != asked for one in made):
        return "done"
    known = (decision.record.finding(name).basis for name in table.signs)
    return "partly" if Basis.EXAMINED in known else "never"


def _levels_without(decision: Decision, study: Study) -> dict[str, str]:
    """Row that fired -> the level with it switched off, where that is another one."""
    if not decision.open:
        return {}
    levels = {row.id: decide(decision.record, study.without(row.id)).level for row in decision.rows}
    return {name: level for name, level in levels.items() if level != decision.level}


def _notes(evaluation: Evaluation, study: Study) -> list[list[Any]]:
    """[type, place, why, how often], sorted, of what was read for the decision."""
    record = evaluation.decision.record
    if study.whole and not evaluation.decision.open:
        knowledge = study.evaluator.knowledge
        reader = RecordReader(evaluation.submission, knowledge.terminology, study.as_of, knowledge.reading)
        reader.findings()
        record = reader.record()
    counts: Counter[tuple[str, str, str]] = Counter()
    for note in record.not_understood:
        counts[(*_place(note), note.why)] += note.count
    return [[*key, count] for key, count in sorted(counts.items())]


def _place(note: Note) -> tuple[str, str]:
    """Type and FHIRPath without the numbers of a list and without an id."""
    kind = note.reference.partition("/")[0] if "/" in note.reference else ""
    kind = kind if kind.isalpha() else ""
    place = _BUNDLE_PLACE.sub("", _INDEX.sub("", note.expression or ""))
    return kind, place or kind


def _unknown(submission: Submission, study: Study) -> list[list[Any]]:
    """[type, system, code, display, how many resources], sorted; "" as code: words alone, left out."""
    entries = [
        entry for of_kind in newest(submission.entries).values() for entry in of_kind.values() if entry.kind
    ]
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for unknown, count in study.unknown.of(entries).items():
        kind = unknown.place.partition(".")[0]
        # Words may hold anything, such as a name.
        counts[(kind, unknown.system, unknown.code, unknown.text if unknown.code else "")] += count
    return [[*key, count] for key, count in sorted(counts.items())]


def age_band(born: Days, as_of: date) -> str:
    """The band by the latest possible birthday."""
    day = born.latest or born.earliest
    if day is None or day > as_of:
        return NO_AGE
    years = as_of.year - day.year - ((as_of.month, as_of.day) < (day.month, day.day))
    return [label for start, label in AGE_BANDS.items() if years >= start][-1]
