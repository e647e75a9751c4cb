"""Section 4: what self-care is built from, and what forbids it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from service.decision import decide
from service.knowledge import load_knowledge
from tests.knowledge.patients import days_ago, drug, finding, record_of_example, result

TABLE = load_knowledge().table
NORMAL = {"weakness": "absent", "atrophy": "absent", "sensory-loss": "absent"}


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
        # On a list and measured: no row is a warning, and the result keeps self-care away all the same.
        for egfr, days, advice in (("14.9", 180, ()), ("15", 180, ("usual",)), ("14.9", 181, ("usual",))):
            measured = (*done, result("egfr", egfr, days))
            assert self.advice(given, results=measured) == advice

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
