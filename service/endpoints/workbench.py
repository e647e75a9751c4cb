"""GET / and POST /workbench/answer: a page on which the service is tried out on a test patient.

What is pasted comes in a body, is decided like any other call, and is kept nowhere. An address holds the
name of a bundled patient and a day, never anything of a patient.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from flask import Blueprint, Response, render_template, request
from markupsafe import Markup, escape
from marshmallow import ValidationError

from fhir_mappings.envelope import decode_bundle
from fhir_mappings.from_actions import operation_outcome
from fhir_mappings.json_objects import UnreadableBody
from schemas.assessment import EvaluateQuerySchema
from schemas.cds_hooks import EXTENSION
from schemas.workbench import WorkbenchSchema
from service.card_ids import CardIds
from service.config import Config
from service.endpoints.answers import json_answer
from service.endpoints.bodies import body_of
from service.endpoints.cds_hooks import shown, today
from service.endpoints.evaluate import answer_to_bundle
from service.errors import DataMissing, Issue, NotFound, RequestError, flattened
from service.examples import Example
from service.hook_calls import checked_members, issues_of, read_call, refuse_unseen, submission_of_call
from service.knowledge import Knowledge
from service.knowledge.explained import Explained
from service.pipeline import Answer, answer
from service.workbench.curl import curl_of
from service.workbench.json_text import NotAnObject, decoded, without_numbers, written
from service.workbench.places import Places
from service.workbench.questions import answer_observation, with_answer
from service.workbench.shown import Shown, shown_answer

# A page with a script of ours, which asks this service alone.
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self';"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


# A day does not break across two lines.
_DAY = re.compile(r"\b\d{4}-\d\d-\d\d\b")


@dataclass(frozen=True, slots=True)
class _Decided:
    """A request and what was answered to it.

    path: where it would be posted. cards: those that leave. refused: why the hook is answered by an error.
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

    def fragment(decided: _Decided) -> tuple[str, Shown]:
        places = Places(decided.text, decided.document)
        one = shown_answer(decided.answer, decided.cards, knowledge, explained, places)
        html = render_template(
            "workbench_answer.html",
            shown=one,
            response=json.dumps(decided.content, ensure_ascii=False, indent=2),
            curl=curl_of(config.public_base_url, decided.path, decided.text),
            silent=config.silent,
            lowest=config.min_indicator,
            refused=decided.refused,
        )
        return html, one

    def decided_of(members: Mapping[str, Any]) -> _Decided:
        apply = members["apply"]
        decided = deciding.decided(members["text"], members["asOf"], chosen=members["chosen"])
        if apply is None:
            return decided
        return deciding.applied(decided, apply["finding"], present=apply["answer"] == "present")

    @blueprint.app_template_filter("days")
    def days(text: str) -> Markup:
        return Markup(_DAY.sub(r'<span class="day">\g<0></span>', str(escape(text))))  # noqa: S704 - escaped

    @blueprint.get("/")
    def home() -> Response | str:
        if config.cds_auth == "jwt":
            return render_template("home.html", version=version, knowledge=knowledge.version)
        try:
            query = cast(dict[str, Any], EvaluateQuerySchema(only=("asOf",)).load(_dates(request.args)))
        except ValidationError as error:
            raise RequestError(list(flattened(error.normalized_messages(), "query"))) from None
        name = request.args.get("example") or next(iter(patients), "")
        if name and name not in patients:
            raise NotFound([Issue("not-found", "No such example: GET / lists them.", "query.example")])
        chosen, hook = patients.get(name), request.args.get("hook", "")
        decided = None
        if chosen is not None:
            sample = chosen.requests.get(hook) if hook else chosen.bundle
            if sample is None:
                raise NotFound([Issue("not-found", "This example has no call of that hook.", "query.hook")])
            text = sample.body.decode()
            decided = deciding.decided(text, query["asOf"] or chosen.as_of, chosen=True)
        html, one = fragment(decided) if decided else ("", None)
        page = render_template(
            "workbench.html",
            page={"knowledgeVersion": knowledge.version},
            version=version,
            patients=patients.values(),
            chosen=chosen,
            hook=hook,
            text=decided.text if decided else "",
            shown=one,
            answer=html,
        )
        response = Response(page, mimetype="text/html")
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Cache-Control"] = "no-cache"
        return response

    @blueprint.post("/workbench/answer")
    def post() -> Response:
        members = _posted(body_of(request))
        try:
            decided = decided_of(members)
        except RequestError as error:
            # The page asked as it should: what is wrong stands in the text that it passes on.
            raise RequestError(error.issues, 422) from None
        html, one = fragment(decided)
        return json_answer(
            {"html": html, "text": decided.text, "asOf": one.as_of.isoformat(), "level": one.level}
        )

    return blueprint


