"""The same cases asked of two versions of the knowledge, and what of the answers moved."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.evaluation import Evaluation
from service.knowledge import Knowledge
from tools.knowledge_diff.differences import Change, only_in_each
from tools.knowledge_diff.readable import Lines, lines

# Members of an assessment with lines of their own below (what a row rests on is told with the row), and the
# one that differs whenever a file does.
_OWN = ("level", "gate", "range", "rows", "recommendations", "withheld", "questions", "knowledgeVersion")
# Which resources of the record are meant: the ids are those of one form of the record.
_OF_THE_RECORD = ("subject", "encounter", "reasonReference")


@dataclass(frozen=True, slots=True)
class Case:
    """One record to be asked about. kind: of the count it belongs to; subject: whom it is about;
    form: how that record is written (several forms of one subject are told together)."""

    kind: str
    subject: str
    form: str
    ask: Callable[[Knowledge], Evaluation]


@dataclass(frozen=True, slots=True)
class Moved:
    """A subject whose answer moved, the same way in all those forms."""

    kind: str
    subject: str
    forms: tuple[str, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """asked: kind -> number of subjects and of records asked."""

    asked: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    moved: tuple[Moved, ...] = ()


def compared(cases: Iterable[Case], old: Knowledge, new: Knowledge) -> Comparison:
    """Every case asked of both; the answers that are not the same."""
    subjects: dict[str, set[str]] = {}
    records: Counter[str] = Counter()
    moved: dict[tuple[str, str, tuple[Change, ...]], list[str]] = {}
    for case in cases:
        subjects.setdefault(case.kind, set()).add(case.subject)
        records[case.kind] += 1
        changes = changes_between(_told(case, old), _told(case, new))
        if changes:
            moved.setdefault((case.kind, case.subject, changes), []).append(case.form)
    return Comparison(
        {kind: (len(found), records[kind]) for kind, found in subjects.items()},
        tuple(
            Moved(kind, subject, tuple(dict.fromkeys(forms)), changes)
            for (kind, subject, changes), forms in moved.items()
        ),
    )


def changes_between(old: Mapping[str, Lines], new: Mapping[str, Lines]) -> tuple[Change, ...]:
    """What of an answer moved."""
    found = []
    for facet in dict.fromkeys((*old, *new)):
        alone = only_in_each(old.get(facet, ()), new.get(facet, ()))
        if alone is not None:
            found.append(Change(facet, *alone))
        elif facet == "answer":
            # Neither gives one: nobody can say that it did not move.
            found.append(Change(facet, tuple(old[facet]), tuple(new[facet])))
    return tuple(found)


def _told(case: Case, knowledge: Knowledge) -> dict[str, Lines]:
    try:
        answer = case.ask(knowledge)
        return facets_of(answer.assessment, answer.cards)
    except Exception as error:
        # An answer that cannot be given is an answer that moved, and one more reason not to sign.
        return {"answer": (f"none: {type(error).__name__}: {error}",)}


def facets_of(assessment: Mapping[str, Any], cards: Sequence[Mapping[str, Any]]) -> dict[str, Lines]:
    """What is compared of an answer, in the order in which it is read."""
    found: dict[str, Lines] = {
        "level": (assessment["level"],),
        "range": (" to ".join(assessment["range"]),),
        "card": ("shown" if cards else f"none: {assessment['gate']['reason']}",),
        "rows": tuple(row["id"] for row in assessment["rows"]),
        "recommendations": tuple(_recommendation(item) for item in assessment["recommendations"]),
        "withheld": tuple(_line(_without(item, "reference")) for item in assessment["withheld"]),
        "questions": tuple(_line(item) for item in assessment["questions"]),
    }
    for card in cards:
        found["summary"] = (card["summary"],)
        found["detail"] = tuple(line for line in card["detail"].splitlines() if line.strip())
        found["suggestions"] = tuple(
            f"{suggestion['label']}: {_line(_without(action['resource'], *_OF_THE_RECORD))}"
            for suggestion in card.get("suggestions", ())
            for action in suggestion["actions"]
        )
        # Its uuid names the version of the knowledge, and so differs whenever a file does.
        told = ("summary", "detail", "suggestions", "extension", "uuid")
        found["rest of the card"] = lines(_without(card, *told))
    for name, value in assessment.items():
        if name == "findings":
            # Of what could be asked and nothing is recorded, the questions tell what matters.
            value = [item for item in value if item["evidence"]]
        if name not in _OWN:
            found[f"assessment, {name}"] = tuple(map(_line, value if isinstance(value, list) else [value]))
    return found


def _recommendation(item: Mapping[str, Any]) -> str:
    tests = f" ({', '.join(item['analytes'])})" if item["analytes"] else ""
    routine = ", ordered as routine" if item.get("orderedAsRoutine") else ""
    return f"{item['urgency']} {item['id']}{tests}{routine}, because of {', '.join(item['because'])}"


def _without(members: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in names}


def _line(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
