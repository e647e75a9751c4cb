"""What the decision model makes of a patient written as plain values, without any FHIR.

Section 1 once more for what is simple to say: the status and basis of a finding, the interval of the onset,
whether a medicine is plausible, the band of a result, the gate.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal

from tests.second_opinion.abstract import (
    LIMITS,
    OVER,
    SUSPECTED,
    TABLE,
    Measured,
    Person,
    Statement,
    Taken,
    Twitching,
    day,
)
from tests.spec import records


def exists(days: int | None) -> bool:
    return days is None or days >= -LIMITS["future_days"]


def expected_onset(twitch: Twitching) -> tuple[date | None, date | None]:
    """The earliest and the latest possible day; what is recorded was there on that day."""
    recorded = min(day(twitch.recorded), records.DAY)
    if twitch.onset is None or twitch.form == "observation":
        return None, recorded
    form, number = twitch.onset
    if form == "weeks":
        half = 4  # three weeks: 17 to 25 days
        written = day(twitch.recorded)
        return (
            written - timedelta(days=7 * number + half),
            min(recorded, written - timedelta(days=7 * number - half)),
        )
    first = last = day(number)
    if form == "month":
        first, last = first.replace(day=1), last.replace(day=monthrange(last.year, last.month)[1])
    # Recorded before it is said to have begun: how much longer ago is not known.
    return None if recorded < first else first, min(last, recorded)


def expected_open(person: Person) -> bool:
    """The gate of section 2, the known diseases aside."""
    twitch = person.twitch
    if twitch is None or person.deceased or not exists(twitch.recorded):
        return False
    if twitch.verification in ("refuted", "entered-in-error"):
        return False
    if twitch.form == "condition":
        return twitch.clinical not in OVER
    if twitch.recorded > LIMITS["finding_days"]:
        return False
    # Not seen on a later day; an older look, or one that is history, says nothing against it.
    return twitch.not_seen is None or not exists(twitch.not_seen) or twitch.not_seen >= twitch.recorded


def speaks(made: Statement, onset: date | None) -> bool:
    """Whether a statement counts today."""
    if not exists(made.days) or status_of(made) == "unknown":
        return False
    if made.form == "condition":
        if made.verification == "entered-in-error":
            return False
        chronic = TABLE["findings"][made.finding].get("chronic", False)
        if made.verification != "refuted" and made.clinical in (("resolved",) if chronic else OVER):
            return False
    elif made.days is not None and made.days > LIMITS["finding_days"]:
        return False
    if status_of(made) == "absent" and onset is not None:
        return made.days is not None and day(made.days) >= onset
    return True


def status_of(made: Statement) -> str:
    if made.form == "condition":
        return "absent" if made.verification == "refuted" else "present"
    return made.says


def is_told(made: Statement) -> bool:
    return made.told or (made.form == "condition" and made.verification in SUSPECTED)


def expected_finding(statements: list[Statement], onset: date | None) -> str:
    """examined, reported, absent or unknown: section 1, Conflict."""
    speaking = [made for made in statements if speaks(made, onset)]

    def newest(some: list[Statement]) -> Statement | None:
        # Undated is oldest; on one day present beats absent.
        def rank(made: Statement) -> tuple[float, bool]:
            return (-10_000 if made.days is None else -made.days, status_of(made) == "present")

        return max(some, key=rank, default=None)

    def older(made: Statement, than: Statement) -> bool:
        return than.days is not None and (made.days is None or made.days > than.days)

    examined = newest([made for made in speaking if not is_told(made)])
    told = newest([made for made in speaking if is_told(made)])
    if examined is None:
        return "unknown" if told is None else "reported" if status_of(told) == "present" else "absent"
    if status_of(examined) == "present":
        return "examined"
    again = [
        made for made in speaking if is_told(made) and status_of(made) == "present" and older(examined, made)
    ]
    return "reported" if again else "absent"


def expected_plausible(taken: list[Taken], onset: tuple[date | None, date | None]) -> str | None:
    """yes, possible or no; None where no record of it counts: section 1, Drug timing."""
    counted = [t for t in taken if t.status not in ("entered-in-error", "not-taken", "cancelled", "draft")]
    if not counted:
        return None
    earliest, latest = onset
    starts = [t.start for t in counted]
    ends = [_end(t) for t in counted]
    first = None if None in starts else day(max(s for s in starts if s is not None))
    if first is None:
        known = [s for s in starts if s is not None]
        # One record says when, another does not: the start is no later than the one that is known.
        bound = day(max(known)) if known else None
    else:
        bound = first
    last = None if None in ends else day(min(e for e in ends if e is not None))
    if first is not None and latest is not None and first > latest:
        return "no"
    if last is not None and earliest is not None and last < earliest:
        return "no"
    if bound is None or earliest is None or bound >= earliest:
        return "possible"
    return "yes"


def _end(taken: Taken) -> int | None:
    """Days ago; a stopped or completed record without an end ended on its start."""
    if taken.end is None and taken.status in ("stopped", "completed"):
        return taken.start
    return taken.end


def expected_band(made: Measured) -> str:
    """in-range, out-of-range, critical or not-judged: section 1, Results."""
    head = TABLE["analytes"][made.analyte]
    factor = Decimal(head["units"][made.unit]) if "units" in head else None
    value = made.value if factor is None else made.value * factor
    critical = head.get("critical", {})
    if made.flag in ("HH", "LL", "AA"):
        return "critical"
    if factor is not None and "low" in critical and value <= Decimal(critical["low"]):
        return "critical"
    if factor is not None and "high" in critical and value >= Decimal(critical["high"]):
        return "critical"
    if made.flag in ("H", "L", "A"):
        return "out-of-range"
    if made.own is not None:
        low, high = made.own
        return "in-range" if low <= made.value <= high else "out-of-range"
    if factor is not None and "default_range" in head:
        # "Normal" is no flag in the list: with no range of its own, the default one speaks all the same.
        usual = head["default_range"]
        return "in-range" if Decimal(usual["low"]) <= value <= Decimal(usual["high"]) else "out-of-range"
    return "in-range" if made.flag == "N" else "not-judged"
