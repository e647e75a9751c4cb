"""The files of artifacts/, FHIR R4, to read.

GET /fhir/metadata, /fhir/{kind}, /fhir/{kind}/{name}, /fhir/ValueSet/{name}/$expand and /fhir/artifacts.zip.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from fhir_mappings.to_fhir.capability import SEARCH_PARAMETERS, capability_statement, matches, searchset
from service.config import Config
from service.endpoints.responses import FHIR_JSON, JSON, json_answer
from service.errors import Issue, NotFound, RequestError
from service.knowledge import Knowledge
from service.package_files import shipped

KINDS = ("PlanDefinition", "ActivityDefinition", "ValueSet", "Library", "Questionnaire")
FOLDER = shipped("artifacts")
# knowledgeVersion: that the files are made from. files: file name -> summary, in the order of a search.
INDEX = "index.json"
# A search answers with summaries where more match: all value sets are megabytes.
_MOST_WHOLE = 20
ARCHIVE = "/fhir/artifacts.zip"
_MEDIA_TYPES = frozenset({FHIR_JSON, JSON, "text/json", "application/*", "*/*"})
_FORMATS = _MEDIA_TYPES | {"json"}
_FHIR_VERSIONS = frozenset({"4.0", "4.0.1"})


def fhir_artifacts(config: Config, knowledge: Knowledge, version: str) -> Blueprint:
    """The routes for other engines; no patient data.

    The files describe the shipped knowledge alone: with any other every address answers 404.

    Args:
        version: of the software.
    """
    blueprint = Blueprint("fhir", __name__)
    published = _read(INDEX)["knowledgeVersion"] if (FOLDER / INDEX).exists() else "none"
    if config.knowledge_dir is not None or knowledge.version != published:
        return _without_artifacts(blueprint, knowledge, published)
    base = f"{config.public_base_url}/fhir"
    statement = capability_statement(base, version, KINDS)

    @blueprint.before_request
    def acceptable() -> None:
        if request.path != ARCHIVE:
            check_acceptable()

    @blueprint.get("/fhir/metadata")
    def metadata() -> Response:
        return _answer(statement)

    @blueprint.get("/fhir/<kind>")
    def search(kind: str) -> Response:
        _check_kind(kind)
        wanted = _wanted()
        found = {n: s for n, s in _files().items() if s["resourceType"] == kind and matches(s, wanted)}
        matching = map(_read, found) if len(found) <= _MOST_WHOLE else found.values()
        query = urlencode([(name, ",".join(values)) for name, many in wanted.items() for values in many])
        return _answer(searchset(matching, base, f"{base}/{kind}?{query}".rstrip("?")))

    @blueprint.get("/fhir/<kind>/<name>")
    def read(kind: str, name: str) -> Response:
        _check_kind(kind)
        return _answer(_artifact(kind, name))

    @blueprint.get("/fhir/ValueSet/<name>/$expand")
    def expand(name: str) -> Response:
        if request.args.keys() - {"_format"}:
            text = "$expand takes no parameters here: the whole expansion is the answer."
            raise RequestError([Issue("not-supported", text, "http.query")])
        value_set = _artifact("ValueSet", name)
        # FHIR: without the definition, unless the caller asks for it.
        return _answer({member: value for member, value in value_set.items() if member != "compose"})

    @blueprint.get(ARCHIVE)
    def archive() -> Response:
        answer = Response(_archive(), mimetype="application/zip")
        answer.headers["Content-Disposition"] = f'attachment; filename="artifacts-{published}.zip"'
        return _conditional(answer)

    return blueprint


def _artifact(kind: str, name: str) -> dict[str, Any]:
    """Raises NotFound."""
    file = f"{kind}-{name}.json"
    if file not in _files():
        raise NotFound([Issue("not-found", f"No {kind} of that id: see GET /fhir/{kind}.", "http.url")])
    return _read(file)


@cache
def _archive() -> bytes:
    """All files as a zip. The same files give the same bytes: no time of day, one order."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (INDEX, *_files()):
            entry = zipfile.ZipInfo(f"{FOLDER.name}/{name}")
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, (FOLDER / name).read_bytes())
    return packed.getvalue()


@cache
def _files() -> dict[str, dict[str, Any]]:
    """File name -> the summary of its resource."""
    files: dict[str, dict[str, Any]] = _read(INDEX)["files"]
    return files


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return content


def _without_artifacts(blueprint: Blueprint, knowledge: Knowledge, published: str) -> Blueprint:
    site = " (changed by this site, see site in GET /readyz)" if knowledge.site else ""

    @blueprint.get("/fhir")
    @blueprint.get("/fhir/<path:_rest>")
    def refuse(_rest: str = "") -> Response:
        text = (
            f"The service decides by knowledge {knowledge.version}{site}, of which no FHIR artifacts are"
            f" served: those shipped are of {published}. GET /knowledge shows the table."
        )
        raise NotFound([Issue("not-found", text, "http.url")])

    return blueprint


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise NotFound(
            [Issue("not-supported", "This type is not served: see GET /fhir/metadata.", "http.url")]
        )


def check_acceptable() -> None:
    """Raise RequestError (406) where this request wants something else than JSON of FHIR R4."""
    if not _accepts_json():
        raise RequestError(
            [Issue("not-supported", f"Only {FHIR_JSON} of FHIR R4 is served.", "http.accept")], 406
        )


def _accepts_json() -> bool:
    """Whether JSON of FHIR R4 is acceptable; `_format` overrules Accept, as FHIR says."""
    wanted = request.args.get("_format")
    if wanted is not None:
        # A "+" that was not escaped arrives as a blank.
        return wanted.partition(";")[0].strip().replace(" ", "+") in _FORMATS
    return not request.accept_mimetypes or any(
        _is_served(media) for media, q in request.accept_mimetypes if q > 0
    )


def _is_served(media: str) -> bool:
    name, _, parameters = media.partition(";")
    given = dict(pair.strip().lower().partition("=")[::2] for pair in parameters.split(";"))
    version = given.get("fhirversion")
    return name.strip().lower() in _MEDIA_TYPES and version in (None, *_FHIR_VERSIONS)


def _wanted() -> dict[str, list[list[str]]]:
    """Search parameter -> its repetitions, each with its alternatives. Raises RequestError (400)."""
    given = {name: values for name, values in request.args.lists() if name != "_format"}
    issues = list(_faults(given))
    if issues:
        raise RequestError(issues)
    return {name: [value.split(",") for value in values] for name, values in given.items()}


def _faults(given: dict[str, list[str]]) -> Iterator[Issue]:
    # Ignoring a parameter would answer with every resource.
    if not given.keys() <= SEARCH_PARAMETERS.keys():
        known = ", ".join(SEARCH_PARAMETERS)
        yield Issue(
            "not-supported",
            f"Search by {known}, without modifiers; nothing else is supported.",
            "http.query",
        )
    if not all(part for values in given.values() for value in values for part in value.split(",")):
        yield Issue("value", "A search parameter is empty.", "http.query")


def _answer(resource: dict[str, object]) -> Response:
    return _conditional(json_answer(resource, mimetype=FHIR_JSON))


def _conditional(answer: Response) -> Response:
    answer.set_etag(hashlib.sha256(answer.get_data()).hexdigest()[:32])
    # Clients ask again each time; an unchanged resource costs no body.
    answer.headers["Cache-Control"] = "no-cache"
    answer.make_conditional(request)
    return answer
