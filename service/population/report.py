"""The merged figures -> the report as plain JSON (docs/population.md), and a draft of SITE_CODES."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from service import __version__
from service.decision.table import Table
from service.population.figures import LEVELS, Figures
from service.population.patient_row import AGE_BANDS, DECEASED, IN_WORDS, NO_AGE, NO_CARD, OPEN

# Counts below this number are hidden: few enough patients could be recognised.
SMALL = 5
MOST_CODES = 30
SHAPE = 1
_CARDS = LEVELS[1:]

Counts = Mapping[str, int]
Shown = dict[str, int | None]
Report = dict[str, Any]


class Cells:
    """Shows counts, or None for those that are small. hides: whether small counts are hidden."""

    def __init__(self, hides: bool) -> None:
        self.hides = hides

    def one(self, count: int) -> int | None:
        return None if self.hides and 0 < count < SMALL else count

    def parts(self, counts: Counts) -> Shown:
        """Parts of a whole that is shown, from which the sum of the hidden ones can be computed.

        So the next smallest are hidden too, until there are two, and together no small count.
        """
        hidden = {name for name, count in counts.items() if self.one(count) is None}
        others = sorted((count, name) for name, count in counts.items() if count and name not in hidden)
        for _, name in others if hidden else ():
            if len(hidden) > 1 and sum(counts[one] for one in hidden) >= SMALL:
                break
            hidden.add(name)
        return {name: None if name in hidden else count for name, count in counts.items()}

    def sum(self, counts: Counts, names: Iterable[str]) -> int | None:
        """The sum of some parts; None where a part could be computed from it."""
        asked, shown = set(names), self.parts(counts)
        hidden = {name for name, count in shown.items() if count is None}
        total = sum(counts[name] for name in asked)
        return total if not hidden & asked or (hidden <= asked and total >= SMALL) else None


def report_of(
    figures: Figures, table: Table, *, as_of: date, knowledge: str, files: int, size: int, hides: bool = True
) -> Report:
    """The report.

    Args:
        knowledge: its version.
        files, size: of the export; in files and bytes.
        hides: Hide counts below SMALL.
    """
    cells = Cells(hides)
    living = figures.get("living", 0)
    levels = {level: figures.get("levels", {}).get(level, 0) for level in LEVELS}
    refused = figures.get("refused", {})
    examined = {state: figures.get("examined", {}).get(state, 0) for state in ("never", "partly", "done")}
    return {
        "shape": SHAPE,
        "service": __version__,
        "knowledge": knowledge,
        "asOf": as_of.isoformat(),
        "smallCountsHidden": hides,
        "export": {
            "files": files,
            "bytes": size,
            "resources": dict(sorted(figures.get("resources", {}).items())),
        },
        "patients": {
            "total": figures.get("patients", 0),
            "decided": figures.get("patients", 0) - sum(refused.values()),
            "living": living,
            "refused": _sorted(refused),
            "gates": _gates(figures, examined, levels, cells),
        },
        "cards": {
            "levels": cells.parts(levels),
            **_rated(cells.sum(levels, _CARDS), living),
            "critical": _rated(cells.parts(levels)["critical"], living),
        },
        "minIndicator": [_setting(lowest, levels, cells) for lowest in _CARDS],
        "examination": {
            state: count for state, count in _cards(figures, examined, cells).items() if state in examined
        },
        "ages": _ages(figures, cells),
        "rows": list(_rows(figures, table, living, cells)),
        "recommendations": {
            name: cells.one(count) for name, count in _sorted(figures.get("recommendations", {})).items()
        },
        "rowsOff": list(_rows_off(figures, table, cells)),
        "unknownCodes": {
            kind: _codes(systems, cells) for kind, systems in sorted(figures.get("unknown", {}).items())
        },
        "notUnderstood": list(_notes(figures, cells)),
        "faults": dict(sorted(figures.get("faults", {}).items())),
        "orphans": {why: _sorted(kinds) for why, kinds in sorted(figures.get("orphans", {}).items())},
    }


def _sorted(counts: Counts) -> dict[str, int]:
    """The highest first."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _cards(figures: Figures, examined: Counts, cells: Cells) -> Shown:
    """The parts of all cards: the twitches by their examination, and those in words alone."""
    return cells.parts({**examined, IN_WORDS: figures.get("gates", {}).get(IN_WORDS, 0)})


def _gates(figures: Figures, examined: Counts, levels: Counts, cells: Cells) -> Shown:
    """Parts of the living, and of those without a card where these are shown.

    The deceased are shown: they are the difference of two totals.
    """
    found: Counts = dict(sorted(figures.get("gates", {}).items()))
    are_apart = cells.parts(levels)[NO_CARD] is not None
    with_card = (OPEN, IN_WORDS) if are_apart else ()
    shown = cells.parts({gate: count for gate, count in found.items() if gate not in (DECEASED, *with_card)})
    words = _cards(figures, examined, cells)[IN_WORDS]
    opened = None if words is None else shown.get(OPEN, cells.one(found.get(OPEN, 0)))
    known = {**shown, OPEN: opened, IN_WORDS: shown.get(IN_WORDS, words), DECEASED: found.get(DECEASED)}
    return {gate: known[gate] for gate in found}


def _rated(count: int | None, living: int) -> dict[str, Any]:
    rate = None if count is None or not living else round(1000 * count / living, 2)
    return {"count": count, "perThousand": rate}


