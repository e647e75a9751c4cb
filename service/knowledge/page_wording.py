"""pages.yaml: the texts of the pages, checked against the table, the terminology and the claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fhir_mappings.terminology import Analyte, Terminology
from schemas.knowledge_pages import PagesSchema, names_in
from service.decision.facts import FEATURES
from service.decision.table import ResultFact, Table
from service.knowledge.claims import Claims
from service.knowledge.loading import KnowledgeError, Problem, load_file

FILE = "pages.yaml"
# /knowledge/claims is no row.
_RESERVED = frozenset({"claims"})


@dataclass(frozen=True, slots=True)
class FeatureWords:
    """A computed feature in words, and its inputs."""

    holds: str
    fails: str
    how: str
    findings: tuple[str, ...] = ()
    analytes: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    courses: tuple[str, ...] = ()
    patient: bool = False
    potassium_raising: bool = False
    other_rows: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A side of the two-column table, and the claims that it is read from."""

    says: str
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """A feature as the documents describe it, benign and in disease. rows: the rows that use it."""

    id: str
    label: str
    benign: Cell
    disease: Cell
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageWording:
    """Every text of the pages, with its numbers filled in.

    thresholds: one sentence each. reading: (id, title, text). phrases, asked and given keep their {names}.
    """

    two_columns: tuple[Columns, ...] = ()
    reading: tuple[tuple[str, str, str], ...] = ()
    levels: Mapping[str, str] = field(default_factory=dict)
    readings: Mapping[str, str] = field(default_factory=dict)
    thresholds: Mapping[str, str] = field(default_factory=dict)
    phrases: Mapping[str, str] = field(default_factory=dict)
    features: Mapping[str, FeatureWords] = field(default_factory=dict)
    asked: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    bands: Mapping[str, str] = field(default_factory=dict)
    systems: Mapping[str, str] = field(default_factory=dict)


# For knowledge that is loaded without its pages.
NO_PAGES = PageWording()


def load_page_wording(directory: Path, table: Table, terminology: Terminology, claims: Claims) -> PageWording:
    """Load pages.yaml. Raises KnowledgeError with every problem."""
    raw = load_file(directory, FILE, PagesSchema())
    thresholds = asdict(table.thresholds)
    filled = {**thresholds, **_names(table, terminology, raw["phrases"])}
    problems = [
        *_differences(raw["thresholds"], set(thresholds), "thresholds"),
        *_differences(raw["features"], set(FEATURES), "features"),
        *_unfilled(raw, filled),
        *_references(raw, table, terminology, claims),
        *(
            Problem(FILE, f"rows.{row.id}", "is the address of another page of /knowledge")
            for row in table.rows
            if row.id in _RESERVED
        ),
    ]
    if problems:
        raise KnowledgeError(problems)
    return PageWording(
        two_columns=tuple(_columns(columns) for columns in raw["two_columns"]),
        reading=tuple(
            (reading["id"], reading["title"], reading["says"].format(**filled)) for reading in raw["reading"]
        ),
        levels=raw["levels"],
        readings=raw["readings"],
        thresholds={name: text.format(value=thresholds[name]) for name, text in raw["thresholds"].items()},
        phrases=raw["phrases"],
        features={name: _feature(feature, table, filled) for name, feature in raw["features"].items()}
        | {
            name: _result(alternatives, raw, table, terminology)
            for name, alternatives in table.result_facts.items()
        },
        asked=raw["asked"],
        given=raw["given"],
        bands=raw["bands"],
        systems=raw["systems"],
    )


def joined(names: Iterable[str], last: str = "or") -> str:
    """ "a", "a or b", "a, b or c"; "a or b, or c" where a name has an "or" of its own."""
    parts = list(dict.fromkeys(names))
    if len(parts) < 2:
        return "".join(parts)
    comma = "," if any(word in part for part in parts for word in (" or ", " and ")) else ""
    return f"{', '.join(parts[:-1])}{comma} {last} {parts[-1]}"


def limits_of(analyte: Analyte, phrases: Mapping[str, str]) -> str:
    """The critical limits of an analyte: "2.5 mmol/L or less, 6.5 mmol/L or more"; "" without limits."""
    sides = [
        phrases[name].format(value=f"{value} {analyte.unit or ''}".strip())
        for name, value in (("limit_low", analyte.critical_low), ("limit_high", analyte.critical_high))
        if value is not None
    ]
    return ", ".join(sides)


