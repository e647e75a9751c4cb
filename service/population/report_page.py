"""The report as one page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from service.population.export_files import MOVED
from service.population.figures import LEVELS
from service.population.plots import Bar, bar_chart
from service.population.report import SMALL, Report

_TEMPLATE = Path(__file__).with_name("report.html")
_MOST_ROWS, _MOST_NOTES = 30, 50
_GATES = {
    "open": "a twitch is on record",
    "no-twitch": "no twitch is on record",
    "unseen": "no twitch was found, and the export lacks Conditions or Observations",
    "unread": "no twitch was found, and a resource that may record one could not be read",
    "in-words": "only words record a twitch: the card names them",
    "deceased": "deceased",
    "known-disease": "a motor neurone disease is known",
}
_NOTES_SCOPE = {
    False: "Of what patient-view reads: without a twitch only what can record one. --whole: of all.",
    True: "Of the whole record of every patient.",
}


def page_of(report: Report, *, whole: bool) -> str:
    """The page. whole: whether the records of all patients were read whole."""
    cards, patients = report["cards"], report["patients"]
    examination = report["examination"]
    export, hides = report["export"], report["smallCountsHidden"]
    members = {
        "living": f"{patients['living']:,}",
        "as_of": report["asOf"],
        "service": report["service"],
        "knowledge": report["knowledge"],
        "files": f"{export['files']:,}",
        "size": _size(export["bytes"]),
        "hidden": f" Counts below {SMALL} are hidden, and those that would tell one." if hides else "",
        "cards_rate": _rate(cards["perThousand"]),
        "cards": _of(cards["count"], patients["living"], "patients"),
        "critical_rate": _rate(cards["critical"]["perThousand"]),
        "critical": _of(cards["critical"]["count"], cards["count"], "cards"),
        "never": _count(examination["never"]),
        "never_of": f"of {_count(patients['gates'].get('open', 0))} twitches on record",
    }
    blocks = {
        "compared": _compared(report.get("compared")),
        "levels": bar_chart("Cards by level", [_level_bar(level, report) for level in LEVELS[1:]]),
        "ages": bar_chart("Cards per 1,000 by age", list(map(_age_bar, report["ages"].items()))),
        "grey": ' <span class="key-of bar"></span>a level is hidden' if hides else "",
        "rows": _rows(report["rows"]),
        "examination": bar_chart(
            "Examination", [Bar(state, count, _count(count)) for state, count in examination.items()]
        ),
        "settings": _table(
            ("MIN_INDICATOR", "cards", "saved"),
            [(one["setting"], one["cards"], one["saved"]) for one in report["minIndicator"]],
        ),
        "rows_off": _rows_off(report),
        "gates": _table(
            ("reason", "patients"),
            [(_GATES.get(name, name), count) for name, count in patients["gates"].items() if name != "open"]
            + [(f"not decided: {why}", count) for why, count in patients["refused"].items()],
        ),
        "unknown": _unknown(report),
        "notes_scope": escape(_NOTES_SCOPE[whole]),
        "notes": _table(
            ("type", "place", "why", "patients", "notes"),
            [
                (note["type"], note["place"], note["why"], note["patients"], note["notes"])
                for note in report["notUnderstood"][:_MOST_NOTES]
            ],
        ),
        "resources": _table(("type", "resources"), list(export["resources"].items())),
        "faults": _faults(report),
        "orphans": _table(
            ("resources without a patient", "type", "resources"),
            [(why, kind, count) for why, kinds in report["orphans"].items() for kind, count in kinds.items()],
        ),
    }
    escaped = {name: escape(text) for name, text in members.items()}
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(escaped, **blocks)


def _of(count: int | None, whole: int | None, words: str) -> str:
    return f"{'' if count is None else f'{count:,} '}of {_count(whole)} {words}"


def _level_bar(level: str, report: Report) -> Bar:
    count, living = report["cards"]["levels"][level], report["patients"]["living"]
    rate = None if count is None or not living else 1000 * count / living
    return Bar(level, rate, _rate_and_count(rate, count, " per 1,000"), [(level, 1.0)])


def _age_bar(item: tuple[str, Any]) -> Bar:
    band, one = item
    text = _rate_and_count(one["perThousand"], one["count"], " per 1,000")
    return Bar(f"{band} ({_count(one['living'])} patients)", one["perThousand"], text)


def _rows(rows: Sequence[dict[str, Any]]) -> str:
    shown = [row for row in rows if row["count"] is not None]
    chart = bar_chart("Cards per 1,000 by row", list(map(_row_bar, shown[:_MOST_ROWS])))
    hidden = "; ".join(row["label"] for row in rows if row["count"] is None)
    return chart + (f"<p>Hidden counts: {escape(hidden)}.</p>" if hidden else "")


def _row_bar(one: dict[str, Any]) -> Bar:
    text = _rate_and_count(one["perThousand"], one["count"])
    if one["count"] and None not in one["levels"].values():
        parts = [(level, one["levels"][level] / one["count"]) for level in LEVELS[1:]]
        return Bar(one["label"], one["perThousand"], text, parts)
    return Bar(one["label"], one["perThousand"], text)


def _rows_off(report: Report) -> str:
    rows = [one for one in report["rowsOff"] if one["levels"]]
    heads = ("row", "label", "saved at MIN_INDICATOR=warning", "saved at MIN_INDICATOR=critical")
    return _table(
        heads,
        [(one["row"], one["label"], one["saved"]["warning"], one["saved"]["critical"]) for one in rows],
    )


def _unknown(report: Report) -> str:
    blocks = []
    for kind, found in report["unknownCodes"].items():
        rest = [
            f"{number:,} {words}"
            for number, words in (
                (found["more"], "more codes"),
                (found["hidden"], f"codes of fewer than {SMALL} patients are hidden"),
                (found["wordsAlone"] or 0, "concepts in words alone"),
            )
            if number
        ]
        blocks.append(f"<h3>{escape(kind)}</h3>")
        blocks.append(
            _table(
                ("system", "code", "display", "patients", "resources"),
                [tuple(one.values()) for one in found["codes"]],
            )
        )
        if rest:
            blocks.append(f'<p class="soft">{escape("; ".join(rest))}.</p>')
    return "".join(blocks) or "<p>Every code is known.</p>"


def _compared(drift: dict[str, Any] | None) -> str:
    """What changed since another report; "" without one."""
    if drift is None:
        return ""
    other = drift["with"]
    figures = [
        ("living patients", *(_count(drift["patients"][side]) for side in ("before", "now"))),
        ("cards per 1,000", *(_rate(drift["cards"][side]) for side in ("before", "now"))),
        ("critical cards per 1,000", *(_rate(drift["critical"][side]) for side in ("before", "now"))),
        *(
            (f"twitches examined: {state}", _count(sides["before"]), _count(sides["now"]))
            for state, sides in drift["examination"].items()
        ),
        *(
            (f"{row['label']}, per 1,000", _rate(row["before"]), _rate(row["now"]))
            for row in drift["rows"][:_MOST_ROWS]
        ),
    ]
    moved = drift.get("moved")
    parts = [
        "<h2>What changed</h2>",
        f"<p>Against the report of {escape(other['asOf'])}, service {escape(other['service'])},"
        f" knowledge {escape(other['knowledge'])}.</p>",
        _table(("figure", "before", "now"), figures),
    ]
    if moved is not None:
        parts.append(_table(("level before > now", "patients"), list(moved.items())))
        parts.append(
            f'<p class="soft">Who they are stands in {MOVED}.</p>' if moved else "<p>Nobody moved.</p>"
        )
    return "".join(parts)


def _faults(report: Report) -> str:
    rows = [
        (kind, ", ".join(f"{file}:{line}" for file, line in found["places"]), found["count"])
        for kind, found in report["faults"].items()
    ]
    return _table(("fault", "the first places, as file:line", "count"), rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table, with numbers to the right; "" without rows."""
    cells = [list(row) for row in rows]
    if not cells:
        return ""
    numeric = [
        all(value is None or isinstance(value, int) for value in column)
        for column in zip(*cells, strict=True)
    ]
    head = "".join(
        f"<th{_style(number)}>{escape(name)}</th>" for name, number in zip(heads, numeric, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{_style(number)}>{_count(value) if number else escape(str(value))}</td>"
            for value, number in zip(row, numeric, strict=True)
        )
        + "</tr>"
        for row in cells
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _style(number: bool) -> str:
    return ' class="n"' if number else ""


def _count(count: int | None) -> str:
    return "hidden" if count is None else f"{count:,}"


def _rate(rate: float | None) -> str:
    return "hidden" if rate is None else f"{rate:,.2f}"


def _rate_and_count(rate: float | None, count: int | None, unit: str = "") -> str:
    return "hidden" if count is None else f"{_rate(rate)}{unit} ({count:,})"


def _size(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:,.0f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"
