"""The traps of laboratory codes and units, by their number in the tables' notes."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from fhir_mappings.code_systems import LOINC
from tests.knowledge.terminologies import terminology

# --- 6: wrong codes


@pytest.mark.parametrize(
    ("code", "analyte"),
    [
        ("2601-3", "magnesium"),
        ("5763-8", "zinc"),
        ("11580-8", "tsh"),
        ("1989-3", "vitamin-d"),
        ("58941-6", None),
        # Ratios, isoenzymes, antibodies, other fluids: the look-alikes of the laboratory.
        ("49935-0", None),
        ("49936-8", None),
        ("83064-6", None),
        ("32673-6", None),
        ("13969-1", None),
        ("20569-0", None),
        ("49136-5", None),
        ("2154-3", None),
        ("2152-7", None),
        ("2155-0", None),
        ("28003-2", None),
        ("16525-8", None),
        ("13444-5", None),
        ("18281-6", None),
        ("34907-6", None),
        ("2171-7", None),
        ("15087-0", None),
        ("2729-2", None),
        ("5385-0", None),
        ("3721-8", None),
        ("25463-1", None),
        ("25462-3", None),
        ("9815-2", None),
        ("9358-3", None),
    ],
)
def test_6_laboratory(code: str, analyte: str | None) -> None:
    assert terminology().analyte_codes.get((LOINC, code)) == analyte


# --- 7: units and variants


@pytest.mark.parametrize(
    ("codes", "analyte"),
    [
        ({"2823-3", "6298-4"}, "potassium"),
        ({"2951-2", "2947-0"}, "sodium"),
        ({"17861-6", "2000-8", "49765-1", "29265-6"}, "calcium"),
        ({"17863-2", "1994-3", "17864-0"}, "calcium-ionised"),
        ({"19123-9", "2601-3"}, "magnesium"),
        ({"2600-5", "32698-3"}, "magnesium-ionised"),
        ({"14334-7", "3719-2", "25461-5"}, "lithium"),
        ({"1751-7", "54347-0"}, "albumin"),
        ({"2731-8", "14866-8"}, "parathyroid-hormone"),
        ({"72160-5"}, "holotranscobalamin"),
        ({"72903-8"}, "urea"),
        ({"3094-0", "14937-7"}, "urea-nitrogen"),
        ({"2098-2", "11154-2"}, "cholinesterase"),
        ({"5763-8", "14955-9"}, "zinc"),
        ({"2339-0"}, "glucose"),
        ({"38483-4"}, "creatinine"),
        ({"48642-3"}, "egfr"),
        ({"59261-8"}, "hba1c"),
    ],
)
def test_7_mass_molar_and_blood_variants_are_one_analyte(codes: set[str], analyte: str) -> None:
    assert {terminology().analyte_codes.get((LOINC, code)) for code in codes} == {analyte}


def test_7_red_cell_zinc_is_not_zinc() -> None:
    assert (LOINC, "5761-2") not in terminology().analyte_codes


@pytest.mark.parametrize(
    ("analyte", "unit", "value", "molar"),
    [
        ("calcium", "mg/dL", "14.0273", "3.5"),
        ("calcium", "mg/dL", "7.21404", "1.8"),
        ("calcium", "mEq/L", "7", "3.5"),
        ("calcium-ionised", "mg/dL", "4.0078", "1"),
        ("magnesium", "mg/dL", "0.9722", "0.4"),
        ("magnesium", "meq/L", "0.8", "0.4"),
        ("potassium", "mEq/L", "2.5", "2.5"),
        ("potassium", "mg/dL", "25.413895", "6.5"),
        ("sodium", "meq/l", "120", "120"),
        ("sodium", "10*-3.eq/L", "160", "160"),
        ("lithium", "mEq/L", "1.5", "1.5"),
        ("lithium", "mg/dL", "1.041", "1.5"),
        ("creatine-kinase", "ukat/L", "100", "6000"),
        ("creatine-kinase", "[iU]/L", "5000", "5000"),
        ("albumin", "g/dL", "3.4", "34"),
        ("egfr", "mL/min/{1.73_m2}", "14", "14"),
    ],
)
def test_7_units_convert_exactly(analyte: str, unit: str, value: str, molar: str) -> None:
    known = terminology().analytes[analyte]
    assert Fraction(value) * known.units[known.spellings.name_of(unit)] == Fraction(molar)


@pytest.mark.parametrize(
    ("analyte", "unit"),
    [("creatine-kinase", "ng/mL"), ("albumin", "umol/L"), ("albumin", "%"), ("egfr", "mL/min")],
)
def test_7_a_unit_without_an_exact_factor_has_none(analyte: str, unit: str) -> None:
    known = terminology().analytes[analyte]
    assert known.spellings.name_of(unit) not in known.units


def test_7_critical_limits_and_those_of_ionised_calcium_are_its_own() -> None:
    limits = {
        name: (one.critical_low, one.critical_high)
        for name, one in terminology().analytes.items()
        if one.critical_low is not None or one.critical_high is not None
    }
    assert limits == {
        "potassium": (Decimal("2.5"), Decimal("6.5")),
        "sodium": (Decimal("120"), Decimal("160")),
        "calcium": (Decimal("1.8"), Decimal("3.5")),
        "calcium-ionised": (Decimal("0.9"), Decimal("1.6")),
        "magnesium": (Decimal("0.4"), None),
        "lithium": (None, Decimal("1.5")),
        "creatine-kinase": (None, Decimal("5000")),
    }
    assert terminology().analytes["calcium-ionised"].counts_as == "calcium"


def test_7_a_default_range_lies_inside_the_critical_limits() -> None:
    ranged = [one for one in terminology().analytes.values() if one.default_low is not None]
    assert {one.id for one in ranged} == {"sodium", "potassium", "calcium", "magnesium"}
    for one in ranged:
        assert one.default_low is not None
        assert one.default_high is not None
        assert one.critical_low is not None
        assert one.critical_low < one.default_low < one.default_high
        assert one.critical_high is None or one.default_high < one.critical_high
