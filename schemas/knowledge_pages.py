"""Schema of pages.yaml: the texts of the pages about the table."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any

from marshmallow import ValidationError, fields, validate

from schemas.base import READINGS, Id, Strict, required_text
from schemas.knowledge_table import ROW_LEVELS, many, names_of

REGIONS = ("face", "tongue", "arms", "legs", "trunk", "generalized")
FEATURE_LISTS = ("signs", "benign_signs", "history_signs", "named", "acute")
BANDS = ("in-range", "out-of-range", "low", "high", "critical", "not-judged")
# The texts of pages.yaml by the {names} that may stand in them.
PHRASES = {
    "": "all_of one_of result_how result_below_how route_decides panels no_region abnormal how_finding"
    " how_medication how_analyte how_body-site how_course how_patient how_other-rows",
    "names": "examined not_examined reported not_reported settled unsettled examined_absent not_known_absent"
    " present diagnosis absent none_of any_other drug current stopped relatives",
    "names state days": "result",
    "names state from_days days": "result_between",
    "codes": "told_codes",
    "label": "specific",
    "limits": "limits",
    "value": "limit_low limit_high result_below",
    "low high": "default_range",
    "label value names": "result_beside",
    "atc stems": "how_potassium-raising",
}
ASKED = {
    "": "routine urgent now paediatric only_when nothing repeat_abnormal act_on drug_start ordered_urgent"
    " self_care nothing_removes no_trigger always beside_now beside_urgent",
    "tests": "withholds",
    "days tests": "done",
    "days": "done_one calm study ordered",
    "years": "child",
    "condition": "withheld_when",
}
GIVEN = {
    "": "result_today nothing holds fails",
    "label": "examined listed reported absent absent-not-examined drug_yes drug_possible drug_no current"
    " fact",
    "label days": "stopped",
    "days": "onset_days_ago recorded_days_ago result_ago",
    "names": "sites courses",
    "label band when": "result",
    "years": "age_years",
}
FORM = {
    "": "only_one date_unknown date_century date_none date_unborn no_author nothing",
    "value": "no_option no_item other_entry",
    "first second": "date_ambiguous",
    "first last": "between",
    "day": "date_future",
    "label": "not_asked taken_back",
    "label values": "record_kept recorded",
}


def names_in(text: str) -> frozenset[str]:
    """The {names} of a text. Raises ValueError where a brace is left open."""
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)


class Texts(fields.Dict):
    """A complete set of texts. names: the {names} that may stand in texts -> those texts."""

    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__(keys=fields.String(), values=required_text(), required=True)
        self.texts = {text: allowed.split() for allowed, texts in names.items() for text in texts.split()}

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> Any:
        texts: dict[str, str] = super()._deserialize(value, attr, data, **more)  # type: ignore[no-untyped-call]
        problems = {name: ["no text"] for name in self.texts if name not in texts}
        for name, text in texts.items():
            if name not in self.texts:
                problems[name] = ["text for something the pages do not have"]
                continue
            try:
                unknown = names_in(text) - set(self.texts[name])
            except ValueError:
                problems[name] = ["a brace is left open"]
                continue
            if unknown:
                problems[name] = [f"nothing fills {{{min(unknown)}}}"]
        if problems:
            raise ValidationError(dict(sorted(problems.items())))
        return texts


class CellSchema(Strict):
    says = required_text()
    claims = names_of()


class ColumnsSchema(Strict):
    """One feature of the two-column table."""

    id = Id()
    label = required_text()
    benign = fields.Nested(CellSchema, required=True)
    disease = fields.Nested(CellSchema, required=True)
    rows = names_of()


class ReadingSchema(Strict):
    id = Id()
    title = required_text()
    says = required_text()


class FeatureSchema(Strict):
    """How a computed feature is said, and what feeds it."""

    holds = required_text()
    fails = required_text()
    how = required_text()
    findings = names_of(required=False)
    # Lists of the decision table whose findings feed it.
    lists = fields.List(fields.String(validate=validate.OneOf(FEATURE_LISTS)), load_default=list)
    analytes = names_of(required=False)
    sites = names_of(required=False)
    regions = fields.List(fields.String(validate=validate.OneOf(REGIONS)), load_default=list)
    courses = names_of(required=False)
    disorders = fields.Boolean(load_default=False)
    patient = fields.Boolean(load_default=False)
    potassium_raising = fields.Boolean(load_default=False)
    other_rows = fields.Boolean(load_default=False)


class PagesSchema(Strict):
    """pages.yaml."""

    two_columns = many(ColumnsSchema)
    reading = many(ReadingSchema)
    levels = Texts({"": " ".join(ROW_LEVELS)})
    readings = Texts({"": " ".join(READINGS)})
    thresholds = fields.Dict(keys=fields.String(), values=required_text(), required=True)
    phrases = Texts(PHRASES)
    features = fields.Dict(keys=fields.String(), values=fields.Nested(FeatureSchema), required=True)
    asked = Texts(ASKED)
    given = Texts(GIVEN)
    bands = Texts({"": " ".join(BANDS)})
    form = Texts(FORM)
    systems = fields.Dict(keys=fields.String(), values=required_text(), required=True)
