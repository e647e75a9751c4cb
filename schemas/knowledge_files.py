"""Schemas of the terminology files, the claims in sources/ and hooks.yaml. Unknown members are errors."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from schemas.base import WEB_ADDRESS, Id, Strict, required_text

_CLAUSE = validate.Regexp(r"^\S+( \S+){6,}$", error="a reason is a clause of at least seven words")
_SHA256 = validate.Regexp(r"^[0-9a-f]{64}$", error="not a SHA-256")
SYSTEMS = (
    "http://snomed.info/sct",
    "http://loinc.org",
    "http://hl7.org/fhir/sid/icd-10",
    "http://hl7.org/fhir/sid/icd-10-cm",
    "http://human-phenotype-ontology.org",
)
FLAG_WORDS = ("high", "low", "critical", "abnormal", "normal", "between", "fillers")
KINDS = ("fasciculation", "sign", "symptom", "trigger", "diagnosis", "family", "shown", "look-alike")


class Text(fields.String):
    """A string; an unquoted number is refused."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("not a string: quote it")
        if value != value.strip():
            raise ValidationError("blanks around it")
        return value


class Code(Text):
    """A code: a string without any blank."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str:
        code = super()._deserialize(value, attr, data, **more)
        if not code or code.split() != [code]:
            raise ValidationError("a code has no blank")
        return code


class ManyCodes(fields.Field[Any]):
    """A list of many thousand codes, checked as a whole: a field for each would take seconds."""

    def __init__(self, blanks: bool = False, **more: Any) -> None:
        super().__init__(**more)
        self.blanks = blanks

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> list[str]:
        if not isinstance(value, list):
            raise ValidationError("not a list")
        for code in value:
            if not isinstance(code, str):
                raise ValidationError(f"{code!r} is not a string: quote it")
            if not code or code != code.strip() or (" " in code and not self.blanks):
                raise ValidationError(f"{code!r} has a blank or is empty")
        return value


def _codes() -> fields.Dict:
    """Concept of the tables -> system -> codes."""
    system = Text(validate=validate.OneOf(SYSTEMS, error="not a code system of these files"))
    return fields.Dict(keys=Text(), values=fields.Dict(keys=system, values=ManyCodes()), load_default=dict)


def _selection() -> fields.Dict:
    """Concept of the tables -> some of its codes."""
    return fields.Dict(keys=Text(), values=fields.List(Code()), load_default=dict)


class CodingSchema(Strict):
    """display: the code system's own, where its terms let it be passed on; never words of ours."""

    system = Text(required=True)
    code = Code(required=True)
    display = Text(load_default="")


class SourcedCodingSchema(CodingSchema):
    """A code that is not in the tables, and where it was read."""

    source = Text(required=True, validate=validate.Length(min=1))


class ConceptSchema(Strict):
    """Which concepts of the tables a file holds.

    without: codes that stand elsewhere: they do not say what their concept says. codes_of: such codes of
    a concept that is not held as a whole; excluded: codes from the table of what must not be mapped.
    """

    id = Id()
    concepts = fields.List(Text(), required=True)
    without = _selection()
    codes_of = _selection()
    excluded = fields.List(Code(), load_default=list)
    more_codes = fields.List(fields.Nested(SourcedCodingSchema), load_default=list)
    codes = _codes()


class FindingSchema(ConceptSchema):
    """sited_codes: code -> sites, a side before the site ("left hand"); told_codes: reported by nature.

    acute: its Conditions speak for days only; acute_concepts: so do those of these of its concepts.
    from_history: present from history too. names: of the twitch, as words without a known code.
    name_forms: of each name, with {} in its place.
    near_twitch: counts only in a region of the twitch.
    """

    label = Text(required=True)
    kind = Text(required=True, validate=validate.OneOf(KINDS))
    category = Text(validate=validate.OneOf(["exam", "survey"]), load_default=None)
    question = Text(load_default=None)
    answer = fields.Nested(CodingSchema, load_default=None)
    chronic = fields.Boolean(load_default=False)
    acute = fields.Boolean(load_default=False)
    acute_concepts = fields.List(Text(), load_default=list)
    from_history = fields.Boolean(load_default=False)
    near_twitch = fields.Boolean(load_default=False)
    only_lowers = fields.Boolean(load_default=False)
    neurological = fields.Boolean(load_default=False)
    analyte = Text(load_default=None)
    low = fields.Boolean(load_default=None)
    any_electrolyte = fields.Boolean(load_default=False)
    specific = Text(load_default=None)
    sited = fields.Dict(keys=Text(), values=Text(), load_default=dict)
    sited_codes = fields.Dict(keys=Code(), values=fields.List(Text()), load_default=dict)
    told_codes = fields.List(Code(), load_default=list)
    exclusions = fields.List(Text(), load_default=list)
    names = fields.List(Text(), load_default=list)
    name_forms = fields.List(Text(), load_default=lambda: ["{}"])


