"""Actions, what section 4 removes, and the level (section 3), from the rows that hold."""

from __future__ import annotations

from datetime import date

from tests.second_opinion.opinion_conditions import Conditions
from tests.second_opinion.opinion_facts import (
    OUT,
    Facts,
    Plain,
    age_of,
    band_of,
    disorders_of,
    is_present,
    last_facts,
    results_in_state,
    results_of,
)
from tests.second_opinion.opinion_table import LEVELS, PRIORITIES, URGENCIES, Table, role_of


class Case(Conditions):
    """A plain record beside the table, decided once."""

    def __init__(self, table: Table, record: Plain, facts: Facts | None = None) -> None:
        super().__init__(table, record, facts)
        self.actions = {action["id"]: action for action in table["actions"]}
        self.withheld: list[Plain] = []
        # Results that need no repeat and are out of range: acted on. With the rows that ask for the test.
        self.diverted: list[tuple[Plain, list[str]]] = []
        first = [row for row in table["rows"] if row.get("reads") != "last"]
        self.fired = self.fire(first, self.facts)
        self.recommended = self._recommend(self.fired)
        self.level = self._level()
        last = [row for row in table["rows"] if row.get("reads") == "last"]
        seen = {**self.facts, **last_facts(table, record, self.facts, self.fired, self.level)}
        late: list[Plain] = []
        for row in last:
            late += self.fire([row], seen)
        self.recommended += self._recommend(late)
        self.fired += late

    # --- actions

    def _recommend(self, fired: list[Plain]) -> list[Plain]:
        made = []
        act = role_of(self.table, "result")
        # The results that an action leaves to be acted on are known once all others are decided.
        for action in sorted(self.table["actions"], key=lambda a: a["id"] == act):
            asking = [row for row in fired if any(a["id"] == action["id"] for a in row["asked"])]
            if asking or (action["id"] == act and self.diverted):
                made += self._one(action, asking)
        self.diverted.clear()
        return self._beside(made)

    def _one(self, action: Plain, asking: list[Plain]) -> list[Plain]:
        long = [a for row in asking for a in row["asked"] if a["id"] == action["id"]]
        urgency = max((a.get("urgency", "routine") for a in long), key=URGENCIES.index, default="routine")
        weeks = [a["weeks"] for a in long if "weeks" in a]
        made: Plain = {
            "id": action["id"],
            "urgency": urgency,
            "because": [row["id"] for row in asking],
            "analytes": [],
            "paediatric": any(a.get("paediatric") for a in long),
            "consider": bool(long) and all(a.get("consider", False) for a in long),
            "too_low": None,
            "weeks": min(weeks, default=None),
            "results": [],
            "findings": [],
            "drugs": [],
            "in_hand": False,
        }
        if action.get("child") == "withheld" and self.facts["child-age"] is True:
            return self._withhold(made, "child", [])
        roles = action.get("roles", ())
        if "result" in roles:
            return self._act(made, asking)
        if "examination" in roles:
            asked = {name for a in long for name in a.get("findings", ())}
            made["findings"] = sorted(name for name in asked if not self.holds(f"{name} settled", self.facts))
        if "review" in roles:
            made["drugs"] = sorted({drug["name"] for row in asking for drug in self.drugs_of(row)})
        if action.get("analytes"):
            return self._blood(action, asking, made)
        if action.get("order") == "study" and self._study_done(action, asking):
            return self._withhold(made, "done", [])
        if "referral" in roles and urgency != "now" and self._seen(asking):
            return self._withhold(made, "seen", [])
        tests = {action["id"], *action.get("studies", ())}
        if self._orders(action, tests, urgency):
            return self._withhold(made, "ordered", [])
        if urgency != "routine":
            made["too_low"] = _newest(self._orders(action, tests, "routine"))
        return [made]

    def _withhold(self, made: Plain, why: str, tests: list[str], calm: bool = False) -> list[Plain]:
        self.withheld.append({"id": made["id"], "why": why, "tests": tests, "calm": calm})
        return []

    def _blood(self, action: Plain, asking: list[Plain], made: Plain) -> list[Plain]:
        """4.1 and 4.2, analyte by analyte."""
        sorted_out: dict[str, list[str]] = {}
        calm = all(row["level"] == "calm" for row in asking)
        for analyte in action["analytes"]:
            result = self._done(action, asking, analyte, made["urgency"], calm)
            if result is not None:
                out = band_of(self.table, self.record, result) in OUT
                if out and not action.get("repeat_abnormal"):
                    self.diverted.append((result, made["because"]))
                kind = "done"
            elif self._orders(action, {analyte, action["id"]}, made["urgency"]):
                kind = "ordered"
            else:
                kind = "missing"
            sorted_out.setdefault(kind, []).append(analyte)
        missing = sorted_out.pop("missing", [])
        for why, tests in sorted_out.items():
            self._withhold(made, why, tests, calm and why == "done")
        if not missing:
            return []
        if made["urgency"] != "routine":
            low = [self._orders(action, {a, action["id"]}, "routine") for a in missing]
            # "Ordered as routine" is said where all of them are.
            made["too_low"] = _newest([o for found in low for o in found]) if all(low) else None
        return [{**made, "analytes": missing}]

    def _done(
        self, action: Plain, asking: list[Plain], analyte: str, urgency: str, calm: bool
    ) -> Plain | None:
        """The final result that makes another needless, or None."""
        limits = self.table["thresholds"]
        results = results_of(self.table, self.record, analyte)
        if action.get("repeat_abnormal"):
            state = {"analytes": [analyte], "state": "out-of-range"}
            state["at_most_days"] = limits["out_of_range_days"]
            if results_in_state(self.table, self.record, state):
                return None
        starts = [
            drug["start"]["latest"] or drug["start"]["earliest"]
            for row in asking
            for drug in self.drugs_of(row, ("drug",))
        ]
        floor = max((day for day in starts if day is not None), default=date.min)
        # Silent in the model: what was measured before a recorded disorder does not answer it.
        waiting = [day for names, day in disorders_of(self.table, self.record) if analyte in names]
        if not action.get("repeat_abnormal"):
            waiting = []
        onset = self.record["twitch"]["onset"]["latest"]
        for result in results:
            age = age_of(self.record, result["day"])
            if age is None or result["preliminary"] or result["band"] == "not-judged":
                continue
            if any(day is None or result["day"] <= day for day in waiting):
                continue
            days = limits["now_result_days"] if urgency == "now" else action["done_days"]
            if age <= days and result["day"] >= floor:
                return result
            in_range = band_of(self.table, self.record, result) == "in-range"
            since_onset = calm and in_range and onset is not None and result["day"] >= onset
            if since_onset and age <= limits["calm_test_days"]:
                return result
        return None

    def _signs_of(self, asking: list[Plain]) -> list[Plain]:
        """The signs whose rows ask; read broadly, with the symptoms that can be asked (bulbar, cramps)."""
        known = {name for q in self.table["questions"] for name in q.get("findings", ())}
        names = {name for row in asking for name in row["names"]} & {*self.table["signs"], *known}
        return [self.record["findings"][name] for name in names if is_present(self.facts, name)]

    def _study_done(self, action: Plain, asking: list[Plain]) -> bool:
        days = [sign["first_examined"] for sign in self._signs_of(asking)]
        newest = max((day for day in days if day is not None), default=date.min)
        return any(
            study["id"] in action["studies"] and self._lately(study["day"]) and study["day"] >= newest
            for study in self.record["studies"]
        )

    def _seen(self, asking: list[Plain]) -> bool:
        """A neurology consultation after which no sign whose row asks was recorded first."""
        first = []
        for sign in self._signs_of(asking):
            days = [e["day"] for e in sign["evidence"] if e["status"] == "present"]
            days += [sign["first_examined"], sign["recorded"]]
            first.append(min((day for day in days if day is not None), default=date.min))
        # A twitching tongue is a bulbar sign too: recorded with the twitch, or answered today.
        if self.facts["tongue-site"] is True and any("tongue-site" in row["names"] for row in asking):
            twitch = self.record["twitch"]
            is_recorded = any(site["region"] == "tongue" for site in twitch["sites"])
            first.append((is_recorded and twitch["first_recorded"]) or self.record["as_of"])
        newest = max(first, default=date.min)
        return any(
            study["id"] == "neurology-consultation" and self._lately(study["day"]) and study["day"] >= newest
            for study in self.record["studies"]
        )

    def _lately(self, day: date | None) -> bool:
        age = age_of(self.record, day)
        return age is not None and age <= self.table["thresholds"]["study_days"]

    def _orders(self, action: Plain, tests: set[str], urgency: str) -> list[Plain]:
        """Open orders of one of the tests with at least that priority."""
        found = []
        if action.get("can_be_ordered", True) and action.get("ordered_days") is not None:
            for order in self.record["orders"]:
                age = age_of(self.record, order["day"])
                is_open = order["draft"] or (age is not None and age <= action["ordered_days"])
                enough = urgency == "routine" or order["priority"] in PRIORITIES[urgency]
                if is_open and enough and tests & order["tests"]:
                    found.append(order)
        return found

    def _act(self, made: Plain, asking: list[Plain]) -> list[Plain]:
        """Act on results: those of the rows that ask, and those that need no repeat but are abnormal."""
        results = [result for row in asking for result in self.results_of_row(row)]
        for result, because in self.diverted:
            if result not in results:
                results.append(result)
                made["because"] = [*made["because"], *(row for row in because if row not in made["because"])]
        made["results"] = sorted({(r["analyte"], r["reference"]) for r in results})
        urgent = [
            result
            for row in asking
            if any(a["id"] == made["id"] and a.get("urgency") == "now" for a in row["asked"])
            for result in self.results_of_row(row)
        ]
        made["in_hand"] = bool(urgent) and all(self._in_hand(result) for result in urgent)
        return [made]

    def _in_hand(self, result: Plain) -> bool:
        """An order for today of the same analyte, made on or after the day of the result."""
        for action in self.table["actions"]:
            analyte = self.table["analytes"].get(result["analyte"], {}).get("counts_as", result["analyte"])
            if analyte in action.get("analytes", ()):
                for order in self._orders(action, {analyte, result["analyte"], action["id"]}, "now"):
                    day = self.record["as_of"] if order["draft"] and not order["day"] else order["day"]
                    if result["day"] is not None and day >= result["day"]:
                        return True
        return False

    def _beside(self, made: list[Plain]) -> list[Plain]:
        """What is left out beside a more urgent action (4.11; section 3, last paragraph)."""
        urgencies = {one["urgency"] for one in made}
        referral = any("referral" in self.actions[one["id"]].get("roles", ()) for one in made)
        kept = []
        for one in made:
            action = self.actions[one["id"]]
            late = "again" in action.get("roles", ()) and referral
            # Safer in use: what is ordered for today does not bring the other test back.
            today = any(
                a.get("urgency") == "now" and a["id"] != one["id"] for row in self.fired for a in row["asked"]
            )
            if action.get("beside_now") == "withheld" and today:
                self._withhold(one, "beside-now", one["analytes"])
            elif (
                action.get("beside_urgent") == "withheld"
                and one["urgency"] == "routine"
                and (urgencies & {"urgent", "now"} or late)
            ):
                self._withhold(one, "beside-urgent", [])
            else:
                kept.append(one)
        return kept

    # --- level

    def _level(self) -> str:
        levels = {"info"}
        left = {row for one in self.recommended for row in one["because"]}
        urgent = any(one["urgency"] != "routine" and not one["in_hand"] for one in self.recommended)
        for row in self.fired:
            level = row["level"]
            if level == "calm":
                level = "info" if self.facts["examined-normal"] else "warning"
            elif level == "until-done":
                level = "warning" if row["id"] in left else "info"
            elif level == "critical" and not urgent:
                level = "warning"
            levels.add(level)
        return max(levels, key=LEVELS.index)

    def advice(self) -> list[str]:
        """The self-care advice of 4.3, where self-care is recommended at all."""
        if role_of(self.table, "care") not in {one["id"] for one in self.recommended}:
            return []
        given = [
            entry["id"]
            for entry in self.table["self_care"]
            if entry["trigger"] != "none"
            and self.why(entry["trigger"], self.facts) is not None
            and not ("unless" in entry and self.why(entry["unless"], self.facts) is not None)
        ]
        return given or [entry["id"] for entry in self.table["self_care"] if entry["trigger"] == "none"]


def _newest(orders: list[Plain]) -> str | None:
    # An undated one among them is a draft: of today.
    newest = max(orders, key=lambda o: (o["day"] or date.max, o["reference"]), default=None)
    return None if newest is None else str(newest["reference"])
