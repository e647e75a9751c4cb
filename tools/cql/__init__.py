"""The knowledge as one CQL library: value sets, facts, rows, level and recommendations.

`reading.cql`, `on_file.cql` and `decision.cql` hold what all knowledge shares; names, numbers, rows and
actions come from the YAML, which is read here past the service's own loader: the two decide independently.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from tools.cql.codes import Codes
from tools.cql.files import Files
from tools.cql.literals import number, text, texts
from tools.cql.rows import Rows

HERE = Path(__file__).parent
NAME = "FasciculationDecision"
_PARTS = ("reading.cql", "on_file.cql", "decision.cql")
# More days ago than any record is.
_NEVER = str(10**7)
_STATEMENT = (
    "Tuple { key System.String, finding System.String, status System.String, basis System.String,"
    " ago System.Integer, history System.Boolean, ended System.Boolean,"
    " since Tuple { most System.Integer, least System.Integer }, atLeast System.Integer,"
    " places List<System.String>, courses List<System.String>, suspected System.Boolean,"
    " condition System.Boolean, acute System.Boolean }"
)
_DAYS = "Tuple { most System.Integer, least System.Integer }"
TYPES = {
    "Days": _DAYS,
    "Statement": _STATEMENT,
    "Observation": "Tuple { resource FHIR.Observation, codes List<System.Code>, doubtful System.Boolean,"
    f" since {_DAYS}, recorded {_DAYS}, basis System.String, places List<System.String>,"
    " courses List<System.String>, partPlaces List<System.String> }",
    "Mention": "Tuple { ingredient System.String, class System.String, sure System.Boolean,"
    f" began {_DAYS}, ceased {_DAYS}, known System.Boolean }}",
    "Measured": "Tuple { analyte System.String, codes List<System.Code>, value System.Any,"
    " interpretation List<FHIR.CodeableConcept>, ranges List<FHIR.Observation.ReferenceRange>,"
    " modified System.Boolean, ago System.Integer, at System.DateTime, preliminary System.Boolean }",
    "Result": "Tuple { analyte System.String, group System.String, kind System.String, band System.String,"
    " low System.String, canonical System.Decimal, below System.Boolean, ago System.Integer,"
    " at System.DateTime, preliminary System.Boolean }",
    "Asked": "Tuple { holds System.Boolean, row System.String, level System.String,"
    " action System.String, urgency System.String }",
    "Action": "Tuple { id System.String, analytes List<System.String>, studies List<System.String>,"
    " doneDays System.Integer, orderedDays System.Integer, repeatAbnormal System.Boolean,"
    " withheldFromChild System.Boolean, besideNow System.Boolean, besideUrgent System.Boolean,"
    " canBeOrdered System.Boolean, isTest System.Boolean, isReferral System.Boolean,"
    " acts System.Boolean, again System.Boolean, examines System.Boolean }",
    "Made": "Tuple { id System.String, urgency System.String, analytes List<System.String>,"
    " because List<System.String>, inHand System.Boolean }",
}


def library(files: Files, root: str, version: str, value_sets: Iterable[str]) -> str:
    """The CQL of that knowledge.

    Args:
        root: what the canonical URLs of the value sets begin with.
        value_sets: their ids.
    """
    head = [
        f"library {NAME} version '{version}'",
        "using FHIR version '4.0.1'",
        "",
        *(f"valueset \"{name}\": '{root}/ValueSet/{name}'" for name in sorted(value_sets)),
        "",
        "// The day of the decision.",
        'parameter "AsOf" System.Date default Today()',
        "",
        "context Patient",
        "",
    ]
    filled = _values(files)
    parts = [(HERE / name).read_text(encoding="utf-8") for name in _PARTS]
    return "\n".join(head) + "\n" + "\n".join(_filled(part, filled) for part in parts)


def retrieved() -> list[str]:
    """The resource types that the library reads."""
    text = "".join((HERE / name).read_text(encoding="utf-8") for name in _PARTS)
    return ["Patient", *sorted(set(re.findall(r"\[([A-Z]\w+)\]", text)))]


def _filled(template: str, values: Mapping[str, str]) -> str:
    return re.sub(r"{{(\w+)}}", lambda match: values[match[1]], template)


def _values(files: Files) -> dict[str, str]:
    """What stands for each {{name}} of the templates."""
    table, words = files.table, files.words["ranges"]
    rows = Rows(files, TYPES["Result"])
    (adjusted,) = (raw for raw in files.analytes.values() if raw.get("adjustment"))
    suspected = (f'Coalesce("Finding"({text(name)}).suspected, false)' for name in table["closes_gate"])
    return {
        **TYPES,
        **{name: str(days) for name, days in table["thresholds"].items()},
        "never": _NEVER,
        "codes": "\n".join(Codes(files).lines()),
        "facts": "\n".join(rows.facts()),
        "rows": "\n".join(rows.rows()),
        "last_rows": "\n".join(rows.last_rows()),
        "recommends": "\n".join(rows.recommends()),
        "suspected": " or ".join(suspected),
        "closes_gate": texts(table["closes_gate"]),
        "not_taken_codes": texts(files.routes["not_taken"]["codes"]),
        "everybody": texts(words["everybody"]),
        "adults": texts(words["adults"]),
        "male": texts(words["sexes"]["male"]),
        "female": texts(words["sexes"]["female"]),
        "usual": texts(words["usual"]),
        "adult_days": str(int(words["adult_years"] * 365.25)),
        "nines_beyond": str(files.words["nines_beyond"]),
        "adjustment_factor": number(adjusted["adjustment"]["factor"]),
        "adjustment_around": number(adjusted["adjustment"]["around"]),
    }
