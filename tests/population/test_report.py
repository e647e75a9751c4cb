"""The report: small counts, the page, and the draft of SITE_CODES."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from service.knowledge import load_knowledge
from service.population.figures import PLACES, add, fault, merged
from service.population.plots import Bar, bar_chart
from service.population.report import Cells, Report, report_of, site_codes_draft
from service.population.report_page import page_of
from tests.population.exports import AS_OF, export, knowledge, lines_of_patients, reported


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("report")
    return reported(export(folder / "export", lines_of_patients()), folder / "out")


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ({"a": 100, "b": 20, "c": 0}, {"a": 100, "b": 20, "c": 0}),
        ({"a": 100, "b": 20, "c": 4}, {"a": 100, "b": None, "c": None}),
        ({"a": 100, "b": 3, "c": 4}, {"a": 100, "b": None, "c": None}),
        ({"a": 0, "b": 3}, {"a": 0, "b": None}),
    ],
)
def test_parts_of_a_whole(counts: dict[str, int], shown: dict[str, int | None]) -> None:
    assert Cells(True).parts(counts) == shown
    assert Cells(False).parts(counts) == counts


def test_no_sum_tells_a_hidden_part() -> None:
    cells = Cells(True)
    counts = {"none": 900, "info": 9, "warning": 20, "critical": 4}
    assert cells.parts(counts) == {"none": 900, "info": None, "warning": 20, "critical": None}
    assert cells.sum(counts, ["warning", "critical"]) is None
    assert cells.sum(counts, ["none", "warning"]) == 920
    assert cells.sum(counts, ["info", "warning", "critical"]) == 33
    assert Cells(False).sum(counts, ["warning", "critical"]) == 24


def test_first_places_are_kept() -> None:
    parts = [fault("broken line", [task, line]) for task in (2, 1) for line in range(30, 0, -1)]
    found = merged(parts)["faults"]["broken line"]
    assert found == {"count": 60, "places": [[1, line] for line in range(1, PLACES + 1)]}
    other = merged(reversed(parts))
    add(other, {})
    assert other["faults"]["broken line"] == found


def test_draft_is_site_codes_once_a_code_is_mapped(tmp_path: Path, report: Report) -> None:
    draft = site_codes_draft(report)
    assert sum(len(group["element"]) for group in draft["group"]) > 50
    own = next(group for group in draft["group"] if "ehr.example.org" in group["source"])
    first = own["element"][0]
    first["target"] = [{"equivalence": "equivalent", "code": "fasciculation"}]
    path = tmp_path / "site_codes_draft.json"
    path.write_text(json.dumps(draft))
    loaded = load_knowledge(site_codes=path).terminology.finding_codes
    added = loaded.keys() - knowledge().terminology.finding_codes.keys()
    assert added == {(own["source"], first["code"])}


def test_page_needs_nothing_else(report: Report) -> None:
    page = page_of(report, whole=False)
    assert "$" not in page
    assert not re.search(r"<script|<link|<img|src=|url\(|href=", page)
    cards = report["cards"]
    for text in (f"<b>{cards['perThousand']:.2f}</b>", f"<b>{cards['critical']['perThousand']:.2f}</b>"):
        assert text in page
    assert f"<b>{report['examination']['never']}</b>twitches never examined" in page
    assert page.count("<svg") == 4


def test_a_hidden_level_is_not_shown_as_info() -> None:
    """Hidden counts are said once, and a bar whose levels are hidden has no level's colour."""
    levels = {"none": 90, "warning": 3, "critical": 7}
    rows = {"persistent": {"warning": 3, "critical": 7}, "bulbar": {"critical": 3}}
    figures = {"patients": 100, "living": 100, "levels": levels, "gates": {"open": 10}, "rows": rows}
    report = report_of(figures, knowledge().table, as_of=AS_OF, knowledge="k", files=1, size=1)
    page = page_of(report, whole=True)
    assert "of 10 cards" in page
    assert "hidden of" not in page
    assert not re.search(r"hidden[^<]*hidden", page)
    assert "Hidden counts: difficulty with speech or swallowing, or a twitching tongue." in page
    colours = re.findall(r'<rect class="(\w+)"', page)
    assert colours == ["bar"]


def test_labels_of_rows_are_not_cut(report: Report) -> None:
    labels = [row["label"] for row in report["rows"]]
    assert len(labels) > 10
    assert "…" not in page_of(report, whole=False)


def test_text_of_a_record_is_escaped() -> None:
    code = {"patients": 9, "resources": 9, "displays": {"<script>alert(1)</script>": 9}}
    figures = {"patients": 9, "living": 9, "unknown": {"Condition": {"urn:x": {"<b>": code}}}}
    report = report_of(figures, knowledge().table, as_of=AS_OF, knowledge="k", files=1, size=1)
    page = page_of(report, whole=True)
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "<b>&" not in page


def test_bars() -> None:
    chart = bar_chart("Title", [Bar("half", 5, "5"), Bar("whole", 10, "10"), Bar("hidden", None, "hidden")])
    widths = [float(width) for width in re.findall(r'<rect class="bar"[^>]* width="([0-9.]+)"', chart)]
    assert len(widths) == 2
    assert widths[1] == 2 * widths[0]
    assert 'aria-label="Title"' in chart
