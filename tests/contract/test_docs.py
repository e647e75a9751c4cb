"""GET /docs: openapi.yaml in Swagger UI, with nothing from elsewhere and nothing inline."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient

from service.endpoints.docs import FILES, SWAGGER_UI
from tools.openapi.document import document

OPERATIONS = [one for methods in document()["paths"].values() for one in methods.values()]


class Page(HTMLParser):
    """Links, addresses of loaded files, and what is written inline: scripts, styles, handlers."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.links += [found["href"]] if tag == "a" else []
        self.loaded += [found[name] for name in ("src", "href") if name in found and tag != "a"]
        self.inline += [name for name in found if name == "style" or name.startswith("on")]
        self.inline += [tag] if tag == "style" or (tag == "script" and "src" not in found) else []


def test_nothing_comes_from_elsewhere_or_is_written_inline(client: FlaskClient) -> None:
    response = client.get("/docs")
    assert (response.status_code, response.mimetype) == (200, "text/html")
    page = Page(response.get_data(as_text=True))
    assert page.inline == []
    assert all(address.startswith("/") for address in page.links + page.loaded)
    assert {address.removeprefix("/docs/") for address in page.loaded} >= FILES
    for address in page.loaded:
        assert client.get(address).status_code == 200, address


def test_its_policy_allows_this_service_alone(client: FlaskClient) -> None:
    response = client.get("/docs")
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert set(re.findall(r"(?:script|style|connect)-src ([^;]+)", policy)) == {"'self'"}
    # Swagger UI's own style sheet holds its icons.
    assert re.findall(r"img-src ([^;]+)", policy) == ["'self' data:"]
    again = client.get("/docs", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    ("name", "kind"), [("swagger-ui-bundle.js", "text/javascript"), ("swagger-ui.css", "text/css")]
)
def test_the_files_are_those_of_the_package(client: FlaskClient, name: str, kind: str) -> None:
    response = client.get(f"/docs/{name}")
    assert (response.status_code, response.mimetype) == (200, kind)
    assert response.data == (SWAGGER_UI / name).read_bytes()
    unchanged = client.get(f"/docs/{name}", headers={"If-None-Match": response.headers["ETag"]})
    assert (unchanged.status_code, unchanged.data) == (304, b"")


@pytest.mark.parametrize("name", ["index.html", "oauth2-redirect.html", "..%2f__init__.py", "none.css"])
def test_no_other_file_of_the_package_is_served(client: FlaskClient, name: str) -> None:
    response = client.get(f"/docs/{name}")
    assert response.status_code == 404
    assert response.get_json()["resourceType"] == "OperationOutcome"


def test_every_operation_has_a_tag_that_is_described() -> None:
    described = {tag["name"] for tag in document()["tags"]}
    assert {tag for one in OPERATIONS for tag in one.get("tags", ["none"])} == described