class BodySiteSchema(ConceptSchema):
    label = Text(required=True)
    region = Text(
        validate=validate.OneOf(["face", "tongue", "arms", "legs", "trunk"]), allow_none=True, required=True
    )


class LimitsSchema(Strict):
    low = Text(load_default=None)
    high = Text(load_default=None)
    source = Text(required=True)


class UnitsSchema(Strict):
    """words: word of a unit -> its short form. units: name of a unit -> its other spellings, folded."""

    words = fields.Dict(keys=Text(), values=Text(), required=True)
    units = fields.Dict(keys=Text(), values=fields.List(Text()), required=True)


class RangeWordsSchema(Strict):
    usual = fields.List(Text(), required=True)
    none = fields.List(Text(), required=True)
    everybody = fields.List(Text(), required=True)
    adults = fields.List(Text(), required=True)
    adult_years = fields.Integer(strict=True, required=True)
    sexes = fields.Dict(keys=Text(), values=fields.List(Text()), required=True)


class FlagCodesSchema(Strict):
    normal = fields.List(Text(), required=True)
    high = fields.List(Text(), required=True)
    low = fields.List(Text(), required=True)
    abnormal = fields.List(Text(), required=True)
    critical = fields.List(Text(), required=True)
    critical_high = fields.List(Text(), required=True)
    critical_low = fields.List(Text(), required=True)


class FlagsSchema(Strict):
    """codes, neutral, off_scale: whole flags. words: single words.

    marks: signs around a flag. alone: those that say abnormal.
    """

    codes = fields.Nested(FlagCodesSchema, required=True)
    neutral = fields.List(Text(), required=True)
    off_scale = fields.Dict(keys=Text(), values=Text(validate=validate.OneOf(["<", ">"])), required=True)
    words = fields.Dict(
        keys=Text(validate=validate.OneOf(FLAG_WORDS)),
        values=fields.List(Text()),
        required=True,
        validate=lambda words: set(words) == set(FLAG_WORDS),
    )
    marks = Text(required=True)
    alone = fields.List(Text(), required=True)


class ResultWordsSchema(Strict):
    flags = fields.Nested(FlagsSchema, required=True)
    labels = fields.List(Text(), required=True)
    ranges = fields.Nested(RangeWordsSchema, required=True)
    nines_beyond = fields.Integer(strict=True, required=True)
    other_fluids = fields.List(Text(), required=True)


class AnalyteNamesSchema(Strict):
    """names: analyte -> its names. forms: of a name, with {} in its place."""

    forms = fields.List(Text(), required=True)
    names = fields.Dict(keys=Text(), values=fields.List(Text()), required=True)


class AdjustmentSchema(Strict):
    """total + factor * (around - result of the analyte). adjusted: codes of results adjusted already."""

    analyte = Text(required=True)
    factor = Text(required=True)
    around = Text(required=True)
    adjusted = fields.List(fields.Nested(CodingSchema), required=True)
    source = Text(required=True)


class AnalyteSchema(ConceptSchema):
    label = Text(required=True)
    counts_as = Text(load_default=None)
    unit = Text(load_default=None)
    units = fields.Dict(keys=Text(), values=Text(), load_default=dict)
    default_range = fields.Nested(LimitsSchema, load_default=None)
    critical = fields.Nested(LimitsSchema, load_default=None)
    adjustment = fields.Nested(AdjustmentSchema, load_default=None)
    order = fields.Nested(CodingSchema, load_default=None)


class ProcedureSchema(ConceptSchema):
    """One order, study, referral or panel.

    asks_only: concepts whose codes ask for the study and never prove that it was done.
    completed_as: the study that the completed order of a referral is.
    """

    label = Text(required=True)
    kind = Text(required=True, validate=validate.OneOf(["study", "referral", "panel"]))
    analytes = fields.List(Text(), load_default=list)
    asks_only = fields.List(Text(), load_default=list)
    completed_as = Text(load_default=None)
    order = fields.Nested(CodingSchema, load_default=None)


