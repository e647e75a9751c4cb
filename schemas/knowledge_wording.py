"""The shape of wording.yaml. Strict at the top and in what machinery reads; the texts are free."""

from __future__ import annotations

from marshmallow import fields, validate

from schemas.knowledge_table import Strict


class ActionWordsSchema(Strict):
    short = fields.String(required=True)
    short_urgent = fields.String()
    says = fields.String(required=True)
    urgent = fields.String()
    paediatric = fields.String()
    paediatric_urgent = fields.String()
    # Where that row alone asks for it.
    for_row = fields.Dict(keys=fields.String(), values=fields.String())
    order = fields.String()


class SelfCareWordsSchema(Strict):
    heading = fields.String(required=True)
    heading_if_normal = fields.String(required=True)
    advice = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class FeatureWordsSchema(Strict):
    label = fields.String(required=True)
    reassuring = fields.String(required=True)
    evaluate = fields.String(required=True)


class FeatureTableSchema(Strict):
    feature = fields.String(required=True)
    recorded = fields.String(required=True)
    reassuring = fields.String(required=True)
    evaluate = fields.String(required=True)
    rows = fields.Dict(keys=fields.String(), values=fields.Nested(FeatureWordsSchema), required=True)
    not_recorded = fields.String(required=True)
    onset_unknown = fields.String(required=True)
    at_least_since = fields.String(required=True)
    on_record_today = fields.String(required=True)
    since = fields.String(required=True)
    since_about = fields.String(required=True)
    in_months = fields.String(required=True)
    as_written = fields.String(required=True)
    generalized = fields.String(required=True)
    examined = fields.String(required=True)
    reported = fields.String(required=True)
    status_only = fields.String(required=True)
    on_date = fields.String(required=True)
    conflict = fields.String(required=True)
    not_seen_lately = fields.String(required=True)
    history = fields.String(required=True)
    others = fields.String(required=True)
    absent = fields.String(required=True)


class OverrideReasonSchema(Strict):
    code = fields.String(required=True)
    display = fields.String(required=True)


class OverrideReasonsSchema(Strict):
    system = fields.Url(required=True)
    reasons = fields.List(fields.Nested(OverrideReasonSchema), required=True, validate=validate.Length(min=1))


def _texts() -> fields.Dict:
    return fields.Dict(keys=fields.String(), values=fields.String(), required=True)


def _text() -> fields.String:
    return fields.String(required=True, validate=validate.Length(min=1))


class EffectWordsSchema(Strict):
    short = fields.String(required=True)
    says = fields.String(required=True)


class WordingSchema(Strict):
    """The whole file."""

    found = _texts()
    actions = fields.Dict(keys=fields.String(), values=fields.Nested(ActionWordsSchema), required=True)
    order_text = _texts()
    self_care = fields.Nested(SelfCareWordsSchema, required=True)
    summary = _texts()
    headings = _texts()
    table = fields.Nested(FeatureTableSchema, required=True)
    status = _texts()
    reasons = _text()
    nothing = _text()
    benign = _text()
    routine_order = _text()
    routine_order_undated = _text()
    b12_low = _text()
    electrolyte_critical = _text()
    pending = _text()
    pending_undated = _text()
    exclude_disease = _text()
    suspected = _text()
    age_unknown = _text()
    diuretic_sparing = _text()
    withheld = _texts()
    medicine = _texts()
    result = _text()
    result_flag = _text()
    bands = _texts()
    result_low = _text()
    result_high = _text()
    result_preliminary = _text()
    undated = _text()
    study = _text()
    question = _texts()
    unseen = _texts()
    unseen_says = _text()
    not_understood = _text()
    not_understood_one = _text()
    not_used = _text()
    not_used_one = _text()
    effects = fields.Dict(keys=fields.String(), values=fields.Nested(EffectWordsSchema), required=True)
    drafts = _texts()
    open_ends = _texts()
    safety_net = _text()
    gate = _texts()
    source_label = _text()
    link = _text()
    override_reasons = fields.Nested(OverrideReasonsSchema, required=True)
    rests_on = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String(), validate=validate.Length(min=1)),
        load_default=dict,
    )
