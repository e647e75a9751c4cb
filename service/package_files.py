"""Files of the project that stand beside its packages: openapi.yaml, artifacts/ and examples/."""

from __future__ import annotations

import sysconfig
from pathlib import Path

_BESIDE = Path(__file__).parents[1]
# Where pyproject.toml puts them in an installed environment, below its data folder.
_INSTALLED = Path("share") / "fasciculation-cds"


def shipped(name: str) -> Path:
    """Return a path beside the packages (a checkout, the image), else where pip puts it.

    It need not exist.
    """
    beside = _BESIDE / name
    return beside if beside.exists() else Path(sysconfig.get_path("data")) / _INSTALLED / name
