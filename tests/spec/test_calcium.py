"""Section 1, Calcium: which result decides, and a total adjusted by the albumin of its day."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction
from typing import Any

import pytest

from fhir_mappings.record import Result
from tests.spec.records import KNOWLEDGE, as_of, concept, read
from tests.spec.test_results import CA, CA_IONISED, CRITICAL, IN, LOINC, NOT, OUT, lab

ADJUSTED, ADJUSTED_MASS, MASS, ALBUMIN = "29265-6", "46099-8", "17861-6", "1751-7"


def total(value: str | None = "2.3", unit: str | None = "mmol/L", **more: Any) -> dict[str, Any]:
    return lab(CA, value, unit, id=more.pop("id", "total"), **more)


def adjusted(value: str | None = "2.3", **more: Any) -> dict[str, Any]:
    return lab(ADJUSTED, value, id=more.pop("id", "adjusted"), **more)


def ionised(value: str | None = "1.2", **more: Any) -> dict[str, Any]:
    return lab(CA_IONISED, value, id=more.pop("id", "ionised"), **{"low": 1.1, "high": 1.3, **more})


def albumin(value: str | None = "40", unit: str | None = "g/L", **more: Any) -> dict[str, Any]:
    return lab(ALBUMIN, value, unit, id=more.pop("id", "albumin"), **more)


def calciums(*resources: dict[str, Any]) -> list[Result]:
    """The deciding results, the same in every order of the resources."""
    found = [
        [result for result in read(*order).results if result.analyte in ("calcium", "calcium-ionised")]
        for order in itertools.islice(itertools.permutations(resources), 24)
    ]
    assert all(one == found[0] for one in found)
    return found[0]


def deciding(*resources: dict[str, Any]) -> Result:
    (result,) = calciums(*resources)
    return result


@pytest.mark.parametrize(
    ("made", "analyte", "kind"),
    [
        ((total(),), "calcium", "total"),
        ((total(), albumin()), "calcium", "adjusted-by-albumin"),
        ((total(), albumin(), adjusted()), "calcium", "adjusted"),
        ((total(), albumin(), adjusted(), ionised()), "calcium-ionised", "ionised"),
        ((total(), ionised()), "calcium-ionised", "ionised"),
        ((adjusted(),), "calcium", "adjusted"),
        ((lab(ADJUSTED_MASS, "9.2", "mg/dL"), total()), "calcium", "adjusted"),
        # the newest day with any calcium, whatever its kind
        ((total(), ionised(when=as_of(2))), "calcium", "total"),
        ((total(when=as_of(2)), adjusted(), ionised(when=as_of(3))), "calcium", "adjusted"),
        # an albumin of another day adjusts nothing, nor does one that cannot be read
        ((total(), albumin(when=as_of(2))), "calcium", "total"),
        ((total(), albumin(when=as_of(0))), "calcium", "total"),
        ((total(), albumin("40", "furlong")), "calcium", "total"),
        ((total(), albumin("40", None)), "calcium", "total"),
        ((total(), albumin("<20")), "calcium", "total"),
        ((total(), albumin(None)), "calcium", "total"),
        ((total(), albumin(status="preliminary")), "calcium", "total"),
        ((total(), albumin(status="entered-in-error")), "calcium", "total"),
        # a total in a unit that is not known cannot be adjusted
        ((total("2.3", "furlong", flag="N"), albumin()), "calcium", "total"),
        ((total("2.3", None, flag="N"), albumin()), "calcium", "total"),
    ],
)
def test_which_calcium_decides(made: tuple[dict[str, Any], ...], analyte: str, kind: str) -> None:
    result = deciding(*made)
    assert (result.analyte, result.kind) == (analyte, kind)


@pytest.mark.parametrize("code", ["2823-3", "2951-2", "2601-3", ALBUMIN])
def test_no_other_analyte_has_a_kind(code: str) -> None:
    (result,) = read(lab(code, "4")).results
    assert (result.kind, result.albumin, result.measured) == ("", "", "")


@pytest.mark.parametrize(
    ("measured", "by", "number", "band"),
    [
        # total + 0.02 x (40 - albumin), against 2.10 to 2.60
        ("2.3", "40", "2.3", IN),
        ("1.9", "20", "2.3", IN),
        ("1.7", "20", "2.1", IN),
        ("1.69", "20", "2.09", OUT),
        ("2.2", "20", "2.6", IN),
        ("2.21", "20", "2.61", OUT),
        ("2.3", "50", "2.1", IN),
        ("2.3", "50.5", "2.09", OUT),
        # critical at 1.8 and 3.5 after the adjustment, not before it
        ("1.8", "40", "1.8", CRITICAL),
        ("1.81", "40", "1.81", OUT),
        ("1.4", "20", "1.8", CRITICAL),
        ("1.41", "20", "1.81", OUT),
        ("1.8", "25", "2.1", IN),
        ("1.9", "45", "1.8", CRITICAL),
        ("3.5", "40", "3.5", CRITICAL),
        ("3.49", "40", "3.49", OUT),
        ("3.1", "20", "3.5", CRITICAL),
        ("3.09", "20", "3.49", OUT),
        ("3.5", "41", "3.48", OUT),
    ],
)
def test_a_total_adjusted_by_albumin(measured: str, by: str, number: str, band: Any) -> None:
    result = deciding(total(measured), albumin(by))
    assert (result.text, result.measured, result.albumin, result.band) == (
        number,
        measured,
        f"{by} g/L",
        band,
    )
    assert str(result.canonical) == str(result.value) == number
    assert result.reference == "Observation/total"


def test_albumin_in_grams_per_decilitre() -> None:
    result = deciding(total("1.9"), albumin("2.0", "g/dL"))
    assert (result.text, result.albumin) == ("2.3", "2.0 g/dL")


def test_a_total_by_mass_stays_in_its_unit() -> None:
    # 0.02 mmol/L for each g/L are 0.0801560 mg/dL.
    result = deciding(lab(MASS, "7.0", "mg/dL", id="total"), albumin("2.0", "g/dL"))
    assert (result.text, result.unit, result.measured) == ("8.603", "mg/dL", "7.0")
    assert float(result.canonical or 0) == pytest.approx(7 * 10 / 40.078 + 0.4)


def test_its_own_range_judges_the_adjusted_number() -> None:
    own = {"low": 2.2, "high": 2.55}
    assert deciding(total("1.79", **own), albumin("20")).band is OUT
    assert deciding(total("1.8", **own), albumin("20")).band is IN
    assert deciding(total("2.15", **own), albumin("20")).band is IN
    assert deciding(total("2.16", **own), albumin("20")).band is OUT
    in_text = {"referenceRange": [{"text": "2.2 - 2.55"}]}
    assert deciding(total("1.79", **in_text), albumin("20")).band is OUT
    assert deciding(total("1.8", **in_text), albumin("20")).band is IN


@pytest.mark.parametrize("flag", ["L", "LL", "N", "H", "AA", "*"])
def test_the_flag_of_the_total_is_ignored(flag: str) -> None:
    low_albumin, low_total = albumin("20"), total("1.9", flag=flag)
    result = deciding(low_total, low_albumin)
    assert (result.band, result.flag, result.low) == (IN, None, None)
    assert not [note for note in read(low_total, low_albumin).not_understood if "total" in note.reference]


@pytest.mark.parametrize(("flag", "band"), [("L", OUT), ("LL", CRITICAL), ("N", IN), ("?", NOT)])
def test_the_flag_of_a_total_without_an_albumin_counts(flag: str, band: Any) -> None:
    assert deciding(total("2.3", flag=flag)).band is band


@pytest.mark.parametrize(
    ("value", "band"), [("1.8", CRITICAL), ("1.81", OUT), ("2.1", IN), ("3.49", OUT), ("3.5", CRITICAL)]
)
def test_the_same_limits_for_adjusted_and_for_total(value: str, band: Any) -> None:
    assert deciding(total(value)).band is band
    assert deciding(adjusted(value)).band is band


@pytest.mark.parametrize(
    ("value", "band"), [("0.9", CRITICAL), ("0.91", OUT), ("1.2", IN), ("1.59", OUT), ("1.6", CRITICAL)]
)
def test_the_limits_of_ionised_calcium(value: str, band: Any) -> None:
    assert deciding(ionised(value)).band is band


def test_a_comparator_stays_with_the_adjusted_number() -> None:
    assert deciding(total("<1.4"), albumin("20")).band is CRITICAL
    result = deciding(total("<1.9"), albumin("20"))
    assert (result.text, result.band) == ("<2.3", NOT)


def test_of_the_albumins_of_the_day_the_newest_counts() -> None:
    early = albumin("20", when=f"{as_of(1)}T08:00:00Z")
    late = albumin("30", id="late", when=f"{as_of(1)}T09:00:00Z")
    assert deciding(total("2.0"), early, late).albumin == "30 g/L"


def test_of_the_albumins_of_one_time_the_one_that_makes_it_more_abnormal() -> None:
    assert deciding(total("2.0"), albumin("20"), albumin("40", id="b"), albumin("30", id="c")).text == "2"
    assert deciding(total("2.4"), albumin("20"), albumin("40", id="b")).text == "2.8"


def test_of_totals_of_one_time_the_more_abnormal_one_after_the_adjustment() -> None:
    """Before it 1.9 is the more abnormal one, after it 2.5."""
    made = (total("1.9"), total("2.5", id="b"), albumin("20"))
    assert deciding(*made).measured == "2.5"


def test_ionised_decides_over_an_abnormal_total() -> None:
    assert deciding(ionised("1.2"), total("1.7")).band is IN


def test_what_cannot_be_judged_of_a_better_kind_is_not_answered_by_a_lesser_one_in_range() -> None:
    unread = lab(CA_IONISED, "1.2", "furlong", id="ionised")
    assert (deciding(unread, total("2.3")).kind, deciding(unread, total("2.3")).band) == ("ionised", NOT)
    assert (deciding(unread, total("1.7")).kind, deciding(unread, total("1.7")).band) == ("total", CRITICAL)
    empty = ionised(None)
    assert deciding(empty, adjusted("2.3")).band is NOT
    assert deciding(empty, adjusted("2.9")).kind == "adjusted"


def test_an_abnormal_calcium_counts_until_another_is_judged() -> None:
    old = adjusted("1.7", when=as_of(9))
    assert [r.kind for r in calciums(old, ionised(None))] == ["ionised", "adjusted"]
    assert [r.kind for r in calciums(old, ionised())] == ["ionised"]
    assert [r.kind for r in calciums(old, total("2.3"))] == ["total"]


def test_one_final_and_one_newer_preliminary_calcium() -> None:
    final = total("2.3", when=as_of(5))
    newer = ionised("0.9", status="preliminary")
    assert [(r.kind, r.preliminary) for r in calciums(final, newer)] == [("total", False), ("ionised", True)]
    assert [r.kind for r in calciums(total("2.3"), ionised("0.9", status="preliminary", when=as_of(5)))] == [
        "total"
    ]
    both = calciums(final, total("1.9", id="b", status="preliminary"), albumin("20", status="preliminary"))
    assert [r.kind for r in both] == ["total", "adjusted-by-albumin"]


def test_total_and_albumin_of_one_panel() -> None:
    part = [
        {"code": concept(LOINC, CA), "valueQuantity": {"value": 1.9, "unit": "mmol/L"}},
        {"code": concept(LOINC, ALBUMIN), "valueQuantity": {"value": 20, "unit": "g/L"}},
    ]
    result = deciding({**lab("24323-8", None), "component": part})
    assert (result.text, result.expression) == ("2.3", "Observation.component[0].value")


def test_a_client_is_asked_for_the_albumin_too() -> None:
    searches = [hook["prefetch"]["labs"] for hook in KNOWLEDGE.hooks if "labs" in hook["prefetch"]]
    assert searches
    assert all(ALBUMIN in search and CA in search for search in searches)


def test_the_same_by_a_second_plain_computation() -> None:
    """Integers in hundredths of a mmol/L and g/L: no factor, no fraction of a unit, no shared code."""
    chance = random.Random(20260601)
    seen = set()
    for _ in range(300):
        hundredths, grams = chance.randint(80, 400), chance.randint(8, 60)
        plain = hundredths + 2 * (40 - grams)
        critical = plain <= 180 or plain >= 350
        expected = CRITICAL if critical else IN if 210 <= plain <= 260 else OUT
        in_decilitres = chance.random() < 0.5
        by = albumin(f"{grams / 10:.1f}", "g/dL") if in_decilitres else albumin(str(grams))
        (result,) = (r for r in read(total(f"{hundredths / 100:.2f}"), by).results if r.analyte == "calcium")
        assert Fraction(result.canonical or 0) == Fraction(plain, 100)
        assert result.band is expected
        assert result.low is (None if expected is IN else plain < 210)
        seen.add((expected, result.low))
    assert len(seen) == 5


@pytest.mark.parametrize(
    ("made", "named"),
    [
        (albumin(), 0),
        (albumin("4.0", "g/dL"), 0),
        (albumin("40", "furlong"), 1),
        (albumin("40", None), 1),
        (albumin(None), 1),
        (albumin(flag="??"), 1),
    ],
)
def test_an_albumin_needs_no_range(made: dict[str, Any], named: int) -> None:
    """It only adjusts: what has a number in a known unit is understood."""
    assert len(read(total(), made).not_understood) == named
