"""The same patient as different systems write it: pure functions from a patient to a FHIR bundle.

What a dialect has no code for it says in the nearest form it has; BORROWED in test_dialects.py says where.
Whoever examined is the source of an Observation: a Condition is an entry of the problem list, or a report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tests.vignettes import codes, messy, versions
from tests.vignettes.codes import HPO, ICD_10_CM, SNOMED, concept, finding_concept
from tests.vignettes.envelopes import collection, document, grouped, searchset, transaction
from tests.vignettes.medicine_codes import INHALED, ROUTES, drug_concept
from tests.vignettes.patient import Person, Statement, day
from tests.vignettes.resources import (
    SUBJECT,
    Resource,
    began,
    category,
    condition,
    course_components,
    course_extensions,
    diagnoses,
    observation,
    order,
    orders,
    patient,
    procedures,
    refutations,
    relatives,
    reports,
    request,
    result,
    said,
    smoking,
    statement_of_use,
)

Dialect = Callable[[Person], dict[str, Any]]


def snomed(person: Person) -> dict[str, Any]:
    """SNOMED Conditions, Observations with valueBoolean, RxNorm medicines."""
    return collection(person, _snomed_resources(person))


def prefetch(person: Person) -> dict[str, Any]:
    """The prefetch of a hook request, every key supplied; what it holds is written as in `snomed`."""
    return grouped(person, _snomed_resources(person))


def _snomed_resources(person: Person) -> list[Resource]:
    found = [patient(person), *_twitch_condition(person, SNOMED)]
    for item in person.statements:
        if item.finding == "tobacco":
            found.append(smoking(item))
        else:
            found.append(said(item, finding_concept(item.finding, SNOMED), valueBoolean=item.present))
    found += diagnoses(person, SNOMED) + refutations(person, SNOMED) + relatives(person, SNOMED)
    for drug, course in person.drugs.items():
        medicine = {"medicationCodeableConcept": drug_concept(drug, codes.RXNORM)}
        found.append(request(medicine, course))
    return found + [result(value) for value in person.results] + orders(person) + procedures(person)


def icd(person: Person) -> dict[str, Any]:
    """ICD-10-CM: Conditions for what the patient reports, coded yes and no for the rest; ATC medicines."""
    found = [patient(person), *_twitch_condition(person, ICD_10_CM)]
    for number, item in enumerate(person.statements):
        code = finding_concept(item.finding, ICD_10_CM, SNOMED)
        yes, no = (
            (codes.YES_LOINC, codes.NO_LOINC) if number % 2 == 0 else (codes.YES_SNOMED, codes.NO_SNOMED)
        )
        if item.present and not item.examined and not item.social:
            found.append(_problem(item, code))
        else:
            found.append(said(item, code, valueCodeableConcept=concept(*(yes if item.present else no))))
    found += diagnoses(person, ICD_10_CM, SNOMED) + refutations(person, ICD_10_CM)
    found += relatives(person, ICD_10_CM)
    for drug, course in person.drugs.items():
        medicine = {"medicationCodeableConcept": drug_concept(drug, codes.ATC)}
        period = {"validityPeriod": {"start": day(course.start)}}
        found.append(request(medicine, course, dispenseRequest=period))
    found += [result(value) for value in person.results] + orders(person) + procedures(person)
    return collection(person, found)


def panel(person: Person) -> dict[str, Any]:
    """One Observation with a component per question; what is there alone is a finding used as the code."""
    found = [patient(person)]
    if person.twitch.status == "present":
        for site in person.twitch.sites or (None,):
            found.append(_twitch_observation(person, site, _twitch_code(person, SNOMED)))
    panels: dict[tuple[str, int], list[Resource]] = {}
    for item in person.statements:
        if item.present and (item.since is not None or item.course):
            found.append(said(item, finding_concept(item.finding, SNOMED)))
            continue
        sort = "social-history" if item.social else "exam" if item.examined else "survey"
        panels.setdefault((sort, item.days), []).append(_component(item))
    if person.twitch.status == "absent":
        panels.setdefault(("exam", 0), []).append(_component(Statement("fasciculation", present=False)))
    for (sort, days), components in panels.items():
        title = {"text": "Neurological examination" if sort == "exam" else "Questions asked"}
        found.append(observation(title, days=days, category=category(sort), component=components))
    found += diagnoses(person, SNOMED) + refutations(person, SNOMED) + relatives(person, SNOMED)
    for drug, course in person.drugs.items():
        medicine = {"medicationCodeableConcept": drug_concept(drug, SNOMED)}
        route = ROUTES["inhaled" if drug in INHALED else "oral"]
        dosage = [{"route": concept(SNOMED, *route)}]
        found.append(request(medicine, course, dosageInstruction=dosage))
    found += [result(value) for value in person.results] + procedures(person) + _panel_orders(person)
    return searchset(person, found)


def hpo(person: Person) -> dict[str, Any]:
    """HPO codes without a value, positive or negative by interpretation; a transaction without ids."""
    found = [patient(person)]
    twitch = person.twitch
    if twitch.status == "present":
        for site in twitch.sites or (None,):
            named = "eyelid" if site in ("upper-eyelid", "lower-eyelid") else site
            if named in codes.HPO_TWITCHES and not twitch.words:  # the code names the place
                code = concept(HPO, *codes.HPO_TWITCHES[named])
                found.append(_twitch_observation(person, None, code, interpretation=_interpretation("POS")))
            else:
                code = _twitch_code(person, HPO)
                found.append(_twitch_observation(person, site, code, interpretation=_interpretation("POS")))
    else:
        code = finding_concept("fasciculation", HPO)
        found.append(observation(code, days=0, interpretation=_interpretation("NEG")))
    for item in person.statements:
        code = finding_concept(item.finding, HPO, SNOMED)
        found.append(said(item, code, interpretation=_interpretation("POS" if item.present else "NEG")))
    found += diagnoses(person, HPO, SNOMED) + refutations(person, SNOMED) + relatives(person, SNOMED)
    for drug, course in person.drugs.items():
        medicine = {"medicationReference": {"reference": "#m"}}
        code = drug_concept(drug, codes.RXNORM)
        contained = [{"resourceType": "Medication", "id": "m", "code": code}]
        found.append(request(medicine, course, contained=contained))
    found += [result(value) for value in person.results] + orders(person) + procedures(person)
    return transaction(person, found)


def british(person: Person) -> dict[str, Any]:
    """A document: coded signs, problems of the patient's own, dm+d or NDC medicines, study reports."""
    found = [patient(person), *_twitch_condition(person, SNOMED)]
    for item in person.statements:
        code = finding_concept(item.finding, SNOMED)
        if item.examined:
            value = codes.PRESENT_SNOMED if item.present else codes.ABSENT_SNOMED
            members = {"performer": [{"display": "Practice"}], "valueCodeableConcept": concept(*value)}
            found.append(said(item, code, **members))
        else:
            found.append(_problem(item, code))
    found += diagnoses(person, SNOMED) + refutations(person, SNOMED) + relatives(person, SNOMED)
    for drug, course in person.drugs.items():
        medicine = {"medicationCodeableConcept": drug_concept(drug, codes.DMD, codes.NDC)}
        found.append(statement_of_use(medicine, course))
    found += [result(value) for value in person.results] + orders(person)
    found += procedures(person, with_studies=False) + reports(person)
    return document(person, found)


