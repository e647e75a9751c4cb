"""pages.yaml: the texts of the pages, checked against the table, the terminology and the claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from fhir_mappings.terminology import Analyte, Terminology
from schemas.knowledge_pages import PagesSchema, names_in
from service.decision.facts import FEATURES
from service.decision.table import ResultFact, Table
from service.knowledge.claims import Claims
from service.knowledge.loading import Directory, KnowledgeError, Problem, load_file

FILE = "pages.yaml"
# /knowledge/claims is no row.
_RESERVED = frozenset({"claims"})


@dataclass(frozen=True, slots=True)
class FeatureWords:
    """A computed feature in words, and its inputs. result: it is a fact about results."""

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
    result: bool = False


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

    thresholds: one sentence each. reading: (id, title, text). phrases, asked, given and form keep theirs.
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
    form: Mapping[str, str] = field(default_factory=dict)


# For knowledge that is loaded without its pages.
NO_PAGES = PageWording()


def load_page_wording(
    directory: Directory, table: Table, terminology: Terminology, claims: Claims
) -> PageWording:
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
        form=raw["form"],
    )


def joined(names: Iterable[str], last: str = "or") -> str:
    """ "a", "a or b", "a, b or c"; "a or b, or c" where a name has an "or", "a, b; or c" a comma."""
    parts = list(dict.fromkeys(names))
    if len(parts) < 2:
        return "".join(parts)
    if any(", " in part for part in parts):
        return f"{'; '.join(parts[:-1])}; {last} {parts[-1]}"
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
    disorders: tuple[str, ...] = ()
    ending: tuple[str, ...] = ()
    if raw["disorders"]:
        disorders = tuple(disorder.finding for disorder in table.disorders)
        ending = tuple(name for name, counts in table.counts_as.items() if counts in table.electrolytes)
    listed = (name for part in raw["lists"] for name in sorted(getattr(table, part)))
    listed = (name for name in listed if name not in table.benign_ignores)
    return FeatureWords(
        holds=raw["holds"].format(**filled),
        fails=raw["fails"].format(**filled),
        how=raw["how"].format(**filled),
        findings=tuple(dict.fromkeys((*raw["findings"], *disorders, *listed))),
        analytes=(*raw["analytes"], *ending),
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
    """A result fact in words, and what feeds it: analytes, and findings that make a limit lower."""
    phrases, bands = raw["phrases"], raw["bands"]
    texts: list[str] = []
    how: list[str] = []
    analytes: list[str] = []
    findings: list[str] = []
    for fact in alternatives:
        known = [terminology.analytes[name] for name in sorted(fact.analytes)]
        state = bands[fact.state] if fact.state else _below(fact, known, phrases)
        place = "result_between" if fact.from_days else "result"
        texts.append(
            phrases[place].format(
                names=_analytes(fact, phrases, terminology),
                state=state,
                from_days=fact.from_days,
                days=fact.at_most_days,
            )
        )
        feeding = [name for name, counts in table.counts_as.items() if counts in fact.analytes]
        analytes += feeding
        how.append(phrases["result_how" if fact.state else "result_below_how"])
        if fact.state is None:
            continue
        beside = {
            name: table.critical_beside[name]
            for name in feeding
            # That limit says critical, and so out of range, not which way.
            if name in table.critical_beside
            and fact.state in ("critical", "out-of-range")
            and fact.from_days <= table.thresholds.critical_days
        }
        findings += [finding for one in beside.values() for finding in one.findings]
        if fact.state == "critical":
            how += _dangerous([terminology.analytes[name] for name in feeding], phrases)
        for name, one in beside.items():
            analyte = terminology.analytes[name]
            how.append(
                phrases["result_beside"].format(
                    label=analyte.label,
                    value=f"{one.low} {analyte.unit or ''}".strip(),
                    names=joined(terminology.findings[finding].label for finding in one.findings),
                )
            )
    holds = joined(texts)
    return FeatureWords(
        holds=holds,
        fails=phrases["absent"].format(names=holds),
        how=" ".join(dict.fromkeys(how)),
        findings=tuple(dict.fromkeys(findings)),
        analytes=tuple(dict.fromkeys(analytes)),
        result=True,
    )


def _analytes(fact: ResultFact, phrases: Mapping[str, str], terminology: Terminology) -> str:
    """Their labels; where there are more of them than of the others, the labels of those."""
    analytes = terminology.analytes
    others = analytes.keys() - fact.analytes
    if len(others) < len(fact.analytes):
        return phrases["any_other"].format(names=joined(analytes[name].label for name in sorted(others)))
    return joined(analytes[name].label for name in sorted(fact.analytes))


def _below(fact: ResultFact, known: Iterable[Analyte], phrases: Mapping[str, str]) -> str:
    units = dict.fromkeys(analyte.unit or "" for analyte in known)
    return phrases["result_below"].format(value=f"{fact.below} {joined(units)}".strip())


def _dangerous(known: Iterable[Analyte], phrases: Mapping[str, str]) -> list[str]:
    """The critical limits of those that have some, as one sentence."""
    limits = [f"{analyte.label} {said}" for analyte in known if (said := limits_of(analyte, phrases))]
    return [phrases["limits"].format(limits="; ".join(limits))] if limits else []


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
    rows = {row.id for row in table.all_rows}
    for columns in raw["two_columns"]:
        place = f"two_columns.{columns['id']}"
        for unknown in sorted(set(columns["rows"]) - rows):
            yield Problem(FILE, place, f"no row {unknown!r}")
        for claim in (*columns["benign"]["claims"], *columns["disease"]["claims"]):
            if claims.get(claim) is None:
                yield Problem(FILE, place, f"no claim or anchor {claim} in sources/")
