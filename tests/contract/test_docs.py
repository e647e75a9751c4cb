"""GET /docs: the whole of openapi.yaml on a page that takes nothing from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient

from schemas.openapi import document
from service.api_description import api_description
from tests.contract.calls import sample_calls

OPERATIONS = [one for methods in document()["paths"].values() for one in methods.values()]


class Page(HTMLParser):
    """What stands on it: ids, links, options and values of each form, script and style elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self.options: dict[str, list[str]] = {}
        self.values: dict[str, str] = {}
        self._form = self._field = self._option = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if tag == "a" else []
        self.loaded += [found[name] for name in ("src", "href") if name in found and tag != "a"]
        self.inline += [name for name in found if name == "style" or name.startswith("on")]
        self.inline += [tag] if tag == "style" or (tag == "script" and "src" not in found) else []
        if tag == "form":
            self._form = found["data-operation"]
        elif tag == "option":
            self.options.setdefault(self._form, []).append("")
            self._option = self._form
        elif tag == "input":
            self.values[found["id"]] = found["value"]
        elif tag == "textarea":
            self._field = found["id"]
            self.values[self._field] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "option":
            self._option = ""
        elif tag == "textarea":
            # A browser drops the first line break of it.
            self.values[self._field] = self.values[self._field].removeprefix("\n")
            self._field = ""

    def handle_data(self, data: str) -> None:
        if self._option:
            self.options[self._option][-1] += data.strip()
        elif self._field:
            self.values[self._field] += data


@pytest.fixture(scope="module")
def page() -> Page:
    from service.app import create_app
    from service.config import Config
    from service.knowledge import load_knowledge

    response = create_app(Config(), load_knowledge()).test_client().get("/docs")
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    return Page(response.get_data(as_text=True))


def test_every_operation_has_its_place_and_every_call_can_be_chosen(page: Page) -> None:
    for operation in OPERATIONS:
        assert operation["operationId"] in page.ids
        calls = [f"{call['status']}: {call['summary']}" for call in operation["x-calls"]]
        assert page.options[operation["operationId"]] == calls
    assert set(page.options) == {operation["operationId"] for operation in OPERATIONS}


def test_the_first_call_stands_in_each_form(page: Page) -> None:
    first = {}
    for call in sample_calls():
        first.setdefault(call.operation, call)
    for name, call in first.items():
        assert page.values[f"{name}-address"] == call.address
        headers = "\n".join(f"{key}: {value}" for key, value in call.headers.items())
        assert page.values[f"{name}-headers"] == headers
        assert page.values.get(f"{name}-body") == call.body


def test_every_shape_and_every_link_on_the_page_has_its_place(page: Page) -> None:
    assert {f"shape-{name}" for name in document()["components"]["schemas"]} <= set(page.ids)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_nothing_comes_from_elsewhere_or_is_written_inline(page: Page) -> None:
    assert page.inline == []
    assert all(re.match(r"/static/[a-z]+\.(css|js|svg)$", one) for one in page.loaded), page.loaded
    assert all(link.startswith(("#", "/")) for link in page.links)


def test_its_policy_allows_this_service_alone(client: FlaskClient) -> None:
    response = client.get("/docs")
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert set(re.findall(r"(?:script|style|connect|img)-src ([^;]+)", policy)) == {"'self'"}
    again = client.get("/docs", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_members_are_told_with_their_path_kind_and_limits() -> None:
    told = api_description(
        {
            "info": {"title": "t"},
            "paths": {"/x": {"get": {"operationId": "x", "responses": {"200": {"description": "d"}}}}},
            "components": {
                "schemas": {
                    "A": {
                        "type": "object",
                        "required": ["b"],
                        "properties": {
                            "b": {
                                "type": "array",
                                "maxItems": 3,
                                "items": {"$ref": "#/components/schemas/C"},
                            },
                            "d": {"type": ["object", "null"], "properties": {"e": {"const": "f"}}},
                            "g": {"type": "object", "additionalProperties": {"enum": ["h", None]}},
                            "i": {"anyOf": [{"type": "string"}, {"type": "null"}], "pattern": "^j$"},
                        },
                    }
                }
            },
        }
    )
    assert [group.name for group in told.groups] == ["Others"]
    found = [(one.path, one.kind, one.required, one.notes, one.shape) for one in told.shapes["A"]]
    assert found == [
        ("b", "array", True, ("at most 3",), ""),
        ("b[]", "C", False, (), "C"),
        ("d", "object or null", False, (), ""),
        ("d.e", "", False, ("always f",), ""),
        ("g", "object", False, (), ""),
        ("g.*", "", False, ("one of h, null",), ""),
        ("i", "string or null", False, ("matches ^j$",), ""),
    ]


def test_every_operation_has_a_tag_that_is_described() -> None:
    described = {tag["name"] for tag in document()["tags"]}
    assert {tag for one in OPERATIONS for tag in one.get("tags", ["none"])} == described
