"""Sections 2, 4 and 5: what is named and shown, what self-care is built from, what an answer means."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Basis, Days, Evidence, Finding, Patient, Record, Status, Twitch
from service.decision import decide
from service.decision.facts import facts_of
from service.decision.table import RowRole
from service.knowledge import load_knowledge
from tests.knowledge.patients import days_ago, drug, finding, record_of_example, result

KNOWLEDGE = load_knowledge()
TABLE = KNOWLEDGE.table
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


class TestSelfCare:
    @pytest.mark.parametrize(
        ("trigger", "advice"),
        [
            ("caffeine", ("caffeine",)),
            ("sleep", ("sleep",)),
            ("stress", ("stress",)),
            ("exertion", ("exertion",)),
            ("dehydration", ("fluids", "electrolyte-drink")),
            ("tobacco", ("tobacco",)),
            ("anxiety", ("usual",)),
            ("alcohol", ("usual",)),
            ("malabsorption", ("usual",)),
        ],
    )
    def test_the_advice_for_each_trigger(self, trigger: str, advice: tuple[str, ...]) -> None:
        for basis in ("reported", "listed", "examined"):
            assert self.advice({trigger: basis}) == advice
        assert self.advice({trigger: "absent"}) == ("usual",)

    def test_all_of_them_in_one_order(self) -> None:
        triggers = ("tobacco", "dehydration", "exertion", "stress", "sleep", "caffeine")
        assert self.advice(dict.fromkeys(triggers, "reported")) == (
            "caffeine",
            "sleep",
            "stress",
            "exertion",
            "fluids",
            "electrolyte-drink",
            "tobacco",
        )

    @pytest.mark.parametrize("basis", ["examined", "listed", "reported"])
    @pytest.mark.parametrize(
        ("condition", "advice"),
        [
            ("heart-failure", ("usual",)),
            ("chronic-kidney-disease", ("usual",)),
            ("diabetes", ("fluids", "electrolyte-drink")),
            ("multiple-sclerosis", ("fluids", "electrolyte-drink")),
            ("pregnancy", ("fluids", "electrolyte-drink")),
        ],
    )
    def test_what_a_condition_forbids(self, condition: str, advice: tuple[str, ...], basis: str) -> None:
        assert self.advice({"dehydration": "reported", condition: basis}) == advice

    @pytest.mark.parametrize(
        ("disorder", "days", "advice"),
        [
            # recent: the card is a warning, and there is no self-care
            ("hyponatremia", 90, ()),
            ("hyponatremia", 91, ("usual",)),
            ("hyperkalemia", 91, ("fluids",)),
            ("electrolyte-imbalance", 91, ("fluids",)),
        ],
    )
    def test_what_a_recorded_disorder_forbids(
        self, disorder: str, days: int, advice: tuple[str, ...]
    ) -> None:
        record = record_of_example({**NORMAL, "dehydration": "reported"})
        found = finding(disorder, "listed", days_ago(days))
        record = replace(record, findings={**record.findings, disorder: found})
        assert tuple(a.id for a in decide(record, TABLE).self_care) == advice

    def test_a_failing_kidney(self) -> None:
        tests = ("sodium", "potassium", "calcium", "magnesium")
        done = tuple(result(a, "in-range", 1) for a in tests)
        given = {"dehydration": "reported", "kidney-failure": "listed"}
        assert self.advice(given, results=done) == ("usual",)

    @pytest.mark.parametrize(
        ("analyte", "band", "days"),
        [
            ("sodium", "low", 180),
            ("potassium", "high", 180),
            ("tsh", "high", 365),
            ("vitamin-b12", "low", 365),
            ("creatine-kinase", "high", 180),
            ("lithium", "high", 180),
            ("hba1c", "critical", 30),
        ],
    )
    def test_no_self_care_beside_an_abnormal_result(self, analyte: str, band: str, days: int) -> None:
        for day, advice in ((days, ()), (days + 1, ("caffeine",))):
            given = self.advice({"caffeine": "reported"}, results=(result(analyte, band, day),))
            assert given == advice

    @pytest.mark.parametrize(
        ("plausible", "current", "advice"),
        [
            ("yes", True, ("fluids",)),
            # ended before today, and still thought to act
            ("yes", False, ("fluids",)),
            ("possible", False, ("fluids",)),
            # began after the twitch, and is taken today
            ("no", True, ("fluids",)),
            ("no", False, ("fluids", "electrolyte-drink")),
        ],
    )
    def test_a_potassium_sparing_diuretic(
        self, plausible: str, current: bool, advice: tuple[str, ...]
    ) -> None:
        sparing = drug("potassium-sparing-diuretic", plausible, current=current)
        assert self.advice({"dehydration": "reported"}, drugs=(sparing,)) == advice

    def test_another_diuretic_forbids_nothing_and_one_that_raises_potassium_the_drink(self) -> None:
        for name in ("thiazide-diuretic", "loop-diuretic", "ssri", "beta2-agonist-short"):
            given = self.advice({"dehydration": "reported"}, drugs=(drug(name),))
            assert given == ("fluids", "electrolyte-drink")
        for recognised in (True, False):
            pril = drug("other", "no", raises_potassium=True, recognised=recognised)
            assert self.advice({"dehydration": "reported"}, drugs=(pril,)) == ("fluids",)
            ended = replace(pril, current=False)
            given = self.advice({"dehydration": "reported"}, drugs=(ended,))
            assert given == ("fluids", "electrolyte-drink")

    def test_medicines_that_were_not_seen_may_raise_potassium(self) -> None:
        """A list that was not supplied is unknown: the safer advice is that without the drink."""
        both = ("medications", "medicationStatements")
        assert self.advice({"dehydration": "reported"}, not_seen=both) == ("fluids",)

    def advice(self, given: dict[str, Any], **more: Any) -> tuple[str, ...]:
        record = replace(record_of_example({**NORMAL, **given}), **more)
        return tuple(advice.id for advice in decide(record, TABLE).self_care)


class TestAnswersInWords:
    """Each answer sets what a record that says so would say."""

    def sets(self, question: str, says: str) -> dict[str, str]:
        (words,) = [words for words in TABLE.questions if words.id == question]
        (answer,) = [answer for answer in words.answers if answer.says == says]
        return dict(answer.sets)

    def by(self, record: Record, sets: dict[str, str]) -> dict[str, str]:
        facts = facts_of(record, TABLE)
        return {name: facts[name] for name in sets}

    def test_what_is_asked_in_which_order_and_when(self) -> None:
        assert [(q.order, q.id, q.findings) for q in TABLE.questions] == [
            (1, "examination", ("weakness", "atrophy", "sensory-loss")),
            (2, "bulbar", ("bulbar",)),
            (3, "weakness-start", ()),
            (4, "breathing", ("breathing-difficulty", "orthopnea")),
            (5, "onset", ()),
            (5, "site", ()),
            (5, "course", ()),
            (5, "age", ()),
            *(
                (6, name, (name,))
                for name in ("coordination", "movement", "upper-motor-sign", "rigidity", "tingling", "pain",
                             "cramps", "stiffness")
            ),
        ]  # fmt: skip
        assert {q.id for q in TABLE.questions if q.on_critical_card} == {
            "bulbar", "weakness-start", "breathing",
        }  # fmt: skip
        assert {q.id for q in TABLE.questions if q.in_range} == {"examination", "bulbar", "breathing"}
        assert {q.id for q in TABLE.questions if q.always_beside_now} == {"bulbar", "breathing"}

    def test_the_answers_in_their_order(self) -> None:
        assert {q.id: [answer.says for answer in q.answers] for q in TABLE.questions if q.answers} == {
            "weakness-start": ["within four weeks", "longer ago"],
            "onset": [
                "at most two days ago",
                "three days to two weeks ago",
                "two weeks to three months ago",
                "three months to a year ago",
                "over a year ago",
            ],
            "site": [
                "an eyelid only", "one arm", "one leg", "the face", "the trunk", "the tongue",
                "several regions",
            ],
            "course": [
                "stable, comes and goes",
                "continuous",
                "worsening or spreading",
                "worsening or spreading, and continuous",
            ],
            "age": ["younger than 5", "5 to 15", "16 to 59", "60 or older"],
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("says", "days"),
        [
            ("at most two days ago", (0, 2)),
            ("three days to two weeks ago", (3, 14)),
            ("two weeks to three months ago", (15, 90)),
            ("three months to a year ago", (91, 365)),
            ("over a year ago", (366, 4000)),
        ],
    )
    def test_onset(self, says: str, days: tuple[int, ...]) -> None:
        sets = self.sets("onset", says)
        assert len(sets) == 6
        for day in days:
            assert sets == self.by(record_of_example({"onset_days_ago": day}), sets)

    @pytest.mark.parametrize(("says", "days"), [("within four weeks", 28), ("longer ago", 29)])
    def test_start_of_weakness(self, says: str, days: int) -> None:
        weak = finding("weakness", "examined", start=Days(days_ago(days), days_ago(days)))
        sets = self.sets("weakness-start", says)
        assert sets == self.by(replace(record_of_example({}), findings={"weakness": weak}), sets)
        assert set(sets) == {"weakness-recent"}

    @pytest.mark.parametrize(
        ("says", "sites"),
        [
            ("an eyelid only", ["eyelid"]),
            ("one arm", ["hand"]),
            ("one leg", ["thigh", "calf"]),
            ("the face", ["face"]),
            ("the trunk", ["trunk"]),
            ("the tongue", ["tongue"]),
            ("several regions", ["hand", "calf"]),
        ],
    )
    def test_site(self, says: str, sites: list[str]) -> None:
        sets = self.sets("site", says)
        assert len(sets) == 6
        assert sets == self.by(record_of_example({"sites": sites}), sets)

    @pytest.mark.parametrize(
        ("says", "courses"),
        [
            ("stable, comes and goes", ["stable", "intermittent"]),
            ("continuous", ["stable", "continuous"]),
            ("worsening or spreading", ["spreading", "intermittent"]),
            ("worsening or spreading", ["worsening", "recurrent"]),
            ("worsening or spreading, and continuous", ["worsening", "continuous"]),
        ],
    )
    def test_course(self, says: str, courses: list[str]) -> None:
        sets = self.sets("course", says)
        assert set(sets) == {"getting-worse", "continuous"}
        assert sets == self.by(record_of_example({"courses": courses}), sets)

    @pytest.mark.parametrize(
        ("says", "years"),
        [("younger than 5", (0, 4)), ("5 to 15", (5, 15)), ("16 to 59", (16, 59)), ("60 or older", (60, 99))],
    )
    def test_age(self, says: str, years: tuple[int, ...]) -> None:
        sets = self.sets("age", says)
        assert set(sets) == {"child-age", "small-child", "sixty-or-older"}
        for age in years:
            assert sets == self.by(record_of_example({"age_years": age}), sets)
