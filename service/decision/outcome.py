"""The outcome of a set of facts: rows that fire, actions that they ask for, removals, and the level."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fhir_mappings.record import Drug, Plausible, Result
from service.decision.facts import POTASSIUM_RAISING, stopped_before
from service.decision.on_file import FiledTests, danger
from service.decision.recommendations import (
    Ids,
    Outcome,
    Recommendation,
    Withheld,
    withheld_by_order,
    withheld_by_result,
    withheld_by_study,
)
from service.decision.result_facts import OUT, band_today, results_in
from service.decision.table import (
    ABSENT,
    CALM,
    EXAMINED,
    FALSE,
    NOW,
    REFERRAL,
    ROUTINE,
    TRUE,
    UNKNOWN,
    UNTIL_DONE,
    URGENT,
    Action,
    ActionRole,
    Facts,
    Row,
    RowAction,
    Table,
)


@dataclass(frozen=True, slots=True)
class Demand:
    """An action and every fired row that asks for it, with what it asks. because: the ids of the rows."""

    action: Action
    asking: tuple[tuple[Row, RowAction], ...]
    rows: tuple[Row, ...]
    because: Ids
    urgency: str
    paediatric: bool


def _demand(action: Action, asking: Sequence[tuple[Row, RowAction]]) -> Demand:
    rows = tuple(row for row, _ in asking)
    urgencies = [asked.urgency for _, asked in asking]
    return Demand(
        action,
        tuple(asking),
        rows,
        tuple(dict.fromkeys(row.id for row in rows)),
        NOW if NOW in urgencies else URGENT if URGENT in urgencies else ROUTINE,
        any(asked.paediatric for _, asked in asking),
    )


def demands_of(table: Table, rows: Iterable[Row], facts: Facts) -> tuple[Demand, ...]:
    """What those rows ask for, in the table's order of actions."""
    asking: dict[str, list[tuple[Row, RowAction]]] = {}
    for row in rows:
        for asked in row.actions:
            if asked.condition is None or asked.condition(facts):
                asking.setdefault(asked.id, []).append((row, asked))
    return tuple(
        _demand(action, asking[action_id])
        for action_id, action in table.actions.items()
        if action_id in asking
    )


def outcome_of(on_file: FiledTests, facts: Facts, base: Outcome | None = None) -> Outcome:
    """The outcome of those facts for that record: rows, actions, removals, level, and the last rows.

    Args:
        base: The outcome of `on_file.base`: only rows that read a fact that differs are read again.
    """
    table = on_file.table
    if base is None:
        fired = [row for row in table.rows if not row.last and row.holds(facts)]
    else:
        changed = {name for name, fact in facts.items() if on_file.base.get(name, UNKNOWN) != fact}
        fired = _fired_again(table, facts, changed, base)
        if _changes_nothing(on_file, facts, changed, fired, base):
            return base
    settled = _Settled(on_file, facts, demands_of(table, fired, facts))
    level = _level(table, facts, fired, settled.recommendations)
    last_facts = _last_features(fired, settled.demands, level)
    read = {**facts, **last_facts}
    last = [row for row in table.rows if row.last and row.holds(read)]
    settled.add(demands_of(table, last, read))
    return Outcome(
        level, (*fired, *last), tuple(settled.recommendations), tuple(settled.withheld), last_facts
    )


def _changes_nothing(
    on_file: FiledTests, facts: Facts, changed: set[str], fired: Sequence[Row], base: Outcome
) -> bool:
    """Whether the same rows fire, and nothing that changed is read beyond their conditions."""
    # A study or visit is weighed against the days on which signs were found.
    if on_file.record.studies or not changed.isdisjoint(on_file.table.read_beyond_rows):
        return False
    read = {**facts, **base.last_facts}
    last = [row for row in on_file.table.rows if row.last and row.holds(read)]
    return tuple(base.rows) == (*fired, *last)


def _fired_again(table: Table, facts: Facts, changed: Iterable[str], base: Outcome) -> list[Row]:
    affected = frozenset().union(*(table.readers.get(name, frozenset()) for name in changed))
    held = {row.id for row in base.rows if row.id not in affected}
    return [
        row
        for row in table.rows
        if not row.last and (row.holds(facts) if row.id in affected else row.id in held)
    ]


def _last_features(fired: Sequence[Row], demands: Sequence[Demand], level: str) -> dict[str, str]:
    holds = {
        "level-info": level == "info",
        "asks-for-test": any(demand.action.is_test for demand in demands),
        "asks-for-examination": any(ActionRole.EXAMINATION in demand.action.roles for demand in demands),
        "other-rows-fire": any(not row.beside_benign for row in fired),
    }
    return {name: TRUE if true else FALSE for name, true in holds.items()}


