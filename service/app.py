"""The Flask application: settings, knowledge and endpoints put together."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from fhir_mappings.resources.budget import OverBudget
from fhir_mappings.resources.decoding import work_out_shapes
from service import __version__
from service.authentication.admin_token import read_admin_token
from service.config import Config
from service.endpoints.apply_operation import apply_operation
from service.endpoints.authentication import authentication
from service.endpoints.cds_hooks import cds_hooks
from service.endpoints.docs import docs
from service.endpoints.evaluate import evaluate
from service.endpoints.feedback_routes import feedback
from service.endpoints.fhir_artifacts import fhir_artifacts
from service.endpoints.knowledge_routes import knowledge_pages
from service.endpoints.middleware import host_check, request_log, response_headers, within_budget
from service.endpoints.operations import operations
from service.endpoints.responses import problem_answer
from service.endpoints.workbench_routes import workbench
from service.errors import Issue, RequestError, TooMuch
from service.evaluation import Evaluator
from service.examples import load_examples
from service.feedback import Store
from service.fhir_client import FhirServers
from service.knowledge import Knowledge
from service.knowledge.discovery import by_combo_code
from service.metrics import Metrics

if TYPE_CHECKING:
    from service.authentication.tokens import Callers

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
_DIAGNOSTICS = {
    404: "No such page: GET / lists the addresses.",
    413: "The body is larger than MAX_BODY_BYTES allows: send fewer resources.",
    415: "The Content-Type is not supported.",
}
_log = logging.getLogger("service")
# Read once for all applications of a process.
_examples = cache(load_examples)


def create_app(
    config: Config,
    knowledge: Knowledge,
    callers: Callers | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    metrics: Metrics | None = None,
) -> Flask:
    """The WSGI application for those settings and that knowledge.

    Args:
        callers: Who may call; by default those of the settings.
        clock: Now, in UTC; feedback must not be from the future.
        metrics: Counted by several processes together.

    Raises:
        ConfigError: A file that a setting names is wrong.
    """
    work_out_shapes()
    app = Flask(__name__, static_folder="endpoints/static", template_folder="endpoints/templates")
    app.config["MAX_CONTENT_LENGTH"] = config.max_body_bytes
    app.url_map.strict_slashes = False
    # Merging two slashes would redirect to the Host that the client names.
    app.url_map.merge_slashes = False
    if callers is None and config.cds_auth == "jwt":
        # Imported here: PyJWT, cryptography and requests are a tenth of a start.
        from service.authentication.callers import callers_of

        callers = callers_of(config)
    # Of each worker: without a connection until the first post.
    store = Store(config.feedback_db, config.feedback_retention_days, clock, pooled=True)
    metrics = metrics or Metrics()
    limited = within_budget(config.budget, app.wsgi_app)
    wrapped = request_log(
        response_headers(host_check(limited, config, callers.issuer_urls if callers else ()), config),
        metrics,
    )
    app.wsgi_app = wrapped  # type: ignore[assignment,method-assign]
    app.register_blueprint(authentication(callers, read_admin_token(config.admin_token_file)))
    if config.prefetch_search == "combo-code":
        knowledge = replace(knowledge, hooks=by_combo_code(knowledge.hooks))
    servers = FhirServers(config.fhir_servers, config.fhir_timeout, config.fhir_ca_file)
    evaluator = Evaluator(
        knowledge,
        config.public_base_url,
        config.card_secrets,
        config.shared_service_id,
        config.smart_form_url,
    )
    app.register_blueprint(cds_hooks(config, evaluator, servers, metrics))
    app.register_blueprint(evaluate(config, evaluator, metrics))
    app.register_blueprint(apply_operation(config, evaluator, metrics))
    app.register_blueprint(feedback(config, knowledge, store, clock, metrics))
    app.register_blueprint(knowledge_pages(knowledge))
    app.register_blueprint(fhir_artifacts(config, knowledge, __version__))
    app.register_blueprint(workbench(config, evaluator, _examples(), __version__, servers))
    app.register_blueprint(operations(knowledge, store, callers, metrics, __version__))
    app.register_blueprint(docs())

    @app.errorhandler(OverBudget)
    def over_budget(error: OverBudget) -> Response:
        return problem_answer(TooMuch(error).issues, TooMuch.status)

    @app.errorhandler(RequestError)
    def request_error(error: RequestError) -> Response:
        answer = problem_answer(error.issues, error.status)
        answer.headers.update(error.headers)
        return answer

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        status = error.code or 500
        text = _DIAGNOSTICS.get(status, error.name + ".")
        allowed = error.get_response().headers.get("Allow")
        if allowed:
            methods = [method for method in ("GET", "POST") if method in allowed]
            text = f"This address takes {' and '.join(methods) or 'OPTIONS'} alone."
        answer = problem_answer([Issue(_CODES.get(status, "processing"), text, "http")], status)
        if allowed:
            answer.headers["Allow"] = allowed
        return answer

    @app.errorhandler(Exception)
    def last_resort(error: Exception) -> Response:
        # Log the class and the place, never the message: it could hold patient data.
        place = traceback.extract_tb(error.__traceback__)[-1]
        _log.error("unexpected %s in %s line %s", type(error).__name__, place.name, place.lineno)
        issue = Issue("exception", "The service failed on this request; nothing was decided.")
        return problem_answer([issue], 500)

    return app
