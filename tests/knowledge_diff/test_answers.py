"""The answers that moved, and earlier knowledge that today's code does not load as a whole."""

from __future__ import annotations

from pathlib import Path

import yaml

from service.evaluation import Evaluation
from service.knowledge import HERE, Knowledge
from tests.knowledge_diff.copies import TABLE, change, found, now
from tests.vignettes.dialects import DIALECTS
from tests.vignettes.patient import PEOPLE
from tools.knowledge_diff import Case, Change, compared, earlier_knowledge
from tools.knowledge_diff import __main__ as command
from tools.knowledge_diff.__main__ import example_files, patients, row_examples


def test_comments_and_the_order_of_members_and_codes_are_nothing(old: Path) -> None:
    for path in old.rglob("*.yaml"):
        if path.parent.name == "medication_classes":
            continue  # many thousand codes
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        path.write_text("# again\n" + yaml.safe_dump(content, sort_keys=True), encoding="utf-8")
    change(old, "findings/sleep.yaml", "- F51.0\n    - G47.0\n", "- G47.0\n    - F51.0\n")
    assert found(old) == {}
    earlier = earlier_knowledge(old, HERE)
    assert (earlier.problems, earlier.lent) == ((), ())
    assert earlier.version != now().version
    assert earlier.knowledge is not None
    assert compared(some_cases(), earlier.knowledge, now()).moved == ()


def some_cases(*wanted: str) -> list[Case]:
    """Test patients, in every form; by default one."""
    return [case for case in patients() if case.subject[:3] in (wanted or ("v05",))]


def test_a_threshold_moves_the_answers_that_hang_on_it(old: Path) -> None:
    change(old, TABLE, "persistent_days: 14", "persistent_days: 15")
    earlier = earlier_knowledge(old, HERE)
    assert earlier.knowledge is not None
    cases = [*some_cases("v05", "v06"), *row_examples(now())]
    comparison = compared(cases, earlier.knowledge, now())
    assert comparison.asked["Test patients"] == (2, 2 * len(DIALECTS))
    patient, *others = comparison.moved
    assert patient.subject == "v05, Thigh twitch on day fifteen, habits already changed"
    # Every form moved the same way: told once. What leaves for R5 and STU3 is written otherwise.
    assert patient.forms == tuple(form for form in DIALECTS if form not in ("r5", "stu3"))
    again = [moved.forms for moved in others if moved.subject == patient.subject]
    assert again == [("r5",), ("stu3",)]
    facets = {c.place: c for c in patient.changes}
    # Calm beside a normal examination: the tests are offered, and the level stays.
    assert "level" not in facets
    assert facets["rows"] == Change("rows", ("nothing-calls-for-tests", "benign"), ("persistent",))
    assert "routine thyroid (tsh), because of persistent" in facets["recommendations"].after
    assert facets["summary"].before != facets["summary"].after
    assert {"detail", "suggestions", "questions"} <= set(facets)
    # Every card says the limit: where only the text moved, no advice hangs on it.
    hanging = {
        moved.subject: {c.place: c for c in moved.changes}
        for moved in others
        if "rows" in {c.place for c in moved.changes} and moved.subject != patient.subject
    }
    assert len(hanging) < len(others)
    # Only what is of day 15 hangs on it, and all of them of the row itself.
    assert all("day 15" in subject for subject in hanging)
    assert {subject for subject in hanging if subject.startswith("persistent, ")} == {
        "persistent, day 15, thigh"
    }
    assert {"atrophy-persistent, wasting, day 15", "benign, day 15, hand, examination normal"} <= set(hanging)
    assert hanging["persistent, day 15, thigh"]["level"] == Change("level", ("info",), ("warning",))


def test_a_code_moves_the_forms_that_use_it(old: Path) -> None:
    change(old, "findings/fasciculation.yaml", '("http://hl7.org/fhir/sid/icd-10-cm": \\[)"R25.3"', "\\1")
    earlier = earlier_knowledge(old, HERE)
    assert earlier.knowledge is not None
    (moved,) = compared(some_cases(), earlier.knowledge, now()).moved
    assert moved.forms == ("icd",)
    # The words alone open the gate: the card goes on, and says that the code is not known.
    facets = {c.place: c for c in moved.changes}
    told = {"assessment, findings", "assessment, notUnderstood", "assessment, unknownCodes"}
    assert set(facets) == {"detail", *told}
    assert "The twitch is recorded in words only: check the entry." in facets["detail"].before


def test_a_word_moves_the_text_and_nothing_else(old: Path) -> None:
    change(old, "wording.yaml", "it spreads or gets worse", "it spreads")
    earlier = earlier_knowledge(old, HERE)
    assert earlier.knowledge is not None
    (moved,) = compared(some_cases(), earlier.knowledge, now()).moved
    assert [c.place for c in moved.changes] == ["detail"]


