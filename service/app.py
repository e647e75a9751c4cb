"""create_app: the only place where settings, knowledge and endpoints meet."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from service.authentication import Callers, callers_of
from service.authentication.admin_token import read_admin_token
from service.config import Config
from service.endpoints.authentication import authentication
from service.endpoints.cds_hooks import cds_hooks
from service.endpoints.docs import docs
from service.endpoints.evaluate import evaluate
from service.endpoints.feedback import feedback
from service.endpoints.feedback_summary import feedback_summary
from service.endpoints.fhir import fhir
from service.endpoints.hosts import host_check
from service.endpoints.knowledge_pages import knowledge_pages
from service.endpoints.operations import operations
from service.endpoints.request_log import request_log
from service.endpoints.response_headers import response_headers
from service.endpoints.responses import problem_answer
from service.endpoints.workbench import workbench
from service.errors import Issue, RequestError
from service.examples import load_examples
from service.feedback import Store
from service.fhir_client import FhirServers
from service.knowledge import Knowledge
from service.metrics import Metrics

_CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    413: "too-long",
    415: "not-supported",
    503: "transient",
}
_NEXT = {
    404: "No such page: GET / lists what there is.",
    405: "This address does not answer this method.",
    413: "The body is larger than MAX_BODY_BYTES allows: send fewer resources.",
    415: "The Content-Type is not read.",
}
_log = logging.getLogger("service")
# The folder is read once, for however many applications.
_examples = cache(load_examples)


def create_app(
    config: Config,
    knowledge: Knowledge,
    callers: Callers | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    metrics: Metrics | None = None,
) -> Flask:
    """The WSGI application for those settings and that knowledge.

    callers: who may call, if not those of the settings. clock: now, in UTC, for what feedback says of times.
    metrics: where several processes count together.
    Raises ConfigError where a file of theirs is wrong.
    """
    app = Flask(__name__, static_folder="endpoints/static", template_folder="endpoints/templates")
    app.config["MAX_CONTENT_LENGTH"] = config.max_body_bytes
    app.url_map.strict_slashes = False
    # Two slashes would be answered by a redirect to the Host that the caller names.
    app.url_map.merge_slashes = False
    callers = callers or callers_of(config)
    store = Store(config.feedback_db, config.feedback_retention_days, clock)
    metrics = metrics or Metrics()
    # Around Flask and not in it: what is added to every answer is cheaper there, a plain list of headers.
    around = request_log(response_headers(host_check(app.wsgi_app, config), config), metrics)
    app.wsgi_app = around  # type: ignore[assignment,method-assign]
    app.register_blueprint(authentication(callers, read_admin_token(config.admin_token_file)))
    servers = FhirServers(config.fhir_servers, config.fhir_timeout, config.fhir_ca_file)
    app.register_blueprint(cds_hooks(config, knowledge, servers, metrics))
    app.register_blueprint(evaluate(config, knowledge, metrics))
    app.register_blueprint(feedback(config, knowledge, store, clock, metrics))
    app.register_blueprint(feedback_summary(knowledge, store))
    app.register_blueprint(knowledge_pages(knowledge))
    app.register_blueprint(fhir(config, knowledge, _version()))
    app.register_blueprint(workbench(config, knowledge, _examples(), _version()))
    app.register_blueprint(operations(knowledge, store, callers, metrics, _version()))
    app.register_blueprint(docs())

    @app.errorhandler(RequestError)
    def request_error(error: RequestError) -> Response:
        answer = problem_answer(error.issues, error.status)
        answer.headers.update(error.headers)
        return answer

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        status = error.code or 500
        says = _NEXT.get(status, error.name + ".")
        answer = problem_answer([Issue(_CODES.get(status, "processing"), says, "http")], status)
        if error.get_response().headers.get("Allow"):
            answer.headers["Allow"] = error.get_response().headers["Allow"]
        return answer

    @app.errorhandler(Exception)
    def last_resort(error: Exception) -> Response:
        # The class and the place, never the message: it could hold what was sent.
        place = traceback.extract_tb(error.__traceback__)[-1]
        _log.error("unexpected %s in %s line %s", type(error).__name__, place.name, place.lineno)
        issue = Issue("exception", "The service failed on this request; nothing was decided.")
        return problem_answer([issue], 500)

    return app


def _version() -> str:
    try:
        return installed_version("fasciculation-cds")
    except PackageNotFoundError:
        return "0.1.0"