def _level(table: Table, facts: Facts, rows: Iterable[Row], recommendations: Sequence[Recommendation]) -> str:
    if any(recommendation.raises_alarm for recommendation in recommendations):
        return "critical"
    normal = facts.get("examined-normal") == TRUE
    remaining = {row for recommendation in recommendations for row in recommendation.because}
    level = "info"
    for row in rows:
        match row.level:
            case "info":
                continue
            case level_name if level_name == CALM and normal:
                continue
            case level_name if level_name == UNTIL_DONE and row.id not in remaining:
                continue
        level = "warning"
    return level


class _Settled:
    """Settles demands: what is recommended, and what is withheld because it is done, ordered or outranked."""

    def __init__(self, on_file: FiledTests, facts: Facts, demands: tuple[Demand, ...]) -> None:
        self.on_file, self.table, self.record = on_file, on_file.table, on_file.record
        self.facts = facts
        self.recommendations: list[Recommendation] = []
        self.withheld: list[Withheld] = []
        self.demands: tuple[Demand, ...] = ()
        # Results of tests that rows ask for and that are done, but out of range.
        self.to_act_on: dict[Result, Ids] = {}
        self.add(demands)
        self._act_on_done()
        self._leave_out_outranked()

    def add(self, demands: tuple[Demand, ...]) -> None:
        self.demands += demands
        for demand in demands:
            self._settle(demand)

    def _settle(self, demand: Demand) -> None:
        action, because = demand.action, demand.because
        if action.withheld_from_child and self.facts.get("child-age") == TRUE:
            self.withheld.append(Withheld(action.id, "child", because))
        elif action.analytes:
            self._settle_blood(demand)
        elif ActionRole.ACT_ON_RESULT in action.roles:
            self._act_on(demand)
        else:
            self._settle_other(demand)

    def _leave_out_outranked(self) -> None:
        """Leave out what gives way to something more urgent that is still recommended.

        Beside an urgent action that is ordered already they stay: nobody has examined yet.
        """
        kept = []
        for made in self.recommendations:
            beside = self._outranked(made)
            if beside is None:
                kept.append(made)
            else:
                self.withheld.append(Withheld(made.id, beside, made.because))
        self.recommendations = kept

    def _outranked(self, made: Recommendation) -> str | None:
        action = self.table.actions[made.id]
        others = [other for other in self.recommendations if other is not made]
        urgencies = {other.urgency for other in others}
        # A test does not come back as soon as what is for today is ordered.
        if action.withheld_beside_now and any(
            demand.urgency == NOW for demand in self.demands if demand.action is not action
        ):
            return "beside-now"
        if action.withheld_beside_urgent and made.urgency == ROUTINE:
            referred = ActionRole.RE_EXAMINE in action.roles and any(
                self.table.actions[other.id].order == REFERRAL for other in others
            )
            if referred or urgencies - {ROUTINE}:
                return "beside-urgent"
        return None

    def _settle_blood(self, demand: Demand) -> None:
        action, missing = demand.action, []
        for analyte in action.analytes:
            if not self._is_answered(demand, analyte):
                missing.append(analyte)
        if not missing:
            return
        too_low = None
        if demand.urgency != ROUTINE:
            orders = [self.on_file.order_for({analyte, action.id}, action) for analyte in missing]
            # Where some of them are not ordered at all, nothing is said of the others.
            if all(orders):
                too_low = self.on_file.order_for({*missing, action.id}, action)
        self.recommendations.append(
            Recommendation(
                action.id, demand.urgency, demand.because, tuple(missing), demand.paediatric, too_low=too_low
            )
        )

    def _is_answered(self, demand: Demand, analyte: str) -> bool:
        action, urgency = demand.action, demand.urgency
        result = self.on_file.answering_result(analyte, action, demand.rows, urgency)
        if result is not None:
            calm = self.on_file.asked_calmly(demand.rows)
            self.withheld.append(withheld_by_result(action.id, analyte, result, demand.because, calm=calm))
            if band_today(result, self.table, self.record.as_of) in OUT:
                self.to_act_on[result] = demand.because
            return True
        order = self.on_file.order_for({analyte, action.id}, action, urgency)
        if order is not None:
            self.withheld.append(withheld_by_order(action.id, (analyte,), order, demand.because, urgency))
            return True
        return False

    def _act_on(self, demand: Demand) -> None:
        """The results for which the rows fire, the most dangerous first."""
        urgent: dict[Result, None] = {}
        results: dict[Result, None] = {}
        for row, asked in demand.asking:
            for result in self._results_of(row):
                results[result] = None
                if asked.urgency != ROUTINE:
                    urgent[result] = None
        ranked = sorted(results, key=lambda r: danger(r, self.record, self.table), reverse=True)
        in_hand = demand.urgency != ROUTINE and self.on_file.is_in_hand(urgent)
        self.recommendations.append(
            Recommendation(
                demand.action.id,
                demand.urgency,
                demand.because,
                results=tuple(ranked),
                in_hand=in_hand,
            )
        )

    def _results_of(self, row: Row) -> Iterable[Result]:
        for name in row.reads:
            for fact in self.table.result_facts.get(name, ()):
                if self.facts.get(name) == TRUE:
                    yield from results_in(fact, self.record, self.table)

    def _act_on_done(self) -> None:
        """A test that is done and out of range is acted on, whether or not a row of its own says so."""
        action = self.table.action_for(ActionRole.ACT_ON_RESULT)
        made = next((r for r in self.recommendations if r.id == action.id), None)
        known = set(made.results) if made else set()
        more = [result for result in self.to_act_on if result not in known]
        if not more:
            return
        more.sort(key=lambda r: danger(r, self.record, self.table), reverse=True)
        because = tuple(dict.fromkeys(row for result in more for row in self.to_act_on[result]))
        if made is None:
            self.recommendations.append(Recommendation(action.id, ROUTINE, because, results=tuple(more)))
            place = list(self.table.actions)
            self.recommendations.sort(key=lambda r: place.index(r.id))
            return
        ranked = sorted(
            (*made.results, *more), key=lambda r: danger(r, self.record, self.table), reverse=True
        )
        merged = Recommendation(
            made.id,
            made.urgency,
            tuple(dict.fromkeys((*made.because, *because))),
            results=tuple(ranked),
            in_hand=made.in_hand,
        )
        self.recommendations[self.recommendations.index(made)] = merged

    def _settle_other(self, demand: Demand) -> None:
        action, urgency, because = demand.action, demand.urgency, demand.because
        if action.studies and (action.is_test or urgency != NOW):
            study = self.on_file.study_done(action, demand.rows, self.facts)
            if study is not None:
                why = "done" if action.is_test else "seen"
                self.withheld.append(withheld_by_study(action.id, study, because, why, urgency))
                return
        tests = {action.id, *action.studies}
        too_low = None
        if action.ordered_days and action.can_be_ordered:
            order = self.on_file.order_for(tests, action, urgency)
            if order is not None:
                self.withheld.append(withheld_by_order(action.id, (action.id,), order, because, urgency))
                return
            too_low = self.on_file.order_for(tests, action) if urgency != ROUTINE else None
        asked = [each for _, each in demand.asking]
        self.recommendations.append(
            Recommendation(
                action.id,
                urgency,
                because,
                paediatric=demand.paediatric,
                consider=all(each.consider for each in asked),
                too_low=too_low,
                findings=self._to_examine(demand) if ActionRole.EXAMINATION in action.roles else (),
                weeks=min((each.weeks for each in asked if each.weeks is not None), default=None),
                drugs=self._to_review(demand) if ActionRole.MEDICATION_REVIEW in action.roles else (),
            )
        )

    def _to_examine(self, demand: Demand) -> Ids:
        """The findings that the rows want examined and that no clinician has looked at."""
        named = dict.fromkeys(name for _, asked in demand.asking for name in asked.findings)
        return tuple(name for name in named if self.facts.get(name) not in (EXAMINED, ABSENT))

    def _to_review(self, demand: Demand) -> tuple[Drug, ...]:
        """The medicines by which the rows fire: those of a term that is true."""
        names = {
            literal.variable
            for row in demand.rows
            for term in row.terms
            if all(literal.true_in(self.facts) for literal in term)
            for literal in term
            if literal.positive
        }
        return tuple(drug for drug in self.record.drugs if not names.isdisjoint(self._facts_by(drug)))

    def _facts_by(self, drug: Drug) -> Iterable[str]:
        """The facts about medicines that this one makes true."""
        stopped = stopped_before(drug, self.record, self.table)
        for name in drug.classes:
            if drug.plausible is not Plausible.NO:
                yield f"drug {name}"
            if drug.current:
                yield f"current {name}"
            elif stopped:
                yield f"stopped {name}"
        if drug.raises_potassium and drug.recognised and drug.current:
            yield POTASSIUM_RAISING
