"""Facts, rows, and what they ask for, as CQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tools.cql.conditions import Conditions
from tools.cql.files import Files
from tools.cql.literals import boolean, integer, number, record, text, texts


class Rows:
    """The decision table of one knowledge. result_type: the CQL type of a result."""

    def __init__(self, files: Files, result_type: str) -> None:
        self._files = files
        self._result_type = result_type
        self._conditions = Conditions(files.table, files.findings)

    def facts(self) -> Iterator[str]:
        table = self._files.table
        yield f'define "Signs": {texts(table["signs"])}'
        yield f'\ndefine "Signs in history": {texts(table["history_signs"])}'
        yield f'\ndefine "Signs of the benign pattern": {texts(table["benign_signs"])}'
        yield f'\ndefine "Quiet findings": {texts([*table["triggers"], *table["benign_ignores"]])}'
        yield f'\ndefine "Findings beside the benign pattern": {texts(table["benign_ignores"])}'
        yield f'\ndefine "Findings to name": {texts(table["named"])}'
        for name in sorted(self._conditions.findings()):
            yield f'\n// {self._files.findings[name]["label"]}\ndefine "Finding {name}": "Fact"({text(name)})'
        for name, kinds in table["result_facts"].items():
            several = kinds if isinstance(kinds, list) else [kinds]
            held = ", ".join(self._in_state(kind) for kind in several)
            yield f'\ndefine "Results {name}": flatten {{ {held} }}'
        for name, condition in table["definitions"].items():
            yield f'\ndefine "Definition {name}":\n  {self._conditions.cql(condition)}'
        yield '\ndefine "Actions":\n  {'
        yield ",\n".join(f"    {self._action(action)}" for action in table["actions"])
        yield "  }"
        (acts,) = (a["id"] for a in table["actions"] if "result" in a.get("roles", ()))
        yield f'\ndefine "Action on results": {text(acts)}'

    def _in_state(self, kind: Mapping[str, Any]) -> str:
        groups = {raw.get("counts_as", name) for name, raw in self._files.analytes.items()}
        analytes = kind.get("analytes") or sorted(groups - set(kind["except"]))
        below = number(kind["below"]) if "below" in kind else "null as System.Decimal"
        return (
            f'"In state"({texts(analytes)}, {text(kind.get("state", "below"))},'
            f" {kind.get('from_days', 0)}, {kind['at_most_days']}, {below})"
        )

    def _action(self, action: Mapping[str, Any]) -> str:
        roles = action.get("roles", ())
        members = {
            "id": text(action["id"]),
            "analytes": texts(action.get("analytes", ())),
            "studies": texts(action.get("studies", ())),
            "doneDays": integer(action.get("done_days")),
            "orderedDays": integer(action.get("ordered_days")),
            "repeatAbnormal": boolean(action.get("repeat_abnormal")),
            "withheldFromChild": boolean(action.get("child") == "withheld"),
            "besideNow": boolean(action.get("beside_now") == "withheld"),
            "besideUrgent": boolean(action.get("beside_urgent") == "withheld"),
            "canBeOrdered": boolean(action.get("can_be_ordered", True)),
            "isTest": boolean(action.get("order") in ("blood", "study")),
            "isReferral": boolean(action.get("order") == "referral"),
            "acts": boolean("result" in roles),
            "again": boolean("again" in roles),
            "examines": boolean("examination" in roles),
        }
        return record(**members)

    def rows(self) -> Iterator[str]:
        rows = [row for row in self._files.table["rows"] if row.get("reads") != "last"]
        yield from map(self._row, rows)
        yield from self._fired("Fired", "Asked", rows)
        yield '\ndefine function "Signs of row"(Row System.String):\n  case Row'
        for row in self._files.table["rows"]:
            signs = self._conditions.positive(row["when"]) & self._asked_signs
            if signs:
                yield f"    when {text(row['id'])} then {texts(sorted(signs))}"
        yield "    else {} as List<System.String> end"
        yield '\ndefine function "Classes of row"(Row System.String):\n  case Row'
        for row in self._files.table["rows"]:
            classes = self._conditions.classes(row["when"])
            if classes:
                yield f"    when {text(row['id'])} then {texts(sorted(classes))}"
        yield "    else {} as List<System.String> end"
        yield '\ndefine function "Results of row"(Row System.String):\n  case Row'
        for row in self._files.table["rows"]:
            facts = sorted(self._conditions.positive(row["when"]) & set(self._files.table["result_facts"]))
            if facts:
                held = ", ".join(f'"Results {name}"' for name in facts)
                yield f"    when {text(row['id'])} then flatten {{ {held} }}"
        yield f"    else {{}} as List<{self._result_type}> end"
        tongue = [
            r["id"]
            for r in self._files.table["rows"]
            if "tongue-site" in self._conditions.positive(r["when"])
        ]
        yield f'\ndefine "Rows of a tongue": {texts(tongue)}'

    @property
    def _asked_signs(self) -> set[str]:
        return {
            *self._files.table["signs"],
            *(n for n, raw in self._files.findings.items() if raw.get("category")),
        }

    def recommends(self) -> Iterator[str]:
        """One definition for each action, urgency and test that can be recommended: what a plan asks for."""
        for action, urgency in self.possible():
            made = f"R.id = {text(action)} and R.urgency = {text(urgency)}"
            yield f'\ndefine {recommends(action, urgency)}:\n  exists (("Recommendations") R where {made})'
            analytes = self.actions[action].get("analytes", ())
            for test in analytes if len(analytes) > 1 else ():
                missing = f"{made} and {text(test)} in R.analytes"
                name = recommends(action, urgency, test)
                yield f'\ndefine {name}:\n  exists (("Recommendations") R where {missing})'

    def possible(self) -> Iterator[tuple[str, str]]:
        """Every action with every urgency at which rows ask for it, in the order of the table."""
        urgencies = ("routine", "urgent", "now")
        asked = {
            (long["id"], long.get("urgency", urgencies[0]))
            for row in self._files.table["rows"]
            for long in map(_long, row["actions"])
        }
        # A result that is done and out of range is acted on whatever rows say.
        asked |= {
            (name, urgencies[0]) for name, raw in self.actions.items() if "result" in raw.get("roles", ())
        }
        for name in self.actions:
            yield from ((name, urgency) for urgency in urgencies if (name, urgency) in asked)

    @property
    def actions(self) -> dict[str, dict[str, Any]]:
        """The actions of the table, by id."""
        return {action["id"]: action for action in self._files.table["actions"]}

    def last_rows(self) -> Iterator[str]:
        rows = [row for row in self._files.table["rows"] if row.get("reads") == "last"]
        yield from map(self._row, rows)
        yield from self._fired("Fired last", "Asked last", rows)

    def _row(self, row: Mapping[str, Any]) -> str:
        cited = ", ".join(dict.fromkeys(name for support in row["rests_on"] for name in support["ids"]))
        return (
            f'// {row["label"]} ({cited})\ndefine "Row {row["id"]}":\n  {self._conditions.cql(row["when"])}\n'
        )

    def _fired(self, fired: str, asked: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        rows = list(rows)
        yield f'define "{fired}":\n  ({{'
        yield ",\n".join(
            "    "
            + record(
                holds=f'"Row {row["id"]}"',
                id=text(row["id"]),
                level=text(row["level"]),
                besideBenign=boolean(row.get("beside_benign")),
            )
            for row in rows
        )
        yield "  }) R where R.holds"
        yield f'\ndefine "{asked}":\n  ({{'
        parts = []
        for row in rows:
            for action in row["actions"]:
                long = _long(action)
                when = f" and {self._conditions.cql(long['when'])}" if "when" in long else ""
                members = record(
                    holds=f'"Row {row["id"]}"{when}',
                    row=text(row["id"]),
                    level=text(row["level"]),
                    action=text(long["id"]),
                    urgency=text(long.get("urgency", "routine")),
                )
                parts.append(f"    {members}")
        yield ",\n".join(parts)
        yield "  }) A where A.holds"


def recommends(action: str, urgency: str, test: str = "") -> str:
    """The name of the definition that says whether it is recommended: an identifier that needs no quotes.

    >>> recommends("neurology-referral", "now"), recommends("electrolytes", "routine", "sodium")
    ('RecommendsNeurologyReferralNow', 'RecommendsElectrolytesRoutineSodium')
    """
    words = f"{action}-{urgency}-{test}".split("-")
    return "Recommends" + "".join(word[:1].upper() + word[1:] for word in words)


def _long(action: Any) -> dict[str, Any]:
    return {"id": action} if isinstance(action, str) else action
