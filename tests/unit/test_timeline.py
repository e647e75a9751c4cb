"""The timeline of the workbench by its numbers, and results in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from fhir_mappings.record import (
    Band,
    Basis,
    Days,
    Drug,
    Evidence,
    Finding,
    Limits,
    Order,
    Plausible,
    Record,
    Result,
    Site,
    Status,
    Study,
    Twitch,
)
from service.decision import Decision, decide
from service.knowledge import Knowledge
from service.workbench.laboratory import range_of, results_of
from service.workbench.timeline import (
    MAX_LANES,
    NARROW,
    WIDE,
    Lane,
    Line,
    Mark,
    Rect,
    Scale,
    Text,
    Timeline,
    timeline_of,
)

AS_OF = date(2026, 6, 15)
THIAZIDE = frozenset({"thiazide-diuretic"})


def day(ago: int) -> date:
    return AS_OF - timedelta(ago)


def exactly(ago: int) -> Days:
    return Days(day(ago), day(ago))


SINCE = exactly(20)


def decided(knowledge: Knowledge, onset: Days = SINCE, **more: Any) -> Decision:
    twitch = Twitch(Status.PRESENT, onset=onset, label="twitching")
    return decide(Record(AS_OF, twitch=more.pop("twitch", twitch), **more), knowledge.table)


def drawn(knowledge: Knowledge, width: float = WIDE, **more: Any) -> Timeline:
    return timeline_of(decided(knowledge, **more), knowledge, width)


def lane(timeline: Timeline, kind: str) -> Lane:
    (found,) = [one for one in timeline.lanes if one.kind == kind]
    return found


def rects(one: Lane) -> list[Rect]:
    return [shape for shape in one.shapes if isinstance(shape, Rect)]


def limit_x(timeline: Timeline) -> float:
    return next(shape.x1 for shape in timeline.frame if isinstance(shape, Line) and shape.style == "limit")


def test_later_days_stand_further_right_and_recent_ones_have_more_room() -> None:
    scale = Scale(AS_OF, 1000, 10, 750)
    places = [scale.x(day(ago)) for ago in (1000, 365, 90, 30, 14, 7, 1, 0)]
    assert places == sorted(set(places))
    assert (places[0], places[-1]) == (10, 750)
    assert scale.x(day(0)) - scale.x(day(14)) > 2 * (scale.x(day(500)) - scale.x(day(514)))
    assert scale.x(day(5000)) == 10
    assert scale.x(day(-3)) == 750


@pytest.mark.parametrize(("ago", "beyond"), [(13, False), (15, True)])
def test_a_twitch_crosses_the_line_only_when_it_has_lasted(
    knowledge: Knowledge, ago: int, beyond: bool
) -> None:
    timeline = drawn(knowledge, onset=exactly(ago))
    (bar,) = rects(lane(timeline, "twitch"))
    assert (bar.x < limit_x(timeline)) is beyond
    assert bar.x + bar.width == pytest.approx(WIDE - 8)
    assert "14 days" in [s.text for s in timeline.frame if isinstance(s, Text)]


def test_the_line_is_the_threshold_of_the_table(knowledge: Knowledge) -> None:
    limits = replace(knowledge.table.thresholds, persistent_days=21)
    other = replace(knowledge, table=replace(knowledge.table, thresholds=limits))
    timeline = timeline_of(decided(knowledge), other)
    assert "21 days" in [s.text for s in timeline.frame if isinstance(s, Text)]
    assert limit_x(timeline) < limit_x(drawn(knowledge))


def test_an_eyelid_alone_has_its_own_line_too(knowledge: Knowledge) -> None:
    lid = Twitch(Status.PRESENT, onset=exactly(20), sites=(Site("eyelid", "eyelid"),))
    texts = [s.text for s in drawn(knowledge, twitch=lid).frame if isinstance(s, Text)]
    assert {"14 days", "90 days"} <= set(texts)


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("ago", [1, 20, 92, 120, 400])
def test_the_names_of_the_lines_stand_inside(knowledge: Knowledge, width: float, ago: int) -> None:
    lid = Twitch(Status.PRESENT, onset=exactly(ago), sites=(Site("eyelid", "eyelid"),))
    names = [
        s for s in drawn(knowledge, width, twitch=lid).frame if isinstance(s, Text) and s.style == "limit"
    ]
    for name in names:
        # 7 units a letter of that size.
        wide = 7 * len(name.text)
        left = name.x - {"start": 0, "middle": wide / 2, "end": wide}[name.anchor]
        assert 0 <= left <= width - wide


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_line_is_broken_where_a_label_stands(knowledge: Knowledge, width: float) -> None:
    drug = Drug("chlortalidone", THIAZIDE, Plausible.YES, "why " * 60, start=exactly(100))
    timeline = drawn(knowledge, width, drugs=(drug,))
    lines = [s for s in timeline.frame if isinstance(s, Line) and s.style in ("limit", "today")]
    texts = [s for one in timeline.lanes for s in one.shapes if isinstance(s, Text)]
    # A letter of 13 units reaches 12 above its base line and 3 below.
    assert [(t.text, s) for t in texts for s in lines if s.y1 < t.y + 3 and s.y2 > t.y - 12] == []
    bars = [bar for one in timeline.lanes for bar in rects(one)]
    assert all(any(s.y1 <= bar.y and s.y2 >= bar.y + bar.height for s in lines) for bar in bars)


def test_without_a_twitch_no_medicine_is_its_cause(knowledge: Knowledge) -> None:
    drug = Drug("furosemide", frozenset({"loop-diuretic"}), Plausible.POSSIBLE, start=exactly(30))
    absent = lane(drawn(knowledge, twitch=Twitch(Status.ABSENT), drugs=(drug,)), "drug")
    assert "cause" in lane(drawn(knowledge, drugs=(drug,)), "drug").text
    assert "cause" not in absent.text
    assert "furosemide" in absent.text


def test_what_is_not_certain_of_the_beginning_is_hatched(knowledge: Knowledge) -> None:
    unsure, sure = rects(lane(drawn(knowledge, onset=Days(day(40), day(20))), "twitch"))
    assert (unsure.fill, sure.fill) == ("hatch", "")
    assert unsure.x + unsure.width == pytest.approx(sure.x)
    # On record for a while, and nobody knows for how long: from the edge.
    unsure, sure = rects(lane(drawn(knowledge, onset=Days(None, day(20))), "twitch"))
    assert (unsure.fill, unsure.x) == ("hatch", 8)
    (all_of_it,) = rects(lane(drawn(knowledge, onset=Days()), "twitch"))
    assert (all_of_it.fill, all_of_it.x) == ("hatch", 8)


@pytest.mark.parametrize(
    ("plausible", "fill", "sign"),
    [(Plausible.YES, "", "●"), (Plausible.POSSIBLE, "hatch", "◐"), (Plausible.NO, "hollow", "○")],
)
def test_medicines_are_told_apart_by_more_than_colour(
    knowledge: Knowledge, plausible: Plausible, fill: str, sign: str
) -> None:
    drug = Drug("chlortalidone", THIAZIDE, plausible, "why", "x/1", exactly(100))
    one = lane(drawn(knowledge, drugs=(drug,)), "drug")
    (bar,) = rects(one)
    assert (bar.fill, bar.style) == (fill, f"drug-{plausible.value}")
    assert one.text.startswith(f"{sign} chlortalidone (thiazide diuretic): ")
    assert {Plausible.YES: "can be", Plausible.POSSIBLE: "perhaps", Plausible.NO: "cannot be"}[
        plausible
    ] in one.text


def test_a_course_ends_where_the_medicine_ended(knowledge: Knowledge) -> None:
    running = Drug("a", THIAZIDE, start=exactly(200))
    ended = replace(running, current=False, end=exactly(100))
    (open_bar,) = rects(lane(drawn(knowledge, drugs=(running,)), "drug"))
    (closed,) = rects(lane(drawn(knowledge, drugs=(ended,)), "drug"))
    assert open_bar.x + open_bar.width == pytest.approx(WIDE - 8)
    assert closed.x == open_bar.x
    timeline = drawn(knowledge, drugs=(ended,))
    assert closed.x + closed.width < limit_x(timeline)


def test_a_medicine_that_no_row_takes_comes_last_and_accuses_nobody(knowledge: Knowledge) -> None:
    drugs = (Drug("aspirin", start=exactly(9)), Drug("b", THIAZIDE, Plausible.YES, start=exactly(9)))
    first, second = [one for one in drawn(knowledge, drugs=drugs).lanes if one.kind == "drug"]
    assert first.text.startswith("● b")
    assert second.text == "aspirin: no row takes it as a cause"


def test_results_have_a_shape_by_what_they_mean(knowledge: Knowledge) -> None:
    for band, low, shape in (
        (Band.IN_RANGE, None, "circle"),
        (Band.OUT_OF_RANGE, True, "down"),
        (Band.OUT_OF_RANGE, False, "up"),
        (Band.CRITICAL, True, "diamond"),
        (Band.NOT_JUDGED, None, "square"),
    ):
        result = Result("potassium", "2.4", "mmol/L", Decimal("2.4"), day(3), band=band, low=low)
        (mark,) = [
            s for s in lane(drawn(knowledge, results=(result,)), "result").shapes if isinstance(s, Mark)
        ]
        assert (mark.shape, mark.style) == (shape, band.value)


@pytest.mark.parametrize(
    ("text", "unit", "says"),
    [("", None, "Potassium, "), ("4", None, "Potassium 4, "), ("4", "mmol/L", "Potassium 4 mmol/L, ")],
)
def test_a_result_says_what_of_it_is_there(
    knowledge: Knowledge, text: str, unit: str | None, says: str
) -> None:
    result = Result("potassium", text, unit, None, day(3), band=Band.NOT_JUDGED)
    assert lane(drawn(knowledge, results=(result,)), "result").text.startswith(f"{says}{day(3)}: ")


def test_examinations_studies_and_orders_stand_on_their_days(knowledge: Knowledge) -> None:
    def looked(status: Status, ago: int) -> tuple[Evidence, ...]:
        return (Evidence("Observation/1", "Observation.code", "x", status, Basis.EXAMINED, day(ago)),)

    findings = {
        "weakness": Finding("weakness", Status.ABSENT, Basis.EXAMINED, evidence=looked(Status.ABSENT, 5)),
        "atrophy": Finding("atrophy", Status.PRESENT, Basis.EXAMINED, evidence=looked(Status.PRESENT, 5)),
        "diabetes": Finding("diabetes", Status.PRESENT, Basis.EXAMINED, evidence=looked(Status.PRESENT, 5)),
    }
    timeline = drawn(
        knowledge,
        findings=findings,
        studies=(Study("emg", day(30)),),
        orders=(Order(frozenset({"tsh"}), day(4)), Order(frozenset({"sodium"}), day(4))),
    )
    assert lane(timeline, "exam").text == "Examined 2026-06-10: present: muscle wasting; absent: weakness"
    assert lane(timeline, "study").text == "Done: EMG, 2026-05-16"
    order = lane(timeline, "order")
    assert order.text == "Ordered 2026-06-11, pending: sodium, TSH"
    marks = {one.kind: s for one in timeline.lanes for s in one.shapes if isinstance(s, Mark)}
    assert marks["study"].x < marks["exam"].x < marks["order"].x
    assert rects(order)[0].x == marks["order"].x


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_everything_stands_inside_and_below_what_is_above(knowledge: Knowledge, width: float) -> None:
    drugs = tuple(
        Drug(f"{'x' * 300}{n}", THIAZIDE, Plausible.YES, "y " * 90, start=exactly(n * 400)) for n in range(40)
    )
    timeline = drawn(knowledge, width=width, drugs=drugs, onset=Days(day(9000), day(3)))
    assert len(timeline.lanes) == MAX_LANES
    assert timeline.left_out == 41 - MAX_LANES
    below = 0.0
    for one in timeline.lanes:
        texts = [s for s in one.shapes if isinstance(s, Text)]
        assert min(t.y for t in texts) > below
        for bar in rects(one):
            assert 0 < bar.x <= bar.x + bar.width <= width
            assert bar.y >= max(t.y for t in texts)
            below = bar.y + bar.height
        # Wide letters take half an em and more; nothing may reach the frame.
        assert max(len(t.text) for t in texts) * 7.7 <= width
    assert below < timeline.height
    ticks = sorted(s.x for s in timeline.frame if isinstance(s, Text) and s.style == "tick")
    assert all(b - a >= 60 for a, b in pairwise(ticks))


def test_without_a_twitch_the_rest_is_drawn(knowledge: Knowledge) -> None:
    decision = decided(knowledge, twitch=Twitch(), drugs=(Drug("a", THIAZIDE, start=exactly(9)),))
    assert [one.kind for one in timeline_of(decision, knowledge).lanes] == ["drug"]


def limits(number: str, low: str | None, high: str | None, **more: Any) -> Limits:
    return Limits(Decimal(number), Decimal(low) if low else None, Decimal(high) if high else None, **more)


def test_a_range_is_said_with_its_unit_and_where_it_is_from() -> None:
    assert range_of(limits("4", "3.50", "5", unit="mmol/L")) == "3.50 to 5 mmol/L"
    assert range_of(limits("4", "3.5", None, own=False)) == "from 3.5 (default)"
    assert range_of(limits("4", None, "5")) == "up to 5"
    assert range_of(None) == ""


def test_an_old_abnormal_result_says_that_it_does_not_count(knowledge: Knowledge) -> None:
    old = Result("potassium", "2.9", "mmol/L", Decimal("2.9"), day(400), band=Band.OUT_OF_RANGE, low=True)
    (shown,) = results_of(decided(knowledge, results=(old,)), knowledge)
    assert shown.judged == "out of range, too old to count"
    assert shown.band == "not-judged"
