"""The codes and the words the test patients' medicines are written with.

Every code is one of the project's terminology tables; a test asks the compiled terminology for each.
"""

from __future__ import annotations

from typing import Any

from tests.vignettes.codes import ATC, DMD, NDC, RXNORM, SNOMED, concept

# drug -> code system -> (code, display). Levothyroxine belongs to no class of the tables: it and metformin
# are written as text in every dialect.
DRUGS: dict[str, dict[str, tuple[str, str]]] = {
    "hydrochlorothiazide": {
        RXNORM: ("310798", "hydrochlorothiazide 25 MG Oral Tablet"),
        ATC: ("C03AA03", "hydrochlorothiazide"),
        SNOMED: ("387525002", "Hydrochlorothiazide"),
        NDC: ("00172-2083-60", "Hydrochlorothiazide 25 mg"),
    },
    "budesonide": {
        RXNORM: ("966527", "60 ACTUAT budesonide 0.09 MG/ACTUAT Dry Powder Inhaler"),
        ATC: ("R03BA02", "budesonide"),
        SNOMED: ("395726003", "Budesonide"),
        DMD: ("35912411000001100", "Budesonide 200micrograms/dose dry powder inhaler"),
    },
    "escitalopram": {
        RXNORM: ("349332", "escitalopram 10 MG Oral Tablet"),
        ATC: ("N06AB10", "escitalopram"),
        SNOMED: ("400447003", "Escitalopram"),
        DMD: ("24599011000001102", "Escitalopram 10mg tablets"),
    },
    "riluzole": {
        RXNORM: ("199206", "riluzole 50 MG Oral Tablet"),
        ATC: ("N07XX02", "riluzole"),
        SNOMED: ("386980005", "Riluzole"),
        DMD: ("15213011000001101", "Riluzole 50mg tablets"),
    },
    "furosemide": {
        RXNORM: ("313988", "furosemide 40 MG Oral Tablet"),
        ATC: ("C03CA01", "furosemide"),
        SNOMED: ("387475002", "Furosemide"),
        DMD: ("100611000001101", "Furosemide 40mg tablets"),
    },
    "prednisone": {
        RXNORM: ("312617", "prednisone 5 MG Oral Tablet"),
        ATC: ("H02AB07", "prednisone"),
        SNOMED: ("116602009", "Prednisone"),
    },
    "lithium": {
        RXNORM: ("197889", "lithium carbonate 300 MG Oral Capsule"),
        ATC: ("N05AN01", "lithium"),
        SNOMED: ("387095003", "Lithium carbonate"),
        DMD: ("30760011000001108", "Lithium carbonate 250mg tablets"),
    },
    "indapamide": {
        RXNORM: ("197816", "indapamide 2.5 MG Oral Tablet"),
        ATC: ("C03BA11", "indapamide"),
        SNOMED: ("387419003", "Indapamide"),
        DMD: ("10380011000001106", "Indapamide 2.5mg tablets"),
    },
    "spironolactone": {
        RXNORM: ("200820", "spironolactone 25 MG Oral Tablet [Aldactone]"),
        ATC: ("C03DA01", "spironolactone"),
        SNOMED: ("387078006", "Spironolactone"),
        DMD: ("11010911000001104", "Spironolactone 25mg tablets"),
    },
    "salbutamol": {
        RXNORM: ("1360016", "albuterol 0.09 MG/ACTUAT Metered Dose Inhaler [Ventolin]"),
        ATC: ("R03AC02", "salbutamol"),
        SNOMED: ("372897005", "Salbutamol"),
        DMD: ("10432311000001108", "Salbutamol 100micrograms/dose inhaler"),
    },
    "sertraline": {
        RXNORM: ("312941", "sertraline 50 MG Oral Tablet"),
        ATC: ("N06AB06", "sertraline"),
        SNOMED: ("372594008", "Sertraline"),
        DMD: ("10295311000001108", "Sertraline 50mg tablets"),
    },
    "methylphenidate": {
        RXNORM: ("1091150", "methylphenidate hydrochloride 10 MG Oral Tablet"),
        ATC: ("N06BA04", "methylphenidate"),
        DMD: ("11484211000001107", "Methylphenidate 20mg modified-release tablets"),
    },
    "levodopa": {
        RXNORM: ("105034", "Levodopa 125 MG Oral Capsule"),
        ATC: ("N04BA01", "levodopa"),
        SNOMED: ("387086006", "Levodopa"),
        DMD: ("4014711000001101", "Levodopa 500mg tablets"),
    },
    "pyridostigmine": {
        RXNORM: ("903857", "pyridostigmine bromide 60 MG Oral Tablet"),
        ATC: ("N07AA02", "pyridostigmine"),
        SNOMED: ("373344003", "Pyridostigmine"),
        DMD: ("19921611000001105", "Pyridostigmine bromide 60mg tablets"),
    },
    "omeprazole": {
        RXNORM: ("198051", "omeprazole 20 MG Delayed Release Oral Capsule"),
        ATC: ("A02BC01", "omeprazole"),
        SNOMED: ("387137007", "Omeprazole"),
        DMD: ("10300411000001101", "Omeprazole 20mg gastro-resistant capsules"),
    },
    "atorvastatin": {
        RXNORM: ("617310", "atorvastatin 20 MG Oral Tablet"),
        ATC: ("C10AA05", "atorvastatin"),
        SNOMED: ("373444002", "Atorvastatin"),
        DMD: ("19719311000001104", "Lipitor 10mg chewable tablets"),
    },
}

# Read as inhaled; every other medicine here is taken by mouth. SNOMED substances say nothing of the route.
INHALED = frozenset({"budesonide", "salbutamol"})
ROUTES = {"oral": ("26643006", "Oral route"), "inhaled": ("447694001", "Respiratory tract route")}

# A medicine as people type it.
DRUG_TEXTS = {
    "hydrochlorothiazide": "HCTZ 25 mg tab, 1 each morning",
    "budesonide": "Budesonide 200 microgram inhaler, two puffs daily",
    "escitalopram": "ESCITALOPRAM 10mg tablets",
    "riluzole": "Rilutek 50 mg tablet twice daily",
    "furosemide": "furosemide 40mg od",
    "prednisone": "Prednisone 5 mg tablets, 6 daily",
    "levothyroxine": "Levothyroxine 100 microgram tablets",
    "metformin": "Metformin 1 g twice daily",
    "lithium": "Lithium carbonate 400 mg tablets, 2 at night",
    "indapamide": "indapamide 2.5mg om",
    "spironolactone": "Spironolactone 25 mg tablet once daily",
    "salbutamol": "Salbutamol 100 microgram inhaler as needed",
    "sertraline": "SERTRALINE 50mg tablets",
    "methylphenidate": "Methylphenidate 10 mg tablets",
    "levodopa": "Levodopa 125 mg capsules three times daily",
    "pyridostigmine": "Pyridostigmine 60 mg tablets, 4 daily",
    "omeprazole": "omeprazole 20 mg caps",
    "atorvastatin": "Atorvastatin 20 mg tablets nocte",
}


def drug_concept(drug: str, *systems: str) -> dict[str, Any]:
    """The medicine in the first of the systems that has a code for it; none has: its text."""
    for system in systems:
        if system in DRUGS.get(drug, {}):
            return concept(SNOMED if system == DMD else system, *DRUGS[drug][system])
    return {"text": DRUG_TEXTS[drug]}
