"""Writes the compiled part of the terminology files from the tables of codes and drugs.

    python -m tools.knowledge.compile_terminology TABLES [--check]

The tables are needed only here: what is compiled is part of the project. Each file keeps its head; all
below the mark is replaced. --check writes nothing and fails if a file is not as it would be written.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from service.knowledge import HERE
from service.knowledge.loading import load_yaml

MARK = "# Compiled: do not edit below."
# Copyright of the American Medical Association: never shipped.
_LEFT_OUT = "http://www.ama-assn.org/go/cpt"
_WIDTH = 108


def main(args: list[str], out: TextIO = sys.stdout, directory: Path = HERE) -> int:
    """Compiles into that folder, or checks it.

    0 = done, 1 = a file is not current, a code has no home or is a look-alike's, 2 = usage.
    """
    check = "--check" in args
    paths = [arg for arg in args if not arg.startswith("--")]
    if len(paths) != 1:
        print("usage: python -m tools.knowledge.compile_terminology TABLES [--check]", file=out)
        return 2
    tables = Path(paths[0])
    stale = []
    for path, tail in sorted(_tails(tables, directory)):
        text = path.read_text(encoding="utf-8")
        head = text.split(MARK)[0]
        written = f"{head}{MARK}\n{tail}"
        if written != text:
            stale.append(path)
            if not check:
                path.write_text(written, encoding="utf-8")
    word = "not current" if check else "written"
    for path in stale:
        print(f"{path.relative_to(directory)}: {word}", file=out)
    homeless = _homeless(tables, directory)
    for concept, code in homeless:
        print(f"{concept} {code}: in no file and not in left_out.yaml", file=out)
    mistaken = _mistaken(tables, directory)
    for path, code in mistaken:
        print(f"{path.relative_to(directory)}: {code} only looks like it (exclusions_lab.csv)", file=out)
    return 1 if homeless or mistaken or (check and stale) else 0


def _mistaken(tables: Path, directory: Path) -> list[tuple[Path, str]]:
    """Codes of an analyte's file that the tables name as what its concept must not be."""
    path = tables / "exclusions_lab.csv"
    excluded = _codes(path, "do_not_map_to") if path.exists() else {}
    files = {path: load_yaml(path) for path in sorted((directory / "analytes").glob("*.yaml"))}
    return [
        (path, code)
        for path, content in files.items()
        for concept, systems in (content.get("codes") or {}).items()
        for system, codes in systems.items()
        for code in codes
        if (system, code) in excluded.get(concept, ())
    ]


def _homeless(tables: Path, directory: Path) -> list[tuple[str, str]]:
    """Codes of the tables that no file holds and that nobody left out with a reason."""
    left_out = load_yaml(directory / "left_out.yaml")["left_out"]
    held = set()
    for path in [*directory.glob("*.yaml"), *directory.glob("*/*.yaml")]:
        content = load_yaml(path)
        codes = content.get("codes") if isinstance(content, dict) else None
        for concept, systems in (codes or {}).items():
            if isinstance(systems, dict):
                held |= {(concept, system, code) for system, values in systems.items() for code in values}
    return sorted(
        (concept, code)
        for concept, codes in _codes(tables / "codes.csv").items()
        for system, code in codes
        if concept not in left_out and (concept, system, code) not in held
    )


def _tails(tables: Path, directory: Path) -> Iterator[tuple[Path, str]]:
    by_concept = _codes(tables / "codes.csv")
    excluded = _codes(tables / "exclusions.csv", "do_not_map_to")
    findings = [load_yaml(path) for path in (directory / "findings").glob("*.yaml")]
    # A code that must not be one concept may well be another.
    taken = {
        key
        for head in findings
        for codes in _selected({"excluded": head.get("excluded", [])}, {}, excluded).values()
        for key in codes
    }
    for folder in ("findings", "analytes", "procedures"):
        for path in (directory / folder).glob("*.yaml"):
            head = load_yaml(path)
            concepts = _selected(head, by_concept, excluded)
            # What stands elsewhere as a concept of its own is known by that.
            named = {key for codes in by_concept.values() for key in codes} | taken
            concepts |= {
                name: [key for key in excluded[name] if key not in named]
                for name in head.get("exclusions", [])
            }
            if head.get("exclusions"):
                every = {key for codes in excluded.values() for key in codes}
                concepts["others"] = sorted(
                    key for key in every - named if not any(key in codes for codes in concepts.values())
                )
            yield path, _by_concept(concepts)
    for path in (directory / "body_sites").glob("*.yaml"):
        head = load_yaml(path)
        concepts = {
            name + side: by_concept[name + side]
            for name in head["concepts"]
            for side in ("", "_left", "_right")
            if name + side in by_concept
        }
        yield path, _by_concept(concepts)
    for name in ("sides", "courses", "answers"):
        head = load_yaml(directory / f"{name}.yaml")
        wanted = [*head[name], *head.get("tobacco_status", [])]
        yield directory / f"{name}.yaml", _by_concept({c: by_concept[c] for c in wanted})
    yield from _drug_tails(tables, directory)


