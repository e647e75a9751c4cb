"""The shapes of the terminology files. Strict: an unknown member is an error; codes are quoted strings."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate

from schemas.knowledge_table import Id, Strict

KINDS = ("fasciculation", "sign", "symptom", "trigger", "diagnosis", "family", "shown", "look-alike")


class Text(fields.String):
    """A string that YAML read as one: an unquoted number is refused."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("not a string: quote it")
        if value != value.strip():
            raise ValidationError("blanks around it")
        return value


def _codes() -> fields.Dict:
    systems = fields.Dict(keys=Text(), values=fields.List(Text()))
    return fields.Dict(keys=Text(), values=systems, load_default=dict)


class CodingSchema(Strict):
    system = Text(required=True)
    code = Text(required=True)


class FindingSchema(Strict):
    id = Id()
    label = Text(required=True)
    kind = Text(required=True, validate=validate.OneOf(KINDS))
    category = Text(validate=validate.OneOf(["exam", "survey"]), load_default=None)
    question = Text(load_default=None)
    answer = fields.Nested(CodingSchema, load_default=None)
    chronic = fields.Boolean(load_default=False)
    neurological = fields.Boolean(load_default=False)
    analyte = Text(load_default=None)
    low = fields.Boolean(load_default=None)
    any_electrolyte = fields.Boolean(load_default=False)
    specific = Text(load_default=None)
    sited = fields.Dict(keys=Text(), values=Text(), load_default=dict)
    exclusions = fields.List(Text(), load_default=list)
    concepts = fields.List(Text(), required=True)
    codes = _codes()


class BodySiteSchema(Strict):
    id = Id()
    label = Text(required=True)
    region = Text(
        validate=validate.OneOf(["face", "tongue", "arms", "legs", "trunk"]), allow_none=True, required=True
    )
    concepts = fields.List(Text(), required=True)
    codes = _codes()


class LimitsSchema(Strict):
    low = Text(load_default=None)
    high = Text(load_default=None)
    source = Text(required=True)


class AnalyteSchema(Strict):
    id = Id()
    label = Text(required=True)
    counts_as = Text(load_default=None)
    unit = Text(load_default=None)
    units = fields.Dict(keys=Text(), values=Text(), load_default=dict)
    default_range = fields.Nested(LimitsSchema, load_default=None)
    critical = fields.Nested(LimitsSchema, load_default=None)
    order = fields.Nested(CodingSchema, load_default=None)
    concepts = fields.List(Text(), required=True)
    codes = _codes()


class ProcedureSchema(Strict):
    id = Id()
    label = Text(required=True)
    kind = Text(required=True, validate=validate.OneOf(["study", "referral", "panel"]))
    analytes = fields.List(Text(), load_default=list)
    order = fields.Nested(CodingSchema, load_default=None)
    concepts = fields.List(Text(), required=True)
    codes = _codes()


class SidesSchema(Strict):
    sides = fields.Dict(keys=Text(), values=Text(), required=True)
    codes = _codes()


class CoursesSchema(Strict):
    courses = fields.Dict(keys=Text(), values=Text(), required=True)
    words = fields.Dict(keys=Text(), values=Text(), load_default=dict)
    codes = _codes()


class Hl7AnswerSchema(CodingSchema):
    means = Text(required=True, validate=validate.OneOf(["present", "absent"]))


class AnswersSchema(Strict):
    answers = fields.Dict(keys=Text(), values=Text(), required=True)
    hl7 = fields.List(fields.Nested(Hl7AnswerSchema), load_default=list)
    words = fields.Dict(keys=Text(), values=Text(), load_default=dict)
    tobacco_status = fields.List(Text(), load_default=list)
    codes = _codes()


class MembersSchema(Strict):
    ingredient = Text(required=True)
    route = Text(load_default="")
    route_decides = fields.Boolean(load_default=False)
    # Lists of many thousand codes: their members are checked by the loader, which reads each anyway.
    rxnorm = fields.Raw(load_default=list)
    snomed = fields.Raw(load_default=list)
    ndc = fields.Raw(load_default=list)
    atc = fields.Raw(load_default=list)
    terms = fields.Raw(load_default=list)


class MedicationClassSchema(Strict):
    id = Id()
    label = Text(required=True)
    named_by_documents = fields.Boolean(required=True)
    routes = fields.List(Text(), load_default=list)
    atc_except = fields.List(Text(), load_default=list)
    more_terms = fields.Dict(keys=Text(), values=fields.List(Text()), load_default=dict)
    atc_families = fields.List(Text(), load_default=list)
    members = fields.List(fields.Nested(MembersSchema), required=True)


class PotassiumRaisingSchema(Strict):
    atc = fields.List(Text(), required=True)
    stems = fields.List(Text(), required=True)


class MedicationRoutesSchema(Strict):
    codes = fields.Dict(keys=Text(), values=fields.List(Text()), required=True)
    words = fields.Dict(keys=Text(), values=fields.List(Text()), required=True)
    potassium_raising = fields.Nested(PotassiumRaisingSchema, required=True)
