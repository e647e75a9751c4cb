"""What every row and removal rests on, as the decision model says: "stated", "interpreted" or "addition".

Changing a citation or its reading is a clinical change: it is made here too, by whoever has read the claim.
"""

from __future__ import annotations

import pytest

from service.knowledge import load_knowledge

TABLE = load_knowledge().table


@pytest.mark.parametrize(
    ("row", "support"),
    [
        ("not-examined", "interpreted S000-49 A01"),
        (
            "weakness",
            "stated S003-21 S004-32;"
            " stated S000-106;"
            " interpreted A08 S000-72;"
            " addition A01 A03;"
            " addition A07",
        ),
        ("weakness-reported", "interpreted S003-21 A11"),
        ("atrophy", "stated S000-50 S003-23 S004-32; interpreted S000-106; addition A07"),
        ("atrophy-reported", "interpreted S003-23 A11"),
        ("atrophy-persistent", "addition A01"),
        ("sensory-loss", "stated S000-50 S003-22; interpreted S000-20 S000-68 S000-80 A08 A14 A42"),
        ("sensory-loss-reported", "interpreted S003-22 S004-32 A11"),
        ("tingling", "stated S003-22; interpreted A11"),
        ("coordination", "stated S000-23 S004-32; interpreted S000-70"),
        ("coordination-reported", "interpreted S004-32"),
        ("movement", "interpreted S003-24"),
        (
            "persistent",
            "stated S003-19 S004-29;"
            " interpreted S003-20 S000-53;"
            " interpreted S000-71 S000-72;"
            " interpreted S003-03 A01 A10",
        ),
        ("eyelid-long", "addition A02; addition A25"),
        ("widespread", "stated S003-25; interpreted S000-46 S000-71 S000-72; interpreted A09 A10"),
        ("progressing", "stated S003-19 S004-30 S004-31; interpreted S000-54 S000-71 S000-72"),
        ("progressing-normal", "interpreted S003-19"),
        ("pain", "stated S003-26 S004-32; interpreted S000-71 A43"),
        ("nerve-irritation", "stated S004-22 S004-23 S004-24; interpreted A15"),
        ("diuretic-depleting", "stated S003-16 S003-17 S004-20; interpreted A18"),
        ("diuretic-sparing", "stated S003-16; interpreted S003-17"),
        ("corticosteroid", "stated S004-20; interpreted S000-25 A19"),
        ("beta-agonist", "stated S003-16 S004-20; interpreted A31"),
        ("antidepressant", "stated S004-19; interpreted S003-16"),
        ("antidepressant-stopped", "addition A21"),
        ("stimulant", "stated S004-18; interpreted S000-27 A20"),
        ("dopaminergic", "stated S000-26; interpreted A22"),
        ("lithium", "addition A15 A37"),
        ("cholinesterase-inhibitor", "addition A15"),
        ("lithium-high", "addition A37"),
        ("lithium-toxicity", "addition A37"),
        ("electrolyte-abnormal", "interpreted S000-15 S000-33 S000-100 S003-12 S003-13 S003-14"),
        ("electrolyte-abnormal-old", "interpreted S000-15 S000-33 S000-100 S003-12 S003-13 S003-14"),
        ("electrolyte-drug", "interpreted S000-34; interpreted A18 A30"),
        ("electrolyte-disorder", "interpreted S000-15 S000-33"),
        ("electrolyte-disorder-old", "interpreted S000-15 S000-33"),
        ("electrolyte-critical", "addition A17 A43"),
        ("muscle-breakdown", "addition A40"),
        ("muscle-breakdown-statin", "addition A40"),
        ("critical-result", "addition A17"),
        ("kidney-failure", "interpreted S000-34"),
        ("kidney-failure-new", "interpreted S000-34"),
        ("parathyroid-disease", "interpreted S000-31 A43"),
        ("b12-low", "interpreted S000-80 A26"),
        ("thyroid-abnormal", "interpreted S000-72 A15 A16"),
        ("thyroid-abnormal-old", "interpreted S000-72"),
        ("thyroid-disease", "interpreted S000-72 A15"),
        ("malabsorption", "interpreted S000-80 S000-81 S000-82 S000-83"),
        ("family-history", "interpreted S000-51 S000-52; addition A27"),
        ("multiple-sclerosis", "interpreted S000-22 A23"),
        ("multiple-sclerosis-sign", "interpreted S000-22 S000-63 A23"),
        ("known-neuromuscular", "interpreted S000-20"),
        ("known-neuromuscular-sign", "interpreted S000-20"),
        ("hyperexcitability", "interpreted S000-73 A24"),
        ("upper-motor-sign", "addition A04"),
        ("upper-motor-sign-ms", "addition A04 A23"),
        ("upper-motor-sign-and-weakness", "addition A04 A05 A41"),
        ("rigidity", "addition A01"),
        ("bulbar", "addition A03 A04 A41"),
        ("bulbar-named", "addition A04"),
        ("eyelid-old-bulbar", "addition A03"),
        ("respiratory", "addition A03 A41"),
        ("respiratory-with-other-cause", "addition A03 A41"),
        ("emergency-diagnosis", "addition A38 A03"),
        ("cholinergic", "addition A38"),
        ("withdrawal", "addition A44"),
        ("rapid-weakness", "addition A03 A41"),
        ("rapid-weakness-reported", "addition A03"),
        ("progressive-weakness", "addition A03 A04 A41"),
        ("weakness-and-atrophy", "addition A01 A04 A41"),
        ("child", "addition A28"),
        ("child-sign", "addition A28"),
        ("child-weakness", "addition A28"),
        ("child-tone", "addition A28"),
        ("new-after-60", "addition A09"),
        (
            "self-care",
            "stated S000-56 S004-34;"
            " interpreted S000-12 S000-13 S000-14 S000-16 S000-37 S000-38 S000-40;"
            " interpreted S000-57 S000-58 S000-59 S003-27 S003-28 S003-32 S003-33 S003-35 S003-36",
        ),
        ("nothing-calls-for-tests", "interpreted S000-45 S000-47 S000-49"),
        ("benign", "interpreted S000-45 S000-47 S000-49 S000-51 S000-52"),
    ],
)
def test_a_row(row: str, support: str) -> None:
    found = TABLE.row(row)
    assert found is not None
    assert "; ".join(f"{part.reading} {' '.join(part.ids)}" for part in found.support) == support


@pytest.mark.parametrize(
    ("removal", "claims"),
    [
        ("already-done", "S000-67"),
        ("abnormal-is-acted-on", "A17 S000-100"),
        ("normal-since-onset", "A10 S000-67"),
        ("already-ordered", "S000-67 A41"),
        ("seen-by-neurology", "S000-67"),
        ("examination-first", "A11 A41"),
        ("thyroid-not-beside-today", "A41"),
        ("self-care-gate", "S000-56 S004-34 S000-105"),
        ("self-care-filter", "A30 S000-84 S003-30 S003-31 S003-38 S004-40"),
        ("medication-review-by-prescriber", "S000-28 S003-39 S003-40 S004-21 A20 A21"),
        ("stress-lowers-nothing", "S000-78"),
        ("no-motor-neuron-disease-for-twitching-alone", "S000-19 A01 A05 A12"),
        ("safety-net", "S003-20 S000-53 S000-54"),
        ("child", "A28"),
    ],
)
def test_a_removal(removal: str, claims: str) -> None:
    assert [" ".join(found.claims) for found in TABLE.removals if found.id == removal] == [claims]