class LeftOutSchema(Strict):
    left_out = fields.Dict(keys=Text(), values=Text(validate=validate.Length(min=1)), required=True)
    more_codes = fields.List(fields.Nested(SourcedCodingSchema), load_default=list)
    codes = _codes()


class SidesSchema(Strict):
    sides = fields.Dict(keys=Text(), values=Text(), required=True)
    codes = _codes()


class CoursesSchema(Strict):
    courses = fields.Dict(keys=Text(), values=Text(), required=True)
    words = fields.Dict(keys=Text(), values=Text(), load_default=dict)
    codes = _codes()


class SourcedAnswerSchema(CodingSchema):
    means = Text(required=True, validate=validate.OneOf(["present", "absent"]))


class AnswersSchema(Strict):
    answers = fields.Dict(keys=Text(), values=Text(), required=True)
    sourced = fields.List(fields.Nested(SourcedAnswerSchema), load_default=list)
    words = fields.Dict(keys=Text(), values=Text(), load_default=dict)
    tobacco_status = fields.List(Text(), load_default=list)
    codes = _codes()


class StatusSchema(Strict):
    """codes: system -> code -> status. words: whole text -> status."""

    codes = fields.Dict(keys=Text(), values=fields.Dict(keys=Text(), values=Text()), required=True)
    words = fields.Dict(keys=Text(), values=Text(), required=True)


class CertaintySchema(Strict):
    extension = Text(required=True)
    verification = fields.Dict(keys=Text(), values=Text(), required=True)
    clinical = fields.Dict(keys=Text(), values=Text(), required=True)


class StatusesSchema(Strict):
    clinical = fields.Nested(StatusSchema, required=True)
    verification = fields.Nested(StatusSchema, required=True)
    certainty = fields.Nested(CertaintySchema, required=True)


def Reason() -> fields.String:
    """Why nothing cites a claim or an anchor; None if something does."""
    return fields.String(validate=_CLAUSE, load_default=None)


class ClaimSchema(Strict):
    id = fields.String(required=True, validate=validate.Regexp(r"^S\d{3}-\d{2,3}$"))
    heading = fields.Integer(required=True, strict=True)
    sentences = fields.List(fields.Integer(strict=True), required=True, validate=validate.Length(min=1))
    sha256 = fields.String(required=True, validate=_SHA256)
    says = fields.String(required=True, validate=validate.Length(min=5))
    strength = fields.String(required=True)
    declined = Reason()


class DocumentSchema(Strict):
    id = Id()
    title = fields.String(required=True)
    prefix = fields.String(required=True)
    sha256 = fields.String(required=True, validate=_SHA256)
    claims = fields.List(fields.Nested(ClaimSchema), required=True, validate=validate.Length(min=1))


class AnchorSchema(Strict):
    id = fields.String(required=True, validate=validate.Regexp(r"^A\d{2}$"))
    source = fields.String(required=True, validate=validate.Length(min=3))
    says = fields.String(required=True, validate=validate.Length(min=5))
    url = fields.String(required=True, validate=WEB_ADDRESS)
    declined = Reason()


class AnchorsSchema(Strict):
    anchors = fields.List(fields.Nested(AnchorSchema), required=True)


class HookSchema(Strict):
    id = Id()
    hook = fields.String(required=True)
    title = fields.String(required=True)
    description = fields.String(required=True)
    hook_version = fields.String(validate=validate.Regexp(r"^\d+\.\d+(\.\d+)?$"))
    # The cards of its answer.
    cards = fields.String(
        load_default="work-up", validate=validate.OneOf(["work-up", "new-problem", "drafts", "open-ends"])
    )
    prefetch = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class HooksSchema(Strict):
    version = fields.String(required=True)
    usage_requirements = fields.String(required=True)
    hooks = fields.List(fields.Nested(HookSchema), required=True, validate=validate.Length(min=1))


class ApplyTextsSchema(Strict):
    """The texts of $apply in fhir.yaml."""

    title = required_text()
    because = required_text()
    display = required_text()
    level = required_text()
    closed = required_text()
    withheld = required_text()
    not_seen = required_text()
    not_understood = required_text()
    unknown_code = required_text()


class ApplyFileSchema(Schema):
    """What the server reads of fhir.yaml; the rest is for tools.artifacts."""

    class Meta:
        unknown = EXCLUDE

    canonical_root = required_text()
    apply = fields.Nested(ApplyTextsSchema, required=True)
