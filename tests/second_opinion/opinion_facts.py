"""What is true of a plain record on its day: findings as they stand, features as section 1 computes them.

A finding is "examined", "reported", "absent" or "unknown"; a feature True, False or None (unknown).
"""

from __future__ import annotations

from datetime import date
from typing import Any

Facts = dict[str, Any]
THYROID = ("tsh", "free-t4", "total-t4")


def days_since(record: dict[str, Any], day: date | None) -> int | None:
    return None if day is None else (record["as_of"] - day).days


def longer_than(record: dict[str, Any], start: dict[str, Any], days: int) -> bool | None:
    """True only if even the latest possible start is longer ago, false only if not even the earliest is."""
    at_least, at_most = days_since(record, start["latest"]), days_since(record, start["earliest"])
    if at_least is not None and at_least > days:
        return True
    if at_most is not None and at_most <= days:
        return False
    return None


def analyte_of(table: dict[str, Any], result: dict[str, Any]) -> str:
    """What a result counts as."""
    return table["analytes"].get(result["analyte"], {}).get("counts_as", result["analyte"])


def results_of(table: dict[str, Any], record: dict[str, Any], analyte: str) -> list[dict[str, Any]]:
    return [result for result in record["results"] if analyte_of(table, result) == analyte]


def _within(record: dict[str, Any], result: dict[str, Any], days: int) -> bool:
    # Not known to be old: an undated result may be of today.
    age = days_since(record, result["day"])
    return age is None or age <= days


def out_of_range(table: dict[str, Any], record: dict[str, Any], analyte: str) -> list[dict[str, Any]]:
    """The results of that electrolyte that are out of range today, a critical one among them."""
    days = table["thresholds"]["out_of_range_days"]
    return [
        result
        for result in results_of(table, record, analyte)
        if result["band"] in ("out-of-range", "critical") and _within(record, result, days)
    ]


def disordered(
    table: dict[str, Any], record: dict[str, Any], analyte: str, low: bool | None = None
) -> list[str]:
    """Its disorders recorded as present, with no later result of it in range; low: only such."""
    found = []
    for name, finding in record["findings"].items():
        head = table["findings"].get(name, {})
        if finding["status"] != "present" or head.get("analyte") != analyte:
            continue
        if low is not None and head.get("low") is not low:
            continue
        if not in_range_later(table, record, analyte, finding["recorded"]):
            found.append(name)
    return found


def in_range_later(table: dict[str, Any], record: dict[str, Any], analyte: str, day: date | None) -> bool:
    """A final result of it in range, from after that day; a record without a day is the oldest."""
    return any(
        result["band"] == "in-range"
        and not result["preliminary"]
        and result["day"] is not None
        and (day is None or result["day"] > day)
        for result in results_of(table, record, analyte)
    )


def unnamed_disorders(table: dict[str, Any], record: dict[str, Any]) -> list[dict[str, Any]]:
    """Disorders recorded of an electrolyte that is not named, until each electrolyte is later in range."""
    return [
        finding
        for name, finding in record["findings"].items()
        if finding["status"] == "present"
        and table["findings"].get(name, {}).get("any_electrolyte")
        and not all(in_range_later(table, record, a, finding["recorded"]) for a in table["electrolytes"])
    ]


def is_abnormal(table: dict[str, Any], record: dict[str, Any], analyte: str) -> bool:
    return bool(out_of_range(table, record, analyte) or disordered(table, record, analyte))


def _younger(record: dict[str, Any], years: int) -> bool | None:
    def age(born: date | None) -> int | None:
        if born is None:
            return None
        today = record["as_of"]
        return today.year - born.year - ((today.month, today.day) < (born.month, born.day))

    at_most, at_least = (age(record["patient"]["born"][side]) for side in ("earliest", "latest"))
    if at_most is not None and at_most < years:
        return True
    if at_least is not None and at_least >= years:
        return False
    return None


def findings_of(table: dict[str, Any], record: dict[str, Any]) -> Facts:
    found = {}
    for name in {*table["findings"], *record["findings"]}:
        finding = record["findings"].get(name, {"status": "unknown"})
        # What says neither who looked nor who told was examined.
        found[name] = (
            (finding["basis"] or "examined") if finding["status"] == "present" else finding["status"]
        )
    return found


