"""Rows, level, recommendations and what is withheld (sections 3 and 4), straight from the conditions."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.second_opinion.opinion_facts import (
    Facts,
    days_since,
    is_abnormal,
    results_of,
    unnamed_disorders,
)
from tests.second_opinion.opinion_knowledge import LEVELS, actions_of, leaves, names_in, row_named

TESTS = ("blood", "study")
URGENT = ("urgent", "asap", "stat")


class Case:
    """A plain record beside the table. examined: the day each finding was first examined as present."""

    def __init__(self, table: dict[str, Any], record: dict[str, Any]) -> None:
        self.table, self.record = table, record
        self.tests = {action["id"] for action in table["actions"] if action["kind"] in TESTS}
        self.plausible = {c for d in record["drugs"] if d["plausible"] != "no" for c in d["classes"]}
        self.current = {c for d in record["drugs"] if d["current"] for c in d["classes"]}
        self.examined = {name: f.get("first_examined") for name, f in record["findings"].items()}

    def true(self, condition: Any, facts: Facts) -> bool:
        """Whether a condition is true; unknown is not."""
        if not isinstance(condition, str):
            if "not" in condition:
                return not self.true(condition["not"], facts)
            if "all" in condition:
                return all(self.true(part, facts) for part in condition["all"])
            return any(self.true(part, facts) for part in condition["any"])
        word, _, rest = condition.partition(" ")
        if word == "drug":
            return rest in self.plausible
        if word == "current":
            return rest in self.current
        if word == "row":
            return self.true(row_named(self.table, rest)["when"], facts)
        value = facts[word]
        return value == rest if rest else value is True or value in ("examined", "reported")

    def rows(self, facts: Facts) -> list[dict[str, Any]]:
        """The rows that hold, in the order of the table; those read last after the others."""
        first = [r for r in self.table["rows"] if r.get("reads") != "last" and self.true(r["when"], facts)]
        return first + self.last_rows(first, facts)

    def last_rows(self, first: list[dict[str, Any]], facts: Facts) -> list[dict[str, Any]]:
        """The rows read last that hold where those others hold."""
        tested = any(action["id"] in self.tests for row in first for action in actions_of(row))
        levels = {row["level"] for row in first}
        seen = {
            **facts,
            "no-critical-row": "critical" not in levels,
            "no-test-and-no-warning": not tested and not levels & {"warning", "critical"},
        }
        return [r for r in self.table["rows"] if r.get("reads") == "last" and self.true(r["when"], seen)]

    def outcome(self, facts: Facts, examined_today: frozenset[str] = frozenset()) -> dict[str, Any]:
        """Level, rows, recommendations, withheld. examined_today: findings answered as seen today."""
        rows = self.rows(facts)
        return self.outcome_of(rows, facts, examined_today)

    def outcome_of(
        self, rows: list[dict[str, Any]], facts: Facts, examined_today: frozenset[str]
    ) -> dict[str, Any]:
        """The same where the rows that hold are known."""
        recommended, withheld = [], []
        for action in self.table["actions"]:
            asking = [
                (row, long)
                for row in rows
                for long in actions_of(row)
                if long["id"] == action["id"] and ("when" not in long or self.true(long["when"], facts))
            ]
            if asking:
                kept, removed = self._one(action, asking, facts, examined_today)
                recommended += kept
                withheld += removed
        return {
            "level": self._level(rows),
            "rows": [row["id"] for row in rows],
            "recommendations": recommended,
            "withheld": sorted(withheld, key=lambda entry: (entry["id"], entry["kind"])),
        }

    def _one(
        self,
        action: dict[str, Any],
        asking: list[tuple[dict[str, Any], dict[str, Any]]],
        facts: Facts,
        examined_today: frozenset[str],
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        rows = [row for row, _ in asking]
        urgent = any(long.get("urgency") == "urgent" for _, long in asking)
        made = {
            "id": action["id"],
            "urgent": urgent,
            "because": [row["id"] for row in rows],
            "analytes": [],
            "paediatric": any(long.get("paediatric", False) for _, long in asking),
            "routine_order": None,
        }
        if action.get("child") == "withheld" and facts["child-age"] is True:
            return [], [_withheld(action, "child", [])]
        if action.get("analytes"):
            return self._blood(action, rows, made)
        done = self._studies_done(action, rows, examined_today)
        if done:
            return [], [_withheld(action, "done", done)]
        tests = {action["id"], *action.get("studies", ())}
        if self._orders(action, tests, urgent):
            return [], [_withheld(action, "ordered", [action["id"]])]
        return [{**made, "routine_order": self._newest(self._orders(action, tests, False), urgent)}], []

    def _blood(
        self, action: dict[str, Any], rows: list[dict[str, Any]], made: dict[str, Any]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        sorted_out: dict[str, list[str]] = {"done": [], "act-on": [], "ordered": [], "missing": []}
        for analyte in action["analytes"]:
            answers = self.answers(action, rows, analyte)
            if answers:
                bad = any(result["band"] in ("out-of-range", "critical") for result in answers)
                sorted_out["act-on" if bad else "done"].append(analyte)
            elif self._orders(action, {analyte, action["id"]}, made["urgent"]):
                sorted_out["ordered"].append(analyte)
            else:
                sorted_out["missing"].append(analyte)
        missing = sorted_out.pop("missing")
        withheld = [_withheld(action, kind, tests) for kind, tests in sorted_out.items() if tests]
        if not missing:
            return [], withheld
        routine = [o for a in missing for o in self._orders(action, {a, action["id"]}, False)]
        order = self._newest(routine, made["urgent"])
        return [{**made, "analytes": missing, "routine_order": order}], withheld

    def answers(
        self, action: dict[str, Any], rows: list[dict[str, Any]], analyte: str
    ) -> list[dict[str, Any]]:
        """The final results that make another of that analyte needless (section 4.1).

        One that could not be judged is never done, nor is what is older.
        """
        if action.get("repeat_abnormal") and is_abnormal(self.table, self.record, analyte):
            return []
        # What was measured before a disorder that names no electrolyte does not answer it.
        unnamed = unnamed_disorders(self.table, self.record) if action.get("repeat_abnormal") else []
        disordered = max((f["recorded"] for f in unnamed if f["recorded"]), default=None)
        floor = self._newest_start(rows)
        duration_alone = all(row.get("downgraded_when_tests_done") for row in rows)
        onset = self.record["twitch"]["onset"]["latest"]
        found = []
        final = [r for r in results_of(self.table, self.record, analyte) if not r["preliminary"]]
        open_since = max((r["day"] or date.min for r in final if r["band"] == "not-judged"), default=None)
        for result in final:
            age = days_since(self.record, result["day"])
            if age is None or (open_since is not None and result["day"] <= open_since):
                continue
            if disordered is not None and result["day"] <= disordered:
                continue
            recent = age <= action["done_days"] and (floor is None or result["day"] >= floor)
            since_onset = (
                duration_alone
                and result["band"] == "in-range"
                and onset is not None
                and result["day"] >= onset
                and age <= self.table["thresholds"]["benign_test_days"]
            )
            if recent or since_onset:
                found.append(result)
        newest = max((result["day"] for result in found), default=None)
        return [result for result in found if result["day"] == newest]

    def _newest_start(self, rows: list[dict[str, Any]]) -> date | None:
        """The latest day on which a plausible medicine of these rows can have begun."""
        classes = {leaf.split()[1] for row in rows for leaf, _ in leaves(row["when"]) if leaf[:5] == "drug "}
        starts = [
            drug["start"]["latest"] or drug["start"]["earliest"]
            for drug in self.record["drugs"]
            if drug["plausible"] != "no" and classes & set(drug["classes"])
        ]
        return max((day for day in starts if day is not None), default=None)

    def _studies_done(
        self, action: dict[str, Any], rows: list[dict[str, Any]], examined_today: frozenset[str]
    ) -> list[str]:
        signs = {n for row in rows for n in names_in(self.table, row)} & set(self.table["signs"])
        days = [self.record["as_of"] if sign in examined_today else self.examined.get(sign) for sign in signs]
        newest_sign = max((day for day in days if day is not None), default=None)
        return [
            study["id"]
            for study in self.record["studies"]
            if study["id"] in action.get("studies", ())
            and study["day"] is not None
            and days_since(self.record, study["day"]) <= self.table["thresholds"]["study_days"]
            and (newest_sign is None or newest_sign <= study["day"])
        ]

    def _orders(self, action: dict[str, Any], tests: set[str], urgent: bool) -> list[dict[str, Any]]:
        """Open orders that cover one of the tests; of an urgent action only the urgent ones."""
        if action.get("ordered_days") is None:
            return []
        found = []
        for order in self.record["orders"]:
            age = days_since(self.record, order["day"])
            open_still = order["draft"] or (age is not None and age <= action["ordered_days"])
            if tests & order["tests"] and open_still and (not urgent or order["priority"] in URGENT):
                found.append(order)
        return found

    def _newest(self, orders: list[dict[str, Any]], urgent: bool) -> dict[str, Any] | None:
        if not urgent:
            return None
        # An undated one among them is a draft: of today.
        return max(orders, key=lambda order: (order["day"] or date.max, order["reference"]), default=None)

    def _level(self, rows: list[dict[str, Any]]) -> str:
        level = max((row["level"] for row in rows), key=LEVELS.index, default="info")
        calling = [row for row in rows if row["level"] in ("warning", "critical")]
        if calling and all(row.get("downgraded_when_tests_done") for row in calling):
            wanted = {action["id"] for row in calling for action in actions_of(row)}
            actions = [action for action in self.table["actions"] if action["id"] in wanted]
            if all(
                self._settled(action, calling, analyte)
                for action in actions
                for analyte in action["analytes"]
            ):
                return "info"
        return level

    def _settled(self, action: dict[str, Any], calling: list[dict[str, Any]], analyte: str) -> bool:
        """By what answers duration alone: blood tests that only a medicine asks for leave it at info."""
        if self._orders(action, {analyte, action["id"]}, False):
            return True
        final = [r for r in results_of(self.table, self.record, analyte) if not r["preliminary"] and r["day"]]
        newest = max((result["day"] for result in final), default=None)
        return any(
            result["band"] == "in-range" and result["day"] == newest
            for result in self.answers(action, calling, analyte)
        )

    def advice(self, outcome: dict[str, Any], facts: Facts) -> list[str]:
        """The self-care advice of section 4.3, where self-care is recommended at all."""
        if not any(made["id"] == "self-care" for made in outcome["recommendations"]):
            return []
        given = [
            entry["id"]
            for entry in self.table["self_care"]
            if entry["trigger"] != "none"
            and self.true(entry["trigger"], facts)
            and not ("unless" in entry and self.true(entry["unless"], facts))
        ]
        return given or [entry["id"] for entry in self.table["self_care"] if entry["trigger"] == "none"]


def _withheld(action: dict[str, Any], kind: str, tests: list[str]) -> dict[str, Any]:
    return {"id": action["id"], "kind": kind, "tests": tests}
