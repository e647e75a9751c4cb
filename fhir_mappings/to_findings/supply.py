"""How long the supply of an order lasts."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec

from fhir_mappings.record import Days
from fhir_mappings.resources.shapes import UNDECODABLE, MedicationRequest, MedicationStatement, Quantity

_DAYS_OF = {
    "d": 1,
    "day": 1,
    "wk": 7,
    "w": 7,
    "week": 7,
    "mo": 30,
    "month": 30,
    "a": 365,
    "yr": 365,
    "year": 365,
}
_MAX_SUPPLY = 1_000


def supplied(start: Days, record: MedicationRequest | MedicationStatement) -> Days:
    """When the supply that began on that day is over: what was dispensed may be taken until then.

    Each repeat that the order allows lasts as long as the first supply.
    """
    dispensed = record.dispenseRequest if isinstance(record, MedicationRequest) else None
    if dispensed is None or dispensed.expectedSupplyDuration is None:
        return start
    repeats = min(max(0, _number_in(dispensed.numberOfRepeatsAllowed)), _MAX_SUPPLY)
    days = int(_days_in(dispensed.expectedSupplyDuration) * (1 + repeats))
    return Days(start.earliest, start.latest and _later(start.latest, min(days, _MAX_SUPPLY)))


def _later(day: date, days: int) -> date:
    return day + timedelta(days=min(days, (date.max - day).days))


def _days_in(supply: Quantity) -> int:
    """0 where value or unit are not understood."""
    unit = (supply.code or supply.unit or "").strip().lower().removesuffix("s")
    count = _number_in(supply.value)
    return int(count * _DAYS_OF.get(unit, 0)) if 0 < count < _MAX_SUPPLY else 0


def _number_in(raw: msgspec.Raw) -> float:
    """0 where it is no number."""
    try:
        return msgspec.json.decode(raw, type=float)
    except UNDECODABLE:
        return 0