class _Deciding:
    """Decides what was pasted as POST /evaluate or the hook would."""

    def __init__(self, config: Config, knowledge: Knowledge) -> None:
        self.config = config
        self.knowledge = knowledge
        self.entries = {hook["hook"]: hook for hook in knowledge.hooks}

    def decided(self, text: str, as_of: date | None, *, chosen: bool) -> _Decided:
        """chosen: that day goes before the one in the request. Raises RequestError."""
        body = text.encode("utf-8", "surrogatepass")
        document = _document(text)
        if "hook" in document:
            return self._call(text, body, document, as_of, chosen)
        try:
            submission = decode_bundle(body)
        except UnreadableBody as error:
            raise RequestError(list(issues_of(error)), error.status) from None
        day = as_of or today()
        answered = answer_to_bundle(body, submission, day, self.config, self.knowledge)
        cards = shown(answered.cards, self.config)
        content = {"cards": cards, "assessment": answered.assessment}
        return _Decided(text, document, f"/evaluate?asOf={day}", content, answered, cards)

    def applied(self, decided: _Decided, finding: str, *, present: bool) -> _Decided:
        """The same request with that answer recorded in it, decided again on the same day."""
        made = answer_observation(decided.answer.decision, self.knowledge, finding, present=present)
        if made is None:
            raise RequestError([Issue("value", "No click answers this finding.", "apply.finding")])
        document = with_answer(decided.document, made)
        text = written(document)
        return self.decided(text, decided.answer.decision.record.as_of, chosen=True)

    def _call(
        self, text: str, body: bytes, document: dict[str, Any], as_of: date | None, chosen: bool
    ) -> _Decided:
        options = _options(document)
        if chosen and as_of is not None and options.get("asOf") != as_of.isoformat():
            extension = document.get("extension")
            extension = extension if isinstance(extension, dict) else {}
            options = {**options, "asOf": as_of.isoformat(), "assessment": True}
            document = {**document, "extension": {**extension, EXTENSION: options}}
            text = written(document)
            body = text.encode("utf-8", "surrogatepass")
        received = read_call(body)
        members = checked_members(received.members, set(self.entries))
        own = ((members.get("extension") or {}).get(EXTENSION) or {}).get("asOf")
        day = date.fromisoformat(own) if own else as_of or today()
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


def _dates(args: Mapping[str, str]) -> dict[str, str]:
    """The day of the address, left out where the field of the page was empty."""
    return {"asOf": args["asOf"]} if args.get("asOf") else {}


def _document(text: str) -> dict[str, Any]:
    try:
        return decoded(text)
    except NotAnObject as error:
        raise RequestError([Issue("invalid", str(error))]) from None


def _options(document: Mapping[str, Any]) -> dict[str, Any]:
    extension = document.get("extension")
    options = extension.get(EXTENSION) if isinstance(extension, dict) else None
    return options if isinstance(options, dict) else {}


def _posted(body: bytes) -> dict[str, Any]:
    try:
        return cast(dict[str, Any], WorkbenchSchema().load(without_numbers(body)))
    except NotAnObject as error:
        raise RequestError([Issue("invalid", str(error))]) from None
    except ValidationError as error:
        raise RequestError(list(flattened(error.normalized_messages()))) from None
