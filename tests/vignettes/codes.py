"""The codes the test patients are written with, by finding, site, analyte and study.

Every code is one of the project's terminology tables; a test asks the compiled terminology for each.
"""

from __future__ import annotations

from typing import Any

SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
HPO = "http://human-phenotype-ontology.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
NDC = "http://hl7.org/fhir/sid/ndc"
DMD = "dm+d"  # not a system: dm+d products carry SNOMED codes
UCUM = "http://unitsofmeasure.org"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"

# finding -> system -> (code, display). A system that is missing has no code for it in the tables.
FINDINGS: dict[str, dict[str, tuple[str, str]]] = {
    "fasciculation": {
        SNOMED: ("82470000", "Muscle fasciculation"),
        ICD_10_CM: ("R25.3", "Fasciculation"),
        HPO: ("HP:0002380", "Fasciculations"),
    },
    "weakness": {
        SNOMED: ("26544005", "Muscle weakness"),
        ICD_10_CM: ("M62.81", "Muscle weakness (generalized)"),
        HPO: ("HP:0001324", "Muscle weakness"),
    },
    "atrophy": {
        SNOMED: ("88092000", "Muscle atrophy"),
        ICD_10_CM: ("M62.50", "Muscle wasting and atrophy"),
        HPO: ("HP:0003202", "Skeletal muscle atrophy"),
    },
    "sensory-loss": {
        SNOMED: ("44077006", "Numbness"),
        ICD_10_CM: ("R20.0", "Anesthesia of skin"),
        HPO: ("HP:0033748", "Hypoesthesia"),
    },
    "tingling": {
        SNOMED: ("91019004", "Paresthesia"),
        ICD_10_CM: ("R20.2", "Paresthesia of skin"),
        HPO: ("HP:0003401", "Paresthesia"),
    },
    "pain": {
        SNOMED: ("68962001", "Muscle pain"),
        ICD_10_CM: ("M79.10", "Myalgia"),
        HPO: ("HP:0003326", "Myalgia"),
    },
    "cramps": {
        SNOMED: ("55300003", "Cramp"),
        ICD_10_CM: ("R25.2", "Cramp and spasm"),
        HPO: ("HP:0003394", "Muscle spasm"),
    },
    "coordination": {
        SNOMED: ("302289002", "Coordination problem"),
        ICD_10_CM: ("R27.9", "Lack of coordination"),
        HPO: ("HP:0002311", "Incoordination"),
    },
    "movement": {
        SNOMED: ("22325002", "Abnormal gait"),
        ICD_10_CM: ("R26.2", "Difficulty in walking"),
        HPO: ("HP:0001288", "Gait disturbance"),
    },
    "bulbar": {
        SNOMED: ("8011004", "Dysarthria"),
        ICD_10_CM: ("R13.10", "Dysphagia"),
        HPO: ("HP:0002483", "Bulbar signs"),
    },
    "breathing-difficulty": {SNOMED: ("267036007", "Dyspnea")},
    "orthopnea": {SNOMED: ("62744007", "Orthopnea")},
    "caffeine": {SNOMED: ("440491000124109", "Excessive caffeine intake")},
    "sleep": {
        SNOMED: ("130989002", "Sleep deprivation"),
        ICD_10_CM: ("Z72.820", "Sleep deprivation"),
        HPO: ("HP:0100785", "Insomnia"),
    },
    "stress": {SNOMED: ("73595000", "Stress"), ICD_10_CM: ("Z73.3", "Stress")},
    "exertion": {
        SNOMED: ("424805008", "Exercise above recommended level"),
        ICD_10_CM: ("X50.3XXA", "Overexertion from repetitive movements"),
    },
    "dehydration": {
        SNOMED: ("34095006", "Dehydration"),
        ICD_10_CM: ("E86.0", "Dehydration"),
        HPO: ("HP:0001944", "Dehydration"),
    },
    "tobacco": {SNOMED: ("77176002", "Smoker"), ICD_10_CM: ("F17.210", "Nicotine dependence, cigarettes")},
    "diabetes": {
        SNOMED: ("44054006", "Diabetes mellitus type 2"),
        ICD_10_CM: ("E11.9", "Type 2 diabetes mellitus"),
        HPO: ("HP:0005978", "Type II diabetes mellitus"),
    },
    "anxiety": {
        SNOMED: ("197480006", "Anxiety disorder"),
        ICD_10_CM: ("F41.9", "Anxiety disorder"),
        HPO: ("HP:0000739", "Anxiety"),
    },
    "motor-neuron-disease": {
        SNOMED: ("86044005", "Amyotrophic lateral sclerosis"),
        ICD_10_CM: ("G12.21", "Amyotrophic lateral sclerosis"),
    },
    "multiple-sclerosis": {
        SNOMED: ("24700007", "Multiple sclerosis"),
        ICD_10_CM: ("G35.D", "Multiple sclerosis, unspecified"),
    },
    "upper-motor-sign": {SNOMED: ("86854008", "Hyperreflexia"), HPO: ("HP:0001347", "Hyperreflexia")},
    "rigidity": {SNOMED: ("16046003", "Muscle rigidity"), HPO: ("HP:0002063", "Rigidity")},
    "stiffness": {SNOMED: ("249919003", "Muscle stiffness"), HPO: ("HP:0003552", "Muscle stiffness")},
    "low-tone": {SNOMED: ("398152000", "Hypotonia"), HPO: ("HP:0001252", "Hypotonia")},
    "lung-disease": {
        SNOMED: ("13645005", "Chronic obstructive lung disease"),
        ICD_10_CM: ("J44", "Other chronic obstructive pulmonary disease"),
        HPO: ("HP:0006510", "Chronic pulmonary obstruction"),
    },
    "heart-failure": {
        SNOMED: ("84114007", "Heart failure"),
        ICD_10_CM: ("I50", "Heart failure"),
        HPO: ("HP:0001635", "Congestive heart failure"),
    },
    "central-lesion": {
        SNOMED: ("195239002", "Late effects of cerebrovascular disease"),
        ICD_10_CM: ("I69", "Sequelae of cerebrovascular disease"),
    },
    "chronic-kidney-disease": {
        SNOMED: ("433144002", "Chronic kidney disease stage 3"),
        ICD_10_CM: ("N18.30", "Chronic kidney disease, stage 3 unspecified"),
        HPO: ("HP:0012622", "Chronic kidney disease"),
    },
    "kidney-failure": {
        SNOMED: ("105502003", "Dependence on renal dialysis"),
        ICD_10_CM: ("Z99.2", "Dependence on renal dialysis"),
    },
    "hypoparathyroidism": {
        SNOMED: ("36976004", "Hypoparathyroidism"),
        ICD_10_CM: ("E89.2", "Postprocedural hypoparathyroidism"),
        HPO: ("HP:0000829", "Hypoparathyroidism"),
    },
    "lithium-poisoning": {SNOMED: ("290802009", "Lithium poisoning")},
    "alcohol-withdrawal": {
        SNOMED: ("191480000", "Alcohol withdrawal syndrome"),
        ICD_10_CM: ("F10.23", "Alcohol dependence with withdrawal"),
    },
    "cholinergic-poisoning": {
        SNOMED: ("8260003", "Organophosphate poisoning"),
        ICD_10_CM: ("T60.0X", "Toxic effect of organophosphate and carbamate insecticides"),
    },
    "guillain-barre": {
        SNOMED: ("40956001", "Guillain-Barré syndrome"),
        ICD_10_CM: ("G61.0", "Guillain-Barre syndrome"),
        HPO: ("HP:0007131", "Acute demyelinating polyneuropathy"),
    },
    "cauda-equina": {
        SNOMED: ("192970008", "Cauda equina syndrome"),
        ICD_10_CM: ("G83.4", "Cauda equina syndrome"),
    },
    "arm-nerve": {
        SNOMED: ("57406009", "Carpal tunnel syndrome"),
        ICD_10_CM: ("G56.0", "Carpal tunnel syndrome"),
        HPO: ("HP:0012185", "Constrictive median neuropathy"),
    },
    "lumbosacral-radiculopathy": {
        SNOMED: ("2415007", "Lumbosacral radiculopathy"),
        ICD_10_CM: ("M54.17", "Radiculopathy, lumbosacral region"),
        HPO: ("HP:0011868", "Sciatica"),
    },
    "peripheral-neuropathy": {
        SNOMED: ("42345000", "Polyneuropathy"),
        ICD_10_CM: ("G62.9", "Polyneuropathy, unspecified"),
        HPO: ("HP:0001271", "Polyneuropathy"),
    },
    "thyroid-disease": {
        SNOMED: ("34486009", "Hyperthyroidism"),
        ICD_10_CM: ("E05.00", "Thyrotoxicosis with diffuse goiter without thyrotoxic crisis"),
        HPO: ("HP:0000836", "Hyperthyroidism"),
    },
    "hypokalemia": {
        SNOMED: ("43339004", "Hypokalemia"),
        ICD_10_CM: ("E87.6", "Hypokalemia"),
        HPO: ("HP:0002900", "Hypokalemia"),
    },
    "malabsorption": {
        SNOMED: ("396331005", "Celiac disease"),
        ICD_10_CM: ("K90.0", "Celiac disease"),
        HPO: ("HP:0002024", "Malabsorption"),
    },
}

