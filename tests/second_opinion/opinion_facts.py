"""What is true of a plain record on its day: findings as recorded, features as sections 1 and 3 compute them.

The value of a finding is examined, listed, reported, absent (on examination), absent-not-examined or unknown;
that of a feature True, False or None (unknown).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from tests.second_opinion.opinion_table import PRESENT, Table, row_named

Facts = dict[str, Any]
Plain = dict[str, Any]
OUT = ("out-of-range", "critical")
NOWHERE = {"earliest": None, "latest": None}
# Section 3, benign: "no sign, bulbar or breathing finding in history".
# Section 3, computed facts.
TRIGGERS = (
    *("caffeine", "sleep", "stress", "anxiety", "fatigue", "exertion", "dehydration", "tobacco", "alcohol"),
    "sedentary",
)


def age_of(record: Plain, day: date | None) -> int | None:
    return None if day is None else (record["as_of"] - day).days


def longer_than(record: Plain, start: Plain, days: int) -> bool | None:
    """True only if even the latest possible start is longer ago, false only if not even the earliest is."""
    at_least, at_most = age_of(record, start["latest"]), age_of(record, start["earliest"])
    if at_least is not None and at_least > days:
        return True
    if at_most is not None and at_most <= days:
        return False
    return None


def facts_of(table: Table, record: Plain) -> Facts:
    """Findings, features and facts about results of the record, by name."""
    facts: Facts = {name: value_of(record, name) for name in {*table["findings"], *record["findings"]}}
    facts |= _time(table, record)
    facts |= _site(record)
    facts |= _signs(table, record, facts)
    for name, kinds in table["result_facts"].items():
        kinds = kinds if isinstance(kinds, list) else [kinds]
        facts[name] = any(results_in_state(table, record, kind) for kind in kinds)
    # Without a day: recent.
    ages = [age_of(record, day) or 0 for _, day in disorders_of(table, record)]
    recent = table["thresholds"]["recent_result_days"]
    facts["disorder-recent"], facts["disorder-old"] = (
        any(age <= recent for age in ages),
        any(age > recent for age in ages),
    )
    facts["potassium-raising-medicine"] = any(
        drug["raises_potassium"] and drug["current"] for drug in record["drugs"]
    )
    # Where the medicines are not known, the patient may take a drug that raises potassium.
    facts["raises-potassium"] = {"medications", "medicationStatements"} <= set(record["not_seen"]) or (
        facts["potassium-raising-medicine"]
    )
    return facts


def value_of(record: Plain, name: str) -> str:
    finding = record["findings"].get(name, {"status": "unknown"})
    if finding["status"] == "present":
        return str(finding["basis"] or "examined")
    if finding["status"] == "absent":
        return "absent" if finding["basis"] == "examined" else "absent-not-examined"
    return "unknown"


def is_present(facts: Facts, name: str) -> bool:
    return facts.get(name) in PRESENT


# --- time, age, site


def _time(table: Table, record: Plain) -> Facts:
    limits, twitch = table["thresholds"], record["twitch"]
    onset = twitch["onset"]
    # "Even the earliest possible onset, else the first record".
    first = onset["earliest"] or twitch["first_recorded"]
    new = age_of(record, first)
    began = age_of(record, onset["earliest"])
    long, long_for_eyelid = (
        longer_than(record, onset, limits[n]) for n in ("persistent_days", "eyelid_days")
    )
    return {
        "lasts-long": long,
        "short": _no(long),
        "lasts-long-for-eyelid": long_for_eyelid,
        "short-for-eyelid": _no(long_for_eyelid),
        "weakness-recent": _weakness_recent(table, record),
        "child-age": _younger(record, limits["child_years"]),
        "small-child": _younger(record, limits["small_child_years"]),
        "sixty-or-older": _no(_younger(record, limits["old_years"])),
        "new-within-a-year": None if new is None else new <= limits["new_onset_days"],
        "began-within-two-days": None if began is None else began <= limits["sudden_days"],
    }


def _no(value: bool | None) -> bool | None:
    return None if value is None else not value


def _weakness_recent(table: Table, record: Plain) -> bool | None:
    start = record["findings"].get("weakness", {}).get("start") or NOWHERE
    return _no(longer_than(record, start, table["thresholds"]["rapid_weakness_days"]))


def _younger(record: Plain, years: int) -> bool | None:
    def age(born: date | None) -> int | None:
        if born is None:
            return None
        today = record["as_of"]
        return int(today.year - born.year - ((today.month, today.day) < (born.month, born.day)))

    at_most, at_least = (age(record["patient"]["born"][side]) for side in ("earliest", "latest"))
    if at_most is not None and at_most < years:
        return True
    if at_least is not None and at_least >= years:
        return False
    return None


def _site(record: Plain) -> Facts:
    twitch = record["twitch"]
    sites, courses = twitch["sites"], twitch["courses"]
    regions = {site["region"] for site in sites} - {None}
    known = bool(sites or twitch["generalized"])

    def feature(true: bool) -> bool | None:
        return bool(true) if known else None

    return {
        "several-regions": feature(twitch["generalized"] or len(regions) > 1),
        "isolated-eyelid": feature(
            sites and not twitch["generalized"] and {site["id"] for site in sites} == {"eyelid"}
        ),
        "leg-site": feature("legs" in regions),
        "arm-site": feature("arms" in regions),
        "face-site": feature("face" in regions),
        "tongue-site": feature("tongue" in regions),
        "continuous": "continuous" in courses or (False if courses & {"intermittent", "recurrent"} else None),
        "persistent-pattern": "persistent" in courses or None,
    }


# --- signs


def _signs(table: Table, record: Plain, facts: Facts) -> Facts:
    findings, courses = record["findings"], record["twitch"]["courses"]
    signs = [name for name in table["signs"] if is_present(facts, name)]
    grows = bool(courses & {"worsening", "spreading"}) or any(findings[s]["worsening"] for s in signs)
    tongue = facts["tongue-site"] is True
    weak = findings.get("weakness", {})
    bulbar = is_present(facts, "bulbar")
    return {
        "getting-worse": grows or (False if courses & {"stable", "improving"} else None),
        "weakness-settled-course": is_present(facts, "weakness") and weak.get("worsening") is False,
        "examined-normal": all(_absent_lately(table, record, name) for name in table["benign_signs"]),
        "old-bulbar-only": not tongue and bulbar and _is_old(record, "bulbar"),
    }


def _absent_lately(table: Table, record: Plain, name: str) -> bool:
    finding = record["findings"].get(name, {})
    if value_of(record, name) != "absent":
        return False
    age = age_of(record, finding["recorded"])
    return age is not None and age <= table["thresholds"]["finding_days"]


def _is_old(record: Plain, name: str) -> bool:
    """Listed or reported, and every record of it from before the earliest possible onset."""
    finding, onset = record["findings"][name], record["twitch"]["onset"]["earliest"]
    if onset is None or finding["basis"] not in ("listed", "reported"):
        return False
    days = [finding["recorded"], *present_days(finding)]
    return all(day is not None and day < onset for day in days)


def present_days(finding: Plain) -> list[date | None]:
    """The days of the records that found it present and count today."""
    return [e["day"] for e in finding.get("evidence", ()) if e["status"] == "present" and not e["history"]]


# --- results and recorded disorders


def analyte_of(table: Table, result: Plain) -> str:
    """What a result counts as."""
    return str(table["analytes"].get(result["analyte"], {}).get("counts_as", result["analyte"]))


def results_of(table: Table, record: Plain, analyte: str) -> list[Plain]:
    return [result for result in record["results"] if analyte_of(table, result) == analyte]


def band_of(table: Table, record: Plain, result: Plain) -> str:
    """The band of a result; a calcium that is low beside tingling or cramps is critical (A43)."""
    beside = table["critical_beside"].get(analyte_of(table, result))
    value = result["canonical"]
    if beside and value is not None and result["kind"] != "ionised":
        found = any(value_of(record, name) in PRESENT for name in beside["findings"])
        if found and value < Decimal(beside["low"]):
            return "critical"
    return str(result["band"])


def results_in_state(table: Table, record: Plain, kind: Plain) -> list[Plain]:
    """The results that make a result fact true."""
    return [result for result in record["results"] if _is_in_state(table, record, result, kind)]


def _is_in_state(table: Table, record: Plain, result: Plain, kind: Plain) -> bool:
    analyte, age = analyte_of(table, result), age_of(record, result["day"])
    if ("analytes" in kind and analyte not in kind["analytes"]) or analyte in kind.get("except", ()):
        return False
    # An undated result may be of today.
    if (age or 0) > kind["at_most_days"] or (age or 0) < kind.get("from_days", -1):
        return False
    if "below" in kind:
        value, limit = result["canonical"], Decimal(kind["below"])
        return value is not None and (value < limit or (value == limit and result["text"].startswith("<")))
    band = band_of(table, record, result)
    # A critical value past its days is still out of range.
    if kind["state"] == "critical":
        return band == "critical"
    side = {"out-of-range": None, "low": True, "high": False}[kind["state"]]
    return band in OUT and (side is None or result["low"] is side)


def disorders_of(table: Table, record: Plain) -> list[tuple[list[str], date | None]]:
    """Recorded electrolyte disorders without a result since: the electrolytes, and the day."""
    found = []
    for name, finding in record["findings"].items():
        head = table["findings"].get(name, {})
        analytes = table["electrolytes"] if head.get("any_electrolyte") else [head.get("analyte")]
        if finding["status"] != "present" or not set(analytes) <= set(table["electrolytes"]):
            continue
        # Of an unspecified disorder: until each of the four was measured since.
        if all(_measured_since(table, record, analyte, finding["recorded"]) for analyte in analytes):
            continue
        found.append((list(analytes), finding["recorded"]))
    return found


def _measured_since(table: Table, record: Plain, analyte: str, day: date | None) -> bool:
    """A final, judged result of a later day. No day: safer, no result is known to be later."""
    return any(
        result["day"] is not None
        and day is not None
        and result["day"] > day
        and result["band"] != "not-judged"
        and not result["preliminary"]
        for result in results_of(table, record, analyte)
    )


def last_facts(table: Table, record: Plain, facts: Facts, fired: list[Plain], level: str) -> Facts:
    """What the last rows read: the level after section 4, and the rows that fire before them."""
    asked = {a["id"] for row in fired for a in row["asked"]}
    tests = {a["id"] for a in table["actions"] if a.get("order") in ("blood", "study")}
    asking = {a["id"] for a in table["actions"] if "examination" in a.get("roles", ())}
    present = {n for n, f in record["findings"].items() if f["status"] == "present"}
    pregnancy = {"pregnancy"}
    ignored = set(TRIGGERS) | pregnancy
    in_history = [
        name
        for name in table["history_signs"]
        for e in record["findings"].get(name, {}).get("evidence", ())
        if e["history"] and e["status"] == "present"
    ]
    named = present & (set(table["named"]) - pregnancy)
    return {
        "level-info": level == "info",
        "asks-for-test": bool(asked & tests),
        "asks-for-examination": bool(asked & asking),
        "other-rows-fire": any(not row_named(table, row["id"]).get("beside_benign") for row in fired),
        "other-finding-present": bool(present - ignored),
        "sign-in-history": bool(in_history),
        "sign-disputed": any(
            record["findings"].get(name, {}).get("conflict") for name in table["history_signs"]
        ),
        "named-beside-pregnancy": bool(named) or any("named" in row["roles"] for row in fired),
    }
