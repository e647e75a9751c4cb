"""Where the packages of the project are, and the files beside them: openapi.yaml, artifacts/, examples/."""

from __future__ import annotations

import sysconfig
from importlib.util import find_spec
from pathlib import Path

_BESIDE = Path(__file__).parents[1]
# Where pyproject.toml puts them in an installed environment, below its data folder.
_INSTALLED = Path("share") / "fasciculation-cds"
_PACKAGES = ("service", "schemas", "fhir_mappings")
# Each __init__.py of ours contains it.
_NAME = "fasciculation-cds"


def shipped(name: str) -> Path:
    """Return a path beside the packages (a checkout, the image), else where pip puts it.

    It need not exist.
    """
    beside = _BESIDE / name
    return beside if beside.exists() else Path(sysconfig.get_path("data")) / _INSTALLED / name


def shadowed_packages() -> str:
    """Check that no other distribution shadows or overwrites our packages; PyPI has a `schemas`.

    Returns:
        What is wrong and what to do; empty if all packages are ours.
    """
    for name in _PACKAGES:
        spec = find_spec(name)
        file = Path(spec.origin) if spec and spec.origin else None
        # Another distribution in the same folder replaces __init__.py and leaves our modules beside it.
        if (
            file is None
            or file.parents[1] != _BESIDE
            or _NAME not in file.read_text(encoding="utf-8", errors="replace")
        ):
            return (
                f"The package {name} of {_NAME} is shadowed by another one"
                f"{f' ({file})' if file else ''}: install {_NAME} in an environment of its own,"
                " with pipx or uv tool (docs/command-line.md)."
            )
    return ""
