"""The shape of decision_table.yaml. Strict: an unknown member is an error.

Conditions and actions may be short (a string) or long (a mapping); their meaning is checked by the loader,
which knows findings, features and medication classes.
"""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

LEVELS = ("info", "warning", "critical")
READINGS = ("stated", "interpreted", "addition")
ACTION_KINDS = ("blood", "study", "referral", "ask", "review", "advice")
KEBAB_CASE = validate.Regexp(r"^[a-z0-9]+(-[a-z0-9]+)*$", error="not kebab-case")


class Strict(Schema):
    """Base of the knowledge schemas."""

    class Meta:
        unknown = RAISE


def Id(**more: Any) -> fields.String:
    """A required kebab-case id."""
    return fields.String(required=True, validate=KEBAB_CASE, **more)


def _names(**more: Any) -> fields.Field[Any]:
    return fields.List(fields.String(), **more)


def _days() -> fields.Integer:
    return fields.Integer(required=True, strict=True, validate=validate.Range(min=0))


class ThresholdsSchema(Strict):
    persistent_days = _days()
    eyelid_days = _days()
    rapid_weakness_days = _days()
    child_years = _days()
    finding_days = _days()
    future_days = _days()
    out_of_range_days = _days()
    critical_days = _days()
    low_b12_days = _days()
    thyroid_days = _days()
    benign_test_days = _days()
    study_days = _days()
    at_most_questions = _days()


class ActionSchema(Strict):
    id = Id()
    kind = fields.String(required=True, validate=validate.OneOf(ACTION_KINDS))
    analytes = fields.List(fields.String(), load_default=list)
    studies = fields.List(fields.String(), load_default=list)
    done_days = fields.Integer(strict=True, load_default=None)
    ordered_days = fields.Integer(strict=True, load_default=None)
    repeat_abnormal = fields.Boolean(load_default=False)
    child = fields.String(validate=validate.OneOf(["withheld"]), load_default=None)
    roles = _names(load_default=list)


class SupportSchema(Strict):
    ids = fields.List(fields.String(), required=True, validate=validate.Length(min=1))
    reading = fields.String(required=True, validate=validate.OneOf(READINGS))
    note = fields.String(required=True, validate=validate.Length(min=1))


class ExampleSchema(Strict):
    title = fields.String(required=True, validate=validate.Length(min=1))
    given = fields.Dict(keys=fields.String(), required=True)
    holds = fields.Boolean(required=True)


class Condition(fields.Field[Any]):
    """A leaf (string) or one of {all: [...]}, {any: [...]}, {not: condition}."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> Any:
        problem = _condition_problem(value)
        if problem:
            raise ValidationError(problem)
        return value


def _condition_problem(value: Any) -> str | None:
    if isinstance(value, str):
        return None if value.strip() else "an empty condition"
    if not isinstance(value, dict) or len(value) != 1:
        return "a condition is a name or one of all, any, not"
    (word, part), *_ = value.items()
    if word == "not":
        return _condition_problem(part)
    if word not in ("all", "any") or not isinstance(part, list) or not part:
        return f"{word!r}: expected all or any with a list"
    return next((problem for problem in map(_condition_problem, part) if problem), None)


class RowActionSchema(Strict):
    id = Id()
    urgency = fields.String(validate=validate.OneOf(["urgent"]), load_default=None)
    paediatric = fields.Boolean(load_default=False)
    when = Condition(load_default=None)


class ShortOrLongAction(fields.Field[Any]):
    """ "emg" or {id: emg, urgency: urgent, paediatric: true, when: condition}."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> Any:
        return RowActionSchema().load({"id": value} if isinstance(value, str) else value)


class RowSchema(Strict):
    id = Id()
    label = fields.String(required=True, validate=validate.Length(min=1))
    when = Condition(required=True)
    reads = fields.String(validate=validate.OneOf(["last"]), load_default=None)
    actions = fields.List(ShortOrLongAction(), required=True)
    level = fields.String(required=True, validate=validate.OneOf(LEVELS))
    downgraded_when_tests_done = fields.Boolean(load_default=False)
    roles = _names(load_default=list)
    rests_on = fields.List(fields.Nested(SupportSchema), required=True, validate=validate.Length(min=1))
    examples = fields.List(fields.Nested(ExampleSchema), required=True, validate=validate.Length(min=2))


class RemovalSchema(Strict):
    id = Id()
    says = fields.String(required=True)
    claims = fields.List(fields.String(), required=True, validate=validate.Length(min=1))


class AdviceSchema(Strict):
    id = Id()
    trigger = fields.String(required=True)
    unless = Condition(load_default=None)


class WordsAnswerSchema(Strict):
    says = fields.String(required=True)
    sets = fields.Dict(keys=fields.String(), values=fields.Boolean(), required=True)


class WordsQuestionSchema(Strict):
    id = Id()
    answers = fields.List(fields.Nested(WordsAnswerSchema), required=True, validate=validate.Length(min=2))


class TableSchema(Strict):
    """The whole file."""

    thresholds = fields.Nested(ThresholdsSchema, required=True)
    electrolytes = _names(required=True)
    b12_analytes = _names(required=True)
    thyroid_analytes = _names(required=True)
    signs = _names(required=True)
    benign_signs = _names(required=True)
    actions = fields.List(fields.Nested(ActionSchema), required=True)
    rows = fields.List(fields.Nested(RowSchema), required=True)
    removals = fields.List(fields.Nested(RemovalSchema), required=True)
    self_care = fields.List(fields.Nested(AdviceSchema), required=True)
    named = fields.List(fields.String(), required=True)
    closes_gate = fields.List(fields.String(), required=True)
    shown_results = fields.List(fields.String(), required=True)
    asked_in_words = fields.List(fields.Nested(WordsQuestionSchema), required=True)
