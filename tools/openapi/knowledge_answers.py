"""Schemas of the JSON of GET /knowledge, /knowledge/{row} and /knowledge/claims."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from schemas.base import READINGS, Strict
from schemas.knowledge_table import ROW_LEVELS


def _many(schema: type[Schema]) -> fields.List[Any]:
    return fields.List(fields.Nested(schema), required=True)


def _text() -> fields.String:
    return fields.String(required=True)


def _texts() -> fields.List[Any]:
    return fields.List(fields.String(), required=True)


def _one_of(*values: str) -> fields.String:
    return fields.String(required=True, validate=validate.OneOf(values))


class PlacedSchema(Strict):
    """A claim (document, heading, sentences, sha256) or an anchor (source, url)."""

    id = _text()
    says = _text()
    document = fields.String()
    heading = fields.Integer()
    sentences = fields.List(fields.Integer())
    sha256 = fields.String()
    strength = fields.String()
    declined = fields.String()
    source = fields.String()
    url = fields.Url()


class CitedBySchema(Strict):
    """kind: a row, a removal, a text of the card (its place in wording.yaml), or a claim declined because
    of an anchor; label: its words."""

    kind = _one_of("row", "removal", "wording", "claim")
    id = _text()
    label = _text()


class FateSchema(PlacedSchema):
    """A claim and what became of it."""

    fate = _one_of("cited", "declined")
    citedBy = _many(CitedBySchema)


class CitedAnchorSchema(PlacedSchema):
    citedBy = _many(CitedBySchema)


class DocumentSchema(Strict):
    id = _text()
    title = _text()
    sha256 = _text()
    cited = fields.Integer(required=True)
    declined = fields.Integer(required=True)
    claims = _many(FateSchema)


class NamedRowSchema(Strict):
    id = _text()
    label = _text()


class SiteOverlaySchema(Strict):
    files = _texts()
    rowsOff = _many(NamedRowSchema)


class SiteCodesSchema(Strict):
    read = fields.Integer(required=True)
    leftOut = fields.Integer(required=True)


class SiteSchema(Strict):
    """What a site changed: absent where it is the shipped knowledge."""

    overlay = fields.Nested(SiteOverlaySchema)
    codes = fields.Nested(SiteCodesSchema)


class KnowledgeClaimsSchema(Strict):
    """GET /knowledge/claims"""

    knowledgeVersion = _text()
    site = fields.Nested(SiteSchema)
    documents = _many(DocumentSchema)
    anchors = _many(CitedAnchorSchema)


class CellSchema(Strict):
    says = _text()
    claims = _many(PlacedSchema)


class ColumnsSchema(Strict):
    id = _text()
    label = _text()
    benign = fields.Nested(CellSchema, required=True)
    disease = fields.Nested(CellSchema, required=True)
    rows = _many(NamedRowSchema)


class ReadingSchema(Strict):
    id = _text()
    title = _text()
    says = _text()


class HoldsWhenSchema(Strict):
    """sentence: the rule in one; rule: the same as {says, parts: [{says, parts}, ...]}."""

    sentence = _text()
    rule = fields.Dict(keys=fields.String(), required=True)


class AskedForSchema(Strict):
    id = _text()
    says = _text()
    urgency = _one_of("routine", "urgent", "now")


class RowSummarySchema(Strict):
    id = _text()
    label = _text()
    level = _one_of(*ROW_LEVELS)
    reading = _one_of(*READINGS)
    holdsWhen = fields.Nested(HoldsWhenSchema, required=True)
    asksFor = _many(AskedForSchema)
    url = _text()


class LevelSchema(Strict):
    id = _one_of(*ROW_LEVELS)
    says = _text()
    rows = _many(RowSummarySchema)


class NamedTextSchema(Strict):
    id = _text()
    says = _text()


class ThresholdSchema(NamedTextSchema):
    value = fields.Integer(required=True)


class KnowledgeActionSchema(NamedTextSchema):
    removedBy = _texts()
    claims = _many(PlacedSchema)


class RemovalSchema(NamedTextSchema):
    claims = _many(PlacedSchema)


class SelfCareSchema(NamedTextSchema):
    trigger = _text()
    unless = _text()
    claims = _many(PlacedSchema)


class KnowledgeSchema(Strict):
    """GET /knowledge"""

    knowledgeVersion = _text()
    site = fields.Nested(SiteSchema)
    columns = _many(ColumnsSchema)
    reading = _many(ReadingSchema)
    levels = _many(LevelSchema)
    readings = _many(NamedTextSchema)
    thresholds = _many(ThresholdSchema)
    actions = _many(KnowledgeActionSchema)
    removals = _many(RemovalSchema)
    selfCareRows = _many(RowSummarySchema)
    selfCare = _many(SelfCareSchema)
    named = _texts()


class HowReadSchema(Strict):
    says = _text()
    how = _text()


class RowActionSchema(AskedForSchema):
    paediatric = fields.Boolean(required=True)
    notes = _texts()
    onlyWhen = fields.Dict(keys=fields.String())
    removedBy = _texts()
    valueSets = _texts()
    claims = _many(PlacedSchema)


class SupportSchema(Strict):
    reading = _one_of(*READINGS)
    readingSays = _text()
    note = _text()
    claims = _many(PlacedSchema)


class RowSupportSchema(Strict):
    reading = _one_of(*READINGS)
    note = _text()
    claims = _many(PlacedSchema)


class WhyRowSchema(RowSummarySchema):
    restsOn = _many(RowSupportSchema)


class KnowledgeRowsSchema(Strict):
    """GET /knowledge?rows=…; notRows: names that are none."""

    knowledgeVersion = _text()
    site = fields.Nested(SiteSchema)
    rows = _many(WhyRowSchema)
    notRows = _texts()


class KnowledgeExampleSchema(Strict):
    title = _text()
    given = _text()
    holds = fields.Boolean(required=True)


class SystemSchema(Strict):
    system = _text()
    name = _text()
    count = fields.Integer(required=True)
    codes = _texts()


class CountSchema(Strict):
    name = _text()
    count = fields.Integer(required=True)


class IngredientSchema(Strict):
    name = _text()
    systems = _many(CountSchema)


class OperandSchema(Strict):
    """One thing that feeds the rule. atcFamilies to ingredients: of a medicine class."""

    kind = _one_of(
        "finding",
        "medication",
        "analyte",
        "body-site",
        "course",
        "patient",
        "potassium-raising",
        "other-rows",
    )
    id = _text()
    label = _text()
    notes = _texts()
    count = fields.Integer(required=True)
    systems = _many(SystemSchema)
    valueSet = fields.String()
    atcFamilies = fields.List(fields.String())
    atcExcepted = fields.List(fields.String())
    names = fields.List(fields.String())
    ingredients = fields.List(fields.Nested(IngredientSchema))


class KnowledgeRowSchema(RowSummarySchema):
    """GET /knowledge/{row}"""

    knowledgeVersion = _text()
    site = fields.Nested(SiteSchema)
    levelSays = _text()
    howRead = _many(HowReadSchema)
    actions = _many(RowActionSchema)
    nothingAsked = _text()
    onTheCard = _text()
    restsOn = _many(SupportSchema)
    examples = _many(KnowledgeExampleSchema)
    howMatched = _texts()
    operands = _many(OperandSchema)
    actionOperands = _many(OperandSchema)
    previous = fields.Nested(NamedRowSchema)
    next = fields.Nested(NamedRowSchema)
