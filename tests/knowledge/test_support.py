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
        ("weakness-with-persistence-or-spread", "stated S000-106; interpreted A08 S000-72"),
        ("weakness", "stated S003-21 S004-32; interpreted S000-106 A07"),
        ("weakness-reported", "interpreted S003-21 A11"),
        ("atrophy", "stated S000-50 S003-23 S004-32; interpreted S000-106"),
        ("sensory-loss", "stated S000-50 S003-22; interpreted S000-20 S000-68 A08"),
        ("sensory-loss-reported", "interpreted S003-22 S004-32 A11"),
        ("tingling", "stated S003-22; interpreted A11"),
        ("coordination", "stated S000-23 S004-32; interpreted S000-70"),
        ("coordination-reported", "interpreted S004-32"),
        ("movement", "interpreted S003-24"),
        (
            "persistent",
            "stated S003-19 S004-29; interpreted S003-20 S000-53 A02; interpreted S000-71 S000-72;"
            " interpreted S003-03 A10",
        ),
        ("eyelid-long", "addition A02; addition A25"),
        (
            "widespread",
            "stated S003-25 S003-19 S004-30 S004-31; interpreted S000-46; interpreted S000-71 S000-72",
        ),
        ("pain", "stated S003-26 S004-32; interpreted S000-71"),
        ("nerve-root", "interpreted S004-22 S004-23 S004-24 A08"),
        ("diuretic-depleting", "stated S003-16 S003-17 S004-20; interpreted A18"),
        ("diuretic-sparing", "stated S003-16; interpreted S003-17"),
        ("corticosteroid", "stated S004-20; interpreted S000-25 A19"),
        ("beta-agonist", "stated S003-16 S004-20; interpreted A31"),
        ("antidepressant", "stated S004-19; interpreted S003-16"),
        ("stimulant", "stated S004-18; interpreted S000-27 A20"),
        ("dopaminergic", "stated S000-26; interpreted A22"),
        (
            "electrolyte-abnormal",
            "interpreted S000-15 S000-33 S000-100 S003-12 S003-13 S003-14; interpreted S000-34",
        ),
        ("electrolyte-critical", "addition A17"),
        ("b12-low", "interpreted S000-80 A26"),
        ("thyroid-abnormal", "interpreted S000-72 A15 A16"),
        ("thyroid-disease", "interpreted S000-72 A15"),
        ("malabsorption", "interpreted S000-80 S000-81 S000-82 S000-83"),
        ("family-history", "interpreted S000-52; addition A27"),
        ("multiple-sclerosis", "interpreted S000-22 S000-63 A23"),
        ("hyperexcitability", "interpreted S000-73 A24"),
        ("bulbar", "addition A03 A04 A13"),
        ("respiratory", "addition A03"),
        ("rapid-weakness", "addition A03"),
        ("progressive-weakness", "addition A03 A13"),
        ("weakness-and-atrophy", "addition A01 A04"),
        ("weakness-and-atrophy-worsening", "addition A01 A04"),
        ("child", "addition A28"),
        ("child-sign", "addition A28"),
        ("child-weakness", "addition A28"),
        (
            "self-care",
            "stated S000-56 S004-34;"
            " interpreted S000-12 S000-13 S000-14 S000-16 S000-37 S000-38 S000-40;"
            " interpreted S000-57 S000-58 S000-59 S003-27 S003-28 S003-32 S003-33 S003-35 S003-36",
        ),
        ("nothing-calls-for-tests", "interpreted S000-45 S000-47 S000-49 S000-51"),
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
        ("already-ordered", "S000-67"),
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