def test_an_answer_that_cannot_be_given_has_moved() -> None:
    def ask(knowledge: Knowledge) -> Evaluation:
        if knowledge is now():
            raise ValueError("too long")
        return next(iter(some_cases())).ask(now())

    other = earlier_knowledge(HERE, HERE).knowledge
    assert other is not None
    (moved,) = compared([Case("One", "of them", "form", ask)], other, now()).moved
    assert Change("answer", (), ("none: ValueError: too long",)) in moved.changes


def test_an_answer_that_neither_can_give_is_told() -> None:
    def ask(knowledge: Knowledge) -> Evaluation:
        raise ValueError("too long")

    other = earlier_knowledge(HERE, HERE).knowledge
    assert other is not None
    (moved,) = compared([Case("One", "of them", "form", ask)], other, now()).moved
    said = ("none: ValueError: too long",)
    assert moved.changes == (Change("answer", said, said),)


def test_all_patients_examples_and_row_examples_are_asked() -> None:
    assert len(list(patients())) == len(PEOPLE) * len(DIALECTS)
    assert {case.subject for case in example_files()} == {
        path.relative_to(command.EXAMPLES).as_posix() for path in command.EXAMPLES.glob("*/*.json")
    }
    rows = {case.subject.split(",")[0] for case in row_examples(now())}
    assert rows == {row.id for row in now().table.rows}


def test_earlier_knowledge_without_a_fate_still_answers(old: Path) -> None:
    change(old, "sources/ankle-twitching.yaml", '    declined: "names no medicine[^"]*"\n', "")
    earlier = earlier_knowledge(old, HERE)
    assert [p for p in earlier.problems if "S004-17: nothing rests on it" in p] != []
    assert earlier.knowledge is not None
    assert earlier.lent == ()


def test_a_text_that_the_earlier_knowledge_lacks_is_lent_and_named(old: Path) -> None:
    change(old, "wording.yaml", '  age_unknown: "[^"]*"\n', "")
    change(old, "wording.yaml", '  "lead.age_unknown": [^\n]*\n', "")
    change(old, "wording.yaml", '  undated: "undated"\n', "")
    earlier = earlier_knowledge(old, HERE)
    assert earlier.lent == ("lead.age_unknown", "results.undated")
    assert earlier.knowledge is not None
    assert compared(some_cases(), earlier.knowledge, now()).moved == ()
    # What was lent is not in the earlier files: it is told as added.
    added = {"lead.age_unknown", "results.undated", "rests_on.lead.age_unknown"}
    assert {c.place for c in found(old)["Wording"] if not c.before} == added


def test_a_caption_that_the_earlier_knowledge_lacks_does_not_move_every_answer(old: Path) -> None:
    change(old, "wording.yaml", '  results: "\\*\\*Results:[^"]*"\n', "")
    earlier = earlier_knowledge(old, HERE)
    (lent,) = earlier.lent
    assert lent.endswith(".results")
    assert earlier.knowledge is not None
    assert compared(some_cases("v08"), earlier.knowledge, now()).moved == ()


def test_a_member_of_an_action_that_is_not_read_any_more_ends_no_answer(old: Path) -> None:
    change(old, "wording.yaml", "(\nactions:\n.*?\n  electrolytes:\n)", '\\1    to_somebody: "Refer"\n')
    earlier = earlier_knowledge(old, HERE)
    assert [p for p in earlier.problems if "to_somebody" in p] != []
    assert earlier.knowledge is not None
    assert compared(some_cases(), earlier.knowledge, now()).moved == ()


def test_a_text_with_a_name_that_is_not_filled_in_any_more_is_lent(old: Path) -> None:
    change(old, "wording.yaml", 'not_gone: "it is not', 'not_gone: "{whom} is not')
    assert earlier_knowledge(old, HERE).lent == ("come_back.not_gone",)


def test_what_the_earlier_knowledge_never_said_is_not_lent(old: Path) -> None:
    change(old, "wording.yaml", '  persistent: "over {persistent_time}"\n', "")
    earlier = earlier_knowledge(old, HERE)
    assert (earlier.problems, earlier.lent) == ((), ())
    assert earlier.knowledge is not None
    # Its row has a label, which then serves.
    assert earlier.knowledge.wording.maybe("found.persistent") != now().wording.maybe("found.persistent")


def test_earlier_knowledge_that_cannot_answer_is_still_read(old: Path) -> None:
    change(old, TABLE, "when: tingling\n", "when: tickling\n")
    earlier = earlier_knowledge(old, HERE)
    assert earlier.knowledge is None
    assert "rows.tingling" in earlier.problems[0]
    assert found(old) == {"Rows": (Change("tingling, when", ("tickling",), ("tingling",)),)}
