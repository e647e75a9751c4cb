"""pages.yaml: what the pages for people say, checked against the table, the terminology and the claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from marshmallow import ValidationError

from fhir_mappings.terminology import Analyte, Terminology
from schemas.knowledge_pages import PagesSchema, names_in
from service.decision.facts import FEATURES
from service.decision.table import Table, Thresholds
from service.knowledge.claims import Claims
from service.knowledge.problems import KnowledgeError, Problem
from service.knowledge.yaml_files import load_yaml

FILE = "pages.yaml"
# Addresses beside the rows: /knowledge/claims is no row.
RESERVED = frozenset({"claims"})


@dataclass(frozen=True, slots=True)
class FeatureWords:
    """How one computed feature is said, and what feeds it."""

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
    """One side of the two-column table; claims: what it is read from."""

    says: str
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """One feature as the documents set it: benign against disease; rows: what the table made of it."""

    id: str
    label: str
    benign: Cell
    disease: Cell
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageWording:
    """Every text of the pages, its numbers filled in.

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


# Of knowledge that answers without saying how it is shown.
NO_PAGES = PageWording()


def load_page_wording(directory: Path, table: Table, terminology: Terminology, claims: Claims) -> PageWording:
    """The texts of that folder. Raises KnowledgeError with every problem found."""
    content = load_yaml(directory / FILE)
    try:
        raw = cast(dict[str, Any], PagesSchema().load(cast(Any, content)))
    except ValidationError as error:
        raise KnowledgeError(list(_structural(error.normalized_messages()))) from None
    filled = {**asdict(table.thresholds), **_names(table, terminology, raw["phrases"])}
    problems = [
        *_compared(raw["thresholds"], {one.name for one in fields(Thresholds)}, "thresholds"),
        *_compared(raw["features"], set(FEATURES), "features"),
        *_unfilled(raw, filled),
        *_loose(raw, table, terminology, claims),
        *(
            Problem(FILE, f"rows.{row.id}", "is the address of another page of /knowledge")
            for row in table.rows
            if row.id in RESERVED
        ),
    ]
    if problems:
        raise KnowledgeError(problems)
    thresholds = asdict(table.thresholds)
    return PageWording(
        two_columns=tuple(_columns(one) for one in raw["two_columns"]),
        reading=tuple((one["id"], one["title"], one["says"].format(**filled)) for one in raw["reading"]),
        levels=raw["levels"],
        readings=raw["readings"],
        thresholds={name: text.format(value=thresholds[name]) for name, text in raw["thresholds"].items()},
        phrases=raw["phrases"],
        features={name: _feature(one, table, filled) for name, one in raw["features"].items()}
        | {
            f"{analyte}-abnormal": _electrolyte(analyte, raw["phrases"], table, terminology)
            for analyte in table.electrolytes
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
    """At which values a result is dangerous: "2.5 mmol/L or less, 6.5 mmol/L or more"; "" without limits."""
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
        analytes=(*raw["analytes"], *(_counting(table) if raw["electrolytes"] else ())),
        sites=tuple(raw["sites"]),
        regions=tuple(raw["regions"]),
        courses=tuple(raw["courses"]),
        patient=raw["patient"],
        potassium_raising=raw["potassium_raising"],
        other_rows=raw["other_rows"],
    )


def _counting(table: Table, *analytes: str) -> tuple[str, ...]:
    """Those electrolytes, and what counts as one of them (ionised calcium: calcium)."""
    wanted = analytes or table.electrolytes
    return tuple(name for each in wanted for name, counts_as in table.counts_as.items() if counts_as == each)


def _electrolyte(
    analyte: str, phrases: Mapping[str, str], table: Table, terminology: Terminology
) -> FeatureWords:
    holds = phrases["electrolyte"].format(
        analyte=terminology.analytes[analyte].label, out_of_range_days=table.thresholds.out_of_range_days
    )
    return FeatureWords(
        holds=holds,
        fails=phrases["absent"].format(names=holds),
        how=phrases["electrolyte_how"],
        findings=tuple(d.finding for d in table.disorders if d.analyte == analyte),
        analytes=_counting(table, analyte),
    )


def _structural(messages: object, place: str = "") -> Iterator[Problem]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _structural(inner, f"{place}.{key}".strip("."))
    elif isinstance(messages, list):
        yield from (Problem(FILE, place, str(message)) for message in messages)


def _compared(texts: Mapping[str, object], names: set[str], place: str) -> Iterator[Problem]:
    for name in sorted(names ^ set(texts)):
        reason = "no text" if name in names else "text for something that there is not"
        yield Problem(FILE, f"{place}.{name}", reason)


def _unfilled(raw: Mapping[str, Any], filled: Mapping[str, object]) -> Iterator[Problem]:
    texts = {f"thresholds.{name}": (text, {"value"}) for name, text in raw["thresholds"].items()}
    texts |= {f"reading.{one['id']}": (one["says"], set(filled)) for one in raw["reading"]}
    for name, one in raw["features"].items():
        texts |= {f"features.{name}.{part}": (one[part], set(filled)) for part in ("holds", "fails", "how")}
    for place, (text, names) in texts.items():
        try:
            unknown = names_in(text) - names
        except ValueError:
            yield Problem(FILE, place, "a brace is left open")
            continue
        if unknown:
            yield Problem(FILE, place, f"nothing fills {{{min(unknown)}}}")


def _loose(
    raw: Mapping[str, Any], table: Table, terminology: Terminology, claims: Claims
) -> Iterator[Problem]:
    """References to what there is not."""
    known = {
        "findings": set(terminology.findings),
        "analytes": set(terminology.analytes),
        "sites": {site.id for site in terminology.sites.values()},
        "courses": set(terminology.courses.values()),
    }
    for name, feature in raw["features"].items():
        for member, ids in known.items():
            for loose in sorted(set(feature[member]) - ids):
                yield Problem(FILE, f"features.{name}.{member}", f"{loose!r} is none")
    rows = {row.id for row in table.rows}
    for one in raw["two_columns"]:
        place = f"two_columns.{one['id']}"
        for loose in sorted(set(one["rows"]) - rows):
            yield Problem(FILE, place, f"no row {loose!r}")
        for claim in (*one["benign"]["claims"], *one["disease"]["claims"]):
            if claims.get(claim) is None:
                yield Problem(FILE, place, f"no claim or anchor {claim} in sources/")
