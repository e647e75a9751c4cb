"""requests.http and the Bruno collection, read as text and sent: each request is answered as it says."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from service.app import create_app
from service.config import Config
from service.examples import load_examples
from service.feedback.upgrade import upgrade
from service.knowledge import Knowledge
from tests.contract.calls import sample_calls
from tools.client_files import BASE, write

# name.response.body.$.path of the REST Client, and Bruno's variable.
_OF_ANSWER = re.compile(r"\{\{(\w+)\.response\.body\.\$\.cards\[0\]\.uuid\}\}")
_VARIABLE = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class Request:
    """keeps: the name under which the first card of its answer is known to those after it."""

    title: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: str | None
    status: int
    keeps: str | None = None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the command writes."""
    made = tmp_path_factory.mktemp("client-files")
    write(made)
    return made


def http_requests(folder: Path) -> Iterator[Request]:
    """The requests of requests.http, as the REST Client reads them."""
    head, *parts = re.split(r"^### ", (folder / "requests.http").read_text(encoding="utf-8"), flags=re.M)
    (base,) = re.findall(r"^@baseUrl = (\S+)$", head, re.M)
    for part in parts:
        title, *lines = part.rstrip("\n").split("\n")
        comments = [line for line in lines if line.startswith("# ")]
        rest = "\n".join(line for line in lines if not line.startswith("# "))
        start, _, body = rest.partition("\n\n")
        first, *fields = start.split("\n")
        method, _, url = first.partition(" ")
        (status,) = re.findall(r" Answer: (\d+)$", "\n".join(comments), re.M)
        names = re.findall(r"^# @name (\w+)$", "\n".join(comments), re.M)
        if body.startswith("< "):
            body = (folder / body.removeprefix("< ")).read_text(encoding="utf-8")
        yield Request(
            title,
            method,
            url.replace("{{baseUrl}}", base),
            dict(line.split(": ", 1) for line in fields),
            body or None,
            int(status),
            next(iter(names), None),
        )


def blocks_of(path: Path) -> dict[str, str]:
    """The blocks of a .bru file: name -> text without its indentation."""
    text = path.read_text(encoding="utf-8")
    return {
        name: textwrap.dedent(body)
        for name, body in re.findall(r"^([\w:-]+) \{\n(.*?)^\}$", text, re.M | re.S)
    }


def members(block: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in block.splitlines())


def bruno_requests(folder: Path) -> Iterator[Request]:
    """The requests of the collection, in the order in which Bruno runs them."""
    base = members(blocks_of(folder / "bruno" / "environments" / "local.bru")["vars"])["baseUrl"]

    def place(path: Path) -> int:
        return int(members(blocks_of(path)["meta"])["seq"])

    for group in sorted(folder.glob("bruno/*/folder.bru"), key=place):
        for path in sorted(set(group.parent.glob("*.bru")) - {group}, key=place):
            found = blocks_of(path)
            (method,) = {"get", "post"} & set(found)
            sent = members(found[method])
            body = None if sent["body"] == "none" else found[f"body:{sent['body']}"].rstrip("\n")
            kept = members(found.get("vars:post-response", ""))
            assert set(kept.values()) <= {"res.body.cards[0].uuid"}
            (status,) = re.findall(r"^res\.status: eq (\d+)$", found["assert"], re.M)
            yield Request(
                f"{group.parent.name}/{path.stem}",
                method.upper(),
                sent["url"].replace("{{baseUrl}}", base),
                members(found.get("headers", "")),
                body,
                int(status),
                next(iter(kept), None),
            )


@pytest.fixture(scope="module")
def keeping(knowledge: Knowledge, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    store = f"sqlite:///{tmp_path_factory.mktemp('feedback') / 'feedback.sqlite3'}"
    upgrade(store)
    return create_app(
        Config(card_secrets=("for-these-tests-alone-and-long-enough",), feedback_db=store), knowledge
    )


def send(app: Flask, request: Request, known: dict[str, str]) -> TestResponse:
    body = request.body
    if body is not None:
        body = _OF_ANSWER.sub(lambda found: known[found[1]], body)
        body = _VARIABLE.sub(lambda found: known[found[1]], body)
    response = app.test_client().open(
        request.url, method=request.method, headers=dict(request.headers), data=body
    )
    if request.keeps:
        known[request.keeps] = response.get_json()["cards"][0]["uuid"]
    return response


@pytest.mark.parametrize("requests", [http_requests, bruno_requests])
def test_each_is_answered_as_it_says(
    keeping: Flask, folder: Path, requests: Callable[[Path], Iterator[Request]]
) -> None:
    known: dict[str, str] = {}
    wrong = [
        (request.title, request.status, response.status_code)
        for request in requests(folder)
        for response in [send(keeping, request, known)]
        if response.status_code != request.status
    ]
    assert wrong == []
    assert len(known) == 1


def test_both_hold_every_call_and_the_examples(folder: Path) -> None:
    calls = {(call.method, call.address, call.status) for call in sample_calls()}
    examples = load_examples()
    http = list(http_requests(folder))
    assert calls <= {(one.method, one.url.removeprefix(BASE), one.status) for one in http}
    assert len(http) == len(list(sample_calls())) + sum(1 + len(one.requests) for one in examples)
    bruno = list(bruno_requests(folder))
    assert calls <= {(one.method, one.url.removeprefix(BASE), one.status) for one in bruno}
    assert len(bruno) == len(list(sample_calls())) + 1 + len(examples[0].requests)


def test_no_address_is_written_but_the_one_that_is_changed(folder: Path) -> None:
    assert (folder / "requests.http").read_text(encoding="utf-8").count(BASE) == 1
    holding = [path for path in folder.rglob("*.bru") if "127.0.0.1" in path.read_text(encoding="utf-8")]
    assert holding == [folder / "bruno" / "environments" / "local.bru"]
