"""Sections 2 and 4: what opens the gate, what is named and shown, and when a twitch is benign."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Basis, Evidence, Finding, Patient, Record, Status, Twitch
from service.decision import decide
from service.decision.table import RowRole
from service.knowledge import load_knowledge
from tests.knowledge.patients import days_ago, finding, record_of_example

TABLE = load_knowledge().table
NORMAL = {"weakness": "absent", "atrophy": "absent", "sensory-loss": "absent"}


class TestGate:
    """Section 2: without a current twitch there is no card, whatever else is recorded."""

    @pytest.mark.parametrize("status", [Status.UNKNOWN, Status.ABSENT])
    def test_no_twitch(self, status: Status) -> None:
        record = replace(record_of_example({"weakness": "examined"}), twitch=Twitch(status))
        decision = decide(record, TABLE)
        assert (decision.gate, decision.open, decision.level) == ("no-twitch", False, "none")
        assert decision.span == ("none", "none")
        assert decision.rows + decision.recommendations + decision.questions == ()

    @pytest.mark.parametrize(
        ("not_seen", "gate"),
        [
            (("conditions",), "unseen"),
            (("findings",), "unseen"),
            (("medications", "labs", "orders"), "no-twitch"),
        ],
    )
    def test_a_list_that_was_not_supplied(self, not_seen: tuple[str, ...], gate: str) -> None:
        record = replace(record_of_example({}), not_seen=not_seen)
        assert decide(record, TABLE).open
        assert decide(replace(record, twitch=Twitch()), TABLE).gate == gate

    def test_deceased(self) -> None:
        record = replace(record_of_example({"bulbar": "examined"}), patient=Patient(deceased=True))
        assert decide(record, TABLE).gate == "deceased"

    @pytest.mark.parametrize("disease", ["motor-neuron-disease", "spinal-muscular-atrophy"])
    def test_a_known_disease_gives_no_card_and_a_suspected_one_is_named(self, disease: str) -> None:
        for basis in ("examined", "listed"):
            assert decide(record_of_example({disease: basis}), TABLE).gate == "known-disease"
        assert decide(record_of_example({disease: "absent"}), TABLE).open
        doubtful = {disease: finding(disease, "reported", suspected=True)}
        decision = decide(replace(record_of_example({}), findings=doubtful), TABLE)
        assert decision.open
        assert decision.suspected == (disease,)

    def test_both_suspected_the_more_common_first(self) -> None:
        diseases = ("motor-neuron-disease", "spinal-muscular-atrophy")
        doubtful = {name: finding(name, "reported", suspected=True) for name in reversed(diseases)}
        assert decide(replace(record_of_example({}), findings=doubtful), TABLE).suspected == diseases

    @pytest.mark.parametrize("other", ["blepharospasm", "tremor", "myoclonus", "tic", "restless-legs"])
    def test_a_look_alike_opens_nothing(self, other: str) -> None:
        record = replace(record_of_example({other: "examined"}), twitch=Twitch())
        assert decide(record, TABLE).gate == "no-twitch"


# In the order in which the card names them.
NAMED = (
    "diabetes",
    "chronic-kidney-disease",
    "kidney-failure",
    "heart-failure",
    "pregnancy",
    "lung-disease",
    "central-lesion",
    "plexopathy",
    "myasthenia",
    "periodic-paralysis",
    "low-b12",
)


class TestNamed:
    def test_the_conditions_that_are_named(self) -> None:
        everything = decide(record_of_example(dict.fromkeys(reversed(NAMED), "listed")), TABLE)
        assert tuple(found.id for found in everything.named) == NAMED

    @pytest.mark.parametrize("condition", NAMED)
    def test_where_it_is_recorded_and_without_changing_the_level(self, condition: str) -> None:
        quiet = decide(record_of_example(NORMAL), TABLE)
        for basis in ("examined", "listed", "reported"):
            decision = decide(record_of_example({**NORMAL, condition: basis}), TABLE)
            assert [f.id for f in decision.named] == [condition]
            # Kidney failure has a row of its own: until its electrolytes are done.
            assert (decision.level == quiet.level) is (condition != "kidney-failure")
        assert decide(record_of_example({condition: "absent"}), TABLE).named == ()

    @pytest.mark.parametrize(
        "given",
        [
            {"lumbosacral-radiculopathy": "listed", "sites": ["calf"]},
            {"cervical-radiculopathy": "listed", "sites": ["hand"]},
            {"arm-nerve": "listed", "sites": ["forearm"]},
            {"family-neurological": "reported"},
            {"multiple-sclerosis": "listed"},
            {"neuromyotonia": "listed"},
            {"guillain-barre-past": "listed"},
        ],
    )
    def test_what_a_row_names(self, given: dict[str, Any]) -> None:
        for normal in (NORMAL, {}):
            decision = decide(record_of_example({**normal, **given}), TABLE)
            assert decision.has(RowRole.NAMED)
            assert decision.level == "info"

    def test_a_nerve_of_another_limb_is_not_named(self) -> None:
        for given in (
            {"lumbosacral-radiculopathy": "listed", "sites": ["hand"]},
            {"arm-nerve": "listed", "sites": ["calf"]},
            {"arm-nerve": "listed"},
        ):
            assert not decide(record_of_example(given), TABLE).has(RowRole.NAMED)

    @pytest.mark.parametrize("acute", ["alcohol-withdrawal", "cholinergic-poisoning", "cauda-equina"])
    @pytest.mark.parametrize(("days", "named"), [(8, True), (30, True), (31, False)])
    def test_an_acute_state_that_is_over_for_a_month(self, acute: str, days: int, named: bool) -> None:
        old = Evidence("Condition/1", "Condition.code", acute, Status.PRESENT, Basis.LISTED, days_ago(days),
                       used=False, history=True)  # fmt: skip
        record = record_of_example(NORMAL)
        record = replace(record, findings={**record.findings, acute: Finding(acute, evidence=(old,))})
        decision = decide(record, TABLE)
        assert [f.id for f in decision.named] == ([acute] if named else [])
        assert decision.level == "info"


class TestBenign:
    """Only where nothing else on record is against it."""

    @staticmethod
    def benign(record: Record) -> bool:
        return decide(record, TABLE).has(RowRole.BENIGN)

    @pytest.mark.parametrize(
        ("more", "expected"),
        [
            ({}, True),
            ({"onset_days_ago": 14}, True),
            ({"onset_days_ago": 15}, False),
            ({"sites": ["eyelid"], "onset_days_ago": 90}, True),
            ({"sites": ["eyelid"], "onset_days_ago": 91}, False),
            ({"courses": ["continuous"]}, False),
            ({"courses": ["stable", "intermittent"]}, True),
            ({"sites": ["calf", "hand"]}, False),
            # triggers and pregnancy are no reason against it
            ({"caffeine": "reported", "anxiety": "listed", "alcohol": "reported"}, True),
            ({"pregnancy": "listed"}, True),
            # a diagnosis, named or not, and any other finding are
            ({"diabetes": "listed"}, False),
            ({"stiffness": "reported"}, False),
            ({"orthopnea": "reported"}, False),
            ({"breathing-difficulty": "absent-not-examined"}, True),
            ({"drugs": {"ssri": "yes"}}, False),
            ({"drugs": {"ssri": "no"}}, True),
            ({"multiple-sclerosis": "reported"}, False),
            ({"weakness": "absent-not-examined"}, False),
            ({"age_years": 60}, True),
            ({"age_years": 15}, False),
            ({"results": {"potassium": "in-range"}}, True),
            ({"results": {"potassium": "low"}}, False),
            ({"results": {"tsh": "high"}, "result_days_ago": 365}, False),
            ({"results": {"tsh": "high"}, "result_days_ago": 366}, True),
            ({"results": {"creatine-kinase": "out-of-range"}, "result_days_ago": 180}, False),
        ],
    )
    def test_what_is_against_it(self, more: dict[str, Any], expected: bool) -> None:
        given = {**NORMAL, "onset_days_ago": 10, "sites": ["calf"], **more}
        assert self.benign(record_of_example(given)) is expected

    def test_an_onset_that_is_not_known(self) -> None:
        assert not self.benign(record_of_example({**NORMAL, "sites": ["calf"]}))

    @pytest.mark.parametrize("name", [*TABLE.signs, "bulbar", "breathing-difficulty", "orthopnea"])
    def test_a_sign_in_history(self, name: str) -> None:
        record = record_of_example({**NORMAL, "onset_days_ago": 10, "sites": ["calf"]})
        old = Evidence("Condition/1", "Condition.code", name, Status.PRESENT, Basis.LISTED, days_ago(1500),
                       used=False, history=True)  # fmt: skip
        known = record.finding(name)
        findings = {**record.findings, name: replace(known, evidence=(*known.evidence, old))}
        assert not self.benign(replace(record, findings=findings))

    def test_an_acute_state_of_last_month(self) -> None:
        record = record_of_example({**NORMAL, "onset_days_ago": 10, "sites": ["calf"]})
        old = Evidence("Condition/1", "Condition.code", "x", Status.PRESENT, Basis.LISTED, days_ago(20),
                       used=False, history=True)  # fmt: skip
        findings = {**record.findings, "alcohol-withdrawal": Finding("alcohol-withdrawal", evidence=(old,))}
        assert not self.benign(replace(record, findings=findings))
