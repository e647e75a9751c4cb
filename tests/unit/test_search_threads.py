"""A worker decides in several threads, which share what was searched before: none may see half of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest

from fhir_mappings.record import Basis, Finding, Patient, Record, Site, Status, Twitch
from service.decision import Decision, decide, question_search
from service.knowledge import Knowledge

THREADS = 6
ROUNDS = 12


@pytest.fixture(autouse=True)
def often_switched() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def record(*present: str) -> Record:
    return Record(
        as_of=date(2026, 6, 15),
        patient=Patient(id="p"),
        twitch=Twitch(Status.PRESENT, sites=(Site("calf", "calf", "legs", None),)),
        findings={name: Finding(name, Status.PRESENT, Basis.REPORTED) for name in present},
    )


def test_threads_that_search_the_same_at_once_decide_what_one_alone_does(knowledge: Knowledge) -> None:
    records = [record(), record("weakness"), record("tingling", "pain")]

    def decided() -> list[Decision]:
        return [decide(one, knowledge.table) for one in records]

    question_search._search.cache_clear()
    alone = decided()
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(ROUNDS):
            question_search._search.cache_clear()
            together = Barrier(THREADS)

            def at_once(together: Barrier = together) -> list[Decision]:
                together.wait(30)
                return decided()

            for found in [pool.submit(at_once) for _ in range(THREADS)]:
                assert found.result(120) == alone