def _setting(lowest: str, levels: Counts, cells: Cells) -> dict[str, Any]:
    """What MIN_INDICATOR shows and saves."""
    at = LEVELS.index(lowest)
    return {
        "setting": lowest,
        "cards": cells.sum(levels, LEVELS[at:]),
        "saved": cells.sum(levels, LEVELS[1:at]) if at > 1 else 0,
    }


def _ages(figures: Figures, cells: Cells) -> dict[str, Any]:
    found = figures.get("ages", {})
    bands = [band for band in (*AGE_BANDS.values(), NO_AGE) if band in found]
    living = cells.parts({band: sum(found[band].values()) for band in bands})
    cards = cells.parts({band: sum(found[band].get(level, 0) for level in _CARDS) for band in bands})
    return {
        band: {
            "living": living[band],
            **_rated(cards[band] if living[band] is not None else None, living[band] or 0),
        }
        for band in bands
    }


def _rows(figures: Figures, table: Table, living: int, cells: Cells) -> Iterator[dict[str, Any]]:
    found: Mapping[str, Counts] = figures.get("rows", {})
    for name, levels in sorted(found.items(), key=lambda item: (-sum(item[1].values()), item[0])):
        total = cells.one(sum(levels.values()))
        counts = {level: levels.get(level, 0) for level in _CARDS}
        shown = cells.parts(counts) if total is not None else dict.fromkeys(_CARDS)
        yield {"row": name, "label": _label(name, table), **_rated(total, living), "levels": shown}


def _rows_off(figures: Figures, table: Table, cells: Cells) -> Iterator[dict[str, Any]]:
    """For each row that fired: cards that its absence would save, by MIN_INDICATOR, and changed levels."""
    changes: Mapping[str, Counts] = figures.get("without", {})
    for name in sorted(figures.get("rows", {})):
        of_row = changes.get(name, {})
        saved = {
            lowest: cells.sum(
                of_row, [change for change in of_row if _falls_below(lowest, *change.split(">"))]
            )
            for lowest in _CARDS[1:]
        }
        changed = cells.parts(dict(sorted(of_row.items())))
        yield {"row": name, "label": _label(name, table), "saved": saved, "levels": changed}


def _falls_below(lowest: str, before: str, after: str) -> bool:
    return LEVELS.index(before) >= LEVELS.index(lowest) > LEVELS.index(after)


def _label(name: str, table: Table) -> str:
    row = table.row(name)
    return row.label if row is not None else name


def _codes(systems: Mapping[str, Mapping[str, Any]], cells: Cells) -> dict[str, Any]:
    """The most frequent codes of one type of resource, and how many more there are."""
    found = [
        (one["patients"], system, code, one)
        for system, codes in systems.items()
        for code, one in codes.items()
        if code
    ]
    shown = [item for item in found if cells.one(item[0]) is not None]
    shown.sort(key=lambda item: (-item[0], item[1], item[2]))
    words = sum(codes[""]["resources"] for codes in systems.values() if "" in codes)
    return {
        "codes": [
            {
                "system": system,
                "code": code,
                "display": _display(one["displays"], cells),
                "patients": patients,
                "resources": one["resources"],
            }
            for patients, system, code, one in shown[:MOST_CODES]
        ],
        "more": len(shown[MOST_CODES:]),
        "hidden": len(found) - len(shown),
        "wordsAlone": cells.one(words),
    }


def _display(displays: Counts, cells: Cells) -> str:
    """The most frequent; "" where it is of few patients: it may hold anything."""
    often = [(-count, text) for text, count in displays.items() if cells.one(count) is not None]
    return min(often)[1] if often else ""


def _notes(figures: Figures, cells: Cells) -> Iterator[dict[str, Any]]:
    found = [
        {"type": kind, "place": place, "why": why, **counts}
        for kind, places in figures.get("notes", {}).items()
        for place, whys in places.items()
        for why, counts in whys.items()
    ]
    for note in sorted(found, key=lambda n: (-n["patients"], n["type"], n["place"], n["why"])):
        if cells.one(note["patients"]) is None:
            note |= {"patients": None, "notes": None}
        yield note


def site_codes_draft(report: Report) -> dict[str, Any]:
    """The unknown codes of the report as a ConceptMap for SITE_CODES in which nothing is mapped yet."""
    groups: dict[str, dict[str, dict[str, Any]]] = {}
    for kind, found in report["unknownCodes"].items():
        for one in found["codes"]:
            if ":" not in one["system"] or "|" in one["system"]:
                # SITE_CODES takes URIs alone.
                continue
            comment = f"{kind}: {one['patients']} patients"
            element = {"code": one["code"], "target": [{"equivalence": "unmatched", "comment": comment}]}
            if one["display"]:
                element["display"] = one["display"]
            groups.setdefault(one["system"], {}).setdefault(one["code"], element)
    return {
        "resourceType": "ConceptMap",
        "status": "draft",
        "group": [
            {
                "source": system,
                "target": "urn:fasciculation-cds:fhir/CodeSystem/concepts",
                "element": list(codes.values()),
            }
            for system, codes in sorted(groups.items())
        ],
    }


def has_cards(report: Report) -> str:
    """The highest level with a card, "none" without one; by the counts that are not hidden."""
    levels = report["cards"]["levels"]
    return next((level for level in reversed(_CARDS) if levels[level] != 0), NO_CARD)
