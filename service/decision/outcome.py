"""The outcome of a set of facts: rows that fire, what they ask for and what comes of it, and the level."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import replace

from fhir_mappings.record import Drug, Plausible, Result
from service.decision.facts import LAST_FEATURES, POTASSIUM_RAISING, stopped_before
from service.decision.on_file import FiledTests
from service.decision.recommendations import (
    Asking,
    Demand,
    Ids,
    Outcome,
    Recommendation,
    Withheld,
    key_of,
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
    ActionRole,
    Facts,
    Row,
    Table,
    fired_rows,
    true_terms,
)

_NONE: Mapping[str, Demand] = {}


def outcome_of(on_file: FiledTests, facts: Facts) -> Outcome:
    """The outcome of those facts for that record: rows, actions, removals, level, and the last rows."""
    fired = fired_rows(on_file.table.ordinary_rows, facts)
    return _outcome(on_file, facts, fired, demands_of(on_file, fired.values(), facts))


def outcome_after(on_file: FiledTests, answer: Facts, base: Outcome) -> Outcome:
    """The outcome with those facts in the place of the same ones of `on_file.base`.

    Args:
        base: The outcome of `on_file.base`, of which all is kept that reads no fact that differs.
    """
    table, before = on_file.table, on_file.base
    facts = {**before, **answer}
    changed = {name for name, fact in answer.items() if before.get(name, UNKNOWN) != fact}
    fired = _fired_again(on_file, facts, changed, base)
    demands = demands_of(on_file, fired.values(), facts, base.demands, changed)
    if (fired, demands) == (base.fired, base.demands) and table.read_last.isdisjoint(changed):
        return base
    return _outcome(on_file, facts, fired, demands, base, changed)


def _outcome(
    on_file: FiledTests,
    facts: Facts,
    fired: Mapping[str, Row],
    demands: Mapping[str, Demand],
    base: Outcome | None = None,
    changed: Set[str] = frozenset(),
) -> Outcome:
    """The outcome of ordinary rows that fire and of what they ask for, and the last rows. base: see above."""
    table = on_file.table
    recommendations, withheld = _weighed(on_file, demands.values())
    level = _level(facts, fired.values(), recommendations)
    features = last_features(fired.values(), demands.values(), level)
    read = {**facts, **features}
    last = fired_rows(table.last_rows, read)
    if base is None:
        asked = demands_of(on_file, last.values(), read)
    else:
        changed = changed | {name for name in features if features[name] != base.features[name]}
        asked = demands_of(on_file, last.values(), read, base.last_demands, changed)
    for demand in asked.values():
        recommendations += demand.made
        withheld += demand.withheld
    rows = (*fired.values(), *last.values())
    key = key_of(level, recommendations)
    made, others = tuple(recommendations), tuple(withheld)
    return Outcome(level, rows, made, others, key, fired, demands, features, asked)


def _fired_again(
    on_file: FiledTests, facts: Facts, changed: Iterable[str], base: Outcome
) -> Mapping[str, Row]:
    """The ordinary rows that fire: of those for which no changed fact matters, the ones that fired before."""
    table = on_file.table
    affected: dict[str, Row] = {}
    for name in changed:
        before, after = on_file.base.get(name, UNKNOWN), facts[name]
        for values, rows in table.readers.get(name, {}).items():
            if (before in values) is not (after in values):
                affected |= rows
    if not affected:
        return base.fired
    kept = {name: row for name, row in base.fired.items() if name not in affected}
    fired = kept | fired_rows(affected.values(), facts)
    if fired.keys() == base.fired.keys():
        return base.fired
    return {row.id: row for row in table.ordinary_rows if row.id in fired}


def last_features(fired: Iterable[Row], demands: Collection[Demand], level: str) -> dict[str, str]:
    """What the last rows read of what the ordinary rows gave."""
    features = dict.fromkeys(LAST_FEATURES, FALSE)
    if level == "info":
        features["level-info"] = TRUE
    for demand in demands:
        if demand.action.is_test:
            features["asks-for-test"] = TRUE
        if ActionRole.EXAMINATION in demand.action.roles:
            features["asks-for-examination"] = TRUE
    for row in fired:
        if not row.beside_benign:
            features["other-rows-fire"] = TRUE
    return features


def _level(facts: Facts, rows: Iterable[Row], recommendations: Sequence[Recommendation]) -> str:
    remaining: set[str] = set()
    for recommendation in recommendations:
        if recommendation.raises_alarm:
            return "critical"
        remaining.update(recommendation.because)
    normal = facts.get("examined-normal") == TRUE
    for row in rows:
        if row.level == "info" or (row.level == CALM and normal):
            continue
        if row.level != UNTIL_DONE or row.id in remaining:
            return "warning"
    return "info"


def _weighed(on_file: FiledTests, demands: Collection[Demand]) -> tuple[list[Recommendation], list[Withheld]]:
    """What those demands recommend and withhold, without what something more urgent outranks.

    Beside an urgent action that is ordered already that stays: nobody has examined yet.
    """
    table = on_file.table
    recommendations: list[Recommendation] = []
    withheld: list[Withheld] = []
    to_act_on: dict[Result, Ids] = {}
    for demand in demands:
        recommendations += demand.made
        withheld += demand.withheld
        to_act_on |= demand.to_act_on
    if to_act_on:
        _act_on_done(on_file, recommendations, to_act_on)
    kept = []
    for made in recommendations:
        action = table.actions[made.id]
        gives_way = action.withheld_beside_now or action.withheld_beside_urgent
        beside = _outranked(table, made, demands, recommendations) if gives_way else None
        if beside is None:
            kept.append(made)
        else:
            withheld.append(Withheld(made.id, beside, made.because))
    return kept, withheld


def _outranked(
    table: Table, made: Recommendation, demands: Iterable[Demand], recommendations: Iterable[Recommendation]
) -> str | None:
    action = table.actions[made.id]
    # A test does not come back as soon as what is for today is ordered.
    if action.withheld_beside_now:
        for demand in demands:
            if demand.urgency == NOW and demand.action is not action:
                return "beside-now"
    if action.withheld_beside_urgent and made.urgency == ROUTINE:
        again = ActionRole.RE_EXAMINE in action.roles
        for other in recommendations:
            referred = again and other is not made and table.actions[other.id].order == REFERRAL
            if referred or other.urgency != ROUTINE:
                return "beside-urgent"
    return None


def _act_on_done(
    on_file: FiledTests, recommendations: list[Recommendation], to_act_on: Mapping[Result, Ids]
) -> None:
    """Add that a test that is done and out of range is acted on, whether or not a row of its own says so."""
    actions = on_file.table.actions
    action = on_file.table.action_for(ActionRole.ACT_ON_RESULT)
    made = next((r for r in recommendations if r.id == action.id), None)
    known = made.results if made else ()
    more = on_file.most_dangerous_first(result for result in to_act_on if result not in known)
    if not more:
        return
    because = dict.fromkeys(row for result in more for row in to_act_on[result])
    if made is None:
        recommendations.append(Recommendation(action.id, ROUTINE, tuple(because), results=more))
        place = list(actions)
        recommendations.sort(key=lambda r: place.index(r.id))
        return
    recommendations[recommendations.index(made)] = replace(
        made,
        because=tuple(dict.fromkeys((*made.because, *because))),
        results=on_file.most_dangerous_first((*known, *more)),
    )


def demands_of(
    on_file: FiledTests,
    rows: Iterable[Row],
    facts: Facts,
    known: Mapping[str, Demand] = _NONE,
    changed: Set[str] = frozenset(),
) -> dict[str, Demand]:
    """What those rows ask for, by the id of the action, in the table's order of actions.

    Args:
        known: Demands of other facts of the record: kept where the same rows ask and none of them reads a
            fact that changed.
        changed: The facts that differ from those.
    """
    asking: dict[str, list[Asking]] = {}
    touched: set[str] = set()
    for row in rows:
        if not row.depends_on.isdisjoint(changed):
            touched.add(row.id)
        for asked in row.actions:
            if asked.condition is None or asked.condition(facts):
                asking.setdefault(asked.id, []).append((row, asked))
    demands = {}
    for name, action in on_file.table.actions.items():
        if name not in asking:
            continue
        demand = known.get(name)
        if demand is None or demand.asking != asking[name] or not touched.isdisjoint(demand.because):
            demand = Demand(action, asking[name])
            _Settling(on_file, facts).settle(demand)
        demands[name] = demand
    return demands


class _Settling:
    """Settles demands: what is recommended, and what is withheld because it is done or ordered."""

    def __init__(self, on_file: FiledTests, facts: Facts) -> None:
        self.on_file, self.table, self.record = on_file, on_file.table, on_file.record
        self.facts = facts

    def settle(self, demand: Demand) -> None:
        """Set what comes of the demand."""
        action, because = demand.action, demand.because
        if action.withheld_from_child and self.facts.get("child-age") == TRUE:
            demand.withheld.append(Withheld(action.id, "child", because))
        elif action.analytes:
            self._settle_blood(demand)
        elif ActionRole.ACT_ON_RESULT in action.roles:
            self._act_on(demand)
        else:
            self._settle_other(demand)

    def _settle_blood(self, demand: Demand) -> None:
        action = demand.action
        missing = [analyte for analyte in action.analytes if not self._is_answered(demand, analyte)]
        if not missing:
            return
        too_low = None
        if demand.urgency != ROUTINE:
            orders = [self.on_file.order_for({analyte, action.id}, action) for analyte in missing]
            # Where some of them are not ordered at all, nothing is said of the others.
            if all(orders):
                too_low = self.on_file.order_for({*missing, action.id}, action)
        made = Recommendation(
            action.id, demand.urgency, demand.because, tuple(missing), demand.paediatric, too_low=too_low
        )
        demand.made.append(made)

    def _is_answered(self, demand: Demand, analyte: str) -> bool:
        action, urgency = demand.action, demand.urgency
        result = self.on_file.answering_result(analyte, action, demand.rows, urgency)
        if result is not None:
            calm = self.on_file.asked_calmly(demand.rows)
            demand.withheld.append(withheld_by_result(action.id, analyte, result, demand.because, calm=calm))
            if band_today(result, self.table, self.record.as_of) in OUT:
                demand.to_act_on[result] = demand.because
            return True
        order = self.on_file.order_for({analyte, action.id}, action, urgency)
        if order is not None:
            demand.withheld.append(withheld_by_order(action.id, (analyte,), order, demand.because, urgency))
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
        in_hand = demand.urgency != ROUTINE and self.on_file.is_in_hand(urgent)
        ranked = self.on_file.most_dangerous_first(results)
        name, because = demand.action.id, demand.because
        made = Recommendation(name, demand.urgency, because, results=ranked, in_hand=in_hand)
        demand.made.append(made)

    def _results_of(self, row: Row) -> Iterable[Result]:
        for name in row.reads:
            for fact in self.table.result_facts.get(name, ()):
                if self.facts.get(name) == TRUE:
                    yield from results_in(fact, self.record, self.table)

    def _settle_other(self, demand: Demand) -> None:
        action, urgency, because = demand.action, demand.urgency, demand.because
        if action.studies and (action.is_test or urgency != NOW):
            study = self.on_file.study_done(action, demand.rows, self.facts)
            if study is not None:
                why = "done" if action.is_test else "seen"
                demand.withheld.append(withheld_by_study(action.id, study, because, why, urgency))
                return
        tests = {action.id, *action.studies}
        too_low = None
        if action.ordered_days and action.can_be_ordered:
            order = self.on_file.order_for(tests, action, urgency)
            if order is not None:
                demand.withheld.append(withheld_by_order(action.id, (action.id,), order, because, urgency))
                return
            too_low = self.on_file.order_for(tests, action) if urgency != ROUTINE else None
        made = Recommendation(
            action.id,
            urgency,
            because,
            paediatric=demand.paediatric,
            consider=demand.consider,
            too_low=too_low,
            findings=self._to_examine(demand) if ActionRole.EXAMINATION in action.roles else (),
            weeks=demand.weeks,
            drugs=self._to_review(demand) if ActionRole.MEDICATION_REVIEW in action.roles else (),
        )
        demand.made.append(made)

    def _to_examine(self, demand: Demand) -> Ids:
        """The findings that the rows want examined and that no clinician has looked at."""
        named = dict.fromkeys(name for _, asked in demand.asking for name in asked.findings)
        return tuple(name for name in named if self.facts.get(name) not in (EXAMINED, ABSENT))

    def _to_review(self, demand: Demand) -> tuple[Drug, ...]:
        """The medicines by which the rows fire: those of a term that is true."""
        names = {
            literal.variable
            for row in demand.rows
            for term in true_terms(row.terms, self.facts)
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
