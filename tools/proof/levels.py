"""What a row may ask for at its level, and which rows each sign must fire. Sections 3 and 4 of the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fhir_mappings.terminology import FindingDefinition
from service.decision.table import EXAMINED, FALSE, REPORTED, Row, Table
from tools.proof.ledger import Ledger
from tools.proof.rows import RowTable

# What section 3 lets stand at info: a medicine, a known condition, age, the family.
BACKGROUND = ("diagnosis", "trigger", "family")


def check_levels(
    table: Table, truths: Iterable[RowTable], findings: Mapping[str, FindingDefinition], ledger: Ledger
) -> None:
    """Each row against the meaning of its level, and each sign against silence."""
    truths = tuple(truths)
    for truth in truths:
        if not truth.row.last:
            _level(table, truth, findings, ledger)
        _self_care(table, truth, ledger)
    _no_silent_sign(table, truths, findings, ledger)
    ledger.cover(
        "a level says what section 3 says",
        f"{len(truths)} rows by kind of operand",
        sum(len(truth.holds) for truth in truths),
        "read off the truth table of each row",
    )


def _is_medicine(variable: str) -> bool:
    return variable.startswith(("drug ", "current "))


def _level(table: Table, truth: RowTable, findings: Mapping[str, FindingDefinition], ledger: Ledger) -> None:
    row = truth.row

    def background(variable: str) -> bool:
        definition = findings.get(variable)
        return (
            _is_medicine(variable)
            or variable == "child-age"
            or (definition is not None and definition.kind in BACKGROUND)
        )

    def without(unwanted: Iterable[str]) -> dict[str, str] | None:
        gone = set(unwanted)
        fixed = {v: d[1] for v, d in zip(truth.variables, truth.domains, strict=True) if v in gone}
        return truth.example(True, fixed)

    kinds = {table.actions[action.id].kind for action in row.actions}
    urgent = any(action.urgent for action in row.actions)
    ledger.check(
        urgent is (row.level == "critical"),
        "no critical without an urgent action",
        row.id,
        {},
        "critical if, and only if, it asks for something urgent",
        f"{row.level}, {'urgent' if urgent else 'nothing urgent'}",
    )
    if row.level == "info":
        ledger.check(
            not kinds & {"study", "referral"},
            "info asks for blood tests at most",
            row.id,
            {},
            "no study and no referral",
            sorted(kinds),
        )
        alone = without(filter(background, truth.variables))
        if alone is not None:
            ledger.violate("a feature is no mere info", row.id, alone, "warning or critical", "info")
    else:
        only = without(v for v in truth.variables if not background(v))
        if only is not None and not kinds & {"study", "referral"}:
            ledger.violate("a medicine or a known condition is info", row.id, only, "info", row.level)
        medicine = without(v for v in truth.variables if not _is_medicine(v))
        if medicine is not None:
            ledger.violate("a medicine or a known condition is info", row.id, medicine, "info", row.level)
    medicines = without(v for v in truth.variables if not _is_medicine(v))
    if medicines is not None and "review" not in kinds:
        ledger.violate(
            "a medicine is its prescriber's", row.id, medicines, "medication review", sorted(kinds)
        )


def _self_care(table: Table, truth: RowTable, ledger: Ledger) -> None:
    if not _asks(table, truth.row, "advice"):
        return
    for sign in table.signs:
        for basis in (REPORTED, EXAMINED):
            found = truth.example(True, {sign: basis} if sign in truth.variables else {})
            if found is not None:
                state = {**found, sign: basis}
                ledger.violate("no self-care beside a sign", truth.row.id, state, "no advice", "advice")
    ledger.check(
        "no-critical-row" in truth.variables and truth.example(True, {"no-critical-row": FALSE}) is None,
        "no self-care beside a critical row",
        truth.row.id,
        {"no-critical-row": FALSE},
        "no advice",
        "advice",
    )


def _asks(table: Table, row: Row, kind: str) -> bool:
    return any(table.actions[action.id].kind == kind for action in row.actions)


def _no_silent_sign(
    table: Table,
    truths: tuple[RowTable, ...],
    findings: Mapping[str, FindingDefinition],
    ledger: Ledger,
) -> None:
    """A sign alone warns; one that does not stop self-care by itself must be critical, which does."""
    signs = dict.fromkeys((*table.signs, *(f.id for f in findings.values() if f.kind == "sign")))
    for sign in signs:
        wanted = {"warning", "critical"} if sign in table.signs else {"critical"}
        for basis in (REPORTED, EXAMINED):
            fired = {truth.row.level for truth in truths if _fires_alone(truth, sign, basis)}
            ledger.check(
                bool(wanted & fired),
                "a sign is never silent",
                sign,
                {sign: basis},
                f"a row of {' or '.join(sorted(wanted))}",
                sorted(fired),
            )


def _fires_alone(truth: RowTable, finding: str, value: str) -> bool:
    if finding not in truth.variables or truth.row.last:
        return False
    others = zip(truth.variables, truth.domains, strict=True)
    return truth.slice({name: value if name == finding else values[0] for name, values in others}) == b"\1"
