"""The timeline of one patient as shapes: the twitch, medications, results, examinations, studies and orders.

The scale widens towards the day of the decision, so that two weeks and two years fit on it.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from fhir_mappings.record import Band, Basis, Days, Drug, Plausible, Result, Status
from service.cards.escaping import folded
from service.cards.text import capital, duration, joined, study_label, test_label
from service.decision import Decision
from service.decision.result_facts import band_today
from service.decision.table import TRUE
from service.knowledge import Knowledge
from service.workbench.laboratory import judged_as, range_of

WIDE, NARROW = 640, 340
MAX_LANES = 14
_MARGIN, _LINE_HEIGHT, _BAR_HEIGHT, _GAP = 8.0, 17.0, 12.0, 10.0
# Free space above a label, because letters reach above its line.
_LABEL_CLEARANCE = 4.0
# Wide enough for the fonts of all browsers.
_LETTER_WIDTH = 7.7
# The scale is nearly linear for about so many days.
_LINEAR_DAYS = 10.0
_MIN_SPAN_DAYS, _MAX_SPAN_DAYS = 60, 365 * 30
_TICKS = (
    (30, "1 month"),
    (91, "3 months"),
    (182, "6 months"),
    (365, "1 year"),
    (730, "2 years"),
    (1826, "5 years"),
    (3652, "10 years"),
    (7305, "20 years"),
)
_TICK_WIDTH = 70.0
_VERDICTS = {
    Plausible.YES: "can be a cause",
    Plausible.POSSIBLE: "perhaps a cause",
    Plausible.NO: "cannot be the cause",
}
_SIGNS = {Plausible.YES: "●", Plausible.POSSIBLE: "◐", Plausible.NO: "○"}
# Kinds of findings that a visit examines.
_EXAMINED = frozenset({"sign", "symptom"})
_SHAPES = {
    Band.IN_RANGE: "circle",
    Band.NOT_JUDGED: "square",
    Band.CRITICAL: "diamond",
}


@dataclass(frozen=True, slots=True)
class Rect:
    """style: a class of the style sheet. fill: tells bars apart without colour ("hatch", "hollow", "")."""

    x: float
    y: float
    width: float
    height: float
    style: str
    fill: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    x1: float
    y1: float
    x2: float
    y2: float
    style: str


@dataclass(frozen=True, slots=True)
class Mark:
    """shape: circle, square, diamond, up or down."""

    x: float
    y: float
    shape: str
    style: str


@dataclass(frozen=True, slots=True)
class Text:
    """anchor: start, middle or end."""

    x: float
    y: float
    text: str
    style: str = ""
    anchor: str = "start"


Shape = Rect | Line | Mark | Text


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps days to x. span: days from the left edge to the day of the decision at the right edge."""

    as_of: date
    span: int
    left: float
    right: float

    def x(self, day: date) -> float:
        """x of a day; a day beyond an edge is drawn on it."""
        return self.x_ago((self.as_of - day).days)

    def x_ago(self, days: int) -> float:
        """x of so many days before the decision, even before the calendar begins."""
        ago = min(max(days, 0), self.span)
        share = math.log1p(ago / _LINEAR_DAYS) / math.log1p(self.span / _LINEAR_DAYS)
        return round(self.right - (self.right - self.left) * share, 1)


