"""Generic names in the spellings of other languages, with the real tables."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from fhir_mappings.code_systems import RXNORM
from fhir_mappings.medication_tables import Medications
from fhir_mappings.resources.shapes import CodeableConcept
from fhir_mappings.to_findings.drug_names import named_by
from tests.knowledge.test_drug_recognition import classes, coding, read, terminology, text

ROOT = Path(__file__).parents[2]


def tables() -> Medications:
    return terminology().medications


SPELLINGS = {
    "furosemide": "Furosemid Furosemida furosemidum furosémide Furosemidi Furozemid furoszemid",
    "hydrochlorothiazide": "Hydrochlorothiazid Hidroclorotiazida Idroclorotiazide Hydrochlorotiazyd",
    "sertraline": "Sertralina Sertralin sertralinum szertralin Sertraliini",
    "prednisolone": "Prednisolon Prednisolona Prednizolon prednisolonum Prednisolonacetat",
    "prednisone": "Prednison Prednisona Prednizon",
    "cortisone": "Cortison Cortisona Kortison",
    "hydrocortisone": "Hydrocortison Hydrokortison Hidrocortisona Hydrokortyzon",
    "dexamethasone": "Dexamethason Dexametasona Deksametazon Dexaméthasone",
    "albuterol": "Salbutamolum Salbutamolo Salbutamolsulfat",
    "omeprazole": "Omeprazol Oméprazole Omeprazolum Omepratsoli",
    "pantoprazole": "Pantoprazol Pantoprazolnatrium",
    "metformin": "Metformina Metformine Metforminhydrochlorid",
    "escitalopram": "Escitalopramum Escytalopram Escitaloprám",
    "citalopram": "Citalopramum Cytalopram Citalopramhydrobromid",
    "amitriptyline": "Amitriptylin Amitriptilina Amitryptylina Amitriptylinhydrochlorid",
    "venlafaxine": "Venlafaxin Venlafaxina Wenlafaksyna",
    "fluoxetine": "Fluoxetin Fluoxetina Fluoksetyna Fluoksetiini",
    "methylphenidate": "Methylphenidat Metilfenidato Metylfenidat",
    "lisdexamfetamine": "Lisdexamfetamin Lisdexanfetamina",
    "spironolactone": "Spironolacton Espironolactona Spironolakton",
    "chlorthalidone": "Chlortalidon Clortalidona",
    "torsemide": "Torasemid Torasemida",
    "simvastatin": "Simvastatina Sinvastatina Simvastatine",
    "rosuvastatin": "Rosuvastatine Rosuwastatyna",
    "theophylline": "Theophyllin Teofilina Teofylline Théophylline",
    "pyridostigmine": "Pyridostigmin Piridostigmina Pyridostigminbromid",
    "succinylcholine": "Suxamethoniumchlorid Suxametonio",
    "lithium": "Litium Litio lítio Lithiumcarbonat",
    "levodopa": "Lévodopa Levodopum",
}


@pytest.mark.parametrize(("name", "word"), [(n, w) for n, words in SPELLINGS.items() for w in words.split()])
def test_a_name_in_another_language(name: str, word: str) -> None:
    (drug,) = read(text(word))
    assert (drug.name, drug.recognised) == (name, True)
    assert drug.classes == {c for d in read(text(name)) for c in d.classes}


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("FUROSEMID 40 mg Tabletten", {"furosemide"}),
        ("Furosemid-Natrium", {"furosemide"}),
        ("Furosemid-ratiopharm® 40 mg", {"furosemide"}),
        ("sertralina clorhidrato 50mg comp.", {"sertraline"}),
        ("Cloridrato de sertralina", {"sertraline"}),
        ("Carbonato de lítio 300 mg", {"lithium"}),
        ("furose\u0301mide", {"furosemide"}),
        ("Triamteren/Hydrochlorothiazid 50/25", {"triamterene", "hydrochlorothiazide"}),
        ("Spironolacton + Furosemid", {"spironolactone", "furosemide"}),
        ("Salmeterol/Fluticasonpropionat", {"salmeterol", "fluticasone"}),
        ("Ramipril und Hydrochlorothiazid", {"ramipril", "hydrochlorothiazide"}),
        ("Losartana + hidroclorotiazida", {"losartana", "hydrochlorothiazide"}),
    ],
)
def test_it_stands_among_other_words(name: str, names: set[str]) -> None:
    drugs = read(text(name))
    assert {drug.name for drug in drugs} == names
    assert all(drug.recognised for drug in drugs)
    assert {drug.name for drug in read(coding("urn:local", "1", name))} == names


def test_the_assessment_shows_the_words_of_the_record() -> None:
    (drug,) = read(text("Furosemid 40 mg"))
    assert drug.why.endswith('before the twitch began; recorded as "Furosemid 40 mg"')
    for exact in (text("Furosemide 40 mg"), text("Lasix"), {**coding(RXNORM, "4603"), "text": "Furosemid"}):
        assert [d.why.endswith("before the twitch began") for d in read(exact)] == [True]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Hydrocortison Creme 1 %", {"corticosteroid-topical-local"}),
        ("hydrocortisone crème", {"corticosteroid-topical-local"}),
        ("Prednisolon Augentropfen", {"corticosteroid-topical-local"}),
        ("Prednisolona colirio", {"corticosteroid-topical-local"}),
        ("Prednisolon Tabletten 5 mg", {"corticosteroid-systemic"}),
        ("Dexaméthasone 4 mg comprimé", {"corticosteroid-systemic"}),
        ("Budesonid Nasenspray", {"corticosteroid-topical-local"}),
        ("Budesonid Inhalationspulver", {"corticosteroid-inhaled"}),
        ("Prednisolon", {"corticosteroid-systemic", "corticosteroid-topical-local"}),
    ],
)
def test_the_form_decides_as_in_english(name: str, expected: set[str]) -> None:
    assert classes(text(name)) == expected


def test_a_code_goes_before_the_words() -> None:
    concept = {**coding("http://www.whocc.no/atc", "C03CA01"), "text": "Furosemid 40 mg"}
    assert [drug.name for drug in read(concept)] == ["furosemide"]


@pytest.mark.parametrize("name", ["Losartán 50 mg", "Losartana", "Lisinoprilum", "Enalaprilo", "Ramiprilum"])
def test_what_raises_potassium(name: str) -> None:
    assert any(drug.raises_potassium for drug in read(text(name)))


@pytest.mark.parametrize(
    "name",
    [
        "Kein Furosemid",
        "Furosemid (abgesetzt)",
        "Furosemid, nimmt nicht mehr",
        "sin furosemida",
        "Furosemida (suspendida)",
        "pas de furosémide",
        "Furosemid seponeret",
        "Allergie: Furosemid",
        "Geen furosemide",
    ],
)
def test_what_is_denied_in_that_language_is_not_taken(name: str) -> None:
    assert read(text(name)) == ()


# --- safely


def test_no_key_is_that_of_another_ingredient() -> None:
    medications = tables()
    for number, table in enumerate((medications.national.plain, medications.national.lettered)):
        meanings = defaultdict(set)
        for name, ingredients in medications.terms.items():
            key = medications.national.folding.keys(name)[number]
            meanings[key].add(frozenset(ingredients))
        assert {key for key in table if len(meanings[key]) > 1} == set()


def test_nearly_every_generic_name_has_a_key() -> None:
    medications = tables()
    generic = [n for n, found in medications.terms.items() if any(i.name == n for i in found) and n.isalpha()]
    assert len(generic) > 280
    assert [name for name in generic if not medications.national.of(name)] == []


def test_no_other_word_of_the_knowledge_becomes_a_medicine() -> None:
    """Brands, names of findings and tests, and all words of the docs and the tables of words."""
    medications = tables()
    files = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("service/knowledge/data/**/*.yaml")]
    words = {
        word for path in files for word in re.findall(r"[^\W\d_]+", path.read_text(encoding="utf-8").lower())
    }
    assert len(words) > 5_000
    known = {word for name in medications.terms for word in re.findall(r"[^\W_]+", name)}
    assert {w for w in words - known if medications.national.of(w)} <= spelled_here()


def spelled_here() -> set[str]:
    """The examples in the docs and in the comments of the table."""
    german = {"furosemid", "hydrochlorothiazid", "pyridostigminbromid"}
    return german | {"furosemidum", "furosemida", "fluoksetyna", "wenlafaksyna"}


# Ingredients of other classes, from the index of the ATC: fabkury/atcd 1e92aec.
OTHERS = """
acetylsalicylic acid acetylcysteine acyclovir allopurinol alprazolam ambroxol amlodipine amoxicillin
apixaban aripiprazole atenolol azathioprine azithromycin baclofen betahistine betaxolol bezafibrate
bisoprolol bromazepam buprenorphine buspirone calcitonin candesartan captopril carbamazepine carbidopa
carvedilol cefuroxime celecoxib cetirizine chlorpromazine chlorpheniramine chloroquine cholecalciferol
ciclosporin cimetidine cinnarizine ciprofloxacin clarithromycin clonazepam clonidine clopidogrel
clotrimazole clozapine codeine colchicine cyanocobalamin cyproterone dabigatran dapagliflozin diazepam
diclofenac digoxin diltiazem dipyridamole domperidone doxazosin doxycycline dutasteride empagliflozin
enalapril enoxaparin erythromycin estradiol ezetimibe famotidine felodipine fenofibrate fentanyl
fexofenadine finasteride flecainide fluconazole flupentixol fluphenazine folic acid gabapentin
gemfibrozil gliclazide glimepiride haloperidol heparin hydralazine hydroxychloroquine hydroxyzine
ibuprofen insulin irbesartan isoniazid isosorbide ivabradine ketamine ketoconazole ketoprofen lacosamide
lamotrigine latanoprost lercanidipine levetiracetam levocetirizine levofloxacin levomepromazine
levothyroxine lidocaine linagliptin lisinopril loperamide loratadine lorazepam losartan
medroxyprogesterone melatonin melperone memantine mesalazine metamizole methadone methotrexate methyldopa
metoclopramide metoprolol metronidazole mirabegron morphine mycophenolate naproxen nifedipine
nitrofurantoin nitroglycerin norethisterone nystatin olanzapine olmesartan ondansetron oxazepam
oxybutynin oxycodone paracetamol pentoxifylline perindopril phenobarbital phenprocoumon phenytoin
pioglitazone pipamperone pirenzepine piroxicam pregabalin prednimustine progesterone promethazine
propranolol propylthiouracil pyridoxine quetiapine quinine raloxifene ramipril ranitidine rifampicin
risperidone rivaroxaban ropivacaine semaglutide sildenafil silodosin sitagliptin sotalol sulfasalazine
sulpiride sumatriptan tadalafil tamoxifen tamsulosin telmisartan terazosin testosterone thiamazole
thiamine tizanidine tolperisone tolterodine topiramate tramadol trihexyphenidyl valproate valsartan
vancomycin verapamil vildagliptin warfarin xylometazoline zolpidem zopiclone corticosterone cortisol
tiazofurin fluorouracil flurazepam hydrocodone hydromorphone chlorambucil thiopental trimetazidine
prednival
"""


@pytest.mark.parametrize("ending", ["", "um", "a", "o", "i"])
def test_no_other_ingredient_becomes_a_medicine(ending: str) -> None:
    words = [word.removesuffix("e") + ending for word in OTHERS.split()]
    assert [word for word in words if tables().national.of(word)] == []


@pytest.mark.parametrize(
    "words",
    [
        "take with a glass of water and a little salt, one sachet in the morning",
        "mit etwas Wasser nach dem Essen einnehmen",
        "one litre bottle, lit, lite, litter, liter, limit, lithography, litany",
        "cafe, concert, propeller, symbicorta, prozaca, ritalina",
        "natrium chloratum, kalium, calcium carbonicum, magnesium citrat, Hydrochlorid, sulfat",
    ],
)
def test_no_common_word_becomes_a_medicine(words: str) -> None:
    assert named_by(CodeableConcept(text=words), tables()).written == ()