def grimy(person: Person) -> dict[str, Any]:
    """What an EHR really sends: see tests/vignettes/messy.py."""
    found = [patient(person), *_twitch_condition(person, SNOMED)]
    for item in person.statements:
        if item.finding == "tobacco":
            found.append(smoking(item))
        else:
            found.append(said(item, finding_concept(item.finding, SNOMED), valueBoolean=item.present))
    found += diagnoses(person, SNOMED) + refutations(person, SNOMED) + relatives(person, SNOMED)
    for drug, course in person.drugs.items():
        medicine = {"medicationCodeableConcept": drug_concept(drug)}
        found.append(request(medicine, course))
    found += [result(value) for value in person.results] + orders(person) + procedures(person)
    return messy.searchset(person, found)


def r4b(person: Person) -> dict[str, Any]:
    """A hospital's R4B: encounters, who asserted what, questionnaires, medicines in their own resources."""
    return searchset(person, _hospital_resources(person))


def r5(person: Person) -> dict[str, Any]:
    """The same hospital once it writes R5."""
    return searchset(person, [versions.r5(resource) for resource in _hospital_resources(person)])


def stu3(person: Person) -> dict[str, Any]:
    """The same hospital when it still wrote STU3."""
    return searchset(person, [versions.stu3(resource) for resource in _hospital_resources(person)])


