"""The facts that the conditions read: how each is read from a record, and from which value sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fhir_mappings.artifacts.plan import Fact, Input
from service.knowledge import Knowledge

_OBSERVED = frozenset({"fasciculation", "sign", "symptom", "trigger"})
_MEDICATION_RECORDS = ("MedicationRequest", "MedicationStatement")


def facts_of(variables: Iterable[str], knowledge: Knowledge) -> tuple[Fact, ...]:
    """Each variable once, in the order of its name."""
    return tuple(Fact(name, _documented(name, knowledge)) for name in sorted(set(variables)))


def inputs_of(variables: Iterable[str], knowledge: Knowledge) -> tuple[Input, ...]:
    """What those variables are read from, each once."""
    found = (need for name in sorted(set(variables)) for need in _inputs(name, knowledge))
    return tuple(dict.fromkeys(found))


def _documented(variable: str, knowledge: Knowledge) -> str:
    sets = sorted({need.value_set for need in _inputs(variable, knowledge) if need.value_set})
    says = _says(variable, knowledge)
    return f"{says} {knowledge.publishing.say('facts.value_sets', names=', '.join(sets))}" if sets else says


def _says(variable: str, knowledge: Knowledge) -> str:
    publishing, terminology = knowledge.publishing, knowledge.terminology
    kind, _, name = variable.rpartition(" ")
    if kind in ("drug", "current"):
        return publishing.say(kind, label=terminology.medications.class_labels[name])
    if name in publishing.features:
        return publishing.features[name].says
    if name in terminology.findings:
        definition = terminology.findings[name]
        place = "diagnosis" if definition.kind == "diagnosis" else "finding"
        return publishing.say(place, label=definition.label)
    return publishing.say("analyte", label=terminology.analytes[_analyte(name)].label)


def _analyte(variable: str) -> str:
    return variable.removesuffix("-abnormal")


def _inputs(variable: str, knowledge: Knowledge) -> Iterator[Input]:
    terminology, features = knowledge.terminology, knowledge.publishing.features
    kind, _, name = variable.rpartition(" ")
    if kind in ("drug", "current"):
        yield from (Input(record, "medication", f"medication-{name}") for record in _MEDICATION_RECORDS)
    elif name in features:
        for read in features[name].reads:
            yield from _read(read, knowledge)
    elif name in terminology.findings:
        yield from _finding(name, knowledge)
    else:
        yield from _electrolytes((_analyte(name),), knowledge)
        yield from _disorders((_analyte(name),), knowledge)


def _read(read: str, knowledge: Knowledge) -> Iterator[Input]:
    kind, _, name = read.partition("-")
    if read == "electrolytes":
        yield from _electrolytes(knowledge.table.electrolytes, knowledge)
    elif read == "disorders":
        yield from _disorders(knowledge.table.electrolytes, knowledge)
    elif read == "gate":
        for closing in knowledge.table.closes_gate:
            yield from _finding(closing, knowledge)
    elif read == "birth-date":
        yield Input("Patient", "birthDate")
    elif read == "deceased":
        yield Input("Patient", "deceased")
    elif read == "potassium-raising":
        yield from (Input(record, "medication", read) for record in _MEDICATION_RECORDS)
    elif kind == "finding":
        yield from _finding(name, knowledge)
    elif kind == "analyte":
        yield Input("Observation", "code", read)
    elif kind == "body":
        yield from (Input(record, "bodySite", read) for record in ("Condition", "Observation"))
    elif kind == "course":
        yield Input("Observation", "component.value", read)


def _finding(name: str, knowledge: Knowledge) -> Iterator[Input]:
    value_set, kind = f"finding-{name}", knowledge.terminology.findings[name].kind
    yield Input("Condition", "code", value_set)
    if kind in _OBSERVED:
        yield Input("Observation", "code", value_set)
    if kind == "family":
        yield Input("FamilyMemberHistory", "condition.code", value_set)


def _electrolytes(analytes: Iterable[str], knowledge: Knowledge) -> Iterator[Input]:
    wanted = set(analytes)
    for analyte in knowledge.terminology.analytes.values():
        if analyte.counts_as in wanted:
            yield Input("Observation", "code", f"analyte-{analyte.id}")


def _disorders(analytes: Iterable[str], knowledge: Knowledge) -> Iterator[Input]:
    wanted = {None, *analytes}
    for disorder in knowledge.table.disorders:
        if disorder.analyte in wanted:
            yield from _finding(disorder.finding, knowledge)
