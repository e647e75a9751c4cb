"""Requests of every operation of the API, and the examples, as a Bruno collection and as requests.http.

    python -m tools.client_files [FOLDER]

writes them into that folder, by default var/client-files. tests/contract/test_client_files.py reads the texts
back and sends each request.
"""

from __future__ import annotations

import argparse
import json
import os
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from service.examples import Example, load_examples
from tests.contract.calls import SampleCall, sample_calls
from tools.openapi.calls import CARD

BASE = "http://127.0.0.1:8000"
HTTP = "requests.http"
BRUNO = "bruno"
DEFAULT_FOLDER = Path("var") / "client-files"
EXAMPLES = Path(__file__).parents[1] / "examples"
NAMED = "patientView"
# The one example in the collection, with its long bodies; requests.http names the files of all.
IN_COLLECTION = "thigh-day-fifteen"

_HTTP_HEAD = f"""# Made by `python -m tools.client_files` from tools/openapi/ and examples/.
# For the REST Client of Visual Studio Code. Each request says what is answered with the default settings.
@baseUrl = {BASE}
"""


def http_text(examples: Sequence[Example], directory: str) -> str:
    """The text of requests.http. directory: path of examples/, from the folder of requests.http."""
    calls = list(sample_calls())
    first = {call.after for call in calls}
    parts = [_HTTP_HEAD]
    for call in calls:
        lines = [f"### {call.operation}: {call.name}", f"# {call.says}. Answer: {call.status}"]
        if call.id in first:
            lines.append(f"# @name {NAMED}")
        body = call.body
        if body is not None:
            body = body.replace(CARD, f"{{{{{NAMED}.response.body.$.cards[0].uuid}}}}")
        parts.append(_request(lines, call.method, call.address, dict(call.headers), body))
    for example in examples:
        about = f"# {example.title}. {example.about} Answer: 200"
        head = [f"### {example.name}: Bundle", about]
        address = f"/evaluate?asOf={example.as_of}"
        file = f"< {directory}/{example.bundle.file}"
        parts.append(_request(head, "POST", address, {"Content-Type": "application/fhir+json"}, file))
        for hook, sample in example.requests.items():
            head = [f"### {example.name}: {hook}", about]
            address = f"/cds-services/fasciculation-{hook}"
            file = f"< {directory}/{sample.file}"
            parts.append(_request(head, "POST", address, {"Content-Type": "application/json"}, file))
    return "\n".join(parts)


def _request(head: list[str], method: str, address: str, headers: dict[str, str], body: str | None) -> str:
    lines = [*head, f"{method} {{{{baseUrl}}}}{address}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None:
        lines += ["", body]
    return "\n".join(lines) + "\n"


def bruno_files(examples: Sequence[Example]) -> dict[str, str]:
    """File name below the collection's folder -> text."""
    made = {
        "bruno.json": json.dumps(
            {"version": "1", "name": "fasciculation-cds", "type": "collection"}, indent=2
        )
        + "\n",
        "environments/local.bru": f"vars {{\n  baseUrl: {BASE}\n}}\n",
    }
    groups: dict[str, list[SampleCall]] = {}
    for call in (*sample_calls(), *_of_example(examples)):
        groups.setdefault(call.operation, []).append(call)
    first = {call.after for calls in groups.values() for call in calls}
    for number, (folder, calls) in enumerate(groups.items(), 1):
        made[f"{folder}/folder.bru"] = f"meta {{\n  name: {folder}\n  seq: {number}\n}}\n"
        for place, call in enumerate(calls, 1):
            made[f"{folder}/{call.name}.bru"] = _bru(call, place, keeps_card=call.id in first)
    return made


def _of_example(examples: Sequence[Example]) -> Iterator[SampleCall]:
    (example,) = [one for one in examples if one.name == IN_COLLECTION]
    fhir, plain = {"Content-Type": "application/fhir+json"}, {"Content-Type": "application/json"}
    group, says = f"example-{example.name}", f"{example.title}. {example.about}".rstrip(".")
    address = f"/evaluate?asOf={example.as_of}"
    body = example.bundle.body.decode().rstrip()
    yield SampleCall(group, "", "bundle", says, "POST", address, fhir, body, 200, None)
    for hook, sample in example.requests.items():
        address, body = f"/cds-services/fasciculation-{hook}", sample.body.decode().rstrip()
        yield SampleCall(group, "", hook, says, "POST", address, plain, body, 200, None)


def _bru(call: SampleCall, place: int, *, keeps_card: bool) -> str:
    parts = [_block("meta", f"name: {call.name}", "type: http", f"seq: {place}")]
    kind = "none" if call.body is None else "json" if _is_json(call.body) else "text"
    parts.append(
        _block(call.method.lower(), f"url: {{{{baseUrl}}}}{call.address}", f"body: {kind}", "auth: none")
    )
    if call.headers:
        parts.append(_block("headers", *(f"{name}: {value}" for name, value in call.headers.items())))
    if call.body is not None:
        # The text goes on to the first brace at the beginning of a line.
        parts.append(f"body:{kind} {{\n{textwrap.indent(call.body, '  ')}\n}}\n")
    if keeps_card:
        parts.append(_block("vars:post-response", "card: res.body.cards[0].uuid"))
    parts.append(_block("assert", f"res.status: eq {call.status}"))
    parts.append(_block("docs", f"{call.says}."))
    return "\n".join(parts)


def _is_json(body: str) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def _block(name: str, *lines: str) -> str:
    return f"{name} {{\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


def write(folder: Path) -> list[Path]:
    """Write requests.http and the collection into the folder, and return the paths."""
    examples = load_examples(EXAMPLES)
    directory = Path(os.path.relpath(EXAMPLES, folder)).as_posix()
    texts = {HTTP: http_text(examples, directory)} | {
        f"{BRUNO}/{name}": text for name, text in bruno_files(examples).items()
    }
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tools.client_files", description="Write request files.")
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT_FOLDER, help=f"{DEFAULT_FOLDER}")
    written = write(parser.parse_args().folder)
    print(f"{len(written)} files in {written[0].parent}: {HTTP}, and the folder {BRUNO} for Bruno")
