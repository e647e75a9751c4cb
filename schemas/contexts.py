"""The context of each hook: one small class a hook. Unknown members are kept."""

from __future__ import annotations

from collections.abc import Mapping

from marshmallow import INCLUDE, Schema, fields, validate

_ID = validate.Regexp(r"^(Patient/)?[A-Za-z0-9\-.]{1,64}$", error="not a FHIR id")


class PatientViewContext(Schema):
    class Meta:
        unknown = INCLUDE

    userId = fields.String(required=True)
    patientId = fields.String(required=True, validate=_ID)
    encounterId = fields.String(allow_none=True)


CONTEXTS: Mapping[str, type[Schema]] = {"patient-view": PatientViewContext}
