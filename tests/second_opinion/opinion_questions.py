"""Section 5 by trying: which unknowns can still change the level or an action, and how far they can carry."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

from tests.second_opinion.opinion_facts import Facts
from tests.second_opinion.opinion_knowledge import LEVELS, actions_of, leaves, names_in
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
        rows = case.table["rows"]
        self.unasked = self._never_asked(rows)
        known = [*self.groups, *self.unasked]
        self.by_id = {group.id: group for group in known}
        # A row can only change with a group whose names it reads.
        self._touching = {
            row["id"]: {g.id for g in known if g.names & names_in(case.table, row)} for row in rows
        }
        conditions = [long["when"] for row in rows for long in actions_of(row) if "when" in long]
        read = {leaf.split()[0] for condition in conditions for leaf, _ in leaves(condition)}
        self._read_by_actions = sorted(read & set(facts))
        self._as_it_stands = {row["id"] for row in case.rows(facts)}
        self._holds: dict[tuple[str, Chosen], bool] = {}
        self._outcomes: dict[Any, dict[str, Any]] = {}
        self._by_answers: dict[Chosen, dict[str, Any]] = {}
        self._keys: dict[Chosen, tuple[Any, ...]] = {}

    def _never_asked(self, rows: list[dict[str, Any]]) -> list[Group]:
        """Findings that a row reads, that are unknown and that no question settles.

        A diagnosis is unknown only where the list that would name it was not seen.
        """
        asked = {name for group in self.groups for name in group.names}
        read = set().union(*(names_in(self.case.table, row) for row in rows)) - asked
        heads, seen = self.case.table["findings"], "conditions" not in self.case.record["not_seen"]
        settled = {name for name, head in heads.items() if seen and head["kind"] == "diagnosis"}
        unknown = sorted(name for name in read - settled if self.facts.get(name) == "unknown")
        return [Group(name, [{name: "examined"}, {name: "absent"}]) for name in unknown]

    def outcome(self, chosen: Chosen) -> dict[str, Any]:
        """The outcome with those answers given and the rest unknown. chosen: sorted by group."""
        if chosen not in self._by_answers:
            self._by_answers[chosen] = self._made(chosen)
        return self._by_answers[chosen]

    def _made(self, chosen: Chosen) -> dict[str, Any]:
        sets = self._sets(chosen)
        facts = {**self.facts, **sets}
        rows = self._fired(chosen, facts)
        today = frozenset(name for name, value in sets.items() if value == "examined")
        also = tuple(facts[name] for name in self._read_by_actions)
        # Of all facts, what is done with the rows that hold reads only these.
        key = (tuple(row["id"] for row in rows), facts["child-age"], today, also)
        if key not in self._outcomes:
            self._outcomes[key] = self.case.outcome_of(rows, facts, today)
        return self._outcomes[key]

    def _fired(self, chosen: Chosen, facts: Facts) -> list[dict[str, Any]]:
        """Case.rows, each row asked once for each setting of what it reads."""
        given = {name for name, _ in chosen}
        first = [
            row
            for row in self.case.table["rows"]
            if row.get("reads") != "last"
            and (
                self._row_holds(row, chosen, facts)
                if given & self._touching[row["id"]]
                else row["id"] in self._as_it_stands
            )
        ]
        return first + self.case.last_rows(first, facts)

    def _row_holds(self, row: dict[str, Any], chosen: Chosen, facts: Facts) -> bool:
        touching = self._touching[row["id"]]
        key = (row["id"], tuple(item for item in chosen if item[0] in touching))
        if key not in self._holds:
            self._holds[key] = self.case.true(row["when"], facts)
        return self._holds[key]

    def key(self, chosen: Chosen) -> tuple[Any, ...]:
        """What of an outcome a question can change: the level and the actions, which are one for each id."""
        if chosen not in self._keys:
            made = self.outcome(chosen)
            actions = tuple((r["id"], r["urgent"], tuple(r["analytes"])) for r in made["recommendations"])
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

    def asked(self) -> list[str]:
        """The groups whose answers differ with at most two others set, by id, the most important first."""
        in_words = {asked["id"] for asked in self.case.table["asked_in_words"]}
        reach = {group.id: self._reach(group) for group in self.groups}
        found = [(best, name in in_words, name) for name, best in reach.items() if best]
        return [name for *_, name in sorted(found)]

    def _reach(self, group: Group) -> tuple[int, int, int] | None:
        """The best of (highest level, most actions, first row), as numbers that sort the best first.

        "The highest level it can lead to" is read over the settings that the answer needs: a row moves with
        the answer that moved in no smaller one, and everything that is set bears on that row: the row reads
        it, or it ends another row that hid it. In any other the level would be the merit of what is set.
        """
        others = [other for other in self.groups if other is not group]
        moved: dict[Chosen, frozenset[int]] = {}
        found = []
        for size in range(3):
            for setting in self._all_settings(others, size):
                keys = self._keys_of(group, setting)
                if len(set(keys)) < 2:
                    continue
                moved[setting] = self._moved(group, setting)
                smaller = {(), *((part,) for part in setting)} - {setting}
                new = moved[setting].difference(*(moved.get(less, ()) for less in smaller))
                if any(self._bears_on(row, setting) for row in new):
                    level = max(LEVELS.index(level) for level, _ in keys)
                    found.append((-level, -_hanging(keys), min(moved[setting])))
        return min(found, default=None)

    def _bears_on(self, row: int, setting: Chosen) -> bool:
        """Whether each of those answers is read by the row, or ends a row that would hold without it."""
        touching = self._touching[self.case.table["rows"][row]["id"]]
        return all(part[0] in touching or self._ends_a_row(part, setting) for part in setting)

    def _ends_a_row(self, part: tuple[str, int], setting: Chosen) -> bool:
        without = tuple(sorted(other for other in setting if other != part))
        last = {row["id"] for row in self.case.table["rows"] if row.get("reads") == "last"}
        before, after = (set(self.outcome(s)["rows"]) - last for s in (without, tuple(sorted(setting))))
        return bool(before - after)

    def _moved(self, group: Group, setting: Chosen) -> frozenset[int]:
        """The rows, by number, that hold after one answer and not after another; not those read last."""
        after = [
            set(self.outcome(tuple(sorted((*setting, (group.id, at)))))["rows"])
            for at in range(len(group.answers))
        ]
        moved = set().union(*after) - set.intersection(*after)
        rows = enumerate(self.case.table["rows"])
        return frozenset(at for at, row in rows if row["id"] in moved and row.get("reads") != "last")

    def _sets(self, chosen: Chosen) -> Facts:
        return {n: v for name, at in chosen for n, v in self.by_id[name].answers[at].items()}

    def span(self) -> list[str]:
        """The lowest and the highest level over all completions, asked or not, and as it stands.

        A finding that no row calling for anything reads under a "not" lowers nothing by its presence: its
        absence and its presence everywhere give the ends. Everything else is tried in every way.
        """
        calling = [row for row in self.case.table["rows"] if row["level"] != "info"]
        under_not = {
            leaf.split()[0] for row in calling for leaf, straight in self._leaves(row) if not straight
        }
        known = [*self.groups, *self.unasked]
        monotone = [g for g in known if len(g.names) == 1 and g.id in g.names - under_not]
        rest = [group for group in known if group not in monotone]
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
        known = [*self.groups, *self.unasked]
        for answers in product(*(range(len(group.answers)) for group in known)):
            chosen = sorted((group.id, at) for group, at in zip(known, answers, strict=True))
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
