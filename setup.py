"""What pyproject.toml cannot say: the folders of examples/ are data files, each with an entry of its own.

service/package_files.py finds them in an installed environment.
"""

from pathlib import Path

from setuptools import setup

SHARE = "share/fasciculation-cds"
PATTERNS = ("openapi.yaml", "sbom.cdx.json", "artifacts/*.json", "examples/*.*", "examples/*/*.*")

data_files: dict[str, list[str]] = {}
for pattern in PATTERNS:
    for path in sorted(Path().glob(pattern)):
        data_files.setdefault((Path(SHARE) / path.parent).as_posix(), []).append(path.as_posix())

setup(data_files=list(data_files.items()))
