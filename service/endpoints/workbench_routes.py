"""GET /, POST /workbench/answer and /workbench/form: a page that tries the service on a test patient.

/workbench/form adds the answers of the published form to the record, and needs no script. A pasted text comes
in a body, is evaluated like any other request, and is never stored. An address holds the name of a bundled
patient and a day, never anything of a patient.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast

from flask import Blueprint, Response, render_template, request
from markupsafe import Markup, escape
from marshmallow import ValidationError

from fhir_mappings.record import Record
from fhir_mappings.request.documents import BUNDLE, CALL, bundle_of, is_ndjson, kind_of, lines_of
from fhir_mappings.request.json_body import InvalidBody, decoded, indented, with_raw_numbers
from fhir_mappings.request.json_places import Places
from schemas.evaluation_requests import EvaluateQuerySchema, WorkbenchSchema
from schemas.hooks import EXTENSION
from service.cards.escaping import folded
from service.config import Config
from service.decision import decide
from service.endpoints.bodies import body_of, form_of
from service.endpoints.patient_route import add_patient_route
from service.endpoints.responses import HTML, json_answer, outcome_of, shown_cards
from service.errors import DataMissing, Forbidden, Issue, NotFound, RequestError, issues_of, rejection
from service.evaluation import Evaluation, Evaluator, read_bundle, today
from service.examples import Example
from service.fhir_client import FhirServers
from service.hook_request import read_hook_request
from service.knowledge.page_contents import Explained
from service.workbench.form import RecordForm
from service.workbench.view import View, curl_of, patient_in_words, view_of

# The page has a script of ours, which calls this service alone.
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self';"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_MAX_NOTES = 200
# A date is not broken across two lines.
_DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")


@dataclass(frozen=True, slots=True)
class _Answered:
    """A request and its answer.

    Args:
        text, document: The request as JSON text and decoded.
        path: Where a client would post it.
        content: The answer as JSON.
        cards: Those that the site shows.
        refused: Why the hook is answered by an error.
    """

    text: str
    document: dict[str, Any]
    path: str
    content: dict[str, Any]
    evaluation: Evaluation
    cards: list[dict[str, Any]]
    refused: tuple[str, ...] = ()


def workbench(
    config: Config, evaluator: Evaluator, examples: Sequence[Example], version: str, servers: FhirServers
) -> Blueprint:
    """The workbench; where callers need a token there is none, and / lists the addresses."""
    blueprint = Blueprint("workbench", __name__)
    page_token = add_patient_route(blueprint, config, servers, evaluator.knowledge)
    knowledge = evaluator.knowledge
    patients = {example.name: example for example in examples}
    explained = Explained(knowledge)

    def fragment(
        answered: _Answered, form: RecordForm | None = None, before: _Answered | None = None
    ) -> tuple[str, View]:
        """What is decided, as HTML. before: the record without the answers, whose cards stand beside."""
        view = view_of(answered.evaluation, answered.cards, knowledge, explained)
        html = render_template(
            "workbench_answer.html",
            view=view,
            form=form or RecordForm(knowledge, answered.evaluation.decision),
            text=answered.text,
            before=before
            and view_of(before.evaluation, before.cards, knowledge, explained, "Table of card before"),
            response=json.dumps(answered.content, ensure_ascii=False, indent=2),
            curl=curl_of(config.public_base_url, answered.path, answered.text),
            silent=config.silent,
            lowest=config.min_indicator,
            refused=answered.refused,
            patient=patient_in_words(answered.evaluation.decision, knowledge),
            lines=_lines(answered),
        )
        return html, view

    def page_of(**values: Any) -> Response:
        page = render_template(
            "workbench.html",
            page={"knowledgeVersion": knowledge.version},
            patients=patients.values(),
            page_token=page_token,
            servers=config.fhir_servers,
            **values,
        )
        response = Response(page, mimetype=HTML)
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Cache-Control"] = "no-cache"
        if page_token:
            response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response

    @blueprint.app_template_filter("days")
    def days(text: str) -> Markup:
        return Markup(_DATE.sub(r'<span class="day">\g<0></span>', str(escape(text))))  # noqa: S704 - escaped

    blueprint.app_template_filter("folded")(folded)

    @blueprint.get("/")
    def home() -> Response | str:
        if config.cds_auth == "jwt":
            return render_template("home.html", version=version, knowledge=knowledge.version)
        as_of = _day(request.args.get("asOf", ""), "query")
        name = request.args.get("example") or next(iter(patients), "")
        if name and name not in patients:
            raise NotFound([Issue("not-found", "No such example: GET / lists them.", "query.example")])
        chosen, hook = patients.get(name), request.args.get("hook", "")
        text, html, view = "", "", None
        if chosen is not None:
            sample = chosen.requests.get(hook) if hook else chosen.bundle
            if sample is None:
                raise NotFound([Issue("not-found", "This example has no call of that hook.", "query.hook")])
            answered = _answered(sample.body.decode(), as_of or chosen.as_of, True, config, evaluator)
            text, (html, view) = answered.text, fragment(answered)
        return page_of(chosen=chosen, hook=hook, text=text, view=view, answer=html)

    @blueprint.post("/workbench/form")
    def record_answers() -> Response:
        # A form is posted without a preflight: a page elsewhere must not make the service decide.
        if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            raise Forbidden([Issue("forbidden", "Only the page of this service may post its form.", "http")])
        posted = form_of(request)
        text, day = ("".join(posted.get(name, ())) for name in ("text", "asOf"))
        try:
            as_of = _day(day, "form")
            before = _answered(text, as_of, as_of is not None, config, evaluator)
        except RequestError as error:
            form = RecordForm(knowledge, decide(Record(today()), knowledge.table), posted)
            form.problems += [issue.diagnostics for issue in _with_lines(error.issues, text)]
            html = render_template("workbench_form.html", form=form, text=text, as_of=day)
            return page_of(text=text, answer=html, form=form)
        decision = before.evaluation.decision
        form = RecordForm(knowledge, decision, posted)
        document = form.added(before.document)
        if document is None:
            html, view = fragment(before, form)
            return page_of(text=before.text, view=view, answer=html, form=form)
        after = _answered(indented(document), decision.record.as_of, True, config, evaluator)
        shown = RecordForm(knowledge, after.evaluation.decision)
        shown.author, shown.said = form.author, form.said
        html, view = fragment(after, shown, before)
        return page_of(text=after.text, view=view, answer=html, form=shown, answered=True)

    @blueprint.post("/workbench/answer")
    def post() -> Response:
        posted = _posted(body_of(request))
        try:
            answered = _answered(posted["text"], posted["asOf"], posted["chosen"], config, evaluator)
        except RequestError as error:
            # The request of the page is well-formed: the fault is in the text that it passes on.
            raise RequestError(_with_lines(error.issues, posted["text"]), 422) from None
        html, view = fragment(answered)
        return json_answer(
            {
                "html": html,
                "text": answered.text,
                "asOf": view.assessment["asOf"],
                "level": view.assessment["level"],
            }
        )

    return blueprint


def _day(text: str, place: str) -> date | None:
    """The day of a field, which may be empty."""
    try:
        loaded = EvaluateQuerySchema(only=("asOf",)).load({"asOf": text} if text else {})
    except ValidationError as error:
        raise RequestError(list(issues_of(error.normalized_messages(), place))) from None
    return cast(dict[str, date | None], loaded)["asOf"]


def _answered(text: str, as_of: date | None, chosen: bool, config: Config, evaluator: Evaluator) -> _Answered:
    """Evaluate a text as POST /evaluate or the hook would.

    Args:
        chosen: The user set the day, which then overrides the one in the request.

    Raises:
        RequestError: The text is no Bundle and no hook request, or has faults.
    """
    text, document = _document(text)
    body = text.encode("utf-8", "surrogatepass")
    if "hook" not in document:
        evaluation = evaluator.bundle(body, read_bundle(body), as_of)
        cards = shown_cards(evaluation.cards, config)
        content = {"cards": cards, "assessment": evaluation.assessment}
        path = f"/evaluate?asOf={evaluation.decision.record.as_of}"
        return _Answered(text, document, path, content, evaluation, cards)
    services = {hook["hook"]: hook for hook in evaluator.knowledge.hooks}
    hook_request = read_hook_request(body, services)
    if chosen and as_of and as_of != hook_request.as_of:
        options = {**hook_request.options, "asOf": as_of.isoformat(), "assessment": True}
        document = {**document, "extension": {**(document.get("extension") or {}), EXTENSION: options}}
        text = indented(document)
    day = as_of if chosen else hook_request.as_of or as_of
    evaluation = evaluator.hook_request(hook_request, day)
    path = f"/cds-services/{evaluator.service_id(hook_request)}"
    try:
        evaluation.reject_if_undecided()
    except DataMissing as error:
        # The page still shows how the record was read: that is what the user has to correct.
        why = tuple(issue.diagnostics for issue in error.issues)
        return _Answered(text, document, path, outcome_of(error.issues), evaluation, [], why)
    cards = shown_cards(evaluation.cards, config)
    content = {"cards": cards, "extension": {EXTENSION: {"assessment": evaluation.assessment}}}
    return _Answered(text, document, path, content, evaluation, cards)


def _document(text: str) -> tuple[str, dict[str, Any]]:
    """The text and its JSON object, numbers as written; NDJSON becomes a Bundle.

    Raises:
        RequestError: With the line of the fault.
    """
    body = text.encode("utf-8", "surrogatepass")
    if is_ndjson(body):
        text = _put_together(body)
    try:
        document = with_raw_numbers(text)
    except RecursionError:
        why = "The JSON is nested too deeply."
    except json.JSONDecodeError as error:
        why = f"Not valid JSON, in line {error.lineno}, column {error.colno}: {error.msg}."
    else:
        if isinstance(document, dict):
            return text, document
        why = "Not a Bundle or a hook request: the JSON is no object."
    raise RequestError([Issue("invalid", why)])


def _put_together(body: bytes) -> str:
    """NDJSON as a Bundle. Raises RequestError with the line of every fault."""
    issues, resources = [], []
    for number, line in lines_of(body):
        why = ""
        try:
            kind = kind_of(line)
            if kind in ("", BUNDLE, CALL):
                why = "NDJSON holds one resource a line here, and this is none: paste it by itself."
        except InvalidBody as error:
            why = str(error)
        if why:
            issues.append(Issue("invalid", f"In line {number}: {why}"))
        resources.append(line)
    if issues:
        raise RequestError(issues)
    return bundle_of(resources).decode("utf-8", "surrogatepass")


def _with_lines(issues: Sequence[Issue], text: str) -> list[Issue]:
    """The issues, with the line of the text that each is about."""
    places = Places(text.encode("utf-8", "surrogatepass"))
    lines = [places.line(issue.expression or "") for issue in issues]
    return [
        replace(issue, diagnostics=f"{issue.diagnostics} (line {line})") if line else issue
        for issue, line in zip(issues, lines, strict=True)
    ]


def _lines(answered: _Answered) -> dict[tuple[str, str], int]:
    """Reference and expression of the notes -> the line of the text that each is about."""
    places = Places(answered.text.encode("utf-8", "surrogatepass"))
    entries = {entry.reference: entry.expression for entry in answered.evaluation.submission.entries}
    record = answered.evaluation.decision.record
    found = {}
    for notes in (record.not_understood, record.not_used):
        for note in notes[:_MAX_NOTES]:
            within = note.expression or ""
            entry = entries.get(note.reference, note.reference)
            # An expression is relative to its resource, or the whole place.
            path = within if "entry[" in within else f"{entry}.{within.partition('.')[2]}"
            if line := places.line(path):
                found[note.reference, within] = line
                # The assessment names no expression of an entry that is not used.
                found.setdefault((note.reference, ""), line)
    return found


def _posted(body: bytes) -> dict[str, Any]:
    try:
        return cast(dict[str, Any], WorkbenchSchema().load(decoded(body, dict[str, Any], "")))
    except InvalidBody as error:
        raise rejection(error, 400) from None
    except ValidationError as error:
        raise RequestError(list(issues_of(error.normalized_messages()))) from None
