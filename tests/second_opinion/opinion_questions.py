"""Section 5 by trying: which unknowns can still change the level or an action, and how far they can carry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations, product
from typing import Any

from tests.second_opinion.opinion_facts import Facts
from tests.second_opinion.opinion_knowledge import LEVELS, actions_of, leaves, names_in, ways
from tests.second_opinion.opinion_outcome import Case

# An answer to a question: where in its group, what it sets.
Chosen = tuple[tuple[str, int], ...]


class Group:
    """One question: its id, and for each answer the facts that it sets."""

    def __init__(self, name: str, answers: list[dict[str, Any]]) -> None:
        self.id, self.answers = name, answers
        self.names = {name for answer in answers for name in answer}


def groups_of(case: Case, facts: Facts) -> list[Group]:
    """What is unknown and can be asked: findings by yes or no, then what is asked in words."""
    groups = []
    for name, head in case.table["findings"].items():
        if head.get("question") and facts[name] == "unknown":
            seen = "examined" if head["category"] == "exam" else "reported"
            groups.append(Group(name, [{name: seen}, {name: "absent"}]))
    for asked in case.table["asked_in_words"]:
        # An answer settles what is unknown and leaves the rest.
        answers: list[dict[str, Any]] = []
        for answer in asked["answers"]:
            sets = {name: value for name, value in answer["sets"].items() if facts[name] is None}
            if sets not in answers:
                answers.append(sets)
        if len(answers) > 1:
            groups.append(Group(asked["id"], answers))
    return groups


class Inquiry:
    """The unknowns of one case, and the outcome of each setting of some of them."""

    def __init__(self, case: Case, facts: Facts) -> None:
        self.case, self.facts = case, facts
        self.groups = groups_of(case, facts)
        self.by_id = {group.id: group for group in self.groups}
        rows = case.table["rows"]
        # A row can only change with a group whose names it reads.
        self._touching = {
            row["id"]: [g.id for g in self.groups if g.names & names_in(case.table, row)] for row in rows
        }
        conditions = [long["when"] for row in rows for long in actions_of(row) if "when" in long]
        read = {leaf.split()[0] for condition in conditions for leaf, _ in leaves(condition)}
        self._read_by_actions = sorted(read & set(facts))
        self._holds: dict[tuple[str, Chosen], bool] = {}
        self._rows: dict[Any, list[dict[str, Any]]] = {}
        self._outcomes: dict[Any, dict[str, Any]] = {}
        self._keys: dict[Chosen, tuple[Any, ...]] = {}

    def outcome(self, chosen: Chosen) -> dict[str, Any]:
        """The outcome with those answers given and the rest unknown. chosen: sorted by group."""
        sets = self._sets(chosen)
        facts = {**self.facts, **sets}
        rows = tuple(row["id"] for row in self._fired(chosen, facts))
        today = frozenset(name for name, value in sets.items() if value == "examined")
        also = tuple(facts[name] for name in self._read_by_actions)
        key = (rows, facts["child"], today, also)
        if key not in self._outcomes:
            made = [row for row in self.case.table["rows"] if row["id"] in rows]
            self._outcomes[key] = self.case.outcome_of(made, facts, today)
        return self._outcomes[key]

    def _fired(self, chosen: Chosen, facts: Facts) -> list[dict[str, Any]]:
        """Case.rows, each row asked once for each setting of what it reads."""
        rows = [row for row in self.case.table["rows"] if row.get("reads") != "last"]
        first = [row for row in rows if self._row_holds(row, chosen, facts)]
        return first + self.case.last_rows(first, facts)

    def _row_holds(self, row: dict[str, Any], chosen: Chosen, facts: Facts) -> bool:
        touching = self._touching[row["id"]]
        key = (row["id"], tuple(item for item in chosen if item[0] in touching))
        if key not in self._holds:
            self._holds[key] = self.case.true(row["when"], facts)
        return self._holds[key]

    def key(self, chosen: Chosen) -> tuple[Any, ...]:
        """What of an outcome a question can change: the level and the actions."""
        if chosen not in self._keys:
            made = self.outcome(chosen)
            actions = tuple(
                (r["id"], r["urgent"], tuple(r["analytes"]), r["paediatric"]) for r in made["recommendations"]
            )
            self._keys[chosen] = (made["level"], actions)
        return self._keys[chosen]

    def _all_settings(self, others: list[Group], size: int) -> Iterator[Chosen]:
        """Every way to set so many of those."""
        for some in combinations(others, size):
            for answers in product(*(range(len(other.answers)) for other in some)):
                yield tuple((other.id, at) for other, at in zip(some, answers, strict=True))

    def _keys_of(self, group: Group, setting: Chosen) -> list[tuple[Any, ...]]:
        """With those others set: the key of each answer of this group."""
        return [self.key(tuple(sorted((*setting, (group.id, at))))) for at in range(len(group.answers))]

    def differs(self, group: Group) -> bool:
        """Whether its answers differ with at most two others set: every two, in every way."""
        others = [other for other in self.groups if other is not group]
        return any(
            len(set(self._keys_of(group, setting))) > 1
            for size in range(3)
            for setting in self._all_settings(others, size)
        )

    def asked(self) -> list[str]:
        """The ids of the groups that differ, the most important first.

        "The highest level it can lead to" is read over settings in which a way for some row to hold hangs on
        the answer and on each of the others set; elsewhere the level would be the merit of the others.
        """
        found = [group for group in self.groups if self.differs(group)]
        in_words = {asked["id"] for asked in self.case.table["asked_in_words"]}
        return [g.id for g in sorted(found, key=lambda g: (self._reach(g), g.id in in_words, g.id))]

    def _reach(self, group: Group) -> tuple[int, int, int]:
        """The best of (highest level, most actions, first row), as numbers that sort the best first."""
        found: list[tuple[int, int, int]] = []
        for index, row in enumerate(self.case.table["rows"]):
            if group.id in self._touching[row["id"]]:
                found += self._reaches(group, index, self._decisive(row, group))
        if found:
            return min(found)
        # Something else brings the same: then the smallest settings in which the answers do differ.
        others = [other for other in self.groups if other is not group]
        for size in range(3):
            for setting in self._all_settings(others, size):
                for index, row in enumerate(self.case.table["rows"]):
                    if row.get("reads") != "last" and any(
                        self._hangs(way, group, setting) for way in ways(self.case.table, row["when"])
                    ):
                        found += self._reaches(group, index, [setting])
            if found:
                return min(found)
        raise LookupError(f"{group.id}: no row hangs on it")

    def _reaches(
        self, group: Group, index: int, settings: Iterable[Chosen]
    ) -> Iterator[tuple[int, int, int]]:
        for setting in settings:
            keys = self._keys_of(group, setting)
            if len(set(keys)) > 1:
                yield -max(LEVELS.index(level) for level, _ in keys), -_hanging(keys), index

    def _decisive(self, row: dict[str, Any], group: Group) -> Iterator[Chosen]:
        """Settings of at most two others in which a way to hold hangs on the group and on each of them."""
        if row.get("reads") == "last":
            yield ()
            return
        for way in ways(self.case.table, row["when"]):
            read = {leaf.split()[0] for leaf, _ in way}
            others = [other for other in self.groups if other.names & read and other is not group]
            if not group.names & read:
                continue
            for size in range(3):
                for setting in self._all_settings(others, size):
                    fewer = [tuple(x for x in setting if x != left) for left in setting]
                    if self._hangs(way, group, setting) and not any(
                        self._hangs(way, group, less) for less in fewer
                    ):
                        yield setting

    def _hangs(self, way: list[tuple[str, bool]], group: Group, setting: Chosen) -> bool:
        held = set()
        for at in range(len(group.answers)):
            facts = {**self.facts, **self._sets((*setting, (group.id, at)))}
            held.add(all(self.case.true(leaf, facts) is straight for leaf, straight in way))
        return len(held) > 1

    def _sets(self, chosen: Chosen) -> Facts:
        return {n: v for name, at in chosen for n, v in self.by_id[name].answers[at].items()}

    def span(self) -> list[str]:
        """The lowest and the highest level over all completions, and as it stands.

        A finding that no row calling for anything reads under a "not" lowers nothing by its presence: its
        absence and its presence everywhere give the ends. Everything else is tried in every way.
        """
        calling = [row for row in self.case.table["rows"] if row["level"] != "info"]
        under_not = {
            leaf.split()[0] for row in calling for leaf, straight in self._leaves(row) if not straight
        }
        monotone = [g for g in self.groups if len(g.names) == 1 and g.id in g.names - under_not]
        rest = [group for group in self.groups if group not in monotone]
        levels = {self.key(())[0]}
        for end in (0, 1):
            ends = [(group.id, end) for group in monotone]
            for answers in product(*(range(len(group.answers)) for group in rest)):
                setting = [(group.id, at) for group, at in zip(rest, answers, strict=True)]
                levels.add(self.key(tuple(sorted([*ends, *setting])))[0])
        return [min(levels, key=LEVELS.index), max(levels, key=LEVELS.index)]

    def span_by_all(self) -> list[str]:
        """The same by every completion: slow."""
        levels = {self.key(())[0]}
        for answers in product(*(range(len(group.answers)) for group in self.groups)):
            chosen = sorted((group.id, at) for group, at in zip(self.groups, answers, strict=True))
            levels.add(self.key(tuple(chosen))[0])
        return [min(levels, key=LEVELS.index), max(levels, key=LEVELS.index)]

    def _leaves(self, row: dict[str, Any]) -> Iterator[tuple[str, bool]]:
        for leaf, straight in leaves(row["when"]):
            word, _, rest = leaf.partition(" ")
            if word == "row":
                (named,) = (other for other in self.case.table["rows"] if other["id"] == rest)
                yield from ((inner, straight == way) for inner, way in self._leaves(named))
            else:
                yield leaf, straight


def _hanging(keys: list[tuple[Any, ...]]) -> int:
    """How many actions one answer recommends and another does not, or not so urgently."""
    answers = [{(name, urgent) for name, urgent, *_ in actions} for _, actions in keys]
    return len({name for some in answers for name, _ in set().union(*answers) - some})