def _hospital_resources(person: Person) -> list[Resource]:
    twitch, odd = person.twitch, int(person.id[1:]) % 2
    found = [patient(person)]
    if twitch.status == "present" and twitch.sites:
        for site in twitch.sites:
            found.append(_twitch_observation(person, site, _twitch_code(person, SNOMED)))
    else:
        found += _twitch_condition(person, SNOMED)
    for number, item in enumerate(person.statements):
        code = finding_concept(item.finding, SNOMED)
        if item.finding == "tobacco":
            found.append(smoking(item))
        elif not item.examined and number < 8:
            found.append(_problem(item, code))
        elif item.examined or item.social:
            found.append(said(item, code, valueBoolean=item.present))
        else:
            made = said(item, code, derivedFrom=[{"reference": "QuestionnaireResponse/asked"}])
            del made["category"]
            made["interpretation"] = _interpretation("POS" if item.present else "NEG")
            found.append(made)
    found += diagnoses(person, SNOMED) + refutations(person, SNOMED) + relatives(person, SNOMED)
    for number, (drug, course) in enumerate(person.drugs.items()):
        medicine = {"resourceType": "Medication", "id": f"{person.id}-drug-{number}"}
        found.append({**medicine, "code": drug_concept(drug, codes.RXNORM)})
        named = {"medicationReference": {"reference": f"Medication/{medicine['id']}"}}
        coded = {"medicationCodeableConcept": drug_concept(drug, codes.RXNORM)}
        in_force = request(named, course), statement_of_use(coded, course)
        found.append(in_force[(number + odd) % 2])
    found += [result(value) for value in person.results] + orders(person)
    found += procedures(person, with_studies=False) + reports(person)
    return [versions.at_encounter(resource) for resource in found]


def _problem(item: Statement, code: Resource) -> Resource:
    """A statement as a problem: refuted where it is not there, asserted by the patient where told."""
    members: dict[str, Any] = {}
    if not item.examined:
        members["asserter"] = SUBJECT
    if item.since is not None:
        members["onsetDateTime"] = day(item.since)
    members |= course_extensions((item.course,) if item.course else ())
    verification = "confirmed" if item.present else "refuted"
    return condition(code, recorded=item.days, verification=verification, **members)


def _twitch_code(person: Person, system: str) -> Resource:
    words = person.twitch.words
    return {"text": words} if words else finding_concept("fasciculation", system)


def _twitch_condition(person: Person, system: str) -> Iterable[Resource]:
    twitch = person.twitch
    code = _twitch_code(person, system)
    if twitch.status == "absent":
        yield condition(code, recorded=0, verification="refuted")
        return
    members: dict[str, Any] = course_extensions(twitch.courses)
    if twitch.sites:
        members["bodySite"] = [codes.site_concept(site, twitch.side) for site in twitch.sites]
    if twitch.onset is not None:
        members["onsetDateTime"] = day(twitch.onset)
    yield condition(code, recorded=0, **members)


def _twitch_observation(person: Person, site: str | None, code: Resource, **members: Any) -> Resource:
    twitch = person.twitch
    if site is not None:
        members["bodySite"] = codes.site_concept(site, twitch.side)
    made = observation(
        code, days=0, category=category("exam"), **course_components(twitch.courses), **members
    )
    return began(made, twitch.onset, 0)


def _component(item: Statement) -> Resource:
    code = finding_concept(item.finding, SNOMED)
    if item.social:
        return {"code": code, "valueBoolean": item.present}
    value = codes.PRESENT_SNOMED if item.present else codes.ABSENT_SNOMED
    return {"code": code, "valueCodeableConcept": concept(*value)}


def _panel_orders(person: Person) -> list[Resource]:
    """Orders with a basic metabolic panel for what it contains, where all of it is ordered."""
    contained = {"sodium", "potassium", "calcium"}
    if not contained <= set(person.orders):
        return orders(person)
    rest = [made for test, made in zip(person.orders, orders(person), strict=True) if test not in contained]
    ordered = person.orders["sodium"]
    panel_code = concept(*codes.BASIC_PANEL)
    return [*rest, order(panel_code, ordered.days, priority=ordered.priority, status=ordered.status)]


def _interpretation(code: str) -> list[Resource]:
    return [{"coding": [{"system": codes.TERMINOLOGY + "v3-ObservationInterpretation", "code": code}]}]


BUNDLES: dict[str, Dialect] = {
    "snomed": snomed,
    "icd": icd,
    "panel": panel,
    "hpo": hpo,
    "grimy": grimy,
    "british": british,
    "r4b": r4b,
    "r5": r5,
    "stu3": stu3,
}
# All dialects; only "prefetch" gives the prefetch of a hook request instead of a bundle.
DIALECTS: dict[str, Dialect] = {**BUNDLES, "prefetch": prefetch}
