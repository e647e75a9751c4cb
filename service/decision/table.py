"""The decision table as values: conditions, rows, actions and thresholds.

A condition is two-valued over facts of which "unknown" is one value: a leaf is true only where the fact is
recorded as wanted, so an unknown never fires a row, and `Not` means "not recorded as present".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import partial
from itertools import chain, product
from typing import NamedTuple

Facts = Mapping[str, str]

EXAMINED, LISTED, REPORTED = "examined", "listed", "reported"
# Absent on examination, and absent by a list or a report: only the first settles a sign.
ABSENT, ABSENT_NOT_EXAMINED, UNKNOWN = "absent", "absent-not-examined", "unknown"
TRUE, FALSE = "true", "false"
# The feature of a twitch that is a bulbar sign by itself.
TONGUE_SITE = "tongue-site"
PRESENT = frozenset({EXAMINED, LISTED, REPORTED})
LEVELS = ("none", "info", "warning", "critical")
# What a row may say instead of a level: info where the examination is normal, else warning; warning while an
# action of the row remains, else info.
CALM, UNTIL_DONE = "calm", "until-done"
ROUTINE, URGENT, NOW = "routine", "urgent", "now"
URGENCIES = (ROUTINE, URGENT, NOW)


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


class Literal(NamedTuple):
    """A leaf in a term of the disjunctive form; positive False: it must not be true."""

    variable: str
    values: frozenset[str]
    positive: bool = True


Term = tuple[Literal, ...]


def true_terms(alternatives: Iterable[Term], facts: Facts) -> list[Term]:
    """Those terms of which every literal is true."""
    found = []
    for term in alternatives:
        for variable, values, positive in term:
            if (facts.get(variable, UNKNOWN) in values) is not positive:
                break
        else:
            found.append(term)
    return found


def fired_rows(rows: Iterable[Row], facts: Facts) -> dict[str, Row]:
    """Those rows whose condition is true, by their id."""
    found = {}
    for row in rows:
        for term in row.terms:
            for variable, values, positive in term:
                if (facts.get(variable, UNKNOWN) in values) is not positive:
                    break
            else:
                found[row.id] = row
                break
    return found


def predicate(condition: Condition) -> Callable[[Facts], bool]:
    """The condition as a function of facts, built once at start."""
    alternatives = terms(condition)
    return lambda facts: bool(true_terms(alternatives, facts))


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
    """Days, unless the name says otherwise. See decision_table.yaml for what each bounds."""

    persistent_days: int
    eyelid_days: int
    rapid_weakness_days: int
    child_years: int
    small_child_years: int
    old_years: int
    new_onset_days: int
    sudden_days: int
    finding_days: int
    future_days: int
    symptom_before_onset_days: int
    symptom_days: int
    absence_before_record_days: int
    acute_days: int
    acute_named_days: int
    antidepressant_stopped_days: int
    critical_days: int
    out_of_range_days: int
    recent_result_days: int
    long_result_days: int
    calm_test_days: int
    study_days: int
    now_result_days: int
    return_days: int
    return_at_least_days: int
    at_most_questions: int


class RowRole(StrEnum):
    """What the cards do because a row fires. decision_table.yaml says what each means."""

    BENIGN = "benign"
    NOTHING = "nothing"
    EXCLUDE_DISEASE = "exclude-disease"
    NAMED = "named"
    TREATING_TEAM = "treating-team"
    CHILD = "child"


class ActionRole(StrEnum):
    """What is done with an action, beyond its kind. decision_table.yaml says what each means."""

    EXAMINATION = "examination"
    ACT_ON_RESULT = "result"
    EMERGENCY = "emergency"
    MEDICATION_REVIEW = "review"
    SELF_CARE = "care"
    RE_EXAMINE = "again"
    REFERRAL = "referral"
    MISSING_BLOOD_TESTS = "missing-blood-tests"


# Kinds of actions, and of orders.
ORDER, RESULT, ADVICE, ASK = "order", "result", "advice", "ask"
BLOOD, STUDY, REFERRAL = "blood", "study", "referral"


@dataclass(frozen=True, slots=True)
class Action:
    """Something a card can recommend. kind: order, result, advice or ask; order: blood, study or referral."""

    id: str
    kind: str
    order: str | None = None
    analytes: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()
    done_days: int | None = None
    ordered_days: int | None = None
    repeat_abnormal: bool = False
    withheld_from_child: bool = False
    withheld_beside_now: bool = False
    withheld_beside_urgent: bool = False
    can_be_ordered: bool = True
    roles: frozenset[ActionRole] = frozenset()
    is_test: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_test", self.order in (BLOOD, STUDY))

    @property
    def ordered_as(self) -> tuple[str, ...]:
        """What an order of it can name: its analytes, the studies of a test, or itself."""
        return self.analytes or (self.studies if self.is_test else ()) or (self.id,)


@dataclass(frozen=True, slots=True, eq=False)
class RowAction:
    """What a row asks for; condition None = always. `when` is the same as it was written.

    weeks: of a re-examination, in how many. consider: to be considered, not simply done.
    findings: to examine.
    """

    id: str
    urgency: str = ROUTINE
    paediatric: bool = False
    weeks: int | None = None
    consider: bool = False
    findings: tuple[str, ...] = ()
    condition: Callable[[Facts], bool] | None = None
    when: Condition | None = None


def _never(facts: Facts) -> bool:
    return False


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


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One row of the table. `when` is its condition as written, with the rows it names put in; `terms` the
    disjunctive form of that, `holds` the function, and `reads` the variables that are to be true.
    depends_on: the variables that what becomes of its actions can depend on.

    level: a level, "calm" or "until-done". asks_nothing: whether it is a result, a poisoning or a
    withdrawal.
    supports_studies: while it fires, no draft order of a study is called unsupported.
    """

    id: str
    label: str
    level: str
    actions: tuple[RowAction, ...]
    support: tuple[Support, ...]
    examples: tuple[Example, ...]
    when: Condition
    terms: tuple[Term, ...]
    last: bool = False
    asks_nothing: Callable[[Facts], bool] = _never
    supports_studies: bool = False
    beside_benign: bool = False
    drug_classes: frozenset[str] = frozenset()
    roles: frozenset[RowRole] = frozenset()
    reads: tuple[str, ...] = field(init=False)
    depends_on: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        wanted = (literal.variable for term in self.terms for literal in term if literal.positive)
        object.__setattr__(self, "reads", tuple(dict.fromkeys(wanted)))
        depends_on = {"child-age"}.union(variables(self.when), *(asked.findings for asked in self.actions))
        object.__setattr__(self, "depends_on", frozenset(depends_on))

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
class AskedQuestion:
    """A question of section 5: about findings (present or absent), or answered in words.

    order: the lowest first. on_card: when it may be on a card. in_range: its findings count for the range of
    levels. always_beside_now: asked beside a referral for today that rests on weakness, whatever it changes.
    """

    id: str
    order: int
    findings: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    on_card: Callable[[Facts], bool] = field(default=lambda facts: True)
    on_critical_card: bool = False
    on_card_when: Condition | None = None
    in_range: bool = False
    always_beside_now: bool = False
    # Every fact that an answer sets.
    sets: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sets", frozenset(chain(*[answer.sets for answer in self.answers])))


