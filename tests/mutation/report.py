"""What a run found, as text: how many errors of each kind, what saw them first, and which nobody saw."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.mutation.checks import Verdict
from tests.mutation.conditions import Operands, at, condition_paths, same, shown
from tests.mutation.errors import Mutant

# What sees an error, in the order in which it is asked.
SEEN_BY = ("loader", "rows", "spec", "unit", "vignettes", "golden", "proof", "time")
_FOLDERS = {"knowledge": "rows", "spec": "spec", "unit": "unit", "vignettes": "vignettes", "golden": "golden"}


def seen_by(verdict: Verdict) -> str:
    """One of SEEN_BY, or "" for a survivor."""
    if not verdict.by or verdict.by in SEEN_BY:
        return verdict.by
    return _FOLDERS[verdict.by.split("/")[1]]


# Lists that are read as sets.
_SETS = (("long_analytes",), ("benign_ignores",), ("triggers",), ("history_signs",), ("benign_signs",),
         ("electrolytes_with_drafts_of",))  # fmt: skip


def reason(mutant: Mutant, raw: Mapping[str, Any]) -> str:
    """Why a survivor is no error at all; "" where nothing is known that excuses it."""
    changed = mutant.applied(raw)
    for path in condition_paths(raw):
        if mutant.path[: len(path)] == path:
            one, other = at(raw, path), at(changed, path)
            if same(one, other, Operands(raw)):
                return (
                    f"true for the same facts as {shown(one)}: every combination of the operands was compared"
                )
    if mutant.path in _SETS and sorted(at(raw, mutant.path)) == sorted(at(changed, mutant.path)):
        return "any of them counts: their order is never read"
    if mutant.path == ("self_care",) and _by_trigger(changed) == _by_trigger(raw):
        return "advice for no trigger is never given beside other advice: which stands first is never seen"
    if changed != raw and _without_calm_silence(changed) == _without_calm_silence(raw):
        return "only a critical row is asked whether it asks nothing"
    return ""


def _without_calm_silence(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The table without asks_nothing where the row is not critical."""

    def kept(row: Mapping[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in row.items() if k != "asks_nothing" or row["level"] == "critical"}

    return {**raw, "rows": [kept(row) for row in raw["rows"]]}


def _by_trigger(raw: Mapping[str, Any]) -> list[list[Any]]:
    """The advice for recorded triggers and that for none, each in its order."""
    return [[a for a in raw["self_care"] if (a["trigger"] == "none") is none] for none in (False, True)]


def table(verdicts: Iterable[Verdict]) -> list[str]:
    """Markdown: a line for each kind of error, and one for all."""
    by_kind: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        by_kind.setdefault(verdict.kind, Counter())[seen_by(verdict) or "nobody"] += 1
    total: Counter[str] = sum(by_kind.values(), Counter())
    columns = [name for name in (*SEEN_BY, "nobody") if name in ("nobody", "loader") or total[name]]
    lines = [
        f"| Kind of error | Errors | {' | '.join(columns)} |",
        f"|---|{'---:|' * (len(columns) + 1)}",
    ]
    for kind, counts in [*by_kind.items(), ("**all**", total)]:
        cells = [
            str(counts.total()),
            *(str(counts[name] or "") for name in columns[:-1]),
            str(counts["nobody"]),
        ]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return lines


def survivors(
    mutants: Sequence[Mutant], verdicts: Mapping[str, Verdict], raw: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Name and reason ("" = none) of each error that every check let pass."""
    return [(m.name, reason(m, raw)) for m in mutants if m.name in verdicts and not verdicts[m.name].killed]


def version_of(raw: Mapping[str, Any]) -> str:
    """What the pages about a table call it: a hash of what it says, its comments and layout aside."""
    return hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()[:12]


def page(mutants: Sequence[Mutant], verdicts: Mapping[str, Verdict], raw: Mapping[str, Any]) -> str:
    """docs/mutation.md. mutants: all; verdicts: of those that were tried."""
    survived = survivors(mutants, verdicts, raw)
    explained = [(name, why) for name, why in survived if why]
    unexplained = [name for name, why in survived if not why]
    seconds = sum(verdict.seconds for verdict in verdicts.values())
    lines = [
        "# Deliberate errors in the decision table",
        "",
        "Written by `python -m tests.mutation --write`. Every threshold, operator, operand, action, level,",
        "claim and list entry of `decision_table.yaml` is changed once, each alone, and the checks are run",
        "against the changed table. An error that no check sees would be a hole in them.",
        "",
        "The run goes on where it was stopped, as long as no code and no test changes; `--minutes 5`",
        "bounds it, `--only rows.bulbar` takes a part. A sample runs with every `make test`.",
        "",
        f"Table `{version_of(raw)}`: {len(verdicts)} of {len(mutants)} errors tried,"
        f" {len(verdicts) - len(survived)} seen, {len(explained)} that change nothing (below),"
        f" {len(unexplained)} that nobody saw. {seconds / 60:.0f} minutes of one processor.",
        "",
        *table(verdicts.values()),
        "",
        *(line for line in _LEGEND if "*proof*" not in line or total_of(verdicts, "proof")),
        "",
        "## Errors that no check saw",
        "",
        *([f"- {name}: {why or '**not explained**'}" for name, why in survived] or ["None."]),
        "",
    ]
    return "\n".join(lines)


def total_of(verdicts: Mapping[str, Verdict], name: str) -> int:
    """How many errors that one saw first."""
    return sum(seen_by(verdict) == name for verdict in verdicts.values())


_LEGEND = (
    "The columns say what saw the error first, in this order:",
    "",
    "- *loader*: the strict loader refuses the file, so the service would not start.",
    "- *rows*: the examples of the rows, and what the model says of each row (`tests/knowledge`).",
    "- *spec*: tests written from the decision model, as examples on both sides (`tests/spec`).",
    "- *unit*, *vignettes*, *golden*: `tests/unit`, the patients of `tests/vignettes`, their reviewed cards.",
    "- *proof*: `python -m tools.proof`, asked only where all of these let the error pass.",
    "",
    "Whatever reads the table itself to know what to expect is no check here: the second implementation, and",
    "the comparison of generated files with it. `tests/mutation` says how an error is put in and tried.",
)
