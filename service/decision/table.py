"""The decision table as values: conditions, rows, actions and thresholds.

A condition is two-valued over facts of which "unknown" is one value: a leaf is true only where the fact is
recorded as wanted, so an unknown never fires a row, and `Not` means "not recorded as present".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product

Facts = Mapping[str, str]

EXAMINED, REPORTED, ABSENT, UNKNOWN = "examined", "reported", "absent", "unknown"
TRUE, FALSE = "true", "false"
LEVELS = ("none", "info", "warning", "critical")


@dataclass(frozen=True, slots=True)
class Leaf:
    """True where the fact of that variable is one of the values."""

    variable: str
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition


Condition = Leaf | All | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Literal:
    """A leaf in a term of the disjunctive form; positive False: it must not be true."""

    variable: str
    values: frozenset[str]
    positive: bool = True

    def true_in(self, facts: Facts) -> bool:
        return (facts.get(self.variable, UNKNOWN) in self.values) is self.positive


Term = tuple[Literal, ...]


def predicate(condition: Condition) -> Callable[[Facts], bool]:
    """The condition as a function of facts, built once at start."""
    match condition:
        case Leaf(variable, values):
            return lambda facts: facts.get(variable, UNKNOWN) in values
        case Not(part):
            inner = predicate(part)
            return lambda facts: not inner(facts)
        case All(parts):
            inners = tuple(predicate(part) for part in parts)
            return lambda facts: all(inner(facts) for inner in inners)
        case AnyOf(parts):
            inners = tuple(predicate(part) for part in parts)
            return lambda facts: any(inner(facts) for inner in inners)


def terms(condition: Condition, positive: bool = True) -> tuple[Term, ...]:
    """The disjunctive form: the condition is true where every literal of one term is."""
    match condition:
        case Leaf(variable, values):
            return ((Literal(variable, values, positive),),)
        case Not(part):
            return terms(part, not positive)
        case All(parts) if positive:
            return _conjunction(terms(part) for part in parts)
        case AnyOf(parts) if not positive:
            return _conjunction(terms(part, False) for part in parts)
        case All(parts) | AnyOf(parts):
            return tuple(term for part in parts for term in terms(part, positive))


def _conjunction(parts: Iterable[tuple[Term, ...]]) -> tuple[Term, ...]:
    return tuple(
        tuple(dict.fromkeys(literal for term in choice for literal in term)) for choice in product(*parts)
    )


def variables(condition: Condition) -> frozenset[str]:
    """Every variable that the condition reads."""
    return frozenset(literal.variable for term in terms(condition) for literal in term)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Days, unless the name says years. See decision_table.yaml for what each bounds."""

    persistent_days: int
    eyelid_days: int
    rapid_weakness_days: int
    child_years: int
    finding_days: int
    future_days: int
    out_of_range_days: int
    critical_days: int
    low_b12_days: int
    thyroid_days: int
    benign_test_days: int
    study_days: int
    at_most_questions: int


class RowRole(StrEnum):
    """What the cards do because a row fires. decision_table.yaml says what each means."""

    NOTHING = "nothing"
    EXCLUDE_DISEASE = "exclude-disease"
    TREAT_TODAY = "treat-today"
    TREAT_B12 = "treat-b12"
    CAN_RAISE_POTASSIUM = "can-raise-potassium"
    NAMED = "named"


class ActionRole(StrEnum):
    """What the cards do with an action, beyond its kind. decision_table.yaml says what each means."""

    MISSING_BLOOD_TESTS = "missing-blood-tests"


# Kinds that the cards have words of their own for.
ASK, REVIEW, ADVICE = "ask", "review", "advice"


@dataclass(frozen=True, slots=True)
class Action:
    """Something a card can recommend. kind: blood, study, referral, ask, review or advice."""

    id: str
    kind: str
    analytes: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()
    done_days: int | None = None
    ordered_days: int | None = None
    repeat_abnormal: bool = False
    withheld_from_child: bool = False
    roles: frozenset[ActionRole] = frozenset()

    @property
    def is_test(self) -> bool:
        return self.kind in ("blood", "study")


@dataclass(frozen=True, slots=True)
class RowAction:
    """What a row asks for; condition None = always. `when` is the same as it was written."""

    id: str
    urgent: bool = False
    paediatric: bool = False
    condition: Callable[[Facts], bool] | None = None
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Support:
    """Claims (or anchors) a row rests on and how it reads them: stated, interpreted or addition."""

    ids: tuple[str, ...]
    reading: str
    note: str


@dataclass(frozen=True, slots=True)
class Example:
    """A patient for whom the row holds or does not; `given` in the small language of the schema."""

    title: str
    given: Mapping[str, object]
    holds: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table. `when` is its condition as written, with the rows it names put in; `terms` the
    disjunctive form of that and `holds` the function."""

    id: str
    label: str
    level: str
    actions: tuple[RowAction, ...]
    support: tuple[Support, ...]
    examples: tuple[Example, ...]
    when: Condition
    holds: Callable[[Facts], bool]
    terms: tuple[Term, ...]
    last: bool = False
    downgraded_when_tests_done: bool = False
    drug_classes: frozenset[str] = frozenset()
    roles: frozenset[RowRole] = frozenset()

    @property
    def reads(self) -> tuple[str, ...]:
        """The variables that are to be true, in the order of its condition."""
        return tuple(dict.fromkeys(x.variable for term in self.terms for x in term if x.positive))

    @property
    def reading(self) -> str:
        """How the row as a whole is read: as its first support is."""
        return self.support[0].reading

    @property
    def claims(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(claim for support in self.support for claim in support.ids))


@dataclass(frozen=True, slots=True)
class Advice:
    """One piece of self-care for a recorded trigger (None: where there is none).

    `withheld_when` is the condition of `unless` as it was written.
    """

    id: str
    trigger: str | None
    unless: Callable[[Facts], bool] | None = None
    withheld_when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to a question asked in words, as the facts it sets."""

    says: str
    sets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WordsQuestion:
    id: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    id: str
    says: str
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AskedFinding:
    """A finding that a click can answer. present: the fact that a yes gives."""

    id: str
    present: str


@dataclass(frozen=True, slots=True)
class Disorder:
    """A recorded electrolyte disorder. analyte None: which one is not said."""

    finding: str
    analyte: str | None
    low: bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The whole decision table, checked. Two tables are equal only if they are the same object."""

    thresholds: Thresholds
    electrolytes: tuple[str, ...]
    b12_analytes: tuple[str, ...]
    thyroid_analytes: tuple[str, ...]
    signs: tuple[str, ...]
    benign_signs: tuple[str, ...]
    actions: Mapping[str, Action]
    rows: tuple[Row, ...]
    removals: tuple[Removal, ...]
    self_care: tuple[Advice, ...]
    named: tuple[str, ...]
    closes_gate: tuple[str, ...]
    shown_results: tuple[str, ...]
    words: tuple[WordsQuestion, ...]
    asked: tuple[AskedFinding, ...]
    disorders: tuple[Disorder, ...]
    counts_as: Mapping[str, str]
    diagnoses: tuple[str, ...]
    _rows_by_id: Mapping[str, Row] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rows_by_id", {row.id: row for row in self.rows})

    def action_for(self, role: ActionRole) -> Action:
        """The one action of that role; the loader refuses a table without it."""
        return next(action for action in self.actions.values() if role in action.roles)

    def row(self, row_id: str) -> Row | None:
        return self._rows_by_id.get(row_id)