# What is named but decides nothing: fatigue and drinking.
SHOWN: dict[str, dict[str, tuple[str, str]]] = {
    "fatigue": {
        SNOMED: ("84229001", "Fatigue"),
        ICD_10_CM: ("R53.83", "Fatigue"),
        HPO: ("HP:0012378", "Fatigue"),
    },
    "alcohol": {SNOMED: ("219006", "Current drinker of alcohol")},
}

# A twitch that HPO names with its place.
HPO_TWITCHES = {
    "eyelid": ("HP:0030826", "Eyelid fasciculation"),
    "tongue": ("HP:0001308", "Tongue fasciculations"),
}

# (site, side) -> SNOMED body structure; side None or "both": the structure without a side.
SITES: dict[tuple[str, str | None], tuple[str, str]] = {
    ("eyelid", None): ("80243003", "Eyelid structure"),
    ("upper-eyelid", None): ("38934000", "Upper eyelid structure"),
    ("lower-eyelid", None): ("62736007", "Lower eyelid structure"),
    ("face", None): ("89545001", "Face structure"),
    ("tongue", None): ("21974007", "Tongue structure"),
    ("upper-limb", None): ("53120007", "Upper limb structure"),
    ("forearm", None): ("14975008", "Forearm structure"),
    ("forearm", "right"): ("64262003", "Structure of right forearm"),
    ("hand", None): ("85562004", "Hand structure"),
    ("hand", "left"): ("85151006", "Structure of left hand"),
    ("hand", "right"): ("78791008", "Structure of right hand"),
    ("lower-limb", None): ("61685007", "Lower limb structure"),
    ("thigh", None): ("68367000", "Thigh structure"),
    ("thigh", "right"): ("11207009", "Structure of right thigh"),
    ("calf", None): ("53840002", "Structure of calf of leg"),
    ("calf", "right"): ("722116009", "Structure of calf of right lower leg"),
    ("shoulder", None): ("16982005", "Shoulder region structure"),
    ("trunk", None): ("22943007", "Trunk structure"),
}

