"""When a condition of the table holds of a record, and because of what (section 3)."""

from __future__ import annotations

from typing import Any

from tests.second_opinion.opinion_facts import Facts, Plain, facts_of, is_present, results_in_state
from tests.second_opinion.opinion_table import WORDS, Table, actions_of, condition_named, names_in, witnesses


class Conditions:
    """A plain record beside the table. facts: some of them replaced by an answer."""

    def __init__(self, table: Table, record: Plain, facts: Facts | None = None) -> None:
        self.table, self.record = table, record
        self.facts = {**facts_of(table, record), **(facts or {})}

    def holds(self, leaf: str, facts: Facts) -> bool:
        word, _, rest = leaf.partition(" ")
        drugs = self.record["drugs"]
        named = condition_named(self.table, leaf)
        if named is not None:
            return self.why(named, facts) is not None
        if word in ("drug", "current", "stopped"):
            return any(self.drug_counts(word, rest, drug) for drug in drugs)
        if not rest:
            return facts[word] is True or is_present(facts, word)
        return bool(facts[word] in WORDS[rest])

    def drug_counts(self, word: str, drug_class: str, drug: Plain) -> bool:
        if drug_class not in drug["classes"]:
            return False
        if word == "current":
            return bool(drug["current"])
        if word == "drug":
            return drug["plausible"] in ("yes", "possible")
        # Ended at most so many days before the earliest onset.
        onset, end = self.record["twitch"]["onset"]["earliest"], (drug["end"] or {}).get("latest")
        if onset is None or end is None:
            return False
        return bool(0 < (onset - end).days <= self.table["thresholds"]["antidepressant_stopped_days"])

    def why(self, condition: Any, facts: Facts) -> list[str] | None:
        """The leaves that make a condition true (those of rows it names among them), or None."""
        found = witnesses(condition, lambda leaf: self.holds(leaf, facts))
        if found is None:
            return None
        named = [condition_named(self.table, leaf) for leaf in found]
        return found + [leaf for one in named if one is not None for leaf in self.why(one, facts) or ()]

    def fire(self, rows: list[Plain], facts: Facts) -> list[Plain]:
        fired = []
        for row in rows:
            because = self.why(row["when"], facts)
            if because is None:
                continue
            asked = [a for a in actions_of(row) if "when" not in a or self.why(a["when"], facts) is not None]
            fired.append(
                {
                    "id": row["id"],
                    "level": row["level"],
                    "roles": row.get("roles", []),
                    "asks_nothing": self.is_silent(row.get("asks_nothing", False), facts),
                    "because": because,
                    "names": names_in(self.table, row["when"]),
                    "asked": asked,
                }
            )
        return fired

    def is_silent(self, asks_nothing: Any, facts: Facts) -> bool:
        return asks_nothing is True or (bool(asks_nothing) and self.why(asks_nothing, facts) is not None)

    def drugs_of(self, row: Plain, words: tuple[str, ...] = ("drug", "current", "stopped")) -> list[Plain]:
        """The drugs that make the row hold."""
        parts = [leaf.split() for leaf in row["because"]]
        return [
            drug
            for drug in self.record["drugs"]
            if any(p[0] in words and self.drug_counts(p[0], p[1], drug) for p in parts)
            or (["potassium-raising-medicine"] in parts and drug["raises_potassium"] and drug["current"])
        ]

    def results_of_row(self, row: Plain) -> list[Plain]:
        found: list[Plain] = []
        for leaf in row["because"]:
            kinds = self.table["result_facts"].get(leaf, [])
            for kind in kinds if isinstance(kinds, list) else [kinds]:
                found += [r for r in results_in_state(self.table, self.record, kind) if r not in found]
        return found
