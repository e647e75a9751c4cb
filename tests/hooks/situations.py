"""Situations at every hook, and the cards they get in readable form, as reviewed.

`python -m tests.hooks.situations` writes the pages again: read the difference before it is committed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from flask.testing import FlaskClient

from tests.golden.cards import suggested
from tests.hooks.requests import Resource, bundle, call, cards, orders, prescription, request, typed
from tests.vignettes import codes
from tests.vignettes.patient import BY_ID, Value
from tests.vignettes.resources import condition, order, result

DIRECTORY = Path(__file__).parent / "pages"


def _about(resource: Resource, who: str, name: str) -> Resource:
    return {**resource, "id": name, "subject": {"reference": f"Patient/{who}"}}


def value(who: str, analyte: str, text: str, days: int, low: str, high: str, flag: str = "N") -> Resource:
    """A result on file."""
    made = result(Value(analyte, text, "mmol/L", days, flag, low, high))
    return _about(made, who, f"{analyte}-{days}")


def problem(who: str, finding: str, name: str = "new", **members: object) -> Resource:
    """A Condition as the example of the hook writes it: its category is a word."""
    made = condition(codes.finding_concept(finding, codes.SNOMED), recorded=0)
    return {**_about(made, who, name), "category": "problem-list-item", **members}


def pending(who: str, analyte: str, days: int) -> Resource:
    made = order(codes.concept(codes.LOINC, *codes.ANALYTES[analyte]), days)
    return _about(made, who, f"order-{analyte}")


V05, V44 = "v05", "v44"
# name -> (title, request). Each page is read as a clinician reads it, with ten seconds.
SITUATIONS: Mapping[str, tuple[str, Resource]] = {
    "diuretic-no-results": (
        "A thiazide for a twitch of fifteen days, no results on file",
        orders("order-select", V05, prescription(V05, "hydrochlorothiazide")),
    ),
    "diuretic-all-on-file": (
        "A thiazide, and every electrolyte on file and in range",
        orders(
            "order-sign",
            V05,
            prescription(V05, "hydrochlorothiazide"),
            stored=(
                value(V05, "sodium", "140", 3, "135", "145"),
                value(V05, "potassium", "4.1", 3, "3.5", "5.1"),
                value(V05, "calcium", "2.35", 3, "2.20", "2.60"),
                value(V05, "magnesium", "0.85", 3, "0.70", "1.00"),
            ),
        ),
    ),
    "diuretic-low-potassium": (
        "A loop diuretic where potassium is low",
        orders(
            "order-sign",
            V05,
            prescription(V05, "furosemide"),
            stored=(value(V05, "potassium", "3.1", 2, "3.5", "5.1", "L"),),
        ),
    ),
    "diuretic-dangerous-calcium": (
        "A loop diuretic where calcium is dangerously low",
        orders("order-sign", "v49", prescription("v49", "furosemide")),
    ),
    "diuretic-renewed": (
        "The thiazide that was there before the twitch, written again",
        orders("order-sign", "v08", prescription("v08", "hydrochlorothiazide")),
    ),
    "antidepressant": (
        "An SSRI for a patient who twitches",
        orders("order-select", V05, prescription(V05, "escitalopram")),
    ),
    "steroid-route-unknown": (
        "Hydrocortisone whose route nobody wrote",
        orders("order-select", V05, typed(V05, "hydrocortisone")),
    ),
    "inhaler": ("A steroid inhaler", orders("order-sign", V05, prescription(V05, "budesonide"))),
    "emg-benign": (
        "EMG for an eyelid that flickers",
        orders("order-sign", "v01", request("v01", "emg")),
    ),
    "emg-nothing-recorded": (
        "EMG where nothing but the twitch is recorded",
        orders("order-select", V44, request(V44, "emg")),
    ),
    "emg-supported": (
        "EMG for a weak and wasted hand",
        orders("order-sign", "v06", request("v06", "emg")),
    ),
    "emg-child": ("EMG for a toddler", orders("order-sign", "v27", request("v27", "emg"))),
    "mri-benign": ("MRI of the brain for a thigh", orders("order-sign", V05, request(V05, "mri"))),
    "potassium-on-file": (
        "Potassium that was in range ten days ago; calcium and magnesium were never taken",
        orders("order-sign", "v08", request("v08", "potassium")),
    ),
    "potassium-alone": (
        "Potassium alone, fifteen days into a twitch",
        orders("order-sign", V05, request(V05, "potassium")),
    ),
    "panel-without-magnesium": (
        "A basic metabolic panel, fifteen days into a twitch",
        orders("order-select", V05, request(V05, "panel")),
    ),
    "routine-for-a-dangerous-value": (
        "Routine calcium where it is dangerously low",
        orders("order-sign", "v49", request("v49", "calcium")),
    ),
    "all-pending": (
        "Potassium and EMG that are both pending",
        orders("order-sign", "v50", request("v50", "potassium"), request("v50", "emg", "second")),
    ),
    "session": (
        "A thiazide, potassium and EMG in one session",
        orders(
            "order-sign",
            V05,
            prescription(V05, "hydrochlorothiazide"),
            request(V05, "potassium"),
            request(V05, "emg", "second"),
            stored=(pending(V05, "sodium", 4),),
        ),
    ),
    "no-twitch": (
        "A loop diuretic and EMG for a patient who does not twitch",
        orders("order-sign", "v34", prescription("v34", "furosemide"), request("v34", "emg")),
    ),
    "problem-twitch": (
        "Twitching is put on the list of a patient who has none",
        call("problem-list-item-create", "v34", conditions=bundle(problem("v34", "fasciculation"))),
    ),
    "problem-weakness": (
        "Weakness is put on the list of a patient who twitches",
        call("problem-list-item-create", V05, conditions=bundle(problem(V05, "weakness"))),
    ),
    "problem-anxiety": (
        "Anxiety is put on the list of a patient who twitches",
        call("problem-list-item-create", V05, conditions=bundle(problem(V05, "anxiety"))),
    ),
    "discharge-tests-missing": (
        "Discharge on day fifteen without any test",
        call("encounter-discharge", V05, encounterId="visit-1"),
    ),
    "discharge-tests-done": (
        "Discharge with its tests done, and nobody asked about breathing when lying flat",
        call(
            "encounter-discharge",
            V05,
            value(V05, "sodium", "140", 3, "135", "145"),
            value(V05, "potassium", "4.1", 3, "3.5", "5.1"),
            value(V05, "calcium", "2.35", 3, "2.20", "2.60"),
            value(V05, "magnesium", "0.85", 3, "0.70", "1.00"),
            value(V05, "tsh", "2.1", 3, "0.4", "4.0"),
            encounterId="visit-1",
        ),
    ),
    "discharge-pending": (
        "Discharge with everything still out",
        call("encounter-discharge", "v50", encounterId="visit-1"),
    ),
    "discharge-nothing-recorded": (
        "Discharge with one code and nothing else",
        call("encounter-discharge", V44, encounterId="visit-1"),
    ),
    "discharge-critical": (
        "Discharge of a weakening, wasting hand",
        call("encounter-discharge", "v06", encounterId="visit-1"),
    ),
    "discharge-no-twitch": (
        "Discharge of a patient who does not twitch",
        call("encounter-discharge", "v34", encounterId="visit-1"),
    ),
}


def page(client: FlaskClient, name: str) -> str:
    """What the clinician reads, and what the suggestions would do."""
    title, asked = SITUATIONS[name]
    who = BY_ID[asked["context"]["patientId"]]
    lines = [f"# {title}", "", f"{asked['hook']}; {who.id}: {who.title}", ""]
    return "\n".join([*lines, *_cards(cards(client, asked))]).rstrip() + "\n"


def _cards(found: list[Resource]) -> Iterator[str]:
    if not found:
        yield "No card."
    for card in found:
        yield from (f"## [{card['indicator']}] {card['summary']}", "", card["detail"], "")
        if card.get("suggestions"):
            yield from ("Suggestions:", *(f"- {suggested(item)}" for item in card["suggestions"]), "")
        yield from (f"Rows: {', '.join(link['url'].rsplit('/', 1)[1] for link in card['links'])}", "")


if __name__ == "__main__":
    from service.app import create_app
    from service.config import Config
    from service.knowledge import load_knowledge

    asking = create_app(Config(public_base_url="https://cds.example"), load_knowledge()).test_client()
    DIRECTORY.mkdir(exist_ok=True)
    for situation in SITUATIONS:
        (DIRECTORY / f"{situation}.md").write_text(page(asking, situation), encoding="utf-8")