def _names(table: Table, terminology: Terminology, phrases: Mapping[str, str]) -> dict[str, str]:
    analytes = [terminology.analytes[name] for name in table.electrolytes]
    return {
        "electrolytes": joined(analyte.label for analyte in analytes),
        "critical_limits": "; ".join(
            f"{analyte.label} {limits}" for analyte in analytes if (limits := limits_of(analyte, phrases))
        ),
        "closes_gate": joined(terminology.findings[name].label for name in table.closes_gate),
    }


def _columns(raw: Mapping[str, Any]) -> Columns:
    benign, disease = (Cell(raw[side]["says"], tuple(raw[side]["claims"])) for side in ("benign", "disease"))
    return Columns(raw["id"], raw["label"], benign, disease, tuple(raw["rows"]))


def _feature(raw: Mapping[str, Any], table: Table, filled: Mapping[str, object]) -> FeatureWords:
    disorders = tuple(disorder.finding for disorder in table.disorders) if raw["disorders"] else ()
    return FeatureWords(
        holds=raw["holds"].format(**filled),
        fails=raw["fails"].format(**filled),
        how=raw["how"].format(**filled),
        findings=(*raw["findings"], *disorders),
        analytes=tuple(raw["analytes"]),
        sites=tuple(raw["sites"]),
        regions=tuple(raw["regions"]),
        courses=tuple(raw["courses"]),
        patient=raw["patient"],
        potassium_raising=raw["potassium_raising"],
        other_rows=raw["other_rows"],
    )


def _result(
    alternatives: Iterable[ResultFact], raw: Mapping[str, Any], table: Table, terminology: Terminology
) -> FeatureWords:
    """A result fact in words, and the analytes that feed it."""
    phrases, bands = raw["phrases"], raw["bands"]
    texts: list[str] = []
    analytes: list[str] = []
    for fact in alternatives:
        known = [terminology.analytes[name] for name in sorted(fact.analytes)]
        state = bands[fact.state] if fact.state else phrases["result_below"].format(value=fact.below)
        place = "result_between" if fact.from_days else "result"
        texts.append(
            phrases[place].format(
                names=joined(analyte.label for analyte in known),
                state=state,
                from_days=fact.from_days,
                days=fact.at_most_days,
            )
        )
        analytes += [name for name, counts in table.counts_as.items() if counts in fact.analytes]
    holds = joined(texts)
    return FeatureWords(
        holds=holds,
        fails=phrases["absent"].format(names=holds),
        how=phrases["result_how"],
        analytes=tuple(dict.fromkeys(analytes)),
    )


def _differences(texts: Mapping[str, object], names: set[str], place: str) -> Iterator[Problem]:
    for name in sorted(names ^ set(texts)):
        reason = "no text" if name in names else "text for something that there is not"
        yield Problem(FILE, f"{place}.{name}", reason)


def _unfilled(raw: Mapping[str, Any], filled: Mapping[str, object]) -> Iterator[Problem]:
    texts = {f"thresholds.{name}": (text, {"value"}) for name, text in raw["thresholds"].items()}
    texts |= {f"reading.{reading['id']}": (reading["says"], set(filled)) for reading in raw["reading"]}
    for name, feature in raw["features"].items():
        for part in ("holds", "fails", "how"):
            texts[f"features.{name}.{part}"] = (feature[part], set(filled))
    for place, (text, names) in texts.items():
        try:
            unknown = names_in(text) - names
        except ValueError:
            yield Problem(FILE, place, "a brace is left open")
            continue
        if unknown:
            yield Problem(FILE, place, f"nothing fills {{{min(unknown)}}}")


def _references(
    raw: Mapping[str, Any], table: Table, terminology: Terminology, claims: Claims
) -> Iterator[Problem]:
    """Check the references to findings, analytes, sites, courses, rows and claims."""
    known = {
        "findings": set(terminology.findings),
        "analytes": set(terminology.analytes),
        "sites": {site.id for site in terminology.sites.values()},
        "courses": set(terminology.courses.values()),
    }
    for name, feature in raw["features"].items():
        for member, ids in known.items():
            for unknown in sorted(set(feature[member]) - ids):
                yield Problem(FILE, f"features.{name}.{member}", f"{unknown!r} is none")
    rows = {row.id for row in table.rows}
    for columns in raw["two_columns"]:
        place = f"two_columns.{columns['id']}"
        for unknown in sorted(set(columns["rows"]) - rows):
            yield Problem(FILE, place, f"no row {unknown!r}")
        for claim in (*columns["benign"]["claims"], *columns["disease"]["claims"]):
            if claims.get(claim) is None:
                yield Problem(FILE, place, f"no claim or anchor {claim} in sources/")