COURSES = {
    "stable": ("58158008", "Stable"),
    "worsening": ("230993007", "Worsening"),
    "continuous": ("255238004", "Continuous"),
    "intermittent": ("7087005", "Intermittent"),
    "improving": ("385633008", "Improving"),
}

# Coded answers: (system, code, display).
YES_LOINC, NO_LOINC = (LOINC, "LA33-6", "Yes"), (LOINC, "LA32-8", "No")
YES_SNOMED, NO_SNOMED = (SNOMED, "373066001", "Yes"), (SNOMED, "373067005", "No")
PRESENT_SNOMED, ABSENT_SNOMED = (SNOMED, "52101004", "Present"), (SNOMED, "2667000", "Absent")

SMOKING_STATUS = (LOINC, "72166-2", "Tobacco smoking status")
SMOKES, NEVER_SMOKED = (SNOMED, "77176002", "Smoker"), (SNOMED, "266919005", "Never smoked tobacco")

ANALYTES = {
    "potassium": ("2823-3", "Potassium [Moles/volume] in Serum or Plasma"),
    "sodium": ("2951-2", "Sodium [Moles/volume] in Serum or Plasma"),
    "magnesium": ("2601-3", "Magnesium [Moles/volume] in Serum or Plasma"),
    "calcium": ("29265-6", "Calcium [Moles/volume] corrected for albumin"),
    "tsh": ("3016-3", "Thyrotropin [Units/volume] in Serum or Plasma"),
    "hba1c": ("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"),
    "calcium-total": ("2000-8", "Calcium [Moles/volume] in Serum or Plasma"),
    "calcium-ionised": ("1995-0", "Calcium.ionized [Moles/volume] in Serum or Plasma"),
    "albumin": ("1751-7", "Albumin [Mass/volume] in Serum or Plasma"),
    "lithium": ("14334-7", "Lithium [Moles/volume] in Serum or Plasma"),
    "creatine-kinase": ("2157-6", "Creatine kinase [Enzymatic activity/volume] in Serum or Plasma"),
    "egfr": ("98979-8", "Glomerular filtration rate [Volume Rate/Area] in Serum or Plasma"),
    "free-t4": ("14920-3", "Thyroxine (T4) free [Moles/volume] in Serum or Plasma"),
    "vitamin-b12": ("14685-2", "Cobalamin (Vitamin B12) [Moles/volume] in Serum or Plasma"),
    "phosphate": ("14879-1", "Phosphate [Moles/volume] in Serum or Plasma"),
}
# The analyte of a code whose name above says more than the analyte.
ANALYTE_OF = {"calcium-total": "calcium"}