@dataclass(frozen=True, slots=True)
class Lane:
    """One line of the timeline. kind: a class of the style sheet. text: the same in words."""

    kind: str
    text: str
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """frame: axis and limits. left_out: number of lanes beyond MAX_LANES."""

    width: float
    height: float
    frame: tuple[Shape, ...]
    lanes: tuple[Lane, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class _Item:
    """A lane before it is placed. bars: (from, to, style, fill); None is the edge."""

    kind: str
    text: str
    bars: tuple[tuple[date | None, date | None, str, str], ...] = ()
    marks: tuple[tuple[date, str, str], ...] = ()


@dataclass(slots=True)
class _Drawing:
    scale: Scale
    width: float
    y: float
    lanes: list[Lane] = field(default_factory=list)
    # Top and bottom of the stretches without a label.
    free: list[tuple[float, float]] = field(default_factory=list)

    def add(self, item: _Item) -> None:
        shapes: list[Shape] = []
        letters = int((self.width - 2 * _MARGIN) / _LETTER_WIDTH)
        for line in textwrap.wrap(item.text, letters, max_lines=4, placeholder=" …") or [""]:
            self.y += _LINE_HEIGHT
            shapes.append(Text(_MARGIN, self.y - 4, line, item.kind))
        for start, end, style, fill in item.bars:
            x1 = self.scale.left if start is None else self.scale.x(start)
            x2 = self.scale.right if end is None else self.scale.x(end)
            # A bar that begins today needs a width, too.
            width = max(round(x2 - x1, 1), 2.0)
            shapes.append(Rect(min(x1, self.scale.right - 2), self.y, width, _BAR_HEIGHT, style, fill))
        for day, shape, style in item.marks:
            shapes.append(Mark(self.scale.x(day), self.y + _BAR_HEIGHT / 2, shape, style))
        self.free.append((self.y, self.y + _BAR_HEIGHT + _GAP - _LABEL_CLEARANCE))
        self.y += _BAR_HEIGHT + _GAP
        self.lanes.append(Lane(item.kind, item.text, tuple(shapes)))


def timeline_of(decision: Decision, knowledge: Knowledge, width: float = WIDE) -> Timeline:
    """The timeline of a decision, so many units wide."""
    items = list(_Items(decision, knowledge).all())
    scale = _scale(decision, items, width)
    drawing = _Drawing(
        scale, width, 2 * _LINE_HEIGHT, free=[(_LINE_HEIGHT + 4, 2 * _LINE_HEIGHT - _LABEL_CLEARANCE)]
    )
    for item in items[:MAX_LANES]:
        drawing.add(item)
    bottom = drawing.y
    return Timeline(
        width=width,
        height=bottom + _LINE_HEIGHT + 6,
        frame=tuple(_frame(decision, knowledge, scale, drawing.free, bottom)),
        lanes=tuple(drawing.lanes),
        left_out=max(len(items) - MAX_LANES, 0),
    )


def _scale(decision: Decision, items: list[_Item], width: float) -> Scale:
    as_of = decision.record.as_of
    days = [day for item in items for bar in item.bars for day in bar[:2] if day is not None]
    days += [mark[0] for item in items for mark in item.marks]
    oldest = max([(as_of - day).days for day in days], default=0)
    span = min(max(int(oldest * 1.15), _MIN_SPAN_DAYS), _MAX_SPAN_DAYS)
    return Scale(as_of, span, _MARGIN, width - _MARGIN)


def _frame(
    decision: Decision,
    knowledge: Knowledge,
    scale: Scale,
    free: list[tuple[float, float]],
    bottom: float,
) -> Iterator[Shape]:
    """Axis and vertical lines, which are interrupted at labels."""
    limits = knowledge.table.thresholds
    as_of = decision.record.as_of
    days = [limits.persistent_days]
    if decision.facts.get("isolated-eyelid") == TRUE:
        days.append(limits.eyelid_days)
    yield from (Line(scale.right, top, scale.right, end, "today") for top, end in free)
    yield Text(scale.right, _LINE_HEIGHT - 3, str(as_of), "today", "end")
    for limit in days:
        x = scale.x_ago(limit)
        yield from (Line(x, top, x, end, "limit") for top, end in free)
        anchor, beside = "middle", 0
        if x >= scale.right - 2 * _TICK_WIDTH:
            anchor, beside = "end", 14
        elif x < scale.left + _TICK_WIDTH / 2:
            anchor = "start"
        yield Text(x + beside, _LINE_HEIGHT - 3, f"{limit} days", "limit", anchor)
    last = scale.right
    for ago, text in _TICKS:
        x = scale.x_ago(ago)
        if ago >= scale.span or last - x < _TICK_WIDTH or x < _TICK_WIDTH / 2:
            continue
        last = x
        yield Line(x, bottom, x, bottom + 5, "tick")
        yield Text(x, bottom + _LINE_HEIGHT, text, "tick", "middle")
    yield Line(scale.left, bottom, scale.right, bottom, "axis")


class _Items:
    def __init__(self, decision: Decision, knowledge: Knowledge) -> None:
        self.decision = decision
        self.record = decision.record
        self.as_of = decision.record.as_of
        self.knowledge = knowledge
        self.table = knowledge.table
        self.terminology = knowledge.terminology
        self.wording = knowledge.wording

    def all(self) -> Iterator[_Item]:
        if self.record.twitch.status is Status.PRESENT:
            yield self.twitch()
        order = {Plausible.YES: 0, Plausible.POSSIBLE: 1, Plausible.NO: 2}
        acting = [drug for drug in self.record.drugs if self.acts(drug)]
        for drug in sorted(acting, key=lambda drug: order[drug.plausible]):
            yield self.drug(drug)
        yield from self.results()
        yield from self.examinations()
        for study in self.record.studies:
            if study.day is not None:
                text = f"Done: {study_label(study.id, self.wording)}, {study.day}"
                yield _Item("study", text, marks=((study.day, "square", "study"),))
        yield from self.orders()
        for drug in self.record.drugs:
            if not self.acts(drug):
                yield self.drug(drug)

    def acts(self, drug: Drug) -> bool:
        """Whether a row reads a class of the medication as a cause."""
        return any(drug.classes & row.drug_classes for row in self.table.rows)

    def twitch(self) -> _Item:
        twitch = self.record.twitch
        text = f"Twitching: {duration(twitch, self.as_of, self.wording)}"
        return _Item("twitch", text, tuple(self.bars(twitch.onset, None, "twitch", "")))

    def bars(
        self, start: Days, end: date | None, style: str, fill: str
    ) -> Iterator[tuple[date | None, date | None, str, str]]:
        """A hatched bar while the start is uncertain, then a bar in that fill."""
        if not start.known:
            yield None, end, style, "hatch"
            return
        if not start.exact:
            yield start.earliest, start.latest or end, style, "hatch"
        if start.latest is not None:
            yield start.latest, end, style, fill

    def drug(self, drug: Drug) -> _Item:
        labels = self.terminology.medications.class_labels
        classes = joined(labels[name] for name in sorted(drug.classes) if name in labels)
        name = folded(drug.name)[:60] + (f" ({classes})" if classes else "")
        end = drug.end.latest if drug.end is not None and not drug.current else None
        if not self.acts(drug):
            text = f"{name}: no row takes it as a cause"
            return _Item("drug", text, tuple(self.bars(drug.start, end, "listed", "hollow")))
        if self.record.twitch.status is not Status.PRESENT:
            # Without a twitch there is nothing to cause.
            return _Item("drug", name, tuple(self.bars(drug.start, end, "drug-no", "hollow")))
        text = f"{_SIGNS[drug.plausible]} {name}: {_VERDICTS[drug.plausible]}; {folded(drug.why)}"
        fill = {Plausible.YES: "", Plausible.POSSIBLE: "hatch", Plausible.NO: "hollow"}[drug.plausible]
        return _Item("drug", text, tuple(self.bars(drug.start, end, f"drug-{drug.plausible.value}", fill)))

    def results(self) -> Iterator[_Item]:
        order = {name: index for index, name in enumerate(self.table.shown_results)}
        shown = [result for result in self.record.results if result.analyte in order]
        for result in sorted(shown, key=lambda result: order[result.analyte]):
            if result.day is not None:
                yield self.result(result, result.day)

    def result(self, result: Result, day: date) -> _Item:
        band = band_today(result, self.table, self.as_of)
        shape = _SHAPES.get(band) or ("down" if result.low else "up")
        measured = (folded(text)[:20] for text in (result.text, result.unit or "") if text)
        value = " ".join([self.terminology.analytes[result.analyte].label, *measured])
        judged, limits = judged_as(result, band, self.knowledge), range_of(result.limits)
        text = capital(f"{value}, {day}: {judged}{f' (range {limits})' if limits else ''}")
        return _Item("result", text, marks=((day, shape, band.value),))

    def examinations(self) -> Iterator[_Item]:
        """Examined findings of each day, the newest day first; present findings before absent ones."""
        seen: dict[date, dict[Status, list[str]]] = {}
        for name, finding in sorted(self.record.findings.items()):
            definition = self.terminology.findings[name]
            for evidence in finding.evidence if definition.kind in _EXAMINED else ():
                if evidence.basis is Basis.EXAMINED and evidence.day is not None:
                    seen.setdefault(evidence.day, {}).setdefault(evidence.status, []).append(definition.label)
        for day in sorted(seen, reverse=True):
            texts = [
                f"{self.wording.say(f'status.{status.value}')}: {joined(seen[day][status])}"
                for status in Status
                if status in seen[day]
            ]
            yield _Item("exam", f"Examined {day}: {'; '.join(texts)}", marks=((day, "square", "exam"),))

    def orders(self) -> Iterator[_Item]:
        """Pending orders by the day on which they were placed."""
        ordered: dict[date, set[str]] = {}
        for order in self.record.orders:
            if order.day is not None and not order.draft:
                tests = {self.table.counts_as.get(test, test) for test in order.tests}
                ordered.setdefault(order.day, set()).update(tests)
        for day, tests in sorted(ordered.items(), reverse=True):
            names = joined(test_label(test, self.terminology, self.wording) for test in sorted(tests))
            bar = (day, None, "order", "hollow")
            yield _Item("order", f"Ordered {day}, pending: {names}", (bar,), ((day, "square", "order"),))
