"""A minute of mixed load: `python -m tests.faults.soak` takes half an hour."""

from __future__ import annotations

from tests.contract.fhir_server import FhirServer
from tests.faults.conftest import Site
from tests.faults.soak import DESCRIPTORS, MIB, Soaked, Usage, mixed_load, soaked
from tests.faults.tally import Stored, Tally

SECONDS = 60.0


def test_nothing_grows(site: Site, fhir: FhirServer) -> None:
    fhir.reset()
    result = soaked(site.cluster, mixed_load(site.cluster, site.answers, fhir.base, "a minute"), SECONDS)
    site.show(result.report())
    assert result.problems() == []


def test_what_grows_is_found() -> None:
    tally = Tally("none", stored=Stored(1, 0, 0, 0))
    flat = Usage([50.0] * 40, [20] * 40)
    leaks = Usage([50.0 + number * MIB / 10 for number in range(40)], [20] * 40)
    opens = Usage([50.0] * 40, [20 + number * DESCRIPTORS // 10 for number in range(40)])
    assert Soaked(tally, {"flat": flat}, 0.0, 60.0).problems() == []
    (leak,) = Soaked(tally, {"leaks": leaks}, 0.0, 60.0).problems()
    assert "MiB" in leak
    (open_,) = Soaked(tally, {"opens": opens}, 0.0, 60.0).problems()
    assert "descriptors" in open_
