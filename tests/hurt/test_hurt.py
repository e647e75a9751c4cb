"""A seeded sample of the bodies; all of them by hand: python -m tests.hurt."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hurt import measuring
from tests.hurt.filled import filled, paths, resource_shapes
from tests.hurt.known import KNOWN
from tests.hurt.measuring import Measured, Meter, TooSlow, stopped_after
from tests.hurt.sending import WAYS, Request, Shape, evaluated

SIZE, COUNT, SEED = 40_000, 60, 1


@pytest.fixture(scope="module")
def meter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meter]:
    # What the tests before this one hold is not searched for garbage within a measured request.
    gc.collect()
    gc.freeze()
    yield Meter(tmp_path_factory.mktemp("hurt"))
    gc.unfreeze()


def cases() -> Iterator[tuple[str, str]]:
    for name, make in KNOWN.items():
        for way in ["hook"] if make(1_000).drafts else WAYS:
            yield name, way


@pytest.mark.parametrize(("name", "way"), list(cases()))
def test_a_known_shape_costs_at_most_its_share(meter: Meter, name: str, way: str) -> None:
    # Memory of the other ways: python -m tests.hurt; a small body shows the fixed part of a request alone.
    found = meter.measured(name, way, KNOWN[name](SIZE), memory=way == "validate")
    assert not found.problem, str(found)


@pytest.mark.parametrize("part", range(4))
def test_filled_members_cost_at_most_their_share(meter: Meter, part: int) -> None:
    above = [
        str(found)
        for name, way, shape in filled(SEED + part, COUNT // 4, SIZE, list(WAYS))
        if "CPU" in (found := meter.measured(name, way, shape, memory=False)).problem
        or "status" in found.problem
        or "answer" in found.problem
    ]
    assert above == []


def test_every_resource_that_is_read_is_filled() -> None:
    names = {shape.__name__ for shape in resource_shapes()}
    assert {"Patient", "Condition", "Observation", "Medication", "Task"} <= names
    observation = next(shape for shape in resource_shapes() if shape.__name__ == "Observation")
    ways = {".".join(step.name for step in path) for path in paths(observation)}
    assert {"component.referenceRange.low.value", "_valueString", "contained", "valueString"} <= ways


def test_the_same_seed_makes_the_same_bodies() -> None:
    first, second = (
        [evaluated(shape) for _, _, shape in filled(3, 20, 2_000, ["evaluate"])] for _ in range(2)
    )
    assert first == second


def test_a_body_that_holds_a_worker_is_stopped_and_named(meter: Meter) -> None:
    with pytest.raises(TooSlow), stopped_after(0.05):
        for _ in iter(int, 1):
            pass
    slow = Measured("x", "hook", 1, "200 OK", 8.1, 12.1, 3.1)
    assert slow.problem == "CPU, answer, memory"
    assert Measured("x", "validate", 1, "500 X", 24.9, 11.9, 2.9).problem == "status 500 X"


def test_an_ordinary_body_costs_about_as_much_as_an_ordinary_body(meter: Meter) -> None:
    assert 0 < meter.measured("nothing", "evaluate", Shape()).ratio < 2


class Sleepy(Meter):
    """A service whose first requests never end."""

    slow = 0

    def send(self, request: Request) -> tuple[str, bytes]:
        if self.slow > 0:
            self.slow -= 1
            for _ in iter(int, 1):
                pass
        return super().send(request)


@pytest.mark.parametrize(("slow", "problem"), [(1, ""), (3, "CPU")])
def test_a_first_use_is_measured_again_and_a_slow_one_is_named(
    slow: int, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "_LEAST_STOP_S", 0.3)
    meter = Sleepy(tmp_path)
    monkeypatch.setattr(meter, "ordinary_cpu", lambda way, size, again=False: 0.01)
    meter.slow = slow
    assert meter.measured("x", "evaluate", Shape(), memory=False).problem == problem
