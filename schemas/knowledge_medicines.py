"""Schemas of the files of medicines: classes, routes and names. Unknown members are errors."""

from __future__ import annotations

from marshmallow import fields

from schemas.base import Id, Strict
from schemas.knowledge_files import ManyCodes, SourcedCodingSchema, Text


class MembersSchema(Strict):
    ingredient = Text(required=True)
    route = Text(load_default="")
    route_decides = fields.Boolean(load_default=False)
    rxnorm = ManyCodes(load_default=list)
    snomed = ManyCodes(load_default=list)
    ndc = ManyCodes(load_default=list)
    atc = ManyCodes(load_default=list)
    terms = ManyCodes(blanks=True, load_default=list)


class MedicationClassSchema(Strict):
    id = Id()
    label = Text(required=True)
    named_by_documents = fields.Boolean(required=True)
    routes = fields.List(Text(), load_default=list)
    atc_except = fields.List(Text(), load_default=list)
    not_terms = fields.List(Text(), load_default=list)
    more_terms = fields.Dict(keys=Text(), values=fields.List(Text()), load_default=dict)
    atc_families = fields.List(Text(), load_default=list)
    members = fields.List(fields.Nested(MembersSchema), required=True)


class PotassiumRaisingSchema(Strict):
    atc = fields.List(Text(), required=True)
    stems = fields.List(Text(), required=True)


class NoMedicineSchema(Strict):
    """Names of no medicine: alone, or a form with one of the words in place of {}."""

    forms = fields.List(Text(), required=True)
    words = fields.List(Text(), required=True)
    alone = fields.List(Text(), required=True)
    codes = fields.List(fields.Nested(SourcedCodingSchema), required=True)


class NotTakenSchema(Strict):
    anywhere = fields.List(Text(), required=True)
    unless = fields.List(Text(), required=True)
    at_start = fields.List(Text(), required=True)
    dosage = fields.List(Text(), required=True)
    parts = fields.List(Text(), required=True)
    whole = fields.List(Text(), required=True)
    codes = fields.List(Text(), required=True)
    none = fields.Nested(NoMedicineSchema, required=True)


class NationalNamesSchema(Strict):
    endings = fields.List(Text(), required=True)
    letters = fields.Dict(keys=Text(), values=fields.String(), required=True)
    beginnings = fields.Dict(keys=Text(), values=Text(), required=True)
    salts = fields.List(Text(), required=True)
    generic = fields.List(Text(), required=True)


class MedicationRoutesSchema(Strict):
    codes = fields.Dict(keys=Text(), values=fields.List(Text()), required=True)
    words = fields.Dict(keys=Text(), values=fields.List(Text()), required=True)
    not_taken = fields.Nested(NotTakenSchema, required=True)
    potassium_raising = fields.Nested(PotassiumRaisingSchema, required=True)
    national_names = fields.Nested(NationalNamesSchema, required=True)
