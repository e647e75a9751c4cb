"""Schemas of what /evaluate and the page of the workbench send."""

from __future__ import annotations

from marshmallow import fields, validate

from schemas.base import JsonBoolean, Strict

_NO_ID = "not the id of a FHIR resource"


class DayQuerySchema(Strict):
    """The query of $apply: the decision date."""

    asOf = fields.Date(format="iso", load_default=None)


class EvaluateQuerySchema(DayQuerySchema):
    """The query of POST /evaluate."""

    fully = fields.String(
        data_key="validate", validate=validate.OneOf(["true", "false"]), load_default="false"
    )


class WorkbenchSchema(Strict):
    """The body of POST /workbench/answer.

    text: a Bundle or a hook request as JSON text. chosen: the user set the day, which then overrides the
    day in the request.
    """

    text = fields.String(required=True)
    asOf = fields.Date(format="iso", load_default=None, allow_none=True)
    chosen = JsonBoolean(load_default=False)


class WorkbenchPatientSchema(Strict):
    """The body of POST /workbench/patient. server: one of FHIR_SERVERS. token: "" = none."""

    server = fields.String(required=True)
    patient = fields.String(
        required=True,
        # The patterns of OpenAPI have no \Z, and Python's $ stands before a last line feed too.
        validate=[
            validate.Regexp(r"^[A-Za-z0-9\-._]{1,64}$", error=_NO_ID),
            validate.ContainsNoneOf("\n", error=_NO_ID),
        ],
    )
    token = fields.String(load_default="")