@dataclass(frozen=True, slots=True)
class ResultFact:
    """A fact about results: whether one of those analytes is in that state, so many days old.

    state: out-of-range, low, high or critical. below: its value is less, in the canonical unit.
    """

    analytes: frozenset[str]
    state: str | None
    from_days: int
    at_most_days: int
    below: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CriticalBeside:
    """A limit of an analyte, in its canonical unit, below which a result is critical beside a finding."""

    low: Decimal
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    id: str
    says: str
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AskedFinding:
    """A finding that a click can answer. present, absent: the facts that a yes and a no give."""

    id: str
    present: str
    absent: str


@dataclass(frozen=True, slots=True)
class Disorder:
    """A recorded electrolyte disorder. analyte None: which one is not said."""

    finding: str
    analyte: str | None
    low: bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The whole decision table, checked. Two tables are equal only if they are the same object.

    definitions are put into the conditions that name them.
    """

    thresholds: Thresholds
    electrolytes: tuple[str, ...]
    signs: tuple[str, ...]
    benign_signs: tuple[str, ...]
    benign_ignores: frozenset[str]
    actions: Mapping[str, Action]
    rows: tuple[Row, ...]
    removals: tuple[Removal, ...]
    self_care: tuple[Advice, ...]
    named: tuple[str, ...]
    closes_gate: tuple[str, ...]
    shown_results: tuple[str, ...]
    long_analytes: frozenset[str]
    result_facts: Mapping[str, tuple[ResultFact, ...]]
    questions: tuple[AskedQuestion, ...]
    asked: Mapping[str, AskedFinding]
    disorders: tuple[Disorder, ...]
    counts_as: Mapping[str, str]
    triggers: frozenset[str]
    acute: frozenset[str]
    history_signs: tuple[str, ...]
    critical_beside: Mapping[str, CriticalBeside]
    electrolytes_with_drafts_of: frozenset[str]
    # Rows that a site switched off: texts may name them, nothing decides by them.
    rows_off: tuple[Row, ...] = ()
    # The rows read first, and those that read what the first ask for.
    ordinary_rows: tuple[Row, ...] = field(init=False, repr=False)
    last_rows: tuple[Row, ...] = field(init=False, repr=False)
    # Variable -> values -> the ordinary rows that ask for one of those, by their id.
    readers: Mapping[str, Mapping[frozenset[str], Mapping[str, Row]]] = field(init=False, repr=False)
    # Analyte -> the facts about its results, by name.
    facts_about: Mapping[str, Sequence[tuple[str, ResultFact]]] = field(init=False, repr=False)
    # Variables that the level and the last rows read.
    read_last: Set[str] = field(init=False, repr=False)
    # The findings that questions ask about, in their order.
    asked_findings: tuple[str, ...] = field(init=False, repr=False)
    # The classes of medicines that a row reads.
    drug_classes: frozenset[str] = field(init=False, repr=False)
    _rows_by_id: Mapping[str, Row] = field(init=False, repr=False)
    _actions_by_role: Mapping[ActionRole, Action] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        put = partial(object.__setattr__, self)
        put("_rows_by_id", {row.id: row for row in self.rows})
        put("ordinary_rows", tuple(row for row in self.rows if not row.last))
        put("last_rows", tuple(row for row in self.rows if row.last))
        put("read_last", {"examined-normal"}.union(*(variables(row.when) for row in self.last_rows)))
        readers: dict[str, dict[frozenset[str], dict[str, Row]]] = {}
        for row in self.ordinary_rows:
            for variable, values, _ in chain.from_iterable(row.terms):
                readers.setdefault(variable, {}).setdefault(values, {})[row.id] = row
        put("readers", readers)
        facts_about: dict[str, list[tuple[str, ResultFact]]] = {}
        for name, alternatives in self.result_facts.items():
            for fact in alternatives:
                for analyte in fact.analytes:
                    facts_about.setdefault(analyte, []).append((name, fact))
        put("facts_about", facts_about)
        put("drug_classes", frozenset().union(*(row.drug_classes for row in self.rows)))
        put("asked_findings", tuple(name for asked in self.questions for name in asked.findings))
        put("_actions_by_role", {role: made for made in self.actions.values() for role in made.roles})

    def action_for(self, role: ActionRole) -> Action:
        """The one action of that role; the loader refuses a table without it."""
        return self._actions_by_role[role]

    @property
    def all_rows(self) -> tuple[Row, ...]:
        """The rows, and those that are switched off."""
        return (*self.rows, *self.rows_off)

    def row(self, row_id: str) -> Row | None:
        return self._rows_by_id.get(row_id)
