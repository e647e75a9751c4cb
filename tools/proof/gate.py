"""The gate: every combination of what section 2 names, through the real `decide`."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from fhir_mappings.record import Basis, Finding, Note, Record, Status
from service.decision import decide
from service.decision.table import Table
from tools.proof.cases import base
from tools.proof.ledger import Ledger

PROMISE = "the gate"
_UNREAD = Note("Bundle.entry[0]", "has no resourceType")
LISTS = ("conditions", "findings", "labs", "medications")

# How a diagnosis that closes the gate can be recorded; what was is history and reads as unknown.
RECORDED = {
    "not recorded": None,
    "confirmed": Finding("", Status.PRESENT, Basis.EXAMINED),
    "suspected": Finding("", Status.PRESENT, Basis.REPORTED, suspected=True),
    "refuted": Finding("", Status.ABSENT, Basis.EXAMINED),
    "history": Finding("", Status.UNKNOWN),
}


def check_gate(table: Table, ledger: Ledger) -> None:
    """Twitch x each closing diagnosis x deceased x what was seen x whether something could not be read."""
    blank = base(conditions_seen=True)
    asked = 0
    names = table.closes_gate
    unseen = [tuple(lists) for lists in product(*(((), (name,)) for name in LISTS))]
    for twitch, recorded, deceased, missing, unread in product(
        Status, product(RECORDED, repeat=len(names)), (False, True), unseen, ((), (_UNREAD,))
    ):
        asked += 1
        not_seen = tuple(name for lists in missing for name in lists)
        state = {"twitch": twitch, **dict(zip(names, recorded, strict=True)), "deceased": deceased}
        record: Record = replace(
            blank,
            twitch=replace(blank.twitch, status=twitch),
            patient=replace(blank.patient, deceased=deceased),
            findings={
                name: replace(found, id=name)
                for name, how in zip(names, recorded, strict=True)
                if (found := RECORDED[how]) is not None
            },
            not_seen=not_seen,
            unread=unread,
        )
        if deceased:
            expected = "deceased"
        elif "confirmed" in recorded:
            expected = "known-disease"
        elif twitch is Status.PRESENT:
            expected = ""
        elif {"conditions", "findings"} & set(not_seen):
            expected = "unseen"
        else:
            expected = "unread" if unread else "no-twitch"
        told = {**state, "not seen": not_seen, "unread": bool(unread)}
        _compare(table, record, told, expected, ledger)
    ledger.cover(PROMISE, f"twitch, {', '.join(names)}, death, what was seen and read", asked, "exhaustive")


def _compare(table: Table, record: Record, state: dict[str, object], expected: str, ledger: Ledger) -> None:
    try:
        # An open gate is told without its questions, which take long and have a walk of their own.
        found = decide(record, replace(table, asked=(), words=()))
    except Exception as error:
        ledger.violate("total", "decide", state, "a decision", repr(error))
        return
    ledger.check(found.gate == expected, PROMISE, "gate", state, repr(expected), repr(found.gate))
    closed = found.level == "none" and not (found.rows or found.recommendations or found.questions)
    ledger.check(
        closed is bool(found.gate), PROMISE, "level", state, "a level if, and only if, open", found.level
    )
    named = {name for name in table.closes_gate if state[name] == "suspected"}
    ledger.check(
        bool(found.gate) or set(found.suspected) == named,
        PROMISE,
        "suspected",
        state,
        f"names {sorted(named)}",
        found.suspected,
    )
