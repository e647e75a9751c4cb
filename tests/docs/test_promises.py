"""The documents on safety, security and integration name only tests, settings and routes that exist."""

from __future__ import annotations

import ast
import re

import pytest
from flask import Flask

from service.config import SETTINGS
from tests.docs.conftest import PROJECT

DOCUMENTS = ("SECURITY.md", "docs/safety.md", "docs/integrating.md", "docs/operating.md")
EACH = pytest.mark.parametrize("name", DOCUMENTS)
# The table of settings shows their defaults.
NO_SETTINGS = {"OPERATION_OUTCOME", *(default for default, _ in SETTINGS.values())}


def text(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


@EACH
def test_the_tests_it_names_exist(name: str) -> None:
    missing = []
    for file, test in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text(name)):
        path = PROJECT / file
        tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else None
        names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)} if tree else set()
        if tree is None or (test and test not in names):
            missing.append(f"{file}::{test}")
    assert missing == []


@EACH
def test_the_settings_it_names_exist(name: str) -> None:
    named = set(re.findall(r"`([A-Z][A-Z_]{3,})(?:=\w+)?`", text(name)))
    assert named - set(SETTINGS) - NO_SETTINGS == set()


@EACH
def test_the_routes_it_names_exist(name: str, app: Flask) -> None:
    routes = {re.sub(r"<\w+>", "{id}", rule.rule) for rule in app.url_map.iter_rules()}
    named = re.findall(r"(?:GET|POST) (?:\{PUBLIC_BASE_URL\})?(/[\w/{}.-]*)", text(name))
    assert set(named) - routes == set()


@EACH
def test_the_pages_it_links_exist(name: str) -> None:
    folder = (PROJECT / name).parent
    for link in re.findall(r"\]\(([^)#:]+)\)", text(name)):
        assert (folder / link).resolve().is_file(), link


@pytest.mark.parametrize("name", ["SECURITY.md", "docs/safety.md"])
def test_every_threat_and_hazard_names_a_test(name: str) -> None:
    tables = [line for line in text(name).splitlines() if line.startswith("| ") and line.count("|") >= 4]
    unshown = [line for line in tables if "`tests/" not in line and not re.search(r"Shown by \|$", line)]
    assert len(tables) > 10
    assert unshown == []


def test_the_limits_of_time_are_those_of_the_proxy() -> None:
    proxy = text("deploy/haproxy.cfg")
    arrives, pauses = (
        re.search(rf"^ +(?:http-request )?{name} (?:time )?(\d+)s$", proxy, re.M)
        for name in ("wait-for-body", "timeout client")
    )
    assert arrives is not None
    assert pauses is not None
    words = " ".join(text("SECURITY.md").split())
    assert f"may pause {pauses[1]} seconds and must be there within {arrives[1]}" in words
    assert f"did not arrive in {arrives[1]} seconds, or paused for {pauses[1]}" in text("docs/integrating.md")