def _selected(
    head: Mapping[str, Any],
    by_concept: Mapping[str, list[tuple[str, str]]],
    excluded: Mapping[str, list[tuple[str, str]]],
) -> dict[str, list[tuple[str, str]]]:
    """The codes of a head's concepts, less and plus those it names one by one."""
    without, single = head.get("without", {}), head.get("codes_of", {})
    concepts = {
        name: [key for key in by_concept[name] if key[1] not in without.get(name, [])]
        for name in head.get("concepts", [])
    }
    for name, wanted in single.items():
        concepts[name] = [key for key in by_concept[name] if key[1] in wanted]
    for name, codes in excluded.items():
        found = [key for key in codes if key[1] in head.get("excluded", [])]
        if found:
            concepts[f"not_{name}"] = found
    return concepts


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _codes(path: Path, column: str = "concept") -> dict[str, list[tuple[str, str]]]:
    codes: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in _rows(path):
        if row["code"] and row["system_uri"] != _LEFT_OUT:
            codes[row[column]].append((row["system_uri"], row["code"]))
    return codes


def _by_concept(concepts: Mapping[str, Iterable[tuple[str, str]]]) -> str:
    lines = ["codes:"]
    for concept in sorted(concepts):
        by_system: dict[str, list[str]] = defaultdict(list)
        for system, code in concepts[concept]:
            by_system[system].append(code)
        if by_system:
            lines.append(f"  {concept}:")
            for system in sorted(by_system):
                lines += _list(f"    {json.dumps(system)}: ", sorted(set(by_system[system])))
    return "\n".join(lines if len(lines) > 1 else ["codes: {}"]) + "\n"


def _list(start: str, values: Iterable[str]) -> list[str]:
    """A quoted list over as many lines as it needs."""
    indent = " " * (len(start) - len(start.lstrip()) + 2)
    lines, line = [], start + "["
    for value in values:
        quoted = json.dumps(value, ensure_ascii=False) + ", "
        if len(line) + len(quoted) > _WIDTH:
            lines.append(line.rstrip())
            line = indent
        line += quoted
    return [*lines, line.removesuffix(", ") + "]"]


def _drug_tails(tables: Path, directory: Path) -> Iterator[tuple[Path, str]]:
    routes = {row["rxcui"]: row["route_group"] for row in _rows(tables / "rxnorm_attributes.csv")}
    ndcs: dict[str, list[str]] = defaultdict(list)
    with gzip.open(tables / "ndc_members.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            ndcs[row["rxcui"]].append(row["ndc11"])
    # class -> (ingredient, route, route decides) -> kind of code -> codes
    members: dict[str, dict[tuple[str, str, bool], dict[str, set[str]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(set))
    )

    def add(row: Mapping[str, str], kind: str, code: str, route: str, decides: bool) -> None:
        if code:
            members[row["class"]][row["ingredient"], route, decides][kind].add(code)

    families: dict[str, set[str]] = defaultdict(set)
    for row in _rows(tables / "atc_prefixes.csv"):
        families[row["class"]].add(row["atc_code_or_prefix"])
    ambiguous = {
        (row["class"], row["ingredient"], row["rxcui"]) for row in _rows(tables / "rxnorm_ambiguous.csv")
    }
    for row in [*_rows(tables / "rxnorm_members.csv"), *_rows(tables / "rxnorm_ambiguous.csv")]:
        decides = (row["class"], row["ingredient"], row["rxcui"]) in ambiguous
        route = "" if decides else routes.get(row["rxcui"], "")
        add(row, "rxnorm", row["rxcui"], route, decides)
        for ndc in ndcs.get(row["rxcui"], ()):
            add(row, "ndc", ndc, route, decides)
    for row in _rows(tables / "dmd_snomed_members.csv"):
        decides = row["route"] == "route decides"
        add(row, "snomed", row["snomed_code"], "" if decides else row["route"], decides)
    for row in _rows(tables / "drug_classes.csv"):
        decides = row["in_code_decides_class"].startswith("no")
        add(row, "rxnorm", row["rxnorm_in"], "", decides)
        add(row, "snomed", row["snomed_substance"], "", decides)
        add(row, "snomed", row["dmd_vtm"], "", decides)
        for code in row["atc_codes"].split(";"):
            # An ingredient has codes in classes other than this one: only what its family covers is of it.
            if any(code.strip().startswith(family) for family in families[row["class"]]):
                add(row, "atc", code.strip(), "", False)
    for row in _rows(tables / "text_terms.csv"):
        add(row, "terms", row["term"].lower(), "", row["decides"] != "direct")
    for path in (directory / "medication_classes").glob("*.yaml"):
        head = load_yaml(path)
        name = head["id"].replace("-", "_")
        for kinds in members[name].values():
            kinds["terms"] -= set(head.get("not_terms", []))
        kept = {key: kinds for key, kinds in members[name].items() if any(kinds.values())}
        yield path, _members(kept, families[name])


def _members(members: Mapping[tuple[str, str, bool], Mapping[str, set[str]]], families: set[str]) -> str:
    lines = [*_list("atc_families: ", sorted(families)), "members:"]
    for ingredient, route, decides in sorted(members):
        lines.append(f"  - ingredient: {json.dumps(ingredient)}")
        if route:
            lines.append(f"    route: {route}")
        if decides:
            lines.append("    route_decides: true")
        for kind, codes in sorted(members[ingredient, route, decides].items()):
            if not codes:
                continue
            lines += _list(f"    {kind}: ", sorted(codes))
    return "\n".join(lines if len(lines) > 2 else [lines[0], "members: []"]) + "\n"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
