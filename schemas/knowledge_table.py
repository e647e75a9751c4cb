"""Schemas of decision_table.yaml.

An unknown member is an error. Conditions and actions may be short (a string) or long (a mapping); the loader,
which knows findings, features and medication classes, checks what they name.
"""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from schemas.base import LEVELS, READINGS, Id, Strict, required_text

ACTION_KINDS = ("order", "result", "advice", "ask")
ORDER_KINDS = ("blood", "study", "referral")
ROW_LEVELS = (*LEVELS, "calm", "until-done")
RESULT_STATES = ("out-of-range", "low", "high", "critical")


def names_of(*, required: bool = True) -> fields.List[Any]:
    """A list of names; empty if it is left out and not required."""
    if required:
        return fields.List(fields.String(), required=True)
    return fields.List(fields.String(), load_default=list)


def _filled_names(**more: Any) -> fields.List[Any]:
    return fields.List(fields.String(), validate=validate.Length(min=1), **more)


def many(schema: type[Schema], at_least: int = 0) -> fields.List[Any]:
    return fields.List(fields.Nested(schema), required=True, validate=validate.Length(min=at_least))


def _days() -> fields.Integer:
    return fields.Integer(required=True, strict=True, validate=validate.Range(min=0))


_THRESHOLDS = (
    "persistent_days eyelid_days rapid_weakness_days child_years small_child_years old_years new_onset_days"
    " sudden_days finding_days future_days symptom_before_onset_days symptom_days absence_before_record_days"
    " acute_days acute_named_days antidepressant_stopped_days critical_days out_of_range_days"
    " recent_result_days long_result_days calm_test_days study_days now_result_days return_days"
    " return_at_least_days at_most_questions"
)
ThresholdsSchema = Strict.from_dict({name: _days() for name in _THRESHOLDS.split()})


class ActionSchema(Strict):
    id = Id()
    kind = fields.String(required=True, validate=validate.OneOf(ACTION_KINDS))
    order = fields.String(validate=validate.OneOf(ORDER_KINDS), load_default=None)
    analytes = names_of(required=False)
    studies = names_of(required=False)
    done_days = fields.Integer(strict=True, load_default=None)
    ordered_days = fields.Integer(strict=True, load_default=None)
    repeat_abnormal = fields.Boolean(load_default=False)
    child = fields.String(validate=validate.OneOf(["withheld"]), load_default=None)
    beside_now = fields.String(validate=validate.OneOf(["withheld"]), load_default=None)
    beside_urgent = fields.String(validate=validate.OneOf(["withheld"]), load_default=None)
    can_be_ordered = fields.Boolean(load_default=True)
    roles = names_of(required=False)


class SupportSchema(Strict):
    ids = _filled_names(required=True)
    reading = fields.String(required=True, validate=validate.OneOf(READINGS))
    note = required_text()


class ExampleSchema(Strict):
    title = required_text()
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


class TrueOrCondition(Condition):
    """true, or a condition."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> Any:
        return value if value is True else super()._deserialize(value, attr, data, **more)


class RowActionSchema(Strict):
    id = Id()
    urgency = fields.String(validate=validate.OneOf(["urgent", "now"]), load_default="routine")
    paediatric = fields.Boolean(load_default=False)
    weeks = fields.Integer(strict=True, load_default=None, validate=validate.Range(min=1))
    consider = fields.Boolean(load_default=False)
    findings = names_of(required=False)
    when = Condition(load_default=None)


class ShortOrLongAction(fields.Field[Any]):
    """ "emg" or {id: emg, urgency: urgent, paediatric: true, when: condition}."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> Any:
        return RowActionSchema().load({"id": value} if isinstance(value, str) else value)


class RowSchema(Strict):
    id = Id()
    label = required_text()
    when = Condition(required=True)
    reads = fields.String(validate=validate.OneOf(["last"]), load_default=None)
    actions = fields.List(ShortOrLongAction(), required=True)
    level = fields.String(required=True, validate=validate.OneOf(ROW_LEVELS))
    asks_nothing = TrueOrCondition(load_default=None)
    supports_studies = fields.Boolean(load_default=False)
    beside_benign = fields.Boolean(load_default=False)
    roles = names_of(required=False)
    rests_on = many(SupportSchema, 1)
    examples = many(ExampleSchema, 2)


class RemovalSchema(Strict):
    id = Id()
    says = fields.String(required=True)
    claims = _filled_names(required=True)


class AdviceSchema(Strict):
    id = Id()
    trigger = fields.String(required=True)
    unless = Condition(load_default=None)


class WordsAnswerSchema(Strict):
    says = fields.String(required=True)
    sets = fields.Dict(keys=fields.String(), values=fields.Boolean(), required=True)


class QuestionSchema(Strict):
    """A question about findings, or one answered in words. on_card "never": in the assessment alone."""

    id = Id()
    order = fields.Integer(required=True, strict=True)
    findings = names_of(required=False)
    answers = fields.List(fields.Nested(WordsAnswerSchema), load_default=list)
    on_card = Condition(load_default=None)
    on_critical_card = fields.Boolean(load_default=False)
    in_range = fields.Boolean(load_default=False)
    always_beside_now = fields.Boolean(load_default=False)


class ResultFactSchema(Strict):
    """Analytes in a state; `except` means all other known analytes."""

    analytes = names_of(required=False)
    other_than = fields.List(fields.String(), data_key="except", load_default=list)
    state = fields.String(validate=validate.OneOf(RESULT_STATES), load_default=None)
    from_days = fields.Integer(strict=True, load_default=0)
    at_most_days = fields.Integer(strict=True, required=True)
    below = fields.String(load_default=None)


class ShortOrLongResultFact(fields.Field[Any]):
    """One ResultFactSchema, or a list of them of which any is enough."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> Any:
        parts = value if isinstance(value, list) else [value]
        if not parts or not all(isinstance(part, dict) for part in parts):
            raise ValidationError("a result fact is a mapping or a list of mappings")
        return [ResultFactSchema().load(part) for part in parts]


class CriticalBesideSchema(Strict):
    low = fields.String(required=True)
    findings = _filled_names(required=True)


class TableSchema(Strict):
    """decision_table.yaml."""

    thresholds = fields.Nested(ThresholdsSchema, required=True)
    electrolytes = names_of()
    long_analytes = names_of()
    signs = names_of()
    benign_signs = names_of()
    benign_ignores = names_of()
    triggers = names_of()
    history_signs = names_of()
    electrolytes_with_drafts_of = names_of()
    critical_beside = fields.Dict(
        keys=fields.String(), values=fields.Nested(CriticalBesideSchema), load_default=dict
    )
    result_facts = fields.Dict(keys=fields.String(), values=ShortOrLongResultFact(), required=True)
    definitions = fields.Dict(keys=fields.String(), values=Condition(), load_default=dict)
    actions = many(ActionSchema)
    rows = many(RowSchema)
    # Rows of a site's overlay that never fire.
    rows_off = names_of(required=False)
    removals = many(RemovalSchema)
    self_care = many(AdviceSchema)
    named = names_of()
    closes_gate = names_of()
    shown_results = names_of()
    questions = many(QuestionSchema)
