"""Section 1, Results: which of several results of one analyte counts."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.record import Band
from tests.spec.outcomes import outcome_of
from tests.spec.records import KNOWLEDGE, as_of, condition, observation, read
from tests.spec.test_results import CA, IN, LOINC, NOT, OUT, K, lab, only

EGFR = min(
    code
    for (system, code), name in KNOWLEDGE.terminology.analyte_codes.items()
    if system == LOINC and name == "egfr"
)


def test_the_newest_final_result_counts() -> None:
    old, new = lab(K, "2.0", when=as_of(9)), lab(K, "4.1", id="n", flag="N", when=as_of(2))
    assert only(old, new).band is IN
    assert only(new, old).band is IN


def test_at_the_same_time_the_more_abnormal_one() -> None:
    assert only(lab(K, "4.1", flag="N"), lab(K, "4.2", id="n", flag="H")).band is OUT


def test_at_the_same_time_what_could_not_be_judged_is_worse_than_in_range() -> None:
    unjudged = lab(K, "6.9", "furlong/L", id="n")
    assert only(lab(K, "4.1"), unjudged).text == "6.9"
    assert only(unjudged, lab(K, "5.5")).text == "5.5"


def test_only_what_would_count_is_named() -> None:
    old = lab(K, "6.9", "furlong/L", when=as_of(9))
    assert read(old, lab(K, "4.1", id="n", when=as_of(2))).not_understood == ()
    assert len(read(old, lab(K, "4.1", id="n", when=as_of(12))).not_understood) == 1
    early = lab(K, "6.9", "furlong/L", id="p", status="preliminary")
    assert len(read(lab(K, "4.1", when=as_of(2)), early).not_understood) == 1


@pytest.mark.parametrize(
    ("newer", "level"),
    [
        (lab(K, None, id="n"), "critical"),
        (lab(K, "4.1", "furlong", id="n"), "critical"),
        (lab(K, "4.1", id="n"), "info"),
    ],
)
def test_only_a_judged_result_ends_a_critical_one(newer: dict[str, Any], level: str) -> None:
    examined = [observation(name, valueBoolean=False) for name in ("weakness", "atrophy", "sensory-loss")]
    twitch = condition("fasciculation", onsetDateTime=as_of(5))
    assert outcome_of(read(twitch, *examined, lab(K, "2.4", when=as_of(9)), newer)).level == level


def test_a_newer_preliminary_one_stands_beside_the_final() -> None:
    final = lab(K, "4.1", flag="N", when=as_of(5))
    newer = lab(K, "2.0", id="n", status="preliminary", when=as_of(1))
    older = lab(K, "2.0", id="o", status="preliminary", when=as_of(6))
    assert [r.preliminary for r in read(final, newer).results] == [False, True]
    assert [r.preliminary for r in read(final, older).results] == [False]


def test_of_newer_preliminary_ones_the_abnormal_one_stands_beside_the_final() -> None:
    final = lab(K, "4.1", when=as_of(5))
    low = lab(K, "2.9", id="a", status="preliminary", when=as_of(3))
    unjudged = lab(K, "3.9", "furlong", id="b", status="preliminary", when=as_of(2))
    assert [r.text for r in read(final, low, unjudged).results] == ["4.1", "2.9"]
    assert [r.text for r in read(final, unjudged).results] == ["4.1", "3.9"]
    old = {**low, "effectiveDateTime": as_of(6)}
    assert [r.text for r in read(final, old, unjudged).results] == ["4.1", "3.9"]
    assert [n.reference for n in read(final, low, unjudged).not_understood] == ["Observation/b"]


@pytest.mark.parametrize("early", ["2.3", "2.9", "6.7"])
@pytest.mark.parametrize("days", [1, 0])
@pytest.mark.parametrize(
    "unread", [{"value": None}, {"value": "4.1", "unit": "furlong"}, {"text": "haemolysed"}]
)
def test_a_final_one_that_cannot_be_judged_answers_no_abnormal_preliminary_one(
    early: str, days: int, unread: dict[str, Any]
) -> None:
    value = unread.get("value")
    final = lab(K, value, unread.get("unit", "mmol/L"), id="n", when=as_of(0))
    if "text" in unread:
        final["valueString"] = unread["text"]
    before = lab(K, early, id="p", status="preliminary", when=as_of(days))
    normal = lab(K, "4.1", id="o", when=as_of(3))
    for made in ((before, final), (normal, before, final), (final, before, normal)):
        texts = [(r.text, r.preliminary) for r in read(*made).results]
        assert (early, True) in texts
    # one that is judged answers it, before or after
    assert early not in [r.text for r in read(before, lab(K, "4.1", id="j", when=as_of(0))).results]
    answered = lab(K, "4.1", id="j", when=as_of(days))
    assert early not in [r.text for r in read(before, answered, final).results]
    # what is in range says nothing more
    calm = lab(K, "4.4", id="p", status="preliminary", when=as_of(days))
    assert "4.4" not in [r.text for r in read(calm, final).results]


@pytest.mark.parametrize(
    ("newer", "bands"),
    [
        # nothing answers a normal result any more, so it is not done
        (lab(K, None, id="n"), [NOT]),
        (lab(K, "4.1", "furlong", id="n"), [NOT]),
        (lab(K, "4.2", id="n"), [IN]),
        # still to come: the older one counts
        (lab(K, None, id="n", status="preliminary"), [IN]),
    ],
)
def test_a_newer_result_beside_one_in_range(newer: dict[str, Any], bands: list[Band]) -> None:
    old = lab(K, "4.1", when=as_of(9))
    assert [r.band for r in read(old, newer).results] == bands
    assert [r.band for r in read(newer, old).results] == bands


@pytest.mark.parametrize(
    ("newer", "texts"),
    [
        # one that cannot be judged does not end an abnormal result
        (lab(K, None, id="n"), ["", "2.4"]),
        (lab(K, "4.1", "furlong", id="n"), ["4.1", "2.4"]),
        (lab(K, "4.2", id="n"), ["4.2"]),
        (lab(K, "5.9", id="n"), ["5.9"]),
    ],
)
def test_an_abnormal_result_counts_until_another_is_judged(newer: dict[str, Any], texts: list[str]) -> None:
    older = lab(K, "4.0", id="o", when=as_of(20))
    assert [r.text for r in read(older, lab(K, "2.4", when=as_of(9)), newer).results] == texts


def test_only_the_last_judged_one_stays_beside_what_cannot_be_judged() -> None:
    made = [
        lab(K, "6.1", id="a", when=as_of(20)),
        lab(K, "4.0", id="b", when=as_of(9)),
        lab(K, None, id="c", when=as_of(3)),
        lab(K, None, id="d", when=as_of(2)),
    ]
    assert [r.reference for r in read(*made).results] == ["Observation/d"]
    assert [r.reference for r in read(made[0], *made[2:]).results] == ["Observation/d", "Observation/a"]


def at(clock: str) -> str:
    return f"{as_of(1)}T{clock}"


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        # the first is 2.9, the second 4.1; with the zones written the later one in UTC counts
        (at("08:00:00Z"), at("09:00:00Z"), "4.1"),
        (at("09:00:00Z"), at("08:00:00Z"), "2.9"),
        (at("09:00:00+02:00"), at("08:00:00Z"), "4.1"),
        (at("09:00:00-02:00"), at("10:00:00Z"), "2.9"),
        (at("08:00:00.5Z"), at("08:00:00Z"), "2.9"),
        (at("08:00:00Z"), at("08:00:00.5Z"), "4.1"),
        (at("08:00:00Z"), at("10:00:00+02:00"), "2.9"),
        # no zone on either
        (at("08:00:00"), at("09:00:00"), "4.1"),
        # cannot be compared: the more abnormal
        (at("08:00:00"), at("09:00:00Z"), "2.9"),
        (as_of(1), at("09:00:00Z"), "2.9"),
        (at("08:00:00Z"), as_of(1), "2.9"),
        # another day as written, and later in UTC: the more abnormal, whichever that is
        (f"{as_of(2)}T23:59:00-10:00", at("00:01:00+10:00"), "2.9"),
        (at("00:01:00+10:00"), f"{as_of(2)}T23:59:00-10:00", "2.9"),
        (f"{as_of(2)}T20:00:00Z", at("00:30:00+09:00"), "2.9"),
        (f"{as_of(3)}T23:59:00-12:00", at("01:00:00+14:00"), "2.9"),
        # another day, and no later in UTC or not to be compared
        (f"{as_of(2)}T20:00:00Z", at("00:30:00Z"), "4.1"),
        (f"{as_of(2)}T20:00:00Z", at("06:00:00+09:00"), "4.1"),
        (f"{as_of(2)}T20:00:00", at("00:30:00+09:00"), "4.1"),
        (f"{as_of(2)}T20:00:00Z", as_of(1), "4.1"),
    ],
)
def test_times_of_one_day(first: str, second: str, text: str) -> None:
    low, normal = lab(K, "2.9", when=first), lab(K, "4.1", id="n", when=second)
    assert only(low, normal).text == text
    assert only(normal, low).text == text


@pytest.mark.parametrize(
    ("preliminary", "beside"),
    [
        (at("09:00:00Z"), True),
        (at("08:00:00Z"), False),
        (at("07:00:00Z"), False),
        (at("08:30:00+02:00"), False),
        (at("11:30:00+02:00"), True),
        (as_of(1), False),
        (as_of(0), True),
        # later in UTC, the day before as written
        (f"{as_of(2)}T23:00:00-12:00", True),
        (f"{as_of(2)}T23:00:00-02:00", False),
    ],
)
def test_a_preliminary_one_of_the_same_day(preliminary: str, beside: bool) -> None:
    early = lab(K, "2.9", id="n", status="preliminary", when=preliminary)
    assert len(read(lab(K, "4.1", when=at("08:00:00Z")), early).results) == 1 + beside


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a"), (None, None)])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("analyte", "worse", "better", "flag"),
    [
        (K, "2.6", "3.4", "L"),
        (K, "5.8", "5.4", "H"),
        (CA, "1.85", "2.05", "L"),
        (EGFR, "12", "40", "L"),
        (EGFR, "12", "40", None),
    ],
)
def test_of_one_band_and_day_the_one_furthest_outside_counts(
    analyte: str, worse: str, better: str, flag: str | None, names: Any, turned: bool
) -> None:
    unit = "mmol/L" if analyte != EGFR else KNOWLEDGE.terminology.analytes["egfr"].unit
    texts = zip((worse, better), names, strict=True)
    pair = [lab(analyte, text, unit, id=name, flag=flag) for text, name in texts]
    if names == (None, None):
        for one in pair:
            del one["id"]
    assert only(*(reversed(pair) if turned else pair)).text == worse


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_no_id_decides_the_level(names: tuple[str, str]) -> None:
    texts = zip(("1.85", "2.05"), names, strict=True)
    pair = [lab(CA, text, "mmol/L", id=name, flag="L") for text, name in texts]
    found = outcome_of(read(condition("fasciculation", onsetDateTime=as_of(5)), condition("tingling"), *pair))
    assert found.level == "critical"
