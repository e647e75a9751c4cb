"""The facts that the conditions read: how each is read from a record, and from which value sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from service.knowledge import Knowledge
from service.knowledge.page_wording import FeatureWords
from tools.artifacts.plan import Fact, Input
from tools.artifacts.publication import Say

# The one fact that is no variable of the table: what every row waits for.
GATE = "gate"
_OBSERVED = frozenset({"fasciculation", "sign", "symptom", "trigger"})
_MEDICATION_RECORDS = ("MedicationRequest", "MedicationStatement")


def facts_of(variables: Iterable[str], knowledge: Knowledge, say: Say) -> tuple[Fact, ...]:
    """Each variable once, in the order of its name."""
    return tuple(Fact(name, _documented(name, knowledge, say)) for name in sorted(set(variables)))


def inputs_of(variables: Iterable[str], knowledge: Knowledge) -> tuple[Input, ...]:
    """What those variables are read from, each once."""
    found = (need for name in sorted(set(variables)) for need in _inputs(name, knowledge))
    return tuple(dict.fromkeys(found))


def _documented(variable: str, knowledge: Knowledge, say: Say) -> str:
    sets = sorted({need.value_set for need in _inputs(variable, knowledge) if need.value_set})
    says = _says(variable, knowledge, say)
    return f"{says} {say('facts.value_sets', names=', '.join(sets))}" if sets else says


def _says(variable: str, knowledge: Knowledge, say: Say) -> str:
    terminology, features = knowledge.terminology, knowledge.pages.features
    kind, _, name = variable.rpartition(" ")
    if variable == GATE:
        return say("facts.gate")
    if kind in ("drug", "current", "stopped"):
        return say(f"facts.{kind}", label=terminology.medications.class_labels[name])
    if name in features:
        return say("facts.feature", holds=features[name].holds, how=features[name].how)
    definition = terminology.findings[name]
    place = "diagnosis" if definition.kind == "diagnosis" else "finding"
    days = knowledge.table.thresholds.finding_days
    return say(f"facts.{place}", label=definition.label, finding_days=days)


def _inputs(variable: str, knowledge: Knowledge) -> Iterator[Input]:
    kind, _, name = variable.rpartition(" ")
    if variable == GATE:
        for finding in (*_twitches(knowledge), *knowledge.table.closes_gate):
            yield from _finding(finding, knowledge)
        yield Input("Patient", "deceased")
    elif kind in ("drug", "current", "stopped"):
        yield from (Input(record, "medication", f"medication-{name}") for record in _MEDICATION_RECORDS)
    elif name in knowledge.pages.features:
        yield from _feature(knowledge.pages.features[name], knowledge)
    else:
        yield from _finding(name, knowledge)


def _feature(feature: FeatureWords, knowledge: Knowledge) -> Iterator[Input]:
    for finding in feature.findings:
        yield from _finding(finding, knowledge)
    yield from (Input("Observation", "code", f"analyte-{name}") for name in feature.analytes)
    regions = {site.region for site in knowledge.terminology.sites.values()}
    places = [f"body-region-{name}" if name in regions else f"body-site-{name}" for name in feature.regions]
    for place in (*places, *(f"body-site-{name}" for name in feature.sites)):
        yield from (Input(record, "bodySite", place) for record in ("Condition", "Observation"))
    yield from (Input("Observation", "component.value", f"course-{name}") for name in feature.courses)
    if feature.patient:
        yield Input("Patient", "birthDate")
    if feature.potassium_raising:
        yield from (Input(record, "medication", "potassium-raising") for record in _MEDICATION_RECORDS)


def _finding(name: str, knowledge: Knowledge) -> Iterator[Input]:
    value_set, kind = f"finding-{name}", knowledge.terminology.findings[name].kind
    yield Input("Condition", "code", value_set)
    if kind in _OBSERVED:
        yield Input("Observation", "code", value_set)
    if kind == "family":
        yield Input("FamilyMemberHistory", "condition.code", value_set)


def _twitches(knowledge: Knowledge) -> Iterator[str]:
    return (d.id for d in knowledge.terminology.findings.values() if d.kind == "fasciculation")
