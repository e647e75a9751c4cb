"""fhir.yaml: how the knowledge is published as FHIR, and how each fact of its conditions is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from marshmallow import ValidationError

from fhir_mappings.artifacts.value_sets import critical_limits
from fhir_mappings.terminology import Terminology
from schemas.knowledge_fhir import FhirSchema
from service.decision.facts import FEATURES
from service.decision.table import Table
from service.knowledge.problems import KnowledgeError, Problem
from service.knowledge.yaml_files import load_yaml

FILE = "fhir.yaml"
# Words for what is known only together with the other files.
READS = frozenset({"electrolytes", "disorders", "gate", "birth-date", "deceased"})
_KINDS = ("finding", "diagnosis", "drug", "current", "analyte")


@dataclass(frozen=True, slots=True)
class Feature:
    """How a computed fact is read, thresholds filled in, and from which value sets or words of READS."""

    says: str
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Publishing:
    """texts: dotted place -> text, with {label} to fill in. copyright: code system -> terms of its codes."""

    root: str
    status: str
    experimental: bool
    texts: Mapping[str, str]
    features: Mapping[str, Feature]
    copyright: Mapping[str, str]

    def say(self, place: str, **names: object) -> str:
        """The text of that place with its names filled in. KeyError if there is none."""
        return self.texts[place].format(**names)


# Earlier knowledge that is asked again for its answers alone.
UNPUBLISHED = Publishing("", "unknown", True, {}, {}, {})


def load_publishing(directory: Path, table: Table, terminology: Terminology) -> Publishing:
    """How the knowledge of that folder is published. Raises KnowledgeError."""
    try:
        raw = cast(dict[str, Any], FhirSchema().load(load_yaml(directory / FILE)))
    except ValidationError as error:
        raise KnowledgeError(
            [Problem(FILE, str(key), str(reason)) for key, reason in error.normalized_messages().items()]
        ) from None
    names = {
        **asdict(table.thresholds),
        "electrolytes": ", ".join(terminology.analytes[name].label for name in table.electrolytes),
        "critical_limits": critical_limits(terminology.analytes.values()),
    }
    problems = [*_wrong_features(raw["features"], names, readable(terminology)), *_wrong_texts(raw, names)]
    if problems:
        raise KnowledgeError(problems)
    texts = {kind: _filled(raw[kind], {**names, "label": "{label}"}) for kind in _KINDS}
    for part in ("plan", "facts", "needless", "value_sets"):
        texts |= {f"{part}.{name}": text for name, text in raw[part].items()}
    return Publishing(
        root=raw["canonical_root"],
        status=raw["status"],
        experimental=raw["experimental"],
        texts=texts,
        features={
            name: Feature(_filled(feature["says"], names), tuple(feature["reads"]))
            for name, feature in raw["features"].items()
        },
        copyright=raw["copyright"],
    )


def _filled(text: str, names: Mapping[str, object]) -> str:
    return text.format(**names)


def _wrong_features(
    features: Mapping[str, Any], names: Mapping[str, object], known: frozenset[str]
) -> Iterator[Problem]:
    wanted = FEATURES | {"gate"}
    for name in sorted(wanted - set(features)):
        yield Problem(FILE, f"features.{name}", "not said how this fact is read")
    for name in sorted(set(features) - wanted):
        yield Problem(FILE, f"features.{name}", "no such computed fact")
    for name, feature in features.items():
        yield from _unfillable(f"features.{name}", feature["says"], names)
        for read in feature["reads"]:
            if read not in known:
                yield Problem(FILE, f"features.{name}", f"no value set {read!r}")


def _wrong_texts(raw: Mapping[str, Any], names: Mapping[str, object]) -> Iterator[Problem]:
    for kind in _KINDS:
        yield from _unfillable(kind, raw[kind], {**names, "label": ""})
    yield from _unfillable("plan.usage", raw["plan"]["usage"], {"safety_net": ""})


def _unfillable(place: str, text: str, names: Mapping[str, object]) -> Iterator[Problem]:
    try:
        _filled(text, names)
    except (KeyError, IndexError, ValueError) as error:
        yield Problem(FILE, place, f"cannot be filled in: {error}")


def readable(terminology: Terminology) -> frozenset[str]:
    """What a computed fact can be read from: ids of value sets, and the words of READS."""
    sites = terminology.sites.values()
    return READS | {
        "potassium-raising",
        *(f"finding-{name}" for name in terminology.findings),
        *(f"analyte-{name}" for name in terminology.analytes),
        *(f"body-site-{site.id}" for site in sites),
        *(f"body-region-{site.region}" for site in sites if site.region),
        *(f"course-{name}" for name in terminology.courses.values()),
    }