def facts_of(table: dict[str, Any], record: dict[str, Any]) -> Facts:
    """Findings and features of the record by name."""
    return {**findings_of(table, record), **_features(table, record)}


def _features(table: dict[str, Any], record: dict[str, Any]) -> Facts:
    limits, electrolytes = table["thresholds"], table["electrolytes"]
    low_b12 = [
        result
        for result in results_of(table, record, "vitamin-b12")
        if result["band"] in ("out-of-range", "critical")
        and result["low"] is True
        and _within(record, result, limits["low_b12_days"])
    ]
    thyroid = [
        result
        for analyte in THYROID
        for result in results_of(table, record, analyte)
        if result["band"] in ("out-of-range", "critical") and _within(record, result, limits["thyroid_days"])
    ]
    critical = [
        result
        for analyte in electrolytes
        for result in results_of(table, record, analyte)
        if result["band"] == "critical" and _within(record, result, limits["critical_days"])
    ]
    low_sodium = [result for result in out_of_range(table, record, "sodium") if result["low"] is True]
    abnormal = [analyte for analyte in electrolytes if is_abnormal(table, record, analyte)]
    return {
        **_of_the_time(table, record),
        **_of_the_site(record),
        **_of_the_course(record),
        "child-age": _younger(record, limits["child_years"]),
        "any-electrolyte-abnormal": bool(abnormal or unnamed_disorders(table, record)),
        "any-electrolyte-critical": bool(critical),
        "sodium-abnormal": "sodium" in abnormal,
        "low-sodium": bool(low_sodium or disordered(table, record, "sodium", low=True)),
        "b12-result-low": bool(low_b12),
        "thyroid-result-abnormal": bool(thyroid),
        # Where no list of medicines was seen, nobody can say that there is none.
        "raises-potassium": {"medications", "medicationStatements"} <= set(record["not_seen"])
        or any(drug["raises_potassium"] and drug["current"] for drug in record["drugs"]),
    }


def own_start(record: dict[str, Any]) -> bool:
    """Whether the weakness has a start of its own."""
    since = record["findings"].get("weakness", {}).get("since") or {"earliest": None, "latest": None}
    return since["earliest"] is not None or since["latest"] is not None


def _of_the_time(table: dict[str, Any], record: dict[str, Any]) -> Facts:
    limits, onset = table["thresholds"], record["twitch"]["onset"]
    weak = record["findings"]["weakness"]["since"] if own_start(record) else onset
    # "Earliest possible day at most 28 days ago": true only if every possible day is; the rest is not false.
    longer = longer_than(record, weak, limits["rapid_weakness_days"])
    recent = None if longer is None else not longer
    return {
        "lasts-long": longer_than(record, onset, limits["persistent_days"]),
        "lasts-long-for-eyelid": longer_than(record, onset, limits["eyelid_days"]),
        "weakness-recent": recent,
    }


def _of_the_site(record: dict[str, Any]) -> Facts:
    twitch = record["twitch"]
    sites = twitch["sites"]
    if not sites and not twitch["generalized"]:
        return dict.fromkeys(("several-regions", "isolated-eyelid", "leg-site", "tongue-site"))
    regions = {site["region"] for site in sites} - {None}
    return {
        "several-regions": bool(twitch["generalized"] or len(regions) > 1),
        "isolated-eyelid": not twitch["generalized"] and {site["id"] for site in sites} == {"eyelid"},
        "leg-site": "legs" in regions,
        "tongue-site": "tongue" in regions,
    }


def own_course(record: dict[str, Any], name: str) -> bool | None:
    """What that finding says of its own course; None where it says nothing."""
    return record["findings"].get(name, {}).get("worsening")


def _of_the_course(record: dict[str, Any]) -> Facts:
    """Course and pattern are recorded apart: the one says nothing of the other, and unknown is not absent."""
    courses = record["twitch"]["courses"]
    steady = courses & {"stable", "improving"}
    found: Facts = {
        name: name in courses or (False if steady else None) for name in ("worsening", "spreading")
    }
    found["continuous"] = "continuous" in courses or (
        False if courses & {"intermittent", "recurrent"} else None
    )
    for name in ("weakness", "atrophy"):
        found[f"{name}-worsening"] = own_course(record, name)
    return found