STUDIES = {
    "emg": ("18749-2", "Electromyogram study"),
    "ncs": ("29755-6", "Nerve conduction study"),
    "mri-brain": ("24590-2", "MR Brain"),
}

REFERRALS = {"neurology-referral": ("183521007", "Referral to neurology service")}

# Names sodium, potassium and calcium, not magnesium.
BASIC_PANEL = (LOINC, "24321-2", "Basic metabolic 2000 panel - Serum or Plasma")

FLAGS = {"H": "High", "HH": "Critical high", "L": "Low", "LL": "Critical low", "N": "Normal"}


def coding(system: str, code: str, display: str) -> dict[str, Any]:
    """A FHIR Coding."""
    return {"system": system, "code": code, "display": display}


def concept(system: str, code: str, display: str) -> dict[str, Any]:
    """A FHIR CodeableConcept of one coding, with its display as text."""
    return {"coding": [coding(system, code, display)], "text": display}


def finding_concept(finding: str, *systems: str) -> dict[str, Any]:
    """The finding in the first of the systems that has a code for it."""
    table = FINDINGS.get(finding) or SHOWN[finding]
    for system in systems:
        if system in table:
            return concept(system, *table[system])
    raise KeyError(finding)


def site_concept(site: str, side: str | None) -> dict[str, Any]:
    """The body structure of that side, where the tables have one; else the one without a side."""
    return concept(SNOMED, *(SITES.get((site, side)) or SITES[site, None]))
