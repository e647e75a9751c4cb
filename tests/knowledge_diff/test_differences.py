"""Every kind of change of what is written is told, and nothing that did not change is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from service.knowledge import HERE
from tests.knowledge_diff.copies import TABLE, change, changed, found, written_now
from tools.knowledge_diff import Change, written

SHAPING = "Removals, self-care, named conditions and what else shapes a card"


# file, what is changed in the earlier copy (pattern, replacement), section, and the changes told: place,
# before and after. The earlier knowledge is the changed one, so what it has more was removed since.
@pytest.mark.parametrize(
    ("file", "pattern", "replacement", "section", "told"),
    [
        (
            TABLE,
            "persistent_days: 14",
            "persistent_days: 21",
            "Thresholds",
            [("persistent_days", ["21"], ["14"])],
        ),
        (TABLE, "  study_days: 180\n", "", "Thresholds", [("study_days", [], ["180"])]),
        (
            TABLE,
            'label: "tingling"\n    when: tingling\n    actions: \\[electrolytes\\]\n    level: calm',
            'label: "tingling"\n    when: {all: [tingling, {not: pain}]}\n'
            "    actions: [thyroid]\n    level: info",
            "Rows",
            [
                ("tingling, when", ["tingling and not pain"], ["tingling"]),
                ("tingling, actions", ["thyroid"], ["electrolytes"]),
                ("tingling, level", ["info"], ["calm"]),
            ],
        ),
        (
            TABLE,
            '\\{ids: \\[S003-22\\], reading: stated, note: "new tingling needs a visit"\\}',
            '{ids: [S003-22, S004-32], reading: interpreted, note: "new tingling needs a visit"}',
            "Rows",
            [
                (
                    "tingling, rests on",
                    ["interpreted S003-22, S004-32: new tingling needs a visit"],
                    ["stated S003-22: new tingling needs a visit"],
                )
            ],
        ),
        (
            TABLE,
            "given: \\{tingling: reported\\}, holds: true",
            "given: {tingling: examined}, holds: true",
            "Rows",
            [
                (
                    "tingling, examples",
                    ["holds: tingling told (tingling: examined)"],
                    ["holds: tingling told (tingling: reported)"],
                )
            ],
        ),
        (
            TABLE,
            "(  - id: bulbar\n.*?actions: )\\[\\{id: neurology-referral, urgency: urgent\\}\\]",
            "\\1[neurology-referral]",
            "Rows",
            [("bulbar, actions", ["neurology-referral"], ["neurology-referral (urgent)"])],
        ),
        (
            TABLE,
            '(says: "a recent result or study answers it", claims: \\[)S000-67',
            "\\1S000-67, S000-68",
            SHAPING,
            [("removals.already-done, claims", ["S000-68"], [])],
        ),
        (
            TABLE,
            "actions: \\[ncs, emg, electrolytes, vitamin-b12, hba1c\\]",
            "actions: [emg, ncs, electrolytes, vitamin-b12, hba1c]",
            "Rows",
            [
                (
                    "sensory-loss, actions",
                    ["emg", "ncs", "electrolytes", "vitamin-b12", "hba1c"],
                    ["ncs", "emg", "electrolytes", "vitamin-b12", "hba1c"],
                )
            ],
        ),
        (
            TABLE,
            "dehydration, unless: \\{any: \\[heart-failure, chronic-kidney-disease, [^\\]]*\\]\\}",
            "dehydration, unless: heart-failure",
            SHAPING,
            [
                (
                    "self_care.fluids, unless",
                    ["heart-failure"],
                    [
                        "heart-failure or chronic-kidney-disease or kidney-failure or egfr-below-15 or "
                        "sodium-low or hyponatremia"
                    ],
                )
            ],
        ),
        (TABLE, "named: \\[diabetes, ", "named: [", SHAPING, [("named", [], ["diabetes"])]),
        (
            TABLE,
            "(order: blood, analytes: \\[tsh\\], done_days: )90",
            "\\g<1>60",
            SHAPING,
            [("actions.thyroid, done days", ["60"], ["90"])],
        ),
        (
            "wording.yaml",
            'not_gone: "it is not gone by',
            'not_gone: "it is still there on',
            "Wording",
            [("come_back.not_gone", ["it is still there on {date}"], ["it is not gone by {date}"])],
        ),
        (
            "findings/sleep.yaml",
            '\\["F51.0", "G47.0"\\]',
            '["F51.0", "X00.0", "X00.1"]',
            "Codes and concepts",
            [("findings/sleep, ICD-10 (WHO), insomnia", ["X00.0", "X00.1"], ["G47.0"])],
        ),
        (
            "findings/sleep.yaml",
            'label: "poor sleep"',
            'label: "bad sleep"',
            "Codes and concepts",
            [("findings/sleep.label", ["bad sleep"], ["poor sleep"])],
        ),
        (
            "analytes/potassium.yaml",
            'critical: \\{low: "2.5"',
            'critical: {low: "2.0"',
            "Codes and concepts",
            [("analytes/potassium.critical.low", ["2.0"], ["2.5"])],
        ),
        (
            "medication_classes/xanthine.yaml",
            '\\["1116082", ',
            "[",
            "Codes and concepts",
            [("medication_classes/xanthine, RxNorm, aminophylline", [], ["1116082"])],
        ),
        (
            "medication_classes/xanthine.yaml",
            '  - ingredient: "bamifylline".*?(?=  - ingredient)',
            "",
            "Codes and concepts",
            [
                ("medication_classes/xanthine, ATC, bamifylline", [], ["R03DA08"]),
                ("medication_classes/xanthine, RxNorm, bamifylline", [], ["18752"]),
                ("medication_classes/xanthine, ingredients", [], ["bamifylline"]),
                ("medication_classes/xanthine, names, bamifylline", [], ["bamifylline"]),
            ],
        ),
        (
            "procedures/emg.yaml",
            'label: "Electromyography \\(EMG\\)"',
            'label: "EMG"',
            "Codes and concepts",
            [("procedures/emg.label", ["EMG"], ["Electromyography (EMG)"])],
        ),
        (
            "body_sites/calf.yaml",
            "region: legs",
            "region: arms",
            "Codes and concepts",
            [("body_sites/calf.region", ["arms"], ["legs"])],
        ),
        (
            "sources/ankle-twitching.yaml",
            'says: "Sweat changes the salts"',
            'says: "Sweat takes salt"',
            "Claims and anchors",
            [("S004-14.says", ["Sweat takes salt"], ["Sweat changes the salts"])],
        ),
        (
            "sources/anchors.yaml",
            'declined: "what the three levels mean[^"]*"',
            'declined: "it is only about what clients show"',
            "Claims and anchors",
            [
                (
                    "A34.fate",
                    ["declined: it is only about what clients show"],
                    ["declined: what the three levels mean to a client; it carries no clinical statement"],
                )
            ],
        ),
        (
            "hooks.yaml",
            'title: "Muscle twitching: benign or not"',
            'title: "Twitching"',
            "Hooks",
            [
                (
                    "hooks.fasciculation-patient-view, title",
                    ["Twitching"],
                    ["Muscle twitching: benign or not"],
                )
            ],
        ),
    ],
)
def test_each_kind_of_change_is_told_alone(
    tmp_path: Path,
    file: str,
    pattern: str,
    replacement: str,
    section: str,
    told: list[tuple[str, list[str], list[str]]],
) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    shutil.copy(HERE / file, tmp_path / file)
    change(tmp_path, file, pattern, replacement)
    sections = changed({**written_now(), **written(tmp_path)})
    expected = {section: [(place, tuple(before), tuple(after)) for place, before, after in told]}
    assert {title: [(c.place, c.before, c.after) for c in cs] for title, cs in sections.items()} == expected


def test_a_row_that_came_is_shown_whole_with_the_claim_that_it_takes_up(old: Path) -> None:
    change(old, TABLE, "  - id: movement\n.*?(?=  - id: persistent\n)", "")
    changes_of = found(old)
    assert set(changes_of) == {"Rows", "Claims and anchors"}
    (row,) = changes_of["Rows"]
    assert (row.place, row.before) == ("movement", ())
    assert row.after == (
        "label: difficulty walking or with daily activities",
        "when: movement",
        "actions: electrolytes",
        "actions: thyroid",
        "level: warning",
        "rests on: interpreted S003-24: read as a reason of its own, not only together with wasting",
        "examples: holds: difficulty walking (movement: reported)",
        "examples: does not hold: walks normally (movement: absent)",
    )
    (claim,) = changes_of["Claims and anchors"]
    assert claim == Change("S003-24.fate", ("not cited",), ("cited",))


def test_a_claim_that_only_a_removal_or_a_text_cites_has_its_fate_from_it(old: Path) -> None:
    change(old, TABLE, "claims: \\[S000-78\\]", "claims: [S000-67]")
    change(
        old,
        "wording.yaml",
        '"actions.electrolytes": \\[S000-29, S000-71\\]',
        '"actions.electrolytes": [S000-71]',
    )
    fates = {c.place: (c.before, c.after) for c in found(old)["Claims and anchors"]}
    assert fates == {
        "S000-29.fate": (("not cited",), ("cited",)),
        "S000-78.fate": (("not cited",), ("cited",)),
    }


def test_a_row_that_went_and_another_order_of_rows(old: Path) -> None:
    text = (old / TABLE).read_text()
    start, end = text.index("  - id: tingling\n"), text.index("  - id: coordination\n")
    row = text[start:end]
    extra = row.replace("id: tingling", "id: tickling")
    moved = text[:start] + text[end:].replace("  - id: movement\n", extra + row + "  - id: movement\n", 1)
    (old / TABLE).write_text(moved)
    gone, order = found(old)["Rows"]
    assert gone.place == "tickling"
    assert gone.after == ()
    assert "when: tingling" in gone.before
    assert order.place == "order"
    assert "coordination-reported, tingling, movement" in order.before[0]
    assert "tingling, coordination, coordination-reported, movement" in order.after[0]


def test_a_file_that_came_and_one_that_went(old: Path) -> None:
    (old / "findings" / "orthopnea.yaml").rename(old / "findings" / "breathless.yaml")
    changes_of = {c.place: c for c in found(old)["Codes and concepts"]}
    assert set(changes_of) == {
        "findings/breathless",
        "findings/orthopnea",
        *(
            f"findings/{file}, {system}, orthopnea"
            for file in ("breathless", "orthopnea")
            for system in ("HPO", "ICD-10-CM", "SNOMED CT")
        ),
    }
    assert changes_of["findings/breathless"].after == ()
    assert "label: breathlessness lying flat" in changes_of["findings/orthopnea"].after
    assert changes_of["findings/orthopnea, SNOMED CT, orthopnea"].before == ()
