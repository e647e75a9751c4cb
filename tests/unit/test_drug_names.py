"""Names, codes and routes of medicines, on made-up tables."""

from __future__ import annotations

import pytest

from fhir_mappings.code_systems import ATC, NDC, SNOMED
from fhir_mappings.medication_tables import Ingredient, Medications
from fhir_mappings.resources.shapes import CodeableConcept, Coding
from fhir_mappings.to_findings.drug_names import named_by, ndc_spellings, routes_of, terms_in
from fhir_mappings.to_findings.medication_identity import Classed, classed

A, B, C = (Ingredient(name, f"class-{name}") for name in "abc")


def coded(system: str, code: str, tables: Medications) -> tuple[Ingredient, ...]:
    return named_by(CodeableConcept([Coding(system, code)]), tables).coded


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ab 10 mg", ["ab"]),
        ("AB CD", ["ab cd"]),
        ("x ab\n cd, ab", ["ab cd", "ab"]),
        ("cab", []),
        ("abc", []),
        ("ab2", []),
        ("co-ab/cd", ["cd", "ab"]),
        ("St. John’s wort", ["st. john's wort"]),
        ("ab-x", ["ab-x"]),
        ("", []),
        ("/-,", []),
        ("y " * 1_500 + "ab", []),
    ],
)
def test_terms_are_whole_words_the_longest_first(text: str, found: list[str]) -> None:
    terms = {"ab", "cd", "ab cd", "ab-x", "st. john's wort"}
    assert sorted(terms_in(text, terms)) == sorted(found)
    assert terms_in(text, terms) == sorted(terms_in(text, terms), key=len, reverse=True)


def test_the_longest_term_wins_over_one_that_begins_before_it() -> None:
    assert terms_in("one two three four", {"one two", "two three four"}) == ["two three four"]


@pytest.mark.parametrize(
    ("code", "spellings"),
    [
        ("01234567890", {"01234567890"}),
        ("1234-5678-90", {"01234567890"}),
        ("12345-678-90", {"12345067890"}),
        ("12345-6789-0", {"12345678900"}),
        ("12345-6789-01", {"12345678901"}),
        ("1234567890", {"01234567890", "12345067890", "12345678900"}),
        ("123456-789-01", set()),
        ("12345", set()),
        ("1234-abcd-90", set()),
        ("", set()),
        ("²234-5678-90", set()),
    ],
)
def test_ndc_has_eleven_digits(code: str, spellings: set[str]) -> None:
    assert set(ndc_spellings(code)) == spellings


def test_ten_digits_that_can_be_two_products_are_neither() -> None:
    clear = Medications(ndc={"01234567890": (A,)})
    torn = Medications(ndc={"01234567890": (A,), "12345067890": (B,)})
    assert coded(NDC, "1234567890", clear) == (A,)
    assert coded(NDC, "1234567890", torn) == ()


def test_the_longest_atc_prefix_counts() -> None:
    tables = Medications(atc={"X01": (A,), "X01B": (B,), "X01BA09": (C,), "X01A01": ()})
    assert coded(ATC, "X01BA09", tables) == (C,)
    assert coded(ATC, "X01BA08", tables) == (B,)
    assert coded(ATC, "x01c", tables) == (A,)
    assert coded(ATC, "X01A01", tables) == ()
    assert coded(ATC, "X02", tables) == ()
    assert coded(SNOMED, "X01BA09", tables) == ()


def test_a_route_is_read_by_code_and_else_by_words() -> None:
    tables = Medications(routes={(SNOMED, "1"): "oral"}, form_words={"eye": "ophthalmic", "nasal": "nasal"})
    assert routes_of(CodeableConcept([Coding(SNOMED, "1", "Eye")]), tables) == {"oral"}
    assert routes_of(CodeableConcept([Coding(SNOMED, "2", "Eye drops")]), tables) == {"ophthalmic"}
    assert routes_of(CodeableConcept(None, "Nasal"), tables) == {"nasal"}
    assert routes_of(None, tables) == frozenset()


def test_another_code_of_the_medicine_settles_what_a_route_would() -> None:
    open_ = [Ingredient("s", c, route_decides=True) for c in ("systemic", "local")]
    family = Ingredient("family of s", "systemic")
    assert classed([*open_, family], [], [], {}) == (
        Classed("family of s", frozenset({"systemic"})),
        Classed("s", frozenset({"systemic"})),
    )


@pytest.mark.parametrize("route_decides", [True, False])
def test_text_adds_nothing_to_an_ingredient_that_a_code_names(route_decides: bool) -> None:
    tablet = Ingredient("s", "systemic")
    other = Ingredient("s", "local", route_decides=route_decides)
    assert classed([tablet], [other, A], [], {}) == (
        Classed("a", frozenset({"class-a"})),
        Classed("s", frozenset({"systemic"})),
    )
