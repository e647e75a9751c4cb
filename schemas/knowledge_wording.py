"""Schema of wording.yaml. An unknown member is an error."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from schemas.base import WEB_ADDRESS, Id, Strict, required_text

# CDS Hooks clients show a handful.
_MOST_OVERRIDE_REASONS = 5


def _texts() -> fields.Dict:
    return fields.Dict(keys=fields.String(), values=fields.String(), required=True)


def _complete(names: str) -> type[Schema]:
    """A set of texts, all of them needed."""
    return Strict.from_dict({name: required_text() for name in names.split()})


def _names() -> fields.List[Any]:
    return fields.List(fields.String(), validate=validate.Length(min=1), required=True)


class ActionWordsSchema(Strict):
    """One action: `short` in lists, `lead` in the summary, `says` in the detail, `order` on a suggestion.

    Each of lead, says and order can have a form for an urgency or for a child, such as `says_now`.
    """

    short = required_text()
    lead = required_text()
    says = required_text()
    order = fields.String()
    line = fields.String()
    line_now = fields.String()
    short_urgent = fields.String()
    short_now = fields.String()
    lead_urgent = fields.String()
    lead_now = fields.String()
    lead_consider = fields.String()
    lead_because = fields.String()
    says_urgent = fields.String()
    says_now = fields.String()
    says_consider = fields.String()
    says_team = fields.String()
    lead_paediatric = fields.String()
    lead_paediatric_now = fields.String()
    says_paediatric = fields.String()
    says_paediatric_now = fields.String()
    order_paediatric = fields.String()
    order_paediatric_now = fields.String()
    made = fields.String()
    made_urgent = fields.String()
    made_now = fields.String()


class SelfCareWordsSchema(Strict):
    heading = required_text()
    advice = _texts()


class FeatureWordsSchema(Strict):
    label = required_text()
    reassuring = required_text()
    evaluate = required_text()


_FEATURE_TABLE_TEXTS = (
    "feature recorded reassuring evaluate not_recorded as_written generalized not_seen_lately history"
    " others also_present used not_used onset_unknown since since_day since_about at_least_since"
    " on_record_today in_words not_counted"
)
FeatureTableSchema = Strict.from_dict(
    {name: required_text() for name in _FEATURE_TABLE_TEXTS.split()}
    | {"rows": fields.Dict(keys=fields.String(), values=fields.Nested(FeatureWordsSchema), required=True)}
)


class OverrideReasonSchema(Strict):
    code = fields.String(required=True)
    display = fields.String(required=True)


class OverrideReasonsSchema(Strict):
    system = fields.String(required=True, validate=WEB_ADDRESS)
    reasons = fields.List(
        fields.Nested(OverrideReasonSchema),
        required=True,
        validate=validate.Length(min=1, max=_MOST_OVERRIDE_REASONS),
    )


class EffectWordsSchema(Strict):
    short = required_text()
    says = required_text()


_STATES = ("low", "high", "out", "critical", "critical-low", "critical-high")


class NextStepSchema(Strict):
    """What to do about a result in that state.

    beside: other analytes, one of which is in beside_state. together: the two results stand in one line.
    fact: only where that is true, and none of the findings of unless is present.
    """

    analytes = _names()
    state = fields.String(required=True, validate=validate.OneOf(_STATES))
    beside = fields.List(fields.String(), load_default=list)
    beside_state = fields.String(
        load_default="high", validate=validate.OneOf(["low", "high", "out", "in-range"])
    )
    together = fields.Boolean(load_default=False)
    fact = fields.String(load_default=None)
    unless = fields.List(fields.String(), load_default=list)
    says = required_text()


class ExplainsSchema(Strict):
    """The medication classes that move those analytes that way."""

    analytes = _names()
    state = fields.String(required=True, validate=validate.OneOf(["low", "high"]))
    classes = _names()
    raises_potassium = fields.Boolean(load_default=False)


class EmergencySchema(Strict):
    """because: a fact that a row reads."""

    because = fields.String(required=True)
    says = required_text()


DangersSchema = Strict.from_dict({"critical": _names(), "out": _names()})


class ExcludeDiseaseSchema(Strict):
    """unless: findings that explain the signs; unless_examined: those that count only if seen."""

    says = required_text()
    ordered = required_text()
    reason = required_text()
    unless = _names()
    unless_examined = _names()


class ClauseSchema(Strict):
    id = Id()
    says = required_text()
    follows = fields.String(load_default="")
    # Facts or findings that make it true already.
    unless = _names()


ComeBackSchema = Strict.from_dict(
    {
        "heading": required_text(),
        "not_gone": required_text(),
        "clauses": fields.List(fields.Nested(ClauseSchema), required=True),
    }
)

_SPANS = "today yesterday day_old days weeks months years range at_least at_most about age"
_SUMMARY = (
    "twitch twitch_only twitch_at twitch_widespread twitch_places twitch_since twitch_unknown normal"
    " not_examined not_examined_yet not_examined_since partly_examined no_tests result"
    " on_drug taking taken_until child reported listed and"
)
_STATUS = "present absent unknown"
_BASIS = "examined listed reported examined_undated listed_undated reported_undated"
_MEDICINE = (
    "since about possible route_unknown start_unknown ended"
    " stopped stopped_day stopped_short begun_after bears_on no others other_one says says_plainly"
)
_RESULTS = (
    "value no_value preliminary low high critical out in_range not_judged too_old ionised adjusted"
    " adjusted_by_albumin total undated"
)
_LEAD = (
    "no_tests benign done done_normal pending pending_undated seen made made_undated ordered"
    " ordered_undated tests nothing because also"
    " blood blood_urgent blood_now studies paediatric_tests paediatric_other_tests"
    " too_low_urgent too_low_now too_low_undated check_breathing repeat_first repeat_first_only act"
    " act_critical more_results suspected age_unknown in_words conditions findings both_unseen ask in_hand"
    " in_hand_undated repeat_too_late briefly more"
)
_BELOW = (
    "not_recorded medicines results studies orders done also unseen not_understood not_understood_one"
    " not_used not_used_one study order order_undated done_test done_result ordered_test ordered_test_undated"
    " seen_test history"
)
_SUGGESTION = "urgent now replaces replaces_undated present absent normal create"
_TEXTS = "source_label link smart_link"
_GROUPS_OF_TEXTS = (
    "found order_text order_category question ask ask_of_row notes facts examine unseen drafts"
    " open_ends gate bands"
)


class WordingSchema(
    Strict.from_dict(  # type: ignore[misc]
        {name: required_text() for name in _TEXTS.split()}
        | {name: _texts() for name in _GROUPS_OF_TEXTS.split()}
    )
):
    """wording.yaml: texts, groups of texts, and the members that the code reads one by one."""

    actions = fields.Dict(keys=fields.String(), values=fields.Nested(ActionWordsSchema), required=True)
    self_care = fields.Nested(SelfCareWordsSchema, required=True)
    table = fields.Nested(FeatureTableSchema, required=True)
    effects = fields.Dict(keys=fields.String(), values=fields.Nested(EffectWordsSchema), required=True)
    span = fields.Nested(_complete(_SPANS), required=True)
    summary = fields.Nested(_complete(_SUMMARY), required=True)
    status = fields.Nested(_complete(_STATUS), required=True)
    basis = fields.Nested(_complete(_BASIS), required=True)
    medicine = fields.Nested(_complete(_MEDICINE), required=True)
    results = fields.Nested(_complete(_RESULTS), required=True)
    lead = fields.Nested(_complete(_LEAD), required=True)
    below = fields.Nested(_complete(_BELOW), required=True)
    suggestion = fields.Nested(_complete(_SUGGESTION), required=True)
    old_result_days = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    # Findings whose label covers several diseases.
    own_words = _names()
    synonyms_of = _names()
    eponyms = _names()
    months = fields.List(fields.String(), required=True, validate=validate.Length(equal=12))
    units = _texts()
    # An ingredient of medication_classes -> its British name.
    medicine_names = _texts()
    next_steps = fields.List(fields.Nested(NextStepSchema), required=True)
    emergencies = fields.List(fields.Nested(EmergencySchema), required=True)
    dangers = fields.Nested(DangersSchema, required=True)
    explains = fields.List(fields.Nested(ExplainsSchema), required=True)
    exclude_disease = fields.Nested(ExcludeDiseaseSchema, required=True)
    come_back = fields.Nested(ComeBackSchema, required=True)
    override_reasons = fields.Nested(OverrideReasonsSchema, required=True)
    rests_on = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String(), validate=validate.Length(min=1)),
        load_default=dict,
    )
