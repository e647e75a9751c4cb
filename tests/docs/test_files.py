"""Rules that every file keeps."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from flask.testing import FlaskClient

ROOT = Path(__file__).parents[2]
_SKIPPED = (
    ".venv",
    ".api",
    ".cql",
    ".bench",
    ".ehr",
    ".browser",
    ".spark",
    ".git",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
)


def files(*suffixes: str) -> list[Path]:
    return [
        path
        for path in sorted(ROOT.rglob("*"))
        if path.suffix in suffixes and not any(part in _SKIPPED for part in path.relative_to(ROOT).parts)
    ]


@pytest.mark.parametrize("path", files(".py"), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_is_long(path: Path) -> None:
    assert path.stat().st_size < 16_000


def test_no_path_of_a_machine() -> None:
    # Written so that this file does not hold one itself.
    machine = re.compile("(?<![a-zA-Z0-9.$}/])/(?:" + "|".join(("home", "root", "work", "tmp")) + ")/")
    found = [
        str(path.relative_to(ROOT))
        for path in [*files(".py", ".md", ".yaml", ".yml", ".toml"), ROOT / "Makefile"]
        if machine.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_no_module_without_a_name_of_its_own() -> None:
    names = {path.stem for path in files(".py")}
    assert not names & {"utils", "helpers", "common", "manager", "misc"}


def test_no_clinical_code_in_python() -> None:
    """SNOMED, LOINC, ICD and HPO codes live in YAML; the tests of codes name the tables they come from."""
    code = re.compile(r'"(\d{6,18}|\d{3,5}-\d|HP:\d{7}|[A-TV-W]\d{2}\.\d{1,4})"')
    found = {
        str(path.relative_to(ROOT)): code.findall(path.read_text(encoding="utf-8"))
        for folder in ("service", "schemas", "fhir_mappings", "tools")
        for path in (ROOT / folder).rglob("*.py")
    }
    assert {name: codes for name, codes in found.items() if codes} == {}


def test_no_cpt_code_is_shipped() -> None:
    for path in files(".yaml"):
        assert "ama-assn.org" not in path.read_text(encoding="utf-8"), path


def test_generated_files_are_current() -> None:
    from tools.openapi.document import FILE, written

    assert FILE.read_text(encoding="utf-8") == written(), "make openapi writes it anew"


def test_the_table_of_settings_is_current() -> None:
    from tools.settings_table import FILE, written

    text = FILE.read_text(encoding="utf-8")
    assert text.count("| `PORT` |") == 1
    assert text == written(text), "python -m tools.settings_table writes it anew"


def test_the_readme_of_the_knowledge_is_current() -> None:
    from service.knowledge import load_knowledge
    from tools.knowledge.readme import FILE, HEAD, written

    text = FILE.read_text(encoding="utf-8")
    assert text == written(load_knowledge()), "make knowledge writes it anew"
    assert text.startswith(HEAD + "\n")


def test_the_fhir_artifacts_are_current() -> None:
    from tools.artifacts.__main__ import FOLDER, written

    made = written()
    stale = [
        name
        for name, text in made.items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text(encoding="utf-8") != text
    ]
    assert (stale, {path.name for path in FOLDER.iterdir()} - set(made)) == ([], set()), (
        "make knowledge writes them anew"
    )


@pytest.mark.parametrize(
    ("page", "made_by"),
    [
        ("docs/mutation.md", "python -m tests.mutation --write"),
        ("docs/verification.md", "python -m tools.proof --whole"),
    ],
)
def test_the_figures_are_of_the_table_as_it_is(page: str, made_by: str) -> None:
    from service.knowledge import HERE
    from service.knowledge.decision_table import FILE
    from service.knowledge.loading import load_yaml
    from tests.mutation.report import version_of

    version = version_of(load_yaml(HERE / FILE))
    named = re.findall(r"[Tt]able `([0-9a-f]{12})`", (ROOT / page).read_text(encoding="utf-8"))
    assert named == [version], f"the decision table has changed: {made_by}, and write what it prints"


def test_the_examples_are_current(client: FlaskClient) -> None:
    from tests.vignettes.examples import DIRECTORY, files, written

    made = written(client)
    stale = [
        name
        for name, text in made.items()
        if not (DIRECTORY / name).exists() or (DIRECTORY / name).read_text(encoding="utf-8") != text
    ]
    assert (stale, files() - set(made)) == ([], set()), "make examples writes them anew"


def test_ci_runs_the_checks_and_the_tests() -> None:
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "make check" in text
    assert re.search(r"^make test \|\| make test ARGS=\"--last-failed ", text, re.M)
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_the_makefile_is_understood() -> None:
    done = subprocess.run(["make", "-n", "check", "test"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
