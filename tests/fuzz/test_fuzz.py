"""A bounded part of `python -m tests.fuzz`: an allowed, whole answer that gives nothing away."""

from __future__ import annotations

import json

import pytest

from service.knowledge import Knowledge
from tests.fuzz.mutations import KINDS, Change, changed
from tests.fuzz.properties import Fuzz, app_for

REQUESTS = 1500


@pytest.fixture(scope="module")
def fuzz(knowledge: Knowledge, tmp_path_factory: pytest.TempPathFactory) -> Fuzz:
    app = app_for(knowledge, tmp_path_factory.mktemp("feedback"))
    return Fuzz(app, knowledge, seed=20260615)


def test_no_mutated_request_breaks_the_service(fuzz: Fuzz) -> None:
    failures = [failure for index in range(REQUESTS) if (failure := fuzz.failure(index))]
    assert not failures, "\n".join(map(str, failures))


def test_the_requests_reach_what_they_are_meant_to(fuzz: Fuzz) -> None:
    """A fuzz that is refused at the door, or that changes nothing, finds nothing."""
    drawn = [fuzz.request(index) for index in range(REQUESTS)]
    kinds = {change.kind for _, changes in drawn for change in changes}
    assert kinds == {*KINDS, "truncate", "bad-utf-8", "bytes", "bom", "beside"}
    # Half or more is decided, and every refusal that a body can earn is met.
    assert fuzz.statuses[200] > REQUESTS / 2
    assert {400, 412, 415, 422} <= set(fuzz.statuses)
    assert {seed.path for seed, _ in drawn} == {seed.path for seed in fuzz.seeds}


def test_every_seed_is_answered(fuzz: Fuzz) -> None:
    assert any(seed.path.endswith("/feedback") for seed in fuzz.seeds)
    for seed in fuzz.seeds:
        response = fuzz.client.post(seed.path, json=seed.body)
        assert response.status_code == 200, (seed.name, response.get_data(as_text=True))


def test_a_request_is_made_again_from_its_numbers(fuzz: Fuzz) -> None:
    seed, changes = fuzz.request(7)
    assert fuzz.request(7) == (seed, changes)
    assert changed(seed.body, changes) == changed(seed.body, changes) != json.dumps(seed.body).encode()


def test_a_failure_is_told_with_the_fewest_changes(fuzz: Fuzz, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = Change("replace", ("resourceType",), "broken")
    changes = (Change("mark", ("entry",), "x"), needed, Change("drop", ("type",)))
    monkeypatch.setattr(fuzz, "request", lambda index: (fuzz.seeds[0], changes))
    monkeypatch.setattr(
        fuzz, "problem", lambda seed, tried, count=False: "it broke" if needed in tried else None
    )
    failure = fuzz.failure(5)
    assert failure is not None
    assert failure.changes == (needed,)
    assert "index 5" in str(failure)
