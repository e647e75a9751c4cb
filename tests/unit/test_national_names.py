"""Keys of generic names, on made-up names."""

from __future__ import annotations

import pytest

from fhir_mappings.national_names import Folding, NationalNames, national_names_of

FOLDING = Folding(("um", "e", "a"), {"ph": "f", "y": "i", "h": ""}, {"esp": "sp"}, ("chlorid", "natrium"))
NAMES = {
    "phenylone": ("A",),
    "spirane": ("B",),
    "toxane": ("C",),
    "toxana": ("C",),
    "brando": ("D",),
    "alphene": ("E",),
    "alfene": ("F",),
}
GENERIC = set(NAMES) - {"brando"}


def names() -> NationalNames[str]:
    return national_names_of(FOLDING, NAMES, GENERIC)


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("phenylone", ("A",)),
        ("phenylon", ("A",)),
        ("phénylonum", ("A",)),
        ("fenilona", ("A",)),
        ("fenillona", ("A",)),
        ("espirana", ("B",)),
        ("toxan", ("C",)),
        ("phenylonchlorid", ("A",)),
        ("fenilonnatrium", ("A",)),
        ("spiranchlorid", ("B",)),
        # Accents and endings tell these two apart, letters do not.
        ("alphenum", ("E",)),
        ("alfenum", ("F",)),
        ("alfhena", ()),
        ("branda", ()),
        ("brando", ()),
        ("chlorid", ()),
        ("fenilonx", ()),
        ("xfenilon", ()),
        ("phenylon2", ()),
        ("e", ()),
        ("", ()),
        ("phenylon" * 9, ()),
    ],
)
def test_a_word_is_a_spelling_of_a_generic_name(word: str, found: tuple[str, ...]) -> None:
    assert names().of(word) == found


def test_names_of_different_meaning_share_no_key() -> None:
    torn = national_names_of(FOLDING, {"toxane": ("C",), "toxana": ("D",), "brand": ("E",)}, {"toxane"})
    assert torn.of("toxanum") == ()
    brand = national_names_of(FOLDING, {"toxane": ("C",), "toxana": ("D",)}, {"toxane", "toxana"})
    assert brand.of("toxanum") == ()


def test_without_names_nothing_is_found() -> None:
    nothing: NationalNames[str] = NationalNames()
    assert nothing.of("phenylone") == ()
    assert national_names_of(FOLDING, {}, ()).of("phenylone") == ()
