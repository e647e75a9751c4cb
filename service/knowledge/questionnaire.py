"""The form of fhir.yaml, as far as the service reads its responses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fhir_mappings.record import Site
from fhir_mappings.terminology import Form, FormItem
from service.knowledge.loading import KnowledgeFiles

FORM_FILE = "fhir.yaml"


def form_of(files: KnowledgeFiles, raw: Mapping[str, Any], sites: Iterable[Site]) -> Form:
    """The form; notes an item that dates a finding without a file."""
    form = raw["questionnaire"]
    items = {}
    for question, item in form["items"].items():
        if item["since"] and f"findings/{item['since']}.yaml" not in files.directory.names("findings"):
            files.problem(FORM_FILE, f"questionnaire.items.{question}", f"no finding {item['since']!r}")
        items[item["id"]] = FormItem(item["type"], item["since"], is_read=item["initial"] is None)
    return Form(
        canonical=f"{raw['canonical_root']}/Questionnaire/{form['id']}",
        items=items,
        links={question: item["id"] for question, item in form["items"].items()},
        sites={display_of(site, form["sided"]).lower(): site for site in sites},
        courses={display.lower(): course for course, display in form["courses"].items()},
        section=form,
    )


def display_of(site: Site, sided: str) -> str:
    """The site with its side, as the form offers it. sided: the text of one with a side."""
    return sided.format(side=site.side, label=site.label) if site.side else site.label
