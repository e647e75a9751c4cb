"""The shape of pages.yaml. Strict: an unknown member, a missing text and an unknown {name} are errors."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any

from marshmallow import ValidationError, fields, validate

from schemas.knowledge_table import LEVELS, READINGS, Id, Strict

REGIONS = ("face", "tongue", "arms", "legs", "trunk", "generalized")
BANDS = ("in-range", "out-of-range", "low", "high", "critical", "not-judged")
# Each text, with the {names} that are filled into it.
PHRASES: Mapping[str, str] = {
    "all_of": "",
    "one_of": "",
    "examined": "names",
    "reported": "names",
    "present": "names",
    "diagnosis": "names",
    "absent": "names",
    "none_of": "names",
    "drug": "names",
    "current": "names",
    "electrolyte": "analyte out_of_range_days",
    "electrolyte_how": "",
    "how_finding": "",
    "told_codes": "codes",
    "specific": "label",
    "relatives": "names",
    "how_medication": "",
    "route_decides": "",
    "how_analyte": "",
    "panels": "",
    "limits": "limits",
    "limit_low": "value",
    "limit_high": "value",
    "default_range": "low high",
    "how_body-site": "",
    "no_region": "",
    "how_course": "",
    "how_patient": "",
    "how_other-rows": "",
    "how_potassium-raising": "atc stems",
    "abnormal": "",
}
ASKED: Mapping[str, str] = {
    "routine": "",
    "urgent": "",
    "paediatric": "",
    "only_when": "",
    "nothing": "",
    "withholds": "tests",
    "done": "days tests",
    "done_one": "days",
    "repeat_abnormal": "",
    "act_on": "",
    "drug_start": "",
    "benign": "days",
    "downgraded": "",
    "study": "days",
    "ordered": "days",
    "ordered_urgent": "",
    "child": "years",
    "self_care": "",
    "nothing_removes": "",
    "no_trigger": "",
    "always": "",
    "withheld_when": "condition",
}
GIVEN: Mapping[str, str] = {
    "examined": "label",
    "reported": "label",
    "absent": "label",
    "onset_days_ago": "days",
    "sites": "names",
    "courses": "names",
    "drug_yes": "label",
    "drug_possible": "label",
    "drug_no": "label",
    "result": "label band when",
    "result_today": "",
    "result_ago": "days",
    "age_years": "years",
    "nothing": "",
    "holds": "",
    "fails": "",
}


def names_in(text: str) -> frozenset[str]:
    """The {names} of a text. Raises ValueError where a brace is left open."""
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def _text() -> fields.String:
    return fields.String(required=True, validate=validate.Length(min=1))


class Texts(fields.Dict):
    """Exactly these texts, each with no other {names} than these."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__(keys=fields.String(), values=_text(), required=True)
        self.texts = texts

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> Any:
        found: dict[str, str] = super()._deserialize(value, attr, data, **more)  # type: ignore[no-untyped-call]
        problems = {name: ["no text"] for name in self.texts if name not in found}
        for name, text in found.items():
            if name not in self.texts:
                problems[name] = ["text for something the pages do not have"]
                continue
            try:
                unknown = names_in(text) - set(self.texts[name].split())
            except ValueError:
                problems[name] = ["a brace is left open"]
                continue
            if unknown:
                problems[name] = [f"nothing fills {{{min(unknown)}}}"]
        if problems:
            raise ValidationError(dict(sorted(problems.items())))
        return found


def _plain(names: tuple[str, ...]) -> Texts:
    return Texts(dict.fromkeys(names, ""))


def _ids() -> fields.List[str]:
    return fields.List(fields.String(), load_default=list)


class CellSchema(Strict):
    says = _text()
    claims = fields.List(fields.String(), required=True)


class ColumnsSchema(Strict):
    """One feature of the two-column table."""

    id = Id()
    label = _text()
    benign = fields.Nested(CellSchema, required=True)
    disease = fields.Nested(CellSchema, required=True)
    rows = fields.List(fields.String(), required=True)


class ReadingSchema(Strict):
    id = Id()
    title = _text()
    says = _text()


class FeatureSchema(Strict):
    """How a computed feature is said, and what feeds it."""

    holds = _text()
    fails = _text()
    how = _text()
    findings = _ids()
    analytes = _ids()
    sites = _ids()
    regions = fields.List(fields.String(validate=validate.OneOf(REGIONS)), load_default=list)
    courses = _ids()
    electrolytes = fields.Boolean(load_default=False)
    disorders = fields.Boolean(load_default=False)
    patient = fields.Boolean(load_default=False)
    potassium_raising = fields.Boolean(load_default=False)
    other_rows = fields.Boolean(load_default=False)


class PagesSchema(Strict):
    """The whole file."""

    two_columns = fields.List(fields.Nested(ColumnsSchema), required=True)
    reading = fields.List(fields.Nested(ReadingSchema), required=True)
    levels = _plain(LEVELS)
    readings = _plain(READINGS)
    thresholds = fields.Dict(keys=fields.String(), values=_text(), required=True)
    phrases = Texts(PHRASES)
    features = fields.Dict(keys=fields.String(), values=fields.Nested(FeatureSchema), required=True)
    asked = Texts(ASKED)
    given = Texts(GIVEN)
    bands = _plain(BANDS)
    systems = fields.Dict(keys=fields.String(), values=_text(), required=True)
