"""The choices of the form that builds a patient, each with its name for people."""

from __future__ import annotations

from dataclasses import dataclass

from service.cards.facets import capital, study_label, test_label
from service.workbench.codings import Codings

# Heading -> kinds of findings below it.
_GROUPS = (
    ("Examined or told", ("sign",)),
    ("Symptoms", ("symptom",)),
    ("Habits and triggers", ("trigger",)),
    ("Diagnoses", ("diagnosis", "family")),
)

Choice = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Form:
    """Each choice is (value, label). groups: (heading, findings). medicines: (name, what it is)."""

    groups: tuple[tuple[str, tuple[Choice, ...]], ...]
    sites: tuple[Choice, ...]
    courses: tuple[Choice, ...]
    medicines: tuple[Choice, ...]
    results: tuple[Choice, ...]
    orders: tuple[Choice, ...]
    studies: tuple[Choice, ...]


def form_of(codings: Codings) -> Form:
    """Everything that can be chosen, with the terminology that is loaded."""
    terminology, wording = codings.terminology, codings.knowledge.wording
    labels = {site.id: site.label for site in terminology.sites.values()}
    findings = [terminology.findings[name] for name in codings.findings]
    return Form(
        groups=tuple(
            (heading, tuple(sorted((f.id, capital(f.label)) for f in findings if f.kind in kinds)))
            for heading, kinds in _GROUPS
        ),
        sites=tuple(
            (f"{site} {side}".strip(), f"{side} {labels[site]}".strip()) for site, side in codings.sites
        ),
        courses=tuple((name, name) for name in codings.courses),
        medicines=tuple((one.name, one.class_label) for one in codings.medicines.values()),
        results=tuple((name, terminology.analytes[name].label) for name in codings.analytes),
        orders=tuple((name, test_label(name, terminology, wording)) for name in codings.orders),
        studies=tuple((name, study_label(name, wording)) for name in codings.studies),
    )
