"""The examples of a row in plain words: what is on record, and whether the row holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from fhir_mappings.terminology import Terminology
from service.decision.table import EXAMINED, Example
from service.knowledge.explained.rules import RECORDED
from service.knowledge.page_wording import PageWording, joined


def example_shown(example: Example, pages: PageWording, terminology: Terminology) -> dict[str, Any]:
    """title, given in words, holds."""
    said = "; ".join(_said(example.given, pages, terminology)) or pages.given["nothing"]
    return {"title": example.title, "given": said, "holds": example.holds}


def _said(given: Mapping[str, Any], pages: PageWording, terminology: Terminology) -> Iterator[str]:
    words = pages.given
    for name, value in given.items():
        match name:
            case "sites":
                labels = {site.id: site.label for site in terminology.sites.values()}
                yield words[name].format(names=joined((labels.get(site, site) for site in value), "and"))
            case "courses":
                yield words[name].format(names=joined(value, "and"))
            case "drugs":
                yield from _drugs(value, words, terminology)
            case "results":
                yield from _results(given, pages, terminology)
            case "result_days_ago":
                continue
            case "onset_days_ago":
                yield words[name].format(days=value)
            case "age_years":
                yield words[name].format(years=value)
            case _:
                definition = terminology.findings[name]
                if value == EXAMINED and definition.kind in RECORDED:
                    yield pages.phrases["diagnosis"].format(names=definition.label)
                else:
                    yield words[value].format(label=definition.label)


def _drugs(drugs: Mapping[str, str], words: Mapping[str, str], terminology: Terminology) -> Iterator[str]:
    labels = terminology.medications.class_labels
    for drug_class, plausible in drugs.items():
        yield words[f"drug_{plausible}"].format(label=labels.get(drug_class, drug_class))


def _results(given: Mapping[str, Any], pages: PageWording, terminology: Terminology) -> Iterator[str]:
    days = cast(int, given.get("result_days_ago", 0))
    when = pages.given["result_ago"].format(days=days) if days else pages.given["result_today"]
    for analyte, band in given["results"].items():
        label = terminology.analytes[analyte].label
        yield pages.given["result"].format(label=label, band=pages.bands[band], when=when)
