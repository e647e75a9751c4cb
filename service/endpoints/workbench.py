"""GET / and POST /workbench/answer: a page on which the service is tried out on a test patient.

A pasted text comes in a body, is decided like any other call, and is never stored. An address holds the name
of a bundled patient and a day, never anything of a patient.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from flask import Blueprint, Response, render_template, request
from markupsafe import Markup, escape
from marshmallow import ValidationError

from fhir_mappings.request.bundles import decode_bundle
from fhir_mappings.request.json_body import UnreadableBody, decoded, indented, with_raw_numbers
from fhir_mappings.to_fhir.actions import operation_outcome
from schemas.evaluation_requests import EvaluateQuerySchema, WorkbenchSchema
from schemas.hooks import EXTENSION
from service.cards.card_ids import CardIds
from service.config import Config
from service.endpoints.bodies import body_of
from service.endpoints.cds_hooks import shown, today
from service.endpoints.evaluate import answer_to_bundle
from service.endpoints.responses import json_answer
from service.errors import DataMissing, Issue, NotFound, RequestError, flattened
from service.evaluation import Answer, answer
from service.examples import Example
from service.hook_request import (
    checked_members,
    issues_of,
    options_of,
    read_call,
    refuse_unseen,
    submission_of_call,
)
from service.knowledge import Knowledge
from service.knowledge.page_contents import Explained
from service.workbench.answers import answer_observation, with_answer
from service.workbench.view import View, curl_of, view_of

# The page has a script of ours, which calls this service alone.
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self';"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
# A day is not broken across two lines.
_DAY = re.compile(r"\b\d{4}-\d\d-\d\d\b")


@dataclass(frozen=True, slots=True)
class _Decided:
    """A request and its answer.

    text, document: the request. path: where it would be posted. cards: those that the site shows.
    refused: why the hook is answered by an error.
    """

    text: str
    document: dict[str, Any]
    path: str
    content: dict[str, Any]
    answer: Answer
    cards: list[dict[str, Any]]
    refused: tuple[str, ...] = ()


def workbench(config: Config, knowledge: Knowledge, examples: Sequence[Example], version: str) -> Blueprint:
    """The workbench; where callers need a token there is none, and / lists the addresses."""
    blueprint = Blueprint("workbench", __name__)
    patients = {example.name: example for example in examples}
    explained = Explained(knowledge)
    deciding = _Deciding(config, knowledge)

    def fragment(decided: _Decided) -> tuple[str, View]:
        view = view_of(decided.answer, decided.cards, knowledge, explained)
        html = render_template(
            "workbench_answer.html",
            view=view,
            response=json.dumps(decided.content, ensure_ascii=False, indent=2),
            curl=curl_of(config.public_base_url, decided.path, decided.text),
            silent=config.silent,
            lowest=config.min_indicator,
            refused=decided.refused,
        )
        return html, view

    @blueprint.app_template_filter("days")
    def days(text: str) -> Markup:
        return Markup(_DAY.sub(r'<span class="day">\g<0></span>', str(escape(text))))  # noqa: S704 - escaped

    @blueprint.get("/")
    def home() -> Response | str:
        if config.cds_auth == "jwt":
            return render_template("home.html", version=version, knowledge=knowledge.version)
        # The field of the page may be empty.
        query = {"asOf": request.args["asOf"]} if request.args.get("asOf") else {}
        try:
            as_of = cast(dict[str, Any], EvaluateQuerySchema(only=("asOf",)).load(query))["asOf"]
        except ValidationError as error:
            raise RequestError(list(flattened(error.normalized_messages(), "query"))) from None
        name = request.args.get("example") or next(iter(patients), "")
        if name and name not in patients:
            raise NotFound([Issue("not-found", "No such example: GET / lists them.", "query.example")])
        chosen, hook = patients.get(name), request.args.get("hook", "")
        text, html, view = "", "", None
        if chosen is not None:
            sample = chosen.requests.get(hook) if hook else chosen.bundle
            if sample is None:
                raise NotFound([Issue("not-found", "This example has no call of that hook.", "query.hook")])
            decided = deciding.decided(sample.body.decode(), as_of or chosen.as_of, chosen=True)
            text, (html, view) = decided.text, fragment(decided)
        page = render_template(
            "workbench.html",
            page={"knowledgeVersion": knowledge.version},
            patients=patients.values(),
            chosen=chosen,
            hook=hook,
            text=text,
            view=view,
            answer=html,
        )
        response = Response(page, mimetype="text/html")
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Cache-Control"] = "no-cache"
        return response

    @blueprint.post("/workbench/answer")
    def post() -> Response:
        posted = _posted(body_of(request))
        try:
            decided = deciding.decided(posted["text"], posted["asOf"], chosen=posted["chosen"])
            if apply := posted["apply"]:
                decided = deciding.again(decided, apply["finding"], present=apply["answer"] == "present")
        except RequestError as error:
            # The page's own request is well-formed: the fault is in the text that it passes on.
            raise RequestError(error.issues, 422) from None
        html, view = fragment(decided)
        return json_answer(
            {"html": html, "text": decided.text, "asOf": view.as_of.isoformat(), "level": view.level}
        )

    return blueprint


class _Deciding:
    """Decides a text as POST /evaluate or the hook would."""

    def __init__(self, config: Config, knowledge: Knowledge) -> None:
        self.config = config
        self.knowledge = knowledge
        self.entries = {hook["hook"]: hook for hook in knowledge.hooks}

    def decided(self, text: str, as_of: date | None, *, chosen: bool) -> _Decided:
        """chosen: that day goes before the one in the request. Raises RequestError."""
        document = _document(text)
        body = text.encode("utf-8", "surrogatepass")
        if "hook" in document:
            return self._call(text, body, document, as_of, chosen)
        try:
            submission = decode_bundle(body)
        except UnreadableBody as error:
            raise RequestError(list(issues_of(error))) from None
        day = as_of or today()
        answered = answer_to_bundle(body, submission, day, self.config, self.knowledge)
        cards = shown(answered.cards, self.config)
        content = {"cards": cards, "assessment": answered.assessment}
        return _Decided(text, document, f"/evaluate?asOf={day}", content, answered, cards)

    def again(self, decided: _Decided, finding: str, *, present: bool) -> _Decided:
        """The same request with that answer recorded in it, decided on the same day. Raises RequestError."""
        decision = decided.answer.decision
        observation = answer_observation(decision, self.knowledge, finding, present=present)
        if observation is None:
            raise RequestError([Issue("value", "No click answers this finding.", "apply.finding")])
        text = indented(with_answer(decided.document, observation))
        return self.decided(text, decision.record.as_of, chosen=True)

    def _call(
        self, text: str, body: bytes, document: dict[str, Any], as_of: date | None, chosen: bool
    ) -> _Decided:
        received = read_call(body)
        members = checked_members(received.members, self.entries)
        options = options_of(members)
        own = date.fromisoformat(options["asOf"]) if options.get("asOf") else None
        day = (chosen and as_of) or own or as_of or today()
        if chosen and as_of and as_of != own:
            options = {**options, "asOf": as_of.isoformat(), "assessment": True}
            extension = {**(document.get("extension") or {}), EXTENSION: options}
            document = {**document, "extension": extension}
            text = indented(document)
        entry, context = self.entries[members["hook"]], members["context"]
        service_id = self.config.shared_service_id or entry["id"]
        answered = answer(
            submission_of_call(received, entry, context),
            self.knowledge,
            day,
            base_url=self.config.public_base_url,
            hook_instance=members["hookInstance"],
            encounter_id=context.get("encounterId"),
            cards=entry["cards"],
            ids=CardIds(self.config.card_secrets, service_id),
        )
        path = f"/cds-services/{service_id}"
        try:
            refuse_unseen(answered)
        except DataMissing as error:
            # The page still shows how the record was read: that is what has to be mended.
            content = operation_outcome(
                [("error", i.code, i.diagnostics, i.expression) for i in error.issues]
            )
            why = tuple(issue.diagnostics for issue in error.issues)
            return _Decided(text, document, path, content, answered, [], why)
        cards = shown(answered.cards, self.config)
        content = {"cards": cards, "extension": {EXTENSION: {"assessment": answered.assessment}}}
        return _Decided(text, document, path, content, answered, cards)


def _document(text: str) -> dict[str, Any]:
    """The JSON object of the text, its numbers as written. Raises RequestError with the line at fault."""
    try:
        document = with_raw_numbers(text)
    except RecursionError:
        why = "The JSON is nested too deeply."
    except json.JSONDecodeError as error:
        why = f"Not valid JSON, in line {error.lineno}, column {error.colno}: {error.msg}."
    else:
        if isinstance(document, dict):
            return document
        why = "Not a Bundle or a hook request: the JSON is no object."
    raise RequestError([Issue("invalid", why)])


def _posted(body: bytes) -> dict[str, Any]:
    try:
        return cast(dict[str, Any], WorkbenchSchema().load(decoded(body, dict[str, Any], "")))
    except UnreadableBody as error:
        raise RequestError(list(issues_of(error))) from None
    except ValidationError as error:
        raise RequestError(list(flattened(error.normalized_messages()))) from None
