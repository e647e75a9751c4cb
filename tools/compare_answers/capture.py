"""A pytest plugin that keeps every Bundle and hook call that the tests decode: one body of hex a line."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from fhir_mappings.request import bundles, hook_call

CAPTURED_FILE = "CAPTURED_FILE"
DECODERS = ((bundles, "decode_bundle"), (hook_call, "decode_call"))
_captured: dict[bytes, None] = {}


def _capturing(decode: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(decode)
    def decoder(body: bytes, *arguments: Any, **options: Any) -> Any:
        _captured[bytes(body)] = None
        return decode(body, *arguments, **options)

    return decoder


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    # Before the modules that import the decoders by name.
    for module, name in DECODERS:
        setattr(module, name, _capturing(getattr(module, name)))


def pytest_sessionfinish() -> None:
    lines = "".join(body.hex() + "\n" for body in _captured)
    Path(os.environ[CAPTURED_FILE]).write_text(lines, encoding="ascii")
